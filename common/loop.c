/*
 * loop.c - one epoll loop, owned and run by one thread; only loop_wake may be called from others.
 * Descriptors, timers and deferred calls are embedded in their owners' structs: the loop allocates
 * nothing but the array of its timer heap.
 *
 * Events are gathered in a batch and delivered one after the other, so a callback may delete or
 * replace a loop_fd whose event is still to come.  Two marks catch that: `fd` is -1 once it is
 * deleted, and `turn` tells that it was registered after the batch was gathered.
 */
#include "common/loop.h"

#include "common/list.h"
#include "common/log.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define LOOP_BATCH 256

static void
on_wake_fd(struct loop_fd *lf, uint32_t events)
{
	struct loop *loop = CONTAINER_OF(lf, struct loop, wake);
	uint64_t count;

	/*
	 * Read first, clear second.  A wake in between finds the flag set and does not ring, but
	 * what it announces is visible to the on_message below.  The other way round, its ring could
	 * be swallowed with the flag left set, and no wake would ring again.
	 */
	if (read(loop->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
		log_error("eventfd of a loop: %s", strerror(errno));
	atomic_exchange(&loop->wake_sent, false);
	if (loop->on_message)
		loop->on_message(loop);
}

int
loop_init(struct loop *loop)
{
	int r;

	*loop = (struct loop){ .epoll_fd = -1, .wake_fd = -1, .wake = { .fd = -1 } };
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return -errno;
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	loop->wake.fd = loop->wake_fd;
	loop->wake.ready = on_wake_fd;
	r = loop->wake_fd < 0 ? -errno : loop_add(loop, &loop->wake, EPOLLIN);
	if (r < 0) {
		if (loop->wake_fd >= 0)
			close(loop->wake_fd);
		close(loop->epoll_fd);
		*loop = (struct loop){ 0 };
		return r;
	}
	loop->now = mono_now();
	return 0;
}

/* Calls what is queued now, first in first out; what the calls queue themselves stays queued. */
static void
run_deferred(struct loop *loop)
{
	struct deferred *d, *next, *first = NULL;

	for (d = loop->deferred; d; d = next) {
		next = d->next;
		d->next = first;
		first = d;
	}
	loop->deferred = NULL;
	for (d = first; d; d = next) {
		next = d->next;
		d->queued = false;
		d->call(d);
	}
}

void
loop_fini(struct loop *loop)
{
	/* A loop that was never initialised has a wake_fd of 0, which is not ours to close. */
	if (!loop->wake.ready)
		return;
	while (loop->deferred)
		run_deferred(loop);
	timer_heap_fini(&loop->timers);
	close(loop->wake_fd);
	close(loop->epoll_fd);
	*loop = (struct loop){ .epoll_fd = -1, .wake_fd = -1, .wake = { .fd = -1 } };
}

int
loop_add(struct loop *loop, struct loop_fd *lf, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = lf };

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, lf->fd, &ev) < 0)
		return -errno;
	lf->turn = loop->turn;
	return 0;
}

int
loop_modify(struct loop *loop, struct loop_fd *lf, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = lf };

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, lf->fd, &ev) < 0 ? -errno : 0;
}

int
loop_remove(struct loop *loop, struct loop_fd *lf)
{
	int fd = lf->fd;

	if (fd >= 0)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	lf->fd = -1;
	return fd;
}

void
loop_close(struct loop *loop, struct loop_fd *lf)
{
	if (lf->fd >= 0)
		close(lf->fd);
	lf->fd = -1;
}

void
loop_defer(struct loop *loop, struct deferred *d)
{
	if (d->queued)
		return;
	d->queued = true;
	d->next = loop->deferred;
	loop->deferred = d;
}

/* How long the coming wait may be; < 0 = for ever. */
static int64_t
wait_bound_ns(const struct loop *loop)
{
	int64_t left_ns, bound_ns = loop->max_wait_ns > 0 ? loop->max_wait_ns : -1;
	const struct timer *first = timer_heap_first(&loop->timers);

	if (loop->deferred)
		return 0;
	if (!first)
		return bound_ns;
	if (mono_since(first->when, loop->now) <= 0)
		return 0;
	/*
	 * Not counted from loop->now: that would make the timer late by what this turn has taken.
	 * The reading is for this subtraction only; logic sees the one after the wait.
	 */
	left_ns = mono_since(first->when, mono_now());
	if (left_ns <= 0)
		return 0;
	return bound_ns < 0 || left_ns < bound_ns ? left_ns : bound_ns;
}

/* epoll_wait counts in whole ms.  Rounded up: a timer may be late but the loop must not spin. */
static int
wait_ms(struct loop *loop, struct epoll_event *events, int64_t bound_ns)
{
	int64_t ms = bound_ns < 0 ? -1 : (bound_ns + NS_PER_MS - 1) / NS_PER_MS;

	return epoll_wait(loop->epoll_fd, events, LOOP_BATCH, ms > INT_MAX ? INT_MAX : (int)ms);
}

static int
wait_events(struct loop *loop, struct epoll_event *events)
{
	/* Kernels before 5.11 lack epoll_pwait2; some sandboxes answer EPERM for what they do not
	 * know.  Found out once for all loops of the process. */
	static _Atomic bool no_pwait2;
	int64_t bound_ns = wait_bound_ns(loop);
	struct timespec ts = { bound_ns / NS_PER_S, bound_ns % NS_PER_S };
	int n;

	if (bound_ns > 0 && !atomic_load_explicit(&no_pwait2, memory_order_relaxed)) {
		n = epoll_pwait2(loop->epoll_fd, events, LOOP_BATCH, &ts, NULL);
		if (n < 0 && (errno == ENOSYS || errno == EPERM)) {
			atomic_store_explicit(&no_pwait2, true, memory_order_relaxed);
			n = wait_ms(loop, events, bound_ns);
		}
	} else {
		n = wait_ms(loop, events, bound_ns);
	}
	if (n >= 0)
		return n;
	if (errno != EINTR) {
		/* A broken epoll descriptor: going on would be a spin that serves nobody. */
		log_alert("epoll: %s", strerror(errno));
		abort();
	}
	return 0;
}

void
loop_turn(struct loop *loop)
{
	struct epoll_event events[LOOP_BATCH];
	int n = wait_events(loop, events);

	loop->now = mono_now();
	loop->turn++;
	if (loop->on_wake)
		loop->on_wake(loop);
	for (int i = 0; i < n; i++) {
		struct loop_fd *lf = events[i].data.ptr;

		if (lf->fd >= 0 && lf->turn != loop->turn)
			lf->ready(lf, events[i].events);
	}
	timer_heap_run(&loop->timers, loop->now);
	run_deferred(loop);
	if (loop->on_turn)
		loop->on_turn(loop);
}

void
loop_run(struct loop *loop)
{
	while (!loop->stop)
		loop_turn(loop);
}

void
loop_wake(struct loop *loop)
{
	uint64_t one = 1;
	int saved = errno;

	/* One ring until it is heard: a burst of wakes is one syscall. */
	if (!atomic_exchange(&loop->wake_sent, true) && write(loop->wake_fd, &one, sizeof one) < 0)
		atomic_store(&loop->wake_sent, false);
	errno = saved;
}
