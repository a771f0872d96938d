/*
 * resolve.c - from what is written to what is meant: names become indexes, defaults that depend on
 * other directives are filled in.  Runs once all sources have been read.
 */
#include "conf/haproxy_probe.h"
#include "conf/nearest.h"
#include "conf/parser.h"
#include "conf/words_health.h"

#include <string.h>

/* ------------------------------------------------------------------ references */

/* The name of the index-th thing in a space, for hints; NULL = there is none. */
static const char *
name_at(const struct conf *conf, enum name_space space, size_t index)
{
	if (space == NAME_SCRIPT)
		return index < conf->scripts_n ? conf->scripts[index].name : NULL;
	if (space == NAME_TRACK_FILE)
		return index < conf->track_files_n ? conf->track_files[index].name : NULL;
	if (space == NAME_TRACK_PROCESS)
		return index < conf->track_processes_n ? conf->track_processes[index].name : NULL;
	return index < conf->instances_n ? conf->instances[index].name : NULL;
}

static const struct conf_name *
find_named(struct conf_parser *p, const struct conf_ref *ref, enum name_space space,
	   const char *what)
{
	const struct conf_name *found = names_find(&p->names, space, 0, ref->name);
	struct nearest nearest;
	const char *name;

	if (found)
		return found;
	conf_error(&p->reporter, ref->pos, "there is no %s `%.60s`", what, ref->name);
	if (!p->reporter.kept)
		return NULL;
	nearest = nearest_init(ref->name);
	for (size_t i = 0; (name = name_at(p->conf, space, i)) != NULL; i++)
		nearest_offer(&nearest, name);
	conf_hint_nearest(&p->reporter, &nearest);
	return NULL;
}

static const struct conf_name *
find_backend(struct conf_parser *p, const struct conf_ref *ref)
{
	const struct conf_name *found = names_find(&p->names, NAME_PROXY, CONF_CAP_BACK, ref->name);
	struct nearest nearest;

	if (found)
		return found;
	found = names_find(&p->names, NAME_PROXY, CONF_CAP_FRONT, ref->name);
	if (found) {
		conf_error(&p->reporter, ref->pos,
			   "`%.60s` is a frontend (%s): a backend or listen section is needed",
			   ref->name, conf_place(&p->reporter, ref->pos, found->pos));
		return NULL;
	}
	conf_error(&p->reporter, ref->pos, "there is no backend `%.60s`", ref->name);
	if (!p->reporter.kept)
		return NULL;
	nearest = nearest_init(ref->name);
	for (size_t i = 0; i < p->conf->proxies_n; i++)
		if (p->conf->proxies[i].caps & CONF_CAP_BACK)
			nearest_offer(&nearest, p->conf->proxies[i].name);
	conf_hint_nearest(&p->reporter, &nearest);
	return NULL;
}

/* What says nothing of a weight has that of what it tracks. */
static void
resolve_track(struct conf *conf, const struct conf_ref *ref, enum conf_track_kind kind,
	      uint32_t index)
{
	struct conf_track_list *lists =
		ref->of_group ? conf->groups[ref->owner].track : conf->instances[ref->owner].track;
	struct conf_track *track = &lists[kind].at[ref->slot];

	track->index = index;
	if (track->weight_given)
		return;
	if (kind == CONF_TRACK_SCRIPT) {
		track->weight = conf->scripts[index].weight;
		track->reverse = conf->scripts[index].reverse;
	} else if (kind == CONF_TRACK_FILE) {
		track->weight = conf->track_files[index].weight;
		track->reverse = conf->track_files[index].reverse;
	} else if (kind == CONF_TRACK_PROCESS) {
		track->weight = conf->track_processes[index].weight;
		track->reverse = conf->track_processes[index].reverse;
	}
}

/* Of the backend itself. */
static const struct conf_name *
find_server(struct conf_parser *p, const struct conf_ref *ref)
{
	const struct conf_name *found = names_find(&p->names, NAME_SERVER, ref->owner, ref->name);
	const struct conf_proxy *proxy = &p->conf->proxies[ref->owner];
	struct nearest nearest;

	if (found)
		return found;
	conf_error(&p->reporter, ref->pos, "there is no server `%.60s` in this section", ref->name);
	if (!p->reporter.kept)
		return NULL;
	nearest = nearest_init(ref->name);
	for (size_t i = 0; i < proxy->servers_n; i++)
		nearest_offer(&nearest, proxy->servers[i].name);
	conf_hint_nearest(&p->reporter, &nearest);
	return NULL;
}

static void
resolve_backend(struct conf *conf, const struct conf_ref *ref, uint32_t index)
{
	const struct conf_track_backend_list *list =
		ref->of_group ? &conf->groups[ref->owner].track_backends
			      : &conf->instances[ref->owner].track_backends;

	list->at[ref->slot].backend = index;
}

static const struct conf_name *
find(struct conf_parser *p, const struct conf_ref *ref)
{
	switch (ref->kind) {
	case CONF_REF_SCRIPT:
		return find_named(p, ref, NAME_SCRIPT, "vrrp_script");
	case CONF_REF_FILE:
		return find_named(p, ref, NAME_TRACK_FILE, "track_file");
	case CONF_REF_PROCESS:
		return find_named(p, ref, NAME_TRACK_PROCESS, "vrrp_track_process");
	case CONF_REF_MEMBER:
		return find_named(p, ref, NAME_INSTANCE, "vrrp_instance");
	case CONF_REF_USE_SERVER:
		return find_server(p, ref);
	case CONF_REF_BACKEND:
	case CONF_REF_DEFAULT_BACKEND:
	case CONF_REF_USE_BACKEND:
		break;
	}
	return find_backend(p, ref);
}

static void
resolve_refs(struct conf_parser *p)
{
	struct conf *conf = p->conf;

	for (size_t i = 0; i < p->refs_n; i++) {
		const struct conf_ref *ref = &p->refs[i];
		const struct conf_name *name = find(p, ref);

		if (!name)
			continue;
		switch (ref->kind) {
		case CONF_REF_SCRIPT:
			resolve_track(conf, ref, CONF_TRACK_SCRIPT, name->index);
			break;
		case CONF_REF_FILE:
			resolve_track(conf, ref, CONF_TRACK_FILE, name->index);
			break;
		case CONF_REF_PROCESS:
			resolve_track(conf, ref, CONF_TRACK_PROCESS, name->index);
			break;
		case CONF_REF_BACKEND:
			resolve_backend(conf, ref, name->index);
			break;
		case CONF_REF_MEMBER:
			conf->groups[ref->owner].members[ref->slot] = name->index;
			break;
		case CONF_REF_DEFAULT_BACKEND:
			conf->proxies[ref->owner].default_backend = name->index;
			break;
		case CONF_REF_USE_BACKEND:
			conf->proxies[ref->owner].use_backends[ref->slot].index = name->index;
			break;
		case CONF_REF_USE_SERVER:
			conf->proxies[ref->owner].use_servers[ref->slot].index = name->index;
			break;
		}
	}
}

/* ------------------------------------------------------------------ instances */

static struct conf_pos
given_or(const struct conf_parser *p, struct conf_range range, const char *name,
	 struct conf_pos otherwise)
{
	const struct conf_pos *pos = parser_given(p, range, name);

	return pos ? *pos : otherwise;
}

/* keepalived, too, goes by the first address it advertises. */
static uint8_t
family_of(const struct conf_instance *instance)
{
	for (size_t i = 0; i < instance->vips_n; i++)
		if (!instance->vips[i].excluded)
			return instance->vips[i].ip.family;
	if (instance->unicast_src.family != AF_UNSPEC)
		return instance->unicast_src.family;
	if (instance->unicast_peers_n > 0)
		return instance->unicast_peers[0].ip.family;
	return instance->vips_n > 0 ? instance->vips[0].ip.family : AF_INET;
}

/* RFC 3768 knows no IPv6: vrrp_version does not hold for such an instance, as with keepalived. */
static void
resolve_version(struct conf_parser *p, struct conf_instance *instance,
		const struct instance_draft *draft)
{
	instance->family = family_of(instance);
	if (instance->version == 2 && instance->family == AF_INET6)
		conf_error(&p->reporter, given_or(p, draft->given, "version", instance->pos),
			   "version 2 has no IPv6 (keepalived makes up one of its own): write "
			   "`version 3` on all nodes");
	if (instance->family == AF_INET6)
		instance->version = 3;
	else if (instance->version == 0)
		instance->version = p->conf->vrrp_version;
}

/* RFC 3768 5.3.7 counts whole seconds in one octet, RFC 9568 5.2.7 hundredths in 12 bits. */
static void
resolve_interval(struct conf_parser *p, struct conf_instance *instance,
		 const struct instance_draft *draft)
{
	struct conf_pos pos = given_or(p, draft->given, "advert_int", instance->pos);
	uint32_t us = draft->advert_int_us, unit = instance->version == 2 ? 1000000 : 10000;
	uint32_t rounded = (us + unit / 2) / unit * unit;

	if (rounded == 0)
		rounded = unit;
	if (rounded != us)
		conf_warning(&p->reporter, pos,
			     instance->version == 2
				     ? "version 2 counts whole seconds: `advert_int` is rounded to "
				       "%g (`version 3` allows hundredths)"
				     : "version 3 counts hundredths of a second: `advert_int` is "
				       "rounded to %g",
			     rounded / 1e6);
	instance->advert_int_cs = rounded / 10000;
	if (instance->version == 3 && instance->advert_int_cs > 4095)
		conf_error(&p->reporter, pos, "version 3 allows `advert_int` up to 40.95 seconds");
}

/* One file may serve both nodes: the list of peers may name the node itself. */
static void
resolve_peers(struct conf_parser *p, struct conf_instance *instance, struct instance_draft *draft)
{
	struct conf_pos pos = given_or(p, draft->given, "unicast_peer", instance->pos);
	size_t kept = 0;

	for (size_t i = 0; i < instance->unicast_peers_n; i++)
		if (instance->unicast_src.family == AF_UNSPEC ||
		    !ip_equal(&instance->unicast_peers[i].ip, &instance->unicast_src))
			instance->unicast_peers[kept++] = instance->unicast_peers[i];
	if (kept == instance->unicast_peers_n)
		return;
	instance->unicast_peers_n = kept;
	draft->own_peer_told = true;
	if (kept > 0)
		conf_warning(&p->reporter, pos,
			     "`unicast_peer` names this node's own `unicast_src_ip`, which is left "
			     "out");
	else
		conf_error(&p->reporter, pos,
			   "`unicast_peer` names this node's own `unicast_src_ip` and no other");
}

/* keepalived does without authentication in these cases, and a pair must agree. */
static void
resolve_authentication(struct conf_parser *p, struct conf_instance *instance,
		       const struct instance_draft *draft)
{
	static const uint8_t empty[sizeof instance->auth_data];
	struct conf_pos pos = given_or(p, draft->given, "authentication", instance->pos);

	if (instance->auth == CONF_AUTH_NONE)
		return;
	if (instance->version == 3)
		conf_warning(&p->reporter, pos,
			     "version 3 has no authentication: it is ignored, as with keepalived");
	else if (memcmp(instance->auth_data, empty, sizeof empty) != 0)
		return;
	else if (!draft->empty_pass_told)
		conf_warning(&p->reporter, pos,
			     "the password is empty: there is no authentication, as with "
			     "keepalived");
	instance->auth = CONF_AUTH_NONE;
	memset(instance->auth_data, 0, sizeof instance->auth_data);
}

static void
resolve_instance(struct conf_parser *p, size_t index)
{
	struct conf_instance *instance = &p->conf->instances[index];
	struct instance_draft *draft = &p->instances[index];

	resolve_version(p, instance, draft);
	resolve_interval(p, instance, draft);
	resolve_vips(p, instance);
	resolve_peers(p, instance, draft);
	resolve_authentication(p, instance, draft);
	resolve_behaviour(p, instance, draft);
	resolve_hmac(p, instance);
}

/* ------------------------------------------------------------------ proxies and scripts */

/* A server without an id has its place in the list, if no other took that number. */
static void
number_servers(struct conf_parser *p, uint32_t index)
{
	struct conf_proxy *proxy = &p->conf->proxies[index];
	uint32_t next = (uint32_t)proxy->servers_n + 1;
	const struct conf_name *first;

	for (size_t i = 0; i < proxy->servers_n; i++) {
		struct conf_server *server = &proxy->servers[i];

		if (server->id == 0)
			continue;
		first = names_add(&p->names, NAME_SERVER_ID, index,
				  arena_printf(p->arena, "%u", server->id), (uint32_t)i,
				  server->pos);
		if (first)
			conf_error(&p->reporter, server->pos,
				   "server `%.60s` has the id %u of the one at %s", server->name,
				   server->id, conf_place(&p->reporter, server->pos, first->pos));
	}
	for (size_t i = 0; i < proxy->servers_n; i++) {
		struct conf_server *server = &proxy->servers[i];
		uint32_t id = (uint32_t)i + 1;

		if (server->id)
			continue;
		while (names_add(&p->names, NAME_SERVER_ID, index, arena_printf(p->arena, "%u", id),
				 (uint32_t)i, server->pos))
			id = next++;
		server->id = id;
	}
}

static void
resolve_proxies(struct conf_parser *p)
{
	struct conf *conf = p->conf;

	for (uint32_t i = 0; i < conf->proxies_n; i++) {
		const struct proxy_draft *draft = &p->proxies[i];
		struct conf_word word = { .text = draft->default_backend,
					  .pos = draft->default_backend_pos };

		if (word.text)
			parser_refer(p, CONF_REF_DEFAULT_BACKEND, &word, i);
		else if (conf->proxies[i].caps == (CONF_CAP_FRONT | CONF_CAP_BACK))
			conf->proxies[i].default_backend = i;
		number_servers(p, i);
		if (conf->proxies[i].servers_n > 0)
			health_compile(p->arena, &conf->proxies[i].health);
		for (size_t k = 0; k < conf->proxies[i].servers_n; k++)
			health_compile_agent(p->arena, &conf->proxies[i].servers[k]);
	}
}

/* The system's resolver needs files of the host, at any time. */
static void
resolve_chroot(struct conf_parser *p)
{
	struct conf *conf = p->conf;

	for (size_t i = 0; i < conf->proxies_n && conf->chroot; i++)
		for (size_t j = 0; j < conf->proxies[i].servers_n && conf->chroot; j++) {
			const struct conf_server *server = &conf->proxies[i].servers[j];

			if (server->address.len || !server->host)
				continue;
			conf_warning(
				&p->reporter, server->pos,
				"server `%.60s` has a name (`%.60s`), which could not be looked "
				"up after `chroot`: the root directory stays the host's",
				server->name, server->host);
			conf->chroot = NULL;
		}
}

static void
replace_scripts(struct conf_parser *p)
{
	struct conf *conf = p->conf;

	if (!conf_has_listener(conf))
		return;
	for (size_t i = 0; i < conf->scripts_n; i++) {
		struct conf_script *script = &conf->scripts[i];

		script->replaced = script->command && haproxy_probe(script->command);
		if (script->replaced)
			conf_notice(
				&p->reporter, script->pos,
				"`%.60s` only asks whether haproxy runs (`%.80s`): the proxy in "
				"this process answers, without a script",
				script->name, script->command);
	}
}

void
resolve_all(struct conf_parser *p)
{
	resolve_proxies(p);
	resolve_refs(p);
	resolve_servers(p);
	resolve_expressions(p);
	resolve_chroot(p);
	replace_scripts(p);
	resolve_defaults(p);
	for (size_t i = 0; i < p->conf->instances_n; i++)
		resolve_instance(p, i);
	resolve_vmacs(p);
	resolve_groups(p);
	resolve_tracking(p);
	resolve_group_tracks(p);
	resolve_leases(p);
	resolve_paths(p);
	resolve_links(p);
}
