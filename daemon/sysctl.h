/*
 * sysctl.h - the kernel's settings of one interface, under /proc/sys/net.
 */
#pragma once

/* family: "ipv4" or "ipv6".  0 or -errno. */
int sysctl_get(const char *family, const char *interface, const char *name, int *value);
int sysctl_set(const char *family, const char *interface, const char *name, int value);
