/*
 * load.c - the clients in front of the proxies under test.
 *
 *	load --to ADDRESS --mode keepalive|connect|bulk|idle [--clients N] [--requests N]
 *	     [--bytes N] [--client-closes] [--tls] [--resume] [--limit SECONDS]
 *
 * keepalive  N connections, each sends a small request when it has the response to the last one
 * connect    a new connection for every request, N at a time; the server closes it, or the client
 * bulk       N connections, each downloads `bytes`
 * idle       opens N connections, each does one request and is then left alone; when all are, the
 *            line of results is printed, and they are held until standard input ends
 *
 * One thread, one epoll loop.  The number of requests is fixed (default: one a client); one that fails
 * is counted, and the next begins on a new connection.  Prints one line of JSON; exit status 1 if anything failed or the
 * limit of time was reached.
 */
#include "tests/bench/net.h"
#include "tests/bench/tls.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IDLE_WINDOW 64 /* connections being opened at a time */

enum mode { MODE_KEEPALIVE, MODE_CONNECT, MODE_BULK, MODE_IDLE, MODE_N };

static const char *const mode_names[MODE_N] = {
	[MODE_KEEPALIVE] = "keepalive",
	[MODE_CONNECT] = "connect",
	[MODE_BULK] = "bulk",
	[MODE_IDLE] = "idle",
};

struct conn {
	int fd;
	struct ssl_st *ssl; /* NULL = plain */
	bool waits_out;     /* the request could not be sent yet */
	bool complete;      /* the response is; the server's FIN is to follow */
	bool idle;
	uint64_t body_left;
	size_t head_len;
	char head[256]; /* of the response, until it is complete */
};

static struct {
	enum mode mode;
	struct sockaddr_in to;
	uint64_t clients_n, requests_n, bytes;
	bool client_closes, tls, resume;
	uint64_t limit_s;
} option = { .clients_n = 64, .limit_s = 60 };

static struct {
	uint64_t started, finished, errors, bytes, idle, lost;
} count;

static struct conn *conns;
static char request[256];
static size_t request_len;
static char buffer[256 << 10];
static int epoll_fd;

static void
close_conn(struct conn *c)
{
	tls_close(c->ssl);
	c->ssl = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void
send_request(struct conn *c)
{
	ssize_t n = c->ssl ? tls_send(c->ssl, request, request_len)
			   : send(c->fd, request, request_len, MSG_NOSIGNAL);

	/* The handshake may not be over yet: the socket will say.  Other errors show on reading. */
	c->waits_out = n < 0 && errno == EAGAIN;
	c->complete = false;
	c->head_len = 0;
	c->body_left = 0;
}

/* Starts the next request on `c`, or closes it when there is none. */
static void
start_request(struct conn *c)
{
	if (count.started == option.requests_n) {
		if (option.mode != MODE_IDLE)
			close_conn(c);
		return;
	}
	count.started++;
	if (c->fd >= 0) {
		send_request(c);
		return;
	}
	c->fd = net_connect(&option.to);
	if (c->fd < 0)
		net_fail("connect");
	if (option.tls)
		c->ssl = tls_open(c->fd);
	send_request(c);
	net_watch(epoll_fd, c->fd, EPOLLIN | (c->waits_out ? EPOLLOUT : 0), c);
}

static void
finish_request(struct conn *c, bool ok)
{
	count.finished++;
	count.errors += !ok;
	if (!ok || option.mode == MODE_CONNECT)
		close_conn(c);
	if (option.mode == MODE_IDLE) {
		c->idle = ok;
		count.idle += ok;
		c = &conns[count.started];
	}
	start_request(c);
}

/* The first bytes of a response are in c->head.  false: they are not one. */
static bool
read_head(struct conn *c)
{
	static const char field[] = "\r\nContent-Length: ";
	char *blank, *length;
	uint64_t body;

	c->head[c->head_len] = '\0';
	blank = strstr(c->head, "\r\n\r\n");
	if (!blank)
		return c->head_len < sizeof c->head - 1;
	length = strstr(c->head, field);
	if (!length || strncmp(c->head, "HTTP/1.1 200 ", 13) != 0)
		return false;
	body = strtoull(length + sizeof field - 1, NULL, 10);
	c->head_len -= (size_t)(blank + 4 - c->head);
	if (body < c->head_len)
		return false;
	c->body_left = body - c->head_len;
	c->complete = c->body_left == 0;
	c->head_len = 0;
	return true;
}

static void
on_readable(struct conn *c)
{
	bool server_closes = option.mode == MODE_CONNECT && !option.client_closes;
	ssize_t n;

	/* A long body is thrown away in the kernel: how fast a client copies is not the question. */
	if (c->ssl && (c->body_left > 0 || c->complete))
		n = tls_recv(c->ssl, buffer, sizeof buffer);
	else if (c->ssl)
		n = tls_recv(c->ssl, c->head + c->head_len, sizeof c->head - 1 - c->head_len);
	else if (c->body_left > 0 || c->complete)
		n = recv(c->fd, buffer, sizeof buffer, MSG_TRUNC);
	else
		n = recv(c->fd, c->head + c->head_len, sizeof c->head - 1 - c->head_len, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (c->idle) {
		count.lost++;
		c->idle = false;
		close_conn(c);
		return;
	}
	if (n <= 0 || c->complete) {
		finish_request(c, n == 0 && c->complete && server_closes);
		return;
	}
	count.bytes += (uint64_t)n;
	if (c->body_left > 0) {
		if ((uint64_t)n > c->body_left) {
			finish_request(c, false);
			return;
		}
		c->body_left -= (uint64_t)n;
		c->complete = c->body_left == 0;
	} else {
		c->head_len += (size_t)n;
		if (!read_head(c)) {
			finish_request(c, false);
			return;
		}
	}
	if (c->complete && !server_closes)
		finish_request(c, true);
}

static void
on_event(struct conn *c, uint32_t events)
{
	if (c->waits_out && (events & EPOLLOUT)) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

		if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event) < 0)
			net_fail("epoll_ctl");
		send_request(c);
	} else if (c->waits_out && c->ssl) {
		send_request(c); /* the handshake goes on with what came */
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		on_readable(c);
}

/* Takes events until `wanted` requests are finished, or standard input ends; false: too late. */
static bool
run(uint64_t wanted, uint64_t deadline_ns)
{
	struct epoll_event events[NET_EVENTS_N];

	while (count.finished < wanted) {
		int n = epoll_wait(epoll_fd, events, NET_EVENTS_N, 500);

		for (int i = 0; i < n; i++) {
			if (!events[i].data.ptr)
				return true;
			on_event(events[i].data.ptr, events[i].events);
		}
		if (net_now_ns() > deadline_ns)
			return false;
	}
	return true;
}

static void
write_request(void)
{
	const char *close = "";

	if (option.mode == MODE_CONNECT && !option.client_closes)
		close = "Connection: close\r\n";
	if (option.mode == MODE_BULK)
		request_len = (size_t)snprintf(request, sizeof request,
					       "GET /bulk?%llu HTTP/1.1\r\nHost: bench\r\n\r\n",
					       (unsigned long long)option.bytes);
	else
		request_len = (size_t)snprintf(request, sizeof request,
					       "GET / HTTP/1.1\r\nHost: bench\r\n%s\r\n", close);
}

static uint64_t
number(const char *text)
{
	char *rest;
	unsigned long long value = strtoull(text, &rest, 10);

	errno = EINVAL;
	if (*rest || value == 0)
		net_fail(text);
	return value;
}

static enum mode
mode_named(const char *name)
{
	for (int i = 0; i < MODE_N; i++)
		if (strcmp(name, mode_names[i]) == 0)
			return (enum mode)i;
	errno = EINVAL;
	net_fail(name);
}

static void
read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "to", required_argument, NULL, 't' },
		{ "mode", required_argument, NULL, 'm' },
		{ "clients", required_argument, NULL, 'c' },
		{ "requests", required_argument, NULL, 'r' },
		{ "bytes", required_argument, NULL, 'b' },
		{ "limit", required_argument, NULL, 'l' },
		{ "client-closes", no_argument, NULL, 'k' },
		{ "tls", no_argument, NULL, 's' },
		{ "resume", no_argument, NULL, 'u' },
		{ 0 },
	};
	bool to_given = false;
	int letter;

	while ((letter = getopt_long(argc, argv, "", names, NULL)) >= 0) {
		switch (letter) {
		case 't':
			option.to = net_address(optarg);
			to_given = true;
			break;
		case 'm':
			option.mode = mode_named(optarg);
			break;
		case 'c':
			option.clients_n = number(optarg);
			break;
		case 'r':
			option.requests_n = number(optarg);
			break;
		case 'b':
			option.bytes = number(optarg);
			break;
		case 'l':
			option.limit_s = number(optarg);
			break;
		case 'k':
			option.client_closes = true;
			break;
		case 's':
			option.tls = true;
			break;
		case 'u':
			option.resume = true;
			break;
		default:
			exit(1);
		}
	}
	errno = EINVAL;
	if (!to_given || optind != argc)
		net_fail("usage: load --to ADDRESS --mode MODE ...");
	if (option.mode == MODE_IDLE || option.requests_n == 0)
		option.requests_n = option.clients_n;
}

int
main(int argc, char **argv)
{
	uint64_t start_ns, deadline_ns, first;
	bool in_time;

	read_options(argc, argv);
	net_die_with_parent();
	net_raise_file_limit();
	epoll_fd = net_epoll();
	write_request();
	if (option.tls)
		tls_begin(option.resume);
	conns = calloc(option.clients_n, sizeof *conns);
	if (!conns)
		net_fail("calloc");
	for (uint64_t i = 0; i < option.clients_n; i++)
		conns[i].fd = -1;

	start_ns = net_now_ns();
	deadline_ns = start_ns + option.limit_s * 1000000000u;
	first = option.clients_n;
	if (option.mode == MODE_IDLE && first > IDLE_WINDOW)
		first = IDLE_WINDOW;
	for (uint64_t i = 0; i < first; i++)
		start_request(&conns[i]);
	in_time = run(option.requests_n, deadline_ns);
	printf("{\"mode\": \"%s\", \"requests\": %llu, \"errors\": %llu, \"bytes\": %llu, "
	       "\"resumed\": %llu, \"seconds\": %.6f, \"complete\": %s}\n",
	       mode_names[option.mode], (unsigned long long)count.finished,
	       (unsigned long long)count.errors, (unsigned long long)count.bytes, tls_resumed(),
	       (double)(net_now_ns() - start_ns) / 1e9, in_time ? "true" : "false");
	fflush(stdout);
	if (option.mode == MODE_IDLE && in_time) {
		net_watch(epoll_fd, STDIN_FILENO, EPOLLIN, NULL);
		in_time = run(UINT64_MAX, deadline_ns);
		printf("{\"held\": %llu, \"lost\": %llu}\n",
		       (unsigned long long)(count.idle - count.lost),
		       (unsigned long long)count.lost);
	}
	return in_time && count.errors == 0 && count.lost == 0 ? 0 : 1;
}
