/*
 * listener.c - accepting.  Run by the thread that owns the listener; the counts of sessions are
 * shared.
 */
#include "proxy/listener.h"

#include "proxy/session.h"

#include "common/log.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#define ACCEPT_BATCH    64
#define RELIEF_PAUSE_MS 100

/* One of `limit` places, or false.  Never more than that for a moment: who looks just then would
 * find the house full and wait for somebody to leave. */
static bool
take_place(_Atomic uint32_t *count, uint32_t limit)
{
	uint32_t n = atomic_load(count);

	do {
		if (n >= limit)
			return false;
	} while (!atomic_compare_exchange_weak(count, &n, n + 1));
	return true;
}

/* A place is free again: the listeners that wait for one may go on. */
static void
wake_starved(struct proxy_thread *t)
{
	struct proxy *proxy = t->proxy;

	if (atomic_load(&proxy->starved_n) == 0)
		return;
	for (uint32_t i = 0; i < proxy->threads_n; i++) {
		struct proxy_thread *other = &proxy->threads[i];

		if (!atomic_load(&other->starved))
			continue;
		if (other == t)
			loop_defer(&t->loop, &t->readmit);
		else
			loop_wake(&other->loop);
	}
}

static bool
admit(struct listener *l)
{
	struct frontend *fe = l->frontend;
	struct proxy *proxy = fe->proxy;

	if (!take_place(&proxy->sessions, proxy->maxconn))
		return false;
	if (take_place(&fe->sessions, fe->maxconn)) {
		if (take_place(&fe->bind_sessions[l->bind],
			       l->conf->maxconn ? l->conf->maxconn : UINT32_MAX))
			return true;
		atomic_fetch_sub(&fe->sessions, 1);
	}
	atomic_fetch_sub(&proxy->sessions, 1);
	wake_starved(l->thread);
	return false;
}

static bool
has_room(const struct listener *l)
{
	const struct frontend *fe = l->frontend;

	return atomic_load(&fe->proxy->sessions) < fe->proxy->maxconn &&
	       atomic_load(&fe->sessions) < fe->maxconn &&
	       (!l->conf->maxconn || atomic_load(&fe->bind_sessions[l->bind]) < l->conf->maxconn);
}

static void
pause_listener(struct listener *l)
{
	if (l->paused || l->fd < 0)
		return;
	loop_remove(&l->thread->loop, &l->lf);
	l->paused = true;
}

static void
wait_for_room(struct listener *l)
{
	struct proxy_thread *t = l->thread;

	pause_listener(l);
	if (!atomic_exchange(&t->starved, true))
		atomic_fetch_add(&t->proxy->starved_n, 1);
	/* The last session may have ended before it could see that this thread is starved. */
	if (has_room(l))
		loop_defer(&t->loop, &t->readmit);
}

/* No descriptors: every listener of this thread would spin on its full queue. */
static void
pause_all(struct proxy_thread *t, int error)
{
	static _Atomic int64_t said_ns;
	int64_t now_ns = t->loop.now.ns, last_ns = atomic_load(&said_ns);

	if ((last_ns == 0 || now_ns - last_ns > 10 * NS_PER_S) &&
	    atomic_compare_exchange_strong(&said_ns, &last_ns, now_ns))
		log_alert("Proxy cannot accept connections for now: %s (%u sessions)",
			  strerror(error), atomic_load(&t->proxy->sessions));
	for (uint32_t i = 0; i < t->listeners_n; i++)
		pause_listener(&t->listeners[i]);
	timer_arm(&t->loop.timers, &t->relief, mono_add_ms(t->loop.now, RELIEF_PAUSE_MS));
}

static void
lose(struct listener *l, const char *why)
{
	struct health_board *board = l->thread->proxy->board;

	log_alert("Proxy %s: listener %s lost: %s", l->frontend->conf->name, l->conf->text, why);
	listener_stop(l);
	atomic_fetch_add(&board->threads[l->thread->index].lost, 1);
	atomic_fetch_sub(&board->threads[l->thread->index].listening, 1);
	health_ring(board);
}

/* accept4 failed; true = try the next connection. */
static bool
on_accept_error(struct listener *l, int error)
{
	switch (error) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		pause_all(l->thread, error);
		return false;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		lose(l, strerror(error));
		return false;
	}
	/* A connection that died in the queue, or a network error Linux reports here. */
	return true;
}

/* Is it too soon for another session of the frontend?  Then the listener rests. */
static bool
too_soon(struct listener *l)
{
	struct loop *loop = &l->thread->loop;
	uint32_t limit = l->frontend->conf->rate_limit, wait_ms;

	if (!limit)
		return false;
	wait_ms = rate_gate_enter(&l->frontend->gate, limit, loop->now);
	if (!wait_ms)
		return false;
	pause_listener(l);
	timer_arm(&loop->timers, &l->rest, mono_add_ms(loop->now, wait_ms));
	return true;
}

/* The session that was not too soon did not come. */
static void
give_turn_back(struct listener *l)
{
	if (l->frontend->conf->rate_limit)
		rate_gate_leave(&l->frontend->gate, l->thread->loop.now);
}

static void
on_rested(struct timer *timer, struct mono now)
{
	struct listener *l = CONTAINER_OF(timer, struct listener, rest);

	if (has_room(l))
		listener_resume_all(l->thread);
	else
		wait_for_room(l);
}

static void
listener_ready(struct loop_fd *lf, uint32_t events)
{
	struct listener *l = CONTAINER_OF(lf, struct listener, lf);

	if (events & (EPOLLERR | EPOLLHUP)) {
		lose(l, "the socket no longer listens");
		return;
	}
	for (unsigned n = 0; n < ACCEPT_BATCH; n++) {
		struct sock_addr from = { .len = sizeof from.storage };
		int fd, error;

		if (too_soon(l))
			return;
		if (!admit(l)) {
			give_turn_back(l);
			wait_for_room(l);
			return;
		}
		fd = accept4(l->fd, &from.any, &from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		error = errno;
		if (fd >= 0) {
			session_start(l, fd, &from);
			continue;
		}
		listener_release(l->thread, l->frontend, l->bind);
		give_turn_back(l);
		if (!on_accept_error(l, error))
			return;
	}
}

void
listener_init(struct listener *l, struct proxy_thread *thread, struct frontend *fe, uint32_t bind,
	      int fd)
{
	struct sock_addr self = { .len = sizeof self.storage };
	int one = 1;

	*l = (struct listener){
		.lf = { .fd = -1, .ready = listener_ready },
		.thread = thread,
		.frontend = fe,
		.conf = &fe->conf->binds[bind],
		.bind = bind,
		.tls = tls_of_bind(thread->proxy->tls, fe->index, bind),
		.fd = fd,
		.family = AF_INET,
		.paused = true,
		.rest = { .fire = on_rested },
	};
	if (getsockname(fd, &self.any, &self.len) == 0)
		l->family = self.any.sa_family;
	/* Accepted sockets inherit these: once here instead of once a connection. */
	if (l->family != AF_UNIX) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (fe->conf->tcpka_client)
			setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	}
}

int
listener_start(struct listener *l)
{
	int r;

	l->lf.fd = l->fd;
	r = loop_add(&l->thread->loop, &l->lf, EPOLLIN);
	if (r < 0)
		l->lf.fd = -1;
	else
		l->paused = false;
	return r;
}

void
listener_stop(struct listener *l)
{
	/* The guardian has a duplicate: close alone would leave it in epoll. */
	loop_remove(&l->thread->loop, &l->lf);
	timer_disarm(&l->thread->loop.timers, &l->rest);
	if (l->fd >= 0)
		close(l->fd);
	l->paused = false;
	l->fd = -1;
}

void
listener_release(struct proxy_thread *t, struct frontend *fe, uint32_t bind)
{
	atomic_fetch_sub(&fe->bind_sessions[bind], 1);
	atomic_fetch_sub(&fe->sessions, 1);
	atomic_fetch_sub(&fe->proxy->sessions, 1);
	wake_starved(t);
}

void
listener_resume_all(struct proxy_thread *t)
{
	bool starved = false;

	if (timer_armed(&t->relief) || atomic_load(&t->proxy->stopping))
		return;
	for (uint32_t i = 0; i < t->listeners_n; i++) {
		struct listener *l = &t->listeners[i];

		if (!l->paused || l->fd < 0 || timer_armed(&l->rest))
			continue;
		if (!has_room(l))
			starved = true;
		else if (listener_start(l) < 0)
			lose(l, strerror(errno));
	}
	if (!starved && atomic_exchange(&t->starved, false))
		atomic_fetch_sub(&t->proxy->starved_n, 1);
}
