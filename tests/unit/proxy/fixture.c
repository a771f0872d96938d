/*
 * fixture.c - servers and a proxy for tests.  Origins have a thread each; everything else runs on
 * the test's own.
 */
#include "tests/unit/proxy/fixture.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define ORIGIN_CONNS 512

void
nap(void)
{
	struct timespec ms = { .tv_nsec = NS_PER_MS };

	nanosleep(&ms, NULL);
}

static int
listen_on(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(*port) };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 1024) < 0)
		abort();
	getsockname(fd, (struct sockaddr *)&at, &len);
	*port = ntohs(at.sin_port);
	return fd;
}

uint16_t
unused_port(void)
{
	uint16_t port = 0;

	close(listen_on(&port));
	return port;
}

/* Blocks until everything is sent; false when the other side is gone. */
static bool
send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* A connection has arrived; false = done with it. */
static bool
origin_greet(struct origin *o, int fd)
{
	switch (o->mode) {
	case ORIGIN_ECHO:
	case ORIGIN_SILENT:
		return true;
	case ORIGIN_NAME:
		send_all(fd, o->name, strlen(o->name));
		return false;
	case ORIGIN_HOLD:
		return send_all(fd, o->name, strlen(o->name));
	case ORIGIN_GREET:
		send_all(fd, o->name, strlen(o->name));
		shutdown(fd, SHUT_WR);
		return true;
	}
	return false;
}

static bool
origin_read(struct origin *o, int fd)
{
	static _Thread_local char data[65536];
	ssize_t n = recv(fd, data, sizeof data, 0);

	if (n > 0) {
		atomic_fetch_add(&o->received, (uint64_t)n);
		return o->mode != ORIGIN_ECHO || send_all(fd, data, (size_t)n);
	}
	if (n == 0)
		atomic_store(&o->got_fin, true);
	return false;
}

static void *
origin_main(void *arg)
{
	struct origin *o = arg;
	struct pollfd *set = calloc(ORIGIN_CONNS, sizeof *set);
	nfds_t n = 2;

	set[0] = (struct pollfd){ .fd = o->stop_fd, .events = POLLIN };
	set[1] = (struct pollfd){ .fd = o->listen_fd, .events = POLLIN };
	while (poll(set, n, -1) >= 0 && !set[0].revents) {
		for (nfds_t i = 2; i < n; i++) {
			if (!set[i].revents || origin_read(o, set[i].fd))
				continue;
			atomic_fetch_sub(&o->open, 1);
			close(set[i].fd);
			set[i--] = set[--n];
		}
		if (set[1].revents && n < ORIGIN_CONNS) {
			int fd = accept4(o->listen_fd, NULL, NULL, SOCK_CLOEXEC);

			if (fd < 0)
				continue;
			atomic_fetch_add(&o->accepted, 1);
			atomic_fetch_add(&o->open, 1);
			if (!origin_greet(o, fd)) {
				atomic_fetch_sub(&o->open, 1);
				close(fd);
				continue;
			}
			/* A silent one does not even look: its end comes with an error. */
			set[n++] = (struct pollfd){
				.fd = fd,
				.events = o->mode == ORIGIN_SILENT ? 0 : POLLIN,
			};
		}
	}
	for (nfds_t i = 2; i < n; i++)
		close(set[i].fd);
	free(set);
	return NULL;
}

void
origin_start(struct origin *o, enum origin_mode mode, const char *name, uint16_t port)
{
	memset(o, 0, sizeof *o);
	o->mode = mode;
	o->port = port;
	strncpy(o->name, name, sizeof o->name - 1);
	o->stop_fd = eventfd(0, EFD_CLOEXEC);
	o->listen_fd = listen_on(&o->port);
	if (pthread_create(&o->thread, NULL, origin_main, o))
		abort();
}

void
origin_stop(struct origin *o)
{
	eventfd_write(o->stop_fd, 1);
	pthread_join(o->thread, NULL);
	close(o->stop_fd);
	close(o->listen_fd);
}

void
site_init(struct site *site)
{
	struct conf_proxy *fe = &site->proxies[0], *be = &site->proxies[1];

	memset(site, 0, sizeof *site);
	site->bind = (struct conf_bind){ .text = "127.0.0.1:0", .inherited_fd = -1 };
	*fe = (struct conf_proxy){
		.name = "main",
		.caps = CONF_CAP_FRONT,
		.binds = &site->bind,
		.binds_n = 1,
		.default_backend = 1,
		.timeout_client_ms = 10000,
		.retries = 3,
	};
	*be = (struct conf_proxy){
		.name = "app",
		.caps = CONF_CAP_BACK,
		.default_backend = CONF_NONE,
		.servers = site->servers,
		.timeout_server_ms = 10000,
		.timeout_connect_ms = 5000,
		.timeout_check_ms = 5000, /* not every 50 ms: the machine may be busy */
		.retries = 3,
		.redispatch = true,
	};
	site->conf = (struct conf){ .proxies = site->proxies, .proxies_n = 2, .maxconn = 5000 };
}

struct conf_server *
site_add_server(struct site *site, const char *name, uint16_t port)
{
	struct conf_proxy *be = &site->proxies[1];
	struct conf_server *s = &site->servers[be->servers_n++];
	struct ip loopback;

	ip_parse("127.0.0.1", &loopback);
	*s = (struct conf_server){
		.name = name,
		.host = "127.0.0.1",
		.address = sock_addr_from_ip(&loopback, port),
		.port = port,
		.id = (uint32_t)be->servers_n,
		.weight = 1,
		.inter_ms = 50,
		.rise = 2,
		.fall = 3,
	};
	return s;
}

void
site_prepare(struct site *site, uint32_t threads_n)
{
	site->threads_n = threads_n;
	for (uint32_t i = 0; i < threads_n; i++)
		site->listeners[site->listeners_n++] = (struct proxy_listener){
			.fd = listen_on(&site->port),
		};
	if (health_board_init(&site->board, threads_n, 2) < 0)
		abort();
	site->proxy = proxy_new(&site->conf, threads_n, site->listeners, site->listeners_n,
				&site->board, site->tls);
	if (!site->proxy || proxy_start(site->proxy) < 0)
		abort();
}

void
site_start(struct site *site, uint32_t threads_n)
{
	site_prepare(site, threads_n);
	proxy_open(site->proxy);
}

void
site_stop(struct site *site)
{
	proxy_stop(site->proxy);
	health_board_fini(&site->board);
	site->listeners_n = 0;
}

int
site_connect(const struct site *site)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(site->port) };
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		abort();
	return fd;
}

int
site_fetch(const struct site *site, char *text, size_t size)
{
	int fd = site_connect(site), have = 0;
	ssize_t n;

	while ((n = recv(fd, text + have, size - 1 - (size_t)have, 0)) > 0)
		have += (int)n;
	text[have] = '\0';
	close(fd);
	return n < 0 ? -1 : have;
}

struct server_view
site_server(const struct site *site, uint32_t server)
{
	struct server_view view;

	proxy_server_view(site->proxy, 1, server, &view);
	return view;
}

struct proxy_view
site_backend(const struct site *site)
{
	struct proxy_view view;

	proxy_view(site->proxy, 1, &view);
	return view;
}
