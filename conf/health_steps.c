/*
 * health_steps.c - reads one `http-check` or `tcp-check` line.  Runs in whichever thread loads a
 * configuration.
 *
 * HAProxy lets many texts be log-format expressions; here they are plain texts ("%%" is a per cent
 * sign), and an expression is refused where it stands.
 */
#include "conf/words_health.h"

#include "conf/model.h"
#include "conf/nearest.h"
#include "conf/parser.h"
#include "conf/value.h"

#include "common/regex.h"

#include <string.h>

struct step_reader {
	struct conf_call *call;
	struct conf_step *step;
	size_t at; /* the next word */
	bool http, failed;
};

/* A word that may stand in a step. */
struct step_word {
	const char *name;
	void (*read)(struct step_reader *r);
	const char *refused;
};

static void
fail(struct step_reader *r, const struct conf_word *word, const char *problem)
{
	conf_error(&r->call->p->reporter, word ? word->pos : r->call->end, "`%.60s`: %s",
		   word ? word->text : r->call->row->name, problem);
	r->failed = true;
}

/* The next word, or NULL after an error. */
static const struct conf_word *
take(struct step_reader *r, const char *what)
{
	if (r->at < r->call->words_n)
		return &r->call->words[r->at++];
	conf_error(&r->call->p->reporter, r->call->end, "`%s` needs %s",
		   r->call->words[r->at - 1].text, what);
	r->failed = true;
	return NULL;
}

/* A text that could be an expression: NULL after an error. */
static const char *
take_format(struct step_reader *r, const char *what)
{
	const struct conf_word *word = take(r, what);
	char *plain, *out;

	if (!word || !strchr(word->text, '%'))
		return word ? word->text : NULL;
	plain = out = arena_strdup(r->call->p->arena, word->text);
	for (const char *s = word->text; *s; s++) {
		if (*s == '%' && *++s != '%') {
			fail(r, word, "log-format expressions come with a later version");
			return NULL;
		}
		*out++ = *s;
	}
	*out = '\0';
	return plain;
}

static void
read_words(struct step_reader *r, const struct step_word *words)
{
	while (r->at < r->call->words_n && !r->failed) {
		const struct conf_word *word = &r->call->words[r->at++];
		const struct step_word *found = words;
		const char *name = word->text;

		if (r->step->kind == CONF_STEP_EXPECT && *name == '!' && name[1]) {
			r->step->negated = !r->step->negated;
			name++;
		}
		while (found->name && strcmp(found->name, name) != 0)
			found++;
		if (found->name && !found->refused) {
			found->read(r);
			continue;
		}
		if (found->name) {
			fail(r, word, found->refused);
			return;
		}
		fail(r, word, "no word that could stand here");
		if (r->call->p->reporter.kept) {
			struct nearest nearest = nearest_init(word->text);

			for (found = words; found->name; found++)
				if (found->name[1])
					nearest_offer(&nearest, found->name);
			conf_hint_nearest(&r->call->p->reporter, &nearest);
		}
	}
}

static int64_t
take_number(struct step_reader *r, int64_t min, int64_t max)
{
	const struct conf_word *word = take(r, "a number");
	int64_t value;

	if (!word)
		return min;
	if (value_int(word->text, &value) == 0 && value >= min && value <= max)
		return value;
	fail(r, word, "no number that could stand here");
	return min;
}

static void
read_comment(struct step_reader *r)
{
	const struct conf_word *word = take(r, "a text");

	r->step->comment = word ? word->text : NULL;
}

static void
read_nothing(struct step_reader *r)
{
}

/* ------------------------------------------------------------------ connect */

static void
read_port(struct step_reader *r)
{
	r->step->port = (uint16_t)take_number(r, 1, 65535);
}

static void
read_addr(struct step_reader *r)
{
	const struct conf_word *word = take(r, "an address");

	if (word && ip_parse(word->text, &r->step->addr) < 0)
		fail(r, word, "no IP address");
}

static void
read_linger(struct step_reader *r)
{
	r->step->linger = true;
}

static const char no_tls[] = "TLS in check steps comes with a later version";
static const char later[] = "comes with a later version";

static const struct step_word connect_words[] = {
	{ "default", read_nothing, NULL },
	{ "port", read_port, NULL },
	{ "addr", read_addr, NULL },
	{ "linger", read_linger, NULL },
	{ "comment", read_comment, NULL },
	{ "ssl", NULL, no_tls },
	{ "sni", NULL, no_tls },
	{ "alpn", NULL, no_tls },
	{ "send-proxy", NULL, "write `check-send-proxy` on the `server` line" },
	{ "via-socks4", NULL, later },
	{ "proto", NULL, later },
	{ NULL, NULL, NULL },
};

/* ------------------------------------------------------------------ send */

static void
read_text(struct step_reader *r)
{
	take(r, "a value");
}

static void
read_format(struct step_reader *r)
{
	take_format(r, "a value");
}

static void
read_header(struct step_reader *r)
{
	const struct conf_word *name = take(r, "a header's name");

	if (name && (!*name->text || strpbrk(name->text, " \t\r\n:")))
		fail(r, name, "no header's name");
	else if (name)
		take_format(r, "a header's value");
}

static const char no_format[] = "log-format expressions come with a later version";

/* Read here for their form; health_protocols.c makes the request of them. */
static const struct step_word http_send_words[] = {
	{ "meth", read_text, NULL },   { "uri", read_text, NULL },
	{ "ver", read_text, NULL },    { "hdr", read_header, NULL },
	{ "body", read_format, NULL }, { "comment", read_comment, NULL },
	{ "uri-lf", NULL, no_format }, { "body-lf", NULL, no_format },
	{ NULL, NULL, NULL },
};

static const struct step_word tcp_send_words[] = {
	{ "comment", read_comment, NULL },
	{ NULL, NULL, NULL },
};

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
take_hex(struct step_reader *r)
{
	const struct conf_word *word = take(r, "hexadecimal digits");
	size_t len = word ? strlen(word->text) : 0;
	char *data = arena_alloc(r->call->p->arena, len / 2 + 1);

	if (!word)
		return;
	for (size_t i = 0; i < len; i++)
		if (hex_digit(word->text[i]) < 0 || len % 2) {
			fail(r, word, "needs an even number of hexadecimal digits");
			return;
		}
	for (size_t i = 0; i < len / 2; i++)
		data[i] = (char)(hex_digit(word->text[2 * i]) << 4 |
				 hex_digit(word->text[2 * i + 1]));
	r->step->data = data;
	r->step->data_len = len / 2;
}

static void
take_string(struct step_reader *r)
{
	const struct conf_word *word = take(r, "a text");

	if (!word)
		return;
	r->step->pattern = r->step->data = word->text;
	r->step->data_len = strlen(word->text);
}

/* ------------------------------------------------------------------ expect */

static void
take_status(struct step_reader *r, enum check_status *status, const char *const *names,
	    const enum check_status *values)
{
	const struct conf_word *word = take(r, "a status");

	if (!word)
		return;
	for (size_t i = 0; names[i]; i++) {
		if (strcmp(names[i], word->text) == 0) {
			*status = values[i];
			return;
		}
	}
	fail(r, word, "no status that could stand here");
}

static void
read_ok_status(struct step_reader *r)
{
	static const char *const names[] = { "L7OK", "L7OKC", "L6OK", "L4OK", NULL };
	static const enum check_status values[] = { CHECK_STATUS_L7OK, CHECK_STATUS_L7OKC,
						    CHECK_STATUS_L6OK, CHECK_STATUS_L4OK };

	take_status(r, &r->step->ok, names, values);
}

static void
read_error_status(struct step_reader *r)
{
	static const char *const names[] = { "L7OKC", "L7RSP", "L7STS", "L6RSP", "L4CON", NULL };
	static const enum check_status values[] = { CHECK_STATUS_L7OKC, CHECK_STATUS_L7RSP,
						    CHECK_STATUS_L7STS, CHECK_STATUS_L6RSP,
						    CHECK_STATUS_L4CON };

	take_status(r, &r->step->error, names, values);
}

static void
read_tout_status(struct step_reader *r)
{
	static const char *const names[] = { "L7TOUT", "L6TOUT", "L4TOUT", NULL };
	static const enum check_status values[] = { CHECK_STATUS_L7TOUT, CHECK_STATUS_L6TOUT,
						    CHECK_STATUS_L4TOUT };

	take_status(r, &r->step->timeout, names, values);
}

static void
read_on_success(struct step_reader *r)
{
	r->step->on_ok = take_format(r, "a text");
}

static void
read_on_error(struct step_reader *r)
{
	r->step->on_error = take_format(r, "a text");
}

static void
read_min_recv(struct step_reader *r)
{
	r->step->min_recv = (int32_t)take_number(r, -1, 16384);
}

static void
read_not(struct step_reader *r)
{
	r->step->negated = !r->step->negated;
}

static void
check_pattern(struct step_reader *r, const struct conf_word *word)
{
	char error[REGEX_ERRORLEN];
	struct regex *re = regex_new(word->text, error);

	if (!re)
		fail(r, word, arena_printf(r->call->p->arena, "no regular expression: %s", error));
	regex_free(re);
}

static void
take_regex(struct step_reader *r, enum conf_match match)
{
	const struct conf_word *word = take(r, "a regular expression");

	r->step->match = match;
	if (!word)
		return;
	r->step->pattern = word->text;
	check_pattern(r, word);
}

/* "200,300-399" */
static void
take_ranges(struct step_reader *r)
{
	const struct conf_word *word = take(r, "status codes");
	struct conf_status_range *ranges = NULL;
	size_t ranges_n = 0;

	if (!word)
		return;
	for (const char *s = word->text;; s++) {
		struct conf_status_range range = { 0 };
		size_t digits = 0;

		for (; *s >= '0' && *s <= '9' && digits < 4; s++, digits++)
			range.from = range.from * 10 + (uint32_t)(*s - '0');
		range.to = range.from;
		if (digits && *s == '-') {
			range.to = 0;
			digits = 0;
			for (s++; *s >= '0' && *s <= '9' && digits < 4; s++, digits++)
				range.to = range.to * 10 + (uint32_t)(*s - '0');
		}
		if (digits != 3 || range.from < 100 || range.to < range.from || (*s && *s != ',')) {
			fail(r, word, "needs status codes such as 200,300-399");
			return;
		}
		*ARENA_PUSH(r->call->p->arena, ranges, ranges_n) = range;
		if (!*s)
			break;
	}
	r->step->ranges = ranges;
	r->step->ranges_n = ranges_n;
}

/* "[-m METHOD] TEXT" */
static const char *
take_compared(struct step_reader *r, enum conf_compare *compare, const char *what)
{
	static const char *const methods[] = { "str", "beg", "end", "sub", "reg" };
	const struct conf_word *word = take(r, what);
	size_t i = 0;

	if (word && strcmp(word->text, "-m") == 0) {
		word = take(r, "str, beg, end, sub or reg");
		while (word && i < 5 && strcmp(methods[i], word->text) != 0)
			i++;
		if (i == 5) {
			fail(r, word, "is none of str, beg, end, sub and reg");
			return NULL;
		}
		*compare = (enum conf_compare)i;
		word = word ? take(r, what) : NULL;
	}
	if (!word)
		return NULL;
	if (*compare == CONF_COMPARE_REGEX)
		check_pattern(r, word);
	return word->text;
}

static bool
next_is(const struct step_reader *r, const char *text)
{
	return r->at < r->call->words_n && strcmp(r->call->words[r->at].text, text) == 0;
}

static void
take_headers(struct step_reader *r, enum conf_match match)
{
	struct conf_step *step = r->step;

	step->match = match;
	if (next_is(r, "name-lf") || !next_is(r, "name")) {
		fail(r, r->at < r->call->words_n ? &r->call->words[r->at] : NULL,
		     "`hdr` needs `name [-m METHOD] NAME [value [-m METHOD] VALUE]`");
		return;
	}
	r->at++;
	step->header = take_compared(r, &step->header_compare, "a header's name");
	if (!next_is(r, "value") || r->failed)
		return;
	r->at++;
	step->value = take_compared(r, &step->value_compare, "a header's value");
}

static void
read_string(struct step_reader *r)
{
	r->step->match = r->http ? CONF_MATCH_BODY : CONF_MATCH_STRING;
	take_string(r);
}

static void
read_rstring(struct step_reader *r)
{
	take_regex(r, r->http ? CONF_MATCH_BODY_REGEX : CONF_MATCH_REGEX);
}

static void
read_binary(struct step_reader *r)
{
	r->step->match = CONF_MATCH_BINARY;
	take_hex(r);
}

static void
read_rbinary(struct step_reader *r)
{
	take_regex(r, CONF_MATCH_BINARY_REGEX);
}

static void
read_status(struct step_reader *r)
{
	r->step->match = CONF_MATCH_STATUS;
	take_ranges(r);
}

static void
read_rstatus(struct step_reader *r)
{
	take_regex(r, CONF_MATCH_STATUS_REGEX);
}

static void
read_hdr(struct step_reader *r)
{
	take_headers(r, CONF_MATCH_HEADER);
}

static void
read_fhdr(struct step_reader *r)
{
	take_headers(r, CONF_MATCH_FULL_HEADER);
}

#define EXPECT_WORDS                                                                          \
	{ "comment", read_comment, NULL }, { "min-recv", read_min_recv, NULL },               \
		{ "ok-status", read_ok_status, NULL },                                        \
		{ "error-status", read_error_status, NULL },                                  \
		{ "tout-status", read_tout_status, NULL },                                    \
		{ "on-success", read_on_success, NULL }, { "on-error", read_on_error, NULL }, \
		{ "status-code", NULL, no_format }, { "string-lf", NULL, no_format },         \
		{ "!", read_not, NULL }, { "string", read_string, NULL },                     \
	{                                                                                     \
		"rstring", read_rstring, NULL                                                 \
	}

static const struct step_word http_expect_words[] = {
	EXPECT_WORDS,
	{ "status", read_status, NULL },
	{ "rstatus", read_rstatus, NULL },
	{ "hdr", read_hdr, NULL },
	{ "fhdr", read_fhdr, NULL },
	{ NULL, NULL, NULL },
};

static const struct step_word tcp_expect_words[] = {
	EXPECT_WORDS,
	{ "binary", read_binary, NULL },
	{ "rbinary", read_rbinary, NULL },
	{ "binary-lf", NULL, no_format },
	{ NULL, NULL, NULL },
};

/* ------------------------------------------------------------------ the line */

static void
read_expect(struct step_reader *r)
{
	const struct conf_step *step = r->step;

	read_words(r, r->http ? http_expect_words : tcp_expect_words);
	if (!r->failed && !step->pattern && !step->data && !step->ranges && !step->header)
		fail(r, NULL, "`expect` needs something to look for");
}

bool
health_read_step(struct conf_call *call, bool http, struct conf_step *step)
{
	struct step_reader r = { .call = call, .step = step, .at = 2, .http = http };
	const struct conf_word *word = &call->words[1];
	const char *name = word->text;

	if (strcmp(name, "connect") == 0) {
		step->kind = CONF_STEP_CONNECT;
		read_words(&r, connect_words);
	} else if (strcmp(name, "comment") == 0) {
		step->kind = CONF_STEP_COMMENT;
		read_comment(&r);
	} else if (strcmp(name, "expect") == 0) {
		step->kind = CONF_STEP_EXPECT;
		read_expect(&r);
	} else if (strcmp(name, "send") == 0 && http) {
		step->kind = CONF_STEP_SEND;
		read_words(&r, http_send_words);
	} else if (strcmp(name, "send") == 0) {
		step->kind = CONF_STEP_SEND;
		take_string(&r);
		read_words(&r, tcp_send_words);
	} else if (strcmp(name, "send-binary") == 0 && !http) {
		step->kind = CONF_STEP_SEND;
		take_hex(&r);
		read_words(&r, tcp_send_words);
	} else if (strncmp(name, "send-", 5) == 0 || strncmp(name, "set-var", 7) == 0 ||
		   strncmp(name, "unset-var", 9) == 0) {
		fail(&r, word, later);
	} else {
		fail(&r, word, "is no step of a check");
	}
	call->used = r.failed ? call->words_n : r.at;
	return !r.failed;
}
