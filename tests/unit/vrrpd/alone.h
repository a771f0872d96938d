/*
 * alone.h - one node of priority 100 on the invented network, which hears what a test lets it hear.
 */
#pragma once

#include "world.h"

extern struct world *world;
extern struct node *node;

int alone_setup(void **state);
int alone_teardown(void **state);

#define ALONE(test) cmocka_unit_test_setup_teardown(test, alone_setup, alone_teardown)

void assert_state(enum vrrp_state state);

/* What status says about the node. */
void assert_why(const char *expected);

/* Runs until the node is in `state`; how long that took in ms, -1 after a minute. */
int until(enum vrrp_state state);

/* Starts the node and lets it become master by silence; forgets the trace. */
void become_master(void);

/* Starts the node and lets it hear a master at 10.0.0.12; forgets the trace. */
void follow(uint8_t priority);

/* How often a letter stands in the trace. */
unsigned count(char letter);
