/*
 * resolve_server.c - whom a server with `track` follows.  Runs once all sources have been read.
 */
#include "conf/nearest.h"
#include "conf/parser.h"

#include <string.h>

/* Of servers that follow each other, the checked one at the end included. */
#define CHAIN_MAX 16

static const char *
proxy_name_at(const struct conf *conf, size_t index)
{
	return conf->proxies[index].caps & CONF_CAP_BACK ? conf->proxies[index].name : "";
}

/* The section that `BACKEND/SERVER` names, `own` for a bare SERVER; CONF_NONE after an error. */
static uint32_t
find_section(struct conf_parser *p, const struct conf_server *server, uint32_t own)
{
	const char *slash = strchr(server->track, '/'), *name;
	const struct conf_name *found;
	struct nearest nearest;

	if (!slash)
		return own;
	name = arena_printf(p->arena, "%.*s", (int)(slash - server->track), server->track);
	found = names_find(&p->names, NAME_PROXY, CONF_CAP_BACK, name);
	if (found)
		return found->index;
	conf_error(&p->reporter, server->pos,
		   "server `%.60s` cannot track `%.60s`: there is no backend `%.60s`", server->name,
		   server->track, name);
	nearest = nearest_init(name);
	for (size_t i = 0; i < p->conf->proxies_n; i++)
		nearest_offer(&nearest, proxy_name_at(p->conf, i));
	conf_hint_nearest(&p->reporter, &nearest);
	return CONF_NONE;
}

/* false after an error */
static bool
find_tracked(struct conf_parser *p, struct conf_server *server, uint32_t own)
{
	const char *slash = strchr(server->track, '/');
	const char *name = slash ? slash + 1 : server->track;
	uint32_t section = find_section(p, server, own);
	const struct conf_name *found;
	struct nearest nearest;

	if (section == CONF_NONE)
		return false;
	found = names_find(&p->names, NAME_SERVER, section, name);
	if (found) {
		server->track_proxy = section;
		server->track_server = found->index;
		return true;
	}
	conf_error(&p->reporter, server->pos,
		   "server `%.60s` cannot track `%.60s`: there is no server `%.60s`", server->name,
		   server->track, name);
	nearest = nearest_init(name);
	for (size_t i = 0; i < p->conf->proxies[section].servers_n; i++)
		nearest_offer(&nearest, p->conf->proxies[section].servers[i].name);
	conf_hint_nearest(&p->reporter, &nearest);
	return false;
}

/* The chain must end at a server that is checked. */
static void
check_chain(struct conf_parser *p, const struct conf_server *server)
{
	const struct conf_server *at = server;
	unsigned links = 0;

	while (at->track && ++links < CHAIN_MAX) {
		at = &p->conf->proxies[at->track_proxy].servers[at->track_server];
		if (at == server)
			break;
	}
	if (at->track && at == server)
		conf_error(&p->reporter, server->pos,
			   "server `%.60s` tracks itself, by way of `%.60s`", server->name,
			   server->track);
	else if (at->track)
		conf_error(&p->reporter, server->pos,
			   "server `%.60s` cannot track `%.60s`: no server that is checked is less "
			   "than %d servers away",
			   server->name, server->track, CHAIN_MAX);
	else if (!at->check)
		conf_error(&p->reporter, server->pos,
			   "server `%.60s` cannot track `%.60s`: `%.60s` has no `check` (%s)",
			   server->name, server->track, at->name,
			   conf_place(&p->reporter, server->pos, at->pos));
}

void
resolve_servers(struct conf_parser *p)
{
	struct conf *conf = p->conf;
	bool found = true;

	for (uint32_t i = 0; i < conf->proxies_n; i++)
		for (size_t k = 0; k < conf->proxies[i].servers_n; k++)
			if (conf->proxies[i].servers[k].track)
				found &= find_tracked(p, &conf->proxies[i].servers[k], i);
	for (uint32_t i = 0; found && i < conf->proxies_n; i++)
		for (size_t k = 0; k < conf->proxies[i].servers_n; k++)
			if (conf->proxies[i].servers[k].track)
				check_chain(p, &conf->proxies[i].servers[k]);
}
