/*
 * pattern.c - what samples are compared with: reading values and putting them into the order in
 * which the proxy searches them by halving.  Runs in whichever thread loads a configuration.
 */
#include "conf/expr_reader.h"

#include "common/regex.h"
#include "conf/value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const method_names[] = {
	[CONF_METHOD_FOUND] = "found", [CONF_METHOD_BOOL] = "bool", [CONF_METHOD_INT] = "int",
	[CONF_METHOD_IP] = "ip",       [CONF_METHOD_BIN] = "bin",   [CONF_METHOD_LEN] = "len",
	[CONF_METHOD_STR] = "str",     [CONF_METHOD_BEG] = "beg",   [CONF_METHOD_END] = "end",
	[CONF_METHOD_SUB] = "sub",     [CONF_METHOD_DIR] = "dir",   [CONF_METHOD_DOM] = "dom",
	[CONF_METHOD_REG] = "reg",
};
#define METHODS_N (sizeof method_names / sizeof *method_names)

const char *
pattern_method_name(enum conf_method method)
{
	return method_names[method];
}

int
pattern_method(const char *name)
{
	for (size_t i = 0; i < METHODS_N; i++)
		if (strcmp(method_names[i], name) == 0)
			return (int)i;
	return -1;
}

int
pattern_operator(const char *word)
{
	static const char *const names[] = {
		[PATTERN_EQ] = "eq", [PATTERN_GE] = "ge", [PATTERN_GT] = "gt",
		[PATTERN_LE] = "le", [PATTERN_LT] = "lt",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], word) == 0)
			return (int)i;
	return -1;
}

/* Section 7.1 of HAProxy's manual has the matrix. */
bool
pattern_fits(enum sample_type type, enum conf_method method)
{
	if (type == SAMPLE_ANY)
		return true;
	switch (method) {
	case CONF_METHOD_BOOL:
		return type == SAMPLE_BOOL || type == SAMPLE_INT || type == SAMPLE_STR;
	case CONF_METHOD_INT:
		return type == SAMPLE_BOOL || type == SAMPLE_INT || type == SAMPLE_STR;
	case CONF_METHOD_IP:
		return type == SAMPLE_IP || type == SAMPLE_STR || type == SAMPLE_BIN;
	case CONF_METHOD_BIN:
		return type == SAMPLE_STR || type == SAMPLE_BIN;
	case CONF_METHOD_FOUND:
	case CONF_METHOD_LEN:
	case CONF_METHOD_STR:
	case CONF_METHOD_BEG:
	case CONF_METHOD_END:
	case CONF_METHOD_SUB:
	case CONF_METHOD_DIR:
	case CONF_METHOD_DOM:
	case CONF_METHOD_REG:
		return true;
	}
	return false;
}

enum conf_method
pattern_method_of(enum sample_type type)
{
	switch (type) {
	case SAMPLE_BOOL:
		return CONF_METHOD_BOOL;
	case SAMPLE_INT:
		return CONF_METHOD_INT;
	case SAMPLE_IP:
		return CONF_METHOD_IP;
	case SAMPLE_STR:
		return CONF_METHOD_STR;
	case SAMPLE_ANY:
	case SAMPLE_BIN:
		break;
	}
	return CONF_METHOD_FOUND;
}

/* ------------------------------------------------------------------ numbers */

/* "3.1" is 3 * 65536 + 1; a bare "3" counts the major number alone. */
static bool
read_version(const char *text, int64_t *value)
{
	const char *dot = strchr(text, '.');
	char major[8] = "";
	int64_t high, low = 0;

	if ((size_t)(dot ? dot - text : (ptrdiff_t)strlen(text)) >= sizeof major)
		return false;
	memcpy(major, text, dot ? (size_t)(dot - text) : strlen(text));
	if (value_int(major, &high) < 0 || (dot && value_int(dot + 1, &low) < 0) || high < 0 ||
	    high > UINT16_MAX || low < 0 || low > UINT16_MAX)
		return false;
	*value = high << 16 | low;
	return true;
}

static bool
read_bound(const char *text, bool dotted, int64_t *value)
{
	return dotted ? read_version(text, value) : value_int(text, value) == 0;
}

static const char *
add_number(struct conf_parser *p, struct conf_patterns *patterns, const char *text,
	   enum pattern_operator op, bool dotted)
{
	static const char wrong[] = "is no number and no range such as 1024:65535";
	struct conf_number_range range = { INT64_MIN, INT64_MAX };
	const char *colon = strchr(text, ':');
	int64_t value;

	if (colon) {
		const char *from = arena_strndup(p->arena, text, (size_t)(colon - text));

		if (op != PATTERN_EQ)
			return "is a range, which cannot follow an operator";
		if ((*from && !read_bound(from, dotted, &range.from)) ||
		    (colon[1] && !read_bound(colon + 1, dotted, &range.to)) ||
		    (!*from && !colon[1]))
			return wrong;
		if (range.from > range.to)
			return "is a range from a greater number to a smaller one";
	} else {
		if (!read_bound(text, dotted, &value))
			return wrong;
		if ((op == PATTERN_GT && value == INT64_MAX) ||
		    (op == PATTERN_LT && value == INT64_MIN))
			return "leaves no number";
		if (op != PATTERN_LE && op != PATTERN_LT)
			range.from = value + (op == PATTERN_GT);
		if (op != PATTERN_GE && op != PATTERN_GT)
			range.to = value - (op == PATTERN_LT);
	}
	*ARENA_PUSH(p->arena, patterns->numbers, patterns->numbers_n) = range;
	return NULL;
}

static int
compare_numbers(const void *a, const void *b)
{
	const struct conf_number_range *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

static void
finish_numbers(struct conf_patterns *patterns)
{
	struct conf_number_range *all = patterns->numbers;
	size_t kept = 0;

	if (patterns->numbers_n == 0)
		return;
	qsort(all, patterns->numbers_n, sizeof *all, compare_numbers);
	for (size_t i = 1; i < patterns->numbers_n; i++) {
		if (all[kept].to == INT64_MAX || all[i].from <= all[kept].to + 1) {
			if (all[i].to > all[kept].to)
				all[kept].to = all[i].to;
		} else {
			all[++kept] = all[i];
		}
	}
	patterns->numbers_n = kept + 1;
}

/* ------------------------------------------------------------------ networks */

/* "10.0.0.0/255.0.0.0" */
static int
dotted_mask_len(const char *mask)
{
	struct ip ip;
	uint32_t bits;

	if (ip_parse(mask, &ip) < 0 || ip.family != AF_INET)
		return -1;
	bits = ntohl(ip.v4.s_addr);
	for (int len = 0; len <= 32; len++)
		if (bits == (len ? UINT32_MAX << (32 - len) : 0))
			return len;
	return -1;
}

static const char *
add_network(struct conf_parser *p, struct conf_patterns *patterns, const char *text)
{
	const char *slash = strchr(text, '/');
	struct conf_ip_range range;
	uint8_t prefix_len;
	bool given;
	struct ip ip;
	int len;

	len = slash && strchr(slash, '.') ? dotted_mask_len(slash + 1) : -1;
	if (len >= 0)
		text = arena_printf(p->arena, "%.*s/%d", (int)(slash - text), text, len);
	if (ip_parse_prefix(text, &ip, &prefix_len, &given) < 0)
		return "is no address and no network: names are not looked up here";
	range.from = range.to = ip;
	for (unsigned i = prefix_len; i < 8 * ip_len(&ip); i++) {
		range.from.bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
		range.to.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	}
	if (ip.family == AF_INET)
		*ARENA_PUSH(p->arena, patterns->ip4, patterns->ip4_n) = range;
	else
		*ARENA_PUSH(p->arena, patterns->ip6, patterns->ip6_n) = range;
	return NULL;
}

static int
compare_networks(const void *a, const void *b)
{
	const struct conf_ip_range *x = a, *y = b;
	int order = ip_cmp(&x->from, &y->from);

	/* The wide one first: it holds the others. */
	return order ? order : -ip_cmp(&x->to, &y->to);
}

/* Networks lie within one another or apart. */
static size_t
finish_networks(struct conf_ip_range *all, size_t n)
{
	size_t kept = 0;

	if (n == 0)
		return 0;
	qsort(all, n, sizeof *all, compare_networks);
	for (size_t i = 1; i < n; i++)
		if (ip_cmp(&all[i].from, &all[kept].to) > 0)
			all[++kept] = all[i];
	return kept + 1;
}

/* ------------------------------------------------------------------ texts */

static const char *
add_text(struct conf_parser *p, struct conf_patterns *patterns, const char *text)
{
	size_t len = strlen(text);
	char *copy = arena_strndup(p->arena, text, len);

	for (size_t i = 0; i < len && patterns->ignore_case; i++)
		copy[i] = (char)tolower((unsigned char)copy[i]);
	for (size_t i = 0; i < len / 2 && patterns->method == CONF_METHOD_END; i++) {
		char c = copy[i];

		copy[i] = copy[len - 1 - i];
		copy[len - 1 - i] = c;
	}
	*ARENA_PUSH(p->arena, patterns->texts, patterns->texts_n) =
		(struct conf_bytes){ copy, len };
	return NULL;
}

static const char *
add_binary(struct conf_parser *p, struct conf_patterns *patterns, const char *text)
{
	size_t len = strlen(text);
	char *bytes = arena_alloc(p->arena, len / 2 + 1);

	if (len % 2 || text[strspn(text, "0123456789abcdefABCDEF")])
		return "are no hexadecimal bytes";
	for (size_t i = 0; i < len / 2; i++) {
		char digits[3] = { text[2 * i], text[2 * i + 1], '\0' };

		bytes[i] = (char)strtoul(digits, NULL, 16);
	}
	*ARENA_PUSH(p->arena, patterns->texts, patterns->texts_n) =
		(struct conf_bytes){ bytes, len / 2 };
	return NULL;
}

static const char *
add_regex(struct conf_parser *p, struct conf_patterns *patterns, const char *text)
{
	struct conf *conf = p->conf;
	char error[REGEX_ERRORLEN];
	struct regex *re;

	if (patterns->ignore_case)
		text = arena_printf(p->arena, "(?i)%s", text);
	re = regex_new(text, error);
	if (!re)
		return arena_printf(p->arena, "is no regular expression: %s", error);
	regex_free(re);
	*ARENA_PUSH(p->arena, patterns->regexes, patterns->regexes_n) = (uint32_t)conf->regexes_n;
	ARENA_PUSH(p->arena, conf->regexes, conf->regexes_n)->pattern = text;
	return NULL;
}

static int
compare_bytes(const void *a, const void *b)
{
	const struct conf_bytes *x = a, *y = b;
	int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

static bool
begins_with(const struct conf_bytes *text, const struct conf_bytes *beginning)
{
	return text->len >= beginning->len &&
	       memcmp(text->data, beginning->data, beginning->len) == 0;
}

static void
finish_texts(struct conf_patterns *patterns)
{
	bool prefixes = patterns->method == CONF_METHOD_BEG || patterns->method == CONF_METHOD_END;
	struct conf_bytes *all = patterns->texts;
	size_t kept = 0;

	if (patterns->texts_n == 0)
		return;
	qsort(all, patterns->texts_n, sizeof *all, compare_bytes);
	for (size_t i = 1; i < patterns->texts_n; i++)
		if (prefixes ? !begins_with(&all[i], &all[kept])
			     : compare_bytes(&all[i], &all[kept]) != 0)
			all[++kept] = all[i];
	patterns->texts_n = kept + 1;
}

/* ------------------------------------------------------------------ all of them */

const char *
pattern_add(struct conf_parser *p, struct conf_patterns *patterns, const char *value,
	    enum pattern_operator op, bool dotted)
{
	switch (patterns->method) {
	case CONF_METHOD_FOUND:
	case CONF_METHOD_BOOL:
		return "is a value, but nothing is compared here";
	case CONF_METHOD_INT:
	case CONF_METHOD_LEN:
		return add_number(p, patterns, value, op, dotted);
	case CONF_METHOD_IP:
		return add_network(p, patterns, value);
	case CONF_METHOD_BIN:
		return add_binary(p, patterns, value);
	case CONF_METHOD_REG:
		return add_regex(p, patterns, value);
	case CONF_METHOD_STR:
	case CONF_METHOD_BEG:
	case CONF_METHOD_END:
	case CONF_METHOD_SUB:
	case CONF_METHOD_DIR:
	case CONF_METHOD_DOM:
		break;
	}
	return add_text(p, patterns, value);
}

void
pattern_finish(struct conf_patterns *patterns)
{
	finish_numbers(patterns);
	patterns->ip4_n = finish_networks(patterns->ip4, patterns->ip4_n);
	patterns->ip6_n = finish_networks(patterns->ip6, patterns->ip6_n);
	if (patterns->method != CONF_METHOD_SUB && patterns->method != CONF_METHOD_DIR &&
	    patterns->method != CONF_METHOD_DOM)
		finish_texts(patterns);
}
