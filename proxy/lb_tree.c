/*
 * lb_tree.c - the tournament of lb_tree.h.  Run by every proxy thread, and by those that change a
 * server's state.
 */
#include "proxy/lb_tree.h"

#include <stdlib.h>

#define NOBODY UINT32_MAX

/* Bits of a `tried` mask: so many servers share one in 64. */
#define BITS 64

struct lb_tree {
	const struct lb_farm *farm;
	enum lb_tree_kind kind;
	uint32_t leaves_n; /* a power of two, at least one for each bit */
	/*
	 * nodes[1] is the root, the children of i are 2i and 2i + 1.  Low half: a server's index; high half: counts
	 * the matches, so that a result is not taken for an older one of the same look.
	 */
	_Atomic uint64_t nodes[];
};

/* What comes before load: the lower the better. */
enum rank { RANK_FREE, RANK_FULL, RANK_BACKUP_FREE, RANK_BACKUP_FULL, RANK_OUT };

static enum rank
rank_of(const struct lb_server *s)
{
	bool full;

	if (!lb_in_play(s))
		return RANK_OUT;
	full = lb_opens_at(s, atomic_load(&s->served)) == LB_NEVER;
	if (s->backup)
		return full ? RANK_BACKUP_FULL : RANK_BACKUP_FREE;
	return full ? RANK_FULL : RANK_FREE;
}

/* Only the first backup server is used, unless the file says otherwise. */
static bool
by_place(const struct lb_tree *tree, enum rank rank)
{
	return rank >= RANK_BACKUP_FREE && !tree->farm->conf->allbackups;
}

static bool
has_more_merit(const struct lb_tree *tree, const struct lb_server *a, const struct lb_server *b)
{
	enum rank rank_a = rank_of(a), rank_b = rank_of(b);
	int32_t waited;

	if (by_place(tree, rank_a) && by_place(tree, rank_b) && rank_a != RANK_OUT &&
	    rank_b != RANK_OUT)
		return a->index < b->index;
	if (rank_a != rank_b)
		return rank_a < rank_b;
	if (tree->farm->conf->balance == CONF_BALANCE_FIRST)
		return a->id < b->id;
	if (lb_less_loaded(a, b))
		return true;
	if (lb_less_loaded(b, a))
		return false;
	/* Among equals it is the turn of who has waited longest. */
	waited = (int32_t)(atomic_load(&a->last_turn) - atomic_load(&b->last_turn));
	return waited ? waited < 0 : a->index < b->index;
}

/* What comes before the opening: backup servers hide behind the others, if these are in play. */
enum shelf { SHELF_FIRST, SHELF_BACKUP, SHELF_OUT };

static enum shelf
shelf_of(const struct lb_server *s)
{
	if (!lb_in_play(s))
		return SHELF_OUT;
	return s->backup ? SHELF_BACKUP : SHELF_FIRST;
}

static bool
opens_sooner(const struct lb_server *a, const struct lb_server *b)
{
	enum shelf shelf_a = shelf_of(a), shelf_b = shelf_of(b);

	if (shelf_a != shelf_b)
		return shelf_a < shelf_b;
	return lb_opens_at(a, atomic_load(&a->served)) < lb_opens_at(b, atomic_load(&b->served));
}

/* The winner of two, either of which may be nobody. */
static uint32_t
winner_of(const struct lb_tree *tree, uint32_t left, uint32_t right)
{
	const struct lb_server *a, *b;

	if (left == NOBODY || right == NOBODY)
		return left == NOBODY ? right : left;
	a = tree->farm->servers[left];
	b = tree->farm->servers[right];
	if (tree->kind == LB_TREE_MERIT ? has_more_merit(tree, b, a) : opens_sooner(b, a))
		return right;
	return left;
}

/*
 * Where the servers stand.  By merit those that share a bit have a subtree of their own, so that
 * what has been tried is left out by going round a few nodes; the slots are in the file's order.
 */
static uint32_t
leaf_of(const struct lb_tree *tree, uint32_t index)
{
	if (tree->kind == LB_TREE_SLOTS)
		return index;
	return index % BITS * (tree->leaves_n / BITS) + index / BITS;
}

static uint32_t
server_at(const struct lb_tree *tree, uint32_t leaf)
{
	uint32_t each = tree->leaves_n / BITS;
	uint32_t index = tree->kind == LB_TREE_SLOTS ? leaf : leaf % each * BITS + leaf / each;

	return index < tree->farm->servers_n ? index : NOBODY;
}

static uint32_t
winner_at(const struct lb_tree *tree, uint32_t node)
{
	if (node < tree->leaves_n)
		return (uint32_t)atomic_load(&tree->nodes[node]);
	return server_at(tree, node - tree->leaves_n);
}

/* False if another thread's result came between. */
static bool
play(struct lb_tree *tree, uint32_t node)
{
	uint64_t before = atomic_load(&tree->nodes[node]);
	uint32_t winner = winner_of(tree, winner_at(tree, 2 * node), winner_at(tree, 2 * node + 1));

	return atomic_compare_exchange_strong(&tree->nodes[node], &before,
					      ((before >> 32) + 1) << 32 | winner);
}

struct lb_tree *
lb_tree_new(const struct lb_farm *farm, enum lb_tree_kind kind)
{
	struct lb_tree *tree;
	uint32_t leaves_n = BITS;

	while (leaves_n < farm->servers_n)
		leaves_n *= 2;
	tree = calloc(1, sizeof *tree + leaves_n * sizeof tree->nodes[0]);
	if (!tree)
		return NULL;
	tree->farm = farm;
	tree->kind = kind;
	tree->leaves_n = leaves_n;
	for (uint32_t node = leaves_n - 1; node > 0; node--)
		play(tree, node);
	return tree;
}

void
lb_tree_free(struct lb_tree *tree)
{
	free(tree);
}

void
lb_tree_refresh(struct lb_tree *tree, const struct lb_server *server)
{
	for (uint32_t node = (tree->leaves_n + leaf_of(tree, server->index)) / 2; node > 0;
	     node /= 2) {
		play(tree, node);
		play(tree, node);
	}
}

/* The best below a node that has not been tried. */
static uint32_t
best_below(const struct lb_tree *tree, uint32_t node, uint64_t tried)
{
	uint32_t winner = winner_at(tree, node);

	if (winner == NOBODY || !(lb_bit(tree->farm->servers[winner]) & tried))
		return winner;
	/* From here on all below share the bit. */
	if (node >= BITS)
		return NOBODY;
	return winner_of(tree, best_below(tree, 2 * node, tried),
			 best_below(tree, 2 * node + 1, tried));
}

struct lb_server *
lb_tree_best(const struct lb_tree *tree, uint64_t tried)
{
	uint32_t best = best_below(tree, 1, tried), winner = winner_at(tree, 1);
	struct lb_server *const *servers = tree->farm->servers;

	if (best == NOBODY || rank_of(servers[best]) == RANK_OUT)
		return NULL;
	/* Who has tried all the others does not get at the backups, nor at the second of these. */
	if (best != winner && servers[best]->backup &&
	    (!servers[winner]->backup || !tree->farm->conf->allbackups))
		return NULL;
	return servers[best];
}

/* Has somebody below the node a slot, at this load? */
static bool
is_open(const struct lb_tree *tree, uint32_t node, enum shelf shelf, uint64_t load)
{
	uint32_t winner = winner_at(tree, node);
	const struct lb_server *s;

	if (winner == NOBODY)
		return false;
	s = tree->farm->servers[winner];
	return shelf_of(s) == shelf && lb_opens_at(s, atomic_load(&s->served)) <= load;
}

struct lb_server *
lb_tree_next(const struct lb_tree *tree, uint32_t index, bool backup)
{
	enum shelf shelf = backup ? SHELF_BACKUP : SHELF_FIRST;
	uint64_t load = lb_load(tree->farm);
	uint32_t node = tree->leaves_n + index;

	if (index >= tree->farm->servers_n)
		return NULL;
	/* Up, and to the next on the right, until there is one below; then down to the leftmost. */
	while (!is_open(tree, node, shelf, load)) {
		while (node % 2 == 1)
			node /= 2;
		if (node == 0)
			return NULL;
		node++;
	}
	while (node < tree->leaves_n) {
		node *= 2;
		if (!is_open(tree, node, shelf, load))
			node++;
	}
	/* Another thread may have taken the last one: then whoever is asked says so. */
	index = server_at(tree, node - tree->leaves_n);
	return index == NOBODY ? NULL : tree->farm->servers[index];
}
