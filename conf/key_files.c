/*
 * key_files.c - files that hold keys: read by the guardian while it loads a configuration, known to
 * the worker from what the guardian read.
 */
#include "conf/load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_MAX 4096

/* 0 or errno.  A pipe or a device would make the reader wait. */
static int
read_regular(struct arena *arena, int fd, struct conf_key_file *file)
{
	struct stat st;
	char *data;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EINVAL;
	if (st.st_size > KEY_FILE_MAX)
		return EFBIG;
	data = arena_alloc(arena, (size_t)st.st_size + 1);
	do
		n = read(fd, data, (size_t)st.st_size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno;
	file->exposed = (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
	file->data = data;
	file->len = (size_t)n;
	return 0;
}

const struct conf_key_file *
conf_key_file(struct arena *arena, struct conf_key_files *files, const char *path)
{
	struct conf_key_file file = { .path = path, .error = ENOENT };
	struct conf_key_file *kept;
	int fd;

	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->list[i].path, path) == 0)
			return &files->list[i];
	if (files->reads) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		file.error = fd < 0 ? errno : read_regular(arena, fd, &file);
		if (fd >= 0)
			close(fd);
	}
	kept = ARENA_PUSH(arena, files->list, files->n);
	*kept = file;
	return kept;
}
