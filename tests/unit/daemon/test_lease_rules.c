/*
 * test_lease_rules.c - what leases decide, with a kernel that is invented: it does as it is told, or
 * refuses.
 */
#include "daemon/lease.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
	struct conf conf;
	struct conf_instance instance;
	struct conf_vip vip;
	struct leases leases;
	struct mono now;
	bool there, refuses;
	unsigned puts;
	unsigned rounds; /* of announcements */
	/* the last word to the worker */
	enum request told;
	int error;
};

static int
put(void *kernel, uint32_t instance, bool quiet)
{
	struct fixture *f = kernel;

	f->puts++;
	if (f->refuses)
		return -ENOBUFS;
	f->there = true;
	return 0;
}

static int
take(void *kernel, uint32_t instance, size_t first, size_t n)
{
	((struct fixture *)kernel)->there = false;
	return 0;
}

static uint32_t
missing(void *kernel, uint32_t instance)
{
	return !((struct fixture *)kernel)->there;
}

static void
sweep(void *kernel, const struct leases *leases)
{
	if (leases_claimed(leases) == 0)
		((struct fixture *)kernel)->there = false;
}

static void
announce(void *kernel, uint32_t instance, uint32_t rounds)
{
	((struct fixture *)kernel)->rounds += rounds;
}

static void
join(void *kernel, uint32_t instance, bool join)
{
}

static size_t
resign(void *kernel, uint32_t instance)
{
	return 1;
}

static const struct lease_ops ops = {
	.put = put,
	.take = take,
	.missing = missing,
	.sweep = sweep,
	.announce = announce,
	.join = join,
	.resign = resign,
};

static void
tell(void *ctx, enum request what, uint32_t instance, int error, uint32_t vips_n, struct mono at)
{
	struct fixture *f = ctx;

	f->told = what;
	f->error = error;
}

static struct fixture fixture;

/* An instance that is claimed, and whose VIP is there. */
static struct fixture *
hold(uint32_t lease_s)
{
	struct fixture *f = &fixture;

	*f = (struct fixture){
		.conf = { .instances = &f->instance, .instances_n = 1, .vip_lease_s = lease_s },
		.instance = { .name = "VI_1", .vips = &f->vip, .vips_n = 1 },
		.now = { 1000 * NS_PER_S },
	};
	assert_int_equal(leases_init(&f->leases, &f->conf, &ops, f, tell, f), 0);
	leases_claim(&f->leases, 0, f->now);
	assert_int_equal(f->told, REQUEST_CLAIMED);
	assert_int_equal(f->error, 0);
	return f;
}

/* Somebody else removes it, and the kernel will not have it back. */
static void
lose(struct fixture *f)
{
	f->there = false;
	f->refuses = true;
	leases_settle(&f->leases);
	leases_restore(&f->leases, f->now);
	assert_int_equal(f->puts, 2);
	assert_int_equal(f->error, -ENOBUFS);
}

/* The worker will see that its lease ends; until then there is another try. */
static void
test_a_lost_lease_is_tried_again(void **state)
{
	struct fixture *f = hold(2);

	lose(f);
	assert_int_equal(f->told, REQUEST_RENEWED);
	leases_restore(&f->leases, mono_add_ms(f->now, 999));
	assert_int_equal(f->puts, 2);
	f->refuses = false;
	leases_renew(&f->leases, mono_add_ms(f->now, 1000));
	assert_int_equal(f->told, REQUEST_RENEWED);
	assert_int_equal(f->error, 0);
	assert_true(f->there);
	leases_fini(&f->leases);
}

/* Without a lease nothing else would ever tell the worker that it holds nothing. */
static void
test_a_lost_permanent_vip_is_a_failed_claim(void **state)
{
	struct fixture *f = hold(0);

	lose(f);
	assert_int_equal(f->told, REQUEST_CLAIMED);
	leases_fini(&f->leases);
}

/* What the worker has said since counts, and what it has not said yet. */
static void
test_announcements_wait_for_the_last_word(void **state)
{
	struct fixture *f = hold(2);
	unsigned before = f->rounds;

	leases_ask_announce(&f->leases, 0);
	leases_ask_announce(&f->leases, 0);
	assert_int_equal(f->rounds, before);
	leases_announce(&f->leases);
	leases_announce(&f->leases);
	assert_int_equal(f->rounds, before + 2);

	leases_ask_announce(&f->leases, 0);
	leases_freeze(&f->leases, f->now);
	leases_announce(&f->leases);
	assert_int_equal(f->rounds, before + 2);
	leases_confirm(&f->leases, 0, true, f->now);
	leases_announce(&f->leases);
	assert_int_equal(f->rounds, before + 3);

	leases_ask_announce(&f->leases, 0);
	leases_release(&f->leases, 0, f->now);
	leases_announce(&f->leases);
	leases_ask_announce(&f->leases, 0);
	leases_announce(&f->leases);
	assert_int_equal(f->rounds, before + 3);
	leases_fini(&f->leases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_lost_lease_is_tried_again),
		cmocka_unit_test(test_a_lost_permanent_vip_is_a_failed_claim),
		cmocka_unit_test(test_announcements_wait_for_the_last_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
