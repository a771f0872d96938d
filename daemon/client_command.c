/*
 * client_command.c - `tandem reload`, `upgrade`, `resign`, `resume`: the side of the person who asks.
 *
 * The guardian answers when it is done: one line with the exit status, then what is to be said.
 */
#include "daemon/client.h"
#include "daemon/rundir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Longer than anything that it waits for may take there. */
#define ANSWER_MS 120000

enum { EXIT_NOT_DONE = 1, EXIT_NO_ANSWER = 2 };

static void
make_line(const struct options *o, char *line, size_t size)
{
	const char *word = o->command == OPTIONS_RELOAD    ? "reload"
			   : o->command == OPTIONS_UPGRADE ? "upgrade"
			   : o->command == OPTIONS_RESIGN  ? "resign"
							   : "resume";

	snprintf(line, size, "%s%s%s\n", word, o->instance ? " " : "",
		 o->instance ? o->instance : "");
}

/* "0\nTEXT": shows the text. */
static int
show(const char *answer)
{
	const char *text = strchr(answer, '\n');

	if (!text) {
		fprintf(stderr, "tandem: the answer is not understood\n");
		return EXIT_NOT_DONE;
	}
	fputs(text + 1, stderr);
	if (text[1] && text[strlen(text) - 1] != '\n')
		fputc('\n', stderr);
	return answer[0] == '0' ? 0 : EXIT_NOT_DONE;
}

int
client_command(const struct options *o)
{
	int fd = client_connect(o->rundir, RUNDIR_COMMAND), status;
	char line[1024], *answer;
	size_t len = 0;

	if (fd == -ENOENT || fd == -ECONNREFUSED || fd == -ENOTDIR) {
		fprintf(stderr, "tandem: nothing is running in %s\n", o->rundir);
		return EXIT_NOT_DONE;
	}
	if (fd < 0) {
		fprintf(stderr, "tandem: cannot ask %s/%s: %s\n", o->rundir, RUNDIR_COMMAND,
			strerror(-fd));
		return EXIT_NOT_DONE;
	}
	make_line(o, line, sizeof line);
	answer = send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line)
			 ? client_read(fd, mono_add_ms(mono_now(), ANSWER_MS), &len)
			 : NULL;
	close(fd);
	if (!answer || len == 0) {
		fprintf(stderr, "tandem: it does not answer\n");
		status = EXIT_NO_ANSWER;
	} else {
		status = show(answer);
	}
	free(answer);
	return status;
}
