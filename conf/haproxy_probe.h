/*
 * haproxy_probe.h - does a check script only ask whether haproxy runs?  Pure.
 */
#pragma once

#include <stdbool.h>

/* `killall -0 haproxy`, `pidof haproxy`, `systemctl is-active haproxy` and their like. */
bool haproxy_probe(const char *command);
