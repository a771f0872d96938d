/*
 * conn.h - one side of a session: a socket and what is known of it.
 *
 * A conn is registered edge-triggered for both directions once.  The flags say what the socket can
 * do until it has said otherwise: CAN_READ falls when a read comes back short, CAN_WRITE when a
 * write does.  Reading and writing go through `ops`, so that TLS can stand between without the
 * relay knowing.
 */
#pragma once

#include "common/loop.h"

#include <sys/types.h>

enum {
	CONN_CAN_READ = 1,
	CONN_CAN_WRITE = 2,
	CONN_PEER_FIN = 4, /* the kernel has the peer's FIN: what is queued now is all there is */
	CONN_CAREFUL = 8,  /* a short read does not prove the socket empty */
	CONN_EOF = 16,     /* all has been read */
	CONN_SHUT = 32,    /* FIN has been sent */
	CONN_WROTE = 64,
	CONN_NODELAY = 128, /* TCP_NODELAY is set, or has no meaning */
	CONN_RAW_EOF = 256, /* a layer has read the socket's end, but maybe not handed out all */
	CONN_LAST = 512,    /* a layer writes what a FIN follows */
	CONN_URGENT = 1024, /* has had urgent data: splice does not get past that */
};

struct conn;

struct conn_ops {
	/* > 0: bytes; 0: nothing now (see CONN_EOF); < 0: -errno. */
	ssize_t (*read)(struct conn *c, void *data, size_t len);
	/* Bytes taken, maybe 0; or -errno.  `last`: a FIN follows, let it ride on this segment. */
	ssize_t (*write)(struct conn *c, const void *data, size_t len, bool last);
	bool can_splice; /* bytes on the socket are bytes of the session */
	/* Of a layer above the socket: says its last word before the FIN, and frees `layer`. */
	void (*finish)(struct conn *c);
	void (*release)(struct conn *c);
};

struct conn {
	struct loop_fd lf;
	uint16_t flags;
	const struct conn_ops *ops;
	void *layer;        /* what `ops` keep; NULL = a plain socket */
	struct mono active; /* last byte in either direction */
};

#define CONN_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET)

extern const struct conn_ops conn_socket_ops;

static inline bool
conn_open(const struct conn *c)
{
	return c->lf.fd >= 0;
}

/* Takes over the socket `fd`; not yet registered with a loop. */
void conn_init(struct conn *c, int fd, loop_ready_fn *ready, int family);

/* Translates EPOLL* into flags. */
static inline void
conn_note_events(struct conn *c, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->flags |= CONN_CAN_READ;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		c->flags |= CONN_CAN_WRITE;
	if (events & (EPOLLRDHUP | EPOLLHUP))
		c->flags |= CONN_PEER_FIN;
	if (events & EPOLLPRI)
		c->flags |= CONN_URGENT;
	if (events & (EPOLLPRI | EPOLLERR))
		c->flags |= CONN_CAREFUL;
}

/* Before any write that is not a conn_write: Nagle's delay must not hit the second segment. */
void conn_prepare_write(struct conn *c);

/* Sends FIN. */
void conn_shutdown(struct conn *c);

/* The error a socket holds, cleared by asking; 0 = none. */
int conn_error(struct conn *c);

/* Throws away what has arrived: the kernel answers unread data with RST where FIN is meant. */
void conn_discard(struct conn *c);

/* What the kernel still has to say to the peer goes nowhere: `silent-drop`. */
void conn_vanish(struct conn *c);

/* Closes; `reset`: with RST instead of FIN, leaving no TIME_WAIT. */
void conn_close(struct conn *c, struct loop *loop, bool reset);
