/*
 * grouped.h - one node, 10.0.1.11 and 10.0.2.11, with instances VI_1 on eth1 and VI_2 on eth2 in group
 * G, version 3 at 100 ms, priority 100, and a third interface wg0 that is not there yet.
 *
 * What the node does is a trace of words: the instance's number, then a letter as in world.h (c r 0
 * and the states); "G" and a letter for the group as a whole.
 */
#pragma once

#include "world.h"

#define DOWN_MS 400 /* longer than the down interval */

extern struct conf_interface interfaces[3];
extern struct ip peers[2];
extern struct conf_script script;
extern struct conf_track track;
extern struct conf_track_process process;
extern struct conf_instance instances[2];
extern struct conf conf;
extern struct vrrp *vrrp;
extern struct timer_heap timers;
extern struct mono now;
extern char trace[8192];

int grouped_setup(void **state);
int grouped_teardown(void **state);

#define GROUPED(test) cmocka_unit_test_setup_teardown(test, grouped_setup, grouped_teardown)

/* The engine, which knows of no link yet and was not started. */
void grouped_new(void);
/* Both links are up; nothing is heard. */
void grouped_start(void);
/* The same, until both are master; forgets the trace. */
void grouped_become_master(void);

void link_is(uint32_t interface, bool up);
void run_ms(int64_t ms);

/* An advertisement from .12 on the instance's link; or on both every 50 ms, for so long. */
void hear(uint32_t instance, uint8_t priority);
void hear_both_ms(int64_t ms, uint8_t first, uint8_t second);

/* The trace is this, and is then forgotten. */
void expect(const char *expected);
/* What status says about an instance. */
void why_is(uint32_t instance, const char *expected);
