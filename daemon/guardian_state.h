/*
 * guardian_state.h - the guardian's own state; private to guardian*.c and reload.c.
 */
#pragma once

#include "common/list.h"
#include "daemon/control.h"
#include "daemon/generation.h"
#include "daemon/guardian.h"
#include "daemon/loader.h"
#include "daemon/rundir.h"
#include "daemon/state_dump.h"
#include "daemon/succession.h"
#include "daemon/systemd.h"

#define REPLY_MAX (LOADER_TEXT_MAX + 8192)

struct reload {
	enum succession_state state;
	struct generation *next; /* from PREPARING on */
	struct loader loader;
	struct timer deadline; /* of the present state */
	uint32_t numbers;      /* the last generation's */
	int carry_fd;          /* while FREEZING: where the first worker writes; -1 = none */
	bool carried;          /* … and it has */
	bool again;            /* a signal came meanwhile: the file may have changed since */
	uint64_t ticket;       /* who waits for the end of it, 0 = nobody … */
	char reply[REPLY_MAX]; /* … and what has been said so far */
	size_t reply_len;
	struct mono asked;
};

/* `tandem resign`, until everything has been handed over. */
struct resignation {
	uint64_t ticket; /* 0 = none */
	struct mono until;
};

struct guardian {
	const struct guardian_setup *setup;
	struct loop loop;
	struct rundir rundir;
	struct generation *current; /* its worker holds the token, or will when it is ready */
	struct list former;         /* generations whose workers have not ended yet */
	struct deferred bury;       /* … and those that have */
	struct reload reload;
	struct control command;
	struct resignation resignation;
	int journal_fd; /* for every worker to come */
	struct systemd systemd;
	struct state_dump dump;
	struct loop_fd signals;
	struct timer tick, restart, deadline;
	struct timer probation; /* armed while the present worker is on it */
	struct mono woken;      /* the turn before this one */
	bool started;           /* a worker has said READY before */
	bool failed;            /* the first worker ended before it was ready */
	bool stopping;          /* SIGTERM came … */
	struct mono asked;      /* … at this moment */
};

/* guardian.c: generation_ops, `ctx` is the guardian. */
extern const struct generation_ops guardian_ops;

/* guardian.c: there is nothing more to be told, the loop may end (notifier's `idle`). */
void guardian_on_told(void *ctx);

/* guardian.c: the worker of the present generation is to be trusted from now on. */
void guardian_end_probation(struct guardian *g);

/* reload.c */
void reload_init(struct guardian *g);
void reload_fini(struct guardian *g);
/* `ticket` as in control.h, 0 = nobody waits. */
void reload_ask(struct guardian *g, uint64_t ticket);
/* Something has happened that may concern a reload; `why` may be NULL. */
void reload_event(struct guardian *g, enum succession_event event, const char *why);
/* A worker has let go of an instance. */
void reload_look_for_rest(struct guardian *g);
/* Tells a worker that has the token, or is about to, what only the guardian remembers. */
void reload_tell_rest(struct guardian *g);
/* The generation's worker is no more: it is freed when its scripts have ended, too. */
void reload_bury(struct guardian *g, struct generation *generation);

/* guardian_command.c */
int command_init(struct guardian *g);
/* On every tick, and when something was let go of. */
void command_look(struct guardian *g);
/* An answer of the command socket: the exit status of the client, and a text for its stderr. */
void command_reply(struct guardian *g, uint64_t ticket, int status, const char *text);
