/*
 * names.h - what has which name: a hash table in the arena, so that a file with many thousands of
 * servers is checked for duplicates in linear time.
 */
#pragma once

#include "conf/model.h"

/* Names live in spaces of their own; the scope (an index) tells owners within one apart. */
enum name_space {
	NAME_INTERFACE,
	NAME_SCRIPT,
	NAME_INSTANCE,
	NAME_GROUP,
	NAME_TRACK_FILE,
	NAME_TRACK_PROCESS,
	NAME_DEFAULTS,
	NAME_PROXY,  /* scope: one of CONF_CAP_* */
	NAME_SERVER, /* scope: the proxy */
	NAME_SERVER_ID,
	NAME_BIND,
	NAME_VRID, /* scope: the interface; with the family */
	NAME_VIP,
	NAME_TRACKED, /* a backend tracked unasked; scope: the instance */
	NAME_NOTICE,  /* notices given already */
	NAME_ACL,     /* scope: the section, as in parser.h */
	NAME_VARIABLE,
};

struct conf_name {
	enum name_space space;
	uint32_t scope;
	const char *name;
	uint32_t index;
	struct conf_pos pos;
	struct conf_name *next;
};

struct conf_names {
	struct arena *arena;
	struct conf_name **buckets;
	size_t buckets_n, names_n;
};

const struct conf_name *names_find(const struct conf_names *names, enum name_space space,
				   uint32_t scope, const char *name);

/* Adds a name, or returns who has it already (NULL = added).  `name` must outlive the table. */
const struct conf_name *names_add(struct conf_names *names, enum name_space space, uint32_t scope,
				  const char *name, uint32_t index, struct conf_pos pos);
