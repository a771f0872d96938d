/*
 * resolve_track.c - which instance holds which address, and what is tracked without being asked for:
 * the backends behind what listens on the virtual addresses, and the links of the other interfaces
 * that addresses, routes and rules are on.
 *
 * A file may have many thousands of addresses and as many listeners, so who holds an address is
 * looked up in a sorted list of all.
 */
#include "conf/behaviour.h"
#include "conf/parser.h"

#include <stdlib.h>

static int
by_address(const void *a, const void *b)
{
	const struct conf_held *x = a, *y = b;
	int r = ip_cmp(&x->ip, &y->ip);

	if (r != 0)
		return r;
	return x->instance < y->instance ? -1 : x->instance > y->instance;
}

static void
list_held(struct conf_parser *p)
{
	const struct conf *conf = p->conf;

	for (uint32_t i = 0; i < conf->instances_n; i++)
		for (size_t j = 0; j < conf->instances[i].vips_n; j++)
			*ARENA_PUSH(p->arena, p->held, p->held_n) =
				(struct conf_held){ conf->instances[i].vips[j].ip, i };
	if (p->held_n > 0)
		qsort(p->held, p->held_n, sizeof *p->held, by_address);
}

const struct conf_held *
parser_held(const struct conf_parser *p, const struct ip *ip, size_t *n)
{
	size_t from = 0, to = p->held_n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (ip_cmp(&p->held[middle].ip, ip) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	for (*n = 0; from + *n < p->held_n && ip_equal(&p->held[from + *n].ip, ip);)
		++*n;
	return *n ? &p->held[from] : NULL;
}

/* Once for each, and only where no backend was named. */
static void
track(struct conf_parser *p, uint32_t index, uint32_t backend)
{
	struct conf_instance *instance = &p->conf->instances[index];
	const char *name = p->conf->proxies[backend].name;

	if (instance->track_backends.n > 0 && !instance->track_backends.at[0].implied)
		return;
	if (instance->group && instance->group->track_backends.n > 0)
		return;
	if (names_add(&p->names, NAME_TRACKED, index, name, backend, instance->pos))
		return;
	*ARENA_PUSH(p->arena, instance->track_backends.at, instance->track_backends.n) =
		(struct conf_track_backend){
			.pos = instance->pos,
			.backend = backend,
			.min = 1,
			.implied = true,
		};
}

/* A backend of a frontend is tracked by whoever holds what the frontend serves. */
static void
imply_backend(struct conf_parser *p, const struct conf_proxy *proxy, uint32_t backend)
{
	const struct conf_held *held;
	size_t n;

	if (backend == CONF_NONE || p->conf->proxies[backend].servers_n == 0)
		return;
	for (size_t i = 0; i < proxy->binds_n; i++) {
		struct ip ip = sock_addr_ip(&proxy->binds[i].address);

		if (ip_is_any(&ip))
			for (uint32_t j = 0; j < p->conf->instances_n; j++)
				track(p, j, backend);
		if (ip.family == AF_UNSPEC || ip_is_any(&ip))
			continue;
		held = parser_held(p, &ip, &n);
		for (size_t j = 0; j < n; j++)
			track(p, held[j].instance, backend);
	}
}

/* Those that a rule names; which one a name made of a request stands for is not known here. */
static void
imply_backends(struct conf_parser *p, const struct conf_proxy *proxy)
{
	imply_backend(p, proxy, proxy->default_backend);
	for (size_t i = 0; i < proxy->use_backends_n; i++)
		if (!proxy->use_backends[i].name)
			imply_backend(p, proxy, proxy->use_backends[i].index);
}

void
resolve_tracking(struct conf_parser *p)
{
	list_held(p);
	for (size_t i = 0; i < p->conf->proxies_n; i++)
		if (!p->conf->proxies[i].disabled)
			imply_backends(p, &p->conf->proxies[i]);
}

/* ------------------------------------------------------------------ links */

/* What lives on a link that is down reaches nobody: FAULT, whatever weight the link may have beside.
 * The instance's own has rules of its own (dont_track_primary). */
static void
need_link(struct conf_parser *p, struct conf_instance *instance, uint32_t interface,
	  struct conf_pos pos)
{
	struct conf_track_list *list = &instance->track[CONF_TRACK_INTERFACE];
	uint32_t base = interface == CONF_NONE ? interface : conf_base(p->conf, interface);

	if (base == CONF_NONE || base == instance->interface)
		return;
	for (size_t i = 0; i < list->n; i++)
		if (list->at[i].index == base && list->at[i].weight == 0)
			return;
	*ARENA_PUSH(p->arena, list->at, list->n) =
		(struct conf_track){ .pos = pos, .index = base, .implied = true };
}

static void
need_named(struct conf_parser *p, struct conf_instance *instance, const char *name,
	   struct conf_pos pos)
{
	if (name)
		need_link(p, instance, parser_interface(p, name), pos);
}

static void
need_links(struct conf_parser *p, struct conf_instance *instance)
{
	const struct conf_paths *paths = &instance->paths;

	for (size_t i = 0; i < instance->vips_n; i++)
		if (!instance->vips[i].no_track)
			need_link(p, instance, instance->vips[i].interface, instance->vips[i].pos);
	/* With several ways a route lives as long as one of them. */
	for (size_t i = 0; i < paths->routes_n; i++)
		if (!paths->routes[i].no_track && paths->routes[i].hops_n == 1)
			need_link(p, instance, paths->routes[i].hops[0].interface,
				  paths->routes[i].pos);
	for (size_t i = 0; i < paths->rules_n; i++) {
		const struct conf_rule *rule = &paths->rules[i];

		if (rule->no_track)
			continue;
		need_named(p, instance, rule->iif, rule->pos);
		need_named(p, instance, rule->oif, rule->pos);
	}
}

void
resolve_links(struct conf_parser *p)
{
	for (size_t i = 0; i < p->conf->instances_n; i++)
		if (p->conf->instances[i].interface != CONF_NONE)
			need_links(p, &p->conf->instances[i]);
}
