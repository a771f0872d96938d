/*
 * loader.h - reading the configuration anew, in a child: a file that is slow, or one that brings the
 * parser down, is then the child's trouble.
 *
 * The guardian executes the binary again as
 *
 *     tandem --load ARGUMENTS
 *
 * with the arguments it was started with itself.  What the child says, it says on stderr, which the
 * guardian keeps; what it loaded it leaves in two memfds.
 */
#pragma once

#include "common/loop.h"
#include "daemon/options.h"

#include <stddef.h>
#include <sys/types.h>

#define LOADER_TEXT_MAX 65536

struct loader_job {
	const char *executable;  /* a path that works in the child */
	const char *word;        /* "--load" */
	const char *const *args; /* NULL-terminated */
	int state_fd;            /* for LOADER_FD_STATE; -1 = it has none */
};

/* Descriptors the child finds open. */
enum {
	LOADER_FD_CONF = 3,  /* memfd: conf_pack's block */
	LOADER_FD_TLS = 4,   /* memfd: tls_files_pack's block; stays empty without TLS */
	LOADER_FD_STATE = 5, /* what else it is to look at */
};

struct loader {
	struct loop *loop;
	pid_t pid; /* 0 = not running */
	struct loop_fd process;
	struct loop_fd text_event;
	int text_fd; /* the read end of its stderr */
	int conf_fd, tls_fd;
	char text[LOADER_TEXT_MAX]; /* what it said; NUL-terminated */
	size_t text_len;
	void (*done)(void *ctx, bool loaded);
	void *ctx;
};

void loader_init(struct loader *loader, struct loop *loop, void (*done)(void *ctx, bool loaded),
		 void *ctx);

/* Ends what runs.  A zeroed loader is fine. */
void loader_fini(struct loader *loader);

/* Starts the child; `done` follows, not from within.  0 or -errno. */
int loader_start(struct loader *loader, const struct loader_job *job);

/* Ends the child, without `done`. */
void loader_abort(struct loader *loader);

/* After `done`: the blocks, from malloc, the caller's to free (and to wipe).  *tls is NULL without
 * TLS.  0 or -errno. */
int loader_take(struct loader *loader, void **conf, size_t *conf_len, void **tls, size_t *tls_len);

/* In the child: loads what the options name.  The exit status. */
int loader_main(const struct options *options);
/* The same without handing anything over.  0 or -errno, said on stderr. */
int loader_check(const struct options *options);
