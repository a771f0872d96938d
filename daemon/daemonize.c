/*
 * daemonize.c - to the background.  Runs in what becomes the guardian, before it has threads or
 * children; daemonize_detach also in the worker.
 *
 * The parent that the shell waits for keeps a pipe to the guardian: a byte in it means that the first
 * worker serves, its end without one that start-up failed.  Until then both keep the terminal's
 * stderr, so that what went wrong is seen by whoever started it.
 */
#include "daemon/daemonize.h"

#include "common/log.h"
#include "common/log_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
daemonize_fork(struct daemonize *d)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int r = -errno;

		close(fds[0]);
		close(fds[1]);
		return r;
	}
	if (pid > 0) {
		char byte;
		ssize_t n;

		close(fds[1]);
		do
			n = read(fds[0], &byte, 1);
		while (n < 0 && errno == EINTR);
		_exit(n == 1 ? 0 : 1);
	}
	close(fds[0]);
	d->notify_fd = fds[1];
	return setsid() < 0 ? -errno : 0;
}

void
daemonize_detach(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		log_warning("cannot open /dev/null: %m");
		return;
	}
	dup2(fd, STDIN_FILENO);
	log_streams_silence(fd);
	if (fd > STDERR_FILENO)
		close(fd);
}

void
daemonize_started(void *ctx)
{
	struct daemonize *d = ctx;

	if (d->notify_fd < 0)
		return;
	if (write(d->notify_fd, "", 1) != 1)
		log_debug("nobody waits for the start any more");
	close(d->notify_fd);
	d->notify_fd = -1;
	daemonize_detach();
}
