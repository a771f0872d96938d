/*
 * script.c - see script.h.  Runs on the guardian's loop, which never waits for a script: a pidfd
 * tells of its end, a timer of its deadline.
 */
#include "daemon/script.h"

#include "common/list.h"
#include "common/log.h"
#include "daemon/estate.h"
#include "daemon/realtime.h"
#include "daemon/script_words.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRIPT_UMASK    0177
#define SCRIPT_MORE_MAX 8

static struct rlimit files_limit; /* all zero: not noted */
static struct list running = { &running, &running };

void
script_note_limits(void)
{
	if (getrlimit(RLIMIT_NOFILE, &files_limit) < 0)
		files_limit = (struct rlimit){ 0 };
}

/* ---- birth ---- */

/* The rights of its owner, for good. */
static bool
become_owner(const struct script_owner *owner)
{
	if (owner->uid == geteuid() && owner->gid == getegid() && owner->groups_n == 0)
		return true;
	return setgroups((size_t)owner->groups_n, owner->groups) == 0 && setgid(owner->gid) == 0 &&
	       setuid(owner->uid) == 0;
}

static bool
open_nothing(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd >= 0 && dup2(fd, 0) == 0 && dup2(fd, 1) == 1 && dup2(fd, 2) == 2 &&
	       close_range(3, ~0U, 0) == 0;
}

/* After fork: only async-signal-safe calls until the exec. */
static void __attribute__((noreturn))
become_script(const struct script_program *program, char *const *argv, char *const *shell_argv,
	      pid_t parent)
{
	char *const *environment = program->environment ? program->environment : environ;
	sigset_t none;

	setsid();
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	realtime_undo();
	if (files_limit.rlim_max)
		setrlimit(RLIMIT_NOFILE, &files_limit);
	umask(SCRIPT_UMASK);
	if (!open_nothing() || !become_owner(&program->owner))
		_exit(126);
	/* A change of rights clears it; the guardian may have died before. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(126);
	execve(program->path, argv, environment);
	if (errno == ENOEXEC) /* a script that does not say whose: as execvp does */
		execve("/bin/sh", shell_argv, environment);
	_exit(127);
}

static void on_process(struct loop_fd *lf, uint32_t events);

void
script_limits_estate(struct estate *e)
{
	uint64_t soft = files_limit.rlim_cur, hard = files_limit.rlim_max;

	estate_section(e, "limits");
	estate_u64(e, &soft);
	estate_u64(e, &hard);
	if (!e->writing && !estate_failed(e))
		files_limit = (struct rlimit){ soft, hard };
}

/* Registers what tells of its end. */
static int
listen_to(struct script_run *run)
{
	int r;

	run->process = (struct loop_fd){ .fd = pidfd_open(run->pid, 0), .ready = on_process };
	r = run->process.fd < 0 ? -errno : loop_add(run->loop, &run->process, EPOLLIN);
	if (r == 0)
		return 0;
	if (run->process.fd >= 0)
		close(run->process.fd);
	run->process.fd = -1;
	kill(run->pid, SIGKILL);
	while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
		;
	run->pid = 0;
	return r;
}

int
script_start(struct script_run *run, const struct script_program *program, const char *const *more,
	     int64_t limit_ms, bool alone)
{
	/* shell_argv[2…] is argv[1…] behind "sh PATH". */
	const char *all[SCRIPT_WORDS_MAX + SCRIPT_MORE_MAX + 2] = { "/bin/sh" };
	const char **argv = all + 1;
	char *const *script_argv = (char *const *)(uintptr_t)argv;
	char *shell_argv[SCRIPT_WORDS_MAX + SCRIPT_MORE_MAX + 2];
	pid_t parent = getpid();
	size_t n = 0;
	int r;

	while (program->words[n]) {
		argv[n] = program->words[n];
		n++;
	}
	for (size_t i = 0; more && more[i] && i < SCRIPT_MORE_MAX; i++)
		argv[n++] = more[i];
	argv[n] = NULL;
	memcpy(shell_argv, all, (n + 2) * sizeof *all);
	shell_argv[1] = program->path;
	run->alone = alone;
	run->told_to_end = false;
	run->born = mono_now();
	run->pid = fork();
	if (run->pid == 0)
		become_script(program, script_argv, shell_argv, parent);
	if (run->pid < 0) {
		run->pid = 0;
		return -errno;
	}
	r = listen_to(run);
	if (r == 0)
		list_append(&running, &run->running);
	if (r == 0 && limit_ms)
		timer_arm(&run->loop->timers, &run->deadline, mono_add_ms(run->born, limit_ms));
	return r;
}

/* ---- death ---- */

/* The whole group; the process itself too, which may not have its group yet. */
static void
send_signal(struct script_run *run, int signo)
{
	kill(-run->pid, signo);
	pidfd_send_signal(run->process.fd, signo, NULL, 0);
}

static void
on_deadline(struct timer *t, struct mono now)
{
	struct script_run *run = CONTAINER_OF(t, struct script_run, deadline);
	bool first = !run->told_to_end;

	run->told_to_end = true;
	send_signal(run, first ? SIGTERM : SIGKILL);
	timer_arm(&run->loop->timers, t, mono_add_ms(now, SCRIPT_TERM_MS));
	if (first && run->late)
		run->late(run);
}

static void
let_go(struct script_run *run)
{
	timer_disarm(&run->loop->timers, &run->deadline);
	close(loop_remove(run->loop, &run->process));
	list_remove(&run->running);
	run->pid = 0;
}

static bool
is_running(pid_t pid)
{
	LIST_FOR_EACH(at, &running)
		if (CONTAINER_OF(at, struct script_run, running)->pid == pid)
			return true;
	return false;
}

/*
 * In a container this may be the first process, which inherits what scripts leave behind.  Whoever
 * is in our own group is somebody else's to reap (the worker), and so is a script that runs.
 */
static void
reap_strays(void)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0 ||
		    is_running(info.si_pid) || getpgid(info.si_pid) == getpgrp())
			return;
		waitpid(info.si_pid, NULL, WNOHANG);
	}
}

static void
on_process(struct loop_fd *lf, uint32_t events)
{
	struct script_run *run = CONTAINER_OF(lf, struct script_run, process);
	struct script_end end = { .timed_out = run->told_to_end, .status = -1 };
	siginfo_t info = { 0 };
	bool was_realtime;

	if (waitid(P_PIDFD, (id_t)lf->fd, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    info.si_pid == 0)
		return;
	/* Not reaped yet: the number is still that of its group. */
	if (run->alone || run->told_to_end)
		kill(-run->pid, SIGKILL);
	was_realtime = realtime_pause(); /* child.c says why */
	waitid(P_PIDFD, (id_t)lf->fd, &info, WEXITED);
	if (was_realtime)
		realtime_thread();
	if (info.si_code == CLD_EXITED)
		end.status = info.si_status;
	else
		end.signal = info.si_status;
	end.took_ms = mono_since_ms(run->loop->now, run->born);
	let_go(run);
	reap_strays();
	run->done(run, &end);
}

void
script_limit(struct script_run *run, int64_t limit_ms)
{
	struct mono when = mono_add_ms(run->loop->now, limit_ms);

	if (run->pid && (!timer_armed(&run->deadline) || mono_before(when, run->deadline.when)))
		timer_arm(&run->loop->timers, &run->deadline, when);
}

void
script_run_init(struct script_run *run, struct loop *loop, script_done_fn *done, void *ctx)
{
	*run = (struct script_run){
		.loop = loop,
		.process = { .fd = -1 },
		.deadline = { .fire = on_deadline },
		.done = done,
		.ctx = ctx,
	};
	list_init(&run->running);
}

void
script_run_fini(struct script_run *run)
{
	if (!run->pid)
		return;
	send_signal(run, SIGKILL);
	/* One that the kernel cannot end now is left to init: nobody waits for it here. */
	waitpid(run->pid, NULL, WNOHANG);
	let_go(run);
}

void
script_run_estate(struct script_run *run, struct estate *e)
{
	estate_int(e, &run->pid, 0, INT_MAX);
	estate_fd(e, &run->process.fd);
	estate_mono(e, &run->born);
	estate_bool(e, &run->told_to_end);
	estate_bool(e, &run->alone);
	estate_timer(e, &run->loop->timers, &run->deadline);
	if (!e->writing && (run->pid != 0) != (run->process.fd >= 0))
		estate_fail(e, "it has a process without a descriptor");
	if (!e->writing && estate_failed(e))
		run->pid = 0;
}

int
script_run_resume(struct script_run *run)
{
	int r;

	if (!run->pid)
		return 0;
	run->process.ready = on_process;
	r = loop_add(run->loop, &run->process, EPOLLIN);
	if (r == 0)
		list_append(&running, &run->running);
	return r;
}
