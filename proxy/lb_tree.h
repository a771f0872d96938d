/*
 * lb_tree.h - the best of many servers in O(log n): a tournament, shared by all threads.
 *
 * Every node holds the better of its two children, the root the winner.  A change of a server is
 * played again from its leaf to the root.  A match whose result was overtaken by another thread's is
 * played twice: if that is overtaken too, then by somebody who has seen our change.  No lock, no
 * allocation after lb_tree_new.
 *
 * A tree by merit knows who is to be chosen by balance leastconn or first.  A tree of slots knows
 * whose next slot opens at the lowest load, so that one with a slot is found behind any place.
 */
#pragma once

#include "proxy/lb.h"

enum lb_tree_kind { LB_TREE_MERIT, LB_TREE_SLOTS };

/* A tree over the farm's servers; NULL when out of memory. */
struct lb_tree *lb_tree_new(const struct lb_farm *farm, enum lb_tree_kind kind);
void lb_tree_free(struct lb_tree *tree);

/* Something that ranks the server has changed. */
void lb_tree_refresh(struct lb_tree *tree, const struct lb_server *server);

/*
 * By merit: the best that has not been tried; NULL = no such server is in play.  It may be full.  What has been
 * tried costs a match for each of its bits' ancestors, whatever the number of servers.
 */
struct lb_server *lb_tree_best(const struct lb_tree *tree, uint64_t tried);

/*
 * Of slots: the first at `index` or behind it that is in play and has one; NULL = none has.  The backup servers or
 * the others, as `backup` says.
 */
struct lb_server *lb_tree_next(const struct lb_tree *tree, uint32_t index, bool backup);
