/*
 * backoff.c - see backoff.h.
 */
#include "daemon/backoff.h"

uint32_t
backoff_delay_ms(struct backoff *backoff, int64_t lived_ms)
{
	uint32_t delay_ms = backoff->next_ms;

	if (delay_ms == 0 || lived_ms >= BACKOFF_HEALTHY_MS)
		delay_ms = BACKOFF_FIRST_MS;
	backoff->next_ms = delay_ms * 2 < BACKOFF_LAST_MS ? delay_ms * 2 : BACKOFF_LAST_MS;
	return delay_ms;
}
