/*
 * dial.c - choosing and connecting.  Run by the session's thread; the slots and the number of
 * waiting sessions are shared by all threads, the queues themselves are not.
 */
#include "proxy/dial.h"

#include "proxy/conn_fault.h"
#include "proxy/extra.h"
#include "proxy/inspect.h"
#include "proxy/lb_hash.h"
#include "proxy/outbound.h"
#include "proxy/preface.h"
#include "proxy/stats.h"
#include "proxy/tls_conn.h"

#include <errno.h>
#include <netinet/in.h>

#define PAUSE_MS 1000

/* What a failed attempt counts in the average of balance p2c-ewma, on top of the time it took. */
#define FAILURE_NS (1000 * NS_PER_MS)

/* The thread's balancing set, up to date.  NULL = out of memory. */
static const struct lb_set *
current_set(struct proxy_thread *t, struct backend *be)
{
	struct lb_set **set = &t->sets[be->index];

	if (!*set)
		*set = lb_set_new(&be->farm);
	if (*set && lb_set_is_behind(*set) && lb_set_follow(*set) < 0) {
		lb_set_free(*set);
		*set = NULL;
	}
	return *set;
}

/* What the backend's algorithm goes by. */
static struct lb_ask
question(struct session *s)
{
	const struct conf_proxy *conf = s->backend->conf;
	struct lb_ask ask = { .tried = s->tried };

	switch (conf->balance) {
	case CONF_BALANCE_SOURCE:
		ask.hashed = true;
		ask.hash = lb_hash_source(conf, &s->peer.ip);
		break;
	case CONF_BALANCE_RDP_COOKIE:
	case CONF_BALANCE_HASH:
		ask.hashed = inspect_hash(s, conf, &ask.hash);
		break;
	case CONF_BALANCE_P2C_EWMA:
		ask.now_ns = s->thread->loop.now.ns;
		ask.random = proxy_random(s->thread);
		break;
	case CONF_BALANCE_RANDOM:
		ask.random = proxy_random(s->thread);
		break;
	case CONF_BALANCE_ROUNDROBIN:
	case CONF_BALANCE_STATIC_RR:
	case CONF_BALANCE_LEASTCONN:
	case CONF_BALANCE_FIRST:
		break;
	}
	return ask;
}

/* Is there a server that a rule has named, and that may still serve it? */
static bool
wishes(const struct session *s)
{
	return s->wish && atomic_load(&s->wish->lb.usable) && !(s->tried & lb_bit(&s->wish->lb));
}

static enum lb_result
choose(struct session *s, struct server **server)
{
	const struct lb_set *set = current_set(s->thread, s->backend);
	struct lb_ask ask = question(s);
	struct lb_server *chosen;
	enum lb_result result;

	if (!set)
		return LB_NONE;
	if (wishes(s)) {
		*server = s->wish;
		return lb_take(&s->wish->lb) ? LB_PICKED : LB_FULL;
	}
	result = lb_pick(set, &ask, &chosen);
	*server = chosen ? CONTAINER_OF(chosen, struct server, lb) : NULL;
	return result;
}

/* The thread whose session has waited longest. */
static struct waiting *
longest_waiting(struct backend *be)
{
	struct waiting *found = NULL;
	int64_t found_ns = 0;

	for (uint32_t i = 0; i < be->proxy->threads_n; i++) {
		struct waiting *w = &be->proxy->threads[i].waiting[be->index];
		int64_t oldest_ns = atomic_load(&w->oldest_ns);

		if (oldest_ns && (!found || oldest_ns < found_ns)) {
			found = w;
			found_ns = oldest_ns;
		}
	}
	return found;
}

/* Gives the slot back, and lets the one know who has waited for it longest: or all, if some of those
 * who wait cannot do with any slot. */
static void
give_slot_back(struct session *s)
{
	struct backend *be = s->backend;
	struct waiting *w;

	if (!s->slot)
		return;
	s->slot = false;
	counter_add(&s->thread->servers[s->target->number].ended, 1);
	lb_release(&s->target->lb);
	if (!s->target->lb.maxconn || !atomic_load(&be->farm.queued))
		return;
	if (atomic_load(&be->choosy)) {
		proxy_wake_waiters(be->proxy, be->index);
		return;
	}
	w = longest_waiting(be);
	if (w && w->thread == s->thread)
		loop_defer(&s->thread->loop, &w->dispatch);
	else if (w)
		loop_wake(&w->thread->loop);
}

static void
note_oldest(struct waiting *w)
{
	struct list *first = list_first(&w->sessions);

	atomic_store(&w->oldest_ns,
		     first ? CONTAINER_OF(first, struct session, wait)->since.ns : 0);
}

/* Waits for a certain server, or for one it has not tried. */
static bool
is_choosy(const struct session *s)
{
	return s->wanted || s->tried;
}

static void
enqueue(struct session *s, struct server *wanted)
{
	struct waiting *w = &s->thread->waiting[s->backend->index];

	s->wanted = wanted;
	if (wanted)
		lb_wait(&wanted->lb);
	session_enter(s, SESSION_QUEUED);
	list_append(&w->sessions, &s->wait);
	note_oldest(w);
	atomic_fetch_add(&w->n, 1);
	if (is_choosy(s))
		atomic_fetch_add(&s->backend->choosy, 1);
	s->queue_position = atomic_fetch_add(&s->backend->farm.queued, 1) + 1;
	/* A slot given back before `queued` was raised told nobody: look once more. */
	loop_defer(&s->thread->loop, &w->dispatch);
}

static void
dequeue(struct session *s)
{
	struct waiting *w = &s->thread->waiting[s->backend->index];

	list_remove(&s->wait);
	note_oldest(w);
	atomic_fetch_sub(&w->n, 1);
	atomic_fetch_sub(&s->backend->farm.queued, 1);
	if (is_choosy(s))
		atomic_fetch_sub(&s->backend->choosy, 1);
	if (s->wanted)
		lb_leave(&s->wanted->lb);
	s->wanted = NULL;
}

void
dial_cancel(struct session *s)
{
	if (s->state == SESSION_QUEUED) {
		dequeue(s);
		s->queue_ms = (int32_t)mono_since_ms(s->thread->loop.now, s->accepted);
	}
	give_slot_back(s);
}

uint32_t
dial_pause_ms(const struct session *s)
{
	uint32_t connect_ms = s->backend->conf->timeout_connect_ms;

	return connect_ms && connect_ms < PAUSE_MS ? connect_ms : PAUSE_MS;
}

/* The connection stands: TLS above it, if the server has it.  0 or an errno. */
static int
begin_tls(struct session *s)
{
	const struct conf_tls *conf = &s->target->conf->tls;
	struct tls_asked asked = {
		.sni = conf->sni_of_client ? tls_host_asked(&s->client) : conf->sni,
		/* A session belongs to the host that was asked for. */
		.session = conf->no_reuse || conf->sni_of_client
				   ? NULL
				   : &s->thread->tls_sessions[s->target->number],
	};

	asked.verify = asked.sni ? asked.sni : conf->verifyhost;
	return -tls_connect(&s->server, s->target->tls, &asked);
}

/* How long the attempt took, for who goes by it. */
static void
note_connect_time(struct session *s, int64_t penalty_ns)
{
	struct mono now = s->thread->loop.now;

	if (s->backend->conf->balance == CONF_BALANCE_P2C_EWMA)
		lb_ewma_add(&s->target->lb.connect, now.ns - s->since.ns + penalty_ns, now.ns);
}

static void
reached(struct session *s)
{
	note_connect_time(s, 0);
	if (s->target->observed)
		server_observe_success(s->target);
	session_established(s);
}

/* The server has accepted; with TLS its handshake still belongs to connecting. */
static void
connected(struct session *s)
{
	int r;

	if (!s->target->tls) {
		reached(s);
		return;
	}
	r = s->server.layer ? 0 : -begin_tls(s);
	if (r == 0)
		r = tls_handshake(&s->server);
	if (r > 0) {
		reached(s);
	} else if (r < 0) {
		dial_failed(s, -r);
	}
}

/* The server has accepted: what it wants to know of the client goes first. */
static void
accepted(struct session *s)
{
	int error = preface_wanted(s->target) ? preface_write(s) : 0;

	if (error)
		dial_failed(s, error);
	else
		connected(s);
}

static void
server_ready(struct loop_fd *lf, uint32_t events)
{
	struct session *s = CONTAINER_OF(lf, struct session, server.lf);
	int error;

	conn_note_events(&s->server, events);
	if (s->state == SESSION_RELAYING) {
		session_ready(s);
		return;
	}
	if (events & (EPOLLERR | EPOLLHUP)) {
		error = conn_error(&s->server);
		/* Without an error the server accepted and closed at once. */
		if (error) {
			dial_failed(s, error);
			return;
		}
	}
	if (s->server.layer)
		connected(s);
	else if (events & (EPOLLOUT | EPOLLIN | EPOLLHUP))
		accepted(s);
}

struct sock_addr
dial_destination(const struct session *s)
{
	const struct conf_server *conf = s->target->conf;
	struct sock_addr to = s->target->address;

	if (conf->port_relative && to.any.sa_family != AF_UNIX) {
		struct session_peer asked = extra_destination(s);

		if (asked.ip.family != AF_UNSPEC)
			sock_addr_set_port(&to, (uint16_t)(asked.port + conf->port_offset));
	}
	return to;
}

/* Begins to connect to the target; 0 or an errno. */
static int
begin(struct session *s)
{
	struct sock_addr to = dial_destination(s);
	const struct outbound_ask ask = {
		.random = proxy_random(s->thread),
		.stock = s->thread->stock,
		.client = s->peer.ip,
		.client_port = s->peer.port,
	};
	int one = 1, family = to.any.sa_family, fd, r;

	fd = outbound_connect(s->target, &to, &ask);
	if (fd < 0)
		return -fd;
	conn_init(&s->server, fd, server_ready, family);
	if (s->backend->conf->tcpka_server && family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	r = loop_add(&s->thread->loop, &s->server.lf, CONN_EVENTS);
	return r < 0 ? -r : 0;
}

/* Whose fault it is: the proxy's that lacks something, or the server's that refuses or keeps silent. */
static enum session_cause
cause_of(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EADDRNOTAVAIL:
	case EADDRINUSE:
	case EACCES: /* `usesrc client` with a port below 1024 */
	case EAFNOSUPPORT:
		return SESSION_CAUSE_RESOURCE;
	case ETIMEDOUT:
		return SESSION_CAUSE_SERVER_TIMEOUT;
	}
	return SESSION_CAUSE_SERVER;
}

/* Neither this host's, nor that of who ended the attempt because the server went down. */
static bool
is_servers_fault(int error)
{
	return cause_of(error) != SESSION_CAUSE_RESOURCE && error != ECONNABORTED;
}

/* Books a failure; false if it was the last one allowed and the session is closed. */
static bool
book_failure(struct session *s, int error)
{
	struct tally *tally = &s->thread->servers[s->target->number];

	s->server_fault = (uint8_t)conn_fault_of(error, s->server.layer != NULL);
	counter_add(&tally->connect_errors, 1);
	note_connect_time(s, FAILURE_NS);
	if (s->target->observed && is_servers_fault(error))
		server_observe_error(s->target, s->thread->loop.now);
	s->tried |= lb_bit(&s->target->lb);
	if (++s->failures > s->backend->conf->retries || s->failures == UINT8_MAX) {
		session_close(s, cause_of(error));
		return false;
	}
	give_slot_back(s);
	conn_close(&s->server, &s->thread->loop, true);
	return true;
}

/* Takes a server whose slot the session has; true if connecting has begun or the session ended. */
static bool
try_server(struct session *s, struct server *server)
{
	struct proxy_thread *t = s->thread;
	int error;

	if (s->failures) {
		bool other = server != s->target;

		s->redispatched |= other;
		counter_add(other ? &t->servers[server->number].redispatches
				  : &t->servers[server->number].retries,
			    1);
	}
	s->target = server;
	s->slot = true;
	counter_add(&t->servers[server->number].sessions, 1);
	if (t->server_rates)
		rate_add(&t->server_rates[server->number], t->loop.now);
	if (s->attempts < UINT8_MAX)
		s->attempts++;
	if (s->queue_ms < 0)
		s->queue_ms = (int32_t)mono_since_ms(t->loop.now, s->accepted);
	/* The phase of a failure is that of connecting. */
	s->state = SESSION_CONNECTING;
	error = begin(s);
	if (error == 0) {
		session_enter(s, SESSION_CONNECTING);
		return true;
	}
	if (!book_failure(s, error))
		return true;
	if (error != ENOBUFS)
		return false;
	/* Another server would lack the same. */
	s->tried = 0;
	session_enter(s, SESSION_PAUSING);
	return true;
}

void
dial(struct session *s)
{
	struct server *server;

	if (!s->backend) {
		s->state = SESSION_CONNECTING;
		session_close(s, SESSION_CAUSE_SERVER);
		return;
	}
	/* Who comes later does not overtake who waits. */
	if (!s->tried && !lb_is_sticky(s->backend->conf->balance) && !s->wish &&
	    atomic_load_explicit(&s->thread->waiting[s->backend->index].n, memory_order_relaxed)) {
		enqueue(s, NULL);
		return;
	}
	for (;;) {
		switch (choose(s, &server)) {
		case LB_PICKED:
			if (try_server(s, server))
				return;
			continue;
		case LB_FULL:
			enqueue(s, server);
			return;
		case LB_NONE:
			break;
		}
		if (s->tried == 0) {
			s->state = SESSION_CONNECTING;
			session_close(s, SESSION_CAUSE_SERVER);
			return;
		}
		s->tried = 0;
		session_enter(s, SESSION_PAUSING);
		return;
	}
}

void
dial_failed(struct session *s, int error)
{
	if (book_failure(s, error))
		dial(s);
}

/* Offers one waiting session a server; true if the next one may be lucky too. */
static bool
serve(struct session *s)
{
	struct server *server;

	switch (choose(s, &server)) {
	case LB_PICKED:
		dequeue(s);
		if (!try_server(s, server))
			dial(s);
		return true;
	case LB_FULL:
		return lb_is_sticky(s->backend->conf->balance) || s->tried || s->wish;
	case LB_NONE:
		break;
	}
	dequeue(s);
	s->state = SESSION_CONNECTING;
	if (s->tried) {
		s->tried = 0;
		session_enter(s, SESSION_PAUSING);
	} else {
		session_close(s, SESSION_CAUSE_SERVER);
	}
	return true;
}

void
dial_dispatch(struct waiting *w)
{
	struct list *at = w->sessions.next, *next, *last = w->sessions.prev;

	/* Those that queue again while we are at it stand behind `last`. */
	for (bool end = list_empty(&w->sessions); !end; at = next) {
		next = at->next;
		end = at == last;
		if (!serve(CONTAINER_OF(at, struct session, wait)))
			return;
	}
	/* A slot may be left, and whoever was told of it had nobody waiting any more. */
	if (list_empty(&w->sessions) && atomic_load(&w->backend->farm.queued))
		proxy_wake_waiters(w->backend->proxy, w->backend->index);
}
