/*
 * check.h - health checks: who asks a server how it is, and when.
 *
 * A server's check runs on one thread, chosen by the server's number.  The first one comes within
 * CHECK_FIRST_MS, so that nothing waits long for a first verdict; from then on the checks of a
 * thread are spread over their interval and keep their beat: the next is counted from the start of
 * the last, not from its end.
 */
#pragma once

#include "proxy/backend.h"
#include "proxy/conn.h"

#define CHECK_FIRST_MS 200

struct proxy_thread;

struct check {
	struct server *server;
	struct proxy_thread *thread;
	struct loop_fd lf;  /* while asking */
	struct timer next;  /* the next beat */
	struct timer limit; /* the present one has taken too long */
	struct mono beat;   /* when the present one was due */
	struct mono began;  /* when it was made, to tell its duration */
	bool overdue;       /* the next beat came while it was under way */
	uint32_t place, of; /* among all checks: where in the interval */
	bool spread;        /* the first one has been made */
	unsigned random;
};

/* Checks `server` from this thread's loop; `place` of `of` checks. */
void check_start(struct check *c, struct proxy_thread *t, struct server *server, uint32_t place,
		 uint32_t of);
void check_stop(struct check *c);
