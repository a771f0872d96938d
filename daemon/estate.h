/*
 * estate.h - what the guardian leaves to itself when another binary takes its place in the same
 * process (daemon/upgrade.h): fields, one behind the other.
 *
 * A function of each module names its fields once, for both directions: estate_number(e, &x) writes x
 * down, or reads it.  On the wire every field says what it is: 'n' a number of 64 bits, 'd' a
 * descriptor, 's' bytes with their length before them, '#' the name of a section; in the host's order,
 * since it never leaves the host.  A head tells the format and who can do something with the rest.
 *
 * Reading believes nothing: a field of another kind, beyond its bounds or beyond the end fails, and
 * so does every one behind it, all of which read as zero or nothing.  estate_failure says where.
 * Pure: neither I/O nor clock; descriptors are only numbers here.
 */
#pragma once

#include "common/timer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ESTATE_FORMAT "tandem estate 1\n" /* another number for every change of what is in it */
#define ESTATE_MAX    (512U << 20)
#define ESTATE_FD_MAX (1 << 20)

struct estate {
	bool writing;
	char *data; /* written: from malloc */
	size_t len, size;
	size_t at;           /* reading: the next field */
	const char *section; /* the present one, for messages */
	const char *failure; /* NULL = none so far */
	int *fds;            /* that were mentioned, each once */
	size_t fds_n, fds_size;
	uint8_t *seen; /* reading: a bit for each of them */
};

/* Both write or check the head.  `fingerprint` is of everything else that both sides must agree on;
 * `data` stays the caller's and outlives the estate. */
void estate_write(struct estate *e, uint64_t fingerprint);
void estate_read(struct estate *e, const void *data, size_t len, uint64_t fingerprint);
void estate_fini(struct estate *e);

/* What follows is about this; a constant.  Reading, it must be. */
void estate_section(struct estate *e, const char *name);

void estate_i64(struct estate *e, int64_t *value, int64_t min, int64_t max);
void estate_u64(struct estate *e, uint64_t *value);
void estate_u32(struct estate *e, uint32_t *value, uint32_t max);
void estate_int(struct estate *e, int *value, int min, int max);
void estate_bool(struct estate *e, bool *value);
void estate_mono(struct estate *e, struct mono *value);
/* Whether it is armed, and when it fires; read, it is armed in `heap`. */
void estate_timer(struct estate *e, struct timer_heap *heap, struct timer *timer);
/* How many there are is known: reading, it must be that. */
void estate_expect(struct estate *e, size_t n);
/* -1 = none. */
void estate_fd(struct estate *e, int *fd);
/* Ends with NUL, and does so within `size` bytes. */
void estate_text(struct estate *e, char *text, size_t size);
/* Read: from malloc, with a NUL behind; NULL if there is none or it failed. */
void estate_bytes(struct estate *e, void **data, size_t *len);

/* Everything was read and there is no more. */
void estate_end(struct estate *e);

/* It did not go well, for this reason (a constant); the first one counts. */
void estate_fail(struct estate *e, const char *why);
static inline bool
estate_failed(const struct estate *e)
{
	return e->failure != NULL;
}
