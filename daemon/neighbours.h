/*
 * neighbours.h - for whom the kernel is asking on a link, and has had no answer yet.
 */
#pragma once

#include "common/addr.h"

/* Calls `found` for each; its pointer is good for the length of the call.  0 or -errno. */
int neighbours_awaited(uint32_t ifindex, void (*found)(void *ctx, const struct ip *ip), void *ctx);
