/*
 * client.c - `tandem status`, the side of the person who asks: fetches the document from the control
 * socket.  How it looks is client_render.c.
 *
 * The guardian holds the listening socket, the worker answers: a connection that is accepted by
 * nobody means that there is no worker, or that it hangs.
 */
#include "daemon/client.h"

#include "common/addr.h"
#include "common/clock.h"
#include "daemon/rundir.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS  2000
#define ANSWER_MAX (64U << 20)

enum { EXIT_NOTHING_RUNS = 1, EXIT_NO_ANSWER = 2 };

/* Waits for `events`; false when the time is up. */
static bool
wait_for(int fd, short events, struct mono until)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left_ms;

	do {
		left_ms = mono_since_ms(until, mono_now());
		if (left_ms <= 0)
			return false;
	} while (poll(&p, 1, (int)left_ms) < 0 && errno == EINTR);
	return p.revents != 0;
}

/* A connected socket, or -errno; -EAGAIN: somebody listens but accepts nothing. */
static int
open_control(const char *rundir)
{
	char path[PATH_MAX];
	struct sock_addr address;
	int fd, r;

	if ((size_t)snprintf(path, sizeof path, "%s/%s", rundir, RUNDIR_CONTROL) >=
	    sizeof address.un.sun_path)
		return -ENAMETOOLONG;
	address = sock_addr_unix(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, &address.any, address.len) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

/* All that comes until the other side closes, NUL-terminated; NULL when the time is up. */
static char *
read_answer(int fd, struct mono until, size_t *len)
{
	size_t size = 65536, n = 0;
	char *text = malloc(size);

	while (text) {
		ssize_t got;

		if (size - n < 2) {
			char *more = size < ANSWER_MAX ? realloc(text, size * 2) : NULL;

			if (!more)
				break;
			text = more;
			size *= 2;
		}
		if (!wait_for(fd, POLLIN, until))
			break;
		got = recv(fd, text + n, size - n - 1, 0);
		if (got == 0) {
			text[n] = '\0';
			*len = n;
			return text;
		}
		if (got > 0)
			n += (size_t)got;
		else if (errno != EAGAIN && errno != EINTR)
			break;
	}
	free(text);
	return NULL;
}

static int
no_answer(void)
{
	fprintf(stderr, "tandem: it runs, but its worker does not answer within %d s\n",
		ANSWER_MS / 1000);
	return EXIT_NO_ANSWER;
}

static int
show(const struct options *o, const char *text, size_t len)
{
	json_error_t error;
	json_t *status;

	if (o->json) {
		fwrite(text, 1, len, stdout);
		putchar('\n');
		return fflush(stdout) ? EXIT_NOTHING_RUNS : 0;
	}
	status = json_loadb(text, len, 0, &error);
	if (!json_is_object(status)) {
		fprintf(stderr, "tandem: the answer is not understood: %s\n", error.text);
		json_decref(status);
		return EXIT_NOTHING_RUNS;
	}
	client_render(stdout, status);
	json_decref(status);
	return fflush(stdout) ? EXIT_NOTHING_RUNS : 0;
}

int
client_status(const struct options *o)
{
	static const char question[] = "status\n";
	struct mono until = mono_add_ms(mono_now(), ANSWER_MS);
	int fd = open_control(o->rundir), status;
	size_t len = 0;
	char *text;

	if (fd == -EAGAIN)
		return no_answer();
	if (fd == -ENOENT || fd == -ECONNREFUSED || fd == -ENOTDIR) {
		fprintf(stderr, "tandem: nothing is running in %s\n", o->rundir);
		return EXIT_NOTHING_RUNS;
	}
	if (fd < 0) {
		fprintf(stderr, "tandem: cannot ask %s/%s: %s\n", o->rundir, RUNDIR_CONTROL,
			strerror(-fd));
		return EXIT_NOTHING_RUNS;
	}
	text = send(fd, question, sizeof question - 1, MSG_NOSIGNAL) == sizeof question - 1
		       ? read_answer(fd, until, &len)
		       : NULL;
	close(fd);
	status = text && len ? show(o, text, len) : no_answer();
	free(text);
	return status;
}
