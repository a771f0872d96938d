/*
 * journal.c - a ring of the last transitions.  Written and read by the VRRP thread of the worker; no
 * allocation, so that it costs nothing when it matters.
 *
 * A worker may die at any place of journal_add, and the next one reads what it left: an entry counts
 * only once it is whole.
 */
#include "daemon/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int
journal_create(void)
{
	int fd = memfd_create("tandem-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING), r;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, sizeof(struct journal)) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

int
journal_adopt(int fd, struct journal **journal)
{
	struct stat st;
	void *pages;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size != sizeof **journal)
		return -EBADMSG;
	pages = mmap(NULL, sizeof **journal, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (pages == MAP_FAILED)
		return -errno;
	*journal = pages;
	return 0;
}

void
journal_unmap(struct journal *journal)
{
	if (journal)
		munmap(journal, sizeof *journal);
}

void
journal_add(struct journal *journal, const struct conf *conf,
	    const struct vrrp_transition_note *note, struct mono now, int64_t wall_ms)
{
	struct journal_entry *e = &journal->entries[journal->total % JOURNAL_SIZE];

	*e = (struct journal_entry){
		.at_ms = wall_ms,
		.mono = now,
		.from = note->from,
		.to = note->from,
		.priority = note->priority,
		.peer_priority = note->peer_priority,
		.peer = note->peer,
		.took_ns = note->took_ns,
	};
	snprintf(e->instance, sizeof e->instance, "%s", conf->instances[note->instance].name);
	snprintf(e->reason, sizeof e->reason, "%s", note->reason ? note->reason : "");
	e->to = note->to;
	journal->total++;
}

uint32_t
journal_count(const struct journal *journal)
{
	if (!journal)
		return 0;
	return journal->total < JOURNAL_SIZE ? (uint32_t)journal->total : JOURNAL_SIZE;
}

static bool
is_whole(const struct journal_entry *e)
{
	return e->from < VRRP_STATE_N && e->to < VRRP_STATE_N && e->from != e->to &&
	       memchr(e->instance, '\0', sizeof e->instance) &&
	       memchr(e->reason, '\0', sizeof e->reason);
}

const struct journal_entry *
journal_get(const struct journal *journal, uint32_t age)
{
	const struct journal_entry *e;

	if (age >= journal_count(journal))
		return NULL;
	e = &journal->entries[(journal->total - 1 - age) % JOURNAL_SIZE];
	return is_whole(e) ? e : NULL;
}
