/*
 * client_watch.c - `--watch`: the page again and again.  Runs in the client only.
 *
 * On a terminal it fills the screen beside the shell's own and is cut to it, so that nothing scrolls;
 * otherwise one answer follows the other, as a program wants to read them.  A daemon that is away is
 * waited for.
 */
#include "daemon/client.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* What a terminal understands: its other screen without a cursor, and back. */
#define SCREEN_OPEN  "\033[?1049h\033[?25l"
#define SCREEN_CLOSE "\033[?25h\033[?1049l"
#define SCREEN_HOME  "\033[H"
#define LINE_REST    "\033[K"
#define SCREEN_REST  "\033[J"
#define PLAIN        "\033[0m"

/* Where the line ends that shows at most `columns` characters; colours and the later bytes of a
 * character take no place. */
static const char *
cut(const char *line, const char *stop, unsigned columns)
{
	unsigned shown = 0;

	while (line < stop) {
		if (*line == '\033') {
			line = memchr(line, 'm', (size_t)(stop - line));
			if (!line)
				return stop;
		} else if (((unsigned char)*line & 0xc0) != 0x80 && shown++ == columns) {
			return line;
		}
		line++;
	}
	return stop;
}

static void
draw(FILE *screen, const char *text)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	unsigned rows = 0;

	if (ioctl(fileno(screen), TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	fputs(SCREEN_HOME, screen);
	while (*text && rows < size.ws_row) {
		const char *stop = strchrnul(text, '\n');
		const char *end = cut(text, stop, size.ws_col);

		fwrite(text, 1, (size_t)(end - text), screen);
		fputs(PLAIN LINE_REST, screen);
		text = *stop ? stop + 1 : stop;
		if (++rows < size.ws_row && *text)
			fputc('\n', screen);
	}
	fputs(SCREEN_REST, screen);
	fflush(screen);
}

/* The page in memory, errors as a part of it. */
static char *
compose(const struct options *o, bool colour, int *status)
{
	struct client_page page = { .colour = colour };
	char *text = NULL;
	size_t len;

	page.out = open_memstream(&text, &len);
	if (!page.out)
		return NULL;
	*status = client_show(o, &page, page.out);
	fclose(page.out);
	return text;
}

/* Signals that end it, or that the window has another size. */
static void
block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGWINCH);
	sigprocmask(SIG_BLOCK, set, NULL);
}

/* A turn; false when standard output takes no more. */
static bool
show_once(const struct options *o, bool terminal, int *status)
{
	const struct client_page page = { .out = stdout };
	char *text;

	if (!terminal) {
		*status = client_show(o, &page, stderr);
		return fflush(stdout) == 0 && !ferror(stdout);
	}
	text = compose(o, client_colour(stdout), status);
	if (text)
		draw(stdout, text);
	free(text);
	return text && !ferror(stdout);
}

int
client_watch(const struct options *o)
{
	const struct timespec pause = { o->watch_ms / 1000, o->watch_ms % 1000 * 1000000L };
	bool terminal = isatty(STDOUT_FILENO) && !o->json, going = true;
	sigset_t signals;
	int status = 0, signal_number;

	block_signals(&signals);
	if (terminal)
		fputs(SCREEN_OPEN, stdout);
	while (going && show_once(o, terminal, &status)) {
		signal_number = sigtimedwait(&signals, NULL, &pause);
		going = signal_number == SIGWINCH || (signal_number < 0 && errno == EAGAIN);
	}
	if (terminal) {
		fputs(SCREEN_CLOSE, stdout);
		fflush(stdout);
	}
	return status;
}
