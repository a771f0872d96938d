/*
 * sample.c - a whole expression, and types.  Run by the session's thread.
 */
#include "proxy/sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A text as a NUL-terminated word, for numbers and addresses; false if it is too long for one. */
static bool
as_word(const struct sample *sample, char word[IP_STRLEN])
{
	if (sample->len >= IP_STRLEN)
		return false;
	memcpy(word, sample->data, sample->len);
	word[sample->len] = '\0';
	return true;
}

/* As HAProxy reads it: what follows the number does not count, and without digits it is 0. */
static bool
leading_number(struct sample *sample)
{
	const char *at = sample->data, *end = at + sample->len;
	bool negative = at < end && *at == '-';
	int64_t number = 0;

	for (at += negative; at < end && *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, *at - '0', &number))
			number = INT64_MAX / 10;
	sample->number = negative ? -number : number;
	return sample->len > 0;
}

static bool
cast_to_number(struct sample *sample)
{
	switch (sample->type) {
	case SAMPLE_BOOL:
	case SAMPLE_INT:
		return true;
	case SAMPLE_IP:
		sample->number = ntohl(sample->ip.v4.s_addr);
		return sample->ip.family == AF_INET;
	case SAMPLE_STR:
		return leading_number(sample);
	case SAMPLE_BIN:
	case SAMPLE_ANY:
		break;
	}
	return false;
}

static bool
cast_to_ip(struct sample *sample)
{
	char word[IP_STRLEN];

	switch (sample->type) {
	case SAMPLE_IP:
		return true;
	case SAMPLE_INT:
		sample->ip = (struct ip){ .family = AF_INET };
		sample->ip.v4.s_addr = htonl((uint32_t)sample->number);
		return true;
	case SAMPLE_STR:
		return as_word(sample, word) && ip_parse(word, &sample->ip) == 0;
	case SAMPLE_BIN:
		if (sample->len != 4 && sample->len != 16)
			return false;
		sample->ip = (struct ip){ .family = sample->len == 4 ? AF_INET : AF_INET6 };
		memcpy(sample->ip.bytes, sample->data, sample->len);
		return true;
	case SAMPLE_BOOL:
	case SAMPLE_ANY:
		break;
	}
	return false;
}

static bool
cast_to_text(struct sample *sample, struct sample_room *room)
{
	char *text;

	switch (sample->type) {
	case SAMPLE_STR:
		return true;
	case SAMPLE_BIN:
		/* As far as it is a text. */
		sample->len = strnlen(sample->data, sample->len);
		return true;
	case SAMPLE_BOOL:
	case SAMPLE_INT:
		text = sample_room(room);
		sample->len = (size_t)snprintf(text, SAMPLE_ROOM, "%" PRId64, sample->number);
		sample->data = text;
		return true;
	case SAMPLE_IP:
		text = sample_room(room);
		sample->data = ip_format(&sample->ip, text);
		sample->len = strlen(text);
		return true;
	case SAMPLE_ANY:
		break;
	}
	return false;
}

static bool
cast_to_binary(struct sample *sample, struct sample_room *room)
{
	char *bytes;

	if (sample->type == SAMPLE_BIN || sample->type == SAMPLE_STR)
		return true;
	if (sample->type != SAMPLE_IP)
		return cast_to_text(sample, room);
	bytes = sample_room(room);
	sample->len = ip_len(&sample->ip);
	memcpy(bytes, sample->ip.bytes, sample->len);
	sample->data = bytes;
	return true;
}

bool
sample_cast(struct sample *sample, enum sample_type type, struct sample_room *room)
{
	bool done = false;

	switch (type) {
	case SAMPLE_ANY:
		return true;
	case SAMPLE_BOOL:
		done = cast_to_number(sample);
		sample->number = sample->number != 0;
		break;
	case SAMPLE_INT:
		done = cast_to_number(sample);
		break;
	case SAMPLE_IP:
		done = cast_to_ip(sample);
		break;
	case SAMPLE_STR:
		done = cast_to_text(sample, room);
		break;
	case SAMPLE_BIN:
		done = cast_to_binary(sample, room);
		break;
	}
	sample->type = type;
	return done;
}

enum sample_result
sample_eval(const struct sample_ctx *ctx, const struct conf_expr *expr, unsigned index,
	    struct sample *sample)
{
	enum sample_result r;

	sample->may_change = false;
	r = sample_fetch(ctx, expr, index, sample);
	if (r == SAMPLE_WAIT && ctx->final)
		r = SAMPLE_NONE;
	if (r != SAMPLE_FOUND)
		return r;
	for (size_t i = 0; i < expr->converts_n; i++) {
		const struct conf_convert *convert = &expr->converts[i];

		if (!sample_cast(sample, convert->takes, ctx->room) ||
		    !sample_convert(ctx, convert, sample))
			return sample->may_change && !ctx->final ? SAMPLE_WAIT : SAMPLE_NONE;
	}
	return SAMPLE_FOUND;
}
