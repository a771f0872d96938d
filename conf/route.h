/*
 * route.h - routes and rules of a configuration: what moves with an instance's addresses, and what
 * stays as long as the daemon runs.  Plain structs, part of the model.
 *
 * Numbers are the kernel's own (linux/rtnetlink.h, linux/fib_rules.h), so that the guardian passes
 * them on as they are.
 */
#pragma once

#include "common/addr.h"
#include "conf/pos.h"

#include <linux/rtnetlink.h>
#include <stddef.h>

/* Hops of one route.  A message to the kernel has room for so many. */
#define CONF_HOPS_MAX 16

struct conf_prefix {
	struct ip ip; /* AF_UNSPEC = none given */
	uint8_t len;
};

struct conf_hop {
	struct ip via;      /* AF_UNSPEC = none: directly on the interface */
	uint32_t interface; /* index; CONF_NONE = where the kernel finds `via` */
	uint16_t weight;    /* 1…256 */
	bool onlink;
};

struct conf_route {
	struct conf_pos pos;
	uint8_t family;
	uint8_t type; /* RTN_* */
	struct conf_prefix to, from;
	struct ip source; /* "src": of what this host begins; AF_UNSPEC = none */
	uint8_t tos;
	uint8_t scope; /* RT_SCOPE_* */
	bool scope_given, append, no_track;
	uint32_t table;                 /* 254 = main */
	uint32_t metric;                /* 0 = the kernel's default */
	uint32_t metrics[RTAX_MAX + 1]; /* RTAX_*; 0 = not set.  RTAX_LOCK is a bit mask of them */
	struct conf_hop *hops;
	size_t hops_n;
};

struct conf_rule {
	struct conf_pos pos;
	uint8_t family;
	bool invert, l3mdev, no_track;
	uint8_t action; /* FR_ACT_* */
	struct conf_prefix from, to;
	const char *iif, *oif; /* NULL = any */
	uint8_t tos;
	uint8_t ip_proto;    /* of the packet; 0 = any */
	uint32_t table;      /* of FR_ACT_TO_TBL */
	uint32_t target;     /* of FR_ACT_GOTO: a preference */
	uint32_t preference; /* 0 = the kernel's choice */
	bool fwmark_given;
	uint32_t fwmark, fwmask;
	bool uid_given;
	uint32_t uid_from, uid_to;
	uint16_t sport_from, sport_to; /* 0 = any */
	uint16_t dport_from, dport_to;
	int32_t suppress_prefix_len; /* -1 = none */
};

/* Routes and rules that come and go together: an instance's, or those that stay. */
struct conf_paths {
	struct conf_route *routes;
	size_t routes_n;
	struct conf_rule *rules;
	size_t rules_n;
};
