/*
 * rate_gate.c - see rate_gate.h.  Any thread.
 */
#include "proxy/rate_gate.h"

#define COUNT_BITS  20
#define COUNT_MASK  ((UINT64_C(1) << COUNT_BITS) - 1)
#define SECOND_MASK ((UINT64_C(1) << 24) - 1)

struct counts {
	uint64_t second, before, now;
};

static struct counts
unpack(uint64_t packed)
{
	return (struct counts){
		.second = packed >> (2 * COUNT_BITS),
		.before = packed >> COUNT_BITS & COUNT_MASK,
		.now = packed & COUNT_MASK,
	};
}

static uint64_t
pack(const struct counts *c)
{
	return c->second << (2 * COUNT_BITS) | c->before << COUNT_BITS | c->now;
}

static uint64_t
second_of(struct mono now)
{
	return (uint64_t)(now.ns / NS_PER_S) & SECOND_MASK;
}

/* Brings the counts to the second that it is; threads' clocks may differ by a moment. */
static void
turn(struct counts *c, uint64_t second)
{
	uint64_t ahead = (second - c->second) & SECOND_MASK;

	if (ahead == 0 || ahead == SECOND_MASK)
		return;
	c->before = ahead == 1 ? c->now : 0;
	c->now = 0;
	c->second = second;
}

/* 0, or how long until fewer than `limit` have come within a second. */
static uint32_t
time_to_wait(const struct counts *c, uint32_t limit, uint64_t left_ms)
{
	uint64_t allowed_ms;

	if (c->now >= limit)
		return (uint32_t)left_ms;
	if (c->before == 0)
		return 0;
	/* Of those before no more may count than: */
	allowed_ms = (limit - c->now) * 1000 / c->before;
	if (left_ms * c->before < (limit - c->now) * 1000)
		return 0;
	return left_ms > allowed_ms ? (uint32_t)(left_ms - allowed_ms) : 1;
}

uint32_t
rate_gate_enter(struct rate_gate *gate, uint32_t limit, struct mono now)
{
	uint64_t left_ms = 1000 - (uint64_t)(now.ns % NS_PER_S / NS_PER_MS);
	uint64_t packed = atomic_load_explicit(&gate->counts, memory_order_relaxed);
	struct counts c;
	uint32_t wait_ms;

	do {
		c = unpack(packed);
		turn(&c, second_of(now));
		wait_ms = time_to_wait(&c, limit, left_ms);
		if (wait_ms)
			return wait_ms;
		c.now++;
	} while (!atomic_compare_exchange_weak(&gate->counts, &packed, pack(&c)));
	return 0;
}

void
rate_gate_leave(struct rate_gate *gate, struct mono now)
{
	uint64_t packed = atomic_load_explicit(&gate->counts, memory_order_relaxed);
	struct counts c;

	do {
		c = unpack(packed);
		/* In a second that has passed it weighs little, and ever less. */
		if (c.second != second_of(now) || c.now == 0)
			return;
		c.now--;
	} while (!atomic_compare_exchange_weak(&gate->counts, &packed, pack(&c)));
}
