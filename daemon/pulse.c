/*
 * pulse.c - the shared page of pulse.h.  The guardian makes a fresh one for each worker, so that
 * what a dying worker leaves in its page cannot confuse the watch over the next.
 */
#include "daemon/pulse.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int
map(int fd, struct pulse **pulse)
{
	void *page = mmap(NULL, sizeof **pulse, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED)
		return -errno;
	*pulse = page;
	return 0;
}

static int
init_mutex(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attr;
	int r;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	r = pthread_mutex_init(mutex, &attr);
	pthread_mutexattr_destroy(&attr);
	return -r;
}

int
pulse_create(struct pulse **pulse)
{
	struct pulse *p = NULL;
	int fd, r;

	fd = memfd_create("tandem-pulse", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = ftruncate(fd, sizeof *p) < 0 ? -errno : map(fd, &p);
	if (r == 0)
		r = init_mutex(&p->alive);
	/* The worker must not be able to shrink the page under the guardian's feet. */
	if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		r = -errno;
	if (r < 0) {
		pulse_unmap(p);
		close(fd);
		return r;
	}
	*pulse = p;
	return fd;
}

int
pulse_map(int fd, struct pulse **pulse)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_size == sizeof **pulse ? map(fd, pulse) : -EBADMSG;
}

int
pulse_adopt(int fd, struct pulse **pulse)
{
	struct pulse *p = NULL;
	int r = pulse_map(fd, &p);

	if (r < 0)
		return r;
	r = pthread_mutex_lock(&p->alive);
	if (r != 0) {
		pulse_unmap(p);
		return -r;
	}
	atomic_store(&p->locked, 1);
	*pulse = p;
	return 0;
}

void
pulse_unmap(struct pulse *pulse)
{
	if (pulse)
		munmap(pulse, sizeof *pulse);
}
