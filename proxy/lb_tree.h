/*
 * lb_tree.h - the best of many servers in O(log n): a tournament, shared by all threads.
 *
 * Every node holds the better of its two children, the root the winner.  A change of a server is
 * played again from its leaf to the root, each match twice: if both results were overtaken, then by
 * somebody who has seen our change.  No lock, no allocation after lb_tree_new.
 */
#pragma once

#include "proxy/lb.h"

/* A tree over the farm's servers for balance leastconn or first; NULL when out of memory. */
struct lb_tree *lb_tree_new(const struct lb_farm *farm);
void lb_tree_free(struct lb_tree *tree);

/* Something that ranks the server has changed. */
void lb_tree_refresh(struct lb_tree *tree, const struct lb_server *server);

/* The winner: NULL = no server is in play.  It may be full. */
struct lb_server *lb_tree_best(const struct lb_tree *tree);
