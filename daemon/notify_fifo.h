/*
 * notify_fifo.h - a FIFO that is told of every change, one line each, and the program that is kept
 * running to read it.  keepalived.conf(5), notify_fifo.
 *
 * The pipe itself is the queue (64 KiB, some 2,000 lines): what does not fit because nobody reads is
 * dropped and counted.
 */
#pragma once

#include "daemon/backoff.h"
#include "daemon/script.h"

struct estate;

struct notify_fifo {
	struct loop *loop;
	const struct conf_fifo *conf;
	int fd;       /* -1 = none */
	bool created; /* by us: removed at the end */
	uint64_t dropped;
	struct script_program program;
	struct script_run run;
	struct timer restart, drain;
	struct mono drain_until;
	struct backoff backoff;
	void (*ended)(void *ctx); /* the reader has ended after notify_fifo_close */
	void *ctx;
};

/*
 * Makes the FIFO if it is not there, and starts its reader.  Both are `owner`'s (NULL: it is not
 * known) unless they name another; `strict` as in script_program_permitted.  What is wrong is
 * logged, and the FIFO then is without effect.
 */
void notify_fifo_init(struct notify_fifo *fifo, struct loop *loop, const struct conf_fifo *conf,
		      const struct script_owner *owner, bool strict, void (*ended)(void *ctx),
		      void *ctx);
void notify_fifo_fini(struct notify_fifo *fifo);

/* Never waits. */
void notify_fifo_write(struct notify_fifo *fifo, const char *line);

/* Nothing more will be written: our reader has limit_ms to read what is there and find the end. */
void notify_fifo_close(struct notify_fifo *fifo, int64_t limit_ms);

/* Both ways (estate.h).  Read, notify_fifo_resume makes it go on, as notify_fifo_init would have begun. */
void notify_fifo_estate(struct notify_fifo *fifo, struct loop *loop, const struct conf_fifo *conf,
			struct estate *e);
int notify_fifo_resume(struct notify_fifo *fifo, const struct script_owner *owner, bool strict,
		       void (*ended)(void *ctx), void *ctx);
