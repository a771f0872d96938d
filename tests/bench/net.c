/*
 * net.c - sockets of the bench tools.  See net.h.
 */
#include "tests/bench/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void
net_fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

struct sockaddr_in
net_address(const char *text)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN];
	unsigned long port;
	char *end;

	errno = EINVAL;
	if (!colon || (size_t)(colon - text) >= sizeof host)
		net_fail(text);
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	port = strtoul(colon + 1, &end, 10);
	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1 || *end || port == 0 || port > UINT16_MAX)
		net_fail(text);
	if (ntohl(sin.sin_addr.s_addr) >> IN_CLASSA_NSHIFT != IN_LOOPBACKNET)
		net_fail(text);
	sin.sin_port = htons((uint16_t)port);
	return sin;
}

int
net_listen(const char *text)
{
	struct sockaddr_in sin = net_address(text);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof sin) < 0 || listen(fd, INT32_MAX) < 0)
		net_fail(text);
	return fd;
}

int
net_connect(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0 && errno != EINPROGRESS) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

void
net_raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		net_fail("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		net_fail("setrlimit");
}

void
net_die_with_parent(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		net_fail("prctl");
}

int
net_epoll(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		net_fail("epoll_create1");
	return fd;
}

void
net_watch(int epoll_fd, int fd, uint32_t events, void *owner)
{
	struct epoll_event event = { .events = events, .data.ptr = owner };

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		net_fail("epoll_ctl");
}

uint64_t
net_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}
