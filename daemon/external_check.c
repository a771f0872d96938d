/*
 * external_check.c - see external_check.h.  Runs on the guardian's loop.
 */
#include "daemon/external_check.h"

#include "common/log.h"
#include "daemon/estate.h"
#include "daemon/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As HAProxy's code where a program cannot be executed. */
#define STATUS_NONE 255

#define VARIABLES 13
#define WORDS     4

struct external_check {
	struct external_checks *all;
	uint32_t proxy, server;
	struct script_program program;
	struct script_run run;
	uint32_t sessions;
	bool told;  /* of this run */
	bool again; /* asked for while it still ran */
};

/* ---- what it is told ---- */

struct place {
	char address[SOCK_ADDR_STRLEN], port[8];
};

/* "" where there is none. */
static void
describe_address(const struct sock_addr *address, const char *text, uint16_t port,
		 struct place *place)
{
	char ip[IP_STRLEN];
	struct ip number = sock_addr_ip(address);

	place->port[0] = '\0';
	if (address->len && number.family == AF_UNSPEC) {
		snprintf(place->address, sizeof place->address, "%s", text);
		return;
	}
	snprintf(place->address, sizeof place->address, "%s",
		 address->len ? ip_format(&number, ip) : text);
	snprintf(place->port, sizeof place->port, "%u", port);
}

static void
describe_proxy(const struct conf_proxy *proxy, struct place *place)
{
	*place = (struct place){ 0 };
	for (size_t i = 0; i < proxy->binds_n; i++) {
		const struct conf_bind *bind = &proxy->binds[i];

		if (bind->address.len) {
			describe_address(&bind->address, bind->text, sock_addr_port(&bind->address),
					 place);
			return;
		}
	}
}

static const char *
or_not_used(const char *text)
{
	return *text ? text : "NOT_USED";
}

/* ---- runs ---- */

static void
tell(struct external_check *check, int status, bool timed_out)
{
	const struct ans_external end = { .proxy = check->proxy,
					  .server = check->server,
					  .status = status,
					  .timed_out = timed_out };

	check->told = true;
	check->all->tell(check->all->ctx, &end);
}

static void
start(struct external_check *check)
{
	const struct conf_proxy *proxy = &check->all->conf->proxies[check->proxy];
	const struct conf_server *server = &proxy->servers[check->server];
	struct script_program program = check->program;
	char values[VARIABLES][320];
	const char *words[WORDS + 1];
	char *environment[VARIABLES + 1];
	struct place front, back;
	int n = 0, r;

	describe_proxy(proxy, &front);
	describe_address(&server->address, server->host ? server->host : "", server->port, &back);
#define SET(format, value) snprintf(values[n++], sizeof values[0], format, value)
	SET("PATH=%s", proxy->health.path ? proxy->health.path : "");
	SET("HAPROXY_PROXY_ADDR=%s", front.address);
	SET("HAPROXY_PROXY_ID=%u", check->proxy + 1);
	SET("HAPROXY_PROXY_NAME=%s", proxy->name);
	SET("HAPROXY_PROXY_PORT=%s", front.port);
	SET("HAPROXY_SERVER_ADDR=%s", back.address);
	SET("HAPROXY_SERVER_CURCONN=%u", check->sessions);
	SET("HAPROXY_SERVER_ID=%u", server->id);
	SET("HAPROXY_SERVER_MAXCONN=%u", server->maxconn);
	SET("HAPROXY_SERVER_NAME=%s", server->name);
	SET("HAPROXY_SERVER_PORT=%s", back.port);
	SET("HAPROXY_SERVER_PROTO=%s", "tcp");
	SET("HAPROXY_SERVER_SSL=%d", server->tls.on);
#undef SET
	for (int i = 0; i < n; i++)
		environment[i] = values[i];
	environment[n] = NULL;
	words[0] = or_not_used(front.address);
	words[1] = or_not_used(front.port);
	words[2] = or_not_used(back.address);
	words[3] = or_not_used(back.port);
	words[4] = NULL;
	program.environment = environment;
	check->told = false;
	r = program.words ? script_start(&check->run, &program, words,
					 conf_external_limit_ms(proxy, server), true)
			  : -ENOENT;
	if (r < 0)
		tell(check, STATUS_NONE, false);
}

static void
on_late(struct script_run *run)
{
	tell(run->ctx, 0, true);
}

static void
on_done(struct script_run *run, const struct script_end *end)
{
	struct external_check *check = run->ctx;

	if (!check->told)
		tell(check, end->signal ? -1 : end->status, false);
	if (!check->again)
		return;
	check->again = false;
	start(check);
}

/* ---- all of them ---- */

/* A program without a directory is looked for along `path` (NULL = nowhere), not along the guardian's. */
static bool
find_program(const char *command, const char *path, char *found, size_t size)
{
	snprintf(found, size, "%s", command);
	if (strchr(command, '/'))
		return true;
	while (path && *path) {
		size_t len = strcspn(path, ":");

		snprintf(found, size, "%.*s/%s", (int)len, path, command);
		if (access(found, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

static void
prepare(struct external_check *check, const struct script_owner *owner)
{
	const struct conf_proxy *proxy = &check->all->conf->proxies[check->proxy];
	char path[4096], line[sizeof path + 2], error[256] = "";
	const struct conf_command command = { .line = line };

	if (!find_program(proxy->health.command, proxy->health.path, path, sizeof path))
		snprintf(error, sizeof error, "%s is not there along `external-check path`",
			 proxy->health.command);
	/* It is one word, whatever stands in it. */
	snprintf(line, sizeof line, "'%s'", path);
	if (!error[0] &&
	    script_program_init(&check->program, &command, owner, error, sizeof error) == 0)
		return;
	log_error("External checks of server %s/%s fail: %s", proxy->name,
		  proxy->servers[check->server].name, error);
}

/* The user that the worker is; unlike scripts of VRRP these are never root's. */
static bool
find_owner(const struct conf *conf, struct script_owner *owner)
{
	struct sandbox_identity identity;
	char error[256];

	*owner = (struct script_owner){ .uid = geteuid(), .gid = getegid() };
	if (geteuid() != 0)
		return true;
	if (sandbox_resolve(conf->user, conf->group, &identity, error, sizeof error) < 0) {
		log_error("External checks fail: %s", error);
		return false;
	}
	owner->uid = identity.uid;
	owner->gid = identity.gid;
	return true;
}

/* One for each server that has such a check, without its program. */
static int
list_checks(struct external_checks *checks, struct loop *loop, const struct conf *conf)
{
	size_t n = 0;

	*checks = (struct external_checks){ .loop = loop, .conf = conf };
	for (size_t i = 0; i < conf->proxies_n; i++)
		for (size_t k = 0; k < conf->proxies[i].servers_n; k++)
			n += conf_server_is_external(&conf->proxies[i],
						     &conf->proxies[i].servers[k]);
	checks->at = calloc(n + 1, sizeof *checks->at);
	if (!checks->at)
		return -ENOMEM;
	for (uint32_t i = 0; i < conf->proxies_n; i++) {
		for (uint32_t k = 0; k < conf->proxies[i].servers_n; k++) {
			struct external_check *check = &checks->at[checks->n];

			if (!conf_server_is_external(&conf->proxies[i],
						     &conf->proxies[i].servers[k]))
				continue;
			checks->n++;
			check->all = checks;
			check->proxy = i;
			check->server = k;
			script_run_init(&check->run, loop, on_done, check);
			check->run.late = on_late;
		}
	}
	return 0;
}

int
external_checks_init(struct external_checks *checks, struct loop *loop, const struct conf *conf,
		     external_tell_fn *tell_fn, void *ctx)
{
	struct script_owner owner;
	int r = list_checks(checks, loop, conf);

	checks->tell = tell_fn;
	checks->ctx = ctx;
	if (r < 0 || checks->n == 0 || !find_owner(conf, &owner))
		return r;
	for (size_t i = 0; i < checks->n; i++)
		prepare(&checks->at[i], &owner);
	return 0;
}

void
external_checks_fini(struct external_checks *checks)
{
	for (size_t i = 0; i < checks->n; i++) {
		script_run_fini(&checks->at[i].run);
		script_program_fini(&checks->at[i].program);
	}
	free(checks->at);
	*checks = (struct external_checks){ 0 };
}

/* They are in the order of their indexes. */
static int
by_place(const void *wanted, const void *element)
{
	const struct req_external *w = wanted;
	const struct external_check *check = element;

	if (w->proxy != check->proxy)
		return w->proxy < check->proxy ? -1 : 1;
	return w->server < check->server ? -1 : w->server > check->server;
}

void
external_checks_run(struct external_checks *checks, const struct req_external *wanted)
{
	struct external_check *check =
		checks->n ? bsearch(wanted, checks->at, checks->n, sizeof *checks->at, by_place)
			  : NULL;

	if (!check)
		return;
	check->sessions = wanted->sessions;
	if (script_running(&check->run))
		check->again = true;
	else
		start(check);
}

void
external_checks_repeat(struct external_checks *checks, const struct external_checks *from)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct external_check *was = &from->at[i];

		if (script_running(&was->run) && (!was->told || was->again))
			external_checks_run(checks,
					    &(struct req_external){ .proxy = was->proxy,
								    .server = was->server,
								    .sessions = was->sessions });
	}
}

void
external_checks_estate(struct external_checks *checks, struct loop *loop, const struct conf *conf,
		       struct estate *e)
{
	estate_section(e, "external checks");
	if (!e->writing && list_checks(checks, loop, conf) < 0) {
		estate_fail(e, "out of memory");
		return;
	}
	estate_expect(e, checks->n);
	for (size_t i = 0; i < checks->n && !estate_failed(e); i++) {
		estate_u32(e, &checks->at[i].sessions, UINT32_MAX);
		estate_bool(e, &checks->at[i].told);
		estate_bool(e, &checks->at[i].again);
		script_run_estate(&checks->at[i].run, e);
	}
}
