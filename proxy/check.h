/*
 * check.h - health checks: who asks a server how it is, and when.
 *
 * A server's check runs on one thread, chosen by the server's number.
 *
 * check_beat.c tells when it is due, check.c makes it, check_talk.c has the conversation: the steps
 * of the backend's program, over a struct conn.
 */
#pragma once

#include "proxy/backend.h"
#include "proxy/check_beat.h"
#include "proxy/conn.h"
#include "proxy/relay.h"

struct proxy_thread;
struct ssl_session_st;

/* So long after a whole handshake there is another, which looks at the server's certificate. */
#define CHECK_RESUME_MS 60000

struct check {
	struct server *server;
	const struct check_program *program; /* the backend's, or the agent's */
	bool agent;                          /* it is an agent that is asked */
	struct proxy_thread *thread;
	struct timer next;  /* the next beat */
	struct timer limit; /* the present one has taken too long */
	struct timer warm;  /* the next step of `slowstart` */
	struct check_beat beat;
	uint32_t interval_ms; /* from the present beat to the next */
	struct mono began;    /* when it was made, to tell its duration */
	bool overdue;         /* the next beat came while it was under way */
	unsigned random;

	/* To be resumed by the next check; NULL = none. */
	struct ssl_session_st *session;
	uint32_t session_step;     /* of the program: another may ask for another host */
	struct mono session_since; /* when it, or the one it goes back to, was made */

	/* While asking. */
	bool asking;
	bool accepted;  /* TCP stands */
	bool connected; /* … and TLS, if there is any */
	bool linger;    /* the connection ends with FIN, not RST */
	uint32_t step;  /* in the backend's program */
	uint32_t sent;  /* of this step's data */
	struct conn conn;
	struct buffer *reply;       /* NULL = nothing has come */
	struct check_result result; /* of the expectation met last */
};

/* Checks `server`, or asks its agent, from this thread's loop; `place` of `of` checks. */
void check_start(struct check *c, struct proxy_thread *t, struct server *server, bool agent,
		 uint32_t place, uint32_t of);
void check_stop(struct check *c);

/* The next one comes within fastinter (else inter) from now. */
void check_hurry(struct check *c);

/* The conversation has come to this result: tells the server, ends what is left of it. */
void check_ended(struct check *c, const struct check_result *result);

/* May its handshake be a short one?  Not by another step's session, and not for ever. */
static inline bool
check_may_resume(const struct check *c, struct mono now)
{
	return c->session && c->session_step == c->step &&
	       mono_since_ms(now, c->session_since) < CHECK_RESUME_MS;
}

/* check_talk.c: begins the conversation; the time limit is the talk's own. */
void check_talk(struct check *c);
void check_talk_stop(struct check *c);
void check_talk_limit(struct check *c);  /* its time is over */
void check_talk_forget(struct check *c); /* resumes nothing next time */
