/*
 * sample_fetch.c - what an expression begins with: constants, counters, addresses.  Run by the
 * session's thread.
 */
#include "proxy/sample.h"

#include "proxy/conn_fault.h"
#include "proxy/extra.h"
#include "proxy/session.h"
#include "proxy/stats.h"
#include "proxy/variable.h"

#include "conf/expr_words.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static enum sample_result
text(struct sample *sample, const char *s)
{
	return s ? sample_text(sample, SAMPLE_STR, s, strlen(s)) : SAMPLE_NONE;
}

static enum sample_result
fetch_date(const struct conf_arg *args, struct sample *sample)
{
	const char *unit = args[1].given ? args[1].text.data : "s";
	int64_t offset = args[0].given ? args[0].number : 0;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (strcmp(unit, "ms") == 0)
		offset += (int64_t)now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
	else if (strcmp(unit, "us") == 0)
		offset += (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	else
		offset += now.tv_sec;
	return sample_number(sample, SAMPLE_INT, offset);
}

static enum sample_result
fetch_rand(const struct sample_ctx *ctx, const struct conf_arg *arg, struct sample *sample)
{
	uint64_t random = proxy_random(ctx->session->thread) >> 32;

	if (arg->given)
		random = random * (uint64_t)arg->number >> 32;
	return sample_number(sample, SAMPLE_INT, (int64_t)random);
}

/* RFC 9562 section 5.4. */
static enum sample_result
fetch_uuid(const struct sample_ctx *ctx, struct sample *sample)
{
	char *out = sample_room(ctx->room);
	unsigned char r[16];

	arc4random_buf(r, sizeof r);
	r[6] = (r[6] & 0x0f) | 0x40;
	r[8] = (r[8] & 0x3f) | 0x80;
	snprintf(out, SAMPLE_ROOM,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1],
		 r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14],
		 r[15]);
	return text(sample, out);
}

static enum sample_result
fetch_hostname(const struct sample_ctx *ctx, struct sample *sample)
{
	char *out = sample_room(ctx->room);

	if (gethostname(out, SAMPLE_ROOM) < 0)
		return SAMPLE_NONE;
	return text(sample, out);
}

/* Its value, or the default behind its name. */
static enum sample_result
fetch_variable(const struct sample_ctx *ctx, const struct conf_arg *args, struct sample *sample)
{
	if (variable_get(ctx, (uint32_t)args[0].number, sample, ctx->room))
		return SAMPLE_FOUND;
	if (!args[1].given)
		return SAMPLE_NONE;
	return sample_text(sample, SAMPLE_STR, args[1].text.data, args[1].text.len);
}

static enum sample_result
fetch_backend(const struct conf_expr *expr, const struct proxy *proxy, struct sample *sample)
{
	const struct backend *be = &proxy->backends[expr->args[0].number];
	int64_t n = 0;

	switch (expr->fetch) {
	case CONF_FETCH_AVG_QUEUE:
		n = stats_average_queue(be);
		break;
	case CONF_FETCH_BE_CONN:
		n = stats_backend_sessions(be);
		break;
	case CONF_FETCH_BE_CONN_FREE:
		n = stats_free_slots(be, false);
		break;
	case CONF_FETCH_BE_SESS_RATE:
		n = stats_back_rate(proxy, be->index);
		break;
	case CONF_FETCH_CONNSLOTS:
		n = stats_free_slots(be, true);
		break;
	case CONF_FETCH_NBSRV:
		n = stats_usable_servers(be);
		break;
	case CONF_FETCH_QUEUE:
		n = atomic_load(&be->farm.queued);
		break;
	}
	return sample_number(sample, SAMPLE_INT, n);
}

static enum sample_result
fetch_server(const struct conf_expr *expr, const struct proxy *proxy, struct sample *sample)
{
	const struct conf_arg *arg = &expr->args[0];
	const struct server *s = &proxy->backends[arg->number].servers[arg->server];
	int64_t served = atomic_load(&s->lb.served);

	switch (expr->fetch) {
	case CONF_FETCH_SRV_CONN:
		return sample_number(sample, SAMPLE_INT, served);
	case CONF_FETCH_SRV_CONN_FREE:
		return sample_number(sample, SAMPLE_INT,
				     s->lb.maxconn ? (int64_t)s->lb.maxconn - served : -1);
	case CONF_FETCH_SRV_IS_UP:
		return sample_number(sample, SAMPLE_BOOL,
				     atomic_load(&s->lb.usable) ||
					     server_state_get(s) == SERVER_DRAIN);
	case CONF_FETCH_SRV_QUEUE:
		return sample_number(sample, SAMPLE_INT, atomic_load(&s->lb.queued));
	case CONF_FETCH_SRV_SESS_RATE:
		return sample_number(sample, SAMPLE_INT, stats_server_rate(s));
	}
	return sample_number(sample, SAMPLE_INT, atomic_load(&s->lb.present_weight));
}

static enum sample_result
fetch_address(const struct sample_ctx *ctx, const struct conf_expr *expr, struct sample *sample)
{
	const struct session *s = ctx->session;
	struct session_peer peer;

	switch (expr->fetch) {
	case CONF_FETCH_SRC:
	case CONF_FETCH_FC_SRC:
		return sample_ip(sample, &s->peer.ip);
	case CONF_FETCH_SRC_PORT:
	case CONF_FETCH_FC_SRC_PORT:
		return s->peer.ip.family == AF_UNSPEC
			       ? SAMPLE_NONE
			       : sample_number(sample, SAMPLE_INT, s->peer.port);
	case CONF_FETCH_SRC_IS_LOCAL:
	case CONF_FETCH_FC_SRC_IS_LOCAL:
		return sample_number(sample, SAMPLE_BOOL, stats_is_local(&s->peer.ip));
	}
	peer = extra_destination(s);
	if (peer.ip.family == AF_UNSPEC)
		return SAMPLE_NONE;
	switch (expr->fetch) {
	case CONF_FETCH_DST:
	case CONF_FETCH_FC_DST:
		return sample_ip(sample, &peer.ip);
	case CONF_FETCH_DST_PORT:
	case CONF_FETCH_FC_DST_PORT:
		return sample_number(sample, SAMPLE_INT, peer.port);
	}
	return sample_number(sample, SAMPLE_BOOL, stats_is_local(&peer.ip));
}

/* Why the connection failed, if it has; of one that was never made there is nothing to say. */
static enum sample_result
fetch_fault(const struct session *s, unsigned fetch, struct sample *sample)
{
	bool server = fetch == CONF_FETCH_BC_ERR || fetch == CONF_FETCH_BC_ERR_STR;
	uint8_t fault = s->client_fault;

	if (server)
		fault = s->connect_ms >= 0 ? CONN_FAULT_NONE : s->server_fault;
	if (server && s->connect_ms < 0 && fault == CONN_FAULT_NONE)
		return SAMPLE_NONE;
	return fetch == CONF_FETCH_FC_ERR || fetch == CONF_FETCH_BC_ERR
		       ? sample_number(sample, SAMPLE_INT, fault)
		       : text(sample, conn_fault_words(fault));
}

/* What a PROXY protocol header has told. */
static enum sample_result
fetch_preface(const struct session_extra *extra, unsigned fetch, struct sample *sample)
{
	struct conf_bytes told;

	if (fetch == CONF_FETCH_FC_RCVD_PROXY)
		return sample_number(sample, SAMPLE_BOOL, extra && extra->prefaced);
	if (!extra)
		return SAMPLE_NONE;
	told = fetch == CONF_FETCH_FC_PP_AUTHORITY ? extra->authority : extra->unique_id;
	return told.data ? sample_text(sample, SAMPLE_STR, told.data, told.len) : SAMPLE_NONE;
}

/* Of the connection to the server. */
static enum sample_result
fetch_server_address(const struct session *s, unsigned fetch, struct sample *sample)
{
	bool ours = fetch == CONF_FETCH_BC_SRC || fetch == CONF_FETCH_BC_SRC_PORT;
	bool port = fetch == CONF_FETCH_BC_SRC_PORT || fetch == CONF_FETCH_BC_DST_PORT;
	struct sock_addr address = extra_server_address(s, ours);
	struct ip ip = sock_addr_ip(&address);

	if (ip.family == AF_UNSPEC)
		return SAMPLE_NONE;
	return port ? sample_number(sample, SAMPLE_INT, sock_addr_port(&address))
		    : sample_ip(sample, &ip);
}

/* What the kernel has measured of the client's connection. */
static enum sample_result
fetch_tcp_info(const struct session *s, const struct conf_expr *expr, struct sample *sample)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;
	uint32_t unit =
		expr->args[0].given && strcmp(expr->args[0].text.data, "us") == 0 ? 1 : 1000;

	if (getsockopt(s->client.lf.fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return SAMPLE_NONE;
	switch (expr->fetch) {
	case CONF_FETCH_FC_RTT:
		return sample_number(sample, SAMPLE_INT, info.tcpi_rtt / unit);
	case CONF_FETCH_FC_RTTVAR:
		return sample_number(sample, SAMPLE_INT, info.tcpi_rttvar / unit);
	case CONF_FETCH_FC_UNACKED:
		return sample_number(sample, SAMPLE_INT, info.tcpi_unacked);
	case CONF_FETCH_FC_SACKED:
		return sample_number(sample, SAMPLE_INT, info.tcpi_sacked);
	case CONF_FETCH_FC_LOST:
		return sample_number(sample, SAMPLE_INT, info.tcpi_lost);
	case CONF_FETCH_FC_RETRANS:
		return sample_number(sample, SAMPLE_INT, info.tcpi_retrans);
	case CONF_FETCH_FC_FACKETS:
		return sample_number(sample, SAMPLE_INT, info.tcpi_fackets);
	}
	return sample_number(sample, SAMPLE_INT, info.tcpi_reordering);
}

static enum sample_result
fetch_section(const struct session *s, unsigned fetch, struct sample *sample)
{
	const struct conf_proxy *fe = s->frontend->conf;
	const struct conf_proxy *be = s->backend ? s->backend->conf : fe;
	const struct conf *conf = s->thread->proxy->conf;

	switch (fetch) {
	case CONF_FETCH_DST_CONN:
		return sample_number(sample, SAMPLE_INT,
				     atomic_load(&s->frontend->bind_sessions[s->bind]));
	case CONF_FETCH_SO_ID:
		return sample_number(sample, SAMPLE_INT, s->bind + 1);
	case CONF_FETCH_SO_NAME:
		return text(sample, fe->binds[s->bind].name);
	case CONF_FETCH_FE_ID:
		return sample_number(sample, SAMPLE_INT, s->frontend->index + 1);
	case CONF_FETCH_FE_NAME:
		return text(sample, fe->name);
	case CONF_FETCH_FE_DEFBE:
		if (fe->default_backend == CONF_NONE || &conf->proxies[fe->default_backend] == fe)
			return SAMPLE_NONE;
		return text(sample, conf->proxies[fe->default_backend].name);
	case CONF_FETCH_FE_CLIENT_TIMEOUT:
		return sample_number(sample, SAMPLE_INT, fe->timeout_client_ms);
	case CONF_FETCH_BE_ID:
		return sample_number(sample, SAMPLE_INT,
				     (s->backend ? s->backend->index : s->frontend->index) + 1);
	case CONF_FETCH_BE_NAME:
		return text(sample, be->name);
	case CONF_FETCH_BE_SERVER_TIMEOUT:
	case CONF_FETCH_CUR_SERVER_TIMEOUT:
		return sample_number(sample, SAMPLE_INT, be->timeout_server_ms);
	case CONF_FETCH_BE_TUNNEL_TIMEOUT:
	case CONF_FETCH_CUR_TUNNEL_TIMEOUT:
		return sample_number(sample, SAMPLE_INT, be->timeout_tunnel_ms);
	case CONF_FETCH_LAST_RULE_FILE:
		return text(sample,
			    s->last_rule ? conf->sources[s->last_rule->pos.source].name : NULL);
	case CONF_FETCH_LAST_RULE_LINE:
		return s->last_rule ? sample_number(sample, SAMPLE_INT, s->last_rule->pos.line)
				    : SAMPLE_NONE;
	case CONF_FETCH_SRV_ID:
		return s->target ? sample_number(sample, SAMPLE_INT, s->target->conf->id)
				 : SAMPLE_NONE;
	}
	return text(sample, s->target ? s->target->conf->name : NULL);
}

static enum sample_result
fetch_constant(const struct sample_ctx *ctx, const struct conf_expr *expr, struct sample *sample)
{
	const struct conf_arg *arg = expr->args;

	switch (expr->fetch) {
	case CONF_FETCH_ALWAYS_TRUE:
	case CONF_FETCH_ALWAYS_FALSE:
		return sample_number(sample, SAMPLE_BOOL, expr->fetch == CONF_FETCH_ALWAYS_TRUE);
	case CONF_FETCH_BOOL:
		return sample_number(sample, SAMPLE_BOOL, arg->number);
	case CONF_FETCH_INT:
		return sample_number(sample, SAMPLE_INT, arg->number);
	case CONF_FETCH_STR:
		return sample_text(sample, SAMPLE_STR, arg->text.data, arg->text.len);
	case CONF_FETCH_ENV:
		return arg->text.data
			       ? sample_text(sample, SAMPLE_STR, arg->text.data, arg->text.len)
			       : SAMPLE_NONE;
	case CONF_FETCH_BIN:
		return sample_text(sample, SAMPLE_BIN, arg->text.data, arg->text.len);
	case CONF_FETCH_IPV4:
	case CONF_FETCH_IPV6:
		return sample_ip(sample, &arg->ip);
	case CONF_FETCH_DATE:
		return fetch_date(arg, sample);
	case CONF_FETCH_HOSTNAME:
		return fetch_hostname(ctx, sample);
	case CONF_FETCH_NBPROC:
	case CONF_FETCH_PROC:
		return sample_number(sample, SAMPLE_INT, 1);
	case CONF_FETCH_RAND:
		return fetch_rand(ctx, arg, sample);
	case CONF_FETCH_UUID:
		return fetch_uuid(ctx, sample);
	}
	return SAMPLE_NONE;
}

static enum sample_result
fetch_date_us(struct sample *sample)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return sample_number(sample, SAMPLE_INT, now.tv_nsec / 1000);
}

enum sample_result
sample_fetch(const struct sample_ctx *ctx, const struct conf_expr *expr, unsigned index,
	     struct sample *sample)
{
	const struct session *s = ctx->session;
	const struct proxy *proxy = s ? s->thread->proxy : NULL;

	if (index > 0 && expr->fetch != CONF_FETCH_REQ_SSL_ALPN)
		return SAMPLE_NONE;
	if (expr->fetch >= CONF_FETCH_REQ_LEN)
		return sample_fetch_bytes(ctx, expr, index, sample);
	if (expr->fetch >= CONF_FETCH_SSL_FC)
		return sample_fetch_tls(ctx, expr, sample);
	if (expr->fetch >= CONF_FETCH_FC_RTT)
		return fetch_tcp_info(s, expr, sample);
	if (expr->fetch >= CONF_FETCH_BC_DST)
		return fetch_server_address(s, expr->fetch, sample);
	if (expr->fetch >= CONF_FETCH_FC_RCVD_PROXY)
		return fetch_preface(s->extra, expr->fetch, sample);
	if (expr->fetch >= CONF_FETCH_FC_ERR)
		return fetch_fault(s, expr->fetch, sample);
	if (expr->fetch == CONF_FETCH_DST_CONN || expr->fetch >= CONF_FETCH_SO_ID)
		return fetch_section(s, expr->fetch, sample);
	if (expr->fetch >= CONF_FETCH_SRC)
		return fetch_address(ctx, expr, sample);
	if (expr->fetch >= CONF_FETCH_SRV_CONN)
		return fetch_server(expr, proxy, sample);
	switch (expr->fetch) {
	case CONF_FETCH_DATE_US:
		return fetch_date_us(sample);
	case CONF_FETCH_THREAD:
		return sample_number(sample, SAMPLE_INT, s->thread->index);
	case CONF_FETCH_STOPPING:
		return sample_number(sample, SAMPLE_BOOL, atomic_load(&proxy->stopping));
	case CONF_FETCH_VAR:
	case CONF_FETCH_CAPTURE_REQ:
	case CONF_FETCH_CAPTURE_RES:
		return fetch_variable(ctx, expr->args, sample);
	case CONF_FETCH_FE_CONN:
		return sample_number(sample, SAMPLE_INT,
				     atomic_load(&proxy->frontends[expr->args[0].number].sessions));
	case CONF_FETCH_FE_SESS_RATE:
		return sample_number(sample, SAMPLE_INT,
				     stats_front_rate(proxy, (uint32_t)expr->args[0].number));
	}
	if (expr->fetch >= CONF_FETCH_AVG_QUEUE)
		return fetch_backend(expr, proxy, sample);
	return fetch_constant(ctx, expr, sample);
}
