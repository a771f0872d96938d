/*
 * words_conditional.c - use_backend, use-server, tcp-request and tcp-response.  Runs in whichever thread
 * loads a configuration.
 */
#include "conf/words_conditional.h"

#include "conf/expr_reader.h"
#include "conf/nearest.h"

#include <string.h>
#include <syslog.h>

const char *const *
rule_keep_words(struct conf_call *call, size_t from, size_t to, size_t *words_n)
{
	const char **words = arena_alloc(call->p->arena, (to - from + 1) * sizeof *words);

	for (size_t i = from; i < to; i++)
		words[i - from] = call->words[i].text;
	*words_n = to - from;
	return words;
}

void
rule_print_words(const struct conf_printer *pr, const char *const *words, size_t words_n)
{
	for (size_t i = 0; i < words_n; i++)
		print_word(pr, words[i]);
	print_end(pr);
}

/* The condition at words[at], if there is one; false after an error. */
static bool
read_condition(struct conf_call *call, size_t at, unsigned offers,
	       struct conf_condition **condition)
{
	if (at >= call->words_n)
		return true;
	*condition = condition_of(call, at, offers);
	return *condition != NULL;
}

/* ------------------------------------------------------------------ where connections go */

#define OFFERS_REQUEST (CONF_NEEDS_CLIENT | CONF_NEEDS_SESSION | CONF_NEEDS_REQUEST)
#define OFFERS_RESPONSE \
	(CONF_NEEDS_CLIENT | CONF_NEEDS_SESSION | CONF_NEEDS_SERVER | CONF_NEEDS_RESPONSE)

static void
read_switch(struct conf_call *call, const char *what, enum conf_ref_kind kind,
	    struct conf_use **list, size_t *list_n)
{
	struct conf_parser *p = call->p;
	const struct conf_word *name = call_word(call, 1, what);
	struct conf_use switch_ = { .index = CONF_NONE };

	if (!name)
		return;
	if (!read_condition(call, 2, OFFERS_REQUEST, &switch_.condition))
		return;
	switch_.words = rule_keep_words(call, 1, call->words_n, &switch_.words_n);
	if (strchr(name->text, '%')) {
		switch_.name = format_read(call, name->pos, name->text, 0, OFFERS_REQUEST);
		if (!switch_.name)
			return;
	} else {
		parser_refer(p, kind, name, (uint32_t)p->conf->proxies_n);
		p->refs[p->refs_n - 1].slot = (uint32_t)*list_n;
	}
	*ARENA_PUSH(p->arena, *list, *list_n) = switch_;
}

void
parse_use_backend(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;

	read_switch(call, "a backend's name", CONF_REF_USE_BACKEND, &proxy->use_backends,
		    &proxy->use_backends_n);
}

void
parse_use_server(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;

	read_switch(call, "a server's name", CONF_REF_USE_SERVER, &proxy->use_servers,
		    &proxy->use_servers_n);
}

static void
print_switches(const struct conf_printer *pr, const struct conf_row *row,
	       const struct conf_use *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		print_name(pr, row->name);
		rule_print_words(pr, list[i].words, list[i].words_n);
	}
}

void
print_use_backends(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;

	print_switches(pr, row, proxy->use_backends, proxy->use_backends_n);
}

void
print_use_servers(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;

	print_switches(pr, row, proxy->use_servers, proxy->use_servers_n);
}

/* ------------------------------------------------------------------ rules */

enum { IN_CONNECTION = 1, IN_SESSION = 2, IN_REQUEST = 4, IN_RESPONSE = 8 };
#define IN_ALL      (IN_CONNECTION | IN_SESSION | IN_REQUEST | IN_RESPONSE)
#define IN_REQUESTS (IN_CONNECTION | IN_SESSION | IN_REQUEST)

enum action_takes { TAKES_NOTHING, TAKES_EXPR, TAKES_FORMAT, TAKES_LEVEL, TAKES_LAYER };

/* An action's name ends at its parenthesis. */
static const struct {
	const char *name;
	enum conf_action action;
	unsigned where;
	enum action_takes takes;
	const char *refused;
} actions[] = {
	{ "accept", CONF_ACTION_ACCEPT, IN_ALL, TAKES_NOTHING, NULL },
	{ "reject", CONF_ACTION_REJECT, IN_ALL, TAKES_NOTHING, NULL },
	{ "close", CONF_ACTION_REJECT, IN_RESPONSE, TAKES_NOTHING, NULL },
	{ "silent-drop", CONF_ACTION_SILENT_DROP, IN_ALL, TAKES_NOTHING, NULL },
	{ "expect-proxy", CONF_ACTION_EXPECT_PROXY, IN_CONNECTION, TAKES_LAYER, NULL },
	{ "set-var", CONF_ACTION_SET_VAR, IN_ALL, TAKES_EXPR, NULL },
	{ "set-var-fmt", CONF_ACTION_SET_VAR_FORMAT, IN_ALL, TAKES_FORMAT, NULL },
	{ "unset-var", CONF_ACTION_UNSET_VAR, IN_ALL, TAKES_NOTHING, NULL },
	{ "set-src", CONF_ACTION_SET_SRC, IN_REQUESTS, TAKES_EXPR, NULL },
	{ "set-src-port", CONF_ACTION_SET_SRC_PORT, IN_REQUESTS, TAKES_EXPR, NULL },
	{ "set-dst", CONF_ACTION_SET_DST, IN_REQUESTS, TAKES_EXPR, NULL },
	{ "set-dst-port", CONF_ACTION_SET_DST_PORT, IN_REQUESTS, TAKES_EXPR, NULL },
	{ "set-log-level", CONF_ACTION_SET_LOG_LEVEL, IN_REQUEST | IN_RESPONSE, TAKES_LEVEL, NULL },
	{ "expect-netscaler-cip", 0, IN_ALL, 0, "this protocol is not spoken" },
	{ "track-sc0", 0, IN_ALL, 0, "stick tables come with a later version" },
	{ "track-sc1", 0, IN_ALL, 0, "stick tables come with a later version" },
	{ "track-sc2", 0, IN_ALL, 0, "stick tables come with a later version" },
	{ "sc-add-gpc", 0, IN_ALL, 0, "stick tables come with a later version" },
	{ "sc-inc-gpc", 0, IN_ALL, 0, "stick tables come with a later version" },
	{ "sc-inc-gpc0", 0, IN_ALL, 0, "stick tables come with a later version" },
	{ "sc-inc-gpc1", 0, IN_ALL, 0, "stick tables come with a later version" },
	{ "sc-set-gpt", 0, IN_ALL, 0, "stick tables come with a later version" },
	{ "sc-set-gpt0", 0, IN_ALL, 0, "stick tables come with a later version" },
	{ "set-mark", 0, IN_ALL, 0, "the worker may not mark packets" },
	{ "set-fc-mark", 0, IN_ALL, 0, "the worker may not mark packets" },
	{ "set-bc-mark", 0, IN_ALL, 0, "the worker may not mark packets" },
	{ "set-tos", 0, IN_ALL, 0, "comes with a later version" },
	{ "set-fc-tos", 0, IN_ALL, 0, "comes with a later version" },
	{ "set-bc-tos", 0, IN_ALL, 0, "comes with a later version" },
	{ "set-nice", 0, IN_ALL, 0, "all sessions are served in turn" },
	{ "set-priority-class", 0, IN_ALL, 0, "comes with a later version" },
	{ "set-priority-offset", 0, IN_ALL, 0, "comes with a later version" },
	{ "set-bandwidth-limit", 0, IN_ALL, 0, "comes with a later version" },
	{ "attach-srv", 0, IN_ALL, 0, "it concerns reverse HTTP only" },
	{ "capture", CONF_ACTION_CAPTURE, IN_REQUEST, TAKES_EXPR, NULL },
	{ "do-resolve", 0, IN_ALL, 0, "names are resolved once, at the start" },
	{ "switch-mode", 0, IN_ALL, 0, "needs mode http, which this version does not have" },
	{ "use-service", 0, IN_ALL, 0, "there are no services" },
	{ "send-spoe-group", 0, IN_ALL, 0, "no stream processing agents are used" },
	{ "lua.", 0, IN_ALL, 0, "there is no Lua" },
};
#define ACTIONS_N (sizeof actions / sizeof *actions)

/* The action a word begins with; ACTIONS_N after an error. */
static size_t
find_action(struct conf_call *call, const struct conf_word *word, unsigned where)
{
	size_t len = strcspn(word->text, "(");
	struct nearest nearest = nearest_init(word->text);

	for (size_t i = 0; i < ACTIONS_N; i++) {
		const char *name = actions[i].name;

		if (strncmp(name, "lua.", 4) == 0
			    ? strncmp(word->text, name, 4) == 0
			    : strlen(name) == len && strncmp(name, word->text, len) == 0) {
			if (actions[i].refused)
				call_refuse(call, word->pos, "`%s %.60s`: %s", call->row->name,
					    word->text, actions[i].refused);
			else if (actions[i].where & where)
				return i;
			else
				conf_error(&call->p->reporter, word->pos,
					   "`%s` cannot stand after `%s`", name, call->row->name);
			return ACTIONS_N;
		}
		if (!actions[i].refused && (actions[i].where & where))
			nearest_offer(&nearest, name);
	}
	conf_error(&call->p->reporter, word->pos, "`%.60s` is no action of `%s`", word->text,
		   call->row->name);
	conf_hint_nearest(&call->p->reporter, &nearest);
	return ACTIONS_N;
}

/* "set-var(scope.name[,condition]…)" */
static bool
read_variable(struct conf_call *call, const struct conf_word *word, struct conf_tcp_rule *rule)
{
	struct arena *arena = call->p->arena;
	const char *open = strchr(word->text, '('), *end = open ? strchr(open, ')') : NULL, *next;

	if (!end) {
		call_refuse(call, word->pos, "`%.60s` needs a variable: set-var(txn.name)",
			    word->text);
		return false;
	}
	next = open + 1 + strcspn(open + 1, ",)");
	rule->variable = expr_variable(call, word->pos,
				       arena_strndup(arena, open + 1, (size_t)(next - open - 1)));
	if (rule->variable == CONF_NONE)
		return false;
	if (next < end && rule->action == CONF_ACTION_UNSET_VAR) {
		call_refuse(call, word->pos, "`%.60s`: only what is set has conditions",
			    word->text);
		return false;
	}
	while (next < end) {
		size_t len = strcspn(++next, ",)");

		if (len > 0 &&
		    !expr_when(call, word->pos, arena_strndup(arena, next, len), &rule->when))
			return false;
		next += len;
	}
	return true;
}

static bool
read_level(struct conf_call *call, const struct conf_word *word, struct conf_tcp_rule *rule)
{
	static const char *const names[] = { "emerg",   "alert",  "crit", "err",
					     "warning", "notice", "info", "debug" };

	rule->level = -1;
	if (strcmp(word->text, "silent") == 0)
		return true;
	for (int i = 0; i < 8; i++) {
		if (strcmp(word->text, names[i]) == 0) {
			rule->level = i;
			return true;
		}
	}
	conf_error(&call->p->reporter, word->pos, "`%.40s` is no level", word->text);
	return false;
}

/* What the result must be turned into. */
static bool
fits_action(struct conf_call *call, const struct conf_word *word, const struct conf_tcp_rule *rule)
{
	enum sample_type type = rule->expr->type;
	bool fits = true;

	switch (rule->action) {
	case CONF_ACTION_SET_SRC:
	case CONF_ACTION_SET_DST:
		fits = type != SAMPLE_BOOL && type != SAMPLE_INT;
		break;
	case CONF_ACTION_SET_SRC_PORT:
	case CONF_ACTION_SET_DST_PORT:
		fits = type != SAMPLE_BIN && type != SAMPLE_IP;
		break;
	case CONF_ACTION_ACCEPT:
	case CONF_ACTION_REJECT:
	case CONF_ACTION_SILENT_DROP:
	case CONF_ACTION_EXPECT_PROXY:
	case CONF_ACTION_SET_VAR:
	case CONF_ACTION_SET_VAR_FORMAT:
	case CONF_ACTION_UNSET_VAR:
	case CONF_ACTION_SET_LOG_LEVEL:
	case CONF_ACTION_CAPTURE:
		break;
	}
	if (!fits)
		call_refuse(call, word->pos, "`%s` can make nothing of a sample of type %s",
			    call->words[1].text, sample_type_name(type));
	return fits;
}

/* What stands behind the action's name; *at = behind that.  false after an error. */
static bool
read_operand(struct conf_call *call, enum action_takes takes, unsigned offers,
	     struct conf_tcp_rule *rule, size_t *at)
{
	const struct conf_word *word;

	if (takes == TAKES_NOTHING)
		return true;
	word = call_word(call, *at,
			 takes == TAKES_LEVEL   ? "a level"
			 : takes == TAKES_LAYER ? "layer4"
						: "an expression");
	if (!word)
		return false;
	++*at;
	switch (takes) {
	case TAKES_LEVEL:
		return read_level(call, word, rule);
	case TAKES_LAYER:
		if (strcmp(word->text, "layer4") == 0)
			return true;
		conf_error(&call->p->reporter, word->pos, "`expect-proxy` is followed by layer4");
		return false;
	case TAKES_FORMAT:
		rule->format = format_read(call, word->pos, word->text, 0, offers);
		return rule->format != NULL;
	case TAKES_EXPR:
		rule->expr = expr_read(call, word->pos, word->text, NULL);
		if (!rule->expr)
			return false;
		if (rule->expr->needs & ~offers)
			conf_warning(&call->p->reporter, word->pos,
				     "`%.60s` is not there yet or no longer in `%s`", word->text,
				     call->row->name);
		return fits_action(call, word, rule);
	case TAKES_NOTHING:
		break;
	}
	return true;
}

static void
read_rule(struct conf_call *call, unsigned where, unsigned offers, struct conf_rules *rules)
{
	const struct conf_word *word = call_word(call, 1, "an action");
	struct conf_tcp_rule rule = { .variable = CONF_NONE };
	size_t at = 2, i;

	if (!word)
		return;
	i = find_action(call, word, where);
	if (i == ACTIONS_N)
		return;
	rule.pos = word->pos;
	rule.action = actions[i].action;
	if ((rule.action == CONF_ACTION_SET_VAR || rule.action == CONF_ACTION_SET_VAR_FORMAT ||
	     rule.action == CONF_ACTION_UNSET_VAR) &&
	    !read_variable(call, word, &rule))
		return;
	if (!read_operand(call, actions[i].takes, offers, &rule, &at) ||
	    (rule.action == CONF_ACTION_CAPTURE && !capture_read(call, &rule, &at)) ||
	    !read_condition(call, at, offers, &rule.condition))
		return;
	rule.words = rule_keep_words(call, 1, call->words_n, &rule.words_n);
	*ARENA_PUSH(call->p->arena, rules->list, rules->n) = rule;
}

void
parse_tcp_request(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;

	if (strcmp(call->row->name, "tcp-request connection") == 0)
		read_rule(call, IN_CONNECTION, CONF_NEEDS_CLIENT, &proxy->connection_rules);
	else if (strcmp(call->row->name, "tcp-request session") == 0)
		read_rule(call, IN_SESSION, CONF_NEEDS_CLIENT | CONF_NEEDS_SESSION,
			  &proxy->session_rules);
	else
		read_rule(call, IN_REQUEST, OFFERS_REQUEST, &proxy->request_rules);
}

/* "monitor-net NETWORK": who asks from there is sent away before any rule, unlogged. */
void
parse_monitor_net(struct conf_call *call)
{
	static const char *const form[] = { "connection", "reject", "if", "{", "src", "", "}" };
	enum { FORM_N = sizeof form / sizeof *form, NETWORK = 5 };
	struct conf_proxy *proxy = call->object;
	struct conf_rules *rules = &proxy->connection_rules;
	const struct conf_word *network = call_word(call, 1, "a network");
	struct conf_word words[FORM_N];
	struct conf_tcp_rule rule;
	size_t before = rules->n;
	struct conf_call rewritten = *call;

	call->used = 2;
	if (!network)
		return;
	for (size_t i = 0; i < FORM_N; i++) {
		words[i] = *network;
		words[i].text = i == NETWORK ? network->text : form[i];
	}
	rewritten.words = words;
	rewritten.words_n = FORM_N;
	read_rule(&rewritten, IN_CONNECTION, CONF_NEEDS_CLIENT, rules);
	if (rules->n == before)
		return;
	rule = rules->list[before];
	memmove(&rules->list[1], rules->list, before * sizeof *rules->list);
	rules->list[0] = rule;
}

void
parse_tcp_response(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;

	read_rule(call, IN_RESPONSE, OFFERS_RESPONSE, &proxy->response_rules);
}

void
rule_print(const struct conf_printer *pr, const struct conf_row *row,
	   const struct conf_tcp_rule *rule)
{
	if (!rule->words)
		return;
	print_name(pr, row->name);
	rule_print_words(pr, rule->words, rule->words_n);
}

static void
print_rules(const struct conf_printer *pr, const struct conf_row *row,
	    const struct conf_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		rule_print(pr, row, &rules->list[i]);
}

void
print_tcp_request(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;

	if (strcmp(row->name, "tcp-request content") == 0)
		capture_print_rules(pr, row, proxy);
	else
		print_rules(pr, row,
			    strcmp(row->name, "tcp-request connection") == 0
				    ? &proxy->connection_rules
				    : &proxy->session_rules);
}

void
print_tcp_response(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;

	print_rules(pr, row, &proxy->response_rules);
}
