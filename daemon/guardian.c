/*
 * guardian.c - see guardian.h: start-up in order, what happens to the worker, signals, the end.
 * Everything runs on one loop; what it is made of are the other files of this folder.
 *
 * A worker that dies is started again after a back-off, as a backup that knows nothing of its
 * predecessor, and on probation if many of them have died (backoff.h).
 */
#include "daemon/guardian.h"

#include "common/log.h"
#include "daemon/guardian_state.h"
#include "daemon/journal.h"
#include "daemon/preflight.h"
#include "daemon/realtime.h"
#include "daemon/upgrade.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define STOP_DEADLINE_MS 3000 /* a resignation takes at most one second of it */
#define INSIST_MS        200  /* a second signal counts after this */
#define STOP_SCRIPTS_MS  5000 /* after that, for those that are told of the stop */

/* ---- the worker's life ---- */

/* After the first worker: whoever waits for the start may go. */
static void
note_start(struct guardian *g)
{
	if (g->started)
		return;
	g->started = true;
	systemd_notify(&g->systemd, "READY=1");
	if (g->setup->started)
		g->setup->started(g->setup->ctx);
}

static void
begin_probation(struct guardian *g)
{
	const struct backoff *backoff = &g->current->backoff;
	uint32_t ms = backoff_probation_ms(backoff);

	if (ms == 0)
		return;
	timer_arm(&g->loop.timers, &g->probation, mono_add_ms(g->loop.now, ms));
	if (g->current->conf->instances_n)
		log_warning("%u workers in a row died young: this one takes mastership only if "
			    "nobody else has it, for %u s or until `tandem resume'",
			    backoff->deaths, ms / 1000);
}

static void
trust(struct guardian *g)
{
	for (uint32_t i = 0; i < g->current->conf->instances_n; i++)
		if (!g->current->res.leases.at[i].yielded)
			generation_tell_resign(g->current, i, RESIGN_NOT);
}

void
guardian_end_probation(struct guardian *g)
{
	g->current->backoff.deaths = 0;
	if (!timer_armed(&g->probation))
		return;
	timer_disarm(&g->loop.timers, &g->probation);
	trust(g);
}

static void
on_probation(struct timer *t, struct mono now)
{
	trust(CONTAINER_OF(t, struct guardian, probation));
}

static void
on_ready(void *ctx, struct generation *generation)
{
	struct guardian *g = ctx;
	bool held =
		g->current->gate.turn == PRIVILEGED_TURN_HOLDS && child_running(&g->current->child);

	if (generation == g->reload.next) {
		reload_event(g, held ? SUCCESSION_READY : SUCCESSION_READY_ALONE, NULL);
		return;
	}
	begin_probation(g);
	reload_tell_rest(g);
	generation_give_token(generation, -1);
	note_start(g);
}

static void
on_frozen(void *ctx, struct generation *generation, int error)
{
	struct guardian *g = ctx;

	if (error < 0)
		reload_event(g, SUCCESSION_LATE, "the worker cannot write down its state");
	else
		reload_event(g, SUCCESSION_FROZEN, NULL);
}

static void
on_released(void *ctx, struct generation *generation)
{
	struct guardian *g = ctx;

	reload_look_for_rest(g);
	command_look(g);
}

static void
on_remains(void *ctx, struct generation *generation)
{
	struct guardian *g = ctx;

	if (g->current->gate.turn == PRIVILEGED_TURN_HOLDS)
		generation_tell_retired(g->current, generation, false);
}

static void
on_gone(void *ctx, struct generation *generation, const char *how)
{
	struct guardian *g = ctx;

	if (generation == g->reload.next)
		reload_event(g, SUCCESSION_SECOND_GONE, how);
	else if (generation == g->current)
		reload_event(g, SUCCESSION_FIRST_GONE, NULL);
}

static void
restart_later(struct guardian *g, int64_t lived_ms)
{
	struct backoff *backoff = &g->current->backoff;
	uint32_t delay_ms = backoff_delay_ms(backoff, lived_ms - backoff_probation_ms(backoff));

	timer_disarm(&g->loop.timers, &g->probation);
	timer_arm(&g->loop.timers, &g->restart, mono_add_ms(g->loop.now, delay_ms));
}

static void
spawn(struct guardian *g)
{
	if (generation_spawn(g->current) < 0)
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
	g->loop.stop = notifier_stop(&g->current->notifier, STOP_SCRIPTS_MS);
	timer_arm(&g->loop.timers, &g->deadline, mono_add_ms(g->loop.now, STOP_SCRIPTS_MS));
}

void
guardian_on_told(void *ctx)
{
	struct guardian *g = ctx;

	g->loop.stop = true;
}

static void
on_reaped(void *ctx, struct generation *generation, const char *how)
{
	struct guardian *g = ctx;

	if (generation != g->current) {
		log_info("worker of configuration %u %s", generation->number, how);
		reload_bury(g, generation);
		return;
	}
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
	snprintf(g->last_end, sizeof g->last_end, "%s", how);
	log_warning("worker %s; starting another in %lld ms", how,
		    (long long)mono_since_ms(g->restart.when, g->loop.now));
}

static void
on_idle(void *ctx, struct generation *generation)
{
	struct guardian *g = ctx;

	loop_defer(&g->loop, &g->bury);
}

const struct generation_ops guardian_ops = {
	.ready = on_ready,
	.frozen = on_frozen,
	.released = on_released,
	.remains = on_remains,
	.gone = on_gone,
	.reaped = on_reaped,
	.idle = on_idle,
};

/* ---- every tick ---- */

static void
on_tick(struct timer *t, struct mono now)
{
	struct guardian *g = CONTAINER_OF(t, struct guardian, tick);

	timer_arm(&g->loop.timers, t, mono_add_ns(now, g->current->dog.tick_ns));
	generation_look(g->current, now, g->stopping);
	generation_keep_leases(g->current, now);
	if (g->reload.next)
		generation_look(g->reload.next, now, false);
	for (struct list *at = g->former.next; at != &g->former; at = at->next)
		generation_look_retired(CONTAINER_OF(at, struct generation, link), now);
	command_look(g);
	upgrade_look(g);
	systemd_tick(&g->systemd, now);
}

/* Last in every turn. */
static void
on_turn(struct loop *loop)
{
	struct guardian *g = loop->ctx;

	leases_announce(&g->current->res.leases);
}

/* First in every turn: was this process away for so long that leases may have ended? */
static void
on_wake(struct loop *loop)
{
	struct guardian *g = loop->ctx;
	int64_t away_ns = mono_since(loop->now, g->woken);
	struct leases *leases = &g->current->res.leases;

	g->woken = loop->now;
	if (!lease_is_late(g->current->conf, away_ns) || leases_claimed(leases) == 0)
		return;
	log_warning("guardian was away for %lld ms: asking the worker whether it is still MASTER",
		    (long long)(away_ns / NS_PER_MS));
	leases_freeze(leases, loop->now);
}

/* ---- signals ---- */

static void
stop_at_once(struct guardian *g)
{
	struct child *child = &g->current->child;

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
	upgrade_stop(g);
	reload_event(g, SUCCESSION_STOP, NULL);
	for (struct list *at = g->former.next; at != &g->former; at = at->next)
		generation_tell(CONTAINER_OF(at, struct generation, link), REQUEST_STOP);
	timer_disarm(&g->loop.timers, &g->restart);
	if (g->current->child.pid == 0) {
		tell_stop(g);
		return;
	}
	timer_arm(&g->loop.timers, &g->deadline, mono_add_ms(g->loop.now, STOP_DEADLINE_MS));
	generation_tell(g->current, REQUEST_STOP);
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
			reload_ask(g, 0);
			break;
		case SIGUSR1:
			generation_log_state(g->current);
			state_dump_begin(&g->dump);
			break;
		case SIGUSR2:
			upgrade_ask(g, 0);
			break;
		}
}

int
guardian_catch_signals(struct guardian *g)
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

/* On time on a busy host, from now on. */
static void
be_punctual(struct guardian *g)
{
	int r;

	realtime_choose(g->current->conf->rt_priority);
	r = realtime_thread();
	if (r < 0)
		log_debug("no real-time scheduling: %s", strerror(-r));
	realtime_process(!g->setup->debug);
}

static void
run(struct guardian *g)
{
	g->loop.ctx = g;
	g->loop.on_wake = on_wake;
	g->loop.on_turn = on_turn;
	timer_arm(&g->loop.timers, &g->tick, mono_add_ns(g->loop.now, g->current->dog.tick_ns));
	for (;;) {
		loop_run(&g->loop);
		if (!g->upgrade.leap)
			return;
		upgrade_leap(g);
	}
}

static void
begin(struct guardian *g)
{
	be_punctual(g);
	systemd_init(&g->systemd);
	g->loop.now = g->woken = mono_now();
	if (generation_begin_scripts(g->current, NULL, guardian_on_told, g) < 0) {
		log_error("out of memory");
		g->failed = true;
		return;
	}
	spawn(g);
	run(g);
}

/*
 * In the place of another guardian.  Whose worker goes on: without us it hands over to the peer, so
 * nothing here ends it, whatever goes wrong.
 */
static void
resume(struct guardian *g)
{
	const struct upgrade_estate *estate = g->setup->estate;
	const char *failure = upgrade_resume(g, estate);
	char reason[PATH_MAX + 512];

	if (failure) {
		log_alert("version " TANDEM_VERSION " cannot take over: %s", failure);
		snprintf(reason, sizeof reason, "tandem: %s cannot take over: %s\n",
			 g->upgrade.path, failure);
		if (!estate->reason)
			upgrade_execute(estate->former_fd, estate->fd, estate->former_fd, reason,
					g->setup->argv);
		_exit(1);
	}
	be_punctual(g);
	if (estate->reason) {
		close(estate->former_fd);
		upgrade_returned(g, estate->reason);
	} else {
		g->upgrade.stage = UPGRADE_ARRIVED;
		g->upgrade.binary_fd = estate->former_fd;
		reload_begin(g);
	}
	run(g);
}

static bool
open_all(struct guardian *g)
{
	const struct guardian_setup *setup = g->setup;
	const char *pidfile = setup->pidfile ? setup->pidfile : setup->conf->pidfile;

	snprintf(g->upgrade.path, sizeof g->upgrade.path, "%s", setup->path ? setup->path : "");
	raise_descriptor_limit();
	if (preflight_rights(setup->conf) > 0 || rundir_init(&g->rundir, setup->rundir) < 0)
		return false;
	paths_sweep();
	if (!generation_open(g->current, NULL) ||
	    rundir_publish(&g->rundir, setup->rundir, pidfile) < 0 || command_init(g) < 0)
		return false;
	g->journal_fd = journal_create();
	if (g->journal_fd < 0) {
		log_error("cannot make the journal: %s", strerror(-g->journal_fd));
		return false;
	}
	g->current->handover.control_fd = g->rundir.control_fd;
	g->current->handover.journal_fd = g->journal_fd;
	return guardian_catch_signals(g) == 0;
}

/* The configuration that it was started with; its memory is the caller's. */
static struct generation *
first_generation(struct guardian *g)
{
	const struct guardian_setup *setup = g->setup;
	struct generation *n = calloc(1, sizeof *n);

	if (!n)
		return NULL;
	n->number = g->reload.numbers = 1;
	n->conf = setup->conf;
	n->packed = (void *)(uintptr_t)setup->packed;
	n->packed_len = setup->packed_len;
	n->tls_files = (void *)(uintptr_t)setup->tls_files;
	n->tls_files_len = setup->tls_files_len;
	n->of = (struct generation_setup){
		.setup = setup, .loop = &g->loop, .ops = &guardian_ops, .ctx = g
	};
	generation_init(n);
	return n;
}

static void
close_all(struct guardian *g)
{
	upgrade_fini(g);
	reload_fini(g);
	control_fini(&g->command);
	systemd_fini(&g->systemd);
	state_dump_fini(&g->dump);
	generation_close(g->current, NULL);
	generation_free_memory(g->current);
	free(g->current);
	if (g->journal_fd >= 0)
		close(g->journal_fd);
	rundir_fini(&g->rundir);
	close(loop_remove(&g->loop, &g->signals));
	loop_fini(&g->loop);
}

int
guardian_run(const struct guardian_setup *setup)
{
	struct guardian *g = calloc(1, sizeof *g);
	bool ok;

	if (!g)
		return 1;
	g->setup = setup;
	g->rundir = (struct rundir){ .lock_fd = -1, .control_fd = -1, .command_fd = -1 };
	g->systemd.fd = -1;
	g->journal_fd = -1;
	g->signals.fd = -1;
	g->tick.fire = on_tick;
	g->restart.fire = on_restart;
	g->probation.fire = on_probation;
	g->deadline.fire = on_deadline;
	list_init(&g->former);
	log_set_role("guardian");
	script_note_limits();
	if (loop_init(&g->loop) < 0 || (!setup->estate && !(g->current = first_generation(g)))) {
		free(g);
		return 1;
	}
	reload_init(g);
	upgrade_init(g);
	state_dump_init(&g->dump, &g->loop, setup->rundir);
	ok = setup->estate || open_all(g);
	if (ok) {
		if (setup->estate)
			resume(g);
		else
			begin(g);
		ok = !g->failed;
		if (ok)
			log_notice("stopped");
	}
	close_all(g);
	free(g);
	return ok ? 0 : 1;
}
