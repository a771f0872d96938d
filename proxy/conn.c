/*
 * conn.c - one side of a session over a plain socket.  Run by the session's thread.
 */
#include "proxy/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * recv and send are cancellation points, for which glibc does atomic operations around each call as
 * soon as a process has threads: a twentieth of a small request.  Nobody cancels proxy threads.
 */
static ssize_t
receive(int fd, void *data, size_t len)
{
	return syscall(SYS_recvfrom, fd, data, len, 0, NULL, NULL);
}

static ssize_t
transmit(int fd, const void *data, size_t len, int flags)
{
	return syscall(SYS_sendto, fd, data, len, flags, NULL, 0);
}

void
conn_init(struct conn *c, int fd, loop_ready_fn *ready, int family)
{
	*c = (struct conn){ .lf = { .fd = fd, .ready = ready }, .ops = &conn_socket_ops };
	/* A unix socket ends a read early where descriptors or credentials were attached. */
	if (family == AF_UNIX)
		c->flags = CONN_CAREFUL | CONN_NODELAY;
}

static ssize_t
socket_read(struct conn *c, void *data, size_t len)
{
	ssize_t n;

	do
		n = receive(c->lf.fd, data, len);
	while (n < 0 && errno == EINTR);

	if (n > 0) {
		/*
		 * A short read has emptied the socket: the next byte is a new edge.  With the FIN
		 * in the kernel there is no next byte, and asking again would only return 0.
		 */
		if ((size_t)n < len && !(c->flags & CONN_CAREFUL)) {
			c->flags &= ~CONN_CAN_READ;
			if (c->flags & CONN_PEER_FIN)
				c->flags |= CONN_EOF;
		}
		return n;
	}
	c->flags &= ~CONN_CAN_READ;
	if (n == 0)
		c->flags |= CONN_EOF;
	else if (errno != EAGAIN)
		return -errno;
	return 0;
}

void
conn_prepare_write(struct conn *c)
{
	int one = 1;

	/* The first write of a connection is never delayed, and many connections have one only. */
	if ((c->flags & (CONN_WROTE | CONN_NODELAY)) == CONN_WROTE) {
		setsockopt(c->lf.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		c->flags |= CONN_NODELAY;
	}
	c->flags |= CONN_WROTE;
}

static ssize_t
socket_write(struct conn *c, const void *data, size_t len, bool last)
{
	ssize_t n;

	conn_prepare_write(c);
	do
		n = transmit(c->lf.fd, data, len, MSG_NOSIGNAL | (last ? MSG_MORE : 0));
	while (n < 0 && errno == EINTR);

	if (n == (ssize_t)len)
		return n;
	c->flags &= ~CONN_CAN_WRITE;
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n;
}

const struct conn_ops conn_socket_ops = {
	.read = socket_read,
	.write = socket_write,
	.can_splice = true,
};

void
conn_shutdown(struct conn *c)
{
	if (c->layer)
		c->ops->finish(c);
	c->flags |= CONN_SHUT;
	shutdown(c->lf.fd, SHUT_WR);
}

int
conn_error(struct conn *c)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(c->lf.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error;
}

void
conn_discard(struct conn *c)
{
	char trash[16 << 10];

	/* One call: who sends without end gets his RST. */
	if (conn_open(c) && recv(c->lf.fd, trash, sizeof trash, MSG_DONTWAIT) < 0)
		return;
}

void
conn_vanish(struct conn *c)
{
	static const char loopback[] = "lo";
	int ttl = 1;

	if (!conn_open(c))
		return;
	/* By a device that leads nowhere; where that is not to be had, to the next router only. */
	setsockopt(c->lf.fd, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
	setsockopt(c->lf.fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof ttl);
	setsockopt(c->lf.fd, SOL_SOCKET, SO_BINDTODEVICE, loopback, sizeof loopback);
}

void
conn_close(struct conn *c, struct loop *loop, bool reset)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	if (c->layer)
		c->ops->release(c);
	if (!conn_open(c))
		return;
	if (reset)
		setsockopt(c->lf.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	loop_close(loop, &c->lf);
}
