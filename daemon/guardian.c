/*
 * guardian.c - see guardian.h: start-up in order, what happens to the worker, signals, the end.
 * Everything runs on one loop; what it is made of are the other files of this folder.
 *
 * A worker that dies is started again after a back-off, as a backup that knows nothing of its
 * predecessor.
 */
#include "daemon/guardian.h"

#include "common/list.h"
#include "common/log.h"
#include "daemon/generation.h"
#include "daemon/journal.h"
#include "daemon/preflight.h"
#include "daemon/realtime.h"
#include "daemon/rundir.h"
#include "daemon/state_dump.h"
#include "daemon/systemd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define STOP_DEADLINE_MS 3000 /* a resignation takes at most one second of it */
#define INSIST_MS        200  /* a second signal counts after this */
#define STOP_SCRIPTS_MS  5000 /* after that, for those that are told of the stop */

struct guardian {
	const struct guardian_setup *setup;
	struct loop loop;
	struct rundir rundir;
	int journal_fd; /* for every worker to come */
	struct generation generation;
	struct systemd systemd;
	struct state_dump dump;
	struct loop_fd signals;
	struct timer tick, restart, deadline;
	struct mono woken; /* the turn before this one */
	bool started;      /* a worker has said READY before */
	bool failed;       /* the first worker ended before it was ready */
	bool stopping;     /* SIGTERM came … */
	struct mono asked; /* … at this moment */
};

/* ---- the worker's life ---- */

static void
on_ready(void *ctx, struct generation *generation)
{
	struct guardian *g = ctx;

	generation_give_token(generation);
	if (g->started)
		return;
	g->started = true;
	systemd_notify(&g->systemd, "READY=1");
	if (g->setup->started)
		g->setup->started(g->setup->ctx);
}

static void
restart_later(struct guardian *g, int64_t lived_ms)
{
	uint32_t delay_ms = backoff_delay_ms(&g->generation.backoff, lived_ms);

	timer_arm(&g->loop.timers, &g->restart, mono_add_ms(g->loop.now, delay_ms));
}

static void
spawn(struct guardian *g)
{
	if (generation_spawn(&g->generation) < 0)
		restart_later(g, 0);
}

static void
on_restart(struct timer *t, struct mono now)
{
	spawn(CONTAINER_OF(t, struct guardian, restart));
}

/* The last thing: scripts hear of the stop, and may take a while. */
static void
tell_stop(struct guardian *g)
{
	g->loop.stop = notifier_stop(&g->generation.notifier, STOP_SCRIPTS_MS);
	timer_arm(&g->loop.timers, &g->deadline, mono_add_ms(g->loop.now, STOP_SCRIPTS_MS));
}

static void
on_told(void *ctx)
{
	struct guardian *g = ctx;

	g->loop.stop = true;
}

static void
on_reaped(void *ctx, struct generation *generation, const char *how)
{
	struct guardian *g = ctx;

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
	restart_later(g, mono_since_ms(g->loop.now, generation->child.born));
	log_warning("worker %s; starting another in %lld ms", how,
		    (long long)mono_since_ms(g->restart.when, g->loop.now));
}

static const struct generation_ops ops = {
	.ready = on_ready,
	.reaped = on_reaped,
};

/* ---- every tick ---- */

static void
on_tick(struct timer *t, struct mono now)
{
	struct guardian *g = CONTAINER_OF(t, struct guardian, tick);

	timer_arm(&g->loop.timers, t, mono_add_ns(now, g->generation.dog.tick_ns));
	generation_look(&g->generation, now, g->stopping);
	generation_keep_leases(&g->generation, now);
	systemd_tick(&g->systemd, now);
}

/* First in every turn: was this process away for so long that leases may have ended? */
static void
on_wake(struct loop *loop)
{
	struct guardian *g = loop->ctx;
	int64_t away_ns = mono_since(loop->now, g->woken);
	struct leases *leases = &g->generation.res.leases;

	g->woken = loop->now;
	if (!lease_is_late(g->generation.conf, away_ns) || leases_claimed(leases) == 0)
		return;
	log_warning("guardian was away for %lld ms: asking the worker whether it is still MASTER",
		    (long long)(away_ns / NS_PER_MS));
	leases_freeze(leases, loop->now);
}

/* ---- signals ---- */

static void
stop_at_once(struct guardian *g)
{
	struct child *child = &g->generation.child;

	child_give_up(child, "it does not stop");
	child_kill(child); /* it may have said STOPPED and still not go */
	if (child->pid == 0)
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
	if (g->generation.child.pid == 0) {
		tell_stop(g);
		return;
	}
	timer_arm(&g->loop.timers, &g->deadline, mono_add_ms(g->loop.now, STOP_DEADLINE_MS));
	generation_tell(&g->generation, REQUEST_STOP);
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
			generation_log_state(&g->generation);
			state_dump_begin(&g->dump);
			break;
		case SIGUSR2:
			log_notice("SIGUSR2: upgrading in place comes with a later version, "
				   "nothing was changed");
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
	sigaddset(&set, SIGUSR2);
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

/* A socket for each thread of each bind, and the worker's many: as many as we are allowed. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_debug("limit of open files: %s", strerror(errno));
}

static void
run(struct guardian *g)
{
	int r;

	realtime_choose(g->generation.conf->rt_priority);
	r = realtime_thread();
	if (r < 0)
		log_debug("no real-time scheduling: %s", strerror(-r));
	realtime_process(!g->setup->debug);
	systemd_init(&g->systemd);

	g->loop.ctx = g;
	g->loop.on_wake = on_wake;
	g->loop.now = g->woken = mono_now();
	if (generation_begin_scripts(&g->generation, on_told, g) < 0) {
		log_error("out of memory");
		g->failed = true;
		return;
	}
	spawn(g);
	timer_arm(&g->loop.timers, &g->tick, mono_add_ns(g->loop.now, g->generation.dog.tick_ns));
	loop_run(&g->loop);
}

static bool
open_all(struct guardian *g)
{
	const struct guardian_setup *setup = g->setup;
	const char *pidfile = setup->pidfile ? setup->pidfile : setup->conf->pidfile;

	raise_descriptor_limit();
	if (preflight_rights(setup->conf) > 0 || rundir_init(&g->rundir, setup->rundir) < 0)
		return false;
	paths_sweep();
	if (!generation_open(&g->generation) ||
	    rundir_publish(&g->rundir, setup->rundir, pidfile) < 0)
		return false;
	g->journal_fd = journal_create();
	if (g->journal_fd < 0) {
		log_error("cannot make the journal: %s", strerror(-g->journal_fd));
		return false;
	}
	g->generation.handover.control_fd = g->rundir.control_fd;
	g->generation.handover.journal_fd = g->journal_fd;
	return catch_signals(g) == 0;
}

int
guardian_run(const struct guardian_setup *setup)
{
	struct guardian g = {
		.setup = setup,
		.rundir = { .lock_fd = -1, .control_fd = -1 },
		.journal_fd = -1,
		.generation = { .number = 1,
				.conf = setup->conf,
				.packed = setup->packed,
				.packed_len = setup->packed_len,
				.tls_files = setup->tls_files,
				.tls_files_len = setup->tls_files_len },
		.systemd = { .fd = -1 },
		.signals = { .fd = -1 },
		.tick = { .fire = on_tick },
		.restart = { .fire = on_restart },
		.deadline = { .fire = on_deadline },
	};
	bool ok;

	log_set_role("guardian");
	script_note_limits();
	g.generation.of = (struct generation_setup){
		.setup = setup, .loop = &g.loop, .ops = &ops, .ctx = &g
	};
	if (loop_init(&g.loop) < 0)
		return 1;
	generation_init(&g.generation);
	state_dump_init(&g.dump, &g.loop, setup->rundir);
	ok = open_all(&g);
	if (ok) {
		run(&g);
		ok = !g.failed;
		if (ok)
			log_notice("stopped");
	}
	systemd_fini(&g.systemd);
	state_dump_fini(&g.dump);
	generation_close(&g.generation);
	if (g.journal_fd >= 0)
		close(g.journal_fd);
	rundir_fini(&g.rundir);
	loop_close(&g.loop, &g.signals);
	loop_fini(&g.loop);
	return ok ? 0 : 1;
}
