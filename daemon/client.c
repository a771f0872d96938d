/*
 * client.c - `tandem status` and `tandem history`, the side of the person who asks: fetches the
 * document from the control socket.  How it looks is client_render.c.
 *
 * The guardian holds the listening socket, the worker answers: a connection that is accepted by
 * nobody means that there is no worker, or that it hangs.
 */
#include "daemon/client.h"

#include "common/addr.h"
#include "common/clock.h"
#include "daemon/rundir.h"

#include <errno.h>
#include <fcntl.h>
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

int
client_connect(const char *rundir, const char *name)
{
	char path[PATH_MAX];
	struct sock_addr address;
	int fd, r;

	if ((size_t)snprintf(path, sizeof path, "%s/%s", rundir, name) >=
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

char *
client_read(int fd, struct mono until, size_t *len)
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

/* What the guardian has to say of its worker.  Only root may ask it. */
static void
explain(const char *rundir, FILE *errors)
{
	static const char question[] = "worker\n";
	int fd = client_connect(rundir, RUNDIR_COMMAND);
	char *answer = NULL, *text;
	size_t len = 0;

	if (fd < 0)
		return;
	if (send(fd, question, strlen(question), MSG_NOSIGNAL) == (ssize_t)strlen(question))
		answer = client_read(fd, mono_add_ms(mono_now(), ANSWER_MS), &len);
	close(fd);
	text = answer ? strchr(answer, '\n') : NULL;
	if (text)
		fprintf(errors, "%s\n", text + 1);
	free(answer);
}

static int
no_answer(const struct options *o, FILE *errors)
{
	fprintf(errors, "tandem: it runs, but its worker does not answer within %d s\n",
		ANSWER_MS / 1000);
	explain(o->rundir, errors);
	return EXIT_NO_ANSWER;
}

static int
show(const struct options *o, const struct client_page *page, FILE *errors, const char *text,
     size_t len)
{
	json_error_t error;
	json_t *document;

	if (o->json) {
		fwrite(text, 1, len, page->out);
		fputc('\n', page->out);
		return fflush(page->out) ? EXIT_NOTHING_RUNS : 0;
	}
	document = json_loadb(text, len, 0, &error);
	if (!json_is_object(document)) {
		fprintf(errors, "tandem: the answer is not understood: %s\n", error.text);
		json_decref(document);
		return EXIT_NOTHING_RUNS;
	}
	if (o->command == OPTIONS_HISTORY)
		client_render_history(page, document);
	else
		client_render(page, document);
	json_decref(document);
	return fflush(page->out) ? EXIT_NOTHING_RUNS : 0;
}

int
client_show(const struct options *o, const struct client_page *page, FILE *errors)
{
	const char *question = o->command == OPTIONS_HISTORY ? "history\n" : "status\n";
	struct mono until = mono_add_ms(mono_now(), ANSWER_MS);
	int fd = client_connect(o->rundir, RUNDIR_CONTROL), status;
	size_t len = 0, asked = strlen(question);
	char *text;

	if (fd == -EAGAIN)
		return no_answer(o, errors);
	if (fd == -ENOENT || fd == -ECONNREFUSED || fd == -ENOTDIR) {
		fprintf(errors, "tandem: nothing is running in %s\n", o->rundir);
		return EXIT_NOTHING_RUNS;
	}
	if (fd < 0) {
		fprintf(errors, "tandem: cannot ask %s/%s: %s\n", o->rundir, RUNDIR_CONTROL,
			strerror(-fd));
		return EXIT_NOTHING_RUNS;
	}
	text = send(fd, question, asked, MSG_NOSIGNAL) == (ssize_t)asked
		       ? client_read(fd, until, &len)
		       : NULL;
	close(fd);
	status = text && len ? show(o, page, errors, text, len) : no_answer(o, errors);
	free(text);
	return status;
}

/* Into a new file that takes the place of the old one when it is whole: the folder may be anybody's
 * (/tmp), so nothing that lies there is followed or written to. */
static int
write_file(const struct options *o)
{
	struct client_page page = { .colour = false };
	char path[PATH_MAX];
	int fd = -1, status = EXIT_NOTHING_RUNS;

	if ((size_t)snprintf(path, sizeof path, "%s.XXXXXX", o->output) < sizeof path)
		fd = mkostemp(path, O_CLOEXEC);
	page.out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!page.out) {
		fprintf(stderr, "tandem: cannot write %s: %s\n", o->output, strerror(errno));
		if (fd >= 0)
			close(fd);
		return status;
	}
	status = client_show(o, &page, stderr);
	if (fclose(page.out) != 0 && status == 0)
		status = EXIT_NOTHING_RUNS;
	if (status == 0 && rename(path, o->output) == 0)
		return 0;
	if (status == 0) {
		fprintf(stderr, "tandem: cannot write %s: %s\n", o->output, strerror(errno));
		status = EXIT_NOTHING_RUNS;
	}
	unlink(path);
	return status;
}

int
client_main(const struct options *o)
{
	const struct client_page page = { .out = stdout, .colour = client_colour(stdout) };

	if (o->watch_ms)
		return client_watch(o);
	if (o->output)
		return write_file(o);
	return client_show(o, &page, stderr);
}
