/*
 * server_log.h - what the log says of servers and their checks, in HAProxy's words.  Under the
 * backend's lock.
 */
#pragma once

#include "proxy/backend.h"

/* The server's state has become this. */
void server_log_change(struct server *s, enum server_state state);

/* With `option log-health-checks`: `s->last` has this grade. */
void server_log_health(struct server *s, enum check_grade grade);
