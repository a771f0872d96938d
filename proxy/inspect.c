/*
 * inspect.c - see inspect.h.
 *
 * Rules are tried from the first one each time bytes have come: a verdict that is not there yet
 * stops them.  When nothing more will come in time (the delay is over, the side has closed, the
 * buffer is full) what is missing is missing, and there is a verdict.
 */
#include "proxy/inspect.h"

#include "proxy/access_log.h"
#include "proxy/acl.h"
#include "proxy/dial.h"
#include "proxy/extra.h"
#include "proxy/lb_hash.h"
#include "proxy/log_format.h"
#include "proxy/variable.h"

#include <errno.h>
#include <string.h>

enum { STAGE_FRONTEND, STAGE_BACKEND };

enum verdict { VERDICT_GO_ON, VERDICT_WAIT, VERDICT_REJECT };

/* ------------------------------------------------------------------ actions */

static void
set_address(struct session *s, enum conf_action action, struct sample *sample,
	    struct sample_room *room)
{
	bool port = action == CONF_ACTION_SET_SRC_PORT || action == CONF_ACTION_SET_DST_PORT;
	bool source = action == CONF_ACTION_SET_SRC || action == CONF_ACTION_SET_SRC_PORT;
	struct session_peer peer = source ? s->peer : extra_destination(s);
	struct session_extra *extra;

	if (!sample_cast(sample, port ? SAMPLE_INT : SAMPLE_IP, room))
		return;
	if (port)
		peer.port = (uint16_t)sample->number;
	else
		peer.ip = sample->ip;
	if (source) {
		s->peer = peer;
		return;
	}
	extra = extra_of(s);
	if (extra)
		extra->destination = peer;
}

static void
set_formatted(const struct sample_ctx *ctx, const struct conf_tcp_rule *rule)
{
	char text[SAMPLE_ROOM];
	struct sample sample;

	sample_text(&sample, SAMPLE_STR, text,
		    log_format_session(rule->format, ctx, text, sizeof text));
	variable_set(ctx, rule->variable, &sample, rule->when);
}

static void
capture(const struct sample_ctx *ctx, const struct conf_tcp_rule *rule)
{
	struct sample sample;

	if (sample_eval(ctx, rule->expr, 0, &sample) != SAMPLE_FOUND ||
	    !sample_cast(&sample, SAMPLE_STR, ctx->room))
		return;
	if (sample.len > (size_t)rule->level)
		sample.len = (size_t)rule->level;
	extra_set(ctx->session, rule->variable, &sample);
}

static void
set_level(struct session *s, int level)
{
	struct session_extra *extra = extra_of(s);

	if (!extra)
		return;
	extra->level_set = true;
	extra->level = level;
}

/* Does what a rule says beside accepting and rejecting. */
static void
act(const struct sample_ctx *ctx, const struct conf_tcp_rule *rule)
{
	struct session *s = ctx->session;
	struct sample sample;

	switch (rule->action) {
	case CONF_ACTION_SET_VAR:
		if (sample_eval(ctx, rule->expr, 0, &sample) == SAMPLE_FOUND)
			variable_set(ctx, rule->variable, &sample, rule->when);
		break;
	case CONF_ACTION_SET_VAR_FORMAT:
		set_formatted(ctx, rule);
		break;
	case CONF_ACTION_UNSET_VAR:
		variable_set(ctx, rule->variable, NULL, 0);
		break;
	case CONF_ACTION_SET_SRC:
	case CONF_ACTION_SET_SRC_PORT:
	case CONF_ACTION_SET_DST:
	case CONF_ACTION_SET_DST_PORT:
		if (sample_eval(ctx, rule->expr, 0, &sample) == SAMPLE_FOUND)
			set_address(s, rule->action, &sample, ctx->room);
		break;
	case CONF_ACTION_SET_LOG_LEVEL:
		set_level(s, rule->level);
		break;
	case CONF_ACTION_EXPECT_PROXY:
		s->awaits_header = true;
		break;
	case CONF_ACTION_CAPTURE:
		capture(ctx, rule);
		break;
	case CONF_ACTION_ACCEPT:
	case CONF_ACTION_REJECT:
	case CONF_ACTION_SILENT_DROP:
		break;
	}
}

static bool
ends_list(enum conf_action action)
{
	return action == CONF_ACTION_ACCEPT || action == CONF_ACTION_REJECT ||
	       action == CONF_ACTION_SILENT_DROP;
}

static enum verdict
run(const struct sample_ctx *ctx, const struct conf_proxy *proxy, const struct conf_rules *rules)
{
	bool about_content = rules == &proxy->request_rules || rules == &proxy->response_rules;

	for (size_t i = 0; i < rules->n; i++) {
		const struct conf_tcp_rule *rule = &rules->list[i];

		switch (acl_test(ctx, proxy, rule->condition)) {
		case ACL_FAIL:
			continue;
		case ACL_WAIT:
			return VERDICT_WAIT;
		case ACL_PASS:
			break;
		}
		if (about_content && ends_list(rule->action))
			ctx->session->last_rule = rule;
		if (rule->action == CONF_ACTION_ACCEPT)
			break;
		if (rule->action == CONF_ACTION_REJECT)
			return VERDICT_REJECT;
		if (rule->action == CONF_ACTION_SILENT_DROP) {
			ctx->session->vanish = true;
			return VERDICT_REJECT;
		}
		act(ctx, rule);
	}
	return VERDICT_GO_ON;
}

static void
reject(struct session *s)
{
	counter_add(&s->thread->fronts[s->frontend->index].denied, 1);
	session_close(s, SESSION_CAUSE_PROXY);
}

/* What the client has sent so far. */
static struct sample_ctx
client_bytes(struct session *s, struct sample_room *room, bool final)
{
	const struct buffer *b = s->up.buffer;

	room->turn = 0;
	return (struct sample_ctx){
		.session = s,
		.data = b ? (const char *)b->data + b->begin : "",
		.len = b ? b->end - b->begin : 0,
		.final = final,
		.room = room,
	};
}

/* ------------------------------------------------------------------ before any content */

/* Rules that look at no content; who is rejected here leaves no line in the log. */
static bool
admit(struct session *s, const struct conf_rules *rules)
{
	struct sample_room room;
	struct sample_ctx ctx = { .session = s, .final = true, .room = &room };

	room.turn = 0;
	if (rules->n == 0 || run(&ctx, s->frontend->conf, rules) == VERDICT_GO_ON)
		return true;
	s->logged = true;
	reject(s);
	return false;
}

bool
inspect_connection(struct session *s)
{
	s->unwelcome = true;
	if (!admit(s, &s->frontend->conf->connection_rules))
		return false;
	s->unwelcome = false;
	return true;
}

/* ------------------------------------------------------------------ where it goes */

/* The name that a format makes, looked up. */
static struct backend *
backend_by_format(const struct sample_ctx *ctx, const struct conf_format *format)
{
	char name[256];
	size_t len = log_format_session(format, ctx, name, sizeof name);

	return proxy_find_backend(ctx->session->thread->proxy, name, len);
}

/* The first use_backend whose condition holds and whose backend exists, else default_backend. */
static struct backend *
choose_backend(const struct sample_ctx *ctx)
{
	struct session *s = ctx->session;
	const struct conf_proxy *fe = s->frontend->conf;

	for (size_t i = 0; i < fe->use_backends_n; i++) {
		const struct conf_use *use = &fe->use_backends[i];
		struct backend *be;

		if (acl_test(ctx, fe, use->condition) != ACL_PASS)
			continue;
		if (!use->name)
			return &s->thread->proxy->backends[use->index];
		be = backend_by_format(ctx, use->name);
		/* One that does not exist leaves it to default_backend, as with HAProxy. */
		return be ? be : s->frontend->backend;
	}
	return s->frontend->backend;
}

static struct server *
server_by_format(const struct sample_ctx *ctx, const struct conf_format *format)
{
	struct backend *be = ctx->session->backend;
	char name[256];
	size_t len = log_format_session(format, ctx, name, sizeof name);

	for (uint32_t i = 0; i < be->servers_n; i++)
		if (strlen(be->servers[i].conf->name) == len &&
		    memcmp(be->servers[i].conf->name, name, len) == 0)
			return &be->servers[i];
	return NULL;
}

/* The first use-server whose condition holds and whose server is up. */
static void
choose_server(const struct sample_ctx *ctx)
{
	struct session *s = ctx->session;
	const struct conf_proxy *be = s->backend->conf;

	for (size_t i = 0; i < be->use_servers_n; i++) {
		const struct conf_use *use = &be->use_servers[i];
		struct server *server;

		if (acl_test(ctx, be, use->condition) != ACL_PASS)
			continue;
		server = use->name ? server_by_format(ctx, use->name)
				   : &s->backend->servers[use->index];
		if (server && atomic_load(&server->lb.usable)) {
			s->wish = server;
			return;
		}
	}
}

bool
inspect_hash(struct session *s, const struct conf_proxy *be, uint32_t *hash)
{
	struct sample_room room;
	struct sample_ctx ctx = client_bytes(s, &room, true);
	struct sample sample;

	if (sample_eval(&ctx, be->balance_expr, 0, &sample) != SAMPLE_FOUND ||
	    !sample_cast(&sample, SAMPLE_BIN, &room))
		return false;
	*hash = lb_hash_key(be, sample.data, sample.len);
	return true;
}

/* ------------------------------------------------------------------ the client's content */

static const struct conf_proxy *
stage_proxy(const struct session *s)
{
	return s->stage == STAGE_BACKEND ? s->backend->conf : s->frontend->conf;
}

/* Nothing more will come in time. */
static bool
is_final(const struct session *s)
{
	const struct buffer *b = s->up.buffer;
	uint32_t delay_ms = stage_proxy(s)->inspect_request_ms;

	return !delay_ms || (s->client.flags & CONN_EOF) || (b && b->end == sizeof b->data) ||
	       !mono_before(s->thread->loop.now, mono_add_ms(s->since, delay_ms));
}

/* The rules of this stage; true: they are through. */
static bool
stage_done(struct session *s)
{
	const struct conf_proxy *proxy = stage_proxy(s);
	struct sample_room room;
	struct sample_ctx ctx = client_bytes(s, &room, is_final(s));

	if (proxy->request_rules.n == 0)
		return true;
	switch (run(&ctx, proxy, &proxy->request_rules)) {
	case VERDICT_GO_ON:
		return true;
	case VERDICT_WAIT:
		break;
	case VERDICT_REJECT:
		reject(s);
		break;
	}
	return false;
}

static void
inspect(struct session *s)
{
	struct sample_room room;
	struct sample_ctx ctx;

	if (!stage_done(s))
		return;
	if (s->stage == STAGE_FRONTEND) {
		ctx = client_bytes(s, &room, true);
		session_assign(s, choose_backend(&ctx));
		s->stage = STAGE_BACKEND;
		if (s->backend && s->backend->conf != s->frontend->conf) {
			/* The backend's delay counts from here. */
			session_enter(s, SESSION_INSPECTING);
			if (!stage_done(s))
				return;
		}
	}
	if (s->backend && s->backend->conf->use_servers_n) {
		ctx = client_bytes(s, &room, true);
		choose_server(&ctx);
	}
	dial(s);
}

void
inspect_ready(struct session *s)
{
	int r = channel_fill(&s->up, &s->client, &s->thread->store, s->thread->loop.now);

	if (r < 0) {
		/* As HAProxy has it in its log: where it would have gone. */
		if (!s->backend)
			session_assign(s, s->frontend->backend);
		session_close(s, r == -ENOMEM ? SESSION_CAUSE_RESOURCE : SESSION_CAUSE_CLIENT);
		return;
	}
	inspect(s);
}

void
inspect_begin(struct session *s)
{
	if (!admit(s, &s->frontend->conf->session_rules))
		return;
	if (s->frontend->log_start)
		access_log_start(s);
	session_enter(s, SESSION_INSPECTING);
	inspect_ready(s);
}

struct mono
inspect_deadline(const struct session *s)
{
	uint32_t ms = stage_proxy(s)->inspect_request_ms;
	struct mono client = session_client_deadline(s), delay = { 0 };

	if (ms)
		delay = mono_add_ms(s->since, ms);
	if (!delay.ns || (client.ns && mono_before(client, delay)))
		return client;
	return delay;
}

void
inspect_expired(struct session *s)
{
	struct mono client = session_client_deadline(s);

	if (client.ns && !mono_before(s->thread->loop.now, client) && !is_final(s)) {
		if (!s->backend)
			session_assign(s, s->frontend->backend);
		session_close(s, SESSION_CAUSE_CLIENT_TIMEOUT);
		return;
	}
	inspect(s);
}

/* ------------------------------------------------------------------ the server's content */

static struct mono
answer_deadline(const struct session *s)
{
	uint32_t ms = s->backend->conf->inspect_response_ms;

	return ms ? mono_add_ms(s->since, ms) : (struct mono){ 0 };
}

struct mono
inspect_answer_deadline(const struct session *s, struct mono relay)
{
	struct mono delay = answer_deadline(s);

	return delay.ns && (!relay.ns || mono_before(delay, relay)) ? delay : relay;
}

enum inspect_result
inspect_answer(struct session *s, bool expired)
{
	const struct conf_proxy *be = s->backend->conf;
	int r = channel_fill(&s->down, &s->server, &s->thread->store, s->thread->loop.now);
	const struct buffer *b = s->down.buffer;
	struct sample_room room;
	struct sample_ctx ctx = { .session = s, .response = true, .room = &room };

	if (r < 0) {
		session_close(s, r == -ENOMEM ? SESSION_CAUSE_RESOURCE : SESSION_CAUSE_SERVER);
		return INSPECT_OVER;
	}
	room.turn = 0;
	ctx.data = b ? (const char *)b->data + b->begin : "";
	ctx.len = b ? b->end - b->begin : 0;
	ctx.final = expired || !be->inspect_response_ms || (s->server.flags & CONN_EOF) ||
		    (b && b->end == sizeof b->data);
	switch (run(&ctx, be, &be->response_rules)) {
	case VERDICT_GO_ON:
		return INSPECT_PASS;
	case VERDICT_WAIT:
		return INSPECT_WAIT;
	case VERDICT_REJECT:
		break;
	}
	reject(s);
	return INSPECT_OVER;
}

bool
inspect_wanted(const struct conf *conf, const struct conf_proxy *fe)
{
	const struct conf_proxy *be =
		fe->default_backend == CONF_NONE ? NULL : &conf->proxies[fe->default_backend];

	return fe->connection_rules.n || fe->session_rules.n || fe->request_rules.n ||
	       fe->use_backends_n || (be && (be->request_rules.n || be->use_servers_n));
}
