/*
 * foreign.c - see foreign.h.  Runs on the guardian's loop.
 */
#include "daemon/foreign.h"

#include "common/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket, or -errno. */
static int
make(uint32_t family)
{
	bool v6 = family == 1;
	int one = 1, r = 0;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT,
		       &one, sizeof one) < 0) {
		r = -errno;
		close(fd);
	}
	return r < 0 ? r : fd;
}

size_t
foreign_open(uint32_t family, int *fds, size_t n)
{
	static bool told;
	size_t made;

	for (made = 0; made < n; made++) {
		fds[made] = make(family);
		if (fds[made] >= 0)
			continue;
		if (!told)
			log_error("cannot make a socket for `usesrc`: %s", strerror(-fds[made]));
		told = true;
		break;
	}
	return made;
}

void
foreign_close(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}
