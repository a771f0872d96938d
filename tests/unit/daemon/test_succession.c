/*
 * test_succession.c - the table of a reload: what must hold for every cell, and the ways through it.
 */
#include "daemon/succession.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#define FOR_EACH_CELL(s, e)                         \
	for (unsigned s = 0; s < SUCCESSION_N; s++) \
		for (unsigned e = 0; e < SUCCESSION_EVENT_N; e++)

static struct succession_step
cell(unsigned state, unsigned event)
{
	return succession_step((enum succession_state)state, (enum succession_event)event);
}

static bool
has_second(unsigned state)
{
	return state == SUCCESSION_PREPARING || state == SUCCESSION_RESIGNING ||
	       state == SUCCESSION_FREEZING;
}

/* Whoever asked is told exactly once: when it is over. */
static void
test_an_end_is_told(void **state)
{
	FOR_EACH_CELL(s, e)
	{
		struct succession_step step = cell(s, e);
		bool over =
			step.effects && s != SUCCESSION_STEADY && step.next == SUCCESSION_STEADY;
		bool failed = step.effects & SUCCESSION_DO_FAIL;
		bool succeeded = step.effects & SUCCESSION_DO_SUCCEED;

		assert_int_equal(over, failed != succeeded);
		assert_false(failed && succeeded);
		assert_int_equal(succeeded, (step.effects & SUCCESSION_DO_PASS) != 0);
	}
}

/* The second worker either gets the token or goes, and never while the other is frozen. */
static void
test_one_token(void **state)
{
	FOR_EACH_CELL(s, e)
	{
		struct succession_step step = cell(s, e);
		bool leaves = step.effects && has_second(s) && !has_second(step.next);
		bool pass = step.effects & SUCCESSION_DO_PASS;
		bool drop = step.effects & SUCCESSION_DO_DROP;
		bool thaw = step.effects & SUCCESSION_DO_THAW;

		assert_int_equal(leaves, pass != drop);
		assert_int_equal(thaw, s == SUCCESSION_FREEZING && drop);
		/* Only a holder that is frozen, dead or not there can be followed. */
		if (pass)
			assert_true(e == SUCCESSION_FROZEN || e == SUCCESSION_FIRST_GONE ||
				    e == SUCCESSION_READY_ALONE);
		if (e == SUCCESSION_SECOND_GONE)
			assert_false(pass);
	}
}

/* Every state that waits for somebody hears of its death, of its being late, and of a stop. */
static void
test_no_state_waits_for_ever(void **state)
{
	for (unsigned s = SUCCESSION_LOADING; s < SUCCESSION_N; s++) {
		assert_int_equal(cell(s, SUCCESSION_LATE).next, SUCCESSION_STEADY);
		assert_true(cell(s, SUCCESSION_LATE).effects);
		assert_int_equal(cell(s, SUCCESSION_STOP).next, SUCCESSION_STEADY);
		assert_true(cell(s, SUCCESSION_FIRST_GONE).effects);
		assert_int_equal(cell(s, SUCCESSION_ASKED).effects, SUCCESSION_DO_REFUSE);
		if (has_second(s))
			assert_int_equal(cell(s, SUCCESSION_SECOND_GONE).next, SUCCESSION_STEADY);
	}
}

/* What was let go of for the sake of a reload comes back when there is none. */
static void
test_what_was_begun_is_undone(void **state)
{
	for (unsigned s = SUCCESSION_RESIGNING; s <= SUCCESSION_FREEZING; s++) {
		assert_true(cell(s, SUCCESSION_SECOND_GONE).effects & SUCCESSION_DO_RESUME);
		assert_true(cell(s, SUCCESSION_LATE).effects & SUCCESSION_DO_RESUME);
	}
	assert_true(cell(SUCCESSION_LOADING, SUCCESSION_LATE).effects & SUCCESSION_DO_ABORT_LOAD);
	assert_true(cell(SUCCESSION_LOADING, SUCCESSION_STOP).effects & SUCCESSION_DO_ABORT_LOAD);
}

static void
test_the_straight_way(void **state)
{
	static const struct {
		enum succession_event event;
		enum succession_state next;
	} way[] = {
		{ SUCCESSION_ASKED, SUCCESSION_LOADING },
		{ SUCCESSION_LOADED, SUCCESSION_PREPARING },
		{ SUCCESSION_READY, SUCCESSION_RESIGNING },
		{ SUCCESSION_LET_GO, SUCCESSION_FREEZING },
		{ SUCCESSION_FROZEN, SUCCESSION_STEADY },
	};
	enum succession_state at = SUCCESSION_STEADY;

	for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
		struct succession_step step = succession_step(at, way[i].event);

		assert_true(step.effects);
		assert_int_equal(step.next, way[i].next);
		at = way[i].next;
	}
}

static void
test_names(void **state)
{
	for (unsigned s = 0; s < SUCCESSION_N; s++)
		assert_non_null(succession_state_name((enum succession_state)s));
	for (unsigned e = 0; e < SUCCESSION_EVENT_N; e++)
		assert_non_null(succession_event_name((enum succession_event)e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_end_is_told),
		cmocka_unit_test(test_one_token),
		cmocka_unit_test(test_no_state_waits_for_ever),
		cmocka_unit_test(test_what_was_begun_is_undone),
		cmocka_unit_test(test_the_straight_way),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
