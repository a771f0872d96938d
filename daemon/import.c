/*
 * import.c - `tandem import`: the files of both programs become one, word for
 * word, with their comments; what they include is put in its place.  Runs in
 * the command, as whoever calls it.
 *
 * Nothing is rewritten, because the reader takes both languages as they are.
 * What it has to say about the result is the report.  A file that exists is
 * never overwritten.
 */
#include "daemon/import.h"

#include "conf/load.h"
#include "daemon/check.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct import {
	struct arena *arena;
	FILE *text; /* the file being made */
};

static void copy_source(struct import *im, const struct conf_source *sources, size_t sources_n,
			size_t index);

/* What a line includes, in its place.  false: it includes nothing. */
static bool
copy_included(struct import *im, const struct conf_source *sources, size_t sources_n, size_t index,
	      uint32_t line)
{
	bool any = false;

	for (size_t i = 0; i < sources_n; i++) {
		if (sources[i].include_line != line || sources[i].includer != index)
			continue;
		fprintf(im->text, "# from %s:\n", sources[i].name);
		copy_source(im, sources, sources_n, i);
		fprintf(im->text, "# end of %s\n", sources[i].name);
		any = true;
	}
	return any;
}

/* The reader bounds how deep files include each other. */
static void
copy_source(struct import *im, const struct conf_source *sources, size_t sources_n, size_t index)
{
	const char *line = sources[index].text, *end = line + sources[index].len;
	uint32_t number = 1;
	size_t len;

	for (; line < end; line += len + 1, number++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		len = (size_t)((newline ? newline : end) - line);
		if (!copy_included(im, sources, sources_n, index, number))
			fprintf(im->text, "%.*s\n", (int)len, line);
	}
}

static int
copy_files(struct import *im, const char *path)
{
	const char *failed = path;
	struct conf_source *sources;
	size_t sources_n;
	int r = conf_read_files(im->arena, &path, 1, &sources, &sources_n, &failed);

	if (r < 0) {
		fprintf(stderr, "tandem: cannot read %s: %s\n", failed ? failed : path,
			strerror(-r));
		return r;
	}
	for (size_t i = 0; i < sources_n; i++) {
		if (sources[i].include_line)
			continue;
		if (strcmp(sources[i].name, path) != 0)
			fprintf(im->text, "# from %s:\n", sources[i].name);
		copy_source(im, sources, sources_n, i);
	}
	return 0;
}

/* Without a name on the command line the usual ones, as far as they exist. */
static void
choose_sources(const struct options *o, const char **keepalived, const char **haproxy)
{
	*keepalived = o->keepalived;
	*haproxy = o->haproxy;
	if (*keepalived || *haproxy)
		return;
	if (access(IMPORT_KEEPALIVED, F_OK) == 0)
		*keepalived = IMPORT_KEEPALIVED;
	if (access(IMPORT_HAPROXY, F_OK) == 0)
		*haproxy = IMPORT_HAPROXY;
}

static int
make_text(struct import *im, const char *keepalived, const char *haproxy)
{
	int r = 0;

	fprintf(im->text, "# Made by `tandem import` from %s%s%s.\n\n",
		keepalived ? keepalived : haproxy, keepalived && haproxy ? " and " : "",
		keepalived && haproxy ? haproxy : "");
	if (keepalived)
		r = copy_files(im, keepalived);
	if (r == 0 && keepalived && haproxy)
		putc('\n', im->text);
	if (r == 0 && haproxy)
		r = copy_files(im, haproxy);
	return r;
}

static int
write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Passwords may be in it: not for everybody's eyes.  What could not be finished
 * is removed. */
static int
write_output(struct import *im, const char *path, const char *text, size_t len)
{
	const char *dir = dirname(arena_strdup(im->arena, path));
	int fd, r;

	if (strcmp(path, "-") == 0)
		return write_all(STDOUT_FILENO, text, len);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text, len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		unlink(path);
	return r;
}

static void
print_messages(FILE *out, const struct conf_report *report, enum conf_severity severity,
	       size_t count, const char *heading)
{
	if (count == 0)
		return;
	fprintf(out, "\n%s (%zu):\n", heading, count);
	for (size_t i = 0; i < report->messages_n; i++) {
		const struct conf_message *m = &report->messages[i];

		if (m->severity != severity)
			continue;
		fputs("  ", out);
		if (m->pos.line)
			fprintf(out, "line %u: ", m->pos.line);
		fputs(m->text, out);
		if (m->hint)
			fprintf(out, " (%s)", m->hint);
		putc('\n', out);
	}
}

static void
print_report(FILE *out, const char *path, const struct conf_report *report)
{
	print_messages(out, report, CONF_ERROR, report->errors,
		       "To be changed by hand, or the file does not load");
	print_messages(out, report, CONF_WARNING, report->warnings, "To be looked at");
	print_messages(out, report, CONF_NOTICE, report->notices, "Different here");
	if (strcmp(path, "-") != 0)
		fprintf(out,
			"\n%s: tandem check %s\n"
			"Then, on this host: stop keepalived and haproxy, start tandem.\n",
			report->errors ? "After the changes" : "To see this again", path);
}

static size_t
count_lines(const char *text)
{
	size_t n = 0;

	while ((text = strchr(text, '\n'))) {
		n++;
		text++;
	}
	return n;
}

/* Loads the text under the name it was written to, so that places are places in
 * that file. */
static int
finish(struct import *im, const struct options *o, const char *path, const char *text, size_t len)
{
	const struct conf_source source = { .name = path, .text = text, .len = len };
	const struct conf_options options = { .node = o->node };
	FILE *out = strcmp(path, "-") == 0 ? stderr : stdout;
	struct conf_report report;
	int r;

	conf_load(im->arena, &source, 1, &options, &report);
	r = write_output(im, path, text, len);
	if (r < 0) {
		fprintf(stderr, "tandem: cannot write %s: %s%s\n", path, strerror(-r),
			r == -EEXIST ? " (name another one with -o)" : "");
		return IMPORT_FAILED;
	}
	if (!o->quiet) {
		fprintf(out, "Written: %s, %zu lines\n", path, count_lines(text));
		print_report(out, path, &report);
	}
	return report.errors ? IMPORT_TO_EDIT : IMPORT_DONE;
}

int
import_main(const struct options *o)
{
	const char *path = o->output ? o->output : CHECK_DEFAULT_FILE, *keepalived, *haproxy;
	struct import im = { 0 };
	char *text = NULL;
	size_t len = 0;
	int status = IMPORT_FAILED, r;

	choose_sources(o, &keepalived, &haproxy);
	if (!keepalived && !haproxy) {
		fprintf(stderr,
			"tandem: nothing to import: there is neither %s nor %s; name the "
			"files with "
			"--keepalived and --haproxy\n",
			IMPORT_KEEPALIVED, IMPORT_HAPROXY);
		return IMPORT_FAILED;
	}
	im.arena = arena_new();
	im.text = open_memstream(&text, &len);
	if (!im.text) {
		fprintf(stderr, "tandem: out of memory\n");
	} else {
		r = make_text(&im, keepalived, haproxy);
		if (fclose(im.text) == 0 && r == 0)
			status = finish(&im, o, path, text, len);
	}
	free(text);
	arena_free(im.arena);
	return status;
}
