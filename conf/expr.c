/*
 * expr.c - sample expressions: fetch(arguments),converter(arguments),…  Runs in whichever thread
 * loads a configuration.
 *
 * Within parentheses a comma ends an argument and quotes and backslashes take the next characters
 * as they are, once more than the line's own quoting did.
 */
#include "conf/expr_reader.h"

#include "conf/value.h"

#include <ctype.h>
#include <string.h>

/* An expression while it is read. */
struct expr_reader {
	struct conf_call *call;
	struct conf_pos pos;
	const char *at;
};

static const char *const type_names[] = {
	[SAMPLE_ANY] = "any",    [SAMPLE_BOOL] = "boolean", [SAMPLE_INT] = "integer",
	[SAMPLE_IP] = "address", [SAMPLE_STR] = "string",   [SAMPLE_BIN] = "binary",
};

const char *
sample_type_name(enum sample_type type)
{
	return type_names[type];
}

/* ------------------------------------------------------------------ arguments */

/* At the first character of an argument: takes it and stands behind it. */
static struct conf_bytes
take_argument(struct expr_reader *r)
{
	struct conf_text text = { .arena = r->call->p->arena };
	char quote = '\0';

	text_add(&text, "", 0);
	for (; *r->at; r->at++) {
		char c = *r->at;

		if (quote && c == quote) {
			quote = '\0';
			continue;
		}
		if (!quote && (c == '"' || c == '\'')) {
			quote = c;
			continue;
		}
		if (!quote && (c == ',' || c == ')'))
			break;
		if (quote != '\'' && c == '\\' && r->at[1]) {
			c = *++r->at;
			c = (char)(c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
		}
		text_add(&text, &c, 1);
	}
	return (struct conf_bytes){ text.s, text.len };
}

uint32_t
expr_variable(struct conf_call *call, struct conf_pos pos, const char *name)
{
	static const char *const scopes[] = { "sess.", "txn.", "req.", "res.", "proc." };
	enum { PROCESS = 4, SCOPES_N };
	struct conf_parser *p = call->p;
	const struct conf_name *known;
	size_t scope = 0, len;

	while (scope < SCOPES_N && strncmp(name, scopes[scope], strlen(scopes[scope])) != 0)
		scope++;
	if (scope == SCOPES_N) {
		call_refuse(call, pos,
			    "a variable is called proc.NAME, sess.NAME, txn.NAME, req.NAME or "
			    "res.NAME, not `%.60s`",
			    name);
		return CONF_NONE;
	}
	len = strlen(scopes[scope]);
	if (!name[len] ||
	    name[len + strspn(name + len, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "abcdefghijklmnopqrstuvwxyz0123456789_.")]) {
		call_refuse(call, pos,
			    "a variable's name has letters, digits, _ and . only, not `%.60s`",
			    name);
		return CONF_NONE;
	}
	known = names_add(&p->names, NAME_VARIABLE, 0, name, (uint32_t)p->conf->variables_n, pos);
	if (known)
		return known->index;
	*ARENA_PUSH(p->arena, p->conf->variables, p->conf->variables_n) =
		(struct conf_variable_name){ name, scope == PROCESS };
	return (uint32_t)p->conf->variables_n - 1;
}

bool
expr_when(struct conf_call *call, struct conf_pos pos, const char *name, unsigned *when)
{
	unsigned condition = when_find(name);

	if (!condition)
		call_refuse(
			call, pos,
			"`%.40s` is no condition of a variable: ifexists, ifnotexists, ifempty, "
			"ifnotempty, ifset, ifnotset, ifgt or iflt",
			name);
	*when |= condition;
	return condition != 0;
}

uint32_t
expr_capture(struct conf_parser *p, struct conf_pos pos, bool response, int64_t order)
{
	const char *name = arena_printf(p->arena, "capture.%s.%lld", response ? "res" : "req",
					(long long)order);
	uint32_t index = (uint32_t)p->conf->variables_n;
	const struct conf_name *known = names_add(&p->names, NAME_VARIABLE, 0, name, index, pos);

	if (known)
		return known->index;
	ARENA_PUSH(p->arena, p->conf->variables, p->conf->variables_n)->name = name;
	return index;
}

static bool
read_hex(struct expr_reader *r, struct conf_arg *arg)
{
	size_t len = 0;
	char *bytes = arena_alloc(r->call->p->arena, arg->text.len / 2 + 1);

	for (size_t i = 0; i < arg->text.len; i += 2) {
		unsigned byte = 0;

		for (size_t k = i; k < i + 2; k++) {
			char c = k < arg->text.len ? arg->text.data[k] : '\0';

			if (!isxdigit((unsigned char)c)) {
				call_refuse(r->call, r->pos, "`%.60s` are no hexadecimal bytes",
					    arg->text.data);
				return false;
			}
			byte = byte << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
		}
		bytes[len++] = (char)byte;
	}
	arg->text = (struct conf_bytes){ bytes, len };
	return true;
}

/* A name that is looked up when all sections have been read. */
static void
refer(struct expr_reader *r, struct conf_arg *arg, char kind, const char *name)
{
	struct conf_parser *p = r->call->p;

	/* In the global section nothing that has a name can be asked: words_process.c. */
	if (!p->draft)
		return;
	*ARENA_PUSH(p->arena, p->arg_refs, p->arg_refs_n) = (struct conf_arg_ref){
		.kind = kind,
		.arg = arg,
		.name = name,
		.scope = p->draft->scope,
		.pos = r->pos,
	};
}

static bool
read_number(struct expr_reader *r, struct conf_arg *arg, const char *what)
{
	if (value_int(arg->text.data, &arg->number) == 0)
		return true;
	call_refuse(r->call, r->pos, "`%.40s` needs a number, not `%.40s`", what, arg->text.data);
	return false;
}

static bool
read_argument(struct expr_reader *r, struct conf_arg *arg, char kind, const char *what)
{
	switch (tolower((unsigned char)kind)) {
	case 'i':
		return read_number(r, arg, what);
	case 'm':
		if (value_int(arg->text.data, &arg->number) == 0)
			return true;
		arg->variable = true;
		arg->number = expr_variable(r->call, r->pos, arg->text.data);
		return arg->number != CONF_NONE;
	case 'k':
		/* Base64 has no points, a variable's name has one. */
		if (!strchr(arg->text.data, '.'))
			return true;
		/* fall through */
	case 'v':
		arg->variable = true;
		arg->number = expr_variable(r->call, r->pos, arg->text.data);
		return arg->number != CONF_NONE;
	case 'x':
		return read_hex(r, arg);
	case 'c':
		return expr_when(r->call, r->pos, arg->text.data, &arg->when);
	case 'a':
		if (ip_parse(arg->text.data, &arg->ip) == 0)
			return true;
		call_refuse(r->call, r->pos, "`%.40s` needs an address, not `%.60s`", what,
			    arg->text.data);
		return false;
	case 'b':
	case 'f':
	case 'r':
		refer(r, arg, kind, arg->text.data);
		return true;
	}
	return true;
}

/* "(one,two)", or nothing. */
static bool
read_arguments(struct expr_reader *r, struct conf_arg *args, const char *kinds, const char *what)
{
	size_t n = 0;
	bool open = *r->at == '(', more;

	r->at += open;
	/* Conditions are one argument, however many. */
	for (more = open && *r->at != ')'; more; n += kinds[n] != 'C') {
		if (n == CONF_ARGS_MAX || !kinds[n]) {
			call_refuse(r->call, r->pos, "`%.40s` has too many arguments", what);
			return false;
		}
		args[n].text = take_argument(r);
		/* An empty one has been left out, if it may. */
		args[n].given = args[n].text.len > 0 || !isupper((unsigned char)kinds[n]);
		if (args[n].given && !read_argument(r, &args[n], kinds[n], what))
			return false;
		more = *r->at == ',';
		r->at += more;
	}
	/* "()" is an empty text. */
	if (n == 0 && open && *r->at == ')' && *kinds == 's')
		args[0] = (struct conf_arg){ .given = true, .text = { "", 0 } };
	if (open && *r->at++ != ')') {
		call_refuse(r->call, r->pos, "`)` is missing after the arguments of `%.40s`", what);
		return false;
	}
	for (size_t i = 0; kinds[i]; i++) {
		if (!args[i].given && !isupper((unsigned char)kinds[i])) {
			call_refuse(r->call, r->pos, "`%.40s` lacks an argument", what);
			return false;
		}
		/* The section's own, if no name is given. */
		if (!args[i].given && (kinds[i] == 'B' || kinds[i] == 'F'))
			refer(r, &args[i], kinds[i], NULL);
	}
	return true;
}

/* ------------------------------------------------------------------ what arguments must be */

static bool
is_one_of(const struct conf_arg *arg, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(arg->text.data, *words) == 0)
			return true;
	return false;
}

static const char captures_count[] = "what is captured counts from 0";

static bool
check_fetch(struct expr_reader *r, struct conf_expr *expr)
{
	static const char *const truths[] = { "true", "1", "false", "0", NULL };
	static const char *const units[] = { "s", "ms", "us", NULL };
	const char *wrong = NULL;
	struct conf_arg *arg = expr->args;

	switch (expr->fetch) {
	case CONF_FETCH_BOOL:
		arg->number = arg->text.data[0] == 't' || arg->text.data[0] == '1';
		wrong = is_one_of(arg, truths) ? NULL : "`bool` is true or false";
		break;
	case CONF_FETCH_DATE:
		if (arg[1].given && !is_one_of(&arg[1], units))
			wrong = "`date` counts in s, ms or us";
		break;
	case CONF_FETCH_CAPTURE_REQ:
	case CONF_FETCH_CAPTURE_RES:
		if (arg->number < 0)
			wrong = captures_count;
		else
			arg->number =
				expr_capture(r->call->p, r->pos,
					     expr->fetch == CONF_FETCH_CAPTURE_RES, arg->number);
		break;
	case CONF_FETCH_FC_RTT:
	case CONF_FETCH_FC_RTTVAR:
		if (arg->given && !is_one_of(arg, &units[1]))
			wrong = "it counts in ms or us";
		break;
	case CONF_FETCH_IPV4:
		wrong = arg->ip.family == AF_INET ? NULL : "`ipv4` needs an IPv4 address";
		break;
	case CONF_FETCH_IPV6:
		wrong = arg->ip.family == AF_INET6 ? NULL : "`ipv6` needs an IPv6 address";
		break;
	case CONF_FETCH_RAND:
		if (arg->given && (arg->number < 1 || arg->number > UINT32_MAX))
			wrong = "`rand` needs a range from 1 to 4294967295";
		break;
	case CONF_FETCH_FE_SESS_RATE:
	case CONF_FETCH_BE_SESS_RATE:
	case CONF_FETCH_SRV_SESS_RATE:
		r->call->p->conf->uses_rates = true;
		break;
	case CONF_FETCH_UUID:
		if (arg->given && arg->number != 4)
			wrong = "`uuid` has version 4 only";
		break;
	case CONF_FETCH_ENV: {
		const char *value = lexer_environment(&r->call->p->lexer, arg->text.data);

		arg->text = (struct conf_bytes){ value, value ? strlen(value) : 0 };
		break;
	}
	case CONF_FETCH_REQ_PAYLOAD:
	case CONF_FETCH_RES_PAYLOAD:
		if (arg[0].number < 0 || arg[1].number < 0)
			wrong = "a payload's offset and length are not negative";
		break;
	case CONF_FETCH_REQ_PAYLOAD_LV:
	case CONF_FETCH_RES_PAYLOAD_LV:
		if (arg[0].number < 0 || arg[1].number < 1 || arg[1].number > 8)
			wrong = "a payload's length has 1 to 8 bytes";
		/* "+2" and "-2" count from behind the length. */
		if (arg[2].given && value_int(arg[2].text.data, &arg[2].number) < 0)
			wrong = "the second offset of a payload is a number";
		break;
	}
	if (wrong)
		call_refuse(r->call, r->pos, "%s", wrong);
	return !wrong;
}

/* A netmask: "255.255.0.0", "16", "ffff::", "64". */
static bool
read_mask(struct conf_arg *arg, uint8_t family)
{
	int64_t bits;

	if (value_int(arg->text.data, &bits) < 0)
		return ip_parse(arg->text.data, &arg->ip) == 0 && arg->ip.family == family;
	arg->ip = (struct ip){ .family = family };
	if (bits < 0 || bits > (family == AF_INET ? 32 : 128))
		return false;
	for (int64_t i = 0; i < bits; i++)
		arg->ip.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return true;
}

/* NULL, or what is wrong.  Flags: i = whatever the case, g = each occurrence. */
static const char *
read_regsub(struct expr_reader *r, struct conf_convert *convert)
{
	struct conf_parser *p = r->call->p;
	const struct conf_arg *arg = convert->args;
	struct conf_patterns pattern = { .method = CONF_METHOD_REG };
	const char *flags = arg[2].given ? arg[2].text.data : "";
	const char *wrong;

	if (flags[strspn(flags, "ig")])
		return "the flags of `regsub` are i and g";
	pattern.ignore_case = strchr(flags, 'i') != NULL;
	wrong = pattern_add(p, &pattern, arg[0].text.data, PATTERN_EQ, false);
	if (wrong)
		return arena_printf(p->arena, "`%.60s` %s", arg[0].text.data, wrong);
	convert->regex = pattern.regexes[0];
	convert->args[2].number = strchr(flags, 'g') != NULL;
	return NULL;
}

/* An algorithm's name becomes its place in CONF_DIGESTS. */
static bool
read_digest(struct conf_arg *arg)
{
	static const char *const names[] = {
#define DIGEST(name, function) name,
		CONF_DIGESTS(DIGEST)
#undef DIGEST
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(names[i], arg->text.data) == 0) {
			arg->number = (int64_t)i;
			return true;
		}
	return false;
}

static bool
is_base64(const struct conf_bytes *text)
{
	size_t len = strspn(text->data, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"abcdefghijklmnopqrstuvwxyz0123456789+/");
	size_t padding = strspn(text->data + len, "=");

	return text->len % 4 == 0 && padding <= 2 && len + padding == text->len;
}

/* NULL, or what is wrong: separator, size of a chunk, whether the last one must be whole. */
static const char *
check_chunks(const struct conf_arg *arg, int64_t size_max)
{
	if (!arg[1].given && (arg[0].given || arg[2].given))
		return "a chunk has 1 byte or more";
	if (arg[1].given && (arg[1].number < 1 || arg[1].number > size_max))
		return size_max > 8 ? "a chunk has 1 byte or more" : "a chunk has 1 to 8 bytes";
	if (arg[2].given && arg[2].number != 0 && arg[2].number != 1)
		return "whether the last chunk must be whole is 0 or 1";
	return NULL;
}

static bool
check_convert(struct expr_reader *r, struct conf_convert *convert)
{
	struct conf_arg *arg = convert->args;
	const char *wrong = NULL;

	switch (convert->id) {
	case CONF_CONVERT_IPMASK:
		if (!read_mask(&arg[0], AF_INET) || (arg[1].given && !read_mask(&arg[1], AF_INET6)))
			wrong = "`ipmask` needs masks such as 24 or 255.255.255.0, and 64";
		break;
	case CONF_CONVERT_FIELD:
	case CONF_CONVERT_WORD:
		if (arg[0].number == 0 || arg[1].text.len == 0)
			wrong = "fields count from 1, or -1 from the end, and need delimiters";
		break;
	case CONF_CONVERT_SHA2:
		if (arg->given && arg->number != 224 && arg->number != 256 && arg->number != 384 &&
		    arg->number != 512)
			wrong = "`sha2` has 224, 256, 384 or 512 bits";
		break;
	case CONF_CONVERT_HMAC:
		if (!arg[1].variable && !is_base64(&arg[1].text))
			wrong = "the key of `hmac` is written in base64";
		/* fall through */
	case CONF_CONVERT_DIGEST:
		if (!read_digest(arg))
			wrong = "there is no such digest (such as sha256, sha3-256, blake2s256)";
		break;
	case CONF_CONVERT_BE2DEC:
		wrong = check_chunks(arg, 8);
		break;
	case CONF_CONVERT_BE2HEX:
		wrong = check_chunks(arg, INT32_MAX);
		break;
	case CONF_CONVERT_CAPTURE_REQ:
	case CONF_CONVERT_CAPTURE_RES:
		wrong = arg->number < 0 ? captures_count : NULL;
		break;
	case CONF_CONVERT_URL_ENC:
		if (arg->given && strcmp(arg->text.data, "query") != 0)
			wrong = "`url_enc` encodes as `query` only";
		break;
	case CONF_CONVERT_MQTT_FIELD:
		wrong = expr_read_mqtt(arg);
		break;
	case CONF_CONVERT_JSON:
		wrong = expr_read_json(arg);
		break;
	case CONF_CONVERT_ADD_ITEM:
		if (!arg[1].given && !arg[2].given)
			wrong = "`add_item` needs a variable or a text to add";
		break;
	case CONF_CONVERT_BYTES:
		if (arg[0].number < 0 || (arg[1].given && arg[1].number < 0))
			wrong = "`bytes` needs an offset and a length";
		break;
	case CONF_CONVERT_REGSUB:
		wrong = read_regsub(r, convert);
		break;
	case CONF_CONVERT_DIV:
	case CONF_CONVERT_MOD:
		if (!arg->variable && arg->number == 0)
			wrong = "there is no division by zero";
		break;
	}
	if (wrong)
		call_refuse(r->call, r->pos, "%s", wrong);
	return !wrong;
}

/* ------------------------------------------------------------------ the expression */

static size_t
name_len(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");
}

/* "no fetch is called `x` (did you mean `y`?)" */
static void
tell_unknown(struct expr_reader *r, const char *what, const char *name, size_t len, const char *why,
	     const char *nearest)
{
	if (why)
		call_refuse(r->call, r->pos, "`%.*s`: %s", (int)len, name, why);
	else
		call_refuse(r->call, r->pos, "there is no %s `%.*s`%s%s%s", what, (int)len, name,
			    nearest ? " (did you mean `" : "", nearest ? nearest : "",
			    nearest ? "`?)" : "");
}

/* Can one type be had from the other? */
static bool
castable(enum sample_type from, enum sample_type to)
{
	static const bool no[6][6] = {
		[SAMPLE_BOOL] = { [SAMPLE_IP] = true, [SAMPLE_BIN] = true },
		[SAMPLE_IP] = { [SAMPLE_BOOL] = true },
		[SAMPLE_BIN] = { [SAMPLE_BOOL] = true, [SAMPLE_INT] = true },
	};

	return !no[from][to];
}

/* At ",name…": one converter.  false after an error. */
static bool
read_convert(struct expr_reader *r, struct conf_expr *expr)
{
	struct conf_parser *p = r->call->p;
	const char *name = ++r->at;
	size_t len = name_len(name);
	const struct convert_row *row = convert_find(name, len);
	struct conf_convert convert = { 0 };

	if (!row) {
		tell_unknown(r, "converter", name, len, convert_why_not(name, len),
			     convert_nearest(arena_strndup(p->arena, name, len)));
		return false;
	}
	r->at += len;
	convert.id = row->id;
	convert.takes = row->takes;
	convert.gives = row->gives;
	if (!read_arguments(r, convert.args, row->args, row->name) || !check_convert(r, &convert))
		return false;
	if (row->id == CONF_CONVERT_MAP && !map_read(r->call, r->pos, name, len, &convert))
		return false;
	if (!castable(expr->type, convert.takes)) {
		call_refuse(r->call, r->pos, "`%.*s` cannot be applied to a sample of type %s",
			    (int)len, name, sample_type_name(expr->type));
		return false;
	}
	/* ANY gives what it takes. */
	if (convert.gives == SAMPLE_ANY)
		convert.gives = expr->type;
	expr->type = convert.gives;
	*ARENA_PUSH(p->arena, expr->converts, expr->converts_n) = convert;
	return true;
}

struct conf_expr *
expr_read(struct conf_call *call, struct conf_pos pos, const char *text, const char **end)
{
	struct expr_reader r = { .call = call, .pos = pos, .at = text };
	struct conf_expr *expr = arena_alloc(call->p->arena, sizeof *expr);
	size_t len = name_len(text);
	const struct fetch_row *row = fetch_find(text, len);

	if (!row) {
		tell_unknown(&r, "fetch", text, len, fetch_why_not(text, len),
			     fetch_nearest(arena_strndup(call->p->arena, text, len)));
		return NULL;
	}
	r.at += len;
	expr->fetch = row->id;
	expr->type = row->type;
	expr->needs = row->needs;
	if (!read_arguments(&r, expr->args, row->args, row->name) || !check_fetch(&r, expr))
		return NULL;
	while (*r.at == ',')
		if (!read_convert(&r, expr))
			return NULL;
	if (end) {
		*end = r.at;
	} else if (*r.at) {
		call_refuse(call, pos, "`%.40s` is more than the expression `%.*s` takes", r.at,
			    (int)(r.at - text), text);
		return NULL;
	}
	return expr;
}
