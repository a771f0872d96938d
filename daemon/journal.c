/*
 * journal.c - a ring of the last transitions.  Belongs to the VRRP thread of the worker, which both
 * writes and reads it; no allocation, so that it costs nothing when it matters.
 */
#include "daemon/journal.h"

#include <stdio.h>

void
journal_add(struct journal *journal, const struct vrrp_transition_note *note, struct mono now,
	    int64_t wall_ms)
{
	struct journal_entry *e = &journal->entries[journal->total++ % JOURNAL_SIZE];

	*e = (struct journal_entry){
		.at_ms = wall_ms,
		.mono = now,
		.instance = note->instance,
		.from = note->from,
		.to = note->to,
		.priority = note->priority,
		.peer_priority = note->peer_priority,
		.peer = note->peer,
		.took_ns = note->took_ns,
	};
	snprintf(e->reason, sizeof e->reason, "%s", note->reason ? note->reason : "");
}

uint32_t
journal_count(const struct journal *journal)
{
	return journal->total < JOURNAL_SIZE ? (uint32_t)journal->total : JOURNAL_SIZE;
}

const struct journal_entry *
journal_get(const struct journal *journal, uint32_t age)
{
	if (age >= journal_count(journal))
		return NULL;
	return &journal->entries[(journal->total - 1 - age) % JOURNAL_SIZE];
}
