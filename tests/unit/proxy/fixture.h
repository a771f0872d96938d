/*
 * fixture.h - a proxy within the test's own process, with small servers behind it on loopback.
 *
 * A site is built by hand, not parsed: site_init, fields changed to taste, site_start, site_stop.
 */
#pragma once

#include "proxy/proxy.h"
#include "tests/unit/margin.h"

#include <pthread.h>
#include <stdatomic.h>

enum origin_mode {
	ORIGIN_ECHO,   /* sends back what comes; closes after the client's FIN */
	ORIGIN_NAME,   /* sends its name and closes */
	ORIGIN_HOLD,   /* sends its name and holds the connection until the client's FIN */
	ORIGIN_GREET,  /* sends its name and FIN, then counts what comes until the client's FIN */
	ORIGIN_SILENT, /* accepts, and that is all: a FIN changes nothing */
};

/* A server: one thread, its connections in a poll set. */
struct origin {
	enum origin_mode mode;
	char name[16];
	int listen_fd, stop_fd;
	uint16_t port;
	pthread_t thread;
	_Atomic uint32_t accepted, open;
	_Atomic uint64_t received;
	_Atomic bool got_fin;
};

void origin_start(struct origin *o, enum origin_mode mode, const char *name, uint16_t port);
void origin_stop(struct origin *o);

/* A loopback port nobody listens on. */
uint16_t unused_port(void);

#define SITE_SERVERS 8

/* One frontend (index 0), one backend (index 1). */
struct site {
	struct conf conf;
	struct conf_proxy proxies[2];
	struct conf_bind bind;
	struct conf_server servers[SITE_SERVERS];
	struct proxy_listener listeners[8];
	uint32_t listeners_n, threads_n;
	struct health_board board;
	struct proxy *proxy;
	struct tls *tls; /* set before site_start; NULL = none */
	uint16_t port;
};

void site_init(struct site *site);
struct conf_server *site_add_server(struct site *site, const char *name, uint16_t port);
void site_start(struct site *site, uint32_t threads_n);
void site_prepare(struct site *site, uint32_t threads_n); /* all of that but proxy_open */
void site_stop(struct site *site);

/* Connects to the site; a blocking socket with a receive time-out of 10 s. */
int site_connect(const struct site *site);

/* Connects, reads until EOF or error; the number of bytes read (text is terminated) or -1. */
int site_fetch(const struct site *site, char *text, size_t size);

struct server_view site_server(const struct site *site, uint32_t server);
struct proxy_view site_backend(const struct site *site);

/* Waits until `condition` holds, looking every ms; fails the test if it does not. */
#define WAIT_UNTIL(condition)                                                   \
	do {                                                                    \
		int64_t until_ns = mono_now().ns + WAIT_MS * NS_PER_MS;         \
		while (!(condition)) {                                          \
			if (mono_now().ns > until_ns)                           \
				fail_msg("waited in vain for: %s", #condition); \
			nap();                                                  \
		}                                                               \
	} while (0)

void nap(void);
