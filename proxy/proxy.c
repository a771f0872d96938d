/*
 * proxy.c - the proxy as a whole: made from the configuration, started, stopped.  Run by the thread
 * that owns struct proxy, which is none of the proxy's own.
 */
#include "proxy/proxy.h"

#include "proxy/inspect.h"
#include "proxy/listener.h"
#include "proxy/process_vars.h"
#include "proxy/resolve.h"
#include "proxy/runtime.h"
#include "proxy/stock.h"
#include "proxy/tls.h"
#include "proxy/variable.h"

#include "common/log.h"
#include "common/regex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * Descriptors: two a session, two a pipe.  Without `maxconn` in the file the limit decides, pipes
 * taking a twentieth; with it pipes get what sessions leave, but never none.
 */
static void
divide_descriptors(struct proxy *proxy, size_t listeners_n)
{
	const uint64_t stock =
		proxy->conf->uses_usesrc ? STOCK_SHELF * STOCK_FAMILIES * proxy->threads_n : 0;
	const uint64_t reserve =
		64 + listeners_n + stock; /* loops, logs, checks, the daemon's own */
	uint64_t pipes_min = 8 * proxy->threads_n, total = 2000000, pipes, left;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < total)
		total = limit.rlim_cur;
	total = total > reserve ? total - reserve : 0;
	pipes = total / 40;
	left = total > 2 * pipes ? total / 2 - pipes : 1;
	proxy->maxconn = proxy->conf->maxconn ? proxy->conf->maxconn : (uint32_t)left;
	if (2 * (uint64_t)proxy->maxconn + 2 * pipes > total)
		pipes = total / 2 > proxy->maxconn ? total / 2 - proxy->maxconn : 0;
	proxy->pipes_max = (uint32_t)(pipes > pipes_min ? pipes : pipes_min);
}

static int
init_proxies(struct proxy *proxy)
{
	const struct conf *conf = proxy->conf;
	struct mono now = mono_now();
	int r;

	for (uint32_t i = 0; i < conf->proxies_n; i++) {
		r = backend_init(&proxy->backends[i], proxy, i, proxy->servers_n, now);
		if (r < 0)
			return r;
		proxy->servers_n += proxy->backends[i].servers_n;
		for (uint32_t k = 0; k < proxy->backends[i].servers_n; k++)
			proxy->checks_n += server_checks(&proxy->backends[i].servers[k]);
	}
	proxy->external.servers = calloc(proxy->servers_n + 1, sizeof(struct server *));
	if (!proxy->external.servers)
		return -ENOMEM;
	backend_join_followers(proxy);
	for (uint32_t i = 0; i < conf->proxies_n; i++) {
		const struct conf_proxy *px = &conf->proxies[i];
		struct frontend *fe = &proxy->frontends[i];

		fe->conf = px;
		fe->proxy = proxy;
		fe->index = i;
		fe->maxconn = px->maxconn ? px->maxconn : UINT32_MAX;
		fe->backend = px->default_backend == CONF_NONE
				      ? NULL
				      : &proxy->backends[px->default_backend];
		/* The most severe level that a line may have. */
		fe->log_end = px->log_format && log_target_wanted(conf, px, LOG_EMERG);
		fe->log_start = !px->log_format && log_target_wanted(conf, px, LOG_INFO);
		fe->plain = !inspect_wanted(conf, px);
		fe->bind_sessions =
			calloc(px->binds_n ? px->binds_n : 1, sizeof *fe->bind_sessions);
		if (!fe->bind_sessions)
			return -ENOMEM;
	}
	return 0;
}

/*
 * Deals out the sockets of one address.  There may be more of them than threads, or fewer, since
 * their number is fixed for the address's life and `nbthread` is not: then a thread has several, or
 * shares one with another thread.
 */
static int
deal_bind(struct proxy *proxy, const struct proxy_listener *sockets, size_t n)
{
	size_t most = n > proxy->threads_n ? n : proxy->threads_n;

	for (size_t i = 0; i < most; i++) {
		struct proxy_thread *t = &proxy->threads[i % proxy->threads_n];
		int fd = i < n ? sockets[i].fd : fcntl(sockets[i % n].fd, F_DUPFD_CLOEXEC, 0);
		struct listener *more =
			reallocarray(t->listeners, t->listeners_n + 1, sizeof *t->listeners);

		if (more)
			t->listeners = more;
		if (!more || fd < 0) {
			int r = more ? -errno : -ENOMEM;

			if (i >= n && fd >= 0)
				close(fd);
			return r;
		}
		listener_init(&t->listeners[t->listeners_n++], t, &proxy->frontends[sockets->proxy],
			      sockets->bind, fd);
	}
	return 0;
}

static int
by_name(const void *a, const void *b, void *conf)
{
	const struct conf_proxy *proxies = conf;

	return strcmp(proxies[*(const uint32_t *)a].name, proxies[*(const uint32_t *)b].name);
}

/* What expressions look up while they run: compiled patterns, backends by name. */
static int
init_expressions(struct proxy *proxy)
{
	const struct conf *conf = proxy->conf;
	char error[REGEX_ERRORLEN];

	proxy->regexes = calloc(conf->regexes_n + 1, sizeof *proxy->regexes);
	proxy->backends_sorted = calloc(conf->proxies_n + 1, sizeof *proxy->backends_sorted);
	proxy->process_vars = process_vars_new(conf, proxy->threads_n);
	if (!proxy->regexes || !proxy->backends_sorted || !proxy->process_vars)
		return -ENOMEM;
	for (size_t i = 0; i < conf->regexes_n; i++) {
		proxy->regexes[i] = regex_new(conf->regexes[i].pattern, error);
		if (!proxy->regexes[i])
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < conf->proxies_n; i++)
		if (conf->proxies[i].caps & CONF_CAP_BACK)
			proxy->backends_sorted[proxy->backends_n++] = i;
	if (proxy->backends_n)
		qsort_r(proxy->backends_sorted, proxy->backends_n, sizeof *proxy->backends_sorted,
			by_name, conf->proxies);
	return 0;
}

struct backend *
proxy_find_backend(const struct proxy *proxy, const char *name, size_t len)
{
	uint32_t low = 0, high = proxy->backends_n;

	while (low < high) {
		uint32_t at = low + (high - low) / 2, index = proxy->backends_sorted[at];
		const char *other = proxy->conf->proxies[index].name;
		int order = strncmp(name, other, len);

		if (order == 0 && !other[len])
			return &proxy->backends[index];
		if (order > 0)
			low = at + 1;
		else
			high = at;
	}
	return NULL;
}

static int
deal_listeners(struct proxy *proxy, const struct proxy_listener *listeners, size_t n)
{
	size_t end;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i = end) {
		for (end = i + 1; end < n && listeners[end].proxy == listeners[i].proxy &&
				  listeners[end].bind == listeners[i].bind;
		     end++)
			;
		r = deal_bind(proxy, listeners + i, end - i);
	}
	return r;
}

static void
free_all(struct proxy *proxy)
{
	for (uint32_t i = 0; proxy->threads && i < proxy->threads_n; i++)
		if (proxy->threads[i].proxy)
			proxy_thread_fini(&proxy->threads[i]);
	for (size_t i = 0; proxy->regexes && i < proxy->conf->regexes_n; i++)
		regex_free(proxy->regexes[i]);
	free(proxy->regexes);
	free(proxy->backends_sorted);
	process_vars_free(proxy->process_vars);
	for (uint32_t i = 0; i < proxy->proxies_n; i++) {
		if (proxy->backends)
			backend_fini(&proxy->backends[i]);
		if (proxy->frontends)
			free(proxy->frontends[i].bind_sessions);
	}
	log_sender_fini(&proxy->notify);
	pthread_mutex_destroy(&proxy->notify_lock);
	pthread_mutex_destroy(&proxy->shutdown_lock);
	pthread_mutex_destroy(&proxy->external.lock);
	free(proxy->external.servers);
	tls_free(proxy->tls);
	free(proxy->threads);
	free(proxy->backends);
	free(proxy->frontends);
	free(proxy);
}

struct proxy *
proxy_new(const struct conf *conf, uint32_t threads_n, const struct proxy_listener *listeners,
	  size_t listeners_n, struct health_board *board, struct tls *tls)
{
	struct proxy *proxy = calloc(1, sizeof *proxy);
	int r = -ENOMEM;

	if (!proxy)
		return NULL;
	proxy->conf = conf;
	proxy->board = board;
	proxy->tls = tls;
	proxy->threads_n = threads_n ? threads_n : 1;
	proxy->proxies_n = (uint32_t)conf->proxies_n;
	divide_descriptors(proxy, listeners_n);
	pthread_mutex_init(&proxy->notify_lock, NULL);
	pthread_mutex_init(&proxy->shutdown_lock, NULL);
	pthread_mutex_init(&proxy->external.lock, NULL);
	proxy->threads =
		aligned_alloc(64, proxy->threads_n * ((sizeof *proxy->threads + 63) & ~63UL));
	proxy->backends = calloc(conf->proxies_n + 1, sizeof *proxy->backends);
	proxy->frontends = calloc(conf->proxies_n + 1, sizeof *proxy->frontends);
	if (log_sender_init(&proxy->notify, conf) < 0 || !proxy->threads || !proxy->backends ||
	    !proxy->frontends)
		goto fail;
	memset(proxy->threads, 0, proxy->threads_n * sizeof *proxy->threads);
	r = init_expressions(proxy);
	if (r == 0)
		r = init_proxies(proxy);
	for (uint32_t i = 0; r == 0 && i < proxy->threads_n; i++)
		r = proxy_thread_init(&proxy->threads[i], proxy, i);
	if (r == 0)
		r = deal_listeners(proxy, listeners, listeners_n);
	if (r == 0) {
		variable_set_globals(proxy);
		return proxy;
	}
fail:
	proxy->tls = NULL;
	free_all(proxy);
	errno = -r;
	return NULL;
}

void
proxy_log_sockets(struct proxy *proxy, const struct log_target_socket *list, size_t n)
{
	log_sender_give(&proxy->notify, list, n);
	for (uint32_t i = 0; i < proxy->threads_n; i++)
		log_sender_give(&proxy->threads[i].log, list, n);
}

int
proxy_start(struct proxy *proxy)
{
	int r = 0;

	errno = 0;
	proxy->resolver = resolver_start(proxy);
	if (!proxy->resolver && errno)
		return -errno;
	for (uint32_t i = 0; r == 0 && i < proxy->threads_n; i++)
		r = proxy_thread_start(&proxy->threads[i]);
	return r;
}

static void
wake_all(struct proxy *proxy)
{
	for (uint32_t i = 0; i < proxy->threads_n; i++)
		loop_wake(&proxy->threads[i].loop);
}

/* Before the first check, and after what a former worker knew: followers are as those they follow. */
static void
lead_followers(struct proxy *proxy)
{
	struct mono now = mono_now();

	for (uint32_t i = 0; i < proxy->proxies_n; i++)
		for (uint32_t k = 0; k < proxy->backends[i].servers_n; k++)
			if (!proxy->backends[i].servers[k].tracked)
				server_lead(&proxy->backends[i].servers[k], now);
}

void
proxy_open(struct proxy *proxy)
{
	lead_followers(proxy);
	atomic_store(&proxy->phase, PROXY_OPEN);
	wake_all(proxy);
}

void
proxy_close(struct proxy *proxy)
{
	atomic_store(&proxy->phase, PROXY_CLOSED);
	wake_all(proxy);
}

bool
proxy_drained(const struct proxy *proxy)
{
	/* In this order: a thread that still accepts may be about to count a session. */
	return atomic_load(&proxy->closed_n) == proxy->threads_n &&
	       atomic_load(&proxy->sessions) == 0;
}

void
proxy_stop(struct proxy *proxy)
{
	if (!proxy)
		return;
	resolver_stop(proxy->resolver);
	atomic_store(&proxy->stopping, true);
	wake_all(proxy);
	for (uint32_t i = 0; i < proxy->threads_n; i++)
		if (proxy->threads[i].started)
			pthread_join(proxy->threads[i].id, NULL);
	free_all(proxy);
}

void
proxy_shutdown_sessions(struct server *server, int cause)
{
	struct proxy *proxy = server->backend->proxy;

	/* Whoever sees the count sees every server's mark up to it. */
	pthread_mutex_lock(&proxy->shutdown_lock);
	atomic_store(&server->shut_cause, cause);
	atomic_store(&server->shut_at, atomic_load(&proxy->shutdowns) + 1);
	atomic_fetch_add(&proxy->shutdowns, 1);
	pthread_mutex_unlock(&proxy->shutdown_lock);
	wake_all(proxy);
}

void
proxy_hurry_check(struct server *server)
{
	atomic_store(&server->hurry, true);
	proxy_look_at_checks(server);
}

void
proxy_look_at_checks(struct server *server)
{
	struct proxy *proxy = server->backend->proxy;
	struct proxy_thread *t = &proxy->threads[server->number % proxy->threads_n];

	atomic_store(&t->hurries, true);
	loop_wake(&t->loop);
}

void
proxy_wake_waiters(struct proxy *proxy, uint32_t backend)
{
	/* While the proxy is being made there are backends but no threads yet. */
	for (uint32_t i = 0; i < proxy->threads_n; i++) {
		struct proxy_thread *t = &proxy->threads[i];

		if (t->waiting && atomic_load(&t->waiting[backend].n))
			loop_wake(&t->loop);
	}
}
