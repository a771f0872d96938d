/*
 * sample_bytes.c - fetches that look at what a side has sent.  Run by the session's thread; pure.
 */
#include "proxy/sample.h"

#include "proxy/hello.h"

#include "conf/expr_words.h"

static enum sample_result
outcome(enum hello_result r)
{
	return r == HELLO_WAIT ? SAMPLE_WAIT : r == HELLO_FOUND ? SAMPLE_FOUND : SAMPLE_NONE;
}

/* More bytes could come: what has been said may change. */
static void
note_change(const struct sample_ctx *ctx, struct sample *sample)
{
	sample->may_change = !ctx->final;
}

static enum sample_result
payload(const struct sample_ctx *ctx, const struct conf_arg *args, struct sample *sample)
{
	uint64_t offset = (uint64_t)args[0].number, len = (uint64_t)args[1].number;

	if (offset > ctx->len || len > ctx->len - offset)
		return SAMPLE_WAIT;
	if (len == 0) {
		len = ctx->len - offset;
		note_change(ctx, sample);
	}
	return sample_text(sample, SAMPLE_BIN, ctx->data + offset, len);
}

/* A length at one offset, that many bytes behind it or at another one. */
static enum sample_result
payload_lv(const struct sample_ctx *ctx, const struct conf_arg *args, struct sample *sample)
{
	uint64_t at = (uint64_t)args[0].number, size = (uint64_t)args[1].number, len = 0;
	const char *second = args[2].given ? args[2].text.data : "+0";
	bool relative = *second == '+' || *second == '-';
	int64_t offset;

	if (at > ctx->len || size > ctx->len - at)
		return SAMPLE_WAIT;
	for (uint64_t i = 0; i < size; i++)
		len = len << 8 | (unsigned char)ctx->data[at + i];
	offset = args[2].number + (relative ? (int64_t)(at + size) : 0);
	if (offset < 0 || len == 0)
		return SAMPLE_NONE;
	if ((uint64_t)offset > ctx->len || len > ctx->len - (uint64_t)offset)
		return SAMPLE_WAIT;
	return sample_text(sample, SAMPLE_BIN, ctx->data + offset, len);
}

static enum sample_result
hello_text_of(const struct sample_ctx *ctx, const struct conf_expr *expr, unsigned index,
	      struct sample *sample)
{
	const struct hello_text name = { expr->args[0].text.data, expr->args[0].text.len };
	struct hello_text text = { 0 };
	enum sample_result r;

	if (expr->fetch == CONF_FETCH_REQ_SSL_SNI)
		r = outcome(hello_host(ctx->data, ctx->len, &text));
	else if (expr->fetch == CONF_FETCH_REQ_SSL_ALPN)
		r = outcome(hello_alpn(ctx->data, ctx->len, index, &text));
	else
		r = outcome(hello_rdp_cookie(ctx->data, ctx->len, &name, &text));
	if (r != SAMPLE_FOUND)
		return r;
	return sample_text(sample, SAMPLE_STR, text.data, text.len);
}

static enum sample_result
hello_number_of(const struct sample_ctx *ctx, const struct conf_expr *expr, struct sample *sample)
{
	const struct hello_text name = { expr->args[0].text.data, expr->args[0].text.len };
	struct hello_text ignored;
	enum sample_type type = SAMPLE_INT;
	enum sample_result r = SAMPLE_NONE;

	sample->number = 1;
	switch (expr->fetch) {
	case CONF_FETCH_REQ_SSL_HELLO_TYPE:
	case CONF_FETCH_RES_SSL_HELLO_TYPE:
		r = outcome(hello_type(ctx->data, ctx->len, &sample->number));
		break;
	case CONF_FETCH_REQ_SSL_VER:
		r = outcome(hello_version(ctx->data, ctx->len, &sample->number));
		break;
	case CONF_FETCH_REQ_SSL_ST_EXT:
		r = outcome(hello_ticket(ctx->data, ctx->len, &sample->number));
		break;
	case CONF_FETCH_REQ_SSL_EC_EXT:
		type = SAMPLE_BOOL;
		r = outcome(hello_curves(ctx->data, ctx->len));
		break;
	case CONF_FETCH_REQ_RDP_COOKIE_CNT:
		r = outcome(hello_rdp_cookie(ctx->data, ctx->len, &name, &ignored));
		if (r == SAMPLE_NONE)
			return sample_number(sample, SAMPLE_INT, 0);
		break;
	case CONF_FETCH_REQ_PROTO_HTTP:
		type = SAMPLE_BOOL;
		r = outcome(hello_http(ctx->data, ctx->len));
		if (r == SAMPLE_NONE)
			return sample_number(sample, SAMPLE_BOOL, 0);
		break;
	}
	sample->type = type;
	return r;
}

enum sample_result
sample_fetch_bytes(const struct sample_ctx *ctx, const struct conf_expr *expr, unsigned index,
		   struct sample *sample)
{
	bool response = expr->needs & CONF_NEEDS_RESPONSE;

	if (expr->fetch == CONF_FETCH_WAIT_END)
		return ctx->final ? sample_number(sample, SAMPLE_BOOL, 1) : SAMPLE_WAIT;
	if (!ctx->data || response != ctx->response)
		return SAMPLE_NONE;
	switch (expr->fetch) {
	case CONF_FETCH_REQ_LEN:
	case CONF_FETCH_RES_LEN:
		note_change(ctx, sample);
		return sample_number(sample, SAMPLE_INT, (int64_t)ctx->len);
	case CONF_FETCH_REQ_PAYLOAD:
	case CONF_FETCH_RES_PAYLOAD:
		return payload(ctx, expr->args, sample);
	case CONF_FETCH_REQ_PAYLOAD_LV:
	case CONF_FETCH_RES_PAYLOAD_LV:
		return payload_lv(ctx, expr->args, sample);
	case CONF_FETCH_REQ_SSL_SNI:
	case CONF_FETCH_REQ_SSL_ALPN:
	case CONF_FETCH_REQ_RDP_COOKIE:
		return hello_text_of(ctx, expr, index, sample);
	}
	return hello_number_of(ctx, expr, sample);
}
