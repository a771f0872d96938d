/*
 * access_log.c - what goes into the traffic log, and when.  Run by the session's thread, which sends
 * through its own sockets; only frontends with a log target come here.
 */
#include "proxy/access_log.h"

#include "proxy/conn_fault.h"
#include "proxy/extra.h"
#include "proxy/stats.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t
wall_ms(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / NS_PER_MS;
}

/* Lines about the frontend so far. */
static uint64_t
lines_of(const struct proxy *proxy, uint32_t index)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < proxy->threads_n; i++)
		n += counter_get(&proxy->threads[i].fronts[index].logged);
	return n;
}

static struct access_record
record_of(const struct session *s, const struct sample_ctx *ctx)
{
	const struct proxy_thread *t = s->thread;
	const struct proxy *proxy = t->proxy;
	const struct conf_proxy *fe = s->frontend->conf;
	/* As HAProxy: what came to nothing so early is refused by us, whoever gave up. */
	bool no_session = s->client_fault != CONN_FAULT_NONE;

	return (struct access_record){
		.client_ip = s->peer.ip,
		.client_port =
			s->peer.ip.family == AF_UNSPEC ? (uint16_t)(s->bind + 1) : s->peer.port,
		.accepted_ms = s->accepted_ms,
		.frontend = fe->name,
		.backend = s->backend ? s->backend->conf->name : fe->name,
		.server = s->target ? s->target->conf->name : NULL,
		.tls = s->client.layer != NULL,
		.handshake_ms = s->handshake_ms,
		.queue_ms = s->queue_ms,
		.connect_ms = s->connect_ms,
		.total_ms = (int32_t)mono_since_ms(t->loop.now, s->accepted),
		.bytes = s->down.bytes,
		.bytes_up = s->up.bytes,
		.cause = no_session ? SESSION_CAUSE_PROXY : (char)s->cause,
		.phase = no_session ? 'R'
			 : s->phase ? s->phase
				    : '-',
		.early = s->state != SESSION_CLOSED,
		.actconn = atomic_load(&proxy->sessions),
		.feconn = atomic_load(&s->frontend->sessions),
		.beconn = s->backend ? stats_backend_sessions(s->backend) : 0,
		.srvconn = s->target ? atomic_load(&s->target->lb.served) : 0,
		.retries = s->attempts ? s->attempts - 1u : 0,
		.redispatched = s->redispatched,
		.backend_queue = s->queue_position,
		.request_counter = s->serial,
		.pid = t->log.pid,
		.hostname = proxy->conf->log_send_hostname && *proxy->conf->log_send_hostname
				    ? proxy->conf->log_send_hostname
				    : proxy->conf->node,
		.unique_id = fe->unique_id_format,
		.ctx = ctx,
	};
}

/* HAProxy leaves out sessions that ended well and at the first attempt. */
static bool
ordinary(const struct session *s)
{
	return s->cause == SESSION_CAUSE_NONE && s->failures == 0 && !s->redispatched;
}

/* The line's level; -1 = there shall be none. */
static int
level_of(const struct session *s)
{
	if (s->extra && s->extra->level_set)
		return s->extra->level;
	return s->frontend->conf->log_separate_errors && !ordinary(s) ? LOG_ERR : LOG_INFO;
}

/* One line by the frontend's formats. */
static void
compose(struct session *s, const struct conf_format *format, int level)
{
	const struct conf_proxy *fe = s->frontend->conf;
	struct proxy_thread *t = s->thread;
	struct log_sender *log = &t->log;
	struct sample_room room;
	struct sample_ctx ctx = { .session = s, .final = true, .room = &room };
	struct access_record r;

	room.turn = 0;
	r = record_of(s, &ctx);
	r.log_counter = lines_of(t->proxy, s->frontend->index);
	counter_add(&t->fronts[s->frontend->index].logged, 1);
	log_format_line(format, &r, log->message, log->room);
	if (fe->log_format_sd)
		log_format_line(fe->log_format_sd, &r, log->structured, log->room);
	log_target_send(log, t->proxy->conf, fe, level, log->message,
			fe->log_format_sd ? log->structured : NULL);
}

void
access_log_end(struct session *s)
{
	const struct conf_proxy *fe = s->frontend->conf;
	int level = level_of(s);

	if (level < 0 || (fe->dontlognull && !session_heard(s)))
		return;
	if (fe->dontlog_normal && ordinary(s))
		return;
	if (!log_target_wanted(s->thread->proxy->conf, fe, level))
		return;
	compose(s, fe->log_format, level);
}

size_t
log_format_session(const struct conf_format *format, const struct sample_ctx *ctx, char *text,
		   size_t size)
{
	struct access_record r = record_of(ctx->session, ctx);

	return log_format_line(format, &r, text, size);
}

size_t
log_format_nobody(const struct conf_format *format, const struct sample_ctx *ctx, char *text,
		  size_t size)
{
	struct access_record r = { .accepted_ms = wall_ms(), .pid = getpid(), .ctx = ctx };

	return log_format_line(format, &r, text, size);
}

/* ------------------------------------------------------------------ lines of a fixed form */

static void
format_peer(const struct session *s, char *text, size_t size)
{
	char ip[IP_STRLEN];

	if (s->peer.ip.family == AF_UNSPEC)
		snprintf(text, size, "unix:%u", s->bind + 1u);
	else
		snprintf(text, size, "%s:%u", ip_format(&s->peer.ip, ip), s->peer.port);
}

void
access_log_handshake(struct session *s)
{
	const struct conf_proxy *fe = s->frontend->conf;
	const struct conf_bind *bind = &fe->binds[s->bind];
	int level = fe->log_separate_errors ? LOG_ERR : LOG_INFO;
	char peer[IP_STRLEN + 16], date[40], number[16], line[512];
	int64_t now_ms = wall_ms();
	time_t seconds = now_ms / 1000;
	struct tm tm;

	if (fe->error_log_format) {
		compose(s, fe->error_log_format, level);
		return;
	}
	localtime_r(&seconds, &tm);
	strftime(date, sizeof date, "%d/%b/%Y:%H:%M:%S", &tm);
	snprintf(number, sizeof number, "%u", s->bind + 1u);
	format_peer(s, peer, sizeof peer);
	snprintf(line, sizeof line, "%s [%s.%03d] %s/%s: %s", peer, date, (int)(now_ms % 1000),
		 fe->name, bind->name ? bind->name : number, conn_fault_words(s->client_fault));
	log_target_send(&s->thread->log, s->thread->proxy->conf, fe, level, line, NULL);
}

void
access_log_start(struct session *s)
{
	const struct conf_proxy *fe = s->frontend->conf;
	struct session_peer self = extra_destination(s);
	char peer[IP_STRLEN + 16], local[IP_STRLEN + 16], ip[IP_STRLEN], line[512];

	format_peer(s, peer, sizeof peer);
	if (self.ip.family == AF_UNSPEC)
		snprintf(local, sizeof local, "unix:%u", s->bind + 1u);
	else
		snprintf(local, sizeof local, "%s:%u", ip_format(&self.ip, ip), self.port);
	snprintf(line, sizeof line, "Connect from %s to %s (%s/%s)", peer, local, fe->name,
		 fe->mode == CONF_MODE_HTTP ? "HTTP" : "TCP");
	log_target_send(&s->thread->log, s->thread->proxy->conf, fe, LOG_INFO, line, NULL);
}
