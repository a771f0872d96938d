/*
 * tls_files.c - see tls_files.h.  Runs in the guardian before the worker is started, and in the
 * worker's first thread before the proxy is.
 */
#include "proxy/tls_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (16 << 20)

struct kept {
	struct tls_file file;
	struct kept *next;
	char *path, *data; /* of the file, ours */
};

struct tls_files {
	bool reads;
	void *by_path; /* tsearch */
	struct kept *first, **last;
};

static void *
must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static int
compare(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return strcmp(x->file.path, y->file.path);
}

static struct kept *
add(struct tls_files *files, const char *path, size_t path_len)
{
	struct kept *e = must(calloc(1, sizeof *e));

	e->path = must(strndup(path, path_len));
	e->file.path = e->path;
	*files->last = e;
	files->last = &e->next;
	must(tsearch(e, &files->by_path, compare));
	return e;
}

struct tls_files *
tls_files_new(void)
{
	struct tls_files *files = must(calloc(1, sizeof *files));

	files->reads = true;
	files->last = &files->first;
	return files;
}

static void
keep(void *node)
{
}

void
tls_files_wipe(void *block, size_t len)
{
	if (block)
		OPENSSL_cleanse(block, len);
	free(block);
}

void
tls_files_free(struct tls_files *files)
{
	if (!files)
		return;
	tdestroy(files->by_path, keep);
	while (files->first) {
		struct kept *e = files->first;

		files->first = e->next;
		tls_files_wipe(e->data, e->file.len);
		free(e->path);
		free(e);
	}
	free(files);
}

/* ------------------------------------------------------------------ reading */

static int
read_text(struct kept *e, int fd)
{
	size_t room = 0;

	for (;;) {
		ssize_t n;

		if (e->file.len == room) {
			size_t more = room ? 2 * room : 16 << 10;
			char *data;

			if (room > FILE_MAX)
				return EFBIG;
			/* Not realloc: what it leaves behind could be a key. */
			data = must(malloc(more));
			if (e->data)
				memcpy(data, e->data, e->file.len);
			tls_files_wipe(e->data, e->file.len);
			e->data = data;
			room = more;
		}
		n = read(fd, e->data + e->file.len, room - e->file.len);
		if (n == 0)
			return 0;
		if (n > 0)
			e->file.len += (size_t)n;
		else if (errno != EINTR)
			return errno;
	}
}

static int
is_certificate(const struct dirent *entry)
{
	static const char *const beside[] = { ".key", ".ocsp", ".issuer", ".sctl" };
	size_t len = strlen(entry->d_name);

	if (*entry->d_name == '.')
		return 0;
	for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
		size_t end = strlen(beside[i]);

		if (len > end && strcmp(entry->d_name + len - end, beside[i]) == 0)
			return 0;
	}
	return 1;
}

static int
compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
read_directory(struct kept *e)
{
	struct dirent **names;
	int n = scandir(e->path, &names, is_certificate, compare_names), error = 0;

	if (n < 0)
		return errno;
	for (int i = 0; i < n; i++)
		e->file.len += strlen(names[i]->d_name) + 1;
	e->data = must(malloc(e->file.len + 1));
	e->file.len = 0;
	for (int i = 0; i < n; i++) {
		size_t len = strlen(names[i]->d_name) + 1;

		memcpy(e->data + e->file.len, names[i]->d_name, len);
		e->file.len += len;
		free(names[i]);
	}
	free(names);
	e->file.directory = true;
	return error;
}

static int
read_entry(struct kept *e)
{
	struct stat st;
	int fd, error;

	/* Asked before it is opened: opening a device can have effects. */
	if (stat(e->path, &st) < 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return read_directory(e);
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		return EINVAL;
	fd = open(e->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	error = read_text(e, fd);
	close(fd);
	return error;
}

const struct tls_file *
tls_files_get(struct tls_files *files, const char *path)
{
	const struct kept key = { .file = { .path = path } };
	struct kept *const *found = tfind(&key, &files->by_path, compare);
	struct kept *e;

	if (found)
		return &(*found)->file;
	e = add(files, path, strlen(path));
	e->file.error = files->reads ? read_entry(e) : ENOENT;
	e->file.data = e->data ? e->data : "";
	return &e->file;
}

/* ------------------------------------------------------------------ as one block */

#define PACK_MAGIC UINT64_C(0x31656c6966736c74)

/* magic | per file: its head, path, data.  Both sides are the same binary on the same host. */
struct head {
	uint64_t path_len, data_len;
	uint32_t error, directory;
};

static char *
put(char *at, const void *data, size_t len)
{
	if (len)
		memcpy(at, data, len);
	return at + len;
}

void *
tls_files_pack(const struct tls_files *files, size_t *len)
{
	uint64_t magic = PACK_MAGIC;
	size_t size = sizeof magic;
	char *block, *at;

	for (const struct kept *e = files->first; e; e = e->next)
		size += sizeof(struct head) + strlen(e->path) + e->file.len;
	block = must(malloc(size));
	at = put(block, &magic, sizeof magic);
	for (const struct kept *e = files->first; e; e = e->next) {
		struct head head = {
			.path_len = strlen(e->path),
			.data_len = e->file.len,
			.error = (uint32_t)e->file.error,
			.directory = e->file.directory,
		};

		at = put(at, &head, sizeof head);
		at = put(at, e->path, head.path_len);
		at = put(at, e->data, head.data_len);
	}
	*len = size;
	return block;
}

static bool
take(const char **at, size_t *left, const char **data, size_t len)
{
	if (len > *left)
		return false;
	*data = *at;
	*at += len;
	*left -= len;
	return true;
}

struct tls_files *
tls_files_unpack(const void *block, size_t len)
{
	struct tls_files *files = tls_files_new();
	const char *at = block, *data, *path;
	uint64_t magic = 0;
	struct head head;

	files->reads = false;
	if (take(&at, &len, &data, sizeof magic))
		memcpy(&magic, data, sizeof magic);
	if (magic != PACK_MAGIC)
		goto bad;
	while (len > 0) {
		struct kept *e;

		if (!take(&at, &len, &data, sizeof head))
			goto bad;
		memcpy(&head, data, sizeof head);
		if (!take(&at, &len, &path, head.path_len) ||
		    !take(&at, &len, &data, head.data_len))
			goto bad;
		e = add(files, path, head.path_len);
		e->data = must(malloc(head.data_len + 1));
		put(e->data, data, head.data_len);
		e->file.data = e->data;
		e->file.len = head.data_len;
		e->file.error = (int)head.error;
		e->file.directory = head.directory;
	}
	return files;
bad:
	tls_files_free(files);
	return NULL;
}
