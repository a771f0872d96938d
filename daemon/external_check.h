/*
 * external_check.h - the programs of `option external-check`: run for the worker, which says when.
 *
 * A program gets HAProxy's words and environment and nothing else of the guardian's, and the rights of
 * the worker's user.  It is ended with its group when its time is over (script.h).  What it is and how
 * long it may take are the configuration's; the worker only names a server.
 */
#pragma once

#include "daemon/requests.h"
#include "daemon/script.h"

/* Called at the end of a program, or when its time is over; not for both. */
typedef void external_tell_fn(void *ctx, const struct ans_external *end);

struct external_check;

struct external_checks {
	struct loop *loop;
	const struct conf *conf;
	external_tell_fn *tell;
	void *ctx;
	struct external_check *at; /* one for each such server, in the file's order */
	size_t n;
};

/* A program that cannot be run is logged, and all of its checks fail.  0 or -ENOMEM. */
int external_checks_init(struct external_checks *checks, struct loop *loop, const struct conf *conf,
			 external_tell_fn *tell, void *ctx);

/* Both ways (estate.h).  Read, they are good for external_checks_repeat and external_checks_fini. */
void external_checks_estate(struct external_checks *checks, struct loop *loop,
			    const struct conf *conf, struct estate *e);

/* What runs for the same configuration in `from`, and has not been told of, is run for these. */
void external_checks_repeat(struct external_checks *checks, const struct external_checks *from);

/* Ends what runs. */
void external_checks_fini(struct external_checks *checks);

/* Runs the server's program, or again when it has ended. */
void external_checks_run(struct external_checks *checks, const struct req_external *wanted);
