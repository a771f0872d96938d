/*
 * acl.c - `acl` lines, conditions and the ACLs that need no declaration.  Runs in whichever thread
 * loads a configuration.
 *
 * A condition may name an ACL only below its first line in the same section; later lines of that
 * name still add to it.
 */
#include "conf/expr_reader.h"
#include "conf/words_conditional.h"

#include "conf/nearest.h"

#include <string.h>

/* ------------------------------------------------------------------ one line */

/* One line while it is read.  Values before and after -i stand in sets of their own. */
struct line_reader {
	struct conf_call *call;
	struct conf_expr *expr;
	struct conf_patterns sets[2]; /* [1]: ignoring case */
	enum pattern_operator op;
	bool ignore_case, dotted, failed, values;
};

static void
fail(struct line_reader *r, struct conf_pos pos, const char *value, const char *wrong)
{
	call_refuse(r->call, pos, "`%.60s` %s", value, wrong);
	r->failed = true;
}

static void
add_value(struct line_reader *r, struct conf_pos pos, const char *value)
{
	const char *wrong =
		pattern_add(r->call->p, &r->sets[r->ignore_case], value, r->op, r->dotted);

	r->values = true;
	if (wrong)
		fail(r, pos, value, wrong);
}

/* One value a line; "#" at its beginning makes a comment of it. */
static void
add_file(struct line_reader *r, const struct conf_word *word)
{
	struct conf_parser *p = r->call->p;
	struct conf_pos pos = { .line = 0 };
	const char *text, *end;

	r->values = true;
	pos.source = parser_values(p, word->text, word->pos);
	if (pos.source == CONF_NONE) {
		r->failed = true;
		return;
	}
	text = p->conf->sources[pos.source].text;
	end = text + p->conf->sources[pos.source].len;
	while (text < end && !r->failed) {
		const char *stop = memchr(text, '\n', (size_t)(end - text)), *from = text;
		const char *last = stop ? stop : end;

		pos.line++;
		while (from < last && (*from == ' ' || *from == '\t'))
			from++;
		pos.column = (uint32_t)(from - text) + 1;
		while (last > from && last[-1] == '\r')
			last--;
		if (last > from && *text != '#')
			add_value(r, pos, arena_strndup(p->arena, from, (size_t)(last - from)));
		text = stop ? stop + 1 : end;
	}
}

static void
choose_method(struct line_reader *r, const struct conf_word *word)
{
	int method = pattern_method(word->text);

	if (method < 0) {
		fail(r, word->pos, word->text,
		     "is no method: found, bool, int, ip, bin, len, str, beg, end, sub, dir, dom or "
		     "reg");
		return;
	}
	if (r->values) {
		fail(r, word->pos, word->text, "comes too late: -m stands before all values");
		return;
	}
	r->sets[0].method = r->sets[1].method = (enum conf_method)method;
	r->dotted = r->dotted && method == CONF_METHOD_INT;
}

/* Flags up to the first value; where that is. */
static size_t
read_flags(struct line_reader *r, size_t at, size_t to)
{
	const struct conf_word *words = r->call->words;

	for (; at < to && !r->failed && words[at].text[0] == '-'; at++) {
		const char *flag = words[at].text;

		if (strcmp(flag, "--") == 0)
			return at + 1;
		if (strcmp(flag, "-i") == 0) {
			r->ignore_case = true;
		} else if (strcmp(flag, "-n") == 0) {
			continue; /* names are never looked up */
		} else if (strcmp(flag, "-M") == 0) {
			fail(r, words[at].pos, flag, "(map files) comes with a later version");
		} else if (strcmp(flag, "-m") == 0 || strcmp(flag, "-f") == 0 ||
			   strcmp(flag, "-u") == 0) {
			if (at + 1 == to)
				fail(r, words[at].pos, flag, "needs a word behind it");
			else if (flag[1] == 'm')
				choose_method(r, &words[at + 1]);
			else if (flag[1] == 'f')
				add_file(r, &words[at + 1]);
			at++;
		} else {
			fail(r, words[at].pos, flag,
			     "is no flag: `--` stands before a value that begins with `-`");
		}
	}
	return at;
}

/* The method is settled: does it fit? */
static void
check_method(struct line_reader *r, const struct conf_word *word)
{
	enum conf_method method = r->sets[0].method;

	if (!pattern_fits(r->expr->type, method))
		call_refuse(r->call, word->pos, "a sample of type %s cannot be compared as `%s`",
			    sample_type_name(r->expr->type), pattern_method_name(method));
	else
		return;
	r->failed = true;
}

/* Words that name a fetch and how it is compared. */
static const struct {
	const char *word, *fetch;
	enum conf_method method;
} derived[] = {
	{ "ssl_fc_sni_end", "ssl_fc_sni", CONF_METHOD_END },
	{ "ssl_fc_sni_reg", "ssl_fc_sni", CONF_METHOD_REG },
};

static bool
begin_line(struct line_reader *r, const struct conf_word *word)
{
	const char *text = word->text;
	int method = -1;

	for (size_t i = 0; i < sizeof derived / sizeof *derived; i++) {
		if (strcmp(derived[i].word, text) == 0) {
			text = derived[i].fetch;
			method = (int)derived[i].method;
		}
	}
	r->expr = expr_read(r->call, word->pos, text, NULL);
	if (!r->expr)
		return false;
	if (method < 0)
		method = (int)pattern_method_of(r->expr->type);
	if (r->expr->type == SAMPLE_BIN && r->expr->converts_n == 0 &&
	    (r->expr->fetch == CONF_FETCH_REQ_PAYLOAD ||
	     r->expr->fetch == CONF_FETCH_REQ_PAYLOAD_LV))
		method = CONF_METHOD_BIN;
	r->sets[0].method = r->sets[1].method = (enum conf_method)method;
	r->sets[1].ignore_case = true;
	r->dotted = r->expr->fetch == CONF_FETCH_REQ_SSL_VER && r->expr->converts_n == 0;
	return true;
}

static bool
is_undecided(const struct line_reader *r)
{
	return r->sets[0].method == CONF_METHOD_FOUND;
}

/* Numbers may follow an operator, which holds for those behind it. */
static void
read_values(struct line_reader *r, size_t at, size_t to)
{
	const struct conf_word *words = r->call->words;
	enum conf_method method = r->sets[0].method;

	for (; at < to && !r->failed; at++) {
		int op = method == CONF_METHOD_INT || method == CONF_METHOD_LEN
				 ? pattern_operator(words[at].text)
				 : -1;

		if (op < 0) {
			add_value(r, words[at].pos, words[at].text);
			continue;
		}
		r->op = (enum pattern_operator)op;
		if (at + 1 == to)
			fail(r, words[at].pos, words[at].text, "needs a number behind it");
	}
}

static void
tell_no_value(struct line_reader *r, const struct conf_word *word, bool intended)
{
	enum conf_method method = r->sets[0].method;

	if (r->values || intended || method == CONF_METHOD_FOUND || method == CONF_METHOD_BOOL)
		return;
	conf_warning(&r->call->p->reporter, word->pos,
		     "`%.60s` is compared with no value, so it never matches: `-m found` asks "
		     "whether it is there, `--` says that this is meant",
		     word->text);
}

static bool
is_empty(const struct conf_patterns *patterns)
{
	return !patterns->texts_n && !patterns->regexes_n && !patterns->numbers_n &&
	       !patterns->ip4_n && !patterns->ip6_n;
}

bool
acl_read_line(struct conf_call *call, struct conf_acl *acl, size_t from, size_t to)
{
	struct line_reader r = { .call = call };
	struct conf_acl_line line = { 0 };
	const struct conf_word *words = call->words;
	bool named = false;
	size_t at;

	if (!begin_line(&r, &words[from]))
		return false;
	for (at = from + 1; at + 1 < to && !named; at++)
		named = strcmp(words[at].text, "-m") == 0;
	if (is_undecided(&r) && !named) {
		call_refuse(call, words[from].pos,
			    "`%.60s` is %s: `-m METHOD` must say how it is compared",
			    words[from].text, sample_type_name(r.expr->type));
		return false;
	}
	at = read_flags(&r, from + 1, to);
	if (!r.failed)
		check_method(&r, &words[from]);
	if (!r.failed)
		read_values(&r, at, to);
	if (r.failed)
		return false;
	tell_no_value(&r, &words[from], at > from + 1 && strcmp(words[at - 1].text, "--") == 0);

	line.expr = r.expr;
	line.words = rule_keep_words(call, from, to, &line.words_n);
	for (size_t i = 0; i < 2; i++) {
		/* One set is enough, unless there are values before -i and behind it. */
		if (is_empty(&r.sets[i]) && (i == 1 || !is_empty(&r.sets[1])))
			continue;
		pattern_finish(&r.sets[i]);
		line.patterns = r.sets[i];
		*ARENA_PUSH(call->p->arena, acl->lines, acl->lines_n) = line;
		line.words = NULL;
		line.words_n = 0;
	}
	return true;
}

/* ------------------------------------------------------------------ by name */

static const struct {
	const char *name, *words[4];
} predefined[] = {
	{ "TRUE", { "always_true" } },
	{ "FALSE", { "always_false" } },
	{ "LOCALHOST", { "src", "127.0.0.1/8", "::1" } },
	{ "REQ_CONTENT", { "req.len", "gt", "0" } },
	{ "RDP_COOKIE", { "req.rdp_cookie_cnt", "gt", "0" } },
	{ "WAIT_END", { "wait_end" } },
	{ "HTTP", { "req.proto_http" } },
};

static const char *const predefined_http[] = {
	"HTTP_1.0",       "HTTP_1.1",      "HTTP_2.0",     "HTTP_CONTENT", "HTTP_URL_ABS",
	"HTTP_URL_SLASH", "HTTP_URL_STAR", "METH_CONNECT", "METH_DELETE",  "METH_GET",
	"METH_HEAD",      "METH_OPTIONS",  "METH_POST",    "METH_PUT",     "METH_TRACE",
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The ACL of this name in the section being read; made if it is not there. */
static uint32_t
named_acl(struct conf_call *call, const char *name, struct conf_pos pos, bool *made)
{
	struct conf_parser *p = call->p;
	struct conf_proxy *proxy = call->object;
	const struct conf_name *known =
		names_add(&p->names, NAME_ACL, p->draft->scope, name, (uint32_t)proxy->acls_n, pos);

	*made = !known;
	if (known)
		return known->index;
	ARENA_PUSH(p->arena, proxy->acls, proxy->acls_n)->name = name;
	return (uint32_t)proxy->acls_n - 1;
}

static uint32_t
predefined_acl(struct conf_call *call, const struct conf_word *word, const char *name)
{
	struct conf_proxy *proxy = call->object;
	struct conf_word words[4];
	struct conf_call inner = *call;
	size_t n = 0;
	uint32_t index;
	bool made;

	for (size_t i = 0; i < COUNT(predefined); i++) {
		if (strcmp(predefined[i].name, name) != 0)
			continue;
		for (; n < 4 && predefined[i].words[n]; n++)
			words[n] = (struct conf_word){ .text = predefined[i].words[n],
						       .pos = word->pos };
		inner.words = words;
		inner.words_n = n;
		index = named_acl(call, predefined[i].name, word->pos, &made);
		acl_read_line(&inner, &proxy->acls[index], 0, n);
		/* It is not written in the file. */
		proxy->acls[index].lines[0].words = NULL;
		return index;
	}
	return CONF_NONE;
}

static uint32_t
find_acl(struct conf_call *call, const struct conf_word *word, const char *name)
{
	struct conf_parser *p = call->p;
	const struct conf_proxy *proxy = call->object;
	const struct conf_name *known = names_find(&p->names, NAME_ACL, p->draft->scope, name);
	struct nearest nearest = nearest_init(name);
	uint32_t index;

	if (known)
		return known->index;
	index = predefined_acl(call, word, name);
	if (index != CONF_NONE)
		return index;
	for (size_t i = 0; i < COUNT(predefined_http); i++) {
		if (strcmp(predefined_http[i], name) == 0) {
			call_refuse(call, word->pos,
				    "`%s` needs mode http, which this version does not have", name);
			return CONF_NONE;
		}
	}
	for (size_t i = 0; i < proxy->acls_n; i++)
		if (proxy->acls[i].name)
			nearest_offer(&nearest, proxy->acls[i].name);
	call_refuse(call, word->pos, "there is no acl `%.60s` above in this section%s%s%s", name,
		    nearest.best ? " (did you mean `" : "", nearest.best ? nearest.best : "",
		    nearest.best ? "`?)" : "");
	return CONF_NONE;
}

static bool
is_acl_name(const char *name)
{
	return *name && !name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					   "0123456789-_.:")];
}

void
parse_acl(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;
	const struct conf_word *name = call_word(call, 1, "a name");
	uint32_t index;
	bool made;

	if (!name)
		return;
	if (strcmp(name->text, "or") == 0 || !is_acl_name(name->text)) {
		conf_error(&call->p->reporter, name->pos,
			   "an acl's name has letters, digits and - _ . : only (and is not `or`), "
			   "not `%.60s`",
			   name->text);
		return;
	}
	if (!call_word(call, 2, "a name and an expression"))
		return;
	/* One that is refused is known all the same. */
	index = named_acl(call, name->text, name->pos, &made);
	acl_read_line(call, &proxy->acls[index], 2, call->words_n);
}

void
print_acls(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;

	for (size_t i = 0; i < proxy->acls_n; i++) {
		const struct conf_acl *acl = &proxy->acls[i];

		for (size_t k = 0; acl->name && k < acl->lines_n; k++) {
			if (!acl->lines[k].words)
				continue;
			print_name(pr, row->name);
			print_word(pr, acl->name);
			rule_print_words(pr, acl->lines[k].words, acl->lines[k].words_n);
		}
	}
}

/* ------------------------------------------------------------------ conditions */

/* At "{": the ACL within, *at behind its "}". */
static uint32_t
braced_acl(struct conf_call *call, size_t *at)
{
	struct conf_proxy *proxy = call->object;
	struct conf_acl acl = { 0 };
	size_t from = *at + 1, to = from;

	while (to < call->words_n && (strcmp(call->words[to].text, "}") != 0))
		to++;
	*at = to + 1;
	if (to == call->words_n) {
		conf_error(&call->p->reporter, call->words[from - 1].pos,
			   "`{` without a `}` of its own behind it (with blanks around)");
		return CONF_NONE;
	}
	if (to == from) {
		conf_error(&call->p->reporter, call->words[from - 1].pos,
			   "there is nothing between `{` and `}`");
		return CONF_NONE;
	}
	if (!acl_read_line(call, &acl, from, to))
		return CONF_NONE;
	*ARENA_PUSH(call->p->arena, proxy->acls, proxy->acls_n) = acl;
	return (uint32_t)proxy->acls_n - 1;
}

/* What would be there too late is told once for each term. */
static void
check_offers(struct conf_call *call, const struct conf_word *word, uint32_t index, unsigned offers)
{
	const struct conf_proxy *proxy = call->object;
	const struct conf_acl *acl = &proxy->acls[index];

	for (size_t i = 0; i < acl->lines_n; i++) {
		if (acl->lines[i].expr->needs & ~offers) {
			conf_warning(&call->p->reporter, word->pos,
				     "`%s` asks for what is not there yet or no longer: it never "
				     "matches in `%s`",
				     acl->name ? acl->name : "{ … }", call->row->name);
			return;
		}
	}
}

struct conf_condition *
condition_of(struct conf_call *call, size_t at, unsigned offers)
{
	struct arena *arena = call->p->arena;
	struct conf_condition *condition = arena_alloc(arena, sizeof *condition);
	struct conf_all all = { 0 };

	if (strcmp(call->words[at].text, "if") != 0 &&
	    strcmp(call->words[at].text, "unless") != 0) {
		conf_error(&call->p->reporter, call->words[at].pos,
			   "`if` or `unless` is expected here, not `%.60s`", call->words[at].text);
		return NULL;
	}
	condition->unless = call->words[at++].text[0] == 'u';
	while (at < call->words_n) {
		const struct conf_word *word = &call->words[at];
		const char *name = word->text;
		struct conf_term term = { 0 };

		if (strcmp(name, "||") == 0 || strcmp(name, "or") == 0) {
			if (all.terms_n == 0)
				break;
			*ARENA_PUSH(arena, condition->any, condition->any_n) = all;
			all = (struct conf_all){ 0 };
			at++;
			continue;
		}
		for (; *name == '!'; name++)
			term.negated = !term.negated;
		if (!*name) {
			/* "! name": the mark stands alone. */
			if (++at == call->words_n)
				break;
			word = &call->words[at];
			name = word->text;
			for (; *name == '!'; name++)
				term.negated = !term.negated;
		}
		if (strcmp(name, "{") == 0) {
			term.acl = braced_acl(call, &at);
		} else {
			term.acl = find_acl(call, word, name);
			at++;
		}
		if (term.acl == CONF_NONE)
			return NULL;
		check_offers(call, word, term.acl, offers);
		*ARENA_PUSH(arena, all.terms, all.terms_n) = term;
	}
	if (all.terms_n == 0) {
		conf_error(&call->p->reporter, at < call->words_n ? call->words[at].pos : call->end,
			   "an acl is missing here");
		return NULL;
	}
	*ARENA_PUSH(arena, condition->any, condition->any_n) = all;
	return condition;
}
