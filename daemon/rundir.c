/*
 * rundir.c - see rundir.h.  Runs in the guardian, at start and at the end.
 */
#include "daemon/rundir.h"

#include "common/addr.h"
#include "common/log.h"
#include "daemon/estate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTROL_BACKLOG 16

/* -ENAMETOOLONG if it does not fit. */
static int
join(char path[PATH_MAX], const char *dir, const char *name)
{
	int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* The whole file becomes this process's number. */
static int
write_pid(int fd)
{
	char text[16];
	int n = snprintf(text, sizeof text, "%d\n", (int)getpid());

	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return errno ? -errno : -EIO;
	return 0;
}

static void
complain_of_other(int fd, const char *dir)
{
	char pid[16] = "";
	ssize_t n = pread(fd, pid, sizeof pid - 1, 0);

	pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
	log_error("another tandem is running in %s (pid %s)", dir, pid[0] ? pid : "unknown");
}

int
rundir_init(struct rundir *rundir, const char *dir)
{
	char path[PATH_MAX];
	int r;

	*rundir = (struct rundir){ .lock_fd = -1, .control_fd = -1, .command_fd = -1 };
	r = join(path, dir, RUNDIR_LOCK);
	if (r == 0 && mkdir(dir, 0755) < 0 && errno != EEXIST)
		r = -errno;
	if (r < 0) {
		log_error("cannot create the run directory %s: %s", dir, strerror(-r));
		return r;
	}
	rundir->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (rundir->lock_fd < 0) {
		r = -errno;
		log_error("cannot open %s: %s", path, strerror(-r));
		return r;
	}
	if (flock(rundir->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		r = -errno;
		if (r == -EWOULDBLOCK)
			complain_of_other(rundir->lock_fd, dir);
		else
			log_error("cannot lock %s: %s", path, strerror(-r));
		close(rundir->lock_fd);
		rundir->lock_fd = -1;
		return r;
	}
	r = write_pid(rundir->lock_fd);
	if (r < 0)
		log_error("cannot write to %s: %s", path, strerror(-r));
	return r;
}

/* A listening socket for root alone, or -errno. */
static int
open_socket(const char *path)
{
	struct sock_addr address;
	mode_t mask;
	int fd, r;

	if (strlen(path) >= sizeof address.un.sun_path)
		return -ENAMETOOLONG;
	address = sock_addr_unix(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* The lock is ours, so whatever is there was left by the dead. */
	r = unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	mask = umask(0177);
	if (r == 0 && bind(fd, &address.any, address.len) < 0)
		r = -errno;
	umask(mask);
	if (r == 0 && listen(fd, CONTROL_BACKLOG) < 0)
		r = -errno;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

static int
open_named(char path[PATH_MAX], const char *dir, const char *name, int *fd)
{
	int r = join(path, dir, name);

	if (r == 0)
		r = open_socket(path);
	if (r < 0) {
		log_error("cannot open the socket %s/%s: %s", dir, name, strerror(-r));
		return r;
	}
	*fd = r;
	return 0;
}

static int
write_pidfile(struct rundir *rundir, const char *dir, const char *pidfile)
{
	int n, fd, r;

	n = pidfile ? snprintf(rundir->pidfile, PATH_MAX, "%s", pidfile)
		    : snprintf(rundir->pidfile, PATH_MAX, "%s/%s", dir, RUNDIR_PIDFILE);
	if (n >= PATH_MAX) {
		rundir->pidfile[0] = '\0';
		return -ENAMETOOLONG;
	}
	fd = open(rundir->pidfile, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		r = -errno;
		rundir->pidfile[0] = '\0';
		return r;
	}
	r = write_pid(fd);
	close(fd);
	return r;
}

int
rundir_publish(struct rundir *rundir, const char *dir, const char *pidfile)
{
	int r = write_pidfile(rundir, dir, pidfile);

	if (r < 0) {
		log_error("cannot write the pid file %s: %s", pidfile ? pidfile : RUNDIR_PIDFILE,
			  strerror(-r));
		return r;
	}
	r = open_named(rundir->control, dir, RUNDIR_CONTROL, &rundir->control_fd);
	return r < 0 ? r : open_named(rundir->command, dir, RUNDIR_COMMAND, &rundir->command_fd);
}

void
rundir_fini(struct rundir *rundir)
{
	if (rundir->lock_fd < 0)
		return;
	if (rundir->control_fd >= 0) {
		close(rundir->control_fd);
		unlink(rundir->control);
	}
	if (rundir->command_fd >= 0)
		close(rundir->command_fd);
	if (rundir->command[0])
		unlink(rundir->command);
	if (rundir->pidfile[0])
		unlink(rundir->pidfile);
	close(rundir->lock_fd);
	*rundir = (struct rundir){ .lock_fd = -1, .control_fd = -1, .command_fd = -1 };
}

void
rundir_estate(struct rundir *rundir, int command_fd, struct estate *e)
{
	estate_section(e, "run directory");
	estate_fd(e, &rundir->lock_fd);
	estate_fd(e, &rundir->control_fd);
	estate_fd(e, &command_fd);
	estate_text(e, rundir->control, sizeof rundir->control);
	estate_text(e, rundir->command, sizeof rundir->command);
	estate_text(e, rundir->pidfile, sizeof rundir->pidfile);
	if (e->writing)
		return;
	rundir->command_fd = command_fd;
	if (rundir->lock_fd < 0 || rundir->control_fd < 0 || command_fd < 0)
		estate_fail(e, "its run directory is not whole");
}
