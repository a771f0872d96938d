/*
 * The ring of transitions: order, overflow, and that it copies what it is given.
 */
#include "daemon/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
add(struct journal *j, uint32_t n)
{
	char reason[32];
	const struct vrrp_transition_note note = {
		.instance = n,
		.from = VRRP_STATE_BACKUP,
		.to = VRRP_STATE_MASTER,
		.reason = reason,
		.priority = 100,
	};

	snprintf(reason, sizeof reason, "reason %u", n);
	journal_add(j, &note, (struct mono){ n + 1 }, n * 1000);
	memset(reason, 'x', sizeof reason);
}

static void
newest_is_first(void **state)
{
	struct journal *j = calloc(1, sizeof *j);

	assert_int_equal(journal_count(j), 0);
	assert_null(journal_get(j, 0));
	for (uint32_t i = 0; i < 3; i++)
		add(j, i);
	assert_int_equal(journal_count(j), 3);
	assert_string_equal(journal_get(j, 0)->reason, "reason 2");
	assert_string_equal(journal_get(j, 2)->reason, "reason 0");
	assert_int_equal(journal_get(j, 0)->at_ms, 2000);
	assert_int_equal(journal_get(j, 0)->to, VRRP_STATE_MASTER);
	assert_null(journal_get(j, 3));
	free(j);
}

static void
oldest_goes_when_full(void **state)
{
	struct journal *j = calloc(1, sizeof *j);

	for (uint32_t i = 0; i < JOURNAL_SIZE + 10; i++)
		add(j, i);
	assert_int_equal(journal_count(j), JOURNAL_SIZE);
	assert_int_equal(journal_get(j, 0)->instance, JOURNAL_SIZE + 9);
	assert_int_equal(journal_get(j, JOURNAL_SIZE - 1)->instance, 10);
	assert_null(journal_get(j, JOURNAL_SIZE));
	free(j);
}

static void
long_reasons_are_cut(void **state)
{
	struct journal *j = calloc(1, sizeof *j);
	char reason[2 * JOURNAL_REASON_MAX];
	const struct vrrp_transition_note note = { .reason = reason }, silent = { .reason = NULL };

	memset(reason, 'r', sizeof reason - 1);
	reason[sizeof reason - 1] = '\0';
	journal_add(j, &note, (struct mono){ 1 }, 1);
	assert_int_equal(strlen(journal_get(j, 0)->reason), JOURNAL_REASON_MAX - 1);
	journal_add(j, &silent, (struct mono){ 1 }, 1);
	assert_string_equal(journal_get(j, 0)->reason, "");
	free(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_is_first),
		cmocka_unit_test(oldest_goes_when_full),
		cmocka_unit_test(long_reasons_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
