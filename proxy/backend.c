/*
 * backend.c - backends and their servers: made, inherited, freed.
 */
#include "proxy/backend.h"

#include "proxy/runtime.h"
#include "proxy/server_state.h"
#include "proxy/tls.h"

#include <errno.h>
#include <stdlib.h>

static int
server_init(struct server *s, struct backend *be, uint32_t index, uint32_t number, struct mono now)
{
	const struct conf_server *conf = &be->conf->servers[index];

	s->conf = conf;
	s->backend = be;
	s->number = number;
	s->check_tls = tls_of_server(be->proxy->tls, be->index, index);
	s->tls = conf->tls.on ? s->check_tls : NULL;
	s->lb.farm = &be->farm;
	s->lb.index = index;
	s->lb.id = conf->id;
	s->lb.weight = conf->weight;
	lb_weigh(&s->lb, conf->weight);
	atomic_store(&s->lb.maxconn, conf->maxconn);
	s->lb.minconn = conf->minconn;
	s->lb.maxqueue = conf->maxqueue;
	s->lb.backup = conf->backup;
	s->observed = conf->observe && conf->check;
	s->changed = now;
	check_window_init(&s->window, conf->rise, conf->fall);
	check_window_start(&s->window, conf->init_state);
	if (conf->address.len) {
		s->address = conf->address;
		if (s->address.any.sa_family != AF_UNIX)
			sock_addr_set_port(&s->address, conf->port);
		atomic_store(&s->resolved, true);
	}
	if (conf->agent) {
		s->agent.program = check_program_new(conf->agent);
		if (!s->agent.program)
			return -ENOMEM;
		s->agent.program->weight = conf->weight;
		s->agent.program->fixed_weight = lb_is_static(be->conf);
	}
	atomic_store(&s->state, server_derive_state(s));
	atomic_store(&s->lb.usable, server_state_usable(server_state_get(s)));
	return 0;
}

/* The default of `fullconn`: a tenth of what the frontends before it take; at least 1. */
static uint32_t
tenth_of_frontends(const struct backend *be)
{
	const struct proxy *proxy = be->proxy;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < proxy->proxies_n; i++) {
		const struct conf_proxy *front = &proxy->conf->proxies[i];

		if (front->caps & CONF_CAP_FRONT && front->default_backend == be->index)
			sum += front->maxconn ? front->maxconn : proxy->maxconn;
	}
	return sum >= 10 ? (uint32_t)(sum / 10) : 1;
}

int
backend_init(struct backend *be, struct proxy *proxy, uint32_t index, uint32_t number,
	     struct mono now)
{
	const struct conf_proxy *conf = &proxy->conf->proxies[index];
	size_t n = conf->caps & CONF_CAP_BACK ? conf->servers_n : 0;
	int r = 0;

	be->conf = conf;
	be->index = index;
	be->proxy = proxy;
	be->servers = calloc(n ? n : 1, sizeof *be->servers);
	be->lb = calloc(n ? n : 1, sizeof(struct lb_server *));
	if (!be->servers || !be->lb) {
		free(be->servers);
		free(be->lb);
		be->servers = NULL;
		be->lb = NULL;
		return -ENOMEM;
	}
	be->servers_n = (uint32_t)n;
	pthread_mutex_init(&be->lock, NULL);
	be->checks = check_program_new(&conf->health);
	if (!be->checks) {
		backend_fini(be);
		be->servers = NULL;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < n; i++) {
		r |= server_init(&be->servers[i], be, i, number + i, now);
		be->lb[i] = &be->servers[i].lb;
	}
	be->farm.fullconn = conf->fullconn ? conf->fullconn : tenth_of_frontends(be);
	if (r < 0 || lb_farm_init(&be->farm, conf, be->lb, (uint32_t)n) < 0) {
		backend_fini(be);
		be->servers = NULL;
		return -ENOMEM;
	}
	pthread_mutex_lock(&be->lock);
	backend_publish(be);
	pthread_mutex_unlock(&be->lock);
	return 0;
}

void
backend_fini(struct backend *be)
{
	if (!be->servers)
		return;
	pthread_mutex_destroy(&be->lock);
	check_program_free(be->checks);
	for (uint32_t i = 0; i < be->servers_n; i++)
		check_program_free(be->servers[i].agent.program);
	lb_farm_fini(&be->farm);
	free(be->servers);
	free(be->lb);
}

void
backend_join_followers(struct proxy *proxy)
{
	/* Backwards, so that each list is in the file's order. */
	for (uint32_t i = proxy->proxies_n; i-- > 0;) {
		for (uint32_t k = proxy->backends[i].servers_n; k-- > 0;) {
			struct server *s = &proxy->backends[i].servers[k], *tracked;

			if (!s->conf->track)
				continue;
			tracked = &proxy->backends[s->conf->track_proxy]
					   .servers[s->conf->track_server];
			s->tracked = tracked;
			s->next_follower = tracked->followers;
			tracked->followers = s;
		}
	}
}

void
server_inherit(struct server *s, const struct server_health *health)
{
	struct backend *be = s->backend;

	pthread_mutex_lock(&be->lock);
	s->window.health = health->health;
	s->judged = health->judged;
	s->stopping = health->stopping;
	s->fallen = health->judged && (health->stopping || !check_window_up(&s->window));
	s->last = health->last;
	s->inherited = true;
	if (health->agent && s->agent.program) {
		s->agent.down = health->agent_down;
		s->agent.mode = health->agent_mode;
		server_agent_weigh(s, health->weight, health->changed);
		server_agent_limit(s, health->maxconn, health->changed);
	}
	/* A name that has been resolved here meanwhile is younger. */
	if (health->address.len && !atomic_load(&s->resolved)) {
		s->address = health->address;
		atomic_store(&s->resolved, true);
	}
	server_set_state(s, server_derive_state(s), health->changed);
	s->changed = health->changed;
	pthread_mutex_unlock(&be->lock);
}

void
backend_inherit(struct backend *be, bool usable)
{
	pthread_mutex_lock(&be->lock);
	for (uint32_t i = 0; i < be->servers_n; i++) {
		struct server *s = &be->servers[i];

		if (s->inherited || !s->conf->check)
			continue;
		/* One success from up: nobody takes it for the rescue of a backend that was down. */
		if (!usable && check_window_up(&s->window)) {
			s->window.health = s->window.rise - 1;
			server_set_state(s, server_derive_state(s), s->changed);
		}
		s->judged = true;
	}
	backend_publish(be);
	pthread_mutex_unlock(&be->lock);
}

uint32_t
server_check_interval_ms(struct server *s)
{
	const struct conf_server *conf = s->conf;
	uint32_t ms = conf->inter_ms ? conf->inter_ms : 2000;

	pthread_mutex_lock(&s->backend->lock);
	if (s->window.health == 0 && conf->downinter_ms)
		ms = conf->downinter_ms;
	else if (check_window_in_transition(&s->window) && conf->fastinter_ms)
		ms = conf->fastinter_ms;
	pthread_mutex_unlock(&s->backend->lock);
	return ms;
}
