/*
 * tls_files.h - certificates, keys and lists as bytes: read by the guardian, used by the worker.
 *
 * One set answers "what is in this file?".  The guardian's reads a file when it is asked for the
 * first time and keeps it; the worker's holds what the guardian's was asked for, and opens nothing.
 * Both make their TLS contexts with the same questions, so what the one needed the other has.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tls_files;

struct tls_file {
	const char *path;
	int error; /* errno of reading it; 0 = it is there */
	bool directory;
	const char *data; /* a directory's: its files' names, sorted, each with its NUL */
	size_t len;
};

/* A set that reads.  Aborts if there is no memory, as everything that loads a configuration. */
struct tls_files *tls_files_new(void);

/* Wipes what it holds: there are keys in it.  NULL is fine. */
void tls_files_free(struct tls_files *files);

/*
 * What is in `path`; never NULL, valid until tls_files_free.  Only regular files, pipes and
 * directories are read, up to 16 MiB.  A directory's names leave out hidden files and what belongs
 * to a certificate beside it (.key, .ocsp, .issuer, .sctl).
 */
const struct tls_file *tls_files_get(struct tls_files *files, const char *path);

/* All of it as one block for tls_files_unpack, in memory that tls_files_wipe gives back. */
void *tls_files_pack(const struct tls_files *files, size_t *len);
void tls_files_wipe(void *block, size_t len);

/* A set that reads nothing more: a file it does not have is ENOENT.  NULL: not such a block. */
struct tls_files *tls_files_unpack(const void *block, size_t len);
