/*
 * check_beat.c - see check_beat.h.
 */
#include "proxy/check_beat.h"

static struct mono
on_tick(struct mono due, int64_t tick_ns)
{
	return (struct mono){ (due.ns + tick_ns - 1) / tick_ns * tick_ns };
}

struct mono
check_beat_start(struct check_beat *b, struct mono now, int64_t inter_ns, uint32_t place,
		 uint32_t of)
{
	int64_t window_ns = CHECK_FIRST_MS * NS_PER_MS;

	if (window_ns < of * NS_PER_MS / CHECK_FIRST_PER_MS)
		window_ns = of * NS_PER_MS / CHECK_FIRST_PER_MS;
	if (inter_ns < window_ns)
		window_ns = inter_ns;
	*b = (struct check_beat){ .place = place, .of = of };
	b->first_ns = window_ns / of * place;
	return check_beat_move(b, mono_add_ns(now, b->first_ns));
}

struct mono
check_beat_move(struct check_beat *b, struct mono due)
{
	b->due = due;
	return on_tick(due, NS_PER_MS);
}

/* What is due an interval after the last one. */
static struct mono
after(const struct check_beat *b, int64_t inter_ns)
{
	/* From the bunch of first checks to this one's own place in the interval. */
	if (b->first)
		return mono_add_ns(b->last, inter_ns / b->of * (b->place + 1) - b->first_ns);
	return mono_add_ns(b->last, inter_ns);
}

struct mono
check_beat_next(struct check_beat *b, struct mono now, int64_t inter_ns)
{
	b->first = !b->begun;
	b->begun = true;
	b->last = b->due;
	b->due = after(b, inter_ns);
	if (b->due.ns <= now.ns)
		b->due.ns += ((now.ns - b->due.ns) / inter_ns + 1) * inter_ns;
	return on_tick(b->due, inter_ns / CHECK_TICKS);
}

struct mono
check_beat_again(struct check_beat *b, struct mono now, int64_t inter_ns)
{
	b->due = after(b, inter_ns);
	if (mono_before(b->due, now))
		b->due = now;
	return on_tick(b->due, inter_ns / CHECK_TICKS);
}
