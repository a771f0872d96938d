/*
 * loader.c - see loader.h.  loader_main runs in the child, everything else on the guardian's loop.
 */
#include "daemon/loader.h"

#include "common/list.h"
#include "common/log.h"
#include "daemon/check.h"
#include "daemon/memfd.h"
#include "daemon/preflight.h"
#include "daemon/realtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 256

/* ---- in the child ---- */

static int
write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* What was read once from a pipe cannot be read again. */
static bool
reads_stdin(const struct options *o)
{
	for (size_t i = 0; i < o->files_n; i++)
		if (strcmp(o->files[i], "-") == 0)
			return true;
	return false;
}

static int
hand_over(struct check *c)
{
	size_t len, tls_len = 0;
	void *block = conf_pack(c->arena, c->sources, c->sources_n, &c->options, &len);
	void *tls = c->tls_files ? tls_files_pack(c->tls_files, &tls_len) : NULL;
	int r = write_all(LOADER_FD_CONF, block, len);

	if (r == 0 && tls)
		r = write_all(LOADER_FD_TLS, tls, tls_len);
	tls_files_wipe(tls, tls_len);
	if (r < 0)
		fprintf(stderr, "tandem: cannot hand over the configuration: %s\n", strerror(-r));
	return r;
}

/* check_fini either way. */
static int
load(struct check *c, const struct options *o)
{
	int r;

	*c = (struct check){ 0 };
	if (reads_stdin(o)) {
		fprintf(stderr, "tandem: the configuration came from standard input and cannot be "
				"read again\n");
		return -EINVAL;
	}
	r = check_load(c, o);
	return r == 0 && preflight_rights(c->conf) > 0 ? -EPERM : r;
}

int
loader_check(const struct options *o)
{
	struct check c;
	int r = load(&c, o);

	check_fini(&c);
	return r;
}

int
loader_main(const struct options *o)
{
	const struct log_setup log = {
		.ident = "tandem", .to_stderr = true, .facility = LOG_DAEMON, .level = LOG_INFO
	};
	struct check c;
	int r;

	log_init(&log);
	log_set_role("load");
	r = load(&c, o);
	if (r == 0)
		r = hand_over(&c);
	check_fini(&c);
	return r < 0;
}

/* ---- birth ---- */

/* After fork: only async-signal-safe calls until the exec. */
static void __attribute__((noreturn))
become_loader(const char *executable, const char *const *argv, const struct loader *l, int text_fd,
	      int state_fd)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	realtime_undo();
	setrlimit(RLIMIT_CORE, &no_core);
	/* All of them are above the places. */
	if (dup2(l->conf_fd, LOADER_FD_CONF) >= 0 && dup2(l->tls_fd, LOADER_FD_TLS) >= 0 &&
	    dup2(text_fd, STDERR_FILENO) >= 0 && dup2(text_fd, STDOUT_FILENO) >= 0 &&
	    (state_fd < 0 || dup2(state_fd, LOADER_FD_STATE) >= 0)) {
		/* One of them may be the executable, which is opened only now. */
		close_range(LOADER_FD_TLS + 1 + (state_fd >= 0), ~0U, CLOSE_RANGE_CLOEXEC);
		execv(executable, (char *const *)(uintptr_t)argv);
	}
	_exit(127);
}

static int
lifted_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC), lifted;

	if (fd < 0)
		return -errno;
	lifted = fcntl(fd, F_DUPFD_CLOEXEC, LOADER_FD_STATE + 1);
	if (lifted < 0)
		lifted = -errno;
	close(fd);
	return lifted;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
close_fds(struct loader *l)
{
	close_fd(&l->conf_fd);
	close_fd(&l->tls_fd);
	close_fd(&l->text_fd);
}

static int
fork_loader(struct loader *l, const struct loader_job *job, int text_fd)
{
	const char *argv[ARGS_MAX + 3] = { "tandem", job->word };
	size_t n = 2;

	for (size_t i = 0; job->args[i]; i++) {
		if (n == ARGS_MAX + 2)
			return -E2BIG;
		argv[n++] = job->args[i];
	}
	l->pid = fork();
	if (l->pid < 0) {
		l->pid = 0;
		return -errno;
	}
	if (l->pid == 0)
		become_loader(job->executable, argv, l, text_fd, job->state_fd);
	return 0;
}

static int
watch(struct loader *l)
{
	int r;

	l->process.fd = pidfd_open(l->pid, 0);
	if (l->process.fd < 0)
		return -errno;
	r = loop_add(l->loop, &l->process, EPOLLIN);
	if (r < 0)
		close_fd(&l->process.fd);
	return r;
}

int
loader_start(struct loader *l, const struct loader_job *job)
{
	int pipe_fds[2] = { -1, -1 }, lifted = -1, r = 0;

	close_fds(l);
	l->text_len = 0;
	l->text[0] = '\0';
	l->conf_fd = lifted_memfd("tandem-load");
	l->tls_fd = lifted_memfd("tandem-load-tls");
	if (l->conf_fd < 0 || l->tls_fd < 0 || pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		r = l->conf_fd < 0 ? l->conf_fd : l->tls_fd < 0 ? l->tls_fd : -errno;
	if (r == 0) {
		l->text_fd = pipe_fds[0];
		/* The child's end waits for room instead of losing what it has to say. */
		fcntl(pipe_fds[1], F_SETFL, 0);
		lifted = fcntl(pipe_fds[1], F_DUPFD_CLOEXEC, LOADER_FD_STATE + 1);
		r = lifted < 0 ? -errno : fork_loader(l, job, lifted);
	}
	if (r == 0)
		r = watch(l);
	close_fd(&pipe_fds[1]);
	close_fd(&lifted);
	if (r == 0) {
		l->text_event.fd = l->text_fd;
		r = loop_add(l->loop, &l->text_event, EPOLLIN);
	}
	if (r < 0)
		loader_abort(l);
	return r;
}

/* ---- what it says, and its end ---- */

/* What does not fit is read and thrown away: the child must not wait for us. */
static bool
read_text(struct loader *l)
{
	char rest[4096];
	size_t room = LOADER_TEXT_MAX - 1 - l->text_len;
	ssize_t n =
		read(l->text_fd, room ? l->text + l->text_len : rest, room ? room : sizeof rest);

	if (n > 0 && room) {
		l->text_len += (size_t)n;
		l->text[l->text_len] = '\0';
	}
	return n > 0;
}

static void
on_text(struct loop_fd *lf, uint32_t events)
{
	struct loader *l = CONTAINER_OF(lf, struct loader, text_event);

	errno = 0; /* at the end of the pipe nothing sets it */
	if (!read_text(l) && errno != EAGAIN && errno != EINTR)
		loop_remove(l->loop, lf);
}

/* Waits for the end of a process that is at its end. */
static bool
reap(struct loader *l)
{
	siginfo_t info = { 0 };
	int r, fd;

	do
		r = waitid(P_PID, (id_t)l->pid, &info, WEXITED);
	while (r < 0 && errno == EINTR);
	fd = loop_remove(l->loop, &l->process);
	if (fd >= 0)
		close(fd);
	loop_remove(l->loop, &l->text_event);
	l->pid = 0;
	return info.si_code == CLD_EXITED && info.si_status == 0;
}

static void
on_process(struct loop_fd *lf, uint32_t events)
{
	struct loader *l = CONTAINER_OF(lf, struct loader, process);
	bool loaded = reap(l);

	/* It is gone, so there is an end to this. */
	while (read_text(l))
		;
	if (!loaded && l->text_len == 0)
		snprintf(
			l->text, LOADER_TEXT_MAX,
			"tandem: the program that was to read the configuration came to a bad end\n");
	l->done(l->ctx, loaded);
}

void
loader_abort(struct loader *l)
{
	if (l->pid) {
		kill(l->pid, SIGKILL); /* not reaped yet: the number is still its own */
		reap(l);
	}
	close_fds(l);
}

int
loader_take(struct loader *l, void **conf, size_t *conf_len, void **tls, size_t *tls_len)
{
	*tls = NULL;
	*conf = memfd_read(l->conf_fd, conf_len);
	if (*conf)
		*tls = memfd_read(l->tls_fd, tls_len);
	close_fds(l);
	if (!*conf || !*tls) {
		free(*conf);
		return -ENOMEM;
	}
	if (*tls_len == 0) {
		free(*tls);
		*tls = NULL;
	}
	return 0;
}

void
loader_init(struct loader *l, struct loop *loop, void (*done)(void *ctx, bool loaded), void *ctx)
{
	*l = (struct loader){
		.loop = loop,
		.process = { .fd = -1, .ready = on_process },
		.text_event = { .fd = -1, .ready = on_text },
		.text_fd = -1,
		.conf_fd = -1,
		.tls_fd = -1,
		.done = done,
		.ctx = ctx,
	};
}

void
loader_fini(struct loader *l)
{
	if (!l->loop)
		return;
	loader_abort(l);
}
