/*
 * sample.h - evaluating sample expressions for a session.
 *
 * Pure but for what it looks at: the session, its sockets' addresses, counters, the clock.  Nothing
 * is allocated: texts point into the session's bytes, the configuration or the caller's room.
 */
#pragma once

#include "conf/expr.h"

#include <stdbool.h>
#include <stdint.h>

struct session;

/* Where converted texts stand: two pieces, in turn, so that one is read while the other is written. */
#define SAMPLE_ROOM 8192

struct sample_room {
	unsigned turn;
	char text[2][SAMPLE_ROOM];
};

/* The piece that was not handed out last. */
static inline char *
sample_room(struct sample_room *room)
{
	return room->text[room->turn++ % 2];
}

struct sample {
	enum sample_type type;
	bool may_change;  /* with more bytes */
	int64_t number;   /* BOOL, INT */
	struct ip ip;     /* IP */
	const char *data; /* STR, BIN */
	size_t len;
};

enum sample_result {
	SAMPLE_NONE, /* there is none */
	SAMPLE_WAIT, /* there is none yet */
	SAMPLE_FOUND,
};

/* For whom and with what an expression is evaluated. */
struct sample_ctx {
	struct session *session;
	const char *data; /* of the side that is looked at; NULL = no longer, or never */
	size_t len;
	bool response; /* whose bytes these are */
	bool final;    /* nothing more will come in time */
	struct sample_room *room;
};

/* The `index`th value of the expression. */
enum sample_result sample_eval(const struct sample_ctx *ctx, const struct conf_expr *expr,
			       unsigned index, struct sample *sample);

/* Turns a sample into another type; false if that cannot be. */
bool sample_cast(struct sample *sample, enum sample_type type, struct sample_room *room);

/* sample_fetch.c: the fetch alone. */
enum sample_result sample_fetch(const struct sample_ctx *ctx, const struct conf_expr *expr,
				unsigned index, struct sample *sample);

/* sample_tls.c: those that ask about the client's TLS. */
enum sample_result sample_fetch_tls(const struct sample_ctx *ctx, const struct conf_expr *expr,
				    struct sample *sample);

/* sample_bytes.c: those that look at bytes. */
enum sample_result sample_fetch_bytes(const struct sample_ctx *ctx, const struct conf_expr *expr,
				      unsigned index, struct sample *sample);

/* sample_convert.c: one converter; false: there is no sample any more. */
bool sample_convert(const struct sample_ctx *ctx, const struct conf_convert *convert,
		    struct sample *sample);

/* sample_hash.c: digests and hashes. */
bool sample_hash(const struct sample_ctx *ctx, const struct conf_convert *convert,
		 struct sample *sample);

/* sample_code.c: bytes written as other bytes; `out` has SAMPLE_ROOM. */
bool sample_from_base64(struct sample *sample, char *out);
bool sample_recode(const struct conf_convert *convert, struct sample *sample, char *out);

/* sample_json.c: the same, by the rules of JSON. */
bool sample_to_json(struct sample *sample, enum conf_json mode, char *out);

/* sample_message.c: the same of a message. */
bool sample_from_mqtt(const struct conf_convert *convert, struct sample *sample, char *out);

/* ------------------------------------------------------------------ for fetches and converters */

static inline enum sample_result
sample_number(struct sample *sample, enum sample_type type, int64_t number)
{
	sample->type = type;
	sample->number = number;
	return SAMPLE_FOUND;
}

static inline enum sample_result
sample_text(struct sample *sample, enum sample_type type, const char *data, size_t len)
{
	sample->type = type;
	sample->data = data;
	sample->len = len;
	return SAMPLE_FOUND;
}

static inline enum sample_result
sample_ip(struct sample *sample, const struct ip *ip)
{
	sample->type = SAMPLE_IP;
	sample->ip = *ip;
	return ip->family == AF_UNSPEC ? SAMPLE_NONE : SAMPLE_FOUND;
}

/* Of converters: true, for there is a sample. */
static inline bool
set_text(struct sample *sample, enum sample_type type, const char *data, size_t len)
{
	return sample_text(sample, type, data, len) == SAMPLE_FOUND;
}

static inline bool
set_number(struct sample *sample, enum sample_type type, int64_t number)
{
	return sample_number(sample, type, number) == SAMPLE_FOUND;
}
