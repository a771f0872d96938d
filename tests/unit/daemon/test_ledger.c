/*
 * test_ledger.c - sequences that outlast a worker, and whose they are after a reload.
 */
#include "conf/load.h"
#include "daemon/ledger.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND (UINT64_C(1) << 32)

#define INSTANCE(name, interface, vrid, more)                                                    \
	"vrrp_instance " name " {\n interface " interface "\n virtual_router_id " vrid "\n" more \
	" virtual_ipaddress {\n 10.0.0." vrid "\n }\n}\n"
#define HMAC  " auth_hmac {\n key 1 0123456789abcdef0123456789abcdef\n }\n"
#define PEERS " unicast_src_ip 10.9.0.1\n unicast_peer {\n 10.9.0.2\n 10.9.0.3\n }\n"

static struct arena *arena;

static int
setup(void **state)
{
	arena = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	arena_free(arena);
	return 0;
}

static const struct conf *
load(const char *text)
{
	const struct conf_source source = { "test.conf", text, strlen(text) };
	const struct conf_options options = { .node = "lb1" };
	struct conf_report report;
	const struct conf *conf = conf_load(arena, &source, 1, &options, &report);

	assert_int_equal(report.errors, 0);
	return conf;
}

static struct vrrp_hmac_mark *
marks_of(const struct ledger *ledger, uint32_t instance)
{
	return ledger->marks + vrrp_marks_at(ledger->conf, instance);
}

static uint64_t
signed_sequence(struct ledger *ledger, uint32_t instance)
{
	struct ip source, to;
	uint8_t pdu[VRRP_PDU_MAX];
	int len;

	ip_parse("10.9.0.1", &source);
	ip_parse("10.9.0.2", &to);
	len = vrrp_packet_build(&ledger->conf->instances[instance], &source, &to, 0, 100, pdu,
				sizeof pdu);
	len = ledger_sign(ledger, instance, &source, &to, pdu, (size_t)len, sizeof pdu);
	assert_int_equal(len, 8 + 4 + 8 + VRRP_HMAC_TRAILER_LEN);
	return vrrp_hmac_stamp(pdu + len - VRRP_HMAC_TRAILER_LEN).sequence;
}

/* Without signatures there is nothing to keep, and nothing is signed. */
static void
nothing_to_keep(void **state)
{
	const struct conf *conf = load(INSTANCE("A", "eth0", "1", ""));
	struct ledger ledger;
	uint8_t pdu[VRRP_PDU_MAX];

	assert_int_equal(ledger_create(&ledger, conf), 0);
	assert_int_equal(ledger.fd, -1);
	assert_int_equal(ledger_sign(&ledger, 0, NULL, NULL, pdu, 20, sizeof pdu), 20);
	ledger_fini(&ledger);
}

/* The will goes on after the last sequence of the worker, and its successor after that of the will. */
static void
a_will_is_no_replay(void **state)
{
	const struct conf *conf =
		load(INSTANCE("A", "eth0", "1", "") INSTANCE("B", "eth0", "2", HMAC));
	struct ledger guardian, worker;
	uint64_t ahead, will;

	assert_int_equal(ledger_create(&guardian, conf), 0);
	assert_int_equal(ledger_adopt(&worker, conf, guardian.fd), 0);
	ahead = vrrp_hmac_clock(clock_wall_ns()) + 2 * SECOND; /* of a clock that was set back */
	marks_of(&worker, 1)->sequence = ahead;
	ledger_fini(&worker);

	will = signed_sequence(&guardian, 1);
	assert_true(will == ahead + 1);
	assert_int_equal(ledger_adopt(&worker, conf, guardian.fd), 0);
	assert_true(marks_of(&worker, 1)->sequence == will);
	/* Nonsense that a worker left does not silence us for ever. */
	marks_of(&worker, 1)->sequence = ahead + 3600 * SECOND;
	assert_true(vrrp_hmac_ahead_s(signed_sequence(&guardian, 1), ahead) <= 0);
	ledger_fini(&worker);
	ledger_fini(&guardian);
}

static void
a_worker_cannot_shrink_it(void **state)
{
	const struct conf *conf = load(INSTANCE("A", "eth0", "1", HMAC));
	const struct conf *other = load(INSTANCE("A", "eth0", "1", HMAC PEERS));
	struct ledger guardian, worker;

	assert_int_equal(ledger_create(&guardian, conf), 0);
	assert_int_equal(ftruncate(guardian.fd, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ledger_adopt(&worker, other, guardian.fd), -EBADMSG);
	assert_int_equal(ledger_adopt(&worker, conf, -1), -EBADF);
	ledger_fini(&guardian);
}

/* By interface and VRID, whatever the place and the name; by address, whatever the transport. */
static void
a_reload_inherits(void **state)
{
	const struct conf *old = load(INSTANCE("A", "eth0", "1", HMAC PEERS) INSTANCE(
		"B", "eth0", "2", HMAC) INSTANCE("C", "eth1", "1", HMAC));
	const struct conf *new =
		load(INSTANCE("NEW", "eth0", "9", HMAC) INSTANCE("B2", "eth0", "2", HMAC PEERS)
			     INSTANCE("D", "eth1", "1", "") INSTANCE("A2", "eth0", "1", HMAC));
	struct vrrp_hmac_mark *marks;
	struct ledger from, to;

	assert_int_equal(ledger_create(&from, old), 0);
	assert_int_equal(ledger_create(&to, new), 0);
	marks = marks_of(&from, 0);
	marks[0].sequence = 100;
	marks[1].sequence = 101; /* 10.9.0.2 */
	marks[2].sequence = 102; /* 10.9.0.3 */
	marks = marks_of(&from, 1);
	marks[0].sequence = 200;
	marks[2].used = 1;
	marks[2].sequence = 201;
	ip_parse("10.9.0.3", &marks[2].sender);
	marks[4].used = 2;
	marks[4].sequence = 202;
	ip_parse("10.9.0.7", &marks[4].sender);

	ledger_inherit(&to, &from);
	assert_true(marks_of(&to, 0)->sequence == 0);
	marks = marks_of(&to, 1); /* now with peers */
	assert_true(marks[0].sequence == 200);
	assert_true(marks[1].sequence == 0);
	assert_true(marks[2].sequence == 201);
	assert_true(marks[3].sequence == 202 && marks[3].sender.bytes[3] == 7);
	marks = marks_of(&to, 3); /* now without */
	assert_true(marks[0].sequence == 100);
	assert_true(marks[1].sequence == 101 && marks[1].sender.bytes[3] == 2);
	assert_true(marks[2].sequence == 102 && marks[2].sender.bytes[3] == 3);
	assert_true(marks[3].used == 0);
	ledger_fini(&from);
	ledger_fini(&to);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_to_keep),
		TEST(a_will_is_no_replay),
		TEST(a_worker_cannot_shrink_it),
		TEST(a_reload_inherits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
