/*
 * sample_convert.c - converters: a sample becomes another one.  Run by the session's thread.  Texts
 * that are made stand in the caller's room and are cut where it ends.
 */
#include "proxy/sample.h"

#include "proxy/extra.h"
#include "proxy/map.h"
#include "proxy/stats.h"
#include "proxy/variable.h"

#include "conf/expr_words.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <string.h>
#include <time.h>

/* ------------------------------------------------------------------ texts */

static bool
change_case(struct sample *sample, char *out, bool lower)
{
	size_t len = sample->len < SAMPLE_ROOM ? sample->len : SAMPLE_ROOM;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)sample->data[i];

		out[i] = (char)(lower ? tolower(c) : toupper(c));
	}
	return set_text(sample, SAMPLE_STR, out, len);
}

static bool
is_delimiter(const struct conf_arg *delimiters, char c)
{
	return memchr(delimiters->text.data, c, delimiters->text.len) != NULL;
}

/*
 * Fields stand between delimiters and may be empty; words are what is left if delimiters in a row
 * are one.  Counted from 1, or from the end by -1; `count` of them with what stands between, 0 = all.
 */
static bool
pick_field(struct sample *sample, const struct conf_arg *args, bool words)
{
	const struct conf_arg *delimiters = &args[1];
	bool backwards = args[0].number < 0;
	int64_t index = backwards ? -args[0].number : args[0].number;
	int64_t count = args[2].given ? args[2].number : 1, seen = 0;
	const char *data = sample->data, *end = data + sample->len;
	const char *from = NULL, *to = NULL;
	const char *at = backwards ? end : data;

	for (;;) {
		const char *start = at;

		if (backwards) {
			while (at > data && !is_delimiter(delimiters, at[-1]))
				at--;
		} else {
			while (at < end && !is_delimiter(delimiters, *at))
				at++;
		}
		if (!words || at != start) {
			seen++;
			if (seen == index) {
				from = backwards ? at : start;
				to = backwards ? start : at;
			}
			if (seen >= index && (count == 0 || seen < index + count)) {
				from = backwards ? at : from;
				to = backwards ? to : at;
			}
		}
		if (at == (backwards ? data : end) || (count && seen >= index + count - 1))
			break;
		at += backwards ? -1 : 1;
	}
	if (!from)
		return set_text(sample, SAMPLE_STR, "", 0);
	return set_text(sample, SAMPLE_STR, from, (size_t)(to - from));
}

static bool
take_bytes(struct sample *sample, const struct conf_arg *args)
{
	size_t offset = (size_t)args[0].number, len;

	if (offset > sample->len)
		return set_text(sample, SAMPLE_BIN, sample->data, 0);
	len = sample->len - offset;
	if (args[1].given && (size_t)args[1].number < len)
		len = (size_t)args[1].number;
	return set_text(sample, SAMPLE_BIN, sample->data + offset, len);
}

static size_t
append(char *out, size_t len, const char *data, size_t more)
{
	if (more > SAMPLE_ROOM - len)
		more = SAMPLE_ROOM - len;
	memcpy(out + len, data, more);
	return len + more;
}

/* The sample, a text, a variable's value, a text. */
static bool
concat(const struct sample_ctx *ctx, const struct conf_arg *args, struct sample *sample, char *out)
{
	struct sample_room room;
	struct sample value;
	size_t len = append(out, 0, sample->data, sample->len);

	room.turn = 0;
	if (args[0].given)
		len = append(out, len, args[0].text.data, args[0].text.len);
	if (args[1].given && variable_get(ctx, (uint32_t)args[1].number, &value, &room) &&
	    sample_cast(&value, SAMPLE_STR, &room))
		len = append(out, len, value.data, value.len);
	if (args[2].given)
		len = append(out, len, args[2].text.data, args[2].text.len);
	return set_text(sample, SAMPLE_STR, out, len);
}

/* A separator, if there is something on both sides of it, a variable's value, a text. */
static bool
add_item(const struct sample_ctx *ctx, const struct conf_arg *args, struct sample *sample,
	 char *out)
{
	struct sample_room room;
	struct sample value;
	size_t len = append(out, 0, sample->data, sample->len);
	bool known;

	room.turn = 0;
	known = args[1].given && variable_get(ctx, (uint32_t)args[1].number, &value, &room) &&
		sample_cast(&value, SAMPLE_STR, &room);
	if (sample->len && (known || args[2].given))
		len = append(out, len, args[0].text.data, args[0].text.len);
	if (known)
		len = append(out, len, value.data, value.len);
	if (args[2].given)
		len = append(out, len, args[2].text.data, args[2].text.len);
	return set_text(sample, SAMPLE_STR, out, len);
}

static bool
trim(struct sample *sample, const struct conf_arg *chars, bool left)
{
	while (left && sample->len && is_delimiter(chars, *sample->data)) {
		sample->data++;
		sample->len--;
	}
	while (!left && sample->len && is_delimiter(chars, sample->data[sample->len - 1]))
		sample->len--;
	return true;
}

/* What stands before the first end of a line. */
static bool
cut_line(struct sample *sample)
{
	size_t len = 0;

	while (len < sample->len && sample->data[len] != '\r' && sample->data[len] != '\n')
		len++;
	sample->len = len;
	return true;
}

/* The format is the configuration's. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static bool
format_time(struct sample *sample, const struct conf_arg *args, char *out, bool local)
{
	time_t when = sample->number + (args[1].given ? args[1].number : 0);
	struct tm tm;

	if (!(local ? localtime_r(&when, &tm) : gmtime_r(&when, &tm)))
		return false;
	return set_text(sample, SAMPLE_STR, out,
			strftime(out, SAMPLE_ROOM, args[0].text.data, &tm));
}

#pragma GCC diagnostic pop

static bool
compare_with(const struct sample_ctx *ctx, const struct conf_arg *arg, struct sample *sample)
{
	struct sample_room room;
	struct sample other;
	int order;

	room.turn = 0;
	if (!variable_get(ctx, (uint32_t)arg->number, &other, &room) ||
	    !sample_cast(&other, SAMPLE_STR, &room))
		return false;
	order = memcmp(sample->data, other.data, sample->len < other.len ? sample->len : other.len);
	if (order == 0)
		order = (sample->len > other.len) - (sample->len < other.len);
	return set_number(sample, SAMPLE_INT, order);
}

static bool
set_variable(const struct sample_ctx *ctx, const struct conf_arg *args, struct sample *sample)
{
	uint32_t variable = (uint32_t)args[0].number;
	bool may_change = sample->may_change;

	if (!variable_set(ctx, variable, sample, args[1].when))
		return false;
	/* The sample may have been the former value of one of the session's. */
	if (!variable_is_shared(ctx, variable) && !extra_get(ctx->session, variable, sample))
		return false;
	sample->may_change = may_change;
	return true;
}

/* It may be the value of a variable whose bytes go. */
static void
own_bytes(const struct sample_ctx *ctx, struct sample *sample)
{
	if (sample->type != SAMPLE_STR && sample->type != SAMPLE_BIN)
		return;
	if (sample->len > SAMPLE_ROOM)
		sample->len = SAMPLE_ROOM;
	sample->data = memcpy(sample_room(ctx->room), sample->data, sample->len);
}

static bool
unset_variable(const struct sample_ctx *ctx, const struct conf_arg *args, struct sample *sample)
{
	own_bytes(ctx, sample);
	return variable_set(ctx, (uint32_t)args[0].number, NULL, 0);
}

/* Its beginning is kept; false: the frontend has no such place. */
static bool
capture(const struct sample_ctx *ctx, const struct conf_captures *captures, int64_t place,
	struct sample *sample)
{
	struct sample kept;

	if (place >= (int64_t)captures->n)
		return false;
	own_bytes(ctx, sample);
	kept = *sample;
	if (kept.len > captures->list[place].len)
		kept.len = captures->list[place].len;
	extra_set(ctx->session, captures->list[place].variable, &kept);
	return true;
}

/* The same bytes as a variable's?  Takes as long for each answer. */
static bool
compare_secretly(const struct sample_ctx *ctx, const struct conf_arg *arg, struct sample *sample)
{
	struct sample_room room;
	struct sample other;

	room.turn = 0;
	if (!variable_get(ctx, (uint32_t)arg->number, &other, &room) ||
	    (other.type != SAMPLE_STR && other.type != SAMPLE_BIN))
		return false;
	return set_number(sample, SAMPLE_BOOL,
			  sample->len == other.len &&
				  CRYPTO_memcmp(sample->data, other.data, other.len) == 0);
}

/* ------------------------------------------------------------------ numbers */

/* The argument, or the value of the variable that it names; false if that has none. */
static bool
operand(const struct sample_ctx *ctx, const struct conf_arg *arg, int64_t *number)
{
	struct sample_room room;
	struct sample value = { .number = arg->number };

	room.turn = 0;
	if (arg->variable && (!variable_get(ctx, (uint32_t)arg->number, &value, &room) ||
			      !sample_cast(&value, SAMPLE_INT, &room)))
		return false;
	*number = value.number;
	return true;
}

/* What is too large stays the largest. */
static int64_t
saturated(bool overflow, int64_t result, bool negative)
{
	return overflow ? negative ? INT64_MIN : INT64_MAX : result;
}

static bool
arithmetic(const struct sample_ctx *ctx, const struct conf_convert *convert, struct sample *sample)
{
	int64_t a = sample->number, b, r = 0;
	bool over;

	if (!operand(ctx, &convert->args[0], &b))
		return false;
	switch (convert->id) {
	case CONF_CONVERT_ADD:
		over = __builtin_add_overflow(a, b, &r);
		r = saturated(over, r, a < 0);
		break;
	case CONF_CONVERT_SUB:
		over = __builtin_sub_overflow(a, b, &r);
		r = saturated(over, r, a < 0);
		break;
	case CONF_CONVERT_MUL:
		over = __builtin_mul_overflow(a, b, &r);
		r = saturated(over, r, (a < 0) != (b < 0));
		break;
	case CONF_CONVERT_DIV:
		r = b == 0 || (a == INT64_MIN && b == -1) ? INT64_MAX : a / b;
		break;
	case CONF_CONVERT_MOD:
		r = b == 0 || b == -1 ? 0 : a % b;
		break;
	case CONF_CONVERT_AND:
		r = a & b;
		break;
	case CONF_CONVERT_OR:
		r = a | b;
		break;
	case CONF_CONVERT_XOR:
		r = a ^ b;
		break;
	}
	return set_number(sample, SAMPLE_INT, r);
}

static bool
mask_ip(struct sample *sample, const struct conf_arg *args)
{
	const struct conf_arg *mask = sample->ip.family == AF_INET ? &args[0] : &args[1];

	if (!mask->given)
		return false;
	for (unsigned i = 0; i < ip_len(&sample->ip); i++)
		sample->ip.bytes[i] &= mask->ip.bytes[i];
	return true;
}

static bool
count_servers(const struct sample_ctx *ctx, struct sample *sample)
{
	const struct backend *be =
		proxy_find_backend(ctx->session->thread->proxy, sample->data, sample->len);

	return be && set_number(sample, SAMPLE_INT, stats_usable_servers(be));
}

/* "backend/server", or a server of the session's backend. */
static bool
count_queued(const struct sample_ctx *ctx, struct sample *sample)
{
	const struct session *s = ctx->session;
	const char *slash = memchr(sample->data, '/', sample->len);
	const char *name = slash ? slash + 1 : sample->data;
	size_t len = sample->len - (size_t)(name - sample->data);
	const struct backend *be = s->backend ? s->backend : s->frontend->backend;

	if (slash)
		be = proxy_find_backend(s->thread->proxy, sample->data,
					(size_t)(slash - sample->data));
	for (uint32_t i = 0; be && i < be->servers_n; i++) {
		const struct server *server = &be->servers[i];

		if (strlen(server->conf->name) == len && memcmp(server->conf->name, name, len) == 0)
			return set_number(sample, SAMPLE_INT, atomic_load(&server->lb.queued));
	}
	return false;
}

static bool
expand(const struct sample_ctx *ctx, const struct conf_map_entry *entry, struct sample *sample)
{
	const struct regex *re = ctx->session->thread->proxy->regexes[entry->key.regexes[0]];
	char *out = sample_room(ctx->room);
	ssize_t len = regex_expand(re, sample->data, sample->len, entry->value.text.data, out,
				   SAMPLE_ROOM);

	return len >= 0 && set_text(sample, SAMPLE_STR, out, (size_t)len);
}

static bool
look_up(const struct sample_ctx *ctx, const struct conf_convert *convert, struct sample *sample)
{
	const struct conf_arg *value =
		map_find(convert->map, ctx->session->thread->proxy->regexes, sample, ctx->room);

	if (value && convert->map->expands)
		return expand(ctx, CONTAINER_OF(value, const struct conf_map_entry, value), sample);
	if (!value && convert->args[1].given)
		value = &convert->args[1];
	if (!value)
		return false;
	if (convert->gives == SAMPLE_INT)
		return set_number(sample, SAMPLE_INT, value->number);
	if (convert->gives == SAMPLE_IP)
		return sample_ip(sample, &value->ip) == SAMPLE_FOUND;
	return set_text(sample, SAMPLE_STR, value->text.data, value->text.len);
}

static bool
substitute(const struct sample_ctx *ctx, const struct conf_convert *convert, struct sample *sample)
{
	const struct regex *re = ctx->session->thread->proxy->regexes[convert->regex];
	char *out = sample_room(ctx->room);
	ssize_t len = regex_substitute(re, sample->data, sample->len, convert->args[1].text.data,
				       convert->args[2].number != 0, out, SAMPLE_ROOM);

	return len >= 0 && set_text(sample, SAMPLE_STR, out, (size_t)len);
}

static bool
convert_number(const struct sample_ctx *ctx, const struct conf_convert *convert,
	       struct sample *sample)
{
	switch (convert->id) {
	case CONF_CONVERT_BOOL:
		return set_number(sample, SAMPLE_BOOL, sample->number != 0);
	case CONF_CONVERT_NOT:
		return set_number(sample, SAMPLE_BOOL, sample->number == 0);
	case CONF_CONVERT_ODD:
		return set_number(sample, SAMPLE_BOOL, sample->number & 1);
	case CONF_CONVERT_EVEN:
		return set_number(sample, SAMPLE_BOOL, !(sample->number & 1));
	case CONF_CONVERT_NEG:
		return set_number(sample, SAMPLE_INT, (int64_t)(0 - (uint64_t)sample->number));
	case CONF_CONVERT_CPL:
		return set_number(sample, SAMPLE_INT, ~sample->number);
	}
	return arithmetic(ctx, convert, sample);
}

bool
sample_convert(const struct sample_ctx *ctx, const struct conf_convert *convert,
	       struct sample *sample)
{
	const struct conf_arg *args = convert->args;

	if (convert->id <= CONF_CONVERT_LAST_HASH)
		return sample_hash(ctx, convert, sample);
	if (convert->id <= CONF_CONVERT_LAST_CODE)
		return sample_recode(convert, sample, sample_room(ctx->room));
	switch (convert->id) {
	case CONF_CONVERT_LOWER:
	case CONF_CONVERT_UPPER:
		return change_case(sample, sample_room(ctx->room),
				   convert->id == CONF_CONVERT_LOWER);
	case CONF_CONVERT_LENGTH:
		return set_number(sample, SAMPLE_INT, (int64_t)sample->len);
	case CONF_CONVERT_IPMASK:
		return mask_ip(sample, args);
	case CONF_CONVERT_FIELD:
	case CONF_CONVERT_WORD:
		return pick_field(sample, args, convert->id == CONF_CONVERT_WORD);
	case CONF_CONVERT_BYTES:
		return take_bytes(sample, args);
	case CONF_CONVERT_CONCAT:
		return concat(ctx, args, sample, sample_room(ctx->room));
	case CONF_CONVERT_ADD_ITEM:
		return add_item(ctx, args, sample, sample_room(ctx->room));
	case CONF_CONVERT_LTRIM:
	case CONF_CONVERT_RTRIM:
		return trim(sample, args, convert->id == CONF_CONVERT_LTRIM);
	case CONF_CONVERT_CUT_CRLF:
		return cut_line(sample);
	case CONF_CONVERT_LTIME:
	case CONF_CONVERT_UTIME:
		return format_time(sample, args, sample_room(ctx->room),
				   convert->id == CONF_CONVERT_LTIME);
	case CONF_CONVERT_STRCMP:
		return compare_with(ctx, args, sample);
	case CONF_CONVERT_IIF:
		args += !sample->number;
		return set_text(sample, SAMPLE_STR, args->text.data, args->text.len);
	case CONF_CONVERT_SRV_QUEUE:
		return count_queued(ctx, sample);
	case CONF_CONVERT_NBSRV:
		return count_servers(ctx, sample);
	case CONF_CONVERT_SET_VAR:
		return set_variable(ctx, args, sample);
	case CONF_CONVERT_UNSET_VAR:
		return unset_variable(ctx, args, sample);
	case CONF_CONVERT_CAPTURE_REQ:
		return capture(ctx, &ctx->session->frontend->conf->request_captures, args->number,
			       sample);
	case CONF_CONVERT_CAPTURE_RES:
		return capture(ctx, &ctx->session->frontend->conf->response_captures, args->number,
			       sample);
	case CONF_CONVERT_SECURE_MEMCMP:
		return compare_secretly(ctx, args, sample);
	case CONF_CONVERT_MAP:
		return look_up(ctx, convert, sample);
	case CONF_CONVERT_REGSUB:
		return substitute(ctx, convert, sample);
	}
	return convert_number(ctx, convert, sample);
}
