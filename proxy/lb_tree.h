/*
 * lb_tree.h - who of many servers has a slot, and who of these is the least loaded, in O(log n):
 * shared by all threads.
 *
 * Every node knows the best below it: the lowest load of the backend at which one of the servers has a
 * slot; and with balance leastconn also who is the least loaded.  What changes a server is told to its
 * leaf, and each node from there to the root looks at its children again: twice, if another thread's
 * look came between, for if that happens a second time then that thread has seen our change.  No
 * lock, no allocation after lb_tree_new.
 */
#pragma once

#include "proxy/lb.h"

/* Of fewer servers each is looked at: that costs less than to keep a tree. */
#define LB_TREE_FROM 32

/* A tree over servers of the farm, whose `place` is where they stand here.  NULL = out of memory. */
struct lb_tree *lb_tree_new(struct lb_farm *farm, struct lb_server *const *servers, uint32_t n);
void lb_tree_free(struct lb_tree *tree);

/* At which load the server has a slot has changed … */
void lb_tree_reopen(struct lb_tree *tree, const struct lb_server *server);

/* … and how much it is loaded, or its weight: of those that are loaded as much it is the last now.  Only balance
 * leastconn asks. */
void lb_tree_rank(struct lb_tree *tree, const struct lb_server *server);

/* The first at `place` or behind it that is in play and has a slot; NULL = none has. */
struct lb_server *lb_tree_next(const struct lb_tree *tree, uint32_t place);

/*
 * Balance leastconn: of those in play that have a slot and have not been tried the least loaded, and among equals the
 * one that has waited longest; NULL = there is none.
 *
 * Who is less loaded and yet full at this load of the backend (`minconn`) is gone round: as one where it stands among
 * servers of the same limits and weight, for there the least loaded one opens first.
 */
struct lb_server *lb_tree_least(const struct lb_tree *tree, uint64_t tried);
