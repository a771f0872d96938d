/*
 * lab.h - a network namespace for one test process, and a configuration made by hand.
 *
 * A veth pair: tt0 with 10.9.0.1/24 is "this host", tt1 is the wire's other end.  Where the process
 * may not unshare, lab_enter ends it with status 77 (skipped).
 */
#pragma once

#include "common/loop.h"
#include "conf/model.h"

#define LAB_SKIPPED 77
#define LAB_HOST    "10.9.0.1"

void lab_enter(void);

/* "ip ARGUMENTS", which must succeed. */
void lab_ip(const char *arguments, ...) __attribute__((format(printf, 1, 2)));

/* One instance on tt0 with VIPs 10.9.1.1, 10.9.1.2, … /32, multicast, priority 100. */
struct conf *lab_conf(struct arena *arena, uint32_t vips_n, uint32_t lease_s);

/* The same instance for IPv6: VIPs fe80::1, fd09::1:1, fd09::1:2, … /128. */
void lab_ipv6(struct conf *conf);

/* Is the address on any interface, at any prefix length? */
bool lab_has(const char *address);

/* A packet socket that sees what arrives at tt1, and the next frame of this Ethernet type; 0 bytes
 * if there is none. */
int lab_capture(uint16_t ethertype);
size_t lab_next_frame(int fd, void *frame, size_t size);

/* Turns the loop until `done` says so; false after `ms` without. */
bool lab_turn_until(struct loop *loop, bool (*done)(void *ctx), void *ctx, int64_t ms);
