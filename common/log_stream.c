/*
 * log_stream.c - see log_stream.h.  Any thread; what is written down here changes while there is one
 * thread only, but for log_streams_silence, which replaces the file behind a descriptor and never its
 * number: no thread can write into a descriptor that somebody else has got meanwhile.
 */
#include "common/log_stream.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind {
	KIND_UNKNOWN, /* could not be opened again: look first, and hope */
	KIND_OWN,     /* non-blocking, through a descriptor of our own */
	KIND_SOCKET,  /* a call can be non-blocking */
	KIND_FILE,    /* never waits for a reader */
};

static struct {
	_Atomic int kind;
	int own;           /* a descriptor of our own; 0 = there is none yet */
	_Atomic bool torn; /* the last line there has no end */
} streams[STDERR_FILENO + 1];

/* The same pipe or terminal as `fd`, in place of what was ours before.  With nobody at the other end
 * of a pipe there is nothing to open. */
static bool
open_own(int fd)
{
	char path[32];
	int own;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0)
		return false;
	if (streams[fd].own == 0) {
		streams[fd].own = own;
		return true;
	}
	dup3(own, streams[fd].own, O_CLOEXEC);
	close(own);
	return true;
}

static enum kind
look(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return KIND_UNKNOWN;
	if (S_ISSOCK(st.st_mode))
		return KIND_SOCKET;
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		return open_own(fd) ? KIND_OWN : KIND_UNKNOWN;
	return KIND_FILE;
}

void
log_streams_open(void)
{
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		atomic_store(&streams[fd].kind, look(fd));
}

void
log_streams_silence(int fd)
{
	for (int i = STDOUT_FILENO; i <= STDERR_FILENO; i++) {
		dup2(fd, i);
		if (streams[i].own)
			dup3(fd, streams[i].own, O_CLOEXEC);
		if (atomic_load(&streams[i].kind) != KIND_OWN)
			atomic_store(&streams[i].kind, KIND_FILE);
	}
}

/* A pipe that polls writable has room for PIPE_BUF octets, unless another thread or process is
 * faster. */
static ssize_t
write_pieces(int fd, const char *line, size_t len)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	size_t done = 0;

	while (done < len && poll(&room, 1, 0) == 1 && room.revents == POLLOUT) {
		size_t rest = len - done;
		ssize_t n = write(fd, line + done, rest < PIPE_BUF ? rest : PIPE_BUF);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static ssize_t
put(int fd, const char *line, size_t len)
{
	switch ((enum kind)atomic_load_explicit(&streams[fd].kind, memory_order_relaxed)) {
	case KIND_UNKNOWN:
		return write_pieces(fd, line, len);
	case KIND_OWN:
		return write(streams[fd].own, line, len);
	case KIND_SOCKET:
		return send(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	case KIND_FILE:
		return write(fd, line, len);
	}
	return -1;
}

bool
log_stream_write(int fd, const char *line, size_t len)
{
	_Atomic bool *torn = &streams[fd].torn;
	ssize_t written;

	if (atomic_load_explicit(torn, memory_order_relaxed)) {
		if (put(fd, "\n", 1) != 1)
			return false;
		atomic_store_explicit(torn, false, memory_order_relaxed);
	}
	written = put(fd, line, len);
	if (written > 0 && written < (ssize_t)len)
		atomic_store_explicit(torn, true, memory_order_relaxed);
	return written == (ssize_t)len;
}
