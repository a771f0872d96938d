/*
 * words_balance.c - `balance` and `hash-type`: which server gets a connection.
 */
#include "conf/expr_reader.h"
#include "conf/parser.h"
#include "conf/words_proxies.h"

#include <string.h>

#define DRAWS     2
#define DRAWS_MAX 16

static const char no_http[] = "needs mode http, which this version does not have";
static const char later[] = "comes with a later version";

static const struct conf_choice balances[] = {
	{ "roundrobin", CONF_BALANCE_ROUNDROBIN, NULL },
	{ "static-rr", CONF_BALANCE_STATIC_RR, NULL },
	{ "leastconn", CONF_BALANCE_LEASTCONN, NULL },
	{ "first", CONF_BALANCE_FIRST, NULL },
	{ "source", CONF_BALANCE_SOURCE, NULL },
	{ "random", CONF_BALANCE_RANDOM, NULL },
	{ "p2c-ewma", CONF_BALANCE_P2C_EWMA, NULL },
	{ "rdp-cookie", CONF_BALANCE_RDP_COOKIE, NULL },
	{ "hash", CONF_BALANCE_HASH, NULL },
	{ "uri", CONF_BALANCE_ROUNDROBIN, no_http },
	{ "url_param", CONF_BALANCE_ROUNDROBIN, no_http },
	{ "hdr", CONF_BALANCE_ROUNDROBIN, no_http },
	{ "sticky", CONF_BALANCE_ROUNDROBIN, later },
	{ NULL, 0, NULL },
};

static const struct conf_choice hash_methods[] = {
	{ "map-based", false, NULL },
	{ "consistent", true, NULL },
	{ NULL, 0, NULL },
};

static const struct conf_choice hash_functions[] = {
	{ "sdbm", CONF_HASH_SDBM, NULL }, { "djb2", CONF_HASH_DJB2, NULL },
	{ "wt6", CONF_HASH_WT6, NULL },   { "crc32", CONF_HASH_CRC32, NULL },
	{ "none", CONF_HASH_NONE, NULL }, { NULL, 0, NULL },
};

static const struct conf_choice hash_modifiers[] = {
	{ "avalanche", true, NULL },
	{ NULL, 0, NULL },
};

static const struct conf_choice *
find_choice(const struct conf_choice *choices, const char *name, size_t len)
{
	for (const struct conf_choice *c = choices; c->name; c++)
		if (strlen(c->name) == len && strncmp(c->name, name, len) == 0)
			return c;
	return NULL;
}

/* The N of "random(N)". */
static void
parse_draws(struct conf_call *call, const struct conf_word *word, const char *argument)
{
	struct conf_proxy *proxy = call->object;
	size_t len = strlen(argument);
	unsigned draws = 0;

	for (const char *at = argument + 1; *at >= '0' && *at <= '9' && draws < 100; at++)
		draws = draws * 10 + (unsigned)(*at - '0');
	if (argument[len - 1] != ')' || strspn(argument + 1, "0123456789") + 2 != len ||
	    draws < 1 || draws > DRAWS_MAX) {
		conf_error(&call->p->reporter, word->pos,
			   "`balance %.40s`: random(N) draws 1 to %d servers", word->text,
			   DRAWS_MAX);
		return;
	}
	proxy->balance_draws = draws;
}

/* "rdp-cookie" or "rdp-cookie(NAME)": clients of a remote desktop say who they are. */
static void
parse_rdp_cookie(struct conf_call *call, const struct conf_word *word, const char *argument)
{
	struct conf_proxy *proxy = call->object;
	struct arena *arena = call->p->arena;
	size_t len = strlen(argument);

	if (len > 0 && (len < 3 || argument[len - 1] != ')')) {
		conf_error(&call->p->reporter, word->pos,
			   "`balance %.40s`: rdp-cookie or rdp-cookie(NAME)", word->text);
		return;
	}
	proxy->balance_argument = len ? arena_strndup(arena, argument + 1, len - 2) : NULL;
	proxy->balance_expr = expr_read(call, word->pos,
					arena_printf(arena, "req.rdp_cookie(%s)",
						     len ? proxy->balance_argument : "mstshash"),
					NULL);
}

/* "hash EXPRESSION" */
static void
parse_hash(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;
	const struct conf_word *word = call_word(call, 2, "an expression");

	if (!word)
		return;
	call->used = 3;
	proxy->balance_argument = word->text;
	proxy->balance_expr = expr_read(call, word->pos, word->text, NULL);
}

/* "balance [ALGORITHM]": a bare word means the default. */
void
parse_balance(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;
	const struct conf_word *word = call->words_n > 1 ? &call->words[1] : NULL;
	const struct conf_choice *choice;
	size_t len;

	proxy->balance = CONF_BALANCE_ROUNDROBIN;
	proxy->balance_draws = DRAWS;
	call->used = word ? 2 : 1;
	if (!word)
		return;
	/* "hdr(name)" is hdr. */
	len = strcspn(word->text, "(");
	choice = find_choice(balances, word->text, len);
	if (!choice) {
		choice_error(call, word, balances);
		return;
	}
	if (choice->refused) {
		call_refuse(call, word->pos, "`balance %s`: %s", choice->name, choice->refused);
		call->used = call->words_n;
	}
	proxy->balance = (enum conf_balance)choice->value;
	if (proxy->balance == CONF_BALANCE_RANDOM && word->text[len])
		parse_draws(call, word, word->text + len);
	else if (proxy->balance == CONF_BALANCE_RDP_COOKIE)
		parse_rdp_cookie(call, word, word->text + len);
	else if (!choice->refused && word->text[len])
		conf_error(&call->p->reporter, word->pos, "`balance %s` takes no argument",
			   choice->name);
	else if (proxy->balance == CONF_BALANCE_HASH)
		parse_hash(call);
}

const char *
conf_balance_name(enum conf_balance balance)
{
	return balances[balance].name;
}

void
print_balance(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;

	if (proxy->balance == CONF_BALANCE_ROUNDROBIN)
		return;
	print_name(pr, row->name);
	print_word(pr, conf_balance_name(proxy->balance));
	if (proxy->balance == CONF_BALANCE_RANDOM && proxy->balance_draws != DRAWS)
		fprintf(pr->out, "(%u)", proxy->balance_draws);
	if (proxy->balance == CONF_BALANCE_RDP_COOKIE && proxy->balance_argument)
		fprintf(pr->out, "(%s)", proxy->balance_argument);
	if (proxy->balance == CONF_BALANCE_HASH)
		print_word(pr, proxy->balance_argument);
	print_end(pr);
}

/* "hash-balance-factor PERCENT": below its fair share no server can be held. */
void
parse_balance_factor(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;
	const struct conf_word *word = call_word(call, 1, "a percentage above 100, or 0");
	int64_t percent;

	call->used = 2;
	if (!word || !call_int(call, word, 0, 65535, &percent))
		return;
	if (percent > 0 && percent <= 100)
		conf_error(&call->p->reporter, word->pos,
			   "`hash-balance-factor` is above 100, or 0 for none, not %u",
			   (unsigned)percent);
	else
		proxy->hash_balance_factor = (uint32_t)percent;
}

void
print_balance_factor(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;

	if (proxy->hash_balance_factor == 0)
		return;
	print_name(pr, row->name);
	fprintf(pr->out, " %u", proxy->hash_balance_factor);
	print_end(pr);
}

/* The word at `index` among the choices; false if there is none such, said unless it is missing. */
static bool
choose(struct conf_call *call, size_t index, const struct conf_choice *choices, int *value)
{
	const struct conf_word *word = index < call->words_n ? &call->words[index] : NULL;
	const struct conf_choice *choice;

	if (!word)
		return false;
	call->used = index + 1;
	choice = find_choice(choices, word->text, strlen(word->text));
	if (!choice)
		choice_error(call, word, choices);
	else
		*value = choice->value;
	return choice != NULL;
}

/* "hash-type METHOD [FUNCTION [avalanche]]" */
void
parse_hash_type(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;
	int method = false, function = CONF_HASH_SDBM, modifier = false;

	call->used = call->words_n;
	if (call_word(call, 1, "map-based or consistent") &&
	    choose(call, 1, hash_methods, &method)) {
		/* As in HAProxy: without a function of its own, the ring has the avalanche too. */
		modifier = method && call->words_n == 2;
		if (choose(call, 2, hash_functions, &function))
			choose(call, 3, hash_modifiers, &modifier);
	}
	proxy->hash_consistent = method;
	proxy->hash_function = (enum conf_hash)function;
	proxy->hash_avalanche = modifier;
}

void
print_hash_type(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;

	if (!proxy->hash_consistent && proxy->hash_function == CONF_HASH_SDBM &&
	    !proxy->hash_avalanche)
		return;
	print_name(pr, row->name);
	print_word(pr, hash_methods[proxy->hash_consistent].name);
	print_word(pr, hash_functions[proxy->hash_function].name);
	if (proxy->hash_avalanche)
		print_word(pr, "avalanche");
	print_end(pr);
}
