/*
 * session.c - life of a session: accepted, relayed, timed out, closed.  Which server it gets is
 * dial.c, how bytes move is relay.c.  Run by the session's thread.
 */
#include "proxy/session.h"

#include "proxy/access_log.h"
#include "proxy/dial.h"
#include "proxy/extra.h"
#include "proxy/inspect.h"
#include "proxy/preface.h"
#include "proxy/stats.h"
#include "proxy/tls.h"
#include "proxy/tls_conn.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static void go_on(struct session *s);
static void handshake(struct session *s);

static void
later(struct deferred *d)
{
	struct session *s = CONTAINER_OF(d, struct session, later);

	if (s->state == SESSION_CLOSED) {
		extra_free(s);
		pool_put(&s->thread->session_pool, s);
	} else {
		go_on(s);
	}
}

/* "D" once data may flow, "L" when only the client is left. */
static char
phase_of(const struct session *s)
{
	switch (s->state) {
	case SESSION_QUEUED:
		return 'Q';
	case SESSION_HANDSHAKE:
	case SESSION_INSPECTING:
		return 'R';
	case SESSION_CONNECTING:
	case SESSION_PAUSING:
		return 'C';
	case SESSION_ANSWERING:
	case SESSION_RELAYING:
		/* As HAProxy: neither side has done anything. */
		if (s->cause == SESSION_CAUSE_KILLED || s->cause == SESSION_CAUSE_UP ||
		    s->cause == SESSION_CAUSE_DOWN)
			return '-';
		if ((s->server.flags & CONN_EOF) && (s->server.flags & CONN_SHUT))
			return 'L';
		return 'D';
	case SESSION_CLOSED:
		break;
	}
	return '-';
}

/*
 * Must the one who is sent `ch` not take what it has got for the whole?  A time-out, or a will of
 * ours, with nothing on the way ends an idle connection: that is told as an end, all else as a
 * failure.
 */
static bool
cut_short(const struct session *s, const struct channel *ch)
{
	switch (s->cause) {
	case SESSION_CAUSE_NONE:
		return false;
	case SESSION_CAUSE_CLIENT_TIMEOUT:
	case SESSION_CAUSE_SERVER_TIMEOUT:
	case SESSION_CAUSE_KILLED:
	case SESSION_CAUSE_UP:
		return (s->state != SESSION_RELAYING && s->state != SESSION_ANSWERING) ||
		       !channel_empty(ch);
	case SESSION_CAUSE_CLIENT:
	case SESSION_CAUSE_SERVER:
	case SESSION_CAUSE_RESOURCE:
	case SESSION_CAUSE_PROXY:
	case SESSION_CAUSE_DOWN:
		break;
	}
	return true;
}

/* The last word of the layer above the socket, unless it has been said with a FIN. */
static void
take_leave(struct conn *c)
{
	if (c->layer && !(c->flags & CONN_SHUT))
		c->ops->finish(c);
}

void
session_close(struct session *s, enum session_cause cause)
{
	struct proxy_thread *t = s->thread;
	bool cut_up, cut_down;

	if (s->state == SESSION_CLOSED)
		return;
	s->cause = cause;
	s->phase = cause == SESSION_CAUSE_NONE ? '-' : phase_of(s);
	cut_up = cut_short(s, &s->up);
	cut_down = cut_short(s, &s->down);
	dial_cancel(s);
	s->state = SESSION_CLOSED;
	/* As HAProxy counts: the frontend still has this session, backend and server no more. */
	if (s->backend)
		counter_add(&t->backs[s->backend->index].ended, 1);
	/* While there are sockets: their addresses and TLS may be asked for. */
	if (s->frontend->log_end && !s->logged)
		access_log_end(s);

	if (!cut_up)
		take_leave(&s->server);
	/* A server that has had a FIN and still not said its last word learns that nobody listens. */
	cut_up |= (s->server.flags & CONN_SHUT) != 0;
	conn_close(&s->server, &t->loop,
		   (cut_up && !(s->server.flags & CONN_EOF)) ||
			   (s->backend && s->backend->conf->nolinger));
	if (s->vanish)
		conn_vanish(&s->client);
	else if (!cut_down)
		take_leave(&s->client);
	if (!s->vanish && cause != SESSION_CAUSE_NONE)
		conn_discard(&s->client);
	conn_close(&s->client, &t->loop, s->vanish || s->unwelcome || s->frontend->conf->nolinger);
	channel_drop(&s->up, &t->store);
	channel_drop(&s->down, &t->store);
	timer_disarm(&t->loop.timers, &s->timer);
	list_remove(&s->link);

	counter_add(&t->fronts[s->frontend->index].ended, 1);
	listener_release(t, s->frontend, s->bind);
	loop_defer(&t->loop, &s->later);
}

static void
count_bytes(struct session *s, uint64_t in, uint64_t out)
{
	struct proxy_thread *t = s->thread;
	struct tally *tallies[] = { &t->fronts[s->frontend->index], &t->backs[s->backend->index],
				    &t->servers[s->target->number] };

	for (size_t i = 0; i < sizeof tallies / sizeof tallies[0]; i++) {
		counter_add(&tallies[i]->bytes_in, in);
		counter_add(&tallies[i]->bytes_out, out);
	}
}

/* Hands a FIN on once everything before it is on its way; ends the session after the second. */
static void
forward_fins(struct session *s)
{
	bool up_done = (s->client.flags & CONN_EOF) && channel_empty(&s->up);
	bool down_done = (s->server.flags & CONN_EOF) && channel_empty(&s->down);

	if (up_done && down_done) {
		session_close(s, SESSION_CAUSE_NONE);
		return;
	}
	if (up_done && !(s->server.flags & CONN_SHUT)) {
		conn_shutdown(&s->server);
		session_rearm(s);
	}
	if (down_done && !(s->client.flags & CONN_SHUT)) {
		conn_shutdown(&s->client);
		session_rearm(s);
	}
}

/* Tells the session's fate from how a pump ended; false = it is over. */
static bool
judge(struct session *s, enum relay_result result, enum session_cause src, enum session_cause dst)
{
	switch (result) {
	case RELAY_IDLE:
		return true;
	case RELAY_MORE:
		loop_defer(&s->thread->loop, &s->later);
		return true;
	case RELAY_SRC_FAILED:
		session_close(s, src);
		return false;
	case RELAY_DST_FAILED:
		session_close(s, dst);
		return false;
	case RELAY_NO_MEMORY:
		session_close(s, SESSION_CAUSE_RESOURCE);
		return false;
	}
	return false;
}

static bool
pump_up(struct session *s)
{
	struct proxy_thread *t = s->thread;
	unsigned eager = s->backend->conf->splice_auto ? 1 : 3;
	int error;

	return judge(
		s,
		relay_pump(&s->up, &s->client, &s->server, &t->store, eager, t->loop.now, &error),
		SESSION_CAUSE_CLIENT, SESSION_CAUSE_SERVER);
}

static bool
pump_down(struct session *s)
{
	struct proxy_thread *t = s->thread;
	unsigned eager = s->backend->conf->splice_auto ? 1 : 3;
	int error;

	return judge(
		s,
		relay_pump(&s->down, &s->server, &s->client, &t->store, eager, t->loop.now, &error),
		SESSION_CAUSE_SERVER, SESSION_CAUSE_CLIENT);
}

void
session_ready(struct session *s)
{
	uint64_t up = s->up.bytes, down = s->down.bytes;

	if (pump_up(s) && pump_down(s) && ((s->client.flags | s->server.flags) & CONN_EOF))
		forward_fins(s);
	if (s->up.bytes != up || s->down.bytes != down)
		count_bytes(s, s->up.bytes - up, s->down.bytes - down);
}

/* The client's bytes flow; the server's are looked at. */
static void
answering(struct session *s, bool expired)
{
	uint64_t up = s->up.bytes;
	bool flows = pump_up(s);

	if (s->up.bytes != up)
		count_bytes(s, s->up.bytes - up, 0);
	if (!flows)
		return;
	switch (inspect_answer(s, expired)) {
	case INSPECT_PASS:
		session_enter(s, SESSION_RELAYING);
		session_ready(s);
		break;
	case INSPECT_WAIT:
		if (s->client.flags & CONN_EOF)
			forward_fins(s);
		break;
	case INSPECT_OVER:
		break;
	}
}

static bool
has_no_server_yet(const struct session *s)
{
	return s->state == SESSION_QUEUED || s->state == SESSION_CONNECTING ||
	       s->state == SESSION_PAUSING;
}

/* A socket has something to tell, or a share of the last turn was left, or the client has gone. */
static void
go_on(struct session *s)
{
	if (s->state == SESSION_RELAYING)
		session_ready(s);
	else if (s->state == SESSION_ANSWERING)
		answering(s, false);
	else if (has_no_server_yet(s) && (s->client.flags & CONN_EOF) && channel_empty(&s->up))
		session_close(s, SESSION_CAUSE_CLIENT);
}

/*
 * As HAProxy: a session that got no further than this has a line of its own in the log; for
 * `dontlognull` a client that left or fell silent so early has sent nothing.
 */
static void
handshake_failed(struct session *s, int error, enum conn_fault why)
{
	const struct frontend *fe = s->frontend;

	s->client_fault = (uint8_t)why;
	s->logged = true;
	if ((fe->log_end || fe->log_start) && (error == EPROTO || !fe->conf->dontlognull))
		access_log_handshake(s);
	session_close(s, error == ETIMEDOUT ? SESSION_CAUSE_CLIENT_TIMEOUT : SESSION_CAUSE_CLIENT);
}

static enum conn_fault
handshake_fault(int error)
{
	return error == ETIMEDOUT    ? CONN_FAULT_TLS_SILENCE
	       : error == ECONNRESET ? CONN_FAULT_TLS_CLOSED
				     : CONN_FAULT_TLS_FAILED;
}

/* The client's socket is the session's: TLS comes first, if the bind has it. */
static void
begin_tls(struct session *s)
{
	SSL_CTX *tls = tls_of_bind(s->thread->proxy->tls, s->frontend->index, s->bind);

	if (!tls)
		session_admitted(s);
	else if (tls_accept(&s->client, tls) < 0)
		session_close(s, SESSION_CAUSE_RESOURCE);
	else if (s->state != SESSION_HANDSHAKE)
		session_enter(s, SESSION_HANDSHAKE);
	else
		handshake(s);
}

/* The PROXY protocol's header; true: it is there. */
static bool
header_came(struct session *s)
{
	enum conn_fault why;
	int r = preface_read(s, &why);

	if (r < 0)
		handshake_failed(s, -r, why);
	return r > 0;
}

static void
handshake(struct session *s)
{
	int r;

	if (s->awaits_header) {
		if (!header_came(s))
			return;
		s->awaits_header = false;
		begin_tls(s);
		return;
	}
	r = tls_handshake(&s->client);
	if (r < 0) {
		/* As HAProxy: only who closes has left, who resets has failed. */
		if (!(s->client.flags & CONN_RAW_EOF))
			r = -EPROTO;
		handshake_failed(s, -r, handshake_fault(-r));
		return;
	}
	if (r == 0)
		return;
	s->handshake_ms = (int32_t)mono_since_ms(s->thread->loop.now, s->accepted);
	session_admitted(s);
}

void
session_assign(struct session *s, struct backend *be)
{
	struct proxy_thread *t = s->thread;

	s->backend = be;
	if (!be)
		return;
	counter_add(&t->backs[be->index].sessions, 1);
	if (t->back_rates)
		rate_add(&t->back_rates[be->index], t->loop.now);
}

void
session_admitted(struct session *s)
{
	if (!s->frontend->plain) {
		inspect_begin(s);
		return;
	}
	if (s->frontend->log_start)
		access_log_start(s);
	session_assign(s, s->frontend->backend);
	dial(s);
}

/*
 * The client of a session that has no server yet says something.  One that leaves without a word
 * does not want a server any more; one that has asked may only have said all it has to say.
 */
static void
still_wanted(struct session *s, uint32_t events)
{
	struct proxy_thread *t = s->thread;
	int r;

	s->client.active = t->loop.now;
	if (!(events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)))
		return;
	r = channel_fill(&s->up, &s->client, &t->store, t->loop.now);
	if (r == -ENOMEM)
		session_close(s, SESSION_CAUSE_RESOURCE);
	else if (r < 0 || (events & (EPOLLERR | EPOLLHUP)) || s->backend->conf->abortonclose)
		session_close(s, SESSION_CAUSE_CLIENT);
	else
		/* The server may have accepted in this very turn. */
		loop_defer(&t->loop, &s->later);
}

static void
client_ready(struct loop_fd *lf, uint32_t events)
{
	struct session *s = CONTAINER_OF(lf, struct session, client.lf);

	conn_note_events(&s->client, events);
	if (s->state == SESSION_RELAYING)
		session_ready(s);
	else if (s->state == SESSION_HANDSHAKE)
		handshake(s);
	else if (s->state == SESSION_INSPECTING)
		inspect_ready(s);
	else if (s->state == SESSION_ANSWERING)
		answering(s, false);
	else
		still_wanted(s, events);
}

void
session_established(struct session *s)
{
	struct mono now = s->thread->loop.now;

	s->connect_ms = (int32_t)mono_since_ms(now, s->accepted);
	s->client.active = s->server.active = now;
	session_enter(s, s->backend->conf->response_rules.n ? SESSION_ANSWERING : SESSION_RELAYING);
	if (s->frontend->conf->logasap && s->frontend->log_end) {
		s->logged = true;
		access_log_end(s);
	}
	go_on(s);
}

void
session_rearm(struct session *s)
{
	enum session_cause cause;
	struct mono deadline = session_deadline(s, &cause);

	if (deadline.ns && (!timer_armed(&s->timer) || mono_before(deadline, s->timer.when)))
		timer_arm(&s->thread->loop.timers, &s->timer, deadline);
}

/*
 * Not later than after the shortest time-out, whatever the deadline is now: the side that is waited
 * for changes with what moves, and the timer is not touched then.  What moved counts anew from that
 * moment, so this look is never too late.
 */
static void
look_again(struct session *s, struct mono now)
{
	uint32_t ms = s->state == SESSION_RELAYING ? session_shortest_ms(s) : 0;

	if (ms)
		timer_arm(&s->thread->loop.timers, &s->timer, mono_add_ms(now, ms));
	session_rearm(s);
}

static void
session_timer(struct timer *timer, struct mono now)
{
	struct session *s = CONTAINER_OF(timer, struct session, timer);
	enum session_cause cause;
	struct mono deadline = session_deadline(s, &cause);

	if (!deadline.ns || mono_before(now, deadline)) {
		look_again(s, now);
		return;
	}
	switch (s->state) {
	case SESSION_HANDSHAKE:
		handshake_failed(s, ETIMEDOUT,
				 s->awaits_header ? CONN_FAULT_HEADER_SILENCE
						  : handshake_fault(ETIMEDOUT));
		break;
	case SESSION_QUEUED:
	case SESSION_RELAYING:
		session_close(s, cause);
		break;
	case SESSION_INSPECTING:
		inspect_expired(s);
		break;
	case SESSION_ANSWERING:
		deadline = session_relay_deadline(s, &cause);
		if (deadline.ns && !mono_before(now, deadline))
			session_close(s, cause);
		else
			answering(s, true);
		break;
	case SESSION_CONNECTING:
	case SESSION_PAUSING:
		if (cause == SESSION_CAUSE_CLIENT_TIMEOUT)
			session_close(s, cause);
		else if (s->state == SESSION_CONNECTING)
			dial_failed(s, ETIMEDOUT);
		else
			dial(s);
		break;
	case SESSION_CLOSED:
		break;
	}
}

static void
note_peer(struct session *s, const struct sock_addr *from)
{
	s->peer.ip = sock_addr_ip(from);
	s->peer.port = sock_addr_port(from);
}

void
session_start(struct listener *l, int fd, const struct sock_addr *from)
{
	struct proxy_thread *t = l->thread;
	struct session *s = pool_get(&t->session_pool);
	struct timespec wall;

	if (!s) {
		struct loop_fd lf = { .fd = fd };

		loop_close(&t->loop, &lf);
		listener_release(t, l->frontend, l->bind);
		return;
	}
	*s = (struct session){
		.thread = t,
		.frontend = l->frontend,
		.server = { .lf = { .fd = -1 } },
		.timer = { .fire = session_timer },
		.later = { .call = later },
		.state = SESSION_CONNECTING,
		.cause = SESSION_CAUSE_NONE,
		.bind = (uint16_t)l->bind,
		.serial = t->serial++ * t->proxy->threads_n + t->index,
		.queue_ms = -1,
		.connect_ms = -1,
		.accepted = t->loop.now,
	};
	conn_init(&s->client, fd, client_ready, l->family);
	s->client.flags |= CONN_CAN_WRITE | CONN_NODELAY;
	s->client.active = t->loop.now;
	list_append(&t->sessions, &s->link);
	list_init(&s->wait);
	note_peer(s, from);
	if (s->frontend->log_end) {
		clock_gettime(CLOCK_REALTIME, &wall);
		s->accepted_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / NS_PER_MS;
	}
	counter_add(&t->fronts[s->frontend->index].sessions, 1);
	if (t->front_rates)
		rate_add(&t->front_rates[s->frontend->index], t->loop.now);
	if (!s->frontend->plain && !inspect_connection(s))
		return;
	s->awaits_header |= l->conf->accept_proxy;
	if (loop_add(&t->loop, &s->client.lf, CONN_EVENTS) < 0)
		session_close(s, SESSION_CAUSE_RESOURCE);
	else if (s->awaits_header)
		session_enter(s, SESSION_HANDSHAKE);
	else
		begin_tls(s);
}
