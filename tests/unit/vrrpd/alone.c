/*
 * alone.c - the node of alone.h.
 */
#include "alone.h"

#include <stdlib.h>

struct world *world;
struct node *node;

int
alone_setup(void **state)
{
	world = calloc(1, sizeof *world);
	assert_non_null(world);
	node = world_add(world, 100);
	return 0;
}

int
alone_teardown(void **state)
{
	world_free(world);
	return 0;
}

void
assert_state(enum vrrp_state state)
{
	assert_string_equal(vrrp_state_name(node_state(node)), vrrp_state_name(state));
}

void
assert_why(const char *expected)
{
	assert_string_equal(node_view(node).why, expected);
}

int
until(enum vrrp_state state)
{
	return WORLD_RUN_UNTIL(world, node_state(node) == state, 60000);
}

void
become_master(void)
{
	node_start(node);
	assert_int_not_equal(until(VRRP_STATE_MASTER), -1);
	world_run_ms(world, 1);
	node_forget(node);
}

void
follow(uint8_t priority)
{
	node_start(node);
	node_hear(node, 12, priority);
	node_forget(node);
}

unsigned
count(char letter)
{
	unsigned n = 0;

	for (const char *c = node->trace; *c; c++)
		n += *c == letter;
	return n;
}
