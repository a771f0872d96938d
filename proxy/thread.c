/*
 * thread.c - thread "proxy/N": one loop with its listeners, sessions and checks.
 *
 * proxy_thread_init and _fini run on the caller's thread, before and after; everything between runs
 * on the thread itself.
 */
#include "proxy/check.h"
#include "proxy/check_external.h"
#include "proxy/dial.h"
#include "proxy/listener.h"
#include "proxy/runtime.h"
#include "proxy/session.h"
#include "proxy/stats.h"
#include "proxy/stock.h"

#include "common/log.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BEAT_MS       250
#define KEEP_SESSIONS 256 /* unused ones a thread keeps for the next connections */
#define KEEP_BUFFERS  32
#define KEEP_PIPES    32

static void
on_turn(struct loop *loop)
{
	struct proxy_thread *t = loop->ctx;

	health_beat(t->proxy->board, t->index, loop->now);
}

/* Sessions whose server's were shut down since this thread looked last. */
static void
end_shut_sessions(struct proxy_thread *t)
{
	uint32_t shutdowns = atomic_load(&t->proxy->shutdowns), seen = t->shutdowns_seen;
	struct list *next;

	if (shutdowns == seen)
		return;
	t->shutdowns_seen = shutdowns;
	for (struct list *at = t->sessions.next; at != &t->sessions; at = next) {
		struct session *s = CONTAINER_OF(at, struct session, link);

		next = at->next;
		if (!s->target || (int32_t)(atomic_load(&s->target->shut_at) - seen) <= 0)
			continue;
		/* Nothing is lost yet: another server may have it. */
		if (s->state == SESSION_CONNECTING)
			dial_failed(s, ECONNABORTED);
		else if (s->state == SESSION_RELAYING || s->state == SESSION_ANSWERING)
			session_close(s, (enum session_cause)atomic_load(&s->target->shut_cause));
	}
}

/* Checks that somebody on another thread wants soon. */
static void
hurry_checks(struct proxy_thread *t)
{
	if (!atomic_load(&t->hurries) || !atomic_exchange(&t->hurries, false))
		return;
	for (uint32_t i = 0; i < t->checks_n; i++) {
		struct check *c = &t->checks[i];

		if (!c->agent && atomic_exchange(&c->server->hurry, false))
			check_hurry(c);
		if (c->program->type == CONF_HEALTH_EXTERNAL)
			check_external_look(c);
	}
}

static void
start_checks(struct proxy_thread *t)
{
	struct proxy *proxy = t->proxy;
	uint32_t place = 0, mine = 0;

	for (uint32_t i = 0; i < proxy->proxies_n; i++) {
		for (uint32_t k = 0; k < proxy->backends[i].servers_n; k++) {
			struct server *s = &proxy->backends[i].servers[k];
			bool here = s->number % proxy->threads_n == t->index &&
				    !s->conf->disabled && !s->backend->conf->disabled;

			if (s->conf->check && here)
				check_start(&t->checks[mine++], t, s, false, place,
					    proxy->checks_n);
			place += s->conf->check;
			if (s->agent.program && here)
				check_start(&t->checks[mine++], t, s, true, place, proxy->checks_n);
			place += s->agent.program != NULL;
		}
	}
	t->checks_n = mine;
}

static void
start_listeners(struct proxy_thread *t)
{
	struct health_thread *cell = &t->proxy->board->threads[t->index];

	for (uint32_t i = 0; i < t->listeners_n; i++) {
		struct listener *l = &t->listeners[i];
		int r = listener_start(l);

		if (r == 0) {
			atomic_fetch_add(&cell->listening, 1);
			continue;
		}
		log_alert("Proxy %s: cannot listen on %s: %s", l->frontend->conf->name,
			  l->conf->text, strerror(-r));
		atomic_fetch_add(&cell->lost, 1);
	}
}

static void
open_doors(struct proxy_thread *t)
{
	start_listeners(t);
	start_checks(t);
	atomic_store(&t->proxy->board->threads[t->index].ready, true);
	health_ring(t->proxy->board);
}

static void
close_doors(struct proxy_thread *t)
{
	for (uint32_t i = 0; i < t->listeners_n; i++)
		listener_stop(&t->listeners[i]);
	atomic_store(&t->proxy->board->threads[t->index].listening, 0);
	for (uint32_t i = 0; i < t->checks_n; i++)
		check_stop(&t->checks[i]);
	t->checks_n = 0;
	timer_disarm(&t->loop.timers, &t->relief);
}

/* Opens the doors, or closes them. */
static void
follow_phase(struct proxy_thread *t)
{
	enum proxy_phase phase = (enum proxy_phase)atomic_load(&t->proxy->phase);

	if (t->phase == phase)
		return;
	t->phase = phase;
	if (phase == PROXY_OPEN) {
		open_doors(t);
		return;
	}
	close_doors(t);
	atomic_fetch_add(&t->proxy->closed_n, 1);
}

/* Another thread wants something: to stop, to open, to try waiting sessions, to resume listeners. */
static void
on_message(struct loop *loop)
{
	struct proxy_thread *t = loop->ctx;

	if (atomic_load(&t->proxy->stopping)) {
		loop->stop = true;
		return;
	}
	follow_phase(t);
	for (uint32_t i = 0; i < t->proxy->proxies_n; i++)
		if (atomic_load_explicit(&t->proxy->backends[i].farm.queued, memory_order_relaxed))
			dial_dispatch(&t->waiting[i]);
	end_shut_sessions(t);
	hurry_checks(t);
	if (t->phase == PROXY_OPEN)
		listener_resume_all(t);
}

static void
on_relief(struct timer *timer, struct mono now)
{
	listener_resume_all(CONTAINER_OF(timer, struct proxy_thread, relief));
}

static void
on_readmit(struct deferred *d)
{
	listener_resume_all(CONTAINER_OF(d, struct proxy_thread, readmit));
}

static void
on_dispatch(struct deferred *d)
{
	dial_dispatch(CONTAINER_OF(d, struct waiting, dispatch));
}

static void *
thread_main(void *arg)
{
	struct proxy_thread *t = arg;

	t->loop.now = mono_now();
	health_beat(t->proxy->board, t->index, t->loop.now);
	loop_run(&t->loop);
	close_doors(t);
	while (!list_empty(&t->sessions))
		session_close(CONTAINER_OF(t->sessions.next, struct session, link),
			      SESSION_CAUSE_KILLED);
	return NULL;
}

uint64_t
proxy_random(struct proxy_thread *t)
{
	uint64_t z = t->random += 0x9e3779b97f4a7c15; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

int
proxy_thread_init(struct proxy_thread *t, struct proxy *proxy, uint32_t index)
{
	uint32_t proxies_n = proxy->proxies_n ? proxy->proxies_n : 1;
	uint32_t servers_n = proxy->servers_n ? proxy->servers_n : 1;
	int r;

	t->proxy = proxy;
	t->index = index;
	if (getrandom(&t->random, sizeof t->random, 0) < 0)
		t->random = (uint64_t)mono_now().ns;
	list_init(&t->sessions);
	pool_init(&t->store.buffers, sizeof(struct buffer), KEEP_BUFFERS);
	pool_init(&t->session_pool, sizeof(struct session), KEEP_SESSIONS);
	t->store.pipes.live_max = proxy->pipes_max / proxy->threads_n;
	t->store.pipes.keep_n = KEEP_PIPES;
	t->relief.fire = on_relief;
	t->readmit.call = on_readmit;
	r = log_sender_init(&t->log, proxy->conf);
	if (r < 0)
		return r;
	r = loop_init(&t->loop);
	if (r < 0)
		return r;
	t->loop.ctx = t;
	t->loop.on_turn = on_turn;
	t->loop.on_message = on_message;
	t->loop.max_wait_ns = BEAT_MS * NS_PER_MS;
	t->sets = calloc(proxies_n, sizeof(struct lb_set *));
	t->waiting = calloc(proxies_n, sizeof *t->waiting);
	t->fronts = calloc(proxies_n, sizeof *t->fronts);
	t->backs = calloc(proxies_n, sizeof *t->backs);
	t->servers = calloc(servers_n, sizeof *t->servers);
	t->checks = calloc(proxy->checks_n + 1, sizeof *t->checks);
	if (proxy->conf->uses_rates) {
		t->front_rates = calloc(proxies_n, sizeof *t->front_rates);
		t->back_rates = calloc(proxies_n, sizeof *t->back_rates);
		t->server_rates = calloc(servers_n, sizeof *t->server_rates);
		if (!t->front_rates || !t->back_rates || !t->server_rates)
			return -ENOMEM;
	}
	if (proxy->conf->uses_usesrc) {
		t->stock = stock_new(proxy->board);
		if (!t->stock)
			return -ENOMEM;
	}
	if (proxy->tls) {
		t->tls_sessions = calloc(servers_n, sizeof(struct ssl_session_st *));
		if (!t->tls_sessions)
			return -ENOMEM;
	}
	if (!t->sets || !t->waiting || !t->fronts || !t->backs || !t->servers || !t->checks)
		return -ENOMEM;
	for (uint32_t i = 0; i < proxy->proxies_n; i++) {
		t->waiting[i].thread = t;
		t->waiting[i].backend = &proxy->backends[i];
		t->waiting[i].dispatch.call = on_dispatch;
		list_init(&t->waiting[i].sessions);
	}
	return 0;
}

int
proxy_thread_start(struct proxy_thread *t)
{
	char name[16];
	sigset_t all, before;
	int error;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&t->id, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return -error;
	t->started = true;
	snprintf(name, sizeof name, "proxy/%u", t->index % 1000);
	pthread_setname_np(t->id, name);
	return 0;
}

void
proxy_thread_fini(struct proxy_thread *t)
{
	/* A thread that never ran has its listeners still. */
	for (uint32_t i = 0; i < t->listeners_n; i++)
		listener_stop(&t->listeners[i]);
	loop_fini(&t->loop); /* runs what is deferred: closed sessions go back to the pool */
	pool_fini(&t->session_pool);
	pool_fini(&t->store.buffers);
	pipe_pool_fini(&t->store.pipes);
	log_sender_fini(&t->log);
	for (uint32_t i = 0; t->sets && i < t->proxy->proxies_n; i++)
		lb_set_free(t->sets[i]);
	for (uint32_t i = 0; t->tls_sessions && i < t->proxy->servers_n; i++)
		SSL_SESSION_free(t->tls_sessions[i]);
	free(t->tls_sessions);
	stock_free(t->stock);
	free(t->listeners);
	free(t->checks);
	free(t->sets);
	free(t->waiting);
	free(t->fronts);
	free(t->front_rates);
	free(t->back_rates);
	free(t->server_rates);
	free(t->backs);
	free(t->servers);
}
