/*
 * health.c - the health board.  Proxy threads write their own cell, any thread may ring, the VRRP
 * thread judges.  The worker's main thread owns the board and frees it after all threads are gone.
 *
 * Cells are independent: a reader may see one thread's old and another's new state, and the ring
 * that follows each change makes it look again.  Hence relaxed order for beats; the rest is ordered
 * by the eventfd.
 */
#include "common/health.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int
health_board_init(struct health_board *board, uint32_t threads_n, uint32_t backends_n)
{
	size_t threads_size = (threads_n ? threads_n : 1) * sizeof *board->threads;
	struct health_thread *threads;
	struct health_backend *backends;
	int fd;

	memset(board, 0, sizeof *board);

	/* One cell at least: a board whose `threads` is NULL was never initialised. */
	threads = aligned_alloc(_Alignof(struct health_thread), threads_size);
	backends = calloc(backends_n ? backends_n : 1, sizeof *backends);
	fd = threads && backends ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
	if (fd < 0) {
		int r = threads && backends ? -errno : -ENOMEM;

		free(threads);
		free(backends);
		return r;
	}
	memset(threads, 0, threads_size);

	board->wake_fd = fd;
	board->threads_n = threads_n;
	board->backends_n = backends_n;
	board->backends = backends;
	board->threads = threads;
	return 0;
}

void
health_board_fini(struct health_board *board)
{
	if (!board->threads)
		return;
	close(board->wake_fd);
	free(board->threads);
	free(board->backends);
	memset(board, 0, sizeof *board);
	board->wake_fd = -1;
}

void
health_beat(struct health_board *board, uint32_t thread, struct mono now)
{
	atomic_store_explicit(&board->threads[thread].beat_ns, now.ns, memory_order_relaxed);
}

void
health_ring(struct health_board *board)
{
	uint64_t one = 1;

	/* Fails only with a counter that is full: then the reader has been woken already. */
	if (write(board->wake_fd, &one, sizeof one) < 0)
		return;
}

enum health_proxy
health_proxy_state(const struct health_board *board, struct mono now, int64_t stuck_ns)
{
	bool starting = false, lost = false;

	for (uint32_t i = 0; i < board->threads_n; i++) {
		const struct health_thread *t = &board->threads[i];
		int64_t beat_ns = atomic_load_explicit(&t->beat_ns, memory_order_relaxed);
		bool ready = atomic_load(&t->ready);

		/* A beat may be younger than `now`: that is a negative silence. */
		if ((ready || beat_ns != 0) && now.ns - beat_ns > stuck_ns)
			return HEALTH_PROXY_STUCK;
		if (!ready)
			starting = true;
		else if (atomic_load(&t->lost) != 0)
			lost = true;
	}
	if (starting)
		return HEALTH_PROXY_STARTING;
	return lost ? HEALTH_PROXY_LISTENER_LOST : HEALTH_PROXY_SERVING;
}

const char *
health_proxy_name(enum health_proxy state)
{
	switch (state) {
	case HEALTH_PROXY_SERVING:
		return "serving";
	case HEALTH_PROXY_STARTING:
		return "starting";
	case HEALTH_PROXY_LISTENER_LOST:
		return "listener lost";
	case HEALTH_PROXY_STUCK:
		return "thread stuck";
	}
	return "?";
}
