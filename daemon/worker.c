/*
 * worker.c - the unprivileged process: its start, its loop and its end.
 *
 * Its first thread is the VRRP thread: engine, control socket, messages of the guardian, real-time
 * priority where allowed; nothing here may block.  The proxy's threads are made when the guardian
 * has handed everything over, and inherit no priority.
 *
 * It ends in one of three ways: asked by the guardian (resigned, VIPs released, STOPPED sent); with
 * the guardian gone (the same, with nobody to tell); or by abort, when a proxy thread hangs, so that
 * the guardian executes the wills and starts another.
 */
#include "daemon/worker.h"

#include "common/list.h"
#include "common/log.h"
#include "conf/load.h"
#include "daemon/daemonize.h"
#include "daemon/realtime.h"
#include "daemon/sandbox.h"
#include "daemon/status.h"
#include "daemon/worker_state.h"
#include "proxy/tls.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TURN_MAX_MS    250
#define HEALTH_LOOK_MS 250
#define AWAY_MS        500   /* a turn this late says nothing about the proxy's threads */
#define STUCK_MS       10000 /* a proxy thread silent for longer: this process is beyond repair */

uint32_t
worker_threads(const struct conf *conf)
{
	cpu_set_t cpus;

	if (conf->proxies_n == 0)
		return 0;
	if (conf->nbthread)
		return conf->nbthread;
	if (sched_getaffinity(0, sizeof cpus, &cpus) < 0 || CPU_COUNT(&cpus) < 1)
		return 1;
	return (uint32_t)CPU_COUNT(&cpus);
}

/* ------------------------------------------------------------------ what the engine asks for */

static int64_t
wall_ns(void *ctx)
{
	return clock_wall_ns();
}

static int64_t
wall_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

static void
send_advert(void *ctx, uint32_t instance, const struct ip *source, const struct ip *to,
	    const void *pdu, size_t len)
{
	struct worker *w = ctx;

	vrrp_io_send(&w->io, instance, source, to, pdu, len);
}

static void
drain(void *ctx)
{
	struct worker *w = ctx;

	vrrp_io_drain(&w->io);
}

/* RESIGNED is keepalived's last moment as MASTER: scripts hear of the STOP when it is over. */
static const enum notify_event state_events[VRRP_STATE_N] = {
	[VRRP_STATE_INIT] = NOTIFY_EVENT_STOP,     [VRRP_STATE_BACKUP] = NOTIFY_EVENT_BACKUP,
	[VRRP_STATE_MASTER] = NOTIFY_EVENT_MASTER, [VRRP_STATE_FAULT] = NOTIFY_EVENT_FAULT,
	[VRRP_STATE_RESIGNED] = NOTIFY_EVENT_N,
};

static void
tell_scripts(struct worker *w, const struct vrrp_transition_note *note)
{
	if (state_events[note->to] != NOTIFY_EVENT_N)
		worker_notify(w, note->instance, state_events[note->to], note->priority);
}

static void
note_group(void *ctx, uint32_t group, enum vrrp_state state)
{
	if (state_events[state] != NOTIFY_EVENT_N)
		worker_notify_group(ctx, group, state_events[state]);
}

/* These may be many: only for those who asked. */
static bool
wants_aside(const struct conf *conf, const struct conf_instance *instance, enum vrrp_aside aside)
{
	bool fifo = conf->notify_fifo.path || conf->vrrp_notify_fifo.path;

	if (aside == VRRP_ASIDE_LOWER_HEARD)
		return fifo || instance->notify.master_rx_lower_pri.line;
	return fifo && (conf->notify_priority_changes || instance->notify.priority_changes);
}

static void
note_transition(void *ctx, const struct vrrp_transition_note *note)
{
	struct worker *w = ctx;
	char text[256];

	/* As keepalived has it: first why, then a line that others know by heart. */
	log_notice("(%s) %s", w->conf->instances[note->instance].name, note->reason);
	log_notice("%s", vrrp_transition_text(w->conf, note, text, sizeof text));
	journal_add(w->journal, w->conf, note, w->loop.now, wall_ms());
	tell_scripts(w, note);
}

static void
note_aside(void *ctx, uint32_t instance, enum vrrp_aside aside, uint8_t priority)
{
	static const enum notify_event events[] = {
		[VRRP_ASIDE_LOWER_HEARD] = NOTIFY_EVENT_MASTER_RX_LOWER_PRI,
		[VRRP_ASIDE_MASTER_PRIORITY] = NOTIFY_EVENT_MASTER_PRIORITY,
		[VRRP_ASIDE_BACKUP_PRIORITY] = NOTIFY_EVENT_BACKUP_PRIORITY,
	};
	struct worker *w = ctx;

	if (wants_aside(w->conf, &w->conf->instances[instance], aside))
		worker_notify(w, instance, events[aside], priority);
}

static const struct vrrp_ops ops = {
	.send = send_advert,
	.claim = worker_claim,
	.release = worker_release,
	.announce = worker_announce,
	.lodge_will = worker_lodge_will,
	.drain = drain,
	.wall_ns = wall_ns,
	.transition = note_transition,
	.group = note_group,
	.aside = note_aside,
};

/* ------------------------------------------------------------------ the loop */

static void
on_wake(struct loop *loop)
{
	struct worker *w = loop->ctx;

	if (w->phase != WORKER_RUNNING && w->phase != WORKER_STOPPING)
		return;
	/* After an absence of our own, the proxy's threads look silent too: they were not running
	 * either, and need a moment to say so. */
	if (mono_since_ms(loop->now, w->last_turn) > AWAY_MS)
		w->health_holdoff = mono_add_ms(loop->now, AWAY_MS);
	vrrp_wake(w->vrrp, loop->now);
}

static void
on_turn(struct loop *loop)
{
	struct worker *w = loop->ctx;

	w->last_turn = loop->now;
	pulse_beat(w->pulse);
	if (w->phase == WORKER_STOPPING && vrrp_stopped(w->vrrp) &&
	    !mono_before(loop->now, w->serve_until))
		loop->stop = true;
}

static void
look_at_health(struct worker *w)
{
	struct mono now = w->loop.now;

	if ((w->phase != WORKER_RUNNING && w->phase != WORKER_STOPPING) ||
	    mono_before(now, w->health_holdoff))
		return;
	vrrp_health(w->vrrp, now);
	if (w->proxy && w->phase == WORKER_RUNNING &&
	    health_proxy_state(&w->board, now, STUCK_MS * NS_PER_MS) == HEALTH_PROXY_STUCK) {
		log_alert("a proxy thread has been silent for %d s: giving up, to be restarted",
			  STUCK_MS / 1000);
		abort();
	}
}

static void
on_health_look(struct timer *t, struct mono now)
{
	struct worker *w = CONTAINER_OF(t, struct worker, health_look);

	timer_arm(&w->loop.timers, t, mono_add_ms(now, HEALTH_LOOK_MS));
	look_at_health(w);
}

static void
on_board_wake(struct loop_fd *lf, uint32_t events)
{
	struct worker *w = CONTAINER_OF(lf, struct worker, board_wake);
	uint64_t count;

	if (read(lf->fd, &count, sizeof count) < 0 && errno != EAGAIN)
		log_error("health board: %m");
	worker_run_externals(w);
	worker_ask_foreign(w);
	look_at_health(w);
}

char *
worker_answer(void *ctx, const char *line, size_t *len)
{
	static const char *const phases[] = {
		[WORKER_COLLECTING] = "starting", [WORKER_READY] = "starting",
		[WORKER_RUNNING] = "running",     [WORKER_FROZEN] = "running",
		[WORKER_RETIRED] = "retired",     [WORKER_STOPPING] = "stopping",
	};
	struct worker *w = ctx;
	const struct status_source source = {
		.conf = w->conf,
		.vrrp = w->vrrp,
		.proxy = w->proxy,
		.board = &w->board,
		.journal = w->journal,
		.scripts = w->scripts,
		.process_events = w->process_events,
		.now = w->loop.now,
		.started = w->started,
		.wall_ms = wall_ms(),
		.guardian_pid = getppid(),
		.worker_pid = getpid(),
		.phase = phases[w->phase],
		.retired = w->retired,
		.retired_n = w->retired_n,
	};
	json_t *root;
	char *text;

	if (strcmp(line, "status") == 0)
		root = status_build(&source);
	else if (strcmp(line, "history") == 0)
		root = status_history(&source);
	else
		root = json_pack("{s:s}", "error", "unknown command");
	text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	*len = text ? strlen(text) : 0;
	return text;
}

/* ------------------------------------------------------------------ beginning and end */

/* The contexts of what was handed over; what is wrong was seen by the guardian already.  0, or
 * -EINVAL, logged. */
static int
make_tls(struct worker *w, struct tls **tls)
{
	struct conf_report report = { 0 };
	struct reporter reporter = { .arena = w->arena, .conf = w->conf, .report = &report };

	*tls = NULL;
	if (!tls_wanted(w->conf))
		return 0;
	if (!w->tls_files) {
		log_error("certificates were not handed over");
		return -EINVAL;
	}
	*tls = tls_new(w->conf, w->tls_files, &reporter);
	tls_files_free(w->tls_files);
	w->tls_files = NULL;
	for (size_t i = 0; i < report.messages_n; i++)
		log_error("%s", report.messages[i].text);
	if (report.errors == 0)
		return 0;
	tls_free(*tls);
	return -EINVAL;
}

/* vrrp_cpu_affinity */
static void
pin_thread(const struct conf *conf)
{
	int r = conf->cpus_n ? realtime_pin(conf->cpus, conf->cpus_n) : 0;

	if (r < 0)
		log_warning("vrrp_cpu_affinity: none of these CPUs can be had: %s", strerror(-r));
}

int
worker_prepare(struct worker *w)
{
	struct tls *tls;
	int r;

	if (w->threads_n) {
		r = make_tls(w, &tls);
		if (r < 0)
			return r;
		w->proxy = proxy_new(w->conf, w->threads_n, w->listeners, w->listeners_n, &w->board,
				     tls);
		if (!w->proxy) {
			r = errno ? -errno : -ENOMEM;
			tls_free(tls);
			return r;
		}
		w->listeners_n = 0; /* the proxy's own now */
		proxy_log_sockets(w->proxy, w->log_sockets, w->log_sockets_n);
		r = proxy_start(w->proxy);
		if (r < 0)
			return r;
		worker_ask_foreign(w); /* they are there before the token */
	}
	pin_thread(w->conf); /* the proxy's are made: they run where they may */
	w->phase = WORKER_READY;
	worker_tell(w, REQUEST_READY);
	return 0;
}

int
worker_begin(struct worker *w, int fd)
{
	int r = control_init(&w->control, &w->loop, w->control_fd, worker_answer, w);

	if (r == 0)
		w->control_fd = -1;
	if (r == 0)
		r = vrrp_io_begin(&w->io);
	if (r < 0)
		return r;
	w->phase = WORKER_RUNNING;
	w->last_turn = w->loop.now;
	if (fd >= 0)
		r = worker_adopt(w, fd);
	/* The guardian holds what the former worker held: it has to be told, by an end. */
	if (r < 0) {
		log_error("the former worker's state is not understood");
		return r;
	}
	if (w->proxy)
		proxy_open(w->proxy);
	if (fd >= 0)
		vrrp_resume(w->vrrp, w->loop.now);
	else
		vrrp_start(w->vrrp, w->loop.now);
	w->health_look.fire = on_health_look;
	timer_arm(&w->loop.timers, &w->health_look, mono_add_ms(w->loop.now, HEALTH_LOOK_MS));
	if (w->detach)
		daemonize_detach();
	return 0;
}

void
worker_stop(struct worker *w, const char *why)
{
	if (w->phase == WORKER_STOPPING)
		return;
	/* Only who holds the token has something to give back. */
	if (w->phase != WORKER_RUNNING)
		w->loop.stop = true;
	else
		vrrp_stop(w->vrrp, w->loop.now, why);
	w->phase = WORKER_STOPPING;
}

/* STOPPED must have left before the process ends; the guardian may be slow. */
static void
say_stopped(struct worker *w)
{
	struct mono until = mono_add_ms(mono_now(), 1000);

	if (w->ipc.socket.fd < 0)
		return;
	worker_tell(w, REQUEST_STOPPED);
	while (w->ipc.socket.fd >= 0 && w->ipc.first && mono_before(w->loop.now, until))
		loop_turn(&w->loop);
}

static void
ignore_signals(void)
{
	/* The guardian decides: a Ctrl-C reaches both processes of the terminal's group. */
	static const int ignored[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2
	};
	sigset_t none;

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The very bytes the guardian read, parsed again.  0 or -errno, logged. */
static int
load_conf(struct worker *w)
{
	struct conf_report report = { 0 };
	struct conf_options options = { 0 };
	struct conf_source *sources;
	size_t sources_n;
	struct stat st;
	void *block;
	int r;

	if (fstat(WORKER_FD_CONF, &st) < 0) {
		log_error("the configuration was not handed over: %m");
		return -EBADF;
	}
	w->arena = arena_new();
	block = arena_alloc(w->arena, (size_t)st.st_size + 1);
	if (pread(WORKER_FD_CONF, block, (size_t)st.st_size, 0) != st.st_size) {
		log_error("the configuration was not handed over whole");
		return -EBADF;
	}
	close(WORKER_FD_CONF);
	r = conf_unpack(w->arena, block, (size_t)st.st_size, &sources, &sources_n, &options);
	if (r == 0) {
		w->conf = conf_load(w->arena, sources, sources_n, &options, &report);
		if (report.errors)
			r = -EINVAL;
	}
	if (r < 0)
		log_error("the configuration handed over does not load: %s", strerror(-r));
	return r;
}

/* Gives up the privileges.  0 or -errno, logged. */
static int
enter_sandbox(const struct conf *conf, bool debug)
{
	struct sandbox_identity identity;
	char error[256];
	int r = sandbox_resolve(conf->user, conf->group, &identity, error, sizeof error);

	if (r < 0) {
		log_error("%s", error);
		return r;
	}
	log_debug("up to %zu descriptors", sandbox_limits(debug));
	/* No higher than the guardian's: a spinning engine must not keep it from noticing. */
	realtime_choose(conf->rt_priority);
	if (realtime_thread() < 0)
		log_info("no real-time priority here: a busy host may delay advertisements");
	if (conf->no_swap) {
		r = realtime_lock_memory();
		if (r < 0)
			log_warning("vrrp_no_swap: memory is not locked: %s", strerror(-r));
	}
	if (conf->chroot) {
		r = sandbox_root(conf->chroot);
		if (r < 0)
			return r;
	}
	return sandbox_enter(&identity, debug);
}

static int
set_up(struct worker *w)
{
	int64_t turn_ms;
	int r = load_conf(w);

	if (r < 0)
		return r;
	r = pulse_adopt(WORKER_FD_PULSE, &w->pulse);
	if (r < 0) {
		log_error("cannot share the heartbeat with the guardian: %s", strerror(-r));
		return r;
	}
	r = enter_sandbox(w->conf, w->debug);
	if (r < 0)
		return r;

	w->threads_n = worker_threads(w->conf);
	r = loop_init(&w->loop);
	if (r == 0)
		r = health_board_init(&w->board, w->threads_n, (uint32_t)w->conf->proxies_n);
	if (r == 0) {
		w->board_wake = (struct loop_fd){ .fd = w->board.wake_fd, .ready = on_board_wake };
		r = loop_add(&w->loop, &w->board_wake, EPOLLIN);
	}
	if (r == 0) {
		w->scripts = calloc(w->conf->scripts_n + 1, sizeof *w->scripts);
		w->vrrp = vrrp_new(w->conf, &w->board, &w->loop.timers, &ops, w);
		r = w->vrrp && w->scripts ? vrrp_io_init(&w->io, &w->loop, w->conf, w->vrrp)
					  : -ENOMEM;
	}
	if (r == 0)
		r = ipc_init(&w->ipc, &w->loop, WORKER_FD_IPC, worker_on_message,
			     worker_on_guardian_gone, w);
	if (r < 0) {
		log_error("cannot set up the worker: %s", strerror(-r));
		return r;
	}
	turn_ms = w->conf->watchdog_ms / 10;
	w->loop.max_wait_ns = (turn_ms < 1             ? 1
			       : turn_ms > TURN_MAX_MS ? TURN_MAX_MS
						       : turn_ms) *
			      NS_PER_MS;
	w->loop.ctx = w;
	w->loop.on_wake = on_wake;
	w->loop.on_turn = on_turn;
	w->started = w->loop.now;
	return 0;
}

static void
tear_down(struct worker *w)
{
	proxy_stop(w->proxy);
	w->proxy = NULL;
	control_fini(&w->control);
	if (w->control_fd >= 0)
		close(w->control_fd);
	if (w->status == 0)
		say_stopped(w);
	if (w->ipc.loop)
		ipc_fini(&w->ipc);
	vrrp_io_fini(&w->io);
	vrrp_free(w->vrrp);
	if (w->ledger.conf)
		ledger_fini(&w->ledger);
	timer_disarm(&w->loop.timers, &w->health_look);
	timer_disarm(&w->loop.timers, &w->remaining);
	free(w->retired);
	for (size_t i = 0; i < w->listeners_n; i++)
		close(w->listeners[i].fd);
	free(w->listeners);
	tls_files_free(w->tls_files);
	free(w->scripts);
	for (size_t i = 0; i < w->log_sockets_n; i++)
		close(w->log_sockets[i].fd);
	health_board_fini(&w->board);
	loop_fini(&w->loop);
	journal_unmap(w->journal);
	if (w->pulse)
		pulse_unmap(w->pulse);
	arena_free(w->arena);
}

int
worker_main(int argc, char **argv)
{
	struct log_setup log = { .ident = "tandem", .facility = LOG_DAEMON, .level = LOG_INFO };
	struct worker *w = calloc(1, sizeof *w);
	int status;

	if (!w || argc < 1)
		return 1;
	w->control_fd = -1;
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "facility=", 9) == 0)
			log.facility = (int)strtol(argv[i] + 9, NULL, 10);
		if (strncmp(argv[i], "ident=", 6) == 0)
			log.ident = argv[i] + 6;
		log.to_stderr |= strcmp(argv[i], "stderr") == 0;
		log.to_syslog |= strcmp(argv[i], "syslog") == 0;
		w->debug |= strcmp(argv[i], "debug") == 0;
		w->detach |= strcmp(argv[i], "detach") == 0;
	}
	if (w->debug)
		log.level = LOG_DEBUG;
	log_init(&log);
	log_set_role("worker");
	prctl(PR_SET_NAME, "vrrp"); /* this thread; the command line says "tandem --worker" */
	ignore_signals();

	w->generation = (uint32_t)strtoul(argv[0], NULL, 10);
	if (set_up(w) < 0)
		w->status = 1;
	else
		loop_run(&w->loop);
	status = w->status;
	tear_down(w);
	free(w);
	return status;
}
