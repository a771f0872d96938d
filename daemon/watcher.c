/*
 * watcher.c - see watcher.h.  Runs on the guardian's loop; become_watcher and watcher_report in the
 * child.
 */
#include "daemon/watcher.h"

#include "common/list.h"
#include "common/log.h"
#include "daemon/realtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define END_WAIT_MS 50
#define REPORT_FD   3

/* ---- the child ---- */

/* A session of its own: whoever signals the guardian's group means the guardian. */
static void __attribute__((noreturn))
become_watcher(const struct watcher *watcher, int out, pid_t parent)
{
	sigset_t none;

	setsid();
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	realtime_undo();
	prctl(PR_SET_NAME, "tandem-watch");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup3(out, REPORT_FD, O_CLOEXEC) < 0 ||
	    close_range(REPORT_FD + 1, ~0U, 0) < 0)
		_exit(1);
	close_range(0, REPORT_FD - 1, 0);
	watcher->work(watcher->conf, watcher->again, REPORT_FD);
	_exit(1);
}

void
watcher_report(int out, enum watch_kind kind, uint32_t index, int32_t value)
{
	const struct watch_report report = { kind, index, value };

	/* Less than PIPE_BUF: all of it or nothing. */
	while (write(out, &report, sizeof report) < 0)
		if (errno != EINTR)
			_exit(1);
}

/* ---- the guardian ---- */

static void start(struct watcher *watcher);

static void
on_restart(struct timer *t, struct mono now)
{
	start(CONTAINER_OF(t, struct watcher, restart));
}

static void
start_later(struct watcher *watcher, int64_t lived_ms)
{
	timer_arm(&watcher->loop->timers, &watcher->restart,
		  mono_add_ms(mono_now(), backoff_delay_ms(&watcher->backoff, lived_ms)));
}

/* Its end of the pipe is closed only by its end. */
static void
on_end(struct watcher *watcher)
{
	int64_t lived_ms = mono_since_ms(watcher->loop->now, watcher->born);

	close(loop_remove(watcher->loop, &watcher->reports));
	waitpid(watcher->pid, NULL, 0);
	watcher->pid = 0;
	watcher->again = true;
	log_warning("the process that watches files and processes has ended: starting it again");
	start_later(watcher, lived_ms);
}

static void
on_reports(struct loop_fd *lf, uint32_t events)
{
	struct watcher *watcher = CONTAINER_OF(lf, struct watcher, reports);
	struct watch_report batch[64];
	ssize_t n = read(lf->fd, batch, sizeof batch);

	for (ssize_t i = 0; i < n / (ssize_t)sizeof *batch; i++)
		watcher->tell(watcher->ctx, &batch[i]);
	if (n == 0)
		on_end(watcher);
}

static void
start(struct watcher *watcher)
{
	pid_t parent = getpid();
	int fds[2], r;

	watcher->born = mono_now();
	if (pipe2(fds, O_CLOEXEC) < 0) {
		log_error("cannot watch files and processes: %m");
		start_later(watcher, 0);
		return;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	watcher->pid = fork();
	if (watcher->pid == 0)
		become_watcher(watcher, fds[1], parent);
	close(fds[1]);
	watcher->reports = (struct loop_fd){ .fd = fds[0], .ready = on_reports };
	r = watcher->pid < 0 ? -errno : loop_add(watcher->loop, &watcher->reports, EPOLLIN);
	if (r == 0)
		return;
	log_error("cannot watch files and processes: %s", strerror(-r));
	close(fds[0]);
	watcher->reports.fd = -1;
	if (watcher->pid > 0) {
		kill(watcher->pid, SIGKILL);
		waitpid(watcher->pid, NULL, 0);
	}
	watcher->pid = 0;
	start_later(watcher, 0);
}

void
watcher_init(struct watcher *watcher, struct loop *loop, const struct conf *conf,
	     watcher_work_fn *work, bool again, watcher_tell_fn *tell, void *ctx)
{
	*watcher = (struct watcher){
		.loop = loop,
		.conf = conf,
		.work = work,
		.again = again,
		.tell = tell,
		.ctx = ctx,
		.reports = { .fd = -1 },
		.restart = { .fire = on_restart },
	};
	start(watcher);
}

/* One that the kernel cannot end now, for a file system that hangs, is not waited for. */
void
watcher_fini(struct watcher *watcher)
{
	struct timespec pause = { .tv_nsec = NS_PER_MS };

	if (!watcher->loop)
		return;
	timer_disarm(&watcher->loop->timers, &watcher->restart);
	close(loop_remove(watcher->loop, &watcher->reports));
	if (watcher->pid) {
		kill(watcher->pid, SIGKILL);
		for (int i = 0; i < END_WAIT_MS && waitpid(watcher->pid, NULL, WNOHANG) == 0; i++)
			nanosleep(&pause, NULL);
	}
	watcher->pid = 0;
}

bool
watch_is_tracked(const struct conf *conf, enum conf_track_kind kind, uint32_t index)
{
	for (size_t i = 0; i < conf->instances_n; i++) {
		const struct conf_track_list *list = &conf->instances[i].track[kind];

		for (size_t j = 0; j < list->n; j++)
			if (list->at[j].index == index)
				return true;
	}
	return false;
}
