/*
 * resolve.c - thread "resolver".
 *
 * The thread is detached, because a getaddrinfo cannot be interrupted and proxy_stop must not wait
 * for a name server.  It owns the struct resolver; the proxy's servers it touches only under the
 * lock and while nobody has called resolver_stop.
 */
#include "proxy/resolve.h"

#include "proxy/runtime.h"

#include "common/log.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_S       3
#define ADDRESSES_MAX 1024 /* of one host */

struct name {
	struct server *server;
	char *host;
	uint16_t port;
	bool done, complained;
};

struct resolver {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop; /* under the lock */
	struct name *names;
	uint32_t names_n;
};

static void
resolver_free(struct resolver *r)
{
	for (uint32_t i = 0; i < r->names_n; i++)
		free(r->names[i].host);
	free(r->names);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->wake);
	free(r);
}

static int
by_address(const void *a, const void *b)
{
	const struct addrinfo *const *left = a, *const *right = b;

	if ((*left)->ai_addrlen != (*right)->ai_addrlen)
		return (*left)->ai_addrlen < (*right)->ai_addrlen ? -1 : 1;
	return memcmp((*left)->ai_addr, (*right)->ai_addr, (*left)->ai_addrlen);
}

/* The address at `place`, in an order that does not depend on that of the answer; NULL = none. */
static const struct addrinfo *
address_at(const struct addrinfo *found, uint32_t place)
{
	const struct addrinfo *sorted[ADDRESSES_MAX];
	uint32_t n = 0;

	for (; found && n < ADDRESSES_MAX; found = found->ai_next)
		sorted[n++] = found;
	qsort(sorted, n, sizeof sorted[0], by_address);
	return place < n ? sorted[place] : NULL;
}

/*
 * 0 or an EAI_* code.  Servers of a template share the host's addresses among them; any other takes
 * the first, which getaddrinfo prefers.
 */
static int
look_up(const struct name *name, struct sock_addr *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *found;
	const struct conf_server *conf = name->server->conf;
	const struct addrinfo *chosen;
	int r = getaddrinfo(name->host, NULL, &hints, &found);

	if (r != 0)
		return r;
	chosen = conf->template_prefix ? address_at(found, conf->template_place) : found;
	if (chosen) {
		memset(address, 0, sizeof *address);
		memcpy(&address->storage, chosen->ai_addr, chosen->ai_addrlen);
		address->len = chosen->ai_addrlen;
	}
	freeaddrinfo(found);
	return chosen ? 0 : EAI_NONAME;
}

/* Looks one name up; false if the proxy is gone meanwhile. */
static bool
resolve(struct resolver *r, struct name *name)
{
	struct sock_addr address;
	char text[SOCK_ADDR_STRLEN];
	int error = look_up(name, &address);
	bool going_on;

	if (!error)
		sock_addr_set_port(&address, name->port);
	pthread_mutex_lock(&r->lock);
	going_on = !r->stop;
	if (going_on) {
		struct server *s = name->server;

		if (!error)
			log_info("Server %s/%s: %s is %s.", s->backend->conf->name, s->conf->name,
				 name->host, sock_addr_format(&address, text));
		else if (!name->complained)
			log_warning(
				"Server %s/%s: could not resolve %s: %s; trying again every %d s.",
				s->backend->conf->name, s->conf->name, name->host,
				gai_strerror(error), AGAIN_S);
		server_set_address(s, error ? NULL : &address, mono_now());
	}
	pthread_mutex_unlock(&r->lock);
	name->done = !error;
	name->complained = true;
	return going_on;
}

static void *
resolver_main(void *arg)
{
	struct resolver *r = arg;
	bool going_on = true, left = true;

	while (going_on && left) {
		struct timespec until;

		left = false;
		for (uint32_t i = 0; i < r->names_n && going_on; i++) {
			if (!r->names[i].done)
				going_on = resolve(r, &r->names[i]);
			left |= !r->names[i].done;
		}
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += AGAIN_S;
		pthread_mutex_lock(&r->lock);
		while (left && !r->stop &&
		       pthread_cond_timedwait(&r->wake, &r->lock, &until) != ETIMEDOUT)
			continue;
		going_on = !r->stop;
		pthread_mutex_unlock(&r->lock);
	}
	/* The struct is whole until resolver_stop has been called. */
	pthread_mutex_lock(&r->lock);
	while (!r->stop)
		pthread_cond_wait(&r->wake, &r->lock);
	pthread_mutex_unlock(&r->lock);
	resolver_free(r);
	return NULL;
}

static bool
collect(struct resolver *r, struct proxy *proxy)
{
	r->names = calloc(proxy->servers_n ? proxy->servers_n : 1, sizeof *r->names);
	if (!r->names)
		return false;
	for (uint32_t i = 0; i < proxy->proxies_n; i++) {
		for (uint32_t k = 0; k < proxy->backends[i].servers_n; k++) {
			struct server *s = &proxy->backends[i].servers[k];
			struct name *name = &r->names[r->names_n];

			if (atomic_load(&s->resolved) || s->conf->disabled || !s->conf->host)
				continue;
			name->server = s;
			name->port = s->conf->port;
			name->host = strdup(s->conf->host);
			if (!name->host)
				return false;
			r->names_n++;
		}
	}
	return true;
}

struct resolver *
resolver_start(struct proxy *proxy)
{
	struct resolver *r = calloc(1, sizeof *r);
	pthread_attr_t attr;
	pthread_t id;
	int error = 0;

	if (!r)
		return NULL;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->wake, NULL);
	if (!collect(r, proxy)) {
		error = ENOMEM;
	} else if (r->names_n > 0) {
		pthread_attr_init(&attr);
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		error = pthread_create(&id, &attr, resolver_main, r);
		pthread_attr_destroy(&attr);
		if (!error) {
			pthread_setname_np(id, "resolver");
			return r;
		}
	}
	resolver_free(r);
	errno = error;
	return NULL;
}

void
resolver_stop(struct resolver *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
}
