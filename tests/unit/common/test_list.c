/*
 * test_list.c - order, removal while walking.
 */
#include "common/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct item {
	int value;
	struct list node;
};

static int
value(struct list *node)
{
	return CONTAINER_OF(node, struct item, node)->value;
}

static void
test_list(void **state)
{
	struct item item[5];
	struct list head;
	int next = 0;

	list_init(&head);
	assert_true(list_empty(&head));
	assert_null(list_first(&head));
	for (int i = 0; i < 5; i++) {
		item[i].value = i;
		list_append(&head, &item[i].node);
	}
	LIST_FOR_EACH(pos, &head)
		assert_int_equal(value(pos), next++);
	assert_int_equal(next, 5);

	LIST_FOR_EACH_SAFE(pos, &head)
		if (value(pos) % 2 == 0)
			list_remove(pos);
	assert_int_equal(value(list_first(&head)), 1);
	assert_ptr_equal(item[1].node.next, &item[3].node);
	assert_ptr_equal(head.prev, &item[3].node);

	list_remove(&item[0].node); /* again: harmless */
	list_remove(&item[1].node);
	list_remove(&item[3].node);
	assert_true(list_empty(&head));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_list) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
