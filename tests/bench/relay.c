/*
 * relay.c - the floor: the least a TCP proxy can do.
 *
 *	relay LISTEN TARGET
 *
 * One thread, one edge-triggered epoll loop; no timeouts, log, checks, counters or choice of server.
 * What a real proxy costs more than this is the price of what it does more.  Data that does not fit
 * into the receiver waits in memory of its own, so long transfers and half-closed connections work.
 */
#include "tests/bench/net.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct session;

/* One side.  `can_read`, `can_write`: until the socket says otherwise. */
struct side {
	int fd;
	bool can_read, can_write;
	bool fin;   /* the kernel has the peer's FIN */
	bool eof;   /* and all before it has been read */
	bool shut;  /* our FIN has been sent */
	char *held; /* on its way to this side */
	size_t held_len;
	struct session *session;
};

struct session {
	struct side side[2]; /* client, server */
	struct session *next_dead;
	bool dead;
};

static char buffer[64 << 10];
static struct session *dead;

static void
end(struct session *s)
{
	if (s->dead)
		return;
	s->dead = true;
	close(s->side[0].fd);
	close(s->side[1].fd);
	s->next_dead = dead;
	dead = s;
}

/* Events of the same batch may still point at a session: it is freed after the batch. */
static void
bury(void)
{
	while (dead) {
		struct session *s = dead;

		dead = s->next_dead;
		free(s->side[0].held);
		free(s->side[1].held);
		free(s);
	}
}

static bool
give(struct side *to, const char *data, size_t len)
{
	ssize_t n = send(to->fd, data, len, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		return false;
	if (n < 0)
		n = 0;
	if ((size_t)n == len)
		return true;
	to->can_write = false;
	to->held = malloc(len - (size_t)n);
	if (!to->held)
		net_fail("malloc");
	to->held_len = len - (size_t)n;
	memcpy(to->held, data + n, to->held_len);
	return true;
}

static bool
give_held(struct side *to)
{
	char *data = to->held;
	bool ok;

	to->held = NULL;
	ok = give(to, data, to->held_len);
	free(data);
	return ok;
}

/* false: the session is over. */
static bool
pump(struct side *from, struct side *to)
{
	if (to->held && to->can_write && !give_held(to))
		return false;
	while (from->can_read && to->can_write && !from->eof) {
		ssize_t n = recv(from->fd, buffer, sizeof buffer, 0);

		if (n < 0 && errno != EAGAIN)
			return false;
		if (n == 0)
			from->eof = true;
		else if (n < (ssize_t)sizeof buffer && !from->fin)
			from->can_read = false;
		if (n > 0 && !give(to, buffer, (size_t)n))
			return false;
	}
	if (from->eof && to->eof && !to->held && !from->held)
		return false;
	if (from->eof && !to->held && !to->shut) {
		to->shut = true;
		shutdown(to->fd, SHUT_WR);
	}
	return true;
}

static void
on_event(struct side *side, uint32_t events)
{
	struct session *s = side->session;
	struct side *other = &s->side[side == &s->side[0]];

	if (s->dead)
		return;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		side->can_read = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		side->can_write = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		side->fin = true;
	if (!pump(side, other) || !pump(other, side))
		end(s);
}

static void
accept_all(int listen_fd, int epoll_fd, const struct sockaddr_in *target)
{
	for (;;) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct session *s;

		if (fd < 0)
			return;
		s = calloc(1, sizeof *s);
		if (!s)
			net_fail("calloc");
		s->side[0] = (struct side){ .fd = fd, .can_write = true, .session = s };
		s->side[1] = (struct side){ .fd = net_connect(target), .session = s };
		if (s->side[1].fd < 0) {
			close(fd);
			free(s);
			continue;
		}
		for (int i = 0; i < 2; i++)
			net_watch(epoll_fd, s->side[i].fd,
				  EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &s->side[i]);
	}
}

int
main(int argc, char **argv)
{
	struct epoll_event events[NET_EVENTS_N];
	struct sockaddr_in target;
	int listen_fd, epoll_fd;

	errno = EINVAL;
	if (argc != 3)
		net_fail("usage: relay LISTEN TARGET");
	net_die_with_parent();
	net_raise_file_limit();
	target = net_address(argv[2]);
	listen_fd = net_listen(argv[1]);
	epoll_fd = net_epoll();
	net_watch(epoll_fd, listen_fd, EPOLLIN, NULL);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, NET_EVENTS_N, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				on_event(events[i].data.ptr, events[i].events);
			else
				accept_all(listen_fd, epoll_fd, &target);
		}
		bury();
	}
}
