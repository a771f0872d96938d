/*
 * realtime.c - see realtime.h.  Used by the guardian's two threads and the worker's VRRP thread.
 * Nothing here is required: a container without these rights still works, only less punctually on
 * a busy host.
 */
#include "daemon/realtime.h"

#include "common/log.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define OOM_SCORE_GUARDIAN "-900"
#define OOM_SCORE_DEFAULT  "0"

static int chosen = REALTIME_PRIORITY;

void
realtime_choose(int priority)
{
	chosen = priority ? priority : REALTIME_PRIORITY;
}

int
realtime_thread(void)
{
	struct sched_param param = { .sched_priority = chosen };

	return sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) < 0 ? -errno : 0;
}

bool
realtime_pause(void)
{
	struct sched_param param = { .sched_priority = 0 };

	return (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_RR &&
	       sched_setscheduler(0, SCHED_OTHER, &param) == 0;
}

/* Async-signal-safe: also called between fork and exec. */
static int
set_oom_score(const char *score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, score, strlen(score)) < 0)
		r = -errno;
	close(fd);
	return r;
}

void
realtime_process(bool lock_memory)
{
	int r = set_oom_score(OOM_SCORE_GUARDIAN);

	if (r < 0)
		log_debug("the out-of-memory killer is not told to spare us: %s", strerror(-r));
	/* A sanitizer's shadow is terabytes of address space: not to be locked.  And without the
	 * capability a limit applies, at which later allocations would fail. */
	if (!lock_memory || SANITIZED || !capng_have_capability(CAPNG_EFFECTIVE, CAP_IPC_LOCK))
		return;
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		log_debug("memory is not locked: %s", strerror(errno));
}

/* Without the capability, later on, only the limit could forbid it. */
int
realtime_lock_memory(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	if (SANITIZED)
		return 0;
	if (setrlimit(RLIMIT_MEMLOCK, &all) < 0 ||
	    mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		return -errno;
	return 0;
}

int
realtime_pin(const uint16_t *cpus, size_t n)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (size_t i = 0; i < n; i++)
		CPU_SET(cpus[i], &set);
	return sched_setaffinity(0, sizeof set, &set) < 0 ? -errno : 0;
}

void
realtime_undo(void)
{
	set_oom_score(OOM_SCORE_DEFAULT);
}
