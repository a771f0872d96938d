/*
 * backoff.h - how long to wait before the worker is started again, and how long that one is not to
 * be trusted.  Pure.
 *
 * What kills a worker may come with mastership: if the node with the higher priority took the
 * addresses back after each of its deaths, they would go to and fro for ever.
 */
#pragma once

#include <stdint.h>

#define BACKOFF_FIRST_MS   100
#define BACKOFF_LAST_MS    10000
#define BACKOFF_HEALTHY_MS 30000 /* a worker that lived so long is not in a crash loop */

#define PROBATION_DEATHS   5 /* a worker after so many in a row is on probation … */
#define PROBATION_FIRST_MS 30000
#define PROBATION_LAST_MS  3600000

struct backoff {
	uint32_t next_ms; /* 0 = nothing has failed lately */
	uint32_t deaths;  /* in a row */
};

/* The worker is gone after `lived_ms`: 100 ms, doubling up to 10 s while it keeps dying young. */
uint32_t backoff_delay_ms(struct backoff *backoff, int64_t lived_ms);

/* … for 30 s, doubling up to an hour with each further death; 0 = it is trusted.  Its time on probation
 * does not count as lived. */
uint32_t backoff_probation_ms(const struct backoff *backoff);
