/*
 * words_health.c - the directives that say how servers are checked.  Runs in whichever thread loads
 * a configuration.
 *
 * What is written is kept as words, so that -dump prints it again; the first line of its kind in a
 * section takes the place of all that `defaults` say.
 */
#include "conf/words_health.h"

#include "conf/model.h"
#include "conf/parser.h"

#include <string.h>

static const struct {
	const char *name;
	enum conf_health_type type;
	size_t words_min, words_max;
} options[] = {
	{ "option httpchk", CONF_HEALTH_HTTP, 0, 3 },
	{ "option tcp-check", CONF_HEALTH_TCP, 0, 0 },
	{ "option ssl-hello-chk", CONF_HEALTH_SSL_HELLO, 0, 0 },
	{ "option mysql-check", CONF_HEALTH_MYSQL, 0, 3 },
	{ "option pgsql-check", CONF_HEALTH_PGSQL, 2, 2 },
	{ "option redis-check", CONF_HEALTH_REDIS, 0, 0 },
	{ "option ldap-check", CONF_HEALTH_LDAP, 0, 0 },
	{ "option smtpchk", CONF_HEALTH_SMTP, 0, 2 },
	{ "option external-check", CONF_HEALTH_EXTERNAL, 0, 0 },
};
#define OPTIONS_N (sizeof options / sizeof options[0])

static size_t
find_option(const char *name)
{
	size_t i = 0;

	while (i < OPTIONS_N && strcmp(options[i].name, name) != 0)
		i++;
	return i;
}

/* The words behind the keyword, to be printed. */
static const char *const *
keep_words(struct conf_call *call, size_t *words_n)
{
	size_t n = call->words_n - 1;
	const char **words = arena_alloc(call->p->arena, (n + 1) * sizeof *words);

	for (size_t i = 0; i < n; i++)
		words[i] = call->words[i + 1].text;
	*words_n = n;
	return words;
}

/* "[user NAME [post-41|pre-41]]", "user NAME" */
static bool
check_user(struct conf_call *call)
{
	const struct conf_word *words = call->words;

	if (call->words_n == 1)
		return true;
	if (strcmp(words[1].text, "user") != 0 || call->words_n == 2) {
		conf_error(&call->p->reporter, words[1].pos, "`%s` takes `user NAME`",
			   call->row->name);
		return false;
	}
	if (strlen(words[2].text) > 80) {
		conf_error(&call->p->reporter, words[2].pos, "the user's name is too long");
		return false;
	}
	if (call->words_n == 4 && strcmp(words[3].text, "post-41") != 0 &&
	    strcmp(words[3].text, "pre-41") != 0) {
		conf_error(&call->p->reporter, words[3].pos,
			   "`%.40s` is neither post-41 nor pre-41", words[3].text);
		return false;
	}
	return true;
}

/* Leaves the steps of `defaults` behind. */
static void
unshare(struct conf_step **steps, size_t *steps_n, bool *shared)
{
	if (!*shared)
		return;
	*steps = NULL;
	*steps_n = 0;
	*shared = false;
}

void
parse_health_option(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;
	size_t i = find_option(call->row->name);

	if (i == OPTIONS_N)
		return;
	if (call->words_n - 1 < options[i].words_min) {
		call_word(call, call->words_n, "more words");
		return;
	}
	if (call->words_n - 1 > options[i].words_max) {
		call->used = 1 + options[i].words_max; /* what is too much is told there */
		call->words_n = call->used;
	}
	if ((options[i].type == CONF_HEALTH_MYSQL || options[i].type == CONF_HEALTH_PGSQL) &&
	    !check_user(call))
		return;
	/* As in HAProxy, a section's own `option httpchk` begins anew. */
	if (options[i].type == CONF_HEALTH_HTTP)
		unshare(&proxy->health.http, &proxy->health.http_n,
			&call->p->draft->http_steps_shared);
	proxy->health.type = options[i].type;
	proxy->health.words = keep_words(call, &proxy->health.words_n);
}

void
print_health_option(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;
	size_t i = find_option(row->name);

	if (i == OPTIONS_N || proxy->health.type != options[i].type)
		return;
	print_name(pr, row->name);
	for (size_t k = 0; k < proxy->health.words_n; k++)
		print_word(pr, proxy->health.words[k]);
	print_end(pr);
}

static void
parse_step(struct conf_call *call, bool http, struct conf_step **steps, size_t *steps_n,
	   bool *shared)
{
	struct conf_step step = { .min_recv = -1 };

	unshare(steps, steps_n, shared);
	step.words = keep_words(call, &step.words_n);
	if (health_read_step(call, http, &step))
		*ARENA_PUSH(call->p->arena, *steps, *steps_n) = step;
}

void
parse_http_check(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;

	if (!call_word(call, 1, "connect, send, expect, comment or disable-on-404"))
		return;
	if (strcmp(call->words[1].text, "disable-on-404") == 0) {
		proxy->health.disable_on_404 = true;
		call->used = 2;
		return;
	}
	parse_step(call, true, &proxy->health.http, &proxy->health.http_n,
		   &call->p->draft->http_steps_shared);
}

void
parse_tcp_check(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;

	if (call_word(call, 1, "connect, send, send-binary, expect or comment"))
		parse_step(call, false, &proxy->health.tcp, &proxy->health.tcp_n,
			   &call->p->draft->tcp_steps_shared);
}

void
print_health_steps(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_health *health = &((const struct conf_proxy *)object)->health;
	bool http = strcmp(row->name, "http-check") == 0;
	const struct conf_step *steps = http ? health->http : health->tcp;
	size_t steps_n = http ? health->http_n : health->tcp_n;

	if (http && health->disable_on_404) {
		print_name(pr, row->name);
		print_word(pr, "disable-on-404");
		print_end(pr);
	}
	for (size_t i = 0; i < steps_n; i++) {
		print_name(pr, row->name);
		for (size_t k = 0; k < steps[i].words_n; k++)
			print_word(pr, steps[i].words[k]);
		print_end(pr);
	}
}

/* "external-check command PROGRAM", "external-check path DIRECTORIES" */
void
parse_external_check(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;
	const struct conf_word *what = call_word(call, 1, "command or path");
	const struct conf_word *value = what ? call_word(call, 2, "a value") : NULL;

	call->used = 3;
	if (!value)
		return;
	if (strcmp(what->text, "command") == 0)
		proxy->health.command = value->text;
	else if (strcmp(what->text, "path") == 0)
		proxy->health.path = value->text;
	else
		conf_error(&call->p->reporter, what->pos, "`%.40s` is neither command nor path",
			   what->text);
}

void
print_external_check(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_health *health = &((const struct conf_proxy *)object)->health;
	const char *const values[] = { health->command, health->path };

	for (int i = 0; i < 2; i++) {
		if (!values[i])
			continue;
		print_name(pr, row->name);
		print_word(pr, i ? "path" : "command");
		print_word(pr, values[i]);
		print_end(pr);
	}
}
