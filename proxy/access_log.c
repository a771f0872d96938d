/*
 * access_log.c - composes the traffic log's lines.  Run by the session's thread, which sends
 * through its own sockets; only frontends with a log target come here.
 */
#include "proxy/access_log.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

int
access_log_format(const struct access_record *r, char *line, size_t size)
{
	time_t seconds = r->accepted_ms / 1000;
	const char *plus = r->early ? "+" : "";
	char date[40];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(date, sizeof date, "%d/%b/%Y:%H:%M:%S", &tm);
	return snprintf(line, size,
			"%s [%s.%03d] %s %s/%s %d/%d/%s%d %s%llu %c%c %u/%u/%u/%u/%s%u %u/%u",
			r->client, date, (int)(r->accepted_ms % 1000), r->frontend, r->backend,
			r->server ? r->server : "<NOSRV>", r->queue_ms, r->connect_ms, plus,
			r->total_ms, plus, (unsigned long long)r->bytes, r->cause, r->phase,
			r->actconn, r->feconn, r->beconn, r->srvconn, r->redispatched ? "+" : "",
			r->retries, r->server_queue, r->backend_queue);
}

static void
format_peer(const struct session *s, char *text, size_t size)
{
	char ip[IP_STRLEN];

	if (s->peer.ip.family == AF_UNSPEC)
		snprintf(text, size, "unix:%u", s->bind + 1u);
	else
		snprintf(text, size, "%s:%u", ip_format(&s->peer.ip, ip), s->peer.port);
}

/* Sessions of a backend now, over all threads. */
static uint32_t
backend_sessions(const struct proxy *proxy, uint32_t index)
{
	uint64_t now = 0;

	for (uint32_t i = 0; i < proxy->threads_n; i++) {
		const struct tally *tally = &proxy->threads[i].backs[index];

		now += counter_get(&tally->sessions) - counter_get(&tally->ended);
	}
	return (uint32_t)now;
}

/* HAProxy leaves out sessions that ended well and at the first attempt. */
static bool
ordinary(const struct session *s)
{
	return s->cause == SESSION_CAUSE_NONE && s->failures == 0 && !s->redispatched;
}

void
access_log_end(struct session *s)
{
	const struct conf_proxy *fe = s->frontend->conf;
	struct proxy_thread *t = s->thread;
	char peer[IP_STRLEN + 16], line[1024];
	struct access_record r = {
		.client = peer,
		.accepted_ms = s->accepted_ms,
		.frontend = fe->name,
		.backend = s->backend ? s->backend->conf->name : fe->name,
		.server = s->target ? s->target->conf->name : NULL,
		.queue_ms = s->queue_ms < 0 ? -1 : s->queue_ms - s->handshake_ms,
		.connect_ms = s->connect_ms < 0 ? -1 : s->connect_ms - s->queue_ms,
		.total_ms = (int32_t)mono_since_ms(t->loop.now, s->accepted),
		.bytes = s->down.bytes,
		.cause = (char)s->cause,
		.phase = s->phase ? s->phase : '-',
		.early = s->state != SESSION_CLOSED,
		.actconn = atomic_load(&t->proxy->sessions),
		.feconn = atomic_load(&s->frontend->sessions),
		.beconn = s->backend ? backend_sessions(t->proxy, s->backend->index) : 0,
		.srvconn = s->target ? atomic_load(&s->target->lb.served) : 0,
		.retries = s->attempts ? s->attempts - 1u : 0,
		.redispatched = s->redispatched,
		.backend_queue = s->queue_position,
	};

	if (fe->dontlognull && s->up.bytes == 0)
		return;
	if (fe->dontlog_normal && ordinary(s))
		return;
	format_peer(s, peer, sizeof peer);
	access_log_format(&r, line, sizeof line);
	log_target_send(&t->log, t->proxy->conf, fe, LOG_INFO, line);
}

void
access_log_handshake(struct session *s, int error)
{
	const struct conf_proxy *fe = s->frontend->conf;
	const struct conf_bind *bind = &fe->binds[s->bind];
	const char *what = error == ETIMEDOUT    ? "Timeout during SSL handshake"
			   : error == ECONNRESET ? "Connection closed during SSL handshake"
						 : "SSL handshake failure";
	char peer[IP_STRLEN + 16], date[40], number[16], line[512];
	struct timespec wall;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &wall);
	localtime_r(&wall.tv_sec, &tm);
	strftime(date, sizeof date, "%d/%b/%Y:%H:%M:%S", &tm);
	snprintf(number, sizeof number, "%u", s->bind + 1u);
	format_peer(s, peer, sizeof peer);
	snprintf(line, sizeof line, "%s [%s.%03d] %s/%s: %s", peer, date,
		 (int)(wall.tv_nsec / NS_PER_MS), fe->name, bind->name ? bind->name : number, what);
	log_target_send(&s->thread->log, s->thread->proxy->conf, fe, LOG_INFO, line);
}

void
access_log_start(struct session *s)
{
	const struct conf_proxy *fe = s->frontend->conf;
	struct sock_addr self = { .len = sizeof self.storage };
	char peer[IP_STRLEN + 16], local[IP_STRLEN + 16], ip_text[IP_STRLEN], line[512];
	struct ip ip;

	format_peer(s, peer, sizeof peer);
	if (getsockname(s->client.lf.fd, &self.any, &self.len) < 0)
		return;
	ip = sock_addr_ip(&self);
	if (ip.family == AF_UNSPEC)
		snprintf(local, sizeof local, "unix:%u", s->bind + 1u);
	else
		snprintf(local, sizeof local, "%s:%u", ip_format(&ip, ip_text),
			 sock_addr_port(&self));
	snprintf(line, sizeof line, "Connect from %s to %s (%s/%s)", peer, local, fe->name,
		 fe->mode == CONF_MODE_HTTP ? "HTTP" : "TCP");
	log_target_send(&s->thread->log, s->thread->proxy->conf, fe, LOG_INFO, line);
}
