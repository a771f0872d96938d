/*
 * lb_tree.c - the tournament of lb_tree.h.  Run by every proxy thread, and by those that change a
 * server's state.
 */
#include "proxy/lb_tree.h"

#include <stdlib.h>

#define NOBODY UINT32_MAX

struct lb_tree {
	const struct lb_farm *farm;
	uint32_t leaves_n; /* a power of two */
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
	full = atomic_load(&s->served) >= lb_limit(s);
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
better(const struct lb_tree *tree, const struct lb_server *a, const struct lb_server *b)
{
	enum rank rank_a = rank_of(a), rank_b = rank_of(b);

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
	return (int32_t)(atomic_load(&a->last_turn) - atomic_load(&b->last_turn)) < 0;
}

static uint32_t
winner_at(const struct lb_tree *tree, uint32_t node)
{
	if (node < tree->leaves_n)
		return (uint32_t)atomic_load(&tree->nodes[node]);
	node -= tree->leaves_n;
	return node < tree->farm->servers_n ? node : NOBODY;
}

static void
play(struct lb_tree *tree, uint32_t node)
{
	uint64_t before = atomic_load(&tree->nodes[node]);
	uint32_t left = winner_at(tree, 2 * node), right = winner_at(tree, 2 * node + 1);
	uint32_t winner = left;

	if (left == NOBODY || (right != NOBODY &&
			       better(tree, tree->farm->servers[right], tree->farm->servers[left])))
		winner = right;
	atomic_compare_exchange_strong(&tree->nodes[node], &before,
				       ((before >> 32) + 1) << 32 | winner);
}

struct lb_tree *
lb_tree_new(const struct lb_farm *farm)
{
	struct lb_tree *tree;
	uint32_t leaves_n = 2;

	while (leaves_n < farm->servers_n)
		leaves_n *= 2;
	tree = calloc(1, sizeof *tree + leaves_n * sizeof tree->nodes[0]);
	if (!tree)
		return NULL;
	tree->farm = farm;
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
	for (uint32_t node = (tree->leaves_n + server->index) / 2; node > 0; node /= 2) {
		play(tree, node);
		play(tree, node);
	}
}

struct lb_server *
lb_tree_best(const struct lb_tree *tree)
{
	uint32_t winner = winner_at(tree, 1);

	if (winner == NOBODY || rank_of(tree->farm->servers[winner]) == RANK_OUT)
		return NULL;
	return tree->farm->servers[winner];
}
