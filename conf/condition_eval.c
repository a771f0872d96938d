/*
 * condition_eval.c - see condition_eval.h.  Runs in whichever thread loads a configuration.
 *
 * A recursive descent: or = and { "||" and }, and = unary { "&&" unary },
 * unary = { "!" } ( "(" or ")" | number | predicate [ "(" arguments ")" ] ).
 */
#include "conf/condition_eval.h"

#include "conf/value.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX     32
#define ARGUMENTS_MAX 4

struct expression {
	struct conf_lexer *lx;
	const char *at;
	const char *wrong; /* the first thing that is wrong */
	unsigned depth;
};

typedef bool predicate_fn(struct expression *e, const char *const *args);

/* ------------------------------------------------------------------ predicates */

/* What HAProxy's -vv would list with a "+", as far as it is true of us. */
static bool
listed(const char *const *list, const char *word)
{
	for (; *list; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

static bool
is_defined(struct expression *e, const char *const *args)
{
	return lexer_environment(e->lx, args[0]) != NULL;
}

static bool
is_feature(struct expression *e, const char *const *args)
{
	static const char *const features[] = { "EPOLL",   "THREAD",  "LINUX_SPLICE", "ACCEPT4",
						"OPENSSL", "SYSTEMD", "GETADDRINFO",  NULL };

	(void)e;
	return listed(features, args[0]);
}

static bool
is_enabled(struct expression *e, const char *const *args)
{
	static const char *const options[] = { "EPOLL",     "POLL",        "SPLICE",
					       "REUSEPORT", "GETADDRINFO", NULL };

	(void)e;
	return listed(options, args[0]);
}

static bool
is_equal(struct expression *e, const char *const *args)
{
	(void)e;
	return strcmp(args[0], args[1]) == 0;
}

static bool
is_different(struct expression *e, const char *const *args)
{
	(void)e;
	return strcmp(args[0], args[1]) != 0;
}

static bool
has_part(struct expression *e, const char *const *args)
{
	(void)e;
	return strstr(args[0], args[1]) != NULL;
}

/* "2.4-dev19", "3.0.1": up to four numbers, missing ones are zero; -dev and -rc come before. */
static bool
read_version(const char *s, long parts[4])
{
	char *end;

	memset(parts, 0, 4 * sizeof *parts);
	for (int i = 0; i < 4; i++) {
		if (!isdigit((unsigned char)*s))
			return false;
		errno = 0;
		parts[i] = strtol(s, &end, 10);
		if (errno)
			return false;
		s = end;
		if (*s != '.')
			break;
		s++;
	}
	if (strncmp(s, "-dev", 4) == 0 || strncmp(s, "-rc", 3) == 0) {
		/* One before the release: the numbers before it borrow. */
		parts[3] -= 1;
		return true;
	}
	return *s == '\0' || *s == '-';
}

static int
compare_versions(struct expression *e, const char *ours, const char *theirs)
{
	long a[4], b[4];

	if (!read_version(ours, a) || !read_version(theirs, b)) {
		e->wrong = "a version is written like 2.8 or 3.0.1";
		return 0;
	}
	for (int i = 0; i < 4; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

static bool
version_atleast(struct expression *e, const char *const *args)
{
	return compare_versions(e, CONF_HAPROXY_LEVEL, args[0]) >= 0;
}

static bool
version_before(struct expression *e, const char *const *args)
{
	return compare_versions(e, CONF_HAPROXY_LEVEL, args[0]) < 0;
}

/* The TLS library is OpenSSL 3 or later: older ones are not supported. */
static bool
openssl_atleast(struct expression *e, const char *const *args)
{
	return compare_versions(e, "3.0.0", args[0]) >= 0;
}

static bool
openssl_before(struct expression *e, const char *const *args)
{
	return compare_versions(e, "3.0.0", args[0]) < 0;
}

static bool
library_begins(struct expression *e, const char *const *args)
{
	(void)e;
	return strncmp("OpenSSL", args[0], strlen(args[0])) == 0;
}

static const struct predicate {
	const char *name;
	size_t arguments;
	predicate_fn *holds;
} predicates[] = {
	{ "defined", 1, is_defined },
	{ "feature", 1, is_feature },
	{ "streq", 2, is_equal },
	{ "strneq", 2, is_different },
	{ "strstr", 2, has_part },
	{ "version_atleast", 1, version_atleast },
	{ "version_before", 1, version_before },
	{ "enabled", 1, is_enabled },
	{ "openssl_version_atleast", 1, openssl_atleast },
	{ "openssl_version_before", 1, openssl_before },
	{ "ssllib_name_startswith", 1, library_begins },
};

/* ------------------------------------------------------------------ the expression */

static void
skip_blanks(struct expression *e)
{
	while (isspace((unsigned char)*e->at))
		e->at++;
}

static bool
fail(struct expression *e, const char *wrong)
{
	if (!e->wrong)
		e->wrong = wrong;
	return false;
}

/* At "(": how many arguments there are; the first ARGUMENTS_MAX are kept. */
static size_t
read_arguments(struct expression *e, const char *args[ARGUMENTS_MAX])
{
	const char *from = ++e->at;
	size_t n = 0, depth = 0;

	for (; *e->at; e->at++) {
		if (*e->at == '(')
			depth++;
		else if (*e->at == ')' && depth > 0)
			depth--;
		else if (*e->at == ')' || (*e->at == ',' && depth == 0)) {
			if (n < ARGUMENTS_MAX)
				args[n] = arena_strndup(e->lx->arena, from, (size_t)(e->at - from));
			n++;
			from = e->at + 1;
			if (*e->at == ')') {
				e->at++;
				return n;
			}
		}
	}
	fail(e, "`)` is missing");
	return n;
}

static bool
read_predicate(struct expression *e)
{
	const char *args[ARGUMENTS_MAX], *name = e->at;
	size_t len = 0, n = 0;

	while (isalnum((unsigned char)e->at[len]) || e->at[len] == '_')
		len++;
	e->at += len;
	if (*e->at == '(')
		n = read_arguments(e, args);
	for (size_t i = 0; i < sizeof predicates / sizeof *predicates; i++) {
		if (strlen(predicates[i].name) != len ||
		    strncmp(predicates[i].name, name, len) != 0)
			continue;
		if (n != predicates[i].arguments)
			return fail(e, predicates[i].arguments == 1
					       ? "this predicate takes one argument"
					       : "this predicate takes two arguments");
		return !e->wrong && predicates[i].holds(e, args);
	}
	return fail(e, "no such predicate: there are defined, feature, streq, strneq, strstr, "
		       "version_atleast, version_before, enabled, openssl_version_atleast, "
		       "openssl_version_before and ssllib_name_startswith");
}

static bool read_or(struct expression *e);

static bool
read_unary(struct expression *e)
{
	bool negated = false, holds;

	skip_blanks(e);
	while (*e->at == '!') {
		negated = !negated;
		e->at++;
		skip_blanks(e);
	}
	if (!*e->at)
		return fail(e, "the expression ends where a predicate is expected");
	if (*e->at == '(') {
		if (e->depth == DEPTH_MAX)
			return fail(e, "parentheses are nested too deeply");
		e->depth++;
		e->at++;
		holds = read_or(e);
		skip_blanks(e);
		e->depth--;
		if (*e->at != ')')
			return fail(e, "`)` is missing");
		e->at++;
	} else if (isdigit((unsigned char)*e->at) || *e->at == '-') {
		size_t len = 1 + strspn(e->at + 1, "0123456789");

		holds = strncmp(e->at, "-", len) != 0 &&
			strspn(e->at + (*e->at == '-'), "0") + (*e->at == '-') != len;
		e->at += len;
	} else {
		holds = read_predicate(e);
	}
	return !e->wrong && holds != negated;
}

/* Both sides are always read: an error is one whatever the other side says. */
static bool
read_and(struct expression *e)
{
	bool holds = read_unary(e), next;

	for (skip_blanks(e); !e->wrong && strncmp(e->at, "&&", 2) == 0; skip_blanks(e)) {
		e->at += 2;
		next = read_unary(e);
		holds = holds && next;
	}
	return holds;
}

static bool
read_or(struct expression *e)
{
	bool holds = read_and(e), next;

	for (skip_blanks(e); !e->wrong && strncmp(e->at, "||", 2) == 0; skip_blanks(e)) {
		e->at += 2;
		next = read_and(e);
		holds = holds || next;
	}
	return holds;
}

const char *
condition_eval(struct conf_lexer *lx, const char *text, bool *holds)
{
	struct expression e = { .lx = lx, .at = text };

	*holds = false;
	skip_blanks(&e);
	if (!*e.at)
		return NULL;
	*holds = read_or(&e);
	skip_blanks(&e);
	if (!e.wrong && *e.at)
		e.wrong = "the expression goes on after its end: `&&` or `||` is missing";
	if (e.wrong)
		*holds = false;
	return e.wrong;
}
