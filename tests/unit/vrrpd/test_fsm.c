/*
 * test_fsm.c - the state table over every cell, and the reading of advertisements over every
 * priority.
 */
#include "vrrpd/fsm.h"
#include "vrrpd/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define FOR_EACH_ROW(state, event, row)                                               \
	for (int state = 0; state < VRRP_STATE_N; state++)                            \
		for (int event = 0; event < VRRP_EVENT_N; event++)                    \
			for (const struct vrrp_transition *row = vrrp_transition(     \
				     (enum vrrp_state)state, (enum vrrp_event)event); \
			     row; row = NULL)

static bool
holds(int state)
{
	return vrrp_state_holds((enum vrrp_state)state);
}

static bool
has(const struct vrrp_transition *row, unsigned effect)
{
	return (row->effects & effect) != 0;
}

/* Exactly the rows that begin to hold the VIPs claim them, exactly those that cease release them. */
static void
test_claim_and_release(void **unused)
{
	FOR_EACH_ROW(state, event, row)
	{
		assert_int_equal(has(row, VRRP_DO_CLAIM), !holds(state) && holds(row->next));
		assert_int_equal(has(row, VRRP_DO_RELEASE), holds(state) && !holds(row->next));
	}
}

/* The will lies with the guardian exactly as long as VIPs are held. */
static void
test_will(void **unused)
{
	FOR_EACH_ROW(state, event, row)
	{
		assert_int_equal(has(row, VRRP_DO_LODGE), has(row, VRRP_DO_CLAIM));
		assert_int_equal(has(row, VRRP_DO_UNLODGE), has(row, VRRP_DO_RELEASE));
	}
}

/* Who becomes master says so at once; otherwise only a master advertises, the last time when a better
 * one turns up: its winner must learn that there was another. */
static void
test_advertise(void **unused)
{
	FOR_EACH_ROW(state, event, row)
	{
		if (row->next == VRRP_STATE_MASTER && state != VRRP_STATE_MASTER)
			assert_true(has(row, VRRP_DO_ADVERTISE));
		if (has(row, VRRP_DO_ADVERTISE) && row->next != VRRP_STATE_MASTER)
			assert_true(state == VRRP_STATE_MASTER && event == VRRP_EVENT_PEER_RETIRES);
		if (has(row, VRRP_DO_REANNOUNCE)) {
			assert_int_equal(state, VRRP_STATE_MASTER);
			assert_int_equal(row->next, VRRP_STATE_MASTER);
		}
	}
}

/* Priority 0 is sent by a master that leaves of its own accord: not by one that a better master
 * replaces, nor by one that may have been replaced unheard. */
static void
test_resign(void **unused)
{
	FOR_EACH_ROW(state, event, row)
	{
		bool own_accord = event == VRRP_EVENT_STOP || event == VRRP_EVENT_BROKEN ||
				  event == VRRP_EVENT_YIELD;

		assert_int_equal(has(row, VRRP_DO_RESIGN),
				 state == VRRP_STATE_MASTER && own_accord);
	}
}

/* At most one timer is armed by a row; each state is left with the timer it lives by, or none. */
static void
test_timer(void **unused)
{
	const unsigned down = VRRP_DO_ARM_DOWN | VRRP_DO_ARM_SKEW | VRRP_DO_ARM_NOW;
	const unsigned all = down | VRRP_DO_ARM_ADVERT | VRRP_DO_ARM_HOLD | VRRP_DO_DISARM;
	const unsigned of_state[VRRP_STATE_N] = {
		[VRRP_STATE_INIT] = VRRP_DO_DISARM,       [VRRP_STATE_BACKUP] = down,
		[VRRP_STATE_MASTER] = VRRP_DO_ARM_ADVERT, [VRRP_STATE_FAULT] = VRRP_DO_DISARM,
		[VRRP_STATE_RESIGNED] = VRRP_DO_ARM_HOLD,
	};

	FOR_EACH_ROW(state, event, row)
	{
		unsigned timer = row->effects & all;
		bool idle_before = of_state[state] == VRRP_DO_DISARM;

		assert_true((timer & (timer - 1)) == 0);
		assert_true((timer & ~of_state[row->next]) == 0);
		if (state != row->next && !(idle_before && of_state[row->next] == VRRP_DO_DISARM))
			assert_true(timer != 0);
	}
}

/* A timer that fired is armed again, or its state is left. */
static void
test_timers_do_not_run_dry(void **unused)
{
	static const struct {
		enum vrrp_state state;
		enum vrrp_event event;
	} fired[] = {
		{ VRRP_STATE_BACKUP, VRRP_EVENT_DOWN_TIMER },
		{ VRRP_STATE_MASTER, VRRP_EVENT_ADVERT_TIMER },
		{ VRRP_STATE_RESIGNED, VRRP_EVENT_HOLD_TIMER },
	};

	for (size_t i = 0; i < sizeof fired / sizeof *fired; i++) {
		const struct vrrp_transition *row = vrrp_transition(fired[i].state, fired[i].event);

		assert_non_null(row);
		assert_true(row->next != fired[i].state || has(row, VRRP_DO_ARM_ADVERT));
		/* and nowhere else is this timer's event expected */
		for (int state = 0; state < VRRP_STATE_N; state++)
			if (state != (int)fired[i].state)
				assert_null(
					vrrp_transition((enum vrrp_state)state, fired[i].event));
	}
}

/* An interval is learnt from a master that is followed, never from one that is not. */
static void
test_learn(void **unused)
{
	FOR_EACH_ROW(state, event, row)
	{
		assert_int_equal(has(row, VRRP_DO_LEARN),
				 row->next == VRRP_STATE_BACKUP &&
					 (event == VRRP_EVENT_PEER_WINS ||
					  event == VRRP_EVENT_PEER_TAKES ||
					  event == VRRP_EVENT_PEER_RETIRES));
	}
}

/* Where the node's own word leads, in every state. */
static void
test_own_events(void **unused)
{
	for (int i = 0; i < VRRP_STATE_N; i++) {
		enum vrrp_state state = (enum vrrp_state)i;
		const struct vrrp_transition *stop = vrrp_transition(state, VRRP_EVENT_STOP);
		const struct vrrp_transition *broken = vrrp_transition(state, VRRP_EVENT_BROKEN);

		assert_non_null(stop);
		assert_int_equal(stop->next,
				 vrrp_state_holds(state) ? VRRP_STATE_RESIGNED : VRRP_STATE_INIT);
		if (state == VRRP_STATE_FAULT) {
			assert_null(broken);
			continue;
		}
		assert_non_null(broken);
		assert_int_equal(broken->next,
				 state == VRRP_STATE_RESIGNED ? VRRP_STATE_INIT : VRRP_STATE_FAULT);
	}
}

/* Only these reach mastership. */
static void
test_ways_to_mastership(void **unused)
{
	FOR_EACH_ROW(state, event, row)
	{
		bool idle = state == VRRP_STATE_INIT || state == VRRP_STATE_FAULT;
		bool expected =
			state == VRRP_STATE_MASTER     ? row->next == VRRP_STATE_MASTER
			: state == VRRP_STATE_RESIGNED ? event == VRRP_EVENT_UNHEEDED
			: state == VRRP_STATE_BACKUP
				? event == VRRP_EVENT_DOWN_TIMER || event == VRRP_EVENT_GROUP_TAKES
				: idle && event == VRRP_EVENT_READY_OWNER;

		assert_int_equal(row->next == VRRP_STATE_MASTER, expected);
	}
}

/* Whatever vrrp_classify can say in a state, the table has an answer to; over all priorities. */
static void
test_every_advertisement_is_expected(void **unused)
{
	for (int state = 0; state < VRRP_STATE_N; state++)
		for (int bits = 0; bits < 128; bits++)
			for (int priority = 0; priority <= 255; priority++) {
				struct vrrp_self me = {
					.state = (enum vrrp_state)state,
					.answers_lower = bits & 1,
					.priority = 100,
					.preempt = bits & 2,
					.strict = bits & 4,
					.lone = bits & 8,
					.moving = bits & 16,
					.peak = bits & 32 ? 150 : 0,
					.last_word = bits & 64,
				};
				struct vrrp_advert ad = { .priority = (uint8_t)priority };

				assert_non_null(vrrp_transition(me.state, vrrp_classify(&me, &ad)));
			}
}

/* ------------------------------------------------------------------ classify */

static struct vrrp_advert
advert(uint8_t priority, uint8_t last)
{
	struct vrrp_advert ad = { .priority = priority };

	ad.source.family = AF_INET;
	ad.source.bytes[0] = 10;
	ad.source.bytes[3] = last;
	return ad;
}

static struct vrrp_self
self(enum vrrp_state state)
{
	struct vrrp_self me = { .state = state, .priority = 100, .preempt = true };

	me.primary = advert(0, 12).source;
	return me;
}

static enum vrrp_event
read_from(const struct vrrp_self *me, uint8_t priority, uint8_t last)
{
	struct vrrp_advert ad = advert(priority, last);

	return vrrp_classify(me, &ad);
}

/* RFC 9568 section 6.4.2 (and RFC 3768 likewise). */
static void
test_backup(void **unused)
{
	struct vrrp_self me = self(VRRP_STATE_BACKUP);

	assert_int_equal(read_from(&me, 0, 11), VRRP_EVENT_PEER_RESIGNS);
	assert_int_equal(read_from(&me, 101, 11), VRRP_EVENT_PEER_WINS);
	assert_int_equal(read_from(&me, 100, 11), VRRP_EVENT_PEER_WINS); /* no matter the address */
	assert_int_equal(read_from(&me, 100, 13), VRRP_EVENT_PEER_WINS);
	assert_int_equal(read_from(&me, 99, 13), VRRP_EVENT_PEER_LOSES);
	me.preempt = false;
	assert_int_equal(read_from(&me, 99, 13), VRRP_EVENT_PEER_WINS);
	me.lone = true;
	assert_int_equal(read_from(&me, 0, 11), VRRP_EVENT_PEER_QUITS);
}

/* A master whose own priority fell is replaced, by nopreempt too but not by its strict form; not in
 * a hurry while our own checks are moving. */
static void
test_fallen_master(void **unused)
{
	struct vrrp_self me = self(VRRP_STATE_BACKUP);

	me.peak = 150;
	assert_int_equal(read_from(&me, 99, 11), VRRP_EVENT_PEER_FELL);
	assert_int_equal(read_from(&me, 100, 11),
			 VRRP_EVENT_PEER_WINS); /* fell, but not below us */
	me.moving = true;
	assert_int_equal(read_from(&me, 99, 11), VRRP_EVENT_PEER_LOSES);
	me.moving = false;
	me.preempt = false;
	assert_int_equal(read_from(&me, 99, 11), VRRP_EVENT_PEER_FELL);
	me.strict = true;
	assert_int_equal(read_from(&me, 99, 11), VRRP_EVENT_PEER_WINS);
	me.strict = false;
	me.peak = 90; /* was below us all along, and has not moved */
	assert_int_equal(read_from(&me, 90, 11), VRRP_EVENT_PEER_WINS);
}

/* Section 6.4.3: higher priority wins, equal goes to the higher address; what is said to either. */
static void
test_master(void **unused)
{
	struct vrrp_self me = self(VRRP_STATE_MASTER);

	for (int said = 0; said < 4; said++) {
		enum vrrp_event lower = said & 1 ? VRRP_EVENT_PEER_RIVALS : VRRP_EVENT_PEER_LOSES;
		enum vrrp_event higher = said & 2 ? VRRP_EVENT_PEER_RETIRES : VRRP_EVENT_PEER_WINS;

		me.answers_lower = said & 1;
		me.last_word = said & 2;
		assert_int_equal(read_from(&me, 0, 11), VRRP_EVENT_PEER_RESIGNS);
		assert_int_equal(read_from(&me, 99, 200), lower);
		assert_int_equal(read_from(&me, 100, 11), lower);
		assert_int_equal(read_from(&me, 100, 13), higher);
		assert_int_equal(read_from(&me, 101, 1), higher);
	}
	me.preempt = false; /* nopreempt is a backup's business */
	assert_int_equal(read_from(&me, 101, 1), VRRP_EVENT_PEER_RETIRES);
}

/* Whoever advertises after we resigned is the new master. */
static void
test_resigned(void **unused)
{
	struct vrrp_self me = self(VRRP_STATE_RESIGNED);

	assert_int_equal(read_from(&me, 1, 11), VRRP_EVENT_PEER_WINS);
	assert_int_equal(read_from(&me, 255, 11), VRRP_EVENT_PEER_WINS);
	assert_int_equal(read_from(&me, 0, 11), VRRP_EVENT_PEER_RESIGNS);
}

static void
test_names(void **unused)
{
	for (int i = 0; i < VRRP_STATE_N; i++)
		assert_non_null(vrrp_state_name((enum vrrp_state)i));
	for (int i = 0; i < VRRP_EVENT_N; i++)
		assert_non_null(vrrp_event_name((enum vrrp_event)i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claim_and_release),
		cmocka_unit_test(test_will),
		cmocka_unit_test(test_advertise),
		cmocka_unit_test(test_resign),
		cmocka_unit_test(test_timer),
		cmocka_unit_test(test_timers_do_not_run_dry),
		cmocka_unit_test(test_learn),
		cmocka_unit_test(test_own_events),
		cmocka_unit_test(test_ways_to_mastership),
		cmocka_unit_test(test_every_advertisement_is_expected),
		cmocka_unit_test(test_backup),
		cmocka_unit_test(test_fallen_master),
		cmocka_unit_test(test_master),
		cmocka_unit_test(test_resigned),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
