/*
 * carry.h - what one worker leaves to the next: records of named bytes, one behind the other.
 *
 * What is in a record is the business of whoever wrote it (vrrpd/saved.c, proxy/saved.c), as the compiler
 * laid it out: it means something only to whoever knows the same `layout`, a fingerprint of all of them.
 * Any thread; a struct belongs to its owner.
 */
#pragma once

#include "common/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum carry_kind {
	CARRY_WORKER,   /* no name */
	CARRY_SCRIPT,   /* check scripts */
	CARRY_INSTANCE, /* … by name */
	CARRY_SERVER,   /* "BACKEND/SERVER" */
	CARRY_PROXY,
	CARRY_N,
};

/* In CARRY_WORKER. */
struct carry_worker {
	struct mono started;
};

#define CARRY_MAX (256U << 20)

/* Of all that one worker of this program leaves to the next. */
uint64_t carry_layout(void);

/* Records being written. */
struct carry {
	char *data;
	size_t len, size;
	bool failed; /* out of memory: what there is is not to be used */
};

void carry_init(struct carry *carry, uint64_t layout);
void carry_fini(struct carry *carry);
void carry_add(struct carry *carry, enum carry_kind kind, const char *name, const void *data,
	       size_t len);

/* Writes all of it into an empty file.  0 or -errno. */
int carry_write(const struct carry *carry, int fd);

/* One record; name and data point into the block, the name ends with NUL. */
struct carry_record {
	enum carry_kind kind;
	const char *name;
	const void *data;
	size_t len;
};

/* Reads the record at *at and moves *at behind it.  1; 0 at the end; -EBADMSG: not what carry_write
 * made, or of another layout. */
int carry_next(const void *block, size_t block_len, uint64_t layout, size_t *at,
	       struct carry_record *record);
