/*
 * health_expect.c - what an `expect` step looks for.  Runs in whichever thread loads a configuration.
 */
#include "conf/health_reader.h"

#include "conf/model.h"
#include "conf/parser.h"

#include "common/regex.h"

#include <string.h>

static void
take_status(struct step_reader *r, enum check_status *status, const char *const *names,
	    const enum check_status *values)
{
	const struct conf_word *word = step_take(r, "a status");

	if (!word)
		return;
	for (size_t i = 0; names[i]; i++) {
		if (strcmp(names[i], word->text) == 0) {
			*status = values[i];
			return;
		}
	}
	step_fail(r, word, "no status that could stand here");
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
	r->step->on_ok = step_take_format(r, "a text");
}

static void
read_on_error(struct step_reader *r)
{
	r->step->on_error = step_take_format(r, "a text");
}

static void
read_min_recv(struct step_reader *r)
{
	r->step->min_recv = (int32_t)step_take_number(r, -1, 16384);
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
		step_fail(r, word,
			  arena_printf(r->call->p->arena, "no regular expression: %s", error));
	regex_free(re);
}

static void
take_regex(struct step_reader *r, enum conf_match match)
{
	const struct conf_word *word = step_take(r, "a regular expression");

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
	const struct conf_word *word = step_take(r, "status codes");
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
			step_fail(r, word, "needs status codes such as 200,300-399");
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
	const struct conf_word *word = step_take(r, what);
	size_t i = 0;

	if (word && strcmp(word->text, "-m") == 0) {
		word = step_take(r, "str, beg, end, sub or reg");
		while (word && i < 5 && strcmp(methods[i], word->text) != 0)
			i++;
		if (i == 5) {
			step_fail(r, word, "is none of str, beg, end, sub and reg");
			return NULL;
		}
		*compare = (enum conf_compare)i;
		word = word ? step_take(r, what) : NULL;
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
		step_fail(r, r->at < r->call->words_n ? &r->call->words[r->at] : NULL,
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
	step_take_string(r);
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
	step_take_hex(r);
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

#define EXPECT_WORDS                                                                            \
	{ "comment", step_read_comment, NULL }, { "min-recv", read_min_recv, NULL },            \
		{ "ok-status", read_ok_status, NULL },                                          \
		{ "error-status", read_error_status, NULL },                                    \
		{ "tout-status", read_tout_status, NULL },                                      \
		{ "on-success", read_on_success, NULL }, { "on-error", read_on_error, NULL },   \
		{ "status-code", NULL, step_no_format }, { "string-lf", NULL, step_no_format }, \
		{ "!", read_not, NULL }, { "string", read_string, NULL },                       \
	{                                                                                       \
		"rstring", read_rstring, NULL                                                   \
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
	{ "binary-lf", NULL, step_no_format },
	{ NULL, NULL, NULL },
};

void
step_read_expect(struct step_reader *r)
{
	const struct conf_step *step = r->step;

	step_read_words(r, r->http ? http_expect_words : tcp_expect_words);
	if (!r->failed && !step->pattern && !step->data && !step->ranges && !step->header)
		step_fail(r, NULL, "`expect` needs something to look for");
}
