/*
 * read.c - conf_read_files: the only part of conf/ that opens files.  The guardian runs it before
 * it serves anything.
 */
#include "conf/read_include.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any configuration; less than what a device file would pour into us. */
#define SOURCE_MAX ((size_t)64 * 1024 * 1024)

static int
read_fd(struct arena *arena, int fd, struct conf_source *source)
{
	size_t size = 16 * 1024, len = 0;
	char *text = malloc(size), *grown;
	ssize_t n;
	int r = 0;

	if (!text)
		return -ENOMEM;
	while ((n = read(fd, text + len, size - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || len + (size_t)n > SOURCE_MAX) {
			r = n < 0 ? -errno : -EFBIG;
			break;
		}
		len += (size_t)n;
		if (len < size)
			continue;
		grown = realloc(text, size *= 2);
		if (!grown) {
			r = -ENOMEM;
			break;
		}
		text = grown;
	}
	if (r == 0) {
		char *copy = arena_alloc(arena, len + 1);

		memcpy(copy, text, len);
		source->text = copy;
		source->len = len;
	}
	free(text);
	return r;
}

static int
read_file(struct arena *arena, const char *path, struct conf_source **sources, size_t *sources_n)
{
	struct conf_source source = { .name = arena_strdup(arena, path) };
	int fd, r;

	if (strcmp(path, "-") == 0) {
		r = read_fd(arena, STDIN_FILENO, &source);
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return -errno;
		r = read_fd(arena, fd, &source);
		close(fd);
	}
	if (r == 0)
		*ARENA_PUSH(arena, *sources, *sources_n) = source;
	return r;
}

int
conf_read_values(struct arena *arena, const char *path, struct conf_source *source)
{
	struct conf_source *one = NULL;
	size_t n = 0;
	struct stat st;
	int r;

	/* Not "-", and no device, which could block. */
	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	r = read_file(arena, path, &one, &n);
	if (r == 0) {
		*source = *one;
		source->values = true;
	}
	return r;
}

static int
is_configuration(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot &&
	       (strcmp(dot, ".cfg") == 0 || strcmp(dot, ".conf") == 0);
}

/* strcmp, not the locale's order: two nodes must read alike. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
read_directory(struct arena *arena, const char *path, struct conf_source **sources,
	       size_t *sources_n, const char **failed)
{
	struct dirent **entries;
	int n = scandir(path, &entries, is_configuration, by_name), r = 0;

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (r == 0) {
			const char *file = arena_printf(arena, "%s/%s", path, entries[i]->d_name);

			r = read_file(arena, file, sources, sources_n);
			if (r < 0)
				*failed = file;
		}
		free(entries[i]);
	}
	free(entries);
	return r;
}

int
conf_read_files(struct arena *arena, const char *const *paths, size_t paths_n,
		struct conf_source **sources, size_t *sources_n, const char **failed)
{
	struct conf_source *list = NULL;
	size_t list_n = 0;
	struct stat st;
	int r;

	for (size_t i = 0; i < paths_n; i++) {
		*failed = paths[i];
		if (strcmp(paths[i], "-") != 0 && stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode))
			r = read_directory(arena, paths[i], &list, &list_n, failed);
		else
			r = read_file(arena, paths[i], &list, &list_n);
		if (r < 0)
			return r;
	}
	read_includes(arena, read_file, &list, &list_n);
	*failed = NULL;
	*sources = list;
	*sources_n = list_n;
	return 0;
}
