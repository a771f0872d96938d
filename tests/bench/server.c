/*
 * server.c - the web server behind the proxies under test.
 *
 *	server LISTEN...
 *
 * One thread, one edge-triggered epoll loop.  Understands as much HTTP/1.1 as load.c speaks: every
 * request gets one small response, "GET /bulk?BYTES" that many bytes; the connection stays open
 * unless the request says "Connection: close".  Listens on several addresses, so that each proxy has
 * a server address, and with it a range of port numbers, of its own.
 */
#include "tests/bench/net.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char small[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
static const char bulk_path[] = "GET /bulk?";

struct client {
	int fd;
	bool listens; /* a listening socket: nothing but fd has a meaning */
	bool closes;  /* after this response */
	bool fin;     /* the client has sent its last byte */
	uint64_t bulk_left;
	size_t len;
	char request[512];
};

static char bulk[256 << 10];

/* false: the connection is over. */
static bool
send_bulk(struct client *c)
{
	while (c->bulk_left > 0) {
		size_t len = c->bulk_left < sizeof bulk ? c->bulk_left : sizeof bulk;
		ssize_t n = send(c->fd, bulk, len, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN;
		c->bulk_left -= (uint64_t)n;
	}
	return !c->closes;
}

static bool
answer(struct client *c)
{
	char head[96];
	int len;

	c->closes = strstr(c->request, "\r\nConnection: close\r\n") != NULL;
	if (strncmp(c->request, bulk_path, sizeof bulk_path - 1) != 0) {
		/* Never blocks: a client sends its next request after this response. */
		if (send(c->fd, small, sizeof small - 1, MSG_NOSIGNAL) != sizeof small - 1)
			return false;
		return !c->closes;
	}
	c->bulk_left = strtoull(c->request + sizeof bulk_path - 1, NULL, 10);
	len = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n",
		       (unsigned long long)c->bulk_left);
	if (send(c->fd, head, (size_t)len, MSG_NOSIGNAL | MSG_MORE) != len)
		return false;
	return send_bulk(c);
}

static bool
serve(struct client *c)
{
	while (c->bulk_left == 0) {
		size_t room = sizeof c->request - 1 - c->len;
		ssize_t n = recv(c->fd, c->request + c->len, room, 0);
		char *blank;

		if (n < 0)
			return errno == EAGAIN;
		if (n == 0)
			return false;
		c->len += (size_t)n;
		c->request[c->len] = '\0';
		blank = strstr(c->request, "\r\n\r\n");
		if (!blank && (size_t)n == room)
			return false;
		if (blank) {
			c->len = 0;
			if (!answer(c))
				return false;
		}
		if ((size_t)n < room && !c->fin)
			return true;
	}
	return send_bulk(c);
}

static void
accept_all(int listen_fd, int epoll_fd)
{
	for (;;) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct client *c;

		if (fd < 0)
			return;
		c = calloc(1, sizeof *c);
		if (!c)
			net_fail("calloc");
		c->fd = fd;
		net_watch(epoll_fd, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, c);
	}
}

int
main(int argc, char **argv)
{
	struct epoll_event events[NET_EVENTS_N];
	int epoll_fd;

	net_die_with_parent();
	net_raise_file_limit();
	memset(bulk, 'b', sizeof bulk); /* or all of it would be the kernel's one page of zeros */
	epoll_fd = net_epoll();
	for (int i = 1; i < argc; i++) {
		struct client *c = calloc(1, sizeof *c);

		if (!c)
			net_fail("calloc");
		c->fd = net_listen(argv[i]);
		c->listens = true;
		net_watch(epoll_fd, c->fd, EPOLLIN, c);
	}
	for (;;) {
		int n = epoll_wait(epoll_fd, events, NET_EVENTS_N, -1);

		for (int i = 0; i < n; i++) {
			struct client *c = events[i].data.ptr;

			if (c->listens) {
				accept_all(c->fd, epoll_fd);
				continue;
			}
			c->fin |= (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
			if (!serve(c)) {
				close(c->fd);
				free(c);
			}
		}
	}
}
