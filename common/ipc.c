/*
 * ipc.c - messages between guardian and worker.  A struct ipc belongs to the thread of its loop;
 * both processes use this file.
 *
 * A message on the wire is a header and a payload in one datagram, descriptors as SCM_RIGHTS beside
 * it.  Nothing that arrives is trusted: the worker may have been taken over by a client.  Whatever
 * does not fit its own header is dropped with its descriptors, and a peer that floods gets a
 * bounded share of each turn.
 */
#include "common/ipc.h"

#include "common/list.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define IPC_TURN_MAX  64    /* messages handled in one turn; epoll reports the rest again */
#define IPC_DRAIN_MAX 65536 /* far above what a socket's queue can hold */
#define IPC_RETRY_MS  10

struct ipc_header {
	uint32_t type;
	uint32_t len;
	uint32_t fds_n;
};

struct ipc_pending {
	struct ipc_pending *next;
	struct ipc_header header;
	int fds[IPC_FDS_MAX];
	unsigned char payload[];
};

union ipc_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
};

static void
close_fds(int *fds, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int
ipc_pair(int fds[2])
{
	int r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);

	return r < 0 ? -errno : 0;
}

/* ---- sending ---- */

static int
transmit(int fd, const struct ipc_header *header, const void *payload, const int *fds)
{
	struct iovec iov[2] = {
		{ .iov_base = (void *)(uintptr_t)header, .iov_len = sizeof *header },
		{ .iov_base = (void *)(uintptr_t)payload, .iov_len = header->len },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = header->len ? 2 : 1 };
	union ipc_control control;

	if (header->fds_n) {
		size_t size = header->fds_n * sizeof *fds;
		struct cmsghdr *cmsg;

		memset(&control, 0, sizeof control);
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(size);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(cmsg), fds, size);
	}
	while (sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* The message may go later.  ETOOMANYREFS: too many descriptors of this user are under way. */
static bool
is_transient(int r)
{
	return r == -EAGAIN || r == -ENOBUFS || r == -ENOMEM || r == -ETOOMANYREFS;
}

static bool
is_gone(int r)
{
	return r == -EPIPE || r == -ECONNRESET || r == -ENOTCONN || r == -ECONNREFUSED;
}

/* What epoll and the timer have to watch so that the queue moves on, given why it does not. */
static void
watch_output(struct ipc *ipc, int reason)
{
	bool full = ipc->first && reason == -EAGAIN;

	/* A socket that is short of memory but not full polls writable: asking epoll would be a
	 * spin, at the guardian's real-time priority. */
	if (ipc->first && !full)
		timer_arm(&ipc->loop->timers, &ipc->retry,
			  mono_add_ms(ipc->loop->now, IPC_RETRY_MS));
	else
		timer_disarm(&ipc->loop->timers, &ipc->retry);
	if (loop_modify(ipc->loop, &ipc->socket, EPOLLIN | (full ? EPOLLOUT : 0)) < 0)
		log_error("ipc: epoll: %m");
}

static void
drop_first(struct ipc *ipc)
{
	struct ipc_pending *p = ipc->first;

	ipc->first = p->next;
	if (!ipc->first)
		ipc->last = &ipc->first;
	ipc->pending_n--;
	close_fds(p->fds, p->header.fds_n);
	free(p);
}

static void
flush(struct ipc *ipc)
{
	int r = 0;

	while (ipc->first) {
		struct ipc_pending *p = ipc->first;

		r = transmit(ipc->socket.fd, &p->header, p->payload, p->fds);
		if (is_transient(r))
			break;
		if (r < 0 && !is_gone(r))
			log_error("ipc: message %u lost: %s", p->header.type, strerror(-r));
		/* If the peer is gone each one fails; reading then finds the end. */
		drop_first(ipc);
	}
	watch_output(ipc, r);
}

static void
on_retry(struct timer *t, struct mono now)
{
	flush(CONTAINER_OF(t, struct ipc, retry));
}

static int
enqueue(struct ipc *ipc, const struct ipc_header *header, const void *payload, const int *fds)
{
	struct ipc_pending *p;

	if (ipc->pending_n >= IPC_PENDING_MAX) {
		/* It has not read for a very long time.  The loop will see the end of it. */
		log_error("ipc: peer does not read, %u messages waiting: closing", ipc->pending_n);
		shutdown(ipc->socket.fd, SHUT_RDWR);
		return -EPIPE;
	}
	p = malloc(sizeof *p + header->len);
	if (!p)
		return -ENOMEM;
	p->next = NULL;
	p->header = *header;
	if (header->len)
		memcpy(p->payload, payload, header->len);
	for (uint32_t i = 0; i < header->fds_n; i++) {
		p->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (p->fds[i] < 0) {
			int r = -errno;

			close_fds(p->fds, i);
			free(p);
			return r;
		}
	}
	*ipc->last = p;
	ipc->last = &p->next;
	ipc->pending_n++;
	return 0;
}

int
ipc_send(struct ipc *ipc, uint32_t type, const void *payload, size_t len, const int *fds,
	 size_t fds_n)
{
	struct ipc_header header = { type, (uint32_t)len, (uint32_t)fds_n };
	int r;

	if (ipc->socket.fd < 0)
		return -EPIPE;
	if (len > IPC_PAYLOAD_MAX || fds_n > IPC_FDS_MAX)
		return -EMSGSIZE;
	if (ipc->first) /* behind the others */
		return enqueue(ipc, &header, payload, fds);

	r = transmit(ipc->socket.fd, &header, payload, fds);
	if (is_transient(r)) {
		int reason = r;

		r = enqueue(ipc, &header, payload, fds);
		if (r == 0)
			watch_output(ipc, reason);
	}
	return is_gone(r) ? -EPIPE : r;
}

/* ---- receiving ---- */

/* Stores the descriptors of `msg` in m; those beyond the limit are closed. */
static void
collect_fds(struct msghdr *msg, struct ipc_message *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (m->fds_n < IPC_FDS_MAX)
				m->fds[m->fds_n++] = fd;
			else
				close(fd);
		}
	}
}

/* Why a datagram is refused, or NULL. */
static const char *
refuse_reason(const struct msghdr *msg, size_t size, const struct ipc_header *header,
	      const struct ipc_message *m)
{
	if (msg->msg_flags & MSG_TRUNC)
		return "too long";
	if (size < sizeof *header)
		return "too short";
	if (header->len != size - sizeof *header)
		return "wrong length";
	if (msg->msg_flags & MSG_CTRUNC) /* also when our own descriptor table is full */
		return "descriptors lost";
	if (header->fds_n != m->fds_n)
		return "wrong number of descriptors";
	return NULL;
}

/* A datagram of no bytes reads like the end.  It is the end if the peer has hung up and nothing is
 * queued; nothing can arrive after that. */
static bool
is_end(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLRDHUP };
	int queued = 0;

	if (poll(&pfd, 1, 0) < 1 || !(pfd.revents & (POLLRDHUP | POLLHUP)))
		return false;
	return ioctl(fd, FIONREAD, &queued) < 0 || queued == 0;
}

enum received {
	RECEIVED_NOTHING,
	RECEIVED_BAD, /* dropped, or an error that has passed: read on */
	RECEIVED_MESSAGE,
	RECEIVED_END,
};

static enum received
receive(int fd, struct ipc_message *m)
{
	struct ipc_header header;
	union ipc_control control;
	struct iovec iov[2] = {
		{ .iov_base = &header, .iov_len = sizeof header },
		{ .iov_base = m->payload, .iov_len = sizeof m->payload },
	};
	struct msghdr msg = {
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const char *reason;

	if (n < 0) {
		switch (errno) {
		case EAGAIN:
		case ENOMEM:
		case ENOBUFS:
			return RECEIVED_NOTHING;
		case EINTR:
		/* The peer closed with messages of ours unread.  Its last ones are still to be
		 * read: the error is reported once and stands before them. */
		case ECONNRESET:
			return RECEIVED_BAD;
		}
		log_error("ipc: receive: %m");
		return RECEIVED_END;
	}

	m->fds_n = 0;
	collect_fds(&msg, m);
	if (n == 0 && m->fds_n == 0 && is_end(fd))
		return RECEIVED_END;
	reason = refuse_reason(&msg, (size_t)n, &header, m);
	if (reason) {
		log_warning("ipc: dropped a message of %zd bytes: %s", n, reason);
		close_fds(m->fds, m->fds_n);
		return RECEIVED_BAD;
	}
	m->type = header.type;
	m->len = header.len;
	return RECEIVED_MESSAGE;
}

/* Takes the socket out of the loop and frees what is queued.
 * Not loop_close: a child that was forked and has not exec'ed yet shares the socket, and epoll would
 * go on reporting it into memory that is gone. */
static void
shut(struct ipc *ipc)
{
	int fd = loop_remove(ipc->loop, &ipc->socket);

	if (fd >= 0)
		close(fd);
	timer_disarm(&ipc->loop->timers, &ipc->retry);
	while (ipc->first)
		drop_first(ipc);
}

static void
read_messages(struct ipc *ipc, unsigned max)
{
	struct ipc_message m;

	/* The handler may have called ipc_fini: look before each. */
	while (max-- && ipc->socket.fd >= 0) {
		switch (receive(ipc->socket.fd, &m)) {
		case RECEIVED_NOTHING:
			return;
		case RECEIVED_BAD:
			break;
		case RECEIVED_MESSAGE: {
			/* The handler owns the struct for the call; our count does not depend on
			 * what it leaves in there. */
			uint32_t fds_n = m.fds_n;

			ipc->on_message(ipc, &m);
			close_fds(m.fds, fds_n);
			break;
		}
		case RECEIVED_END:
			shut(ipc);
			if (ipc->on_closed)
				ipc->on_closed(ipc);
			return;
		}
	}
}

static void
on_socket(struct loop_fd *lf, uint32_t events)
{
	struct ipc *ipc = CONTAINER_OF(lf, struct ipc, socket);

	if (events & EPOLLOUT)
		flush(ipc);
	if (events & ~(uint32_t)EPOLLOUT)
		read_messages(ipc, IPC_TURN_MAX);
}

/* ---- life ---- */

int
ipc_init(struct ipc *ipc, struct loop *loop, int fd, ipc_message_fn *on_message,
	 ipc_closed_fn *on_closed, void *ctx)
{
	int r;

	*ipc = (struct ipc){
		.loop = loop,
		.socket = { .fd = fd, .ready = on_socket },
		.on_message = on_message,
		.on_closed = on_closed,
		.ctx = ctx,
		.retry = { .fire = on_retry },
	};
	ipc->last = &ipc->first;
	r = loop_add(loop, &ipc->socket, EPOLLIN);
	if (r < 0)
		ipc->socket.fd = -1;
	return r;
}

void
ipc_fini(struct ipc *ipc)
{
	if (ipc->loop)
		shut(ipc);
}

void
ipc_drain(struct ipc *ipc)
{
	read_messages(ipc, IPC_DRAIN_MAX);
}
