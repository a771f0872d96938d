/*
 * The ring of transitions: order, overflow, and that it copies what it is given.
 */
#include "daemon/journal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* As many instances as transitions, so that each is known by its name. */
#define INSTANCES (JOURNAL_SIZE + 10)
static struct conf_instance instances[INSTANCES];
static char names[INSTANCES][16];
static const struct conf conf = { .instances = instances, .instances_n = INSTANCES };

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
	journal_add(j, &conf, &note, (struct mono){ n + 1 }, n * 1000);
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
	assert_string_equal(journal_get(j, 0)->instance, names[JOURNAL_SIZE + 9]);
	assert_string_equal(journal_get(j, JOURNAL_SIZE - 1)->instance, names[10]);
	assert_null(journal_get(j, JOURNAL_SIZE));
	free(j);
}

static void
long_reasons_are_cut(void **state)
{
	struct journal *j = calloc(1, sizeof *j);
	char reason[2 * JOURNAL_REASON_MAX];
	const struct vrrp_transition_note note = { .reason = reason, .to = VRRP_STATE_BACKUP },
					  silent = { .reason = NULL, .to = VRRP_STATE_BACKUP };

	memset(reason, 'r', sizeof reason - 1);
	reason[sizeof reason - 1] = '\0';
	journal_add(j, &conf, &note, (struct mono){ 1 }, 1);
	assert_int_equal(strlen(journal_get(j, 0)->reason), JOURNAL_REASON_MAX - 1);
	journal_add(j, &conf, &silent, (struct mono){ 1 }, 1);
	assert_string_equal(journal_get(j, 0)->reason, "");
	free(j);
}

static void
outlives_its_worker(void **state)
{
	int fd = journal_create();
	struct journal *first, *second, *none = NULL;

	assert_true(fd >= 0);
	assert_int_equal(journal_adopt(fd, &first), 0);
	add(first, 7);
	journal_unmap(first);
	assert_int_equal(journal_adopt(fd, &second), 0);
	assert_int_equal(journal_count(second), 1);
	assert_string_equal(journal_get(second, 0)->instance, names[7]);
	journal_unmap(second);
	assert_int_equal(journal_adopt(-1, &none), -EBADF);
	assert_int_equal(journal_count(none), 0);
	assert_int_equal(ftruncate(fd, 0), -1); /* not even by mistake */
	close(fd);
}

/* What a worker that died while it wrote may have left. */
static void
torn_entries_are_passed_over(void **state)
{
	struct journal *j = calloc(1, sizeof *j);

	for (uint32_t i = 0; i < 4; i++)
		add(j, i);
	j->entries[0].to = j->entries[0].from;
	j->entries[1].from = VRRP_STATE_N;
	memset(j->entries[2].reason, 'x', sizeof j->entries[2].reason);
	memset(j->entries[3].instance, 'x', sizeof j->entries[3].instance);
	assert_int_equal(journal_count(j), 4);
	for (uint32_t age = 0; age < 4; age++)
		assert_null(journal_get(j, age));
	free(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_is_first),
		cmocka_unit_test(oldest_goes_when_full),
		cmocka_unit_test(long_reasons_are_cut),
		cmocka_unit_test(outlives_its_worker),
		cmocka_unit_test(torn_entries_are_passed_over),
	};

	for (size_t i = 0; i < INSTANCES; i++) {
		snprintf(names[i], sizeof names[i], "VI_%zu", i);
		instances[i].name = names[i];
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
