/*
 * test_group.c - the rules of sync groups, cell by cell.
 */
#include "vrrpd/group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Every step of the instances' own table, and what it means to the others. */
static void
test_moves(void **unused)
{
	unsigned takes = 0, breaks = 0, yields = 0;

	for (int from = 0; from < VRRP_STATE_N; from++)
		for (int event = 0; event < VRRP_EVENT_N; event++) {
			const struct vrrp_transition *row =
				vrrp_transition((enum vrrp_state)from, (enum vrrp_event)event);
			enum vrrp_group_move move, wanted = VRRP_GROUP_NOTHING;

			if (!row)
				continue;
			move = vrrp_group_move((enum vrrp_state)from, (enum vrrp_event)event,
					       (enum vrrp_state)row->next);
			if (event == VRRP_EVENT_GROUP_TAKES || event == VRRP_EVENT_GROUP_YIELDS)
				wanted = VRRP_GROUP_NOTHING;
			else if (row->next == VRRP_STATE_MASTER && from != VRRP_STATE_MASTER)
				wanted = VRRP_GROUP_TAKES, takes++;
			else if (row->next == VRRP_STATE_FAULT && from != VRRP_STATE_FAULT)
				wanted = VRRP_GROUP_BREAKS, breaks++;
			else if (row->next == VRRP_STATE_BACKUP && from == VRRP_STATE_MASTER)
				wanted = VRRP_GROUP_YIELDS, yields++;
			assert_int_equal(move, wanted);
		}
	assert_true(takes >= 3 && breaks == 3 && yields >= 2);
}

static void
test_follows(void **unused)
{
	for (int move = 0; move < VRRP_GROUP_MOVE_N; move++)
		for (int state = 0; state < VRRP_STATE_N; state++) {
			enum vrrp_event event = vrrp_group_follow((enum vrrp_group_move)move,
								  (enum vrrp_state)state);
			const struct vrrp_transition *row;

			switch ((enum vrrp_group_move)move) {
			case VRRP_GROUP_NOTHING:
			case VRRP_GROUP_MOVE_N:
				assert_int_equal(event, VRRP_EVENT_N);
				break;
			case VRRP_GROUP_TAKES:
				assert_int_equal(event, state == VRRP_STATE_BACKUP
								? VRRP_EVENT_GROUP_TAKES
								: VRRP_EVENT_N);
				break;
			case VRRP_GROUP_YIELDS:
				assert_int_equal(event, state == VRRP_STATE_MASTER
								? VRRP_EVENT_GROUP_YIELDS
								: VRRP_EVENT_N);
				break;
			case VRRP_GROUP_BREAKS:
				assert_int_equal(event, state == VRRP_STATE_FAULT ||
									state == VRRP_STATE_RESIGNED
								? VRRP_EVENT_N
								: VRRP_EVENT_BROKEN);
				break;
			}
			if (event == VRRP_EVENT_N)
				continue;
			/* The member arrives where the leader is. */
			row = vrrp_transition((enum vrrp_state)state, event);
			assert_non_null(row);
			assert_int_equal(row->next, move == VRRP_GROUP_TAKES    ? VRRP_STATE_MASTER
						    : move == VRRP_GROUP_YIELDS ? VRRP_STATE_BACKUP
										: VRRP_STATE_FAULT);
		}
}

/* Giving way on behalf of another member is silent: that peer is master there already. */
static void
test_yielding_says_nothing(void **unused)
{
	const struct vrrp_transition *row =
		vrrp_transition(VRRP_STATE_MASTER, VRRP_EVENT_GROUP_YIELDS);

	assert_false(row->effects & (VRRP_DO_ADVERTISE | VRRP_DO_RESIGN));
	assert_true(row->effects & VRRP_DO_RELEASE);
}

/* All groups of three members. */
static void
test_whole(void **unused)
{
	for (unsigned code = 0; code < VRRP_STATE_N * VRRP_STATE_N * VRRP_STATE_N; code++) {
		struct vrrp_group_count c = { .n = 3 };
		enum vrrp_state whole;

		for (unsigned i = 0, rest = code; i < 3; i++, rest /= VRRP_STATE_N)
			c.in[rest % VRRP_STATE_N]++;
		whole = vrrp_group_state(&c);
		assert_int_equal(whole == VRRP_STATE_FAULT, c.in[VRRP_STATE_FAULT] > 0);
		assert_int_equal(whole == VRRP_STATE_MASTER, c.in[VRRP_STATE_MASTER] == 3);
		assert_int_equal(whole == VRRP_STATE_INIT, c.in[VRRP_STATE_INIT] == 3);
		for (c.ready = 0; c.ready <= c.in[VRRP_STATE_BACKUP]; c.ready++)
			assert_int_equal(vrrp_group_may_take(&c),
					 c.in[VRRP_STATE_MASTER] + c.ready == 3);
	}
	assert_false(vrrp_group_may_take(&(struct vrrp_group_count){ 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_follows),
		cmocka_unit_test(test_yielding_says_nothing),
		cmocka_unit_test(test_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
