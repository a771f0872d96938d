/*
 * lb_ewma.c - the moving average behind balance p2c-ewma.  Run by every proxy thread.
 */
#include "proxy/lb_ewma.h"

#include <math.h>

/* After so long without a peak, what is left of it is 1/e. */
#define DECAY_NS 10e9
#define FLOOR_NS 1e3

/* What remains of an old value's weight. */
static double
remains(const struct lb_ewma *ewma, int64_t now_ns)
{
	int64_t age_ns = now_ns - atomic_load_explicit(&ewma->at_ns, memory_order_relaxed);

	return age_ns > 0 ? exp(-(double)age_ns / DECAY_NS) : 1;
}

void
lb_ewma_add(struct lb_ewma *ewma, int64_t took_ns, int64_t now_ns)
{
	int64_t value_ns = atomic_load_explicit(&ewma->value_ns, memory_order_relaxed);

	if (took_ns >= value_ns) {
		value_ns = took_ns;
	} else {
		double old = remains(ewma, now_ns);

		value_ns = (int64_t)((double)value_ns * old + (double)took_ns * (1 - old));
	}
	atomic_store_explicit(&ewma->value_ns, value_ns, memory_order_relaxed);
	atomic_store_explicit(&ewma->at_ns, now_ns, memory_order_relaxed);
}

double
lb_ewma_ns(const struct lb_ewma *ewma, int64_t now_ns)
{
	int64_t value_ns = atomic_load_explicit(&ewma->value_ns, memory_order_relaxed);
	double faded = (double)value_ns * remains(ewma, now_ns);

	return faded > FLOOR_NS ? faded : FLOOR_NS;
}
