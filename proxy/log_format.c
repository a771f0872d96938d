/*
 * log_format.c - see log_format.h.  Run by the session's thread.  Composed by hand rather than by
 * printf: every session comes through here once.
 *
 * What clients choose (names in a ClientHello, payload) goes into the line with control characters
 * written as #XX, so that nobody can begin a line of his own.
 */
#include "proxy/log_format.h"

#include "proxy/extra.h"
#include "proxy/session.h"
#include "proxy/tls_conn.h"

#include "conf/expr_words.h"

#include <string.h>
#include <time.h>

/* The rest of a line; what finds no room is cut. */
struct out {
	char *at, *end;
};

static const char digits[] = "0123456789ABCDEF";

static void
put(struct out *o, char c)
{
	if (o->at < o->end)
		*o->at++ = c;
}

static void
put_bytes(struct out *o, const char *data, size_t len)
{
	if (len > (size_t)(o->end - o->at))
		len = (size_t)(o->end - o->at);
	memcpy(o->at, data, len);
	o->at += len;
}

static void
put_number(struct out *o, int64_t number)
{
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	char text[20];
	size_t at = sizeof text;

	do
		text[--at] = digits[rest % 10];
	while (rest /= 10);
	if (number < 0)
		put(o, '-');
	put_bytes(o, text + at, sizeof text - at);
}

/* At least four digits. */
static void
put_hex(struct out *o, uint64_t number)
{
	unsigned n = 4;

	while (n < 16 && number >> 4 * n)
		n++;
	while (n-- > 0)
		put(o, digits[number >> 4 * n & 15]);
}

/* In decimal, or in hexadecimal if the flag asks. */
static void
put_either(struct out *o, int64_t number, unsigned flags)
{
	if (flags & CONF_FORMAT_HEX)
		put_hex(o, (uint64_t)number);
	else
		put_number(o, number);
}

static void
put_text(struct out *o, const char *data, size_t len, unsigned flags)
{
	if (flags & CONF_FORMAT_QUOTE)
		put(o, '"');
	else if (len == 0)
		put(o, '-');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c < 0x20 || c == 0x7f) {
			put(o, '#');
			put(o, digits[c >> 4]);
			put(o, digits[c & 15]);
			continue;
		}
		if ((flags & CONF_FORMAT_ESCAPE) && (c == '"' || c == '\\' || c == ']'))
			put(o, '\\');
		put(o, (char)c);
	}
	if (flags & CONF_FORMAT_QUOTE)
		put(o, '"');
}

static void
put_string(struct out *o, const char *s, unsigned flags)
{
	put_text(o, s ? s : "", s ? strlen(s) : 0, flags);
}

static void
put_ip(struct out *o, const struct ip *ip, unsigned flags)
{
	char text[IP_STRLEN];

	if (ip->family == AF_UNSPEC) {
		put_string(o, NULL, flags);
		return;
	}
	if (!(flags & CONF_FORMAT_HEX)) {
		put_string(o, ip_format(ip, text), flags);
		return;
	}
	for (unsigned i = 0; i < ip_len(ip); i++) {
		put(o, digits[ip->bytes[i] >> 4]);
		put(o, digits[ip->bytes[i] & 15]);
	}
}

static void
put_port(struct out *o, const struct ip *ip, uint16_t port, unsigned flags)
{
	if (ip->family == AF_UNSPEC)
		put_string(o, NULL, flags);
	else
		put_either(o, port, flags);
}

/* "21/Nov/2026:13:36:51"; with a zone " +0000", else ".796".  Kept per thread for a second, since
 * localtime_r takes a lock within libc and strftime its time. */
static void
put_date(struct out *o, int64_t ms, bool local, bool zone)
{
	static _Thread_local struct {
		time_t seconds;
		size_t len;
		char text[40];
	} kept[2][2];
	time_t seconds = ms / 1000;
	struct tm tm;

	if (kept[local][zone].seconds != seconds || kept[local][zone].len == 0) {
		if (local)
			localtime_r(&seconds, &tm);
		else
			gmtime_r(&seconds, &tm);
		kept[local][zone].seconds = seconds;
		kept[local][zone].len =
			strftime(kept[local][zone].text, sizeof kept[local][zone].text,
				 zone ? "%d/%b/%Y:%H:%M:%S %z" : "%d/%b/%Y:%H:%M:%S", &tm);
	}
	put_bytes(o, kept[local][zone].text, kept[local][zone].len);
	if (zone)
		return;
	put(o, '.');
	put(o, digits[ms % 1000 / 100]);
	put(o, digits[ms % 100 / 10]);
	put(o, digits[ms % 10]);
}

static void
put_expr(struct out *o, const struct conf_format_part *part, const struct sample_ctx *ctx)
{
	struct sample sample;

	if (ctx && sample_eval(ctx, part->expr, 0, &sample) == SAMPLE_FOUND &&
	    sample_cast(&sample, SAMPLE_STR, ctx->room))
		put_text(o, sample.data, sample.len, part->flags);
	else
		put_string(o, NULL, part->flags);
}

/* ------------------------------------------------------------------ fields */

/* Where the client connected to, and the two ends of the connection to the server. */
static void
put_address(struct out *o, const struct conf_format_part *part, const struct sample_ctx *ctx)
{
	const struct session *s = ctx ? ctx->session : NULL;
	struct session_peer peer = { .port = 0 };
	struct sock_addr address = { 0 };
	bool port = part->field == CONF_FIELD_FRONTEND_PORT ||
		    part->field == CONF_FIELD_BACKEND_PORT || part->field == CONF_FIELD_SERVER_PORT;

	if (s &&
	    (part->field == CONF_FIELD_FRONTEND_IP || part->field == CONF_FIELD_FRONTEND_PORT)) {
		peer = extra_destination(s);
	} else if (s) {
		address = extra_server_address(s, part->field == CONF_FIELD_BACKEND_IP ||
							  part->field == CONF_FIELD_BACKEND_PORT);
		peer.ip = sock_addr_ip(&address);
		peer.port = sock_addr_port(&address);
	}
	if (port)
		put_port(o, &peer.ip, peer.port, part->flags);
	else
		put_ip(o, &peer.ip, part->flags);
}

static void
put_tls(struct out *o, const struct conf_format_part *part, const struct sample_ctx *ctx)
{
	const SSL *ssl = ctx ? ctx->session->client.layer : NULL;

	if (!ssl)
		put_string(o, NULL, part->flags);
	else
		put_string(o,
			   part->field == CONF_FIELD_TLS_CIPHER ? SSL_get_cipher_name(ssl)
								: SSL_get_version(ssl),
			   part->flags);
}

/*
 * As a text that ends at its first NUL; what the line's own form needs is written as #XX.  false:
 * there is nothing.
 */
static bool
put_captured(struct out *o, const struct session *s, const struct conf_capture *capture)
{
	struct sample kept;

	if (!extra_get(s, capture->variable, &kept))
		return false;
	for (size_t i = 0; i < kept.len && kept.data[i]; i++) {
		unsigned char c = (unsigned char)kept.data[i];

		if (c < 0x20 || c >= 0x7f || strchr("\"#{|}", c)) {
			put(o, '#');
			put(o, digits[c >> 4]);
			put(o, digits[c & 15]);
		} else {
			put(o, (char)c);
		}
	}
	return true;
}

/* "{first|second}", or "first second"; nothing if nothing is captured. */
static void
put_captures(struct out *o, const struct conf_format_part *part, const struct sample_ctx *ctx)
{
	bool list =
		part->field == CONF_FIELD_REQUEST_LIST || part->field == CONF_FIELD_RESPONSE_LIST;
	bool quote = part->flags & CONF_FORMAT_QUOTE;
	const struct session *s = ctx ? ctx->session : NULL;
	const struct conf_captures *captures;

	if (!s)
		return;
	captures =
		part->field == CONF_FIELD_REQUEST_CAPTURES || part->field == CONF_FIELD_REQUEST_LIST
			? &s->frontend->conf->request_captures
			: &s->frontend->conf->response_captures;
	if (captures->n == 0)
		return;
	if (!list && quote)
		put(o, '"');
	if (!list)
		put(o, '{');
	for (size_t i = 0; i < captures->n; i++) {
		if (i > 0)
			put(o, list ? ' ' : '|');
		if (list && quote)
			put(o, '"');
		if (!put_captured(o, s, &captures->list[i]) && list && !quote)
			put(o, '-');
		if (list && quote)
			put(o, '"');
	}
	if (!list)
		put(o, '}');
	if (!list && quote)
		put(o, '"');
}

/* With logasap it will be more. */
static void
put_growing(struct out *o, const struct access_record *r, int64_t number)
{
	if (r->early)
		put(o, '+');
	put_number(o, number);
}

static void
put_unique_id(struct out *o, const struct conf_format_part *part, const struct access_record *r)
{
	char id[512];

	put_text(o, id, r->unique_id ? log_format_line(r->unique_id, r, id, sizeof id) : 0,
		 part->flags);
}

static int32_t
since(int32_t later, int32_t earlier)
{
	return later < 0 ? -1 : later - earlier;
}

static void
put_field(struct out *o, const struct conf_format_part *part, const struct access_record *r)
{
	unsigned flags = part->flags;

	switch ((enum conf_field)part->field) {
	case CONF_FIELD_TEXT:
		put_bytes(o, part->text.data, part->text.len);
		break;
	case CONF_FIELD_EXPR:
		put_expr(o, part, r->ctx);
		break;
	case CONF_FIELD_BYTES:
		put_growing(o, r, (int64_t)r->bytes);
		break;
	case CONF_FIELD_BYTES_UP:
		put_growing(o, r, (int64_t)r->bytes_up);
		break;
	case CONF_FIELD_HOSTNAME:
		put_string(o, r->hostname, flags);
		break;
	case CONF_FIELD_UNIQUE_ID:
		put_unique_id(o, part, r);
		break;
	case CONF_FIELD_STATUS:
		put_number(o, 0);
		break;
	case CONF_FIELD_DATE_GMT:
		put_date(o, r->accepted_ms, false, true);
		break;
	case CONF_FIELD_DATE_LOCAL:
		put_date(o, r->accepted_ms, true, true);
		break;
	case CONF_FIELD_DATE:
		put_date(o, r->accepted_ms, true, false);
		break;
	case CONF_FIELD_TIMESTAMP:
		put_either(o, r->accepted_ms / 1000, flags);
		break;
	case CONF_FIELD_MILLISECONDS:
		put(o, digits[r->accepted_ms % 1000 / 100]);
		put(o, digits[r->accepted_ms % 100 / 10]);
		put(o, digits[r->accepted_ms % 10]);
		break;
	case CONF_FIELD_TIME_HANDSHAKE:
		put_number(o, r->handshake_ms);
		break;
	case CONF_FIELD_TIME_WAIT:
		put_number(o, since(r->queue_ms, r->handshake_ms));
		break;
	case CONF_FIELD_TIME_CONNECT:
		put_number(o, since(r->connect_ms, r->queue_ms));
		break;
	case CONF_FIELD_TIME_DATA:
		put_number(o, r->connect_ms < 0 ? -1 : r->total_ms - r->connect_ms);
		break;
	case CONF_FIELD_TIME_TOTAL:
	case CONF_FIELD_TIME_USER:
		put_growing(o, r, r->total_ms);
		break;
	case CONF_FIELD_ACTCONN:
		put_number(o, r->actconn);
		break;
	case CONF_FIELD_FECONN:
		put_number(o, r->feconn);
		break;
	case CONF_FIELD_BECONN:
		put_number(o, r->beconn);
		break;
	case CONF_FIELD_SRVCONN:
		put_number(o, r->srvconn);
		break;
	case CONF_FIELD_RETRIES:
		if (r->redispatched)
			put(o, '+');
		put_number(o, r->retries);
		break;
	case CONF_FIELD_SERVER_QUEUE:
		put_number(o, r->server_queue);
		break;
	case CONF_FIELD_BACKEND_QUEUE:
		put_number(o, r->backend_queue);
		break;
	case CONF_FIELD_FRONTEND:
		put_string(o, r->frontend, flags);
		break;
	case CONF_FIELD_FRONTEND_TRANSPORT:
		if (flags & CONF_FORMAT_QUOTE)
			put(o, '"');
		put_string(o, r->frontend, flags & ~(unsigned)CONF_FORMAT_QUOTE);
		if (r->tls)
			put(o, '~');
		if (flags & CONF_FORMAT_QUOTE)
			put(o, '"');
		break;
	case CONF_FIELD_BACKEND:
		put_string(o, r->backend, flags);
		break;
	case CONF_FIELD_SERVER:
		put_string(o, r->server ? r->server : "<NOSRV>", flags);
		break;
	case CONF_FIELD_CLIENT_IP:
		if (r->client_ip.family == AF_UNSPEC)
			put_string(o, "unix", flags);
		else
			put_ip(o, &r->client_ip, flags);
		break;
	case CONF_FIELD_CLIENT_PORT:
		put_either(o, r->client_port, flags);
		break;
	case CONF_FIELD_FRONTEND_IP:
	case CONF_FIELD_FRONTEND_PORT:
	case CONF_FIELD_BACKEND_IP:
	case CONF_FIELD_BACKEND_PORT:
	case CONF_FIELD_SERVER_IP:
	case CONF_FIELD_SERVER_PORT:
		put_address(o, part, r->ctx);
		break;
	case CONF_FIELD_TLS_CIPHER:
	case CONF_FIELD_TLS_VERSION:
		put_tls(o, part, r->ctx);
		break;
	case CONF_FIELD_REQUEST_CAPTURES:
	case CONF_FIELD_REQUEST_LIST:
	case CONF_FIELD_RESPONSE_CAPTURES:
	case CONF_FIELD_RESPONSE_LIST:
		put_captures(o, part, r->ctx);
		break;
	case CONF_FIELD_LOG_COUNTER:
		put_number(o, (int64_t)r->log_counter);
		break;
	case CONF_FIELD_REQUEST_COUNTER:
		put_either(o, (int64_t)r->request_counter, flags);
		break;
	case CONF_FIELD_PID:
		put_either(o, r->pid, flags);
		break;
	case CONF_FIELD_STATE:
	case CONF_FIELD_STATE_COOKIE:
		put(o, r->cause);
		put(o, r->phase);
		if (part->field == CONF_FIELD_STATE_COOKIE)
			put_bytes(o, "--", 2);
		break;
	}
}

size_t
log_format_line(const struct conf_format *format, const struct access_record *record, char *line,
		size_t size)
{
	struct out o = { line, line + size - 1 };

	for (size_t i = 0; i < format->parts_n; i++)
		put_field(&o, &format->parts[i], record);
	*o.at = '\0';
	return (size_t)(o.at - line);
}
