/*
 * test_proxy_check_window.c - rise and fall over every cell: each health, each result.
 */
#include "proxy/check_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
every_cell(void **state)
{
	for (uint32_t rise = 1; rise <= 4; rise++) {
		for (uint32_t fall = 1; fall <= 4; fall++) {
			uint32_t top = rise + fall - 1;

			for (uint32_t health = 0; health <= top; health++) {
				struct check_window w = { rise, fall, health };
				bool up = health >= rise;
				enum check_change change = check_window_add(&w, true);

				assert_int_equal(w.health, health + 1 >= rise ? top : health + 1);
				assert_int_equal(change, !up && health + 1 == rise
								 ? CHECK_CHANGE_UP
								 : CHECK_CHANGE_NONE);
				w.health = health;
				change = check_window_add(&w, false);
				assert_int_equal(w.health, health > rise ? health - 1 : 0);
				assert_int_equal(change, health == rise ? CHECK_CHANGE_DOWN
									: CHECK_CHANGE_NONE);
			}
		}
	}
}

static void
one_failure_from_down_at_start(void **state)
{
	struct check_window w;

	check_window_init(&w, 2, 3);
	assert_true(check_window_up(&w));
	assert_true(check_window_in_transition(&w));
	assert_int_equal(check_window_add(&w, false), CHECK_CHANGE_DOWN);
	assert_false(check_window_up(&w));
	assert_false(check_window_in_transition(&w));
	assert_int_equal(check_window_add(&w, true), CHECK_CHANGE_NONE);
	assert_true(check_window_in_transition(&w));
	assert_int_equal(check_window_add(&w, true), CHECK_CHANGE_UP);
	assert_false(check_window_in_transition(&w));
	/* Now it takes three. */
	assert_int_equal(check_window_add(&w, false), CHECK_CHANGE_NONE);
	assert_int_equal(check_window_add(&w, false), CHECK_CHANGE_NONE);
	assert_int_equal(check_window_add(&w, false), CHECK_CHANGE_DOWN);
}

static void
score(void **state)
{
	uint32_t have, of;
	struct check_window w;

	check_window_init(&w, 2, 3);
	check_window_score(&w, &have, &of);
	assert_int_equal(have, 1);
	assert_int_equal(of, 3);
	check_window_add(&w, true);
	check_window_score(&w, &have, &of);
	assert_int_equal(have, 3);
	assert_int_equal(of, 3);
	w.health = 1;
	check_window_score(&w, &have, &of);
	assert_int_equal(have, 1);
	assert_int_equal(of, 2);
}

/* How many results it takes to change sides. */
static void
starts_where_the_file_says(void **state)
{
	static const struct {
		enum conf_init_state from;
		bool up;
		uint32_t results;
	} starts[] = {
		{ CONF_INIT_UP, true, 1 },
		{ CONF_INIT_FULLY_UP, true, 3 },
		{ CONF_INIT_DOWN, false, 1 },
		{ CONF_INIT_FULLY_DOWN, false, 2 },
	};

	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		struct check_window w;

		check_window_init(&w, 2, 3);
		check_window_start(&w, starts[i].from);
		for (uint32_t k = 0; k < starts[i].results; k++) {
			assert_int_equal(check_window_up(&w), starts[i].up);
			check_window_add(&w, !starts[i].up);
		}
		assert_int_equal(check_window_up(&w), !starts[i].up);
	}
}

/* From every place in windows of all sizes: what the event and its failure leave. */
static void
errors_of_sessions(void **state)
{
	for (uint32_t rise = 1; rise <= 4; rise++) {
		for (uint32_t fall = 1; fall <= 4; fall++) {
			for (uint32_t health = 0; health < rise + fall; health++) {
				struct check_window down, death;
				bool up = health >= rise;

				check_window_init(&down, rise, fall);
				down.health = health;
				death = down;
				check_window_mark_down(&down);
				assert_int_equal(check_window_add(&down, false),
						 up ? CHECK_CHANGE_DOWN : CHECK_CHANGE_NONE);
				assert_int_equal(down.health, 0);
				check_window_sudden_death(&death);
				check_window_add(&death, false);
				assert_int_equal(death.health, health > rise ? rise : 0);
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell),
		cmocka_unit_test(one_failure_from_down_at_start),
		cmocka_unit_test(score),
		cmocka_unit_test(starts_where_the_file_says),
		cmocka_unit_test(errors_of_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
