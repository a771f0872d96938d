/*
 * guardian_state.h - the guardian's own state; private to guardian*.c, reload.c and
 * upgrade*.c.
 */
#pragma once

#include "common/list.h"
#include "daemon/control.h"
#include "daemon/estate.h"
#include "daemon/generation.h"
#include "daemon/guardian.h"
#include "daemon/loader.h"
#include "daemon/rundir.h"
#include "daemon/state_dump.h"
#include "daemon/succession.h"
#include "daemon/systemd.h"

#include <limits.h>

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

enum upgrade_stage {
	UPGRADE_NONE,
	UPGRADE_TRYING,    /* the other binary runs as a child */
	UPGRADE_LEAVING,   /* … and can take over, as soon as nothing is under way */
	UPGRADE_ARRIVED,   /* we are the other, and our worker gets ready */
	UPGRADE_RETURNING, /* … and it did not */
};

struct upgrade {
	enum upgrade_stage stage;
	char path[PATH_MAX]; /* what is executed; empty = not known */
	int binary_fd; /* the open file of what is to be executed next, or of the former; -1 = none */
	struct loader trial;
	uint64_t nonce; /* its answer */
	struct timer deadline;
	bool leap;       /* when the loop has stopped */
	uint64_t ticket; /* who waits for the end of it, 0 = nobody */
	char *reason;    /* returning: why */
	struct mono asked;
};

/* What is in an estate and in no struct of ours. */
struct upgrade_luggage {
	int pid;
	uint64_t nonce;
	int log_fd;    /* log.c's */
	int client_fd; /* of who waits for the end */
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
	struct upgrade upgrade;
	struct control command;
	struct resignation resignation;
	int journal_fd; /* for every worker to come */
	struct systemd systemd;
	struct state_dump dump;
	struct loop_fd signals;
	struct timer tick, restart, deadline;
	struct timer probation; /* armed while the present worker is on it */
	char last_end[96];      /* how the last worker ended that was not to */
	struct mono woken;      /* the turn before this one */
	bool started;           /* a worker has said READY before */
	bool failed;            /* the first worker ended before it was ready */
	bool stopping;          /* SIGTERM came … */
	struct mono asked;      /* … at this moment */
};

/* guardian.c: generation_ops, `ctx` is the guardian. */
extern const struct generation_ops guardian_ops;

/* guardian.c: 0 or -errno, logged. */
int guardian_catch_signals(struct guardian *g);

/* guardian.c: there is nothing more to be told, the loop may end (notifier's `idle`). */
void guardian_on_told(void *ctx);

/* guardian.c: the worker of the present generation is to be trusted from now on. */
void guardian_end_probation(struct guardian *g);

/* reload.c */
void reload_init(struct guardian *g);
void reload_fini(struct guardian *g);
/* `ticket` as in control.h, 0 = nobody waits. */
void reload_ask(struct guardian *g, uint64_t ticket);
/* Begins at once, for an upgrade (upgrade_reloaded). */
void reload_begin(struct guardian *g);
/* Something has happened that may concern a reload; `why` may be NULL. */
void reload_event(struct guardian *g, enum succession_event event, const char *why);
/* A worker has let go of an instance. */
void reload_look_for_rest(struct guardian *g);
/* Tells a worker that has the token, or is about to, what only the guardian remembers. */
void reload_tell_rest(struct guardian *g);
/* The generation's worker is no more: it is freed when its scripts have ended, too. */
void reload_bury(struct guardian *g, struct generation *generation);

/* upgrade.c */
void upgrade_init(struct guardian *g);
void upgrade_fini(struct guardian *g);
void upgrade_ask(struct guardian *g, uint64_t ticket);
/* On every tick. */
void upgrade_look(struct guardian *g);
/* The daemon stops. */
void upgrade_stop(struct guardian *g);
/* Executes the other binary; returns only if that cannot be done, and then everything goes on. */
void upgrade_leap(struct guardian *g);
/* The reload of the other binary has ended; `text` is what was said. */
void upgrade_reloaded(struct guardian *g, bool done, const char *text);
/* The former binary is back, because of `reason`. */
void upgrade_returned(struct guardian *g, const char *reason);
/* execve; -errno.  The reason may be NULL; estate_fd and former_fd must not be close-on-exec. */
int upgrade_execute(int binary_fd, int estate_fd, int former_fd, const char *reason,
		    const char *const *argv);

/* upgrade_estate.c: all of it, both ways; g->current and the list g->former are there. */
void upgrade_estate(struct guardian *g, struct upgrade_luggage *luggage, struct estate *e);
uint64_t upgrade_fingerprint(void);

/* upgrade_resume.c: begins from an estate.  NULL, or why not: then nothing has been changed. */
struct upgrade_estate;
const char *upgrade_resume(struct guardian *g, const struct upgrade_estate *estate);

/* guardian_command.c */
int command_init(struct guardian *g);
/* On every tick, and when something was let go of. */
void command_look(struct guardian *g);
/* An answer of the command socket: the exit status of the client, and a text for its stderr. */
void command_reply(struct guardian *g, uint64_t ticket, int status, const char *text);
