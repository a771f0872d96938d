/*
 * memfd.c - see memfd.h.  Guardian and worker.
 */
#include "daemon/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int
memfd_sealed(const char *name, const void *data, size_t len)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	const char *p = data;
	int r = 0;

	if (fd < 0)
		return -errno;
	while (len > 0 && r == 0) {
		ssize_t n = write(fd, p, len);

		if (n >= 0) {
			p += n;
			len -= (size_t)n;
		} else if (errno != EINTR) {
			r = -errno;
		}
	}
	if (r == 0 && fcntl(fd, F_ADD_SEALS, seals) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

void *
memfd_read(int fd, size_t *len)
{
	struct stat st;
	size_t have = 0;
	char *data;

	if (fstat(fd, &st) < 0)
		return NULL;
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return NULL;
	while (have < (size_t)st.st_size) {
		ssize_t n = pread(fd, data + have, (size_t)st.st_size - have, (off_t)have);

		if (n > 0) {
			have += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			free(data);
			return NULL;
		}
	}
	data[have] = '\0';
	*len = have;
	return data;
}
