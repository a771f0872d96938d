/*
 * deathwatch.c - see deathwatch.h.  The thread touches nothing but the pulse page and the eventfd;
 * everything else in here is the guardian's loop thread.
 *
 * Why a thread: the kernel needs 80-130 ms to tear down a process with 16,000 sockets before it
 * says SIGCHLD or closes the socket pair, but walks a dead thread's robust mutexes first of all.
 *
 * The mutex is never locked here, only its futex word is read and waited on: locking would make the
 * C library follow pointers in a page that a compromised worker can write to.
 */
#include "daemon/deathwatch.h"

#include "common/list.h"
#include "common/log.h"
#include "daemon/realtime.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Everything is locked in memory, the stack as well: a small one does.  It is our own, since the C
 * library would keep those of all the threads that there ever were at the same time. */
#define DEATHWATCH_STACK ((size_t)256 * 1024)
#define DEATHWATCH_GUARD ((size_t)64 * 1024)

/* The word the kernel knows: the owner's thread id, FUTEX_WAITERS, FUTEX_OWNER_DIED. */
static uint32_t *
futex_word(struct pulse *pulse)
{
	return (uint32_t *)&pulse->alive.__data.__lock;
}

static void *
wait_for_death(void *arg)
{
	struct deathwatch *watch = arg;
	uint32_t *word = futex_word(watch->pulse);
	uint32_t seen;
	uint64_t one = 1;

	prctl(PR_SET_NAME, "deathwatch");
	realtime_thread();
	for (;;) {
		/* The kernel wakes only if the bit says that someone waits. */
		seen = __atomic_or_fetch(word, FUTEX_WAITERS, __ATOMIC_SEQ_CST);
		if ((seen & FUTEX_OWNER_DIED) || (seen & FUTEX_TID_MASK) == 0)
			break;
		syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
	}
	while (write(watch->ring_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
	return NULL;
}

static void
on_ring(struct loop_fd *lf, uint32_t events)
{
	struct deathwatch *watch = CONTAINER_OF(lf, struct deathwatch, event);

	loop_remove(watch->loop, &watch->event);
	watch->on_death(watch->ctx);
}

static void
free_stack(struct deathwatch *watch)
{
	munmap(watch->stack, DEATHWATCH_GUARD + DEATHWATCH_STACK);
	watch->stack = NULL;
}

static int
start_thread(struct deathwatch *watch)
{
	pthread_attr_t attr;
	int r;

	watch->stack = mmap(NULL, DEATHWATCH_GUARD + DEATHWATCH_STACK, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (watch->stack == MAP_FAILED)
		return -errno;
	r = mprotect((char *)watch->stack + DEATHWATCH_GUARD, DEATHWATCH_STACK,
		     PROT_READ | PROT_WRITE);
	if (r < 0) {
		r = errno;
	} else {
		pthread_attr_init(&attr);
		pthread_attr_setstack(&attr, (char *)watch->stack + DEATHWATCH_GUARD,
				      DEATHWATCH_STACK);
		r = pthread_create(&watch->thread, &attr, wait_for_death, watch);
		pthread_attr_destroy(&attr);
	}
	if (r != 0)
		free_stack(watch);
	return -r;
}

int
deathwatch_start(struct deathwatch *watch, struct loop *loop, struct pulse *pulse,
		 void (*on_death)(void *ctx), void *ctx)
{
	int r;

	*watch = (struct deathwatch){
		.pulse = pulse,
		.loop = loop,
		.on_death = on_death,
		.ctx = ctx,
	};
	watch->ring_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (watch->ring_fd < 0)
		return -errno;
	watch->event = (struct loop_fd){ .fd = watch->ring_fd, .ready = on_ring };
	r = loop_add(loop, &watch->event, EPOLLIN);
	if (r == 0)
		r = start_thread(watch);
	if (r < 0) {
		loop_remove(loop, &watch->event);
		close(watch->ring_fd);
		return r;
	}
	watch->running = true;
	return 0;
}

void
deathwatch_stop(struct deathwatch *watch)
{
	uint32_t *word;

	if (!watch->running)
		return;
	word = futex_word(watch->pulse);
	/* The kernel has done this already, unless the worker overwrote the word. */
	__atomic_or_fetch(word, FUTEX_OWNER_DIED, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	pthread_join(watch->thread, NULL);
	free_stack(watch);
	loop_remove(watch->loop, &watch->event);
	close(watch->ring_fd);
	watch->running = false;
}
