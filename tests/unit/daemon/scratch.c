/*
 * scratch.c - see scratch.h.
 */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/tandem-script-XXXXXX";

int
scratch_make(void)
{
	return mkdtemp(directory) ? 0 : -1;
}

int
scratch_remove(void)
{
	return rmdir(directory);
}

const char *
scratch_directory(void)
{
	return directory;
}

const char *
scratch_path(const char *name)
{
	static char path[4][128];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof path[0], "%s/%s", directory, name);
	return p;
}

const char *
scratch_text(const char *name)
{
	static char text[8192];
	FILE *f = fopen(scratch_path(name), "r");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

void
scratch_touch(const char *name)
{
	int fd = open(scratch_path(name), O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	close(fd);
}

void
scratch_forget(const char *name)
{
	unlink(scratch_path(name));
}

void
assert_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}
