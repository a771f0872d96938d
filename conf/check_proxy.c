/*
 * check_proxy.c - cross-checks of proxies: what each directive alone cannot see.
 */
#include "conf/parser.h"

#include <string.h>

/* Of a backend: schedules count them in 16 bits. */
#define SERVERS_MAX 65535

static bool
same_place(struct conf_pos a, struct conf_pos b)
{
	return a.source == b.source && a.line == b.line && a.column == b.column;
}

/* `mode http` may stand in `defaults` once for many sections: it is refused once, there. */
static void
check_mode(struct conf_parser *p)
{
	struct conf_pos last = { 0 };

	for (size_t i = 0; i < p->proxies_n; i++) {
		const struct proxy_draft *draft = &p->proxies[i];

		if (draft->proxy.mode != CONF_MODE_HTTP || same_place(last, draft->mode_pos))
			continue;
		last = draft->mode_pos;
		conf_error(
			&p->reporter, last,
			"`mode http` comes with a later version (%s `%.60s` uses it): `mode tcp` "
			"balances connections",
			draft->kind, draft->proxy.name);
	}
}

static void
claim(struct conf_parser *p, const struct conf_bind *bind, const char *what)
{
	const struct conf_name *first;
	const char *key =
		arena_printf(p->arena, "%s%%%s", what, bind->interface ? bind->interface : "");

	first = names_add(&p->names, NAME_BIND, 0, key, 0, bind->pos);
	if (first)
		conf_error(&p->reporter, bind->pos, "`%.60s` is listened on already, at %s",
			   bind->text, conf_place(&p->reporter, bind->pos, first->pos));
}

static void
check_bind(struct conf_parser *p, const struct conf_bind *bind)
{
	struct ip ip = sock_addr_ip(&bind->address);
	struct ip any4 = { .family = AF_INET };
	struct sock_addr both;
	char buf[SOCK_ADDR_STRLEN];
	size_t held_n;

	if (bind->inherited_fd >= 0) {
		claim(p, bind, bind->text);
		return;
	}
	if (ip.family == AF_UNSPEC) {
		claim(p, bind, bind->text);
		return;
	}
	claim(p, bind, sock_addr_format(&bind->address, buf));
	if (bind->v4v6 && ip.family == AF_INET6 && ip_is_any(&ip)) {
		both = sock_addr_from_ip(&any4, sock_addr_port(&bind->address));
		claim(p, bind, sock_addr_format(&both, buf));
	}
	if (p->options->is_local && !ip_is_any(&ip) && !parser_held(p, &ip, &held_n) &&
	    !p->options->is_local(&ip))
		conf_warning(&p->reporter, bind->pos,
			     "`%.60s` is no address of this host and none of the virtual ones",
			     bind->text);
}

/* Does each connection of the checks say to which port? */
static bool
steps_have_ports(const struct conf_health *health)
{
	for (size_t i = 0; i < health->steps_n; i++)
		if (health->steps[i].kind == CONF_STEP_CONNECT && health->steps[i].port == 0)
			return false;
	return true;
}

static void
check_bind_tls(struct conf_parser *p, const struct conf_bind *bind)
{
	const struct conf_tls *tls = &bind->tls;

	if (!tls->on && tls->certs_n)
		conf_warning(&p->reporter, bind->pos,
			     "`%.60s` has a certificate but no `ssl`: connections are plain",
			     bind->text);
	if (tls->on && tls->certs_n == 0)
		conf_error(&p->reporter, bind->pos,
			   "`%.60s` has `ssl` but no certificate: `crt FILE` is missing",
			   bind->text);
	if (tls->on && tls->verify > CONF_TLS_VERIFY_NONE && !tls->ca.path)
		conf_error(&p->reporter, bind->pos,
			   "`%.60s` verifies clients by nobody's word: `ca-file FILE` is missing",
			   bind->text);
}

static void
check_server_tls(struct conf_parser *p, const struct conf_proxy *proxy,
		 const struct conf_server *server)
{
	const struct conf_tls *tls = &server->tls;
	enum conf_tls_verify verify = tls->verify ? tls->verify : p->conf->tls_server.verify;

	if (conf_server_wants_tls(proxy, server) && verify != CONF_TLS_VERIFY_NONE && !tls->ca.path)
		conf_error(
			&p->reporter, server->pos,
			"server `%.60s` is verified by nobody's word: `ca-file FILE` is missing, "
			"or `verify none`",
			server->name);
}

static void
check_server_source(struct conf_parser *p, const struct conf_proxy *proxy,
		    const struct conf_server *server)
{
	const struct conf_outbound *out =
		server->outbound.source.family ? &server->outbound : &proxy->outbound;
	uint8_t family = sock_addr_ip(&server->address).family, foreign = out->foreign.family;
	/* Beside `usesrc` it may say nothing at all. */
	uint8_t from = out->usesrc && ip_is_any(&out->source) ? AF_UNSPEC : out->source.family;

	if (family && ((from && from != family) || (foreign && foreign != family)))
		conf_error(&p->reporter, server->pos,
			   "server `%.60s` cannot be reached from its `source`: one is IPv4, the "
			   "other IPv6",
			   server->name);
}

static void
check_server(struct conf_parser *p, const struct conf_proxy *proxy,
	     const struct conf_server *server)
{
	bool unix_path = server->address.len && server->address.any.sa_family == AF_UNIX;

	check_server_tls(p, proxy, server);
	if (server->check && server->port_relative && server->check_port == 0 && !unix_path &&
	    !steps_have_ports(&proxy->health))
		conf_error(&p->reporter, server->pos,
			   "server `%.60s` has no port of its own: `check` needs `port N`",
			   server->name);
	if (server->agent_check && server->agent_port == 0)
		conf_error(&p->reporter, server->pos,
			   "server `%.60s` has `agent-check`, which needs `agent-port N`",
			   server->name);
	if (server->check && server->track)
		conf_error(&p->reporter, server->pos,
			   "server `%.60s` has both `check` and `track`: a server that follows "
			   "another has no checks of its own",
			   server->name);
	if (server->observe && !server->check)
		conf_warning(&p->reporter, server->pos,
			     "server `%.60s` has `observe` but no `check`: its errors do not count",
			     server->name);
	check_server_source(p, proxy, server);
	if (server->minconn > server->maxconn)
		conf_error(&p->reporter, server->pos,
			   "server `%.60s`: `minconn` %u is above its `maxconn` %u", server->name,
			   server->minconn, server->maxconn);
}

static void
check_proxy(struct conf_parser *p, const struct proxy_draft *draft, const struct conf_proxy *proxy)
{
	const struct conf *conf = p->conf;
	const struct conf_proxy *backend =
		proxy->default_backend == CONF_NONE ? NULL : &conf->proxies[proxy->default_backend];
	bool front = proxy->caps & CONF_CAP_FRONT;

	if (front && proxy->binds_n == 0 && p->sound)
		conf_warning(&p->reporter, proxy->pos,
			     "%s `%.60s` has no `bind` line: nobody can connect", draft->kind,
			     proxy->name);
	if (front && !backend && !draft->default_backend && !proxy->use_backends_n && p->sound)
		conf_warning(&p->reporter, proxy->pos,
			     "%s `%.60s` has no `default_backend`: connections are closed",
			     draft->kind, proxy->name);
	else if (front && backend && backend->servers_n == 0 && p->sound)
		conf_warning(&p->reporter, proxy->pos, "%s `%.60s` leads to no server", draft->kind,
			     proxy->name);
	if (proxy->servers_n > SERVERS_MAX)
		conf_error(&p->reporter, proxy->pos, "%s `%.60s` has %zu servers: at most %d",
			   draft->kind, proxy->name, proxy->servers_n, SERVERS_MAX);
	for (size_t i = 0; i < proxy->binds_n; i++) {
		check_bind(p, &proxy->binds[i]);
		check_bind_tls(p, &proxy->binds[i]);
	}
	for (size_t i = 0; i < proxy->servers_n; i++)
		check_server(p, proxy, &proxy->servers[i]);
}

/* HAProxy's rules: programs are run by express wish only. */
static void
check_external(struct conf_parser *p, const struct conf_proxy *proxy)
{
	bool checked = false;

	for (size_t i = 0; i < proxy->servers_n; i++)
		checked |= proxy->servers[i].check;
	if (proxy->health.type != CONF_HEALTH_EXTERNAL || !checked)
		return;
	if (!proxy->health.command)
		conf_error(
			&p->reporter, proxy->pos,
			"`%.60s` has `option external-check`, which needs `external-check command "
			"PROGRAM`",
			proxy->name);
	if (!p->conf->external_check)
		conf_error(
			&p->reporter, proxy->pos,
			"`%.60s` has `option external-check`, which needs `external-check` in the "
			"global section",
			proxy->name);
}

void
check_proxies(struct conf_parser *p)
{
	check_mode(p);
	for (size_t i = 0; i < p->proxies_n; i++) {
		if (p->conf->proxies[i].disabled)
			continue;
		check_proxy(p, &p->proxies[i], &p->conf->proxies[i]);
		check_external(p, &p->conf->proxies[i]);
	}
}
