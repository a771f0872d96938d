/*
 * backoff.h - how long to wait before the worker is started again.  Pure.
 */
#pragma once

#include <stdint.h>

#define BACKOFF_FIRST_MS   100
#define BACKOFF_LAST_MS    10000
#define BACKOFF_HEALTHY_MS 30000 /* a worker that lived so long is not in a crash loop */

struct backoff {
	uint32_t next_ms; /* 0 = nothing has failed lately */
};

/* The worker is gone after `lived_ms`: 100 ms, doubling up to 10 s while it keeps dying young. */
uint32_t backoff_delay_ms(struct backoff *backoff, int64_t lived_ms);
