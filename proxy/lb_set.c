/*
 * lb_set.c - what a thread knows of who is in play.  Sets are made, followed and freed by the thread
 * whose they are.
 */
#include "proxy/lb.h"

#include <stdlib.h>

/* Algorithms whose schedule is HAProxy's map, made of the file's weights. */
bool
lb_is_static(const struct conf_proxy *conf)
{
	return conf->balance == CONF_BALANCE_STATIC_RR ||
	       (lb_is_sticky(conf->balance) && !conf->hash_consistent);
}

/* What the algorithm goes by, if only for who has no key. */
static enum lb_rota_kind
kind_of_turns(const struct conf_proxy *conf, const struct lb_crew *crew)
{
	if (crew->only_first)
		return LB_ROTA_ALIKE;
	switch (conf->balance) {
	case CONF_BALANCE_ROUNDROBIN:
	case CONF_BALANCE_STATIC_RR:
	case CONF_BALANCE_SOURCE:
	case CONF_BALANCE_RDP_COOKIE:
	case CONF_BALANCE_HASH:
	case CONF_BALANCE_RANDOM:
		return lb_is_static(conf) ? LB_ROTA_MAP : LB_ROTA_TURNS;
	case CONF_BALANCE_LEASTCONN:
	case CONF_BALANCE_FIRST:
	case CONF_BALANCE_P2C_EWMA:
		return LB_ROTA_ALIKE;
	}
	return LB_ROTA_ALIKE;
}

static enum lb_rota_kind
kind_of_ring(const struct conf_proxy *conf, const struct lb_crew *crew)
{
	if (lb_is_sticky(conf->balance) && conf->hash_consistent && !crew->only_first)
		return LB_ROTA_RING;
	return LB_ROTA_NONE;
}

struct lb_set *
lb_set_new(struct lb_farm *farm)
{
	struct lb_set *set = calloc(1, sizeof *set);
	int r = 0;

	if (!set)
		return NULL;
	set->farm = farm;
	set->followed = atomic_load(&farm->changes_n);
	for (int i = 0; i < LB_CREW_N; i++) {
		const struct lb_crew *crew = &farm->crews[i];

		r |= lb_rota_init(&set->turns[i], farm, crew, kind_of_turns(farm->conf, crew));
		r |= lb_rota_init(&set->rings[i], farm, crew, kind_of_ring(farm->conf, crew));
	}
	if (r == 0)
		return set;
	lb_set_free(set);
	return NULL;
}

void
lb_set_free(struct lb_set *set)
{
	if (!set)
		return;
	for (int i = 0; i < LB_CREW_N; i++) {
		lb_rota_fini(&set->turns[i]);
		lb_rota_fini(&set->rings[i]);
	}
	free(set);
}

/* What cannot follow is made anew: at once, or when its patience is at an end. */
static int
renew(struct lb_rota *rota)
{
	struct lb_rota outdated;
	int r;

	if (!rota->stale && !rota->aged)
		return 0;
	if (!rota->stale && rota->count && rota->patience) {
		rota->patience--;
		return 0;
	}
	outdated = *rota;
	r = lb_rota_init(rota, outdated.farm, outdated.crew, outdated.kind);
	lb_rota_fini(&outdated);
	return r;
}

int
lb_set_follow(struct lb_set *set)
{
	const struct lb_farm *farm = set->farm;
	uint32_t from = set->followed, now = atomic_load(&farm->changes_n);
	bool lost = now - from >= farm->changes_room;
	int r = 0;

	for (uint32_t i = from; i != now && !lost; i++) {
		uint32_t index = atomic_load(&farm->changes[i % farm->changes_room]);
		const struct lb_server *s = farm->servers[index];

		lb_rota_follow(&set->turns[s->backup], s);
		lb_rota_follow(&set->rings[s->backup], s);
	}
	/* Who has slept through more than is remembered looks at all of them; so does who is overtaken. */
	lost |= atomic_load(&farm->changes_n) - from >= farm->changes_room;
	for (int i = 0; i < LB_CREW_N; i++) {
		set->turns[i].stale |= lost;
		set->rings[i].stale |= lost;
		r |= renew(&set->turns[i]);
		r |= renew(&set->rings[i]);
	}
	set->aged = set->turns[LB_CREW_MAIN].aged || set->turns[LB_CREW_BACKUP].aged;
	set->followed = now;
	return r;
}
