/*
 * slowstart.h - a server that has come back gets its share little by little.
 *
 * From 1/16 of its weight and one connection both grow linearly to the whole over `slowstart`, as
 * with HAProxy.  Only what lb.h reads is changed: a server that is not warming up costs nothing.
 */
#pragma once

#include "proxy/backend.h"

/* The server has come up, or has gone.  Under its backend's lock; slowstart_step carries it on. */
void slowstart_begin(struct server *s, struct mono now);
void slowstart_end(struct server *s);

/* Its weight or limit is another.  Under the lock. */
void slowstart_adapt(struct server *s, struct mono now);

/* The next step of the server and of those that follow it, by the thread that runs its check; how
 * long until the one after it, 0 = none is warming up (any more).  Takes each backend's lock. */
uint32_t slowstart_step(struct server *s, struct mono now);
