/*
 * test_carry.c - what one worker leaves to the next: records as they were written, and nothing of
 * what is cut short or is none.
 */
#include "daemon/carry.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LAYOUT 7

static void
write_two(struct carry *carry)
{
	carry_init(carry, LAYOUT);
	carry_add(carry, CARRY_INSTANCE, "VI_1", "state", 5);
	carry_add(carry, CARRY_SERVER, "app/s1", "", 0);
	assert_false(carry->failed);
}

static void
test_records_come_back(void **state)
{
	struct carry carry;
	struct carry_record r;
	size_t at = 0;

	write_two(&carry);
	assert_int_equal(carry_next(carry.data, carry.len, LAYOUT, &at, &r), 1);
	assert_int_equal(r.kind, CARRY_INSTANCE);
	assert_string_equal(r.name, "VI_1");
	assert_int_equal(r.len, 5);
	assert_memory_equal(r.data, "state", 5);
	assert_int_equal(carry_next(carry.data, carry.len, LAYOUT, &at, &r), 1);
	assert_int_equal(r.kind, CARRY_SERVER);
	assert_string_equal(r.name, "app/s1");
	assert_int_equal(r.len, 0);
	assert_int_equal(carry_next(carry.data, carry.len, LAYOUT, &at, &r), 0);
	carry_fini(&carry);
}

/* Cut anywhere, or changed in one bit anywhere: never a record beyond the block. */
static void
test_damage_stays_within(void **state)
{
	struct carry carry;
	struct carry_record r;

	write_two(&carry);
	for (size_t len = 0; len < carry.len; len++) {
		size_t at = 0;
		int last = 1;

		while (last > 0)
			last = carry_next(carry.data, len, LAYOUT, &at, &r);
		assert_true(at <= len);
	}
	for (size_t bit = 0; bit < 8 * carry.len; bit++) {
		size_t at = 0;
		int last = 1;

		carry.data[bit / 8] ^= (char)(1 << bit % 8);
		while ((last = carry_next(carry.data, carry.len, LAYOUT, &at, &r)) > 0)
			assert_true((const char *)r.data + r.len <= carry.data + carry.len);
		assert_true(last == 0 || last == -EBADMSG);
		carry.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	carry_fini(&carry);
}

static void
test_another_layout_is_refused(void **state)
{
	struct carry carry;
	struct carry_record r;
	size_t at = 0;

	write_two(&carry);
	assert_int_equal(carry_next(carry.data, carry.len, LAYOUT + 1, &at, &r), -EBADMSG);
	carry_fini(&carry);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_come_back),
		cmocka_unit_test(test_damage_stays_within),
		cmocka_unit_test(test_another_layout_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
