/*
 * child.c - see child.h.  Runs on the guardian's loop.
 *
 * The worker is this very binary, executed again (a crash loop is then no oracle for its address
 * layout), with nothing open but its standard streams and the three descriptors of requests.h.  It
 * is deliberately not told to die with its parent: it learns of the guardian's death from the end
 * of the socket pair, and then it must resign first.
 */
#include "daemon/child.h"

#include "common/list.h"
#include "common/log.h"
#include "daemon/estate.h"
#include "daemon/memfd.h"
#include "daemon/realtime.h"
#include "daemon/requests.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 32

void
child_init(struct child *child, struct loop *loop, ipc_message_fn *on_message,
	   void (*on_gone)(struct child *child, const char *how),
	   void (*on_reaped)(struct child *child, const char *how), void *ctx)
{
	*child = (struct child){
		.loop = loop,
		.process = { .fd = -1 },
		.pulse_fd = -1,
		.on_message = on_message,
		.on_gone = on_gone,
		.on_reaped = on_reaped,
		.ctx = ctx,
	};
}

/* ---- what brings the news ---- */

static void
report_gone(struct child *child, const char *how)
{
	if (child->gone)
		return;
	child->gone = true;
	child->on_gone(child, how);
}

static void
on_death(void *ctx)
{
	report_gone(ctx, "its VRRP thread died");
}

static void
on_ipc_closed(struct ipc *ipc)
{
	report_gone(CONTAINER_OF(ipc, struct child, ipc), "it closed its side");
}

/* "exited with status 1" / "killed by signal 11 (Segmentation fault)". */
static void
describe(const siginfo_t *info, char *how, size_t size)
{
	if (info->si_code == CLD_EXITED)
		snprintf(how, size, "exited with status %d", info->si_status);
	else
		snprintf(how, size, "killed by signal %d (%s)", info->si_status,
			 strsignal(info->si_status));
}

static void
let_go(struct child *child)
{
	int fd;

	deathwatch_stop(&child->death);
	ipc_fini(&child->ipc);
	fd = loop_remove(child->loop, &child->process);
	if (fd >= 0)
		close(fd);
	pulse_unmap(child->pulse);
	child->pulse = NULL;
	if (child->pulse_fd >= 0)
		close(child->pulse_fd);
	child->pulse_fd = -1;
	child->pid = 0;
}

/*
 * In the ordinary scheduling class.  The kernel spins until the last dying thread has left its
 * processor for good, and a real-time spinner on that same processor does not let it: that costs
 * 950 ms (until the kernel's own limit for real-time tasks), in which nothing else runs there.
 */
static int
reap(struct child *child, siginfo_t *info, int options)
{
	bool was_realtime = realtime_pause();
	int r;

	do
		r = waitid(P_PID, (id_t)child->pid, info, WEXITED | options);
	while (r < 0 && errno == EINTR);
	if (was_realtime)
		realtime_thread();
	return r;
}

static void
on_process(struct loop_fd *lf, uint32_t events)
{
	struct child *child = CONTAINER_OF(lf, struct child, process);
	siginfo_t info = { 0 };
	char how[128];

	if (reap(child, &info, WNOHANG) < 0 || info.si_pid == 0)
		return;
	describe(&info, how, sizeof how);
	report_gone(child, how);
	let_go(child);
	child->on_reaped(child, how);
}

/* ---- birth ---- */

/* Moves `fd` to `place`; every descriptor given here is above the places. */
static bool
put(int fd, int place)
{
	return dup2(fd, place) == place;
}

/* After fork: only async-signal-safe calls until the exec. */
static void __attribute__((noreturn))
become_worker(const struct child_setup *setup, char *const *argv, int ipc_fd, int conf_fd,
	      int pulse_fd)
{
	struct rlimit no_core = { 0, 0 };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	realtime_undo();
	if (!setup->core_dumps)
		setrlimit(RLIMIT_CORE, &no_core);
	if (put(ipc_fd, WORKER_FD_IPC) && put(conf_fd, WORKER_FD_CONF) &&
	    put(pulse_fd, WORKER_FD_PULSE)) {
		close_range(WORKER_FD_PULSE + 1, ~0U, 0);
		execv(setup->executable, argv);
	}
	_exit(127);
}

/* A descriptor out of the way of the worker's places, so that dup2 overwrites none of the others;
 * closes `fd`. */
static int
lift(int fd)
{
	int lifted = fcntl(fd, F_DUPFD_CLOEXEC, WORKER_FD_PULSE + 1);
	int saved = errno;

	close(fd);
	errno = saved;
	return lifted;
}

/* What the worker inherits. */
struct birth {
	int ipc_ours, ipc, conf, pulse; /* -1 = not open */
};

static void
birth_close(struct birth *b)
{
	int *fds[] = { &b->ipc_ours, &b->ipc, &b->conf, &b->pulse };

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

static int
birth_open(struct birth *b, const struct child_setup *setup, struct pulse **pulse)
{
	int pair[2], r;

	*b = (struct birth){ -1, -1, -1, -1 };
	r = ipc_pair(pair);
	if (r < 0)
		return r;
	b->ipc_ours = pair[0];
	b->ipc = lift(pair[1]);
	if (b->ipc < 0)
		return -errno;
	r = memfd_sealed("tandem-conf", setup->packed, setup->packed_len);
	if (r < 0)
		return r;
	b->conf = lift(r);
	if (b->conf < 0)
		return -errno;
	r = pulse_create(pulse);
	if (r < 0)
		return r;
	b->pulse = lift(r);
	return b->pulse < 0 ? -errno : 0;
}

static int
fork_worker(struct child *child, const struct child_setup *setup, const struct birth *b)
{
	char generation[16];
	const char *argv[ARGS_MAX + 4] = { "tandem", "--worker", generation };
	size_t n = 3;

	snprintf(generation, sizeof generation, "%u", setup->generation);
	for (size_t i = 0; setup->args && setup->args[i]; i++) {
		if (n == ARGS_MAX)
			return -E2BIG;
		argv[n++] = setup->args[i];
	}
	child->pid = fork();
	if (child->pid < 0) {
		child->pid = 0;
		return -errno;
	}
	if (child->pid == 0)
		become_worker(setup, (char *const *)(uintptr_t)argv, b->ipc, b->conf, b->pulse);
	return 0;
}

/* Registers what tells of the worker; b->ipc_ours becomes the ipc's, b->pulse the child's. */
static int
listen_to(struct child *child, struct birth *b)
{
	int fd = b->ipc_ours, r;

	child->pulse_fd = b->pulse;
	b->pulse = -1;
	child->process.fd = pidfd_open(child->pid, 0);
	child->process.ready = on_process;
	if (child->process.fd < 0)
		return -errno;
	r = loop_add(child->loop, &child->process, EPOLLIN);
	if (r < 0)
		return r;
	b->ipc_ours = -1;
	return ipc_init(&child->ipc, child->loop, fd, child->on_message, on_ipc_closed, child->ctx);
}

int
child_spawn(struct child *child, const struct child_setup *setup)
{
	struct birth b;
	int r;

	child->gone = false;
	child->born = mono_now();
	child->ipc = (struct ipc){ .socket = { .fd = -1 } };
	r = birth_open(&b, setup, &child->pulse);
	if (r == 0)
		r = fork_worker(child, setup, &b);
	if (r == 0)
		r = listen_to(child, &b);
	birth_close(&b);
	if (r < 0)
		child_fini(child);
	return r;
}

void
child_estate(struct child *child, struct estate *e)
{
	estate_section(e, "worker");
	estate_int(e, &child->pid, 0, INT_MAX);
	estate_bool(e, &child->gone);
	estate_mono(e, &child->born);
	estate_fd(e, &child->process.fd);
	estate_fd(e, &child->ipc.socket.fd);
	estate_fd(e, &child->pulse_fd);
	if (e->writing)
		return;
	if ((child->pid != 0) != (child->process.fd >= 0) ||
	    (child->pid != 0) != (child->pulse_fd >= 0))
		estate_fail(e, "it has a worker without descriptors");
	if (estate_failed(e))
		child->pid = 0;
}

int
child_resume(struct child *child)
{
	int fd = child->ipc.socket.fd, r;

	child->ipc = (struct ipc){ .socket = { .fd = -1 } };
	if (!child->pid)
		return 0;
	r = pulse_map(child->pulse_fd, &child->pulse);
	if (r < 0)
		return r;
	child->process.ready = on_process;
	r = loop_add(child->loop, &child->process, EPOLLIN);
	if (r == 0 && fd >= 0)
		r = ipc_init(&child->ipc, child->loop, fd, child->on_message, on_ipc_closed,
			     child->ctx);
	return r;
}

void
child_watch(struct child *child)
{
	int r;

	if (!child_running(child) || child->death.running || !atomic_load(&child->pulse->locked))
		return;
	r = deathwatch_start(&child->death, child->loop, child->pulse, on_death, child);
	if (r < 0)
		log_warning("no death watch (%s): the worker's death will be noticed later",
			    strerror(-r));
}

/* ---- death ---- */

void
child_give_up(struct child *child, const char *how)
{
	if (child->pid != 0)
		report_gone(child, how);
}

void
child_kill(struct child *child)
{
	/* By descriptor: after it has been reaped its number may be somebody else's. */
	if (child->process.fd >= 0)
		pidfd_send_signal(child->process.fd, SIGKILL, NULL, 0);
}

void
child_fini(struct child *child)
{
	siginfo_t info;

	if (child->pid != 0) {
		kill(child->pid, SIGKILL); /* not reaped yet: the number is still its own */
		reap(child, &info, 0);
	}
	child->gone = true;
	let_go(child);
}
