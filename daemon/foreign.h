/*
 * foreign.h - sockets with IP_TRANSPARENT, for servers that are to see another's address (`source …
 * usesrc`): made by the guardian, bound and connected by the worker, which may not set that option.
 *
 * A worker that was taken over gets no more by them than to speak from addresses that are not this
 * host's, which is what the configuration wants it to do; without `usesrc` it gets none.
 */
#pragma once

#include "common/ipc.h"

#define FOREIGN_FAMILIES 2 /* IPv4, IPv6 */
#define FOREIGN_BATCH    IPC_FDS_MAX

/* Up to `n` of them; how many there are.  The first failure is logged. */
size_t foreign_open(uint32_t family, int *fds, size_t n);
void foreign_close(const int *fds, size_t n);
