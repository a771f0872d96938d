/*
 * watch_files.c - the watcher of tracked files.  A process of its own (watcher.h), which may wait.
 *
 * inotify on each file's directory tells of what is written, moved and removed there.  What it does
 * not tell of (a directory that appears later, links whose target changes, remote file systems) is
 * found by looking once a second; a file found changed that way is read once it has been left alone
 * for a second, since whoever writes it may be in the middle.
 */
#include "daemon/track_file.h"
#include "daemon/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS  1000
#define EVENTS   (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR)
#define TEXT_MAX 64

struct file {
	bool tracked, told;
	int32_t value;
	int trouble; /* errno told last */
	struct stat seen;
};

struct watch {
	const struct conf *conf;
	int out, events;
	struct file *files;
};

/* ---- reading ---- */

static void
complain(const struct watch *w, uint32_t i, int error)
{
	if (w->files[i].trouble != error)
		watcher_report(w->out, WATCH_KIND_TROUBLE, i, error);
	w->files[i].trouble = error;
}

/* No file is no trouble. */
static ssize_t
read_text(const struct watch *w, uint32_t i, char *text, size_t size)
{
	int fd = open(w->conf->track_files[i].path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct file *file = &w->files[i];
	ssize_t n = 0;

	file->seen = (struct stat){ 0 };
	if (fd < 0) {
		complain(w, i, errno == ENOENT || errno == ENOTDIR ? 0 : errno);
		return 0;
	}
	if (fstat(fd, &file->seen) == 0 && S_ISREG(file->seen.st_mode))
		n = read(fd, text, size);
	complain(w, i, n < 0 ? errno : 0);
	close(fd);
	return n < 0 ? 0 : n;
}

static void
look(struct watch *w, uint32_t i)
{
	struct file *file = &w->files[i];
	char text[TEXT_MAX];
	size_t len = (size_t)read_text(w, i, text, sizeof text);
	int32_t value = file->value;

	if (track_file_value(text, len, &value) < 0)
		complain(w, i, ERANGE);
	if (file->told && value == file->value)
		return;
	file->told = true;
	file->value = value;
	watcher_report(w->out, WATCH_KIND_FILE, i, value);
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool
has_changed(const struct watch *w, uint32_t i)
{
	struct stat now = { 0 };

	if (stat(w->conf->track_files[i].path, &now) < 0)
		return w->files[i].seen.st_ino != 0;
	return !same(&now, &w->files[i].seen) && time(NULL) - now.st_mtim.tv_sec > LOOK_MS / 1000;
}

/* ---- writing, once ---- */

static void
write_first(const struct watch *w, uint32_t i)
{
	const struct conf_track_file *conf = &w->conf->track_files[i];
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(conf->path, flags | (conf->overwrite ? O_TRUNC : O_EXCL), 0644);

	if (fd < 0) {
		if (errno != EEXIST)
			complain(w, i, errno);
		return;
	}
	if (dprintf(fd, "%d\n", conf->init_value) < 0)
		complain(w, i, errno);
	close(fd);
}

/* ---- events ---- */

/* Again and again: it costs nothing where it is watched, and the directory may be new. */
static void
watch_directory(const struct watch *w, uint32_t i)
{
	char path[4096];

	snprintf(path, sizeof path, "%s", w->conf->track_files[i].path);
	inotify_add_watch(w->events, dirname(path), EVENTS);
}

/* Has anything happened?  Which file it was is found by looking: there are few. */
static bool
drain_events(const struct watch *w)
{
	char buf[4096];
	bool any = false;

	while (read(w->events, buf, sizeof buf) > 0)
		any = true;
	return any;
}

void
watch_files(const struct conf *conf, bool again, int out)
{
	struct watch w = {
		.conf = conf,
		.out = out,
		.events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC),
		.files = calloc(conf->track_files_n + 1, sizeof *w.files),
	};
	struct pollfd p = { .fd = w.events, .events = POLLIN };
	bool rang = true;

	if (!w.files)
		_exit(1);
	for (uint32_t i = 0; i < conf->track_files_n; i++) {
		w.files[i].tracked = watch_is_tracked(conf, CONF_TRACK_FILE, i);
		if (w.files[i].tracked && conf->track_files[i].init && !again)
			write_first(&w, i);
	}
	for (;;) {
		for (uint32_t i = 0; i < conf->track_files_n; i++) {
			if (!w.files[i].tracked)
				continue;
			watch_directory(&w, i);
			if (rang || has_changed(&w, i))
				look(&w, i);
		}
		poll(&p, 1, LOOK_MS);
		rang = drain_events(&w);
	}
}
