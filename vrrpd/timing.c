/*
 * timing.c - the intervals of RFC 3768 section 6.1 (v2) and RFC 9568 section 6.1 (v3).
 *
 * Pure arithmetic in nanoseconds, so that an interval of 10 ms keeps its skew of 6.09 ms.
 */
#include "vrrpd/timing.h"

#include "common/clock.h"

#define NS_PER_CS (10 * NS_PER_MS)

int64_t
vrrp_interval_ns(uint32_t interval_cs)
{
	return interval_cs * NS_PER_CS;
}

int64_t
vrrp_skew_ns(uint8_t version, uint8_t priority, uint32_t interval_cs)
{
	int64_t unit_ns = version == 2 ? NS_PER_S : vrrp_interval_ns(interval_cs);

	return (256 - priority) * unit_ns / 256;
}

int64_t
vrrp_down_ns(uint8_t version, uint8_t priority, uint32_t interval_cs, uint32_t adverts)
{
	return adverts * vrrp_interval_ns(interval_cs) +
	       vrrp_skew_ns(version, priority, interval_cs);
}
