/*
 * test_timer.c - the heap against a naive model, and what callbacks may do.  Time is invented.
 */
#include "common/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/list.h"

#include <stdlib.h>
#include <string.h>

#define MODEL_N 300

static struct timer_heap heap;

struct model {
	struct timer timer;
	uint64_t seq; /* order of arming */
	bool armed;
};

static struct model model[MODEL_N];
static int fired[MODEL_N], fired_n;
static uint64_t seed = 88172645463325252ULL;

static uint64_t
random_next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void
model_fire(struct timer *t, struct mono now)
{
	struct model *m = CONTAINER_OF(t, struct model, timer);

	assert_false(timer_armed(t));
	assert_true(t->when.ns <= now.ns);
	m->armed = false;
	fired[fired_n++] = (int)(m - model);
}

static bool
model_before(const struct model *a, const struct model *b)
{
	int64_t ka = a->timer.when.ns, kb = b->timer.when.ns;

	return ka != kb ? ka < kb : a->seq < b->seq;
}

static int
model_first(void)
{
	int first = -1;

	for (int i = 0; i < MODEL_N; i++)
		if (model[i].armed && (first < 0 || model_before(&model[i], &model[first])))
			first = i;
	return first;
}

static void
test_random(void **state)
{
	struct mono now = { 1000 };
	uint64_t seq = 0;
	size_t total = 0;

	for (int i = 0; i < MODEL_N; i++)
		model[i].timer.fire = model_fire;

	for (int step = 0; step < 30000; step++) {
		struct model *m = &model[random_next() % MODEL_N];
		int first;

		switch (random_next() % 16) {
		case 0: {
			int due[MODEL_N], due_n = 0;

			/* What is due by the model, in its order. */
			now.ns += (int64_t)(random_next() % 200);
			while ((first = model_first()) >= 0 &&
			       model[first].timer.when.ns <= now.ns) {
				due[due_n++] = first;
				model[first].armed = false;
			}
			fired_n = 0;
			timer_heap_run(&heap, now);
			assert_int_equal(fired_n, due_n);
			assert_memory_equal(fired, due, (size_t)due_n * sizeof *due);
			total += (size_t)due_n;
			break;
		}
		case 1:
		case 2:
		case 3:
			timer_disarm(&heap, &m->timer);
			m->armed = false;
			break;
		default:
			/* A narrow range, so that many are equal; past ones among them. */
			timer_arm(&heap, &m->timer,
				  mono_add_ns(now, (int64_t)(random_next() % 300) - 20));
			m->armed = true;
			m->seq = seq++;
		}
		assert_int_equal(timer_armed(&m->timer), m->armed);
		first = model_first();
		assert_ptr_equal(timer_heap_first(&heap), first < 0 ? NULL : &model[first].timer);
	}
	assert_true(total > 1000);

	timer_heap_fini(&heap);
	for (int i = 0; i < MODEL_N; i++)
		assert_false(timer_armed(&model[i].timer));
	assert_null(timer_heap_first(&heap));
	memset(model, 0, sizeof model);
}

/* ---- callbacks that change the heap ---- */

static struct timer a, b, c;
static char trace[64];
static void (*action)(struct timer *t, struct mono now);

static void
fire(struct timer *t, struct mono now)
{
	size_t len = strlen(trace);

	assert_true(len < sizeof trace - 1); /* a run that does not end */
	trace[len] = t == &a ? 'a' : t == &b ? 'b' : 'c';
	if (action)
		action(t, now);
}

static int
setup(void **state)
{
	a = b = c = (struct timer){ .fire = fire };
	action = NULL;
	memset(trace, 0, sizeof trace);
	return 0;
}

static int
teardown(void **state)
{
	timer_heap_fini(&heap);
	return 0;
}

static void
arm(struct timer *t, int64_t when)
{
	timer_arm(&heap, t, (struct mono){ when });
}

/* Runs at `now` and compares what fired. */
static void
run(int64_t now, const char *want)
{
	memset(trace, 0, sizeof trace);
	timer_heap_run(&heap, (struct mono){ now });
	assert_string_equal(trace, want);
}

static void
test_fifo_and_move(void **state)
{
	arm(&c, 10);
	arm(&a, 10);
	arm(&b, 10);
	run(9, "");
	run(10, "cab");
	run(10, "");

	arm(&a, 10);
	arm(&b, 20);
	arm(&a, 30); /* later */
	assert_ptr_equal(timer_heap_first(&heap), &b);
	arm(&a, 5); /* earlier */
	assert_ptr_equal(timer_heap_first(&heap), &a);
	timer_disarm(&heap, &a);
	timer_disarm(&heap, &a);
	run(100, "b");
}

static void
rearm_now(struct timer *t, struct mono now)
{
	timer_arm(&heap, t, now);
}

static void
rearm_past(struct timer *t, struct mono now)
{
	timer_arm(&heap, t, mono_add_ns(now, -1000));
}

/* Armed for now or before: the next run, even one at the same time, and no earlier. */
static void
test_rearm_in_callback(void **state)
{
	action = rearm_now;
	arm(&a, 10);
	arm(&b, 10);
	arm(&c, 11);
	run(10, "ab");
	run(10, "ab");
	run(11, "abc");

	action = rearm_past;
	run(11, "abc");
	assert_int_equal(timer_heap_first(&heap)->when.ns, 11 - 1000);
	run(11, "abc");
	action = NULL;
	run(12, "abc");
	run(13, "");
}

static void
rearm_a_past_once(struct timer *t, struct mono now)
{
	if (t == &a)
		timer_arm(&heap, &a, mono_add_ns(now, -1000));
}

/* One that was armed for the past within a run must not hide those still due behind it. */
static void
test_rearm_does_not_hide(void **state)
{
	action = rearm_a_past_once;
	arm(&a, 1);
	arm(&b, 2);
	arm(&c, 10);
	run(10, "abc");
	run(10, "a");
	timer_disarm(&heap, &a);
	assert_null(timer_heap_first(&heap));
}

static void
a_disarms_b(struct timer *t, struct mono now)
{
	if (t == &a)
		timer_disarm(&heap, &b);
}

static void
a_moves_b_later(struct timer *t, struct mono now)
{
	if (t == &a)
		timer_arm(&heap, &b, mono_add_ns(now, 5));
}

static void
a_moves_b_now(struct timer *t, struct mono now)
{
	if (t == &a)
		timer_arm(&heap, &b, now);
}

static void
a_arms_b_from_idle(struct timer *t, struct mono now)
{
	if (t == &a)
		timer_arm(&heap, &b, mono_add_ns(now, -1));
	else
		timer_disarm(&heap, t); /* itself, fired already: harmless */
}

static void
test_due_changed_by_callback(void **state)
{
	arm(&a, 1);
	arm(&b, 2);
	arm(&c, 3);
	action = a_disarms_b;
	run(10, "ac");
	assert_false(timer_armed(&b));

	arm(&a, 11);
	arm(&b, 12);
	arm(&c, 13);
	action = a_moves_b_later;
	run(20, "ac");
	run(24, "");
	run(25, "b");

	arm(&a, 30);
	arm(&b, 31);
	arm(&c, 32);
	action = a_moves_b_now;
	run(40, "ac");
	run(40, "b");

	arm(&a, 50);
	arm(&c, 51);
	action = a_arms_b_from_idle;
	run(60, "ac");
	run(60, "b");
	assert_null(timer_heap_first(&heap));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test_setup_teardown(test_fifo_and_move, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rearm_in_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rearm_does_not_hide, setup, teardown),
		cmocka_unit_test_setup_teardown(test_due_changed_by_callback, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
