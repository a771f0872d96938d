/*
 * control.h - a control socket: a client sends one line, gets one document, the connection ends.
 */
#pragma once

#include "common/loop.h"

#include <stddef.h>

#define CONTROL_CLIENTS_MAX 16
#define CONTROL_LINE_MAX    256
#define CONTROL_TIMEOUT_MS  5000 /* for the line and the whole answer */
#define CONTROL_PAUSE_MS    1000 /* not accepting, for want of descriptors */

struct control;

/*
 * Answers the line (without its end).  Returns allocated bytes, *len of them, which become the
 * control socket's; or NULL: the connection is closed without an answer; or CONTROL_LATER: the
 * answer follows by control_reply for the ticket that is control->ticket during the call.
 */
typedef char *control_answer_fn(void *ctx, const char *line, size_t *len);
extern char control_later[];
#define CONTROL_LATER control_later

struct control_client {
	struct control *control;
	struct loop_fd socket;
	struct timer deadline;
	char line[CONTROL_LINE_MAX];
	size_t line_len;
	uint64_t ticket; /* it waits for the answer to this question; 0 = it does not */
	char *answer;
	size_t answer_len, answer_sent;
};

struct control {
	struct loop *loop;
	int fd; /* of the listener, also while nobody accepts; -1 = closed */
	struct loop_fd listener;
	struct timer pause; /* armed: no descriptor was free, accepting again when it fires */
	control_answer_fn *answer;
	void *ctx;
	uint64_t ticket;          /* the question asked last */
	uint64_t served, refused; /* refused: too many at a time, a line too long, too slow */
	struct control_client clients[CONTROL_CLIENTS_MAX];
};

/* Serves `fd`, a listening stream socket, which becomes its own.  0, or -errno with `fd` still the
 * caller's. */
int control_init(struct control *control, struct loop *loop, int fd, control_answer_fn *answer,
		 void *ctx);

/* The answer that was to follow.  `text` becomes the control socket's; whoever asked may be gone. */
void control_reply(struct control *control, uint64_t ticket, char *text, size_t len);

/* The connection of whoever waits for the answer to `ticket`, or -1. */
int control_waiting(const struct control *control, uint64_t ticket);
/* Goes on with such a connection, which becomes its own.  The ticket from now on; 0 = it cannot. */
uint64_t control_resume(struct control *control, int fd);

/* Takes the listener out of the loop and closes it; clients that are there are served. */
void control_close(struct control *control);

/* Ceases to accept, and goes on: for a while in which somebody else may take the listener over. */
void control_freeze(struct control *control);
int control_thaw(struct control *control);

/* A zeroed control is fine. */
void control_fini(struct control *control);
