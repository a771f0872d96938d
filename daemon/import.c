/*
 * import.c - `tandem import`: the files of both programs become one, word for word, with their
 * comments; what they include is put in its place.  Runs in the command, as whoever calls it.
 *
 * Nothing is rewritten, because the reader takes both languages as they are.  What it has to say
 * about the result is the report.  A file that exists is never overwritten.
 */
#include "daemon/import.h"

#include "conf/load.h"
#include "daemon/check.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Includes within includes; keepalived has no bound, a loop would have no end. */
#define INCLUDE_DEPTH_MAX 16

struct import {
	struct arena *arena;
	FILE *text; /* the file being made */
};

static int copy_keepalived(struct import *im, const char *path, int depth);

static int
complain(const char *path, int error)
{
	fprintf(stderr, "tandem: cannot read %s: %s\n", path, strerror(-error));
	return error;
}

static int
read_files(struct import *im, const char *path, struct conf_source **sources, size_t *sources_n)
{
	const char *failed = path;
	int r = conf_read_files(im->arena, &path, 1, sources, sources_n, &failed);

	/* What is included comes last; it is copied where its line stands. */
	while (r == 0 && *sources_n > 0 && (*sources)[*sources_n - 1].include_line)
		--*sources_n;
	return r < 0 ? complain(failed ? failed : path, r) : 0;
}

/* The pattern of "include PATTERN" and its variants, or NULL. */
static const char *
include_pattern(struct import *im, const char *line, size_t len)
{
	static const char word[] = "include";
	size_t i = 0, from;

	while (i < len && (line[i] == ' ' || line[i] == '\t'))
		i++;
	if (len - i <= strlen(word) || strncmp(line + i, word, strlen(word)) != 0)
		return NULL;
	i += strlen(word);
	if (i < len && strchr("rmwba", line[i]))
		i++;
	if (i == len || (line[i] != ' ' && line[i] != '\t'))
		return NULL;
	while (i < len && (line[i] == ' ' || line[i] == '\t' || line[i] == '"'))
		i++;
	from = i;
	while (i < len && !strchr(" \t\r\"#!", line[i]))
		i++;
	return i > from ? arena_strndup(im->arena, line + from, i - from) : NULL;
}

/* Relative to the folder of the file that includes, as keepalived has it. */
static int
copy_included(struct import *im, const char *includer, const char *pattern, int depth)
{
	glob_t found;
	int r = 0;

	if (depth > INCLUDE_DEPTH_MAX) {
		fprintf(stderr, "tandem: %s: files include each other without end\n", includer);
		return -ELOOP;
	}
	if (pattern[0] != '/')
		pattern = arena_printf(im->arena, "%s/%s",
				       dirname(arena_strdup(im->arena, includer)), pattern);
	if (glob(pattern, GLOB_BRACE, NULL, &found) != 0) {
		fprintf(im->text, "# there was no %s to include\n", pattern);
		return 0;
	}
	for (size_t i = 0; i < found.gl_pathc && r == 0; i++) {
		fprintf(im->text, "# from %s:\n", found.gl_pathv[i]);
		r = copy_keepalived(im, found.gl_pathv[i], depth + 1);
		fprintf(im->text, "# end of %s\n", found.gl_pathv[i]);
	}
	globfree(&found);
	return r;
}

static int
copy_keepalived(struct import *im, const char *path, int depth)
{
	struct conf_source *sources;
	size_t sources_n, len;
	int r = read_files(im, path, &sources, &sources_n);

	for (size_t i = 0; r == 0 && i < sources_n; i++) {
		const char *line = sources[i].text, *end = line + sources[i].len;

		for (; r == 0 && line < end; line += len + 1) {
			const char *newline = memchr(line, '\n', (size_t)(end - line));
			const char *pattern;

			len = (size_t)((newline ? newline : end) - line);
			pattern = include_pattern(im, line, len);
			if (pattern)
				r = copy_included(im, sources[i].name, pattern, depth);
			else
				fprintf(im->text, "%.*s\n", (int)len, line);
		}
	}
	return r;
}

static int
copy_haproxy(struct import *im, const char *path)
{
	struct conf_source *sources;
	size_t sources_n;
	int r = read_files(im, path, &sources, &sources_n);

	for (size_t i = 0; r == 0 && i < sources_n; i++) {
		if (sources_n > 1)
			fprintf(im->text, "# from %s:\n", sources[i].name);
		fwrite(sources[i].text, 1, sources[i].len, im->text);
		if (sources[i].len > 0 && sources[i].text[sources[i].len - 1] != '\n')
			putc('\n', im->text);
	}
	return r;
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
		r = copy_keepalived(im, keepalived, 0);
	if (r == 0 && keepalived && haproxy)
		putc('\n', im->text);
	if (r == 0 && haproxy)
		r = copy_haproxy(im, haproxy);
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

/* Passwords may be in it: not for everybody's eyes.  What could not be finished is removed. */
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

/* Loads the text under the name it was written to, so that places are places in that file. */
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
			"tandem: nothing to import: there is neither %s nor %s; name the files with "
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
