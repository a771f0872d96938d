/*
 * timing.h - the intervals of RFC 3768 section 6.1 and RFC 9568 section 6.1.  Pure.
 */
#pragma once

#include <stdint.h>

/* Centiseconds, as the protocol counts, to nanoseconds. */
int64_t vrrp_interval_ns(uint32_t interval_cs);

/*
 * How long a backup of this priority holds back for a better one.  v2: (256 - priority) / 256 s,
 * whatever the interval; v3: that share of the interval.
 */
int64_t vrrp_skew_ns(uint8_t version, uint8_t priority, uint32_t interval_cs);

/* Silence after which a master counts as gone: so many intervals (three by the RFCs) and the skew. */
int64_t vrrp_down_ns(uint8_t version, uint8_t priority, uint32_t interval_cs, uint32_t adverts);
