/*
 * sysctl.c - see sysctl.h.  Without state; the guardian's.
 */
#include "daemon/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
open_setting(const char *family, const char *interface, const char *name, int flags)
{
	char path[160];
	int fd;

	snprintf(path, sizeof path, "/proc/sys/net/%s/conf/%s/%s", family, interface, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int
sysctl_get(const char *family, const char *interface, const char *name, int *value)
{
	int fd = open_setting(family, interface, name, O_RDONLY);
	char text[16] = "";
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	*value = atoi(text);
	return 0;
}

int
sysctl_set(const char *family, const char *interface, const char *name, int value)
{
	int fd = open_setting(family, interface, name, O_WRONLY), r = 0;
	char text[16];
	int len = snprintf(text, sizeof text, "%d", value);

	if (fd < 0)
		return fd;
	if (write(fd, text, (size_t)len) != len)
		r = -errno;
	close(fd);
	return r;
}
