/*
 * notify_fifo.c - see notify_fifo.h.  Runs on the guardian's loop.
 */
#include "daemon/notify_fifo.h"

#include "common/list.h"
#include "common/log.h"
#include "daemon/estate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DRAIN_LOOK_MS 20

/* ---- the FIFO ---- */

/* Ours for reading, too: then it opens without a reader, and keeps lines while the reader is
 * started again. */
static int
open_fifo(const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return fd;
	close(fd);
	return -EEXIST;
}

static int
make_fifo(struct notify_fifo *fifo, const struct script_owner *owner)
{
	const char *path = fifo->conf->path;
	int r;

	fifo->created = mkfifo(path, 0600) == 0;
	if (!fifo->created && errno != EEXIST)
		return -errno;
	r = open_fifo(path);
	if (r < 0)
		return r;
	fifo->fd = r;
	if (fifo->created && owner && fchown(fifo->fd, owner->uid, owner->gid) < 0)
		return -errno;
	return 0;
}

void
notify_fifo_write(struct notify_fifo *fifo, const char *line)
{
	size_t len = strlen(line);

	if (fifo->fd < 0 || write(fifo->fd, line, len) == (ssize_t)len)
		return;
	/* Lines are shorter than PIPE_BUF: all of it or nothing. */
	fifo->dropped++;
	if ((fifo->dropped & (fifo->dropped - 1)) == 0)
		log_warning("%s is full: nobody reads it (%llu lines lost)", fifo->conf->path,
			    (unsigned long long)fifo->dropped);
}

static void
close_fifo(struct notify_fifo *fifo)
{
	timer_disarm(&fifo->loop->timers, &fifo->restart);
	timer_disarm(&fifo->loop->timers, &fifo->drain);
	if (fifo->fd >= 0)
		close(fifo->fd);
	fifo->fd = -1;
}

/* ---- its reader ---- */

static void
start_reader(struct notify_fifo *fifo)
{
	const char *const more[] = { fifo->conf->path, NULL };
	int r = script_start(&fifo->run, &fifo->program, more, 0, true);

	if (r == 0)
		return;
	log_warning("cannot start %s: %s", fifo->program.path, strerror(-r));
	timer_arm(&fifo->loop->timers, &fifo->restart,
		  mono_add_ms(fifo->loop->now, BACKOFF_LAST_MS));
}

static void
on_restart(struct timer *t, struct mono now)
{
	start_reader(CONTAINER_OF(t, struct notify_fifo, restart));
}

static void
on_reader_done(struct script_run *run, const struct script_end *end)
{
	struct notify_fifo *fifo = run->ctx;

	if (fifo->fd < 0 || timer_armed(&fifo->drain)) {
		close_fifo(fifo);
		fifo->ended(fifo->ctx);
		return;
	}
	log_warning("%s, which reads %s, has ended (%s %d): starting it again", fifo->program.path,
		    fifo->conf->path, end->signal ? "signal" : "status",
		    end->signal ? end->signal : end->status);
	timer_arm(&fifo->loop->timers, &fifo->restart,
		  mono_add_ms(fifo->loop->now, backoff_delay_ms(&fifo->backoff, end->took_ms)));
}

/* What is in a pipe that nobody has open is lost, and the reader may not have opened it yet. */
static void
on_drain(struct timer *t, struct mono now)
{
	struct notify_fifo *fifo = CONTAINER_OF(t, struct notify_fifo, drain);
	int unread = 0;

	if (script_running(&fifo->run) && mono_before(now, fifo->drain_until) &&
	    ioctl(fifo->fd, FIONREAD, &unread) == 0 && unread > 0)
		timer_arm(&fifo->loop->timers, t, mono_add_ms(now, DRAIN_LOOK_MS));
	else
		close_fifo(fifo);
}

/* ---- begin and end ---- */

static void
clear(struct notify_fifo *fifo, struct loop *loop, const struct conf_fifo *conf)
{
	*fifo = (struct notify_fifo){
		.loop = loop,
		.conf = conf,
		.fd = -1,
		.restart = { .fire = on_restart },
		.drain = { .fire = on_drain },
	};
	script_run_init(&fifo->run, loop, on_reader_done, fifo);
}

/* Is there one that may be run? */
static bool
prepare_reader(struct notify_fifo *fifo, const struct script_owner *owner, bool strict)
{
	char error[256] = "";

	if (script_program_init(&fifo->program, &fifo->conf->script, owner, error, sizeof error) <
	    0) {
		log_error("the reader of notify FIFO %s: %s", fifo->conf->path, error);
		return false;
	}
	return fifo->program.words &&
	       script_program_permitted(&fifo->program, strict, "FIFO script");
}

void
notify_fifo_init(struct notify_fifo *fifo, struct loop *loop, const struct conf_fifo *conf,
		 const struct script_owner *owner, bool strict, void (*ended)(void *ctx), void *ctx)
{
	struct script_owner own;
	char error[256] = "";
	int r;

	clear(fifo, loop, conf);
	fifo->ended = ended;
	fifo->ctx = ctx;
	if (!conf->path)
		return;
	if (conf->user &&
	    script_owner_find(conf->user, conf->group, &own, error, sizeof error) < 0) {
		log_error("notify FIFO %s: %s", conf->path, error);
		return;
	}
	r = make_fifo(fifo, conf->user ? &own : owner);
	if (r < 0) {
		log_error("notify FIFO %s: %s", conf->path, strerror(-r));
		notify_fifo_fini(fifo);
		return;
	}
	if (prepare_reader(fifo, owner, strict))
		start_reader(fifo);
}

void
notify_fifo_close(struct notify_fifo *fifo, int64_t limit_ms)
{
	struct mono now = fifo->loop->now;

	timer_disarm(&fifo->loop->timers, &fifo->restart);
	if (fifo->fd < 0)
		return;
	script_limit(&fifo->run, limit_ms);
	fifo->drain_until = mono_add_ms(now, limit_ms);
	on_drain(&fifo->drain, now);
}

void
notify_fifo_fini(struct notify_fifo *fifo)
{
	if (!fifo->loop)
		return;
	close_fifo(fifo);
	script_run_fini(&fifo->run);
	script_program_fini(&fifo->program);
	if (fifo->created)
		unlink(fifo->conf->path);
	fifo->created = false;
}

/* ---- to another binary ---- */

void
notify_fifo_estate(struct notify_fifo *fifo, struct loop *loop, const struct conf_fifo *conf,
		   struct estate *e)
{
	if (!e->writing)
		clear(fifo, loop, conf);
	estate_fd(e, &fifo->fd);
	estate_bool(e, &fifo->created);
	estate_u64(e, &fifo->dropped);
	estate_u32(e, &fifo->backoff.next_ms, BACKOFF_LAST_MS);
	script_run_estate(&fifo->run, e);
}

int
notify_fifo_resume(struct notify_fifo *fifo, const struct script_owner *owner, bool strict,
		   void (*ended)(void *ctx), void *ctx)
{
	bool readable = prepare_reader(fifo, owner, strict);

	fifo->ended = ended;
	fifo->ctx = ctx;
	if (script_running(&fifo->run))
		return script_run_resume(&fifo->run);
	if (readable && fifo->fd >= 0)
		timer_arm(&fifo->loop->timers, &fifo->restart, fifo->loop->now);
	return 0;
}
