/*
 * lb_set.c - the servers in play and the order in which they take turns.  Sets are built and freed
 * by the thread that uses them, when a server of the backend has changed.
 */
#include "proxy/lb.h"

#include "proxy/lb_hash.h"
#include "proxy/lb_schedule.h"

#include <errno.h>
#include <stdlib.h>

/* A round of the schedule is at most so long. */
#define ORDER_MAX (1 << 18)

/* Algorithms whose schedule is HAProxy's map, made of the file's weights. */
bool
lb_is_static(const struct conf_proxy *conf)
{
	return conf->balance == CONF_BALANCE_STATIC_RR ||
	       (lb_is_sticky(conf->balance) && !conf->hash_consistent);
}

static uint32_t
collect(struct lb_server **into, const struct lb_farm *farm, bool backup)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < farm->servers_n; i++)
		if (farm->servers[i]->backup == backup && lb_in_play(farm->servers[i]))
			into[found++] = farm->servers[i];
	return found;
}

static uint32_t
gcd(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* The static weights, made small.  Over all servers, not only those in play: a map must not depend
 * on who is down. */
static uint32_t
static_weights(const struct lb_set *set, uint32_t *weights)
{
	uint32_t unit = 0, total = 0;

	for (uint32_t i = 0; i < set->farm->servers_n; i++)
		unit = gcd(unit, set->farm->servers[i]->weight);
	for (uint32_t i = 0; i < set->servers_n; i++)
		total += weights[i] = set->servers[i]->weight / unit;
	return total;
}

/* The effective weights, made small, and no larger in all than a schedule is worth. */
static uint32_t
present_weights(const struct lb_set *set, uint32_t *weights)
{
	uint32_t unit = 0, total = 0;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < set->servers_n; i++) {
		weights[i] = atomic_load(&set->servers[i]->effective_weight);
		unit = gcd(unit, weights[i]);
		sum += weights[i];
	}
	if (unit && sum / unit > ORDER_MAX)
		unit = (uint32_t)(sum / ORDER_MAX);
	for (uint32_t i = 0; i < set->servers_n; i++) {
		weights[i] = weights[i] > unit ? weights[i] / unit : 1;
		total += weights[i];
	}
	return total;
}

/* Does the algorithm go by an order, if only for who has no key? */
static bool
has_order(enum conf_balance balance)
{
	switch (balance) {
	case CONF_BALANCE_ROUNDROBIN:
	case CONF_BALANCE_STATIC_RR:
	case CONF_BALANCE_SOURCE:
	case CONF_BALANCE_RDP_COOKIE:
	case CONF_BALANCE_HASH:
	case CONF_BALANCE_RANDOM:
		return true;
	case CONF_BALANCE_LEASTCONN:
	case CONF_BALANCE_FIRST:
	case CONF_BALANCE_P2C_EWMA:
		return false;
	}
	return false;
}

/* The round or map of the servers in play; 0 or -ENOMEM. */
static int
schedule(struct lb_set *set)
{
	uint32_t *weights;

	if (!has_order(set->farm->conf->balance))
		return 0;
	weights = calloc(set->servers_n + 1, sizeof *weights);
	if (!weights)
		return -ENOMEM;
	set->order_n = lb_is_static(set->farm->conf) ? static_weights(set, weights)
						     : present_weights(set, weights);
	set->order = calloc(set->order_n + 1, sizeof *set->order);
	if (set->order) {
		if (lb_is_static(set->farm->conf))
			lb_map(weights, set->servers_n, set->order);
		else
			lb_interleave(weights, set->servers_n, set->order);
	}
	free(weights);
	return set->order ? 0 : -ENOMEM;
}

static int
by_id(const void *a, const void *b)
{
	const struct lb_server *const *left = a, *const *right = b;

	return (*left)->id < (*right)->id ? -1 : (*left)->id > (*right)->id;
}

/* Into the order of their ids, in which they nearly always are. */
static void
sort_by_id(struct lb_server **servers, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		if (servers[i - 1]->id > servers[i]->id) {
			qsort(servers, n, sizeof(struct lb_server *), by_id);
			return;
		}
	}
}

struct lb_set *
lb_set_new(const struct lb_farm *farm, uint32_t generation)
{
	struct lb_set *set = calloc(1, sizeof *set);

	if (!set)
		return NULL;
	set->farm = farm;
	set->generation = generation;
	set->servers = calloc(farm->servers_n + 1, sizeof(struct lb_server *));
	if (!set->servers)
		goto fail;
	set->servers_n = collect(set->servers, farm, false);
	if (set->servers_n == 0) {
		set->servers_n = collect(set->servers, farm, true);
		if (set->servers_n > 1 && !farm->conf->allbackups)
			set->servers_n = 1;
	}
	if (farm->conf->balance == CONF_BALANCE_FIRST)
		sort_by_id(set->servers, set->servers_n);
	if (schedule(set) < 0)
		goto fail;
	if (lb_is_sticky(farm->conf->balance) && farm->conf->hash_consistent) {
		set->ring = lb_ring_new(set->servers, set->servers_n);
		if (!set->ring)
			goto fail;
	}
	return set;

fail:
	lb_set_free(set);
	return NULL;
}

void
lb_set_free(struct lb_set *set)
{
	if (!set)
		return;
	free(set->servers);
	free(set->order);
	lb_ring_free(set->ring);
	free(set);
}
