/*
 * test_saved.c - an engine that stands still, and one that goes on from what another has saved: as if
 * nothing had been, and unharmed by whatever else it is given.
 */
#include "alone.h"

#include "vrrpd/auth_hmac.h"

#include <string.h>

static struct conf_hmac_key key = { .id = 1, .len = 32 };
static struct conf_hmac hmac = { .keys = &key, .keys_n = 1, .active_key = 1, .time_window_s = 5 };
static struct vrrp_hmac_mark marks[64];

static void
become_signing_master(void)
{
	node->instance.hmac = &hmac;
	node->wall_ns = INT64_C(1800000000) * NS_PER_S;
	node_start(node);
	assert_true(vrrp_marks_n(&node->conf) <= sizeof marks / sizeof *marks);
	vrrp_keep_marks(node->vrrp, marks);
	assert_int_not_equal(until(VRRP_STATE_MASTER), -1);
	node_forget(node);
}

/* Frozen it says nothing; thawed it goes on at the moment that was due, and still signs. */
static void
test_freeze_and_thaw(void **state)
{
	become_signing_master();
	world_run_ms(world, 700);
	vrrp_freeze(node->vrrp);
	node_forget(node);
	world_run_ms(world, 200);
	assert_string_equal(node->trace, "");
	vrrp_thaw(node->vrrp, world->now);
	world_run_ms(world, 90);
	assert_int_equal(count('s'), 0);
	world_run_ms(world, 20);
	assert_int_equal(count('s'), 1);
	assert_true(node->sent_len > VRRP_HMAC_TRAILER_LEN);
	assert_state(VRRP_STATE_MASTER);
}

/* The next advertisement is on time, by another engine and without a transition. */
static void
test_master_goes_on(void **state)
{
	become_signing_master();
	world_run_ms(world, 700);
	node_forget(node);
	assert_true(node_reload(node, NULL, 0));
	vrrp_keep_marks(node->vrrp, marks);
	assert_state(VRRP_STATE_MASTER);
	world_run_ms(world, 290);
	assert_int_equal(count('s'), 0);
	world_run_ms(world, 20);
	assert_int_equal(count('s'), 1);
	assert_int_equal(count('B') + count('M') + count('c') + count('r'), 0);
}

/* A lease that ran out by what the former engine has written down, had it not been renewed since. */
static void
test_renewed_meanwhile(void **state)
{
	node->conf.vip_lease_s = 4;
	become_master();
	world_run_ms(world, 9000);
	node->guardian_deaf = true;
	world_run_ms(world, 1500);
	vrrp_freeze(node->vrrp);
	world_run_ms(world, 2000);
	node->renewed_meanwhile = world->now;
	assert_true(node_reload(node, NULL, 0));
	world_run_ms(world, 2900);
	assert_state(VRRP_STATE_MASTER);
	assert_int_equal(until(VRRP_STATE_FAULT), 100);
}

static void
test_backup_goes_on(void **state)
{
	int left;

	follow(200);
	world_run_ms(world, 2000);
	assert_true(node_reload(node, NULL, 0));
	left = until(VRRP_STATE_MASTER);
	assert_in_range(left, 1600, 1620); /* 3.609 s after the last that was heard */
	assert_int_equal(count('B'), 0);
}

/* What the new file says about the future counts from now on. */
static void
test_refresh_is_of_the_new_file(void **state)
{
	node->instance.garp_master_delay_ms = 0;
	node->instance.garp_master_refresh_ms = 10000;
	become_master();
	world_run_ms(world, 5000);
	node->instance.garp_master_refresh_ms = 0;
	assert_true(node_reload(node, NULL, 0));
	node_forget(node);
	world_run_ms(world, 20000);
	assert_int_equal(count('a'), 0);
	node->instance.garp_master_refresh_ms = 1000;
	assert_true(node_reload(node, NULL, 0));
	world_run_ms(world, 2500);
	assert_int_equal(count('a'), 2);
}

/* Version 2 learns no interval: the file's is the one to wait by. */
static void
test_interval_is_of_the_new_file(void **state)
{
	follow(200);
	node->instance.advert_int_cs = 300;
	assert_true(node_reload(node, NULL, 0));
	node_hear(node, 12, 200);
	assert_in_range(until(VRRP_STATE_MASTER), 9600, 9700);
}

static void
renumber(unsigned char *saved, size_t *len, size_t n)
{
	node->instance.vrid = 52;
}

/* The same name for another router: nothing is known about it. */
static void
test_another_router(void **state)
{
	follow(200);
	assert_true(node_reload(node, renumber, 0));
	assert_int_equal(count('B'), 1);
}

static void
turn_bit(unsigned char *saved, size_t *len, size_t n)
{
	saved[n] ^= (unsigned char)(1 << n % 8);
}

static void
fill_byte(unsigned char *saved, size_t *len, size_t n)
{
	saved[n] = 0xff;
}

static void
cut(unsigned char *saved, size_t *len, size_t n)
{
	*len = n;
}

static size_t
saved_len(void)
{
	unsigned char saved[VRRP_SAVED_MAX];

	return vrrp_save(node->vrrp, 0, saved);
}

/* A master that lives through this: a bit of every byte turned over, every byte filled, any length. */
static void
survive(void (*change)(unsigned char *saved, size_t *len, size_t n), size_t n, size_t step)
{
	for (size_t i = 0; i < n; i += step) {
		alone_setup(NULL);
		become_master();
		node_reload(node, change, i);
		world_run_ms(world, 5);
		alone_teardown(NULL);
	}
}

static void
test_damage(void **state)
{
	size_t len;

	alone_setup(NULL);
	become_master();
	len = saved_len();
	alone_teardown(NULL);
	survive(turn_bit, len, 1);
	survive(fill_byte, len, 1);
	survive(cut, len, 61);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_freeze_and_thaw),
		ALONE(test_master_goes_on),
		ALONE(test_renewed_meanwhile),
		ALONE(test_backup_goes_on),
		ALONE(test_refresh_is_of_the_new_file),
		ALONE(test_interval_is_of_the_new_file),
		ALONE(test_another_router),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
