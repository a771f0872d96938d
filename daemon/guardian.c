/*
 * guardian.c - see guardian.h: start-up in order, supervision of the worker, signals, the end.
 * Everything runs on one loop; what it is made of are the other files of this folder.
 *
 * The worker's life as seen from here: spawned, handed over to, READY, watched (mutex and beats),
 * gone (its wills are executed at once, then it is killed), reaped, and after a back-off spawned
 * again, as a backup that knows nothing of its predecessor.
 */
#include "daemon/guardian.h"

#include "common/list.h"
#include "common/log.h"
#include "daemon/backoff.h"
#include "daemon/check_script.h"
#include "daemon/child.h"
#include "daemon/notify.h"
#include "daemon/privileged.h"
#include "daemon/realtime.h"
#include "daemon/resources.h"
#include "daemon/systemd.h"
#include "daemon/watchdog.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define STOP_DEADLINE_MS  3000  /* a resignation takes at most one second of it */
#define INSIST_MS         200   /* a second signal counts after this */
#define STOP_SCRIPTS_MS   5000  /* after that, for those that are told of the stop */
#define START_DEADLINE_MS 30000 /* from birth to the first beat */
#define GENERATION        1     /* of the one configuration there is */

struct guardian {
	const struct guardian_setup *setup;
	const struct conf *conf;
	struct loop loop;
	struct resources res;
	struct privileged privileged;
	struct child child;
	struct watchdog dog;
	struct backoff backoff;
	struct systemd systemd;
	struct check_scripts checks;
	struct notifier notifier;
	struct loop_fd signals;
	struct timer tick, restart, deadline;
	struct mono woken; /* the turn before this one */
	bool watched;      /* the dog looks at the present worker */
	bool started;      /* a worker has said READY before */
	bool failed;       /* the first worker ended before it was ready */
	bool stopping;     /* SIGTERM came … */
	struct mono asked; /* … at this moment */
	bool stopped;      /* the worker holds nothing any more */
};

/* ---- talking to the worker ---- */

static void
tell(void *ctx, enum request what, uint32_t instance, int error, uint32_t vips_n, struct mono at)
{
	struct guardian *g = ctx;
	struct req_instance ask = { GENERATION, instance };
	struct ans_instance answer = { GENERATION, instance, error, vips_n, at };

	if (!child_running(&g->child))
		return;
	if (what == REQUEST_ASK_CONFIRM)
		ipc_send(&g->child.ipc, what, &ask, sizeof ask, NULL, 0);
	else
		ipc_send(&g->child.ipc, what, &answer, sizeof answer, NULL, 0);
}

static void
tell_script(void *ctx, const struct ans_script *result)
{
	struct guardian *g = ctx;
	struct ans_script answer = *result;

	answer.generation = GENERATION;
	if (child_running(&g->child))
		ipc_send(&g->child.ipc, REQUEST_SCRIPT_RESULT, &answer, sizeof answer, NULL, 0);
}

static void
on_worker_ready(struct guardian *g)
{
	log_info("worker (pid %d) is ready", (int)g->child.pid);
	if (g->started)
		return;
	g->started = true;
	systemd_notify(&g->systemd, "READY=1");
	if (g->setup->started)
		g->setup->started(g->setup->ctx);
}

static void
act(void *ctx, enum request request, const union privileged_payload *p)
{
	struct guardian *g = ctx;
	uint32_t instance = p->instance.instance;

	/* The last messages of a worker that is gone may let go of something, not take. */
	if (g->child.gone && request != REQUEST_RELEASE && request != REQUEST_WILL &&
	    request != REQUEST_STOPPED && request != REQUEST_NOTIFY)
		return;
	switch (request) {
	case REQUEST_READY:
		on_worker_ready(g);
		break;
	case REQUEST_CLAIM:
		leases_claim(&g->res.leases, instance, g->loop.now);
		break;
	case REQUEST_RELEASE:
		leases_release(&g->res.leases, instance, g->loop.now);
		break;
	case REQUEST_ANNOUNCE:
		leases_announce(&g->res.leases, instance);
		break;
	case REQUEST_WILL:
		leases_will(&g->res.leases, instance, p->lodged.lodged);
		break;
	case REQUEST_CONFIRM:
		/* What happened while the guardian was away is not known yet. */
		netwatch_sync(&g->res.watch);
		leases_confirm(&g->res.leases, instance, p->confirm.master, g->loop.now);
		break;
	case REQUEST_NOTIFY:
		if (!g->child.gone || p->notify.event != NOTIFY_EVENT_MASTER)
			notifier_tell(&g->notifier, instance, (enum notify_event)p->notify.event,
				      p->notify.priority);
		break;
	case REQUEST_STOPPED:
		g->stopped = true;
		break;
	case REQUEST_CONTROL:
	case REQUEST_LISTENER:
	case REQUEST_TLS_FILES:
	case REQUEST_VRRP_SOCKET:
	case REQUEST_LINK:
	case REQUEST_SCRIPT_RESULT:
	case REQUEST_START:
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
	struct guardian *g = ipc->ctx;

	privileged_dispatch(&g->privileged, m);
}

/* ---- the worker's life ---- */

static void
spawn(struct guardian *g)
{
	struct child_setup setup = {
		.packed = g->setup->packed,
		.packed_len = g->setup->packed_len,
		.args = g->setup->worker_args,
		.generation = GENERATION,
		.core_dumps = g->setup->debug,
		.executable = "/proc/self/exe",
	};
	int r = child_spawn(&g->child, &setup);

	g->watched = false;
	g->stopped = false;
	if (r == 0) {
		check_scripts_retell(&g->checks);
		r = handover_begin(&g->res.handover, &g->child.ipc);
	}
	if (r == 0)
		return;
	log_error("cannot start a worker: %s", strerror(-r));
	child_fini(&g->child);
	timer_arm(&g->loop.timers, &g->restart,
		  mono_add_ms(g->loop.now, backoff_delay_ms(&g->backoff, 0)));
}

static void
on_restart(struct timer *t, struct mono now)
{
	spawn(CONTAINER_OF(t, struct guardian, restart));
}

static void
on_gone(struct child *child, const char *how)
{
	struct guardian *g = child->ctx;

	/* It may have let go of something just before. */
	ipc_drain(&child->ipc);
	leases_execute_wills(&g->res.leases);
	if (g->stopped)
		return; /* as agreed: it is on its way out */
	log_alert("worker (pid %d) is gone: %s", (int)child->pid, how);
	notifier_orphan(&g->notifier);
	child_kill(child);
}

/* The last thing: scripts hear of the stop, and may take a while. */
static void
tell_stop(struct guardian *g)
{
	g->loop.stop = notifier_stop(&g->notifier, STOP_SCRIPTS_MS);
	timer_arm(&g->loop.timers, &g->deadline, mono_add_ms(g->loop.now, STOP_SCRIPTS_MS));
}

static void
on_told(void *ctx)
{
	struct guardian *g = ctx;

	g->loop.stop = true;
}

static void
on_reaped(struct child *child, const char *how)
{
	struct guardian *g = child->ctx;
	uint32_t delay_ms;

	if (g->stopping) {
		tell_stop(g);
		return;
	}
	/* What it lacks at the start it will lack again, and somebody waits to be told. */
	if (!g->started) {
		log_error("worker %s before it was ready: giving up", how);
		g->failed = true;
		g->loop.stop = true;
		return;
	}
	delay_ms = backoff_delay_ms(&g->backoff, mono_since_ms(g->loop.now, child->born));
	log_warning("worker %s; starting another in %u ms", how, delay_ms);
	timer_arm(&g->loop.timers, &g->restart, mono_add_ms(g->loop.now, delay_ms));
}

/* ---- every tick ---- */

static void
look_at_worker(struct guardian *g, struct mono now)
{
	struct child *child = &g->child;

	if (!child_running(child))
		return;
	child_watch(child);
	if (!g->watched && atomic_load(&child->pulse->locked)) {
		watchdog_init(&g->dog, g->conf->watchdog_ms, atomic_load(&child->pulse->beats),
			      now);
		g->watched = true;
	}
	/* Taking itself apart, with nothing left that it could hold up: the deadline suffices. */
	if (g->stopping && leases_claimed(&g->res.leases) == 0)
		return;
	if (g->watched) {
		if (watchdog_tick(&g->dog, atomic_load(&child->pulse->beats), now))
			child_give_up(child, "its VRRP thread is silent");
	} else if (mono_since_ms(now, child->born) > START_DEADLINE_MS) {
		child_give_up(child, "it does not get started");
	}
}

/* Does the worker move?  Nothing is done on behalf of one that does not. */
static bool
is_beating(const struct guardian *g)
{
	return child_running(&g->child) && g->watched && watchdog_beating(&g->dog);
}

static void
on_tick(struct timer *t, struct mono now)
{
	struct guardian *g = CONTAINER_OF(t, struct guardian, tick);

	timer_arm(&g->loop.timers, t, mono_add_ns(now, g->dog.tick_ns));
	look_at_worker(g, now);
	if (is_beating(g)) {
		leases_renew(&g->res.leases, now);
		leases_restore(&g->res.leases, now);
	}
	systemd_tick(&g->systemd, now);
}

/* First in every turn: was this process away for so long that leases may have ended? */
static void
on_wake(struct loop *loop)
{
	struct guardian *g = loop->ctx;
	int64_t away_ns = mono_since(loop->now, g->woken);

	g->woken = loop->now;
	if (!lease_is_late(g->conf, away_ns) || leases_claimed(&g->res.leases) == 0)
		return;
	log_warning("guardian was away for %lld ms: asking the worker whether it is still MASTER",
		    (long long)(away_ns / NS_PER_MS));
	leases_freeze(&g->res.leases, loop->now);
}

static void
on_network(void *ctx)
{
	struct guardian *g = ctx;

	handover_links(&g->res.handover, child_running(&g->child) ? &g->child.ipc : NULL);
	leases_settle(&g->res.leases);
	if (is_beating(g))
		leases_restore(&g->res.leases, g->loop.now);
}

/* ---- signals ---- */

static void
stop_at_once(struct guardian *g)
{
	child_give_up(&g->child, "it does not stop");
	child_kill(&g->child); /* it may have said STOPPED and still not go */
	if (g->child.pid == 0)
		g->loop.stop = true;
}

static void
on_deadline(struct timer *t, struct mono now)
{
	stop_at_once(CONTAINER_OF(t, struct guardian, deadline));
}

static void
stop(struct guardian *g, const char *signal_name)
{
	struct req_none none = { GENERATION };

	if (g->stopping) {
		/* Whoever signals the process and then its group, as timeout(1), means it once. */
		if (mono_since_ms(g->loop.now, g->asked) >= INSIST_MS)
			stop_at_once(g);
		return;
	}
	log_notice("%s: stopping", signal_name);
	g->stopping = true;
	g->asked = g->loop.now;
	systemd_notify(&g->systemd, "STOPPING=1");
	timer_disarm(&g->loop.timers, &g->restart);
	if (g->child.pid == 0) {
		tell_stop(g);
		return;
	}
	timer_arm(&g->loop.timers, &g->deadline, mono_add_ms(g->loop.now, STOP_DEADLINE_MS));
	if (child_running(&g->child))
		ipc_send(&g->child.ipc, REQUEST_STOP, &none, sizeof none, NULL, 0);
}

static void
log_state(const struct guardian *g)
{
	log_notice("worker pid %d, %s", (int)g->child.pid,
		   is_beating(g) ? "beating" : "not beating");
	for (size_t i = 0; i < g->conf->instances_n; i++) {
		const struct lease *lease = &g->res.leases.at[i];

		log_notice("(%s) %zu virtual addresses %s%s, will %s", g->conf->instances[i].name,
			   g->conf->instances[i].vips_n, lease->claimed ? "held" : "not held",
			   lease->frozen ? " (waiting for the worker)" : "",
			   lease->lodged ? "lodged" : "not lodged");
	}
}

static void
on_signal(struct loop_fd *lf, uint32_t events)
{
	struct guardian *g = CONTAINER_OF(lf, struct guardian, signals);
	struct signalfd_siginfo info;

	while (read(lf->fd, &info, sizeof info) == sizeof info)
		switch (info.ssi_signo) {
		case SIGTERM:
			stop(g, "SIGTERM");
			break;
		case SIGINT:
			stop(g, "SIGINT");
			break;
		case SIGHUP:
			log_notice(
				"SIGHUP: reloading comes with a later version, nothing was changed");
			break;
		case SIGUSR1:
			log_state(g);
			break;
		}
}

static int
catch_signals(struct guardian *g)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	g->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	g->signals.ready = on_signal;
	r = g->signals.fd < 0 ? -errno : loop_add(&g->loop, &g->signals, EPOLLIN);
	if (r < 0)
		log_error("cannot receive signals: %s", strerror(-r));
	return r;
}

/* ---- start and end ---- */

static void
run(struct guardian *g)
{
	int r = realtime_thread();

	if (r < 0)
		log_debug("no real-time scheduling: %s", strerror(-r));
	realtime_process(!g->setup->debug);
	systemd_init(&g->systemd);
	watchdog_init(&g->dog, g->conf->watchdog_ms, 0, g->loop.now);

	g->loop.ctx = g;
	g->loop.on_wake = on_wake;
	g->loop.now = g->woken = mono_now();
	if (check_scripts_init(&g->checks, &g->loop, g->conf, tell_script, g) < 0 ||
	    notifier_init(&g->notifier, &g->loop, g->conf, on_told, g) < 0) {
		log_error("out of memory");
		g->failed = true;
		return;
	}
	spawn(g);
	timer_arm(&g->loop.timers, &g->tick, mono_add_ns(g->loop.now, g->dog.tick_ns));
	loop_run(&g->loop);
}

int
guardian_run(const struct guardian_setup *setup)
{
	struct guardian g = {
		.setup = setup,
		.conf = setup->conf,
		.privileged = { .conf = setup->conf, .generation = GENERATION, .act = act },
		.systemd = { .fd = -1 },
		.signals = { .fd = -1 },
		.tick = { .fire = on_tick },
		.restart = { .fire = on_restart },
		.deadline = { .fire = on_deadline },
	};
	bool ok;

	log_set_role("guardian");
	script_note_limits();
	g.privileged.ctx = &g;
	child_init(&g.child, &g.loop, on_message, on_gone, on_reaped, &g);
	if (loop_init(&g.loop) < 0)
		return 1;
	ok = resources_open(&g.res, setup, GENERATION, &g.loop, on_network, tell, &g) &&
	     catch_signals(&g) == 0;
	if (ok) {
		run(&g);
		ok = !g.failed;
		if (ok)
			log_notice("stopped");
	}
	child_fini(&g.child);
	if (g.notifier.loop)
		notifier_fini(&g.notifier);
	if (g.checks.loop)
		check_scripts_fini(&g.checks);
	systemd_fini(&g.systemd);
	resources_close(&g.res);
	loop_close(&g.loop, &g.signals);
	loop_fini(&g.loop);
	return ok ? 0 : 1;
}
