/*
 * vip.h - an address that an instance holds, or one that stays (static_ipaddress).  Part of the
 * model.
 */
#pragma once

#include "common/addr.h"
#include "conf/pos.h"

/* May an address be the source of what this host begins? */
enum conf_preferred {
	CONF_PREFERRED_DEFAULT, /* yes, unless it is an IPv6 host address */
	CONF_PREFERRED_ALWAYS,
	CONF_PREFERRED_NEVER,
};

struct conf_vip {
	struct conf_pos pos;
	struct ip ip;
	uint8_t prefix_len; /* 32/128 unless given */
	bool prefix_given;
	struct ip peer; /* the other end, whose prefix it is then; AF_UNSPEC = none */
	struct ip brd;  /* AF_UNSPEC = none */
	bool brd_auto;  /* "brd +": computed from the prefix */
	uint8_t scope;  /* RT_SCOPE_* ; RT_SCOPE_UNIVERSE (0) is the default */
	enum conf_preferred preferred;
	const char *label;  /* NULL = none */
	uint32_t interface; /* index; the instance's own unless `dev` said otherwise */
	bool excluded;      /* virtual_ipaddress_excluded: held, not advertised */
	bool use_vmac;      /* on a virtual interface of its own `dev` */
	bool no_track;      /* the link of its `dev` may be down */
};
