/*
 * journal.h - the last state transitions of this node, for `tandem status`.
 */
#pragma once

#include "common/clock.h"
#include "vrrpd/fsm.h"

#include <stdint.h>

#define JOURNAL_SIZE       256
#define JOURNAL_REASON_MAX 160

struct journal_entry {
	int64_t at_ms; /* wall clock, milliseconds since 1970 */
	struct mono mono;
	uint32_t instance;
	enum vrrp_state from, to;
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

/* Copies `note`; the oldest entry goes when all places are taken. */
void journal_add(struct journal *journal, const struct vrrp_transition_note *note, struct mono now,
		 int64_t wall_ms);

/* Entries held now: at most JOURNAL_SIZE. */
uint32_t journal_count(const struct journal *journal);

/* age 0 is the newest.  NULL if there is none. */
const struct journal_entry *journal_get(const struct journal *journal, uint32_t age);
