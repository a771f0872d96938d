/*
 * generation.c - see generation.h.  Runs on the guardian's loop.
 *
 * A worker's life as seen from here: spawned, handed over to, READY, given the token, watched (mutex
 * and beats), gone (its wills are executed at once, then it is killed), reaped.  A worker that
 * follows a dead one begins as a backup that knows nothing of its predecessor.
 */
#include "daemon/generation.h"

#include "daemon/foreign.h"

#include "common/log.h"
#include "conf/load.h"
#include "proxy/tls_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define START_DEADLINE_MS 30000 /* from birth to the first beat */
#define PATIENT_MS        10000 /* of silence: nobody waits for the worker but its sessions */

/* Without instances nobody would take over: the end of the sessions is all that impatience on a busy
 * machine would bring. */
static uint32_t
watchdog_ms(const struct conf *conf)
{
	return conf->instances_n || conf->watchdog_ms > PATIENT_MS ? conf->watchdog_ms : PATIENT_MS;
}

/* ---- talking to the worker ---- */

static int
say_with(struct generation *g, enum request what, const void *payload, size_t len, int fd)
{
	if (!child_running(&g->child))
		return -EPIPE;
	return ipc_send(&g->child.ipc, what, payload, len, &fd, fd >= 0);
}

static void
say(struct generation *g, enum request what, const void *payload, size_t len)
{
	say_with(g, what, payload, len, -1);
}

void
generation_tell(struct generation *g, enum request request)
{
	struct req_none none = { g->number };

	say(g, request, &none, sizeof none);
}

void
generation_tell_resign(struct generation *g, uint32_t instance, enum resign_how how)
{
	struct ans_resign resign = { g->number, instance, how };

	say(g, REQUEST_RESIGN, &resign, sizeof resign);
}

void
generation_tell_retired(struct generation *g, const struct generation *former, bool gone)
{
	struct ans_retired retired = {
		.generation = g->number,
		.former = former->number,
		.pid = (int32_t)former->child.pid,
		.sessions = gone ? 0 : former->remaining,
		.since = former->retired_at,
	};

	say(g, REQUEST_RETIRED, &retired, sizeof retired);
}

static void
tell_lease(void *ctx, enum request what, uint32_t instance, int error, uint32_t vips_n,
	   struct mono at)
{
	struct generation *g = ctx;
	struct req_instance ask = { g->number, instance };
	struct ans_instance answer = { g->number, instance, error, vips_n, at };

	if (what == REQUEST_ASK_CONFIRM)
		say(g, what, &ask, sizeof ask);
	else
		say(g, what, &answer, sizeof answer);
}

static void
tell_script(void *ctx, const struct ans_script *result)
{
	struct generation *g = ctx;
	struct ans_script answer = *result;

	answer.generation = g->number;
	say(g, REQUEST_SCRIPT_RESULT, &answer, sizeof answer);
}

static void
tell_external(void *ctx, const struct ans_external *end)
{
	struct generation *g = ctx;
	struct ans_external answer = *end;

	answer.generation = g->number;
	say(g, REQUEST_EXTERNAL_DONE, &answer, sizeof answer);
}

/* What could be had: nothing while the worker does not read, whose descriptors are the guardian's
 * until then. */
static void
tell_foreign(struct generation *g, uint32_t family)
{
	const struct ans_foreign answer = { g->number, family };
	int fds[FOREIGN_BATCH];
	size_t n = g->child.ipc.pending_n ? 0 : foreign_open(family, fds, FOREIGN_BATCH);

	if (ipc_send(&g->child.ipc, REQUEST_FOREIGN_SOCKETS, &answer, sizeof answer, fds, n) < 0)
		say(g, REQUEST_FOREIGN_SOCKETS, &answer, sizeof answer);
	foreign_close(fds, n);
}

static void
tell_watched(void *ctx, const struct ans_watched *watched)
{
	struct generation *g = ctx;
	struct ans_watched answer = *watched;

	answer.generation = g->number;
	say(g, REQUEST_WATCHED, &answer, sizeof answer);
}

static void
on_ready(struct generation *g)
{
	log_info("worker (pid %d) is ready", (int)g->child.pid);
	g->of.ops->ready(g->of.ctx, g);
}

static void
act(void *ctx, enum request request, const union privileged_payload *p)
{
	struct generation *g = ctx;
	uint32_t instance = p->instance.instance;

	/* The last messages of a worker that is gone may let go of something, not take. */
	if (g->child.gone && request != REQUEST_RELEASE && request != REQUEST_WILL &&
	    request != REQUEST_STOPPED && request != REQUEST_NOTIFY &&
	    request != REQUEST_NOTIFY_GROUP && request != REQUEST_FROZEN)
		return;
	switch (request) {
	case REQUEST_READY:
		on_ready(g);
		break;
	case REQUEST_CLAIM:
		leases_claim(&g->res.leases, instance, g->of.loop->now);
		break;
	case REQUEST_RELEASE:
		leases_release(&g->res.leases, instance, g->of.loop->now);
		g->of.ops->released(g->of.ctx, g);
		break;
	case REQUEST_ANNOUNCE:
		leases_ask_announce(&g->res.leases, instance);
		break;
	case REQUEST_WILL:
		leases_will(&g->res.leases, instance, p->lodged.lodged);
		break;
	case REQUEST_CONFIRM:
		/* What happened while the guardian was away is not known yet. */
		netwatch_sync(&g->res.watch);
		leases_confirm(&g->res.leases, instance, p->confirm.master, g->of.loop->now);
		break;
	case REQUEST_NOTIFY:
		if (!g->child.gone || p->notify.event != NOTIFY_EVENT_MASTER)
			notifier_tell(&g->notifier, instance, (enum notify_event)p->notify.event,
				      p->notify.priority);
		break;
	case REQUEST_NOTIFY_GROUP:
		if (!g->child.gone || p->notify.event != NOTIFY_EVENT_MASTER)
			notifier_tell_group(&g->notifier, instance,
					    (enum notify_event)p->notify.event);
		break;
	case REQUEST_EXTERNAL_CHECK:
		external_checks_run(&g->external, &p->external);
		break;
	case REQUEST_FOREIGN:
		tell_foreign(g, p->foreign.family);
		break;
	case REQUEST_FROZEN:
		g->of.ops->frozen(g->of.ctx, g, p->frozen.error);
		break;
	case REQUEST_REMAINING:
		g->remaining = p->remaining.sessions;
		g->of.ops->remains(g->of.ctx, g);
		break;
	case REQUEST_STOPPED:
		g->stopped = true;
		break;
	case REQUEST_CONTROL:
	case REQUEST_LISTENER:
	case REQUEST_TLS_FILES:
	case REQUEST_LEDGER:
	case REQUEST_JOURNAL:
	case REQUEST_LOG_SOCKET:
	case REQUEST_VRRP_SOCKET:
	case REQUEST_LINK:
	case REQUEST_SCRIPT_RESULT:
	case REQUEST_WATCHED:
	case REQUEST_EXTERNAL_DONE:
	case REQUEST_FOREIGN_SOCKETS:
	case REQUEST_START:
	case REQUEST_TOKEN:
	case REQUEST_RESIGN:
	case REQUEST_FREEZE:
	case REQUEST_THAW:
	case REQUEST_RETIRE:
	case REQUEST_RETIRED:
	case REQUEST_CLAIMED:
	case REQUEST_RELEASED:
	case REQUEST_RENEWED:
	case REQUEST_RESTORED:
	case REQUEST_ASK_CONFIRM:
	case REQUEST_STOP:
	case REQUEST_N:
		break; /* privileged_check lets none of them through */
	}
}

static void
on_message(struct ipc *ipc, struct ipc_message *m)
{
	struct generation *g = ipc->ctx;

	privileged_dispatch(&g->gate, m);
}

/* ---- the worker's life ---- */

int
generation_spawn(struct generation *g)
{
	struct child_setup setup = {
		.packed = g->packed,
		.packed_len = g->packed_len,
		.args = g->of.setup->worker_args,
		.generation = g->number,
		.core_dumps = g->of.setup->debug,
		.executable = "/proc/self/exe",
	};
	int r = child_spawn(&g->child, &setup);

	g->watched = false;
	g->stopped = false;
	g->gate.turn = PRIVILEGED_TURN_WAITS;
	if (r == 0) {
		if (g->checks.at)
			check_scripts_retell(&g->checks);
		if (g->watchers.conf)
			watchers_retell(&g->watchers);
		r = handover_begin(&g->handover, &g->child.ipc);
	}
	if (r < 0) {
		log_error("cannot start a worker: %s", strerror(-r));
		child_fini(&g->child);
	}
	return r;
}

void
generation_give_token(struct generation *g, int carry_fd)
{
	struct req_none none = { g->number };

	/* What came while there was no worker is old: judging by it could promote or demote. */
	if (carry_fd < 0)
		vrrp_sockets_discard(&g->res.sockets);
	g->gate.turn = PRIVILEGED_TURN_HOLDS;
	say_with(g, REQUEST_TOKEN, &none, sizeof none, carry_fd);
}

int
generation_freeze(struct generation *g, int carry_fd)
{
	struct req_none none = { g->number };

	return say_with(g, REQUEST_FREEZE, &none, sizeof none, carry_fd);
}

/* A worker that is not to go on at all. */
static void
end_worker(struct generation *g, const char *why)
{
	child_give_up(&g->child, why);
	child_kill(&g->child);
}

static void
close_resources(struct generation *g, const struct generation *other)
{
	if (g->closed)
		return;
	g->closed = true;
	if (g->checks.loop)
		check_scripts_fini(&g->checks);
	external_checks_fini(&g->external);
	if (g->watchers.conf)
		watchers_fini(&g->watchers);
	handover_fini(&g->handover);
	log_sockets_fini(&g->logs);
	resources_close(&g->res, other ? &other->res : NULL);
}

static void
on_idle(void *ctx)
{
	struct generation *g = ctx;

	g->of.ops->idle(g->of.ctx, g);
}

bool
generation_retire(struct generation *g, const struct generation *second)
{
	bool held = g->gate.turn == PRIVILEGED_TURN_HOLDS;

	g->gate.turn = PRIVILEGED_TURN_OVER;
	g->in_force = false;
	g->watched = false;
	if (held)
		generation_tell(g, REQUEST_RETIRE);
	else
		end_worker(g, "another has taken over");
	notifier_retire(&g->notifier, on_idle, g);
	close_resources(g, second);
	return g->child.pid != 0;
}

bool
generation_discard(struct generation *g, const struct generation *current)
{
	g->gate.turn = PRIVILEGED_TURN_OVER;
	g->stopped = true; /* nobody needs to be told of its end */
	end_worker(g, "it is not needed");
	close_resources(g, current);
	return g->child.pid != 0;
}

bool
generation_idle(const struct generation *g)
{
	return !g->notifier.loop || notifier_idle(&g->notifier);
}

static void
on_gone(struct child *child, const char *how)
{
	struct generation *g = child->ctx;

	/* It may have let go of something just before, or of everything. */
	ipc_drain(&child->ipc);
	if (g->gate.turn == PRIVILEGED_TURN_HOLDS)
		leases_execute_wills(&g->res.leases);
	if (g->stopped)
		return; /* as agreed: it is on its way out */
	log_alert("worker (pid %d) is gone: %s", (int)child->pid, how);
	if (g->gate.turn == PRIVILEGED_TURN_HOLDS)
		notifier_orphan(&g->notifier);
	child_kill(child);
	g->of.ops->gone(g->of.ctx, g, how);
}

static void
on_reaped(struct child *child, const char *how)
{
	struct generation *g = child->ctx;

	g->of.ops->reaped(g->of.ctx, g, how);
}

void
generation_look(struct generation *g, struct mono now, bool stopping)
{
	struct child *child = &g->child;

	log_sockets_refresh(&g->logs, now);
	if (!child_running(child))
		return;
	child_watch(child);
	if (!g->watched && atomic_load(&child->pulse->locked)) {
		watchdog_init(&g->dog, watchdog_ms(g->conf), atomic_load(&child->pulse->beats),
			      now);
		g->watched = true;
	}
	/* Taking itself apart, with nothing left that it could hold up: the deadline suffices. */
	if (stopping && leases_claimed(&g->res.leases) == 0)
		return;
	if (g->watched) {
		if (watchdog_tick(&g->dog, atomic_load(&child->pulse->beats), now))
			child_give_up(child, "its VRRP thread is silent");
	} else if (mono_since_ms(now, child->born) > START_DEADLINE_MS) {
		child_give_up(child, "it does not get started");
	}
}

void
generation_look_retired(struct generation *g, struct mono now)
{
	uint64_t beats;

	if (!child_running(&g->child))
		return;
	beats = atomic_load(&g->child.pulse->beats);
	if (!g->watched)
		watchdog_init(&g->dog, PATIENT_MS, beats, now);
	g->watched = true;
	if (watchdog_tick(&g->dog, beats, now))
		child_give_up(&g->child, "it stands still, and so do its sessions");
}

bool
generation_beating(const struct generation *g)
{
	return child_running(&g->child) && g->watched && watchdog_beating(&g->dog);
}

static bool
may_put_back(void *ctx, uint32_t instance)
{
	const struct generation *g = ctx;

	return generation_beating(g) && !g->res.leases.at[instance].frozen;
}

void
generation_keep_leases(struct generation *g, struct mono now)
{
	if (generation_beating(g)) {
		leases_renew(&g->res.leases, now);
		leases_restore(&g->res.leases, now);
	}
	static_addresses_restore(&g->res.statics, now);
	paths_restore(&g->res.paths, may_put_back, g, now);
}

static void
on_network(void *ctx)
{
	struct generation *g = ctx;

	if (g->in_force && vmacs_refresh(&g->res.vmacs))
		netwatch_sync(&g->res.watch);
	handover_links(&g->handover, child_running(&g->child) ? &g->child.ipc : NULL);
	if (!g->in_force)
		return;
	g->res.statics.suspect = true;
	static_addresses_restore(&g->res.statics, g->of.loop->now);
	paths_suspect(&g->res.paths);
	leases_settle(&g->res.leases);
	if (generation_beating(g))
		leases_restore(&g->res.leases, g->of.loop->now);
}

void
generation_log_state(const struct generation *g)
{
	log_notice("worker pid %d, %s", (int)g->child.pid,
		   generation_beating(g) ? "beating" : "not beating");
	for (size_t i = 0; i < g->conf->instances_n; i++) {
		const struct lease *lease = &g->res.leases.at[i];

		log_notice("(%s) %zu virtual addresses %s%s, will %s", g->conf->instances[i].name,
			   g->conf->instances[i].vips_n, lease->claimed ? "held" : "not held",
			   lease->frozen ? " (waiting for the worker)" : "",
			   lease->lodged ? "lodged" : "not lodged");
	}
}

/* ---- beginning and end ---- */

void
generation_init(struct generation *g)
{
	g->gate = (struct privileged){
		.conf = g->conf, .generation = g->number, .act = act, .ctx = g
	};
	child_init(&g->child, g->of.loop, on_message, on_gone, on_reaped, g);
	watchdog_init(&g->dog, watchdog_ms(g->conf), 0, g->of.loop->now);
	g->handover = (struct handover){
		.conf = g->conf,
		.generation = g->number,
		.control_fd = -1,
		.journal_fd = -1,
		.logs = &g->logs,
		.listeners = &g->res.listeners,
		.tls_files = g->tls_files,
		.tls_files_len = g->tls_files_len,
		.ledger = &g->res.ledger,
		.sockets = &g->res.sockets,
		.watch = &g->res.watch,
	};
}

bool
generation_open(struct generation *g, const struct generation *from)
{
	const struct sock_addr *own;
	int own_fd = log_socket(&own);

	if (handover_init(&g->handover) < 0) {
		log_error("out of memory");
		return false;
	}
	log_sockets_init(&g->logs, g->conf, own_fd, own);
	g->in_force = !from;
	return resources_open(&g->res, g->conf, from ? &from->res : NULL, g->of.loop, on_network,
			      tell_lease, g);
}

static int
begin_watching(struct generation *g, bool again)
{
	return watchers_init(&g->watchers, g->of.loop, g->conf, again, tell_watched, g);
}

int
generation_begin_watching(struct generation *g)
{
	return begin_watching(g, true);
}

int
generation_begin_scripts(struct generation *g, struct generation *from, void (*idle)(void *ctx),
			 void *ctx)
{
	int r = check_scripts_init(&g->checks, g->of.loop, g->conf, from ? &from->checks : NULL,
				   tell_script, g);

	g->in_force = true;
	if (r == 0)
		r = external_checks_init(&g->external, g->of.loop, g->conf, tell_external, g);
	if (r == 0)
		r = begin_watching(g, from != NULL);
	if (r == 0)
		r = notifier_init(&g->notifier, g->of.loop, g->conf, from ? &from->notifier : NULL,
				  idle, ctx);
	if (r < 0 || !child_running(&g->child))
		return r;
	check_scripts_retell(&g->checks);
	watchers_retell(&g->watchers);
	return 0;
}

void
generation_close(struct generation *g, const struct generation *other)
{
	child_fini(&g->child);
	if (g->notifier.loop)
		notifier_fini(&g->notifier);
	close_resources(g, other);
}

int
generation_load(struct generation *g)
{
	struct conf_report report = { 0 };
	struct conf_options options = { 0 };
	struct conf_source *sources;
	size_t sources_n;
	int r;

	r = conf_unpack(g->arena, g->packed, g->packed_len, &sources, &sources_n, &options);
	if (r < 0)
		return r;
	g->conf = conf_load(g->arena, sources, sources_n, &options, &report);
	return report.errors ? -EINVAL : 0;
}

void
generation_free_memory(struct generation *g)
{
	if (!g->arena)
		return;
	free(g->packed);
	tls_files_wipe(g->tls_files, g->tls_files_len);
	arena_free(g->arena);
}
