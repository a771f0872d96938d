/*
 * lb_farm.c - a backend's servers, in their crews: made before the threads start.
 */
#include "proxy/lb_tree.h"

#include <errno.h>
#include <stdlib.h>

static int
compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int
by_index(const void *a, const void *b)
{
	const struct lb_server *const *left = a, *const *right = b;

	return compare((*left)->index, (*right)->index);
}

static int
by_id(const void *a, const void *b)
{
	const struct lb_server *const *left = a, *const *right = b;

	return compare((*left)->id, (*right)->id);
}

/* Those who open in the order of their load together, and of these those who share a bit of `tried`:
 * what lb_tree_least leaves out is whole branches. */
static int
by_likeness(const void *a, const void *b)
{
	const struct lb_server *left = *(const struct lb_server *const *)a,
			       *right = *(const struct lb_server *const *)b;
	int r = compare(left->weight, right->weight);

	if (r == 0)
		r = compare(left->minconn, right->minconn);
	if (r == 0)
		r = compare(atomic_load(&left->maxconn), atomic_load(&right->maxconn));
	if (r == 0)
		r = compare(lb_bit(left), lb_bit(right));
	return r ? r : compare(left->index, right->index);
}

/* The crew's order; 0 or -ENOMEM. */
static int
muster(struct lb_crew *crew, struct lb_farm *farm)
{
	int (*order)(const void *a, const void *b) = by_index;

	crew->servers = calloc(farm->servers_n + 1ULL, sizeof(struct lb_server *));
	if (!crew->servers)
		return -ENOMEM;
	for (uint32_t i = 0; i < farm->servers_n; i++)
		if (&farm->crews[farm->servers[i]->backup] == crew)
			crew->servers[crew->n++] = farm->servers[i];
	if (farm->conf->balance == CONF_BALANCE_FIRST)
		order = by_id;
	if (farm->conf->balance == CONF_BALANCE_LEASTCONN)
		order = by_likeness;
	qsort(crew->servers, crew->n, sizeof(struct lb_server *),
	      crew->only_first ? by_index : order);
	for (uint32_t i = 0; i < crew->n; i++)
		crew->servers[i]->place = i;
	crew->tree = lb_tree_new(farm, crew->servers, crew->n);
	return crew->tree ? 0 : -ENOMEM;
}

int
lb_farm_init(struct lb_farm *farm, const struct conf_proxy *conf, struct lb_server *const *servers,
	     uint32_t n)
{
	bool grows = false;

	farm->conf = conf;
	farm->servers = servers;
	farm->servers_n = n;
	for (uint32_t i = 0; i < n; i++)
		grows |= servers[i]->minconn != 0;
	farm->counts = grows || conf->hash_balance_factor;
	farm->crews[LB_CREW_MAIN] = (struct lb_crew){ 0 };
	farm->crews[LB_CREW_BACKUP] = (struct lb_crew){ .only_first = !conf->allbackups };
	farm->changes_room = 64;
	while (farm->changes_room <= n)
		farm->changes_room *= 2;
	farm->changes = calloc(farm->changes_room, sizeof *farm->changes);
	if (farm->changes && muster(&farm->crews[LB_CREW_MAIN], farm) == 0 &&
	    muster(&farm->crews[LB_CREW_BACKUP], farm) == 0)
		return 0;
	lb_farm_fini(farm);
	return -ENOMEM;
}

void
lb_farm_fini(struct lb_farm *farm)
{
	for (int i = 0; i < LB_CREW_N; i++) {
		lb_tree_free(farm->crews[i].tree);
		free(farm->crews[i].servers);
		farm->crews[i] = (struct lb_crew){ 0 };
	}
	free(farm->changes);
	farm->changes = NULL;
}

void
lb_farm_refresh(struct lb_farm *farm, const struct lb_server *server)
{
	struct lb_tree *tree = farm->crews[server->backup].tree;
	uint32_t change = atomic_load(&farm->changes_n);

	lb_tree_reopen(tree, server);
	lb_tree_rank(tree, server);
	atomic_store(&farm->changes[change % farm->changes_room], server->index);
	atomic_store(&farm->changes_n, change + 1);
}
