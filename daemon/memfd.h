/*
 * memfd.h - bytes as a descriptor: how the worker is given what may be large or secret.
 */
#pragma once

#include <stddef.h>

/* A sealed memfd with these bytes, close-on-exec; or -errno.  `name` shows in /proc. */
int memfd_sealed(const char *name, const void *data, size_t len);

/* All of its bytes, in memory from malloc with a NUL behind; NULL with errno. */
void *memfd_read(int fd, size_t *len);
