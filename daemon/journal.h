/*
 * journal.h - the last state transitions of this node, for `tandem status` and `tandem history`.
 *
 * The guardian makes the pages and hands them to one worker after the other, so that what happened
 * before a worker died can be read from the next; it does not look into them itself.
 */
#pragma once

#include "common/clock.h"
#include "conf/model.h"
#include "vrrpd/fsm.h"

#include <stdint.h>

#define JOURNAL_SIZE       256
#define JOURNAL_NAME_MAX   64
#define JOURNAL_REASON_MAX 160

struct journal_entry {
	int64_t at_ms; /* wall clock, milliseconds since 1970 */
	struct mono mono;
	char instance[JOURNAL_NAME_MAX]; /* its name: indexes are those of one configuration */
	enum vrrp_state from, to;        /* equal: being written */
	uint8_t priority, peer_priority;
	struct ip peer;
	int64_t took_ns;
	char reason[JOURNAL_REASON_MAX];
};

/* Zeroed is empty. */
struct journal {
	struct journal_entry entries[JOURNAL_SIZE];
	uint64_t total; /* ever added */
};

/* The guardian's: an empty journal in a memfd.  The descriptor, or -errno. */
int journal_create(void);

/* The worker's: maps it.  0 or -errno. */
int journal_adopt(int fd, struct journal **journal);
void journal_unmap(struct journal *journal); /* NULL is fine */

/* Copies `note`, which is about an instance of `conf`; the oldest entry goes when all places are
 * taken. */
void journal_add(struct journal *journal, const struct conf *conf,
		 const struct vrrp_transition_note *note, struct mono now, int64_t wall_ms);

/* Entries held now: at most JOURNAL_SIZE; none without a journal. */
uint32_t journal_count(const struct journal *journal);

/* age 0 is the newest.  NULL if there is none, or if a worker died while it wrote it. */
const struct journal_entry *journal_get(const struct journal *journal, uint32_t age);
