/*
 * backoff.c - see backoff.h.
 */
#include "daemon/backoff.h"

uint32_t
backoff_delay_ms(struct backoff *backoff, int64_t lived_ms)
{
	uint32_t delay_ms = backoff->next_ms;

	if (delay_ms == 0 || lived_ms >= BACKOFF_HEALTHY_MS) {
		delay_ms = BACKOFF_FIRST_MS;
		backoff->deaths = 0;
	}
	backoff->deaths++;
	backoff->next_ms = delay_ms * 2 < BACKOFF_LAST_MS ? delay_ms * 2 : BACKOFF_LAST_MS;
	return delay_ms;
}

uint32_t
backoff_probation_ms(const struct backoff *backoff)
{
	uint32_t ms = PROBATION_FIRST_MS;

	if (backoff->deaths < PROBATION_DEATHS)
		return 0;
	for (uint32_t i = PROBATION_DEATHS; i < backoff->deaths && ms < PROBATION_LAST_MS; i++)
		ms *= 2;
	return ms < PROBATION_LAST_MS ? ms : PROBATION_LAST_MS;
}
