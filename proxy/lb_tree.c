/*
 * lb_tree.c - the tree of lb_tree.h.  Run by every proxy thread, and by those that change a server's
 * state.
 */
#include "proxy/lb_tree.h"

#include <stdlib.h>

#define NOBODY UINT32_MAX

/* Children of a node.  The root is 1, the children of i begin at i * FAN; leaves are one level. */
#define FAN 4

/* What a node says is in the low half.  The high half counts, so that no look is taken for an older
 * one that came to the same. */
typedef _Atomic uint64_t node_word;

struct lb_tree {
	struct lb_farm *farm;
	struct lb_server *const *servers;
	uint32_t n;
	node_word *
		ranks; /* leastconn: by place, in the high half how loaded, in the low since when */
	/* NULL or 0 where there are few: */
	uint32_t leaves_n; /* a power of FAN */
	node_word *opens;  /* at which load, or LB_NEVER */
	/* … and without balance leastconn: */
	node_word *least; /* its place, or NOBODY */
	uint64_t *bits;   /* of a `tried` mask: those of all below */
};

static uint32_t
said_by(const node_word *node)
{
	return (uint32_t)atomic_load(node);
}

/* False if another thread's look came between. */
static bool
say(node_word *node, uint64_t before, uint32_t said)
{
	return atomic_compare_exchange_strong(node, &before, ((before >> 32) + 1) << 32 | said);
}

static uint32_t
opens_at(const struct lb_server *s)
{
	return lb_in_play(s) ? lb_opens_at(s, atomic_load(&s->served)) : LB_NEVER;
}

static uint32_t
opens_below(const struct lb_tree *tree, uint32_t node)
{
	uint32_t soonest = LB_NEVER;

	if (node >= tree->leaves_n)
		return opens_at(tree->servers[node - tree->leaves_n]);
	for (uint32_t child = node * FAN; child < (node + 1) * FAN; child++) {
		uint32_t opens = said_by(&tree->opens[child]);

		soonest = opens < soonest ? opens : soonest;
	}
	return soonest;
}

/* At which load the server at a place has a slot: as its leaf says, if it has one. */
static uint32_t
opens_place(const struct lb_tree *tree, uint32_t place)
{
	if (tree->opens)
		return said_by(&tree->opens[tree->leaves_n + place]);
	return opens_at(tree->servers[place]);
}

/* As HAProxy counts it: the idle are alike, whatever their weights; the others in whole parts, of which a
 * server with the highest weight gets one per session. */
static uint32_t
load_of(const struct lb_server *s)
{
	uint32_t weight = atomic_load(&s->effective_weight);
	uint32_t sessions = atomic_load(&s->served) + atomic_load(&s->queued);
	uint32_t most = UINT32_MAX / (256 * LB_WEIGHT_SCALE) - 1;

	if (sessions == 0 || weight == 0)
		return 0;
	return ((sessions < most ? sessions : most) + 1) * (256 * LB_WEIGHT_SCALE) / weight;
}

/* Threads that ask at once may get the same: then neither was the first. */
static uint32_t
next_turn(struct lb_farm *farm)
{
	uint32_t turn = atomic_load_explicit(&farm->turn, memory_order_relaxed) + 1;

	atomic_store_explicit(&farm->turn, turn, memory_order_relaxed);
	return turn;
}

/* Whoever's load has changed is the last of those that are loaded as much.  False if another thread came
 * between. */
static bool
rank_anew(struct lb_tree *tree, const struct lb_server *s)
{
	node_word *rank = &tree->ranks[s->place];
	uint64_t before = atomic_load(rank), load = load_of(s);

	return atomic_compare_exchange_strong(rank, &before, load << 32 | next_turn(tree->farm));
}

static bool
is_less(const struct lb_tree *tree, uint32_t a, uint32_t b)
{
	uint64_t left = atomic_load(&tree->ranks[a]), right = atomic_load(&tree->ranks[b]);
	int32_t waited = (int32_t)((uint32_t)left - (uint32_t)right);

	if (left >> 32 != right >> 32)
		return left < right;
	return waited ? waited < 0 : tree->servers[a]->index < tree->servers[b]->index;
}

/* Either may be nobody.  Who may never have one more, whatever the load, comes last. */
static uint32_t
lesser_of(const struct lb_tree *tree, uint32_t left, uint32_t right)
{
	bool never_left, never_right;

	if (left == NOBODY || right == NOBODY)
		return left == NOBODY ? right : left;
	never_left = opens_place(tree, left) == LB_NEVER;
	never_right = opens_place(tree, right) == LB_NEVER;
	if (never_left != never_right)
		return never_left ? right : left;
	return is_less(tree, right, left) ? right : left;
}

static uint32_t
least_below(const struct lb_tree *tree, uint32_t node)
{
	uint32_t least = NOBODY;

	for (uint32_t child = node * FAN; child < (node + 1) * FAN; child++)
		least = lesser_of(tree, least, said_by(&tree->least[child]));
	return least;
}

static bool
look_for_slots(struct lb_tree *tree, uint32_t node)
{
	uint64_t before = atomic_load(&tree->opens[node]);

	return say(&tree->opens[node], before, opens_below(tree, node));
}

static bool
look_for_least(struct lb_tree *tree, uint32_t node)
{
	uint64_t before = atomic_load(&tree->least[node]);

	return say(&tree->least[node], before, least_below(tree, node));
}

void
lb_tree_reopen(struct lb_tree *tree, const struct lb_server *server)
{
	if (!tree->opens)
		return;
	for (uint32_t node = tree->leaves_n + server->place; node > 0; node /= FAN)
		if (!look_for_slots(tree, node))
			look_for_slots(tree, node);
}

void
lb_tree_rank(struct lb_tree *tree, const struct lb_server *server)
{
	if (!tree->ranks)
		return;
	if (!rank_anew(tree, server))
		rank_anew(tree, server);
	for (uint32_t node = (tree->leaves_n + server->place) / FAN; tree->least && node > 0;
	     node /= FAN)
		if (!look_for_least(tree, node))
			look_for_least(tree, node);
}

/* Nodes of all levels lie between the root's and the last leaf's; some numbers are nobody's. */
static int
plant(struct lb_tree *tree)
{
	size_t nodes_n = 2ULL * tree->leaves_n;

	tree->opens = calloc(nodes_n, sizeof *tree->opens);
	if (!tree->opens)
		return -1;
	if (!tree->ranks)
		return 0;
	tree->least = calloc(nodes_n, sizeof *tree->least);
	tree->bits = calloc(nodes_n, sizeof *tree->bits);
	return tree->least && tree->bits ? 0 : -1;
}

static void
plant_leaf(struct lb_tree *tree, uint32_t place)
{
	uint32_t leaf = tree->leaves_n + place;
	bool empty = place >= tree->n;

	tree->opens[leaf] = empty ? LB_NEVER : opens_below(tree, leaf);
	if (!tree->least)
		return;
	tree->least[leaf] = empty ? NOBODY : place;
	for (uint32_t node = leaf; !empty && node > 0; node /= FAN)
		tree->bits[node] |= lb_bit(tree->servers[place]);
}

/* All as if they had been loaded as they are for ever. */
static int
rank_all(struct lb_tree *tree)
{
	if (tree->farm->conf->balance != CONF_BALANCE_LEASTCONN)
		return 0;
	tree->ranks = calloc(tree->n + 1ULL, sizeof *tree->ranks);
	for (uint32_t place = 0; tree->ranks && place < tree->n; place++)
		tree->ranks[place] = (uint64_t)load_of(tree->servers[place]) << 32;
	return tree->ranks ? 0 : -1;
}

struct lb_tree *
lb_tree_new(struct lb_farm *farm, struct lb_server *const *servers, uint32_t n)
{
	struct lb_tree *tree = calloc(1, sizeof *tree);

	if (!tree)
		return NULL;
	tree->farm = farm;
	tree->servers = servers;
	tree->n = n;
	if (rank_all(tree) < 0) {
		lb_tree_free(tree);
		return NULL;
	}
	if (n < LB_TREE_FROM)
		return tree;
	tree->leaves_n = FAN;
	while (tree->leaves_n < n)
		tree->leaves_n *= FAN;
	if (plant(tree) < 0) {
		lb_tree_free(tree);
		return NULL;
	}
	for (uint32_t place = 0; place < tree->leaves_n; place++)
		plant_leaf(tree, place);
	for (uint32_t level = tree->leaves_n / FAN; level > 0; level /= FAN) {
		for (uint32_t node = level; node < 2 * level; node++) {
			look_for_slots(tree, node);
			if (tree->least)
				look_for_least(tree, node);
		}
	}
	return tree;
}

void
lb_tree_free(struct lb_tree *tree)
{
	if (!tree)
		return;
	free(tree->ranks);
	free(tree->opens);
	free(tree->least);
	free(tree->bits);
	free(tree);
}

/* Of few. */
static struct lb_server *
next_of_few(const struct lb_tree *tree, uint32_t place, uint64_t load)
{
	while (place < tree->n && opens_place(tree, place) > load)
		place++;
	return place < tree->n ? tree->servers[place] : NULL;
}

struct lb_server *
lb_tree_next(const struct lb_tree *tree, uint32_t place)
{
	uint64_t load = lb_load(tree->farm);
	uint32_t node = tree->leaves_n + place;

	if (!tree->opens)
		return next_of_few(tree, place, load);
	if (place >= tree->n)
		return NULL;
	/* Up, and to the next on the right, until there is one below … */
	while (said_by(&tree->opens[node]) > load) {
		while (node % FAN == FAN - 1)
			node /= FAN;
		if (node <= 1)
			return NULL;
		node++;
	}
	/* … then down to the leftmost.  Another thread may have taken it: then the last says so. */
	while (node < tree->leaves_n) {
		node *= FAN;
		while (node % FAN < FAN - 1 && said_by(&tree->opens[node]) > load)
			node++;
	}
	place = node - tree->leaves_n;
	return place < tree->n ? tree->servers[place] : NULL;
}

/* The least loaded below the node of those who have a slot, at this load. */
static uint32_t
least_open(const struct lb_tree *tree, uint32_t node, uint64_t tried, uint64_t load)
{
	uint32_t least = said_by(&tree->least[node]), found = NOBODY;

	if (!(tree->bits[node] & ~tried) || said_by(&tree->opens[node]) > load)
		return NOBODY;
	if (!(lb_bit(tree->servers[least]) & tried) && opens_place(tree, least) <= load)
		return least;
	for (uint32_t child = node * FAN; node < tree->leaves_n && child < (node + 1) * FAN;
	     child++)
		found = lesser_of(tree, found, least_open(tree, child, tried, load));
	return found;
}

/* Of few. */
static uint32_t
least_of_few(const struct lb_tree *tree, uint64_t tried, uint64_t load)
{
	uint32_t least = NOBODY;

	for (uint32_t place = 0; place < tree->n; place++)
		if (!(lb_bit(tree->servers[place]) & tried) &&
		    (least == NOBODY || is_less(tree, place, least)) &&
		    opens_place(tree, place) <= load)
			least = place;
	return least;
}

struct lb_server *
lb_tree_least(const struct lb_tree *tree, uint64_t tried)
{
	uint64_t load = lb_load(tree->farm);
	uint32_t least =
		tree->least ? least_open(tree, 1, tried, load) : least_of_few(tree, tried, load);

	return least == NOBODY ? NULL : tree->servers[least];
}
