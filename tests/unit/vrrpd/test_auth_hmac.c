/*
 * test_auth_hmac.c - signatures: the draft's own packets, every reason to refuse one, and the order
 * of sequences.
 *
 * The two packets are those of the draft's appendix: key 00 … 1f as number 1, VRID 51, priority 200,
 * sequence 0x6800000080000000 (half past a second), from 198.51.100.10 and from fe80::10.
 */
#include "world.h"

#include "vrrpd/auth_hmac.h"

#include <errno.h>
#include <string.h>

#define GOLDEN_SEQUENCE UINT64_C(0x6800000080000000)
#define SECOND          (UINT64_C(1) << 32)
#define TICK            (UINT64_C(1) << 16) /* of the clock: 15 µs */

#define MESSAGE4 12
#define MESSAGE6 24

static const uint8_t golden4[] = {
	0x31, 0x33, 0xc8, 0x01, 0x00, 0x64, 0x44, 0x02, 0xc0, 0x00, 0x02, 0x64, /* message */
	0x01, 0x01, 0x00, 0x00, 0x68, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, /* trailer */
	0x1b, 0x84, 0xbc, 0x4e, 0x8e, 0x43, 0x89, 0x2d,                         /* HMAC */
	0xc6, 0xd9, 0x84, 0x48, 0xf8, 0xee, 0x22, 0x65,
};
static const uint8_t golden6[] = {
	0x31, 0x33, 0xc8, 0x01, 0x00, 0x64, 0xa2, 0xe9, 0xfe, 0x80, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, /* message */
	0x01, 0x01, 0x00, 0x00, 0x68, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0xc8, 0xc5,
	0x61, 0x46, 0xeb, 0xfd, 0x66, 0xee, 0x10, 0xec, 0x4d, 0x81, 0x86, 0x46, 0x1b, 0x78,
};

static struct conf_hmac_key keys[3];
static struct conf_hmac conf_hmac;
static struct conf_vip vip;
static struct conf_peer peers[2];
static struct conf_instance conf;
static struct vrrp_hmac *hmac;
static struct vrrp_hmac_mark marks[1 + 2 + VRRP_HMAC_SENDERS];

static int
setup(void **state)
{
	memset(keys, 0, sizeof keys);
	memset(marks, 0, sizeof marks);
	for (unsigned k = 0; k < 3; k++) {
		keys[k].id = (uint8_t)(k == 0 ? 1 : 100 * k);
		keys[k].len = (uint8_t)(32 + 16 * k);
		for (unsigned i = 0; i < keys[k].len; i++)
			keys[k].bytes[i] = (uint8_t)(i + k);
	}
	conf_hmac = (struct conf_hmac){
		.keys = keys, .keys_n = 3, .active_key = 1, .time_window_s = 5
	};
	vip = (struct conf_vip){ .ip = ip4("192.0.2.100") };
	conf = (struct conf_instance){
		.vrid = 51,
		.version = 3,
		.family = AF_INET,
		.advert_int_cs = 100,
		.vips = &vip,
		.vips_n = 1,
		.hmac = &conf_hmac,
	};
	hmac = vrrp_hmac_new(&conf_hmac);
	assert_non_null(hmac);
	return 0;
}

static int
teardown(void **state)
{
	vrrp_hmac_free(hmac);
	return 0;
}

/* What the codec makes of a message from one of the goldens' senders; copied, so that the tools see
 * the first octet too many. */
static enum vrrp_drop
parse(bool six, const uint8_t *pdu, size_t len, struct vrrp_advert *ad)
{
	static uint8_t bytes[256];
	struct vrrp_datagram d = {
		.source = ip4(six ? "fe80::10" : "198.51.100.10"),
		.destination = ip4(six ? "fe80::20" : "198.51.100.20"),
		.hop_limit = 255,
		.pdu = bytes,
		.pdu_len = len,
	};

	memcpy(bytes, pdu, len);
	if (six)
		return vrrp_packet_parse6(&d, ad);
	len = datagram_make(&d.source, &d.destination, 255, pdu, len, bytes);
	return vrrp_packet_parse(bytes, len, ad);
}

static struct vrrp_advert
parsed(bool six, const uint8_t *pdu, size_t len)
{
	struct vrrp_advert ad;

	assert_int_equal(parse(six, pdu, len, &ad), VRRP_DROP_N);
	return ad;
}

static enum vrrp_drop
check(const struct vrrp_advert *ad, uint64_t clock)
{
	return vrrp_hmac_check(hmac, &conf, marks, ad, clock);
}

/* Signs anew what `ad` points to, with any sequence and key, and checks it `clock`. */
static enum vrrp_drop
check_signed(const struct ip *source, uint64_t sequence, uint64_t clock)
{
	static uint8_t pdu[sizeof golden4];
	struct vrrp_advert ad = {
		.source = *source, .pdu = pdu, .pdu_len = MESSAGE4, .trailer = pdu + MESSAGE4
	};

	memcpy(pdu, golden4, sizeof pdu);
	vrrp_hmac_sign(hmac, source, sequence, pdu, MESSAGE4);
	return check(&ad, clock);
}

/* As the first of an instance. */
static int
sign(const struct ip *source, const struct ip *to, void *pdu, size_t len, size_t size)
{
	struct vrrp_hmac_mark sent;

	memset(&sent, 0, sizeof sent);
	return vrrp_packet_sign(hmac, &sent, GOLDEN_SEQUENCE, source, to, pdu, len, size);
}

/* ------------------------------------------------------------------ the draft's packets */

static void
test_goldens_are_made(void **state)
{
	struct ip source = ip4("198.51.100.10"), to = ip4("198.51.100.20");
	uint8_t pdu[VRRP_PDU_MAX];
	int len;

	conf.v3_checksum_as_v2 = true; /* as RFC 9568 has it */
	len = vrrp_packet_build(&conf, &source, &to, 200, 100, pdu, sizeof pdu);
	assert_int_equal(len, MESSAGE4);
	len = sign(&source, &to, pdu, MESSAGE4, sizeof pdu);
	assert_int_equal(len, sizeof golden4);
	assert_memory_equal(pdu, golden4, sizeof golden4);

	/* IPv6: the checksum covers the trailer, too. */
	source = ip4("fe80::10");
	to = ip4("fe80::20");
	vip.ip = ip4("fe80::100");
	len = vrrp_packet_build(&conf, &source, &to, 200, 100, pdu, sizeof pdu);
	assert_int_equal(len, MESSAGE6);
	len = sign(&source, &to, pdu, MESSAGE6, sizeof pdu);
	assert_int_equal(len, sizeof golden6);
	assert_memory_equal(pdu, golden6, sizeof golden6);

	for (size_t size = MESSAGE6; size < sizeof golden6; size++)
		assert_int_equal(sign(&source, &to, pdu, MESSAGE6, size), -EMSGSIZE);
}

static void
test_goldens_are_taken(void **state)
{
	struct vrrp_advert ad = parsed(false, golden4, sizeof golden4);

	assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_N);
	assert_int_equal(vrrp_hmac_stamp(ad.trailer).key, 1);
	assert_true(vrrp_hmac_stamp(ad.trailer).sequence == GOLDEN_SEQUENCE);
	ad = parsed(true, golden6, sizeof golden6);
	assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_N);
}

/* No octet of what is signed can change, but for the checksum, which a router may mend. */
static void
test_every_octet_counts(void **state)
{
	for (unsigned bit = 0; bit < 8 * sizeof golden6; bit++) {
		uint8_t pdu[sizeof golden6];
		struct vrrp_advert ad = parsed(true, golden6, sizeof golden6);
		enum vrrp_drop expected = VRRP_DROP_HMAC_FORGED, drop;
		unsigned at = bit / 8;

		memcpy(pdu, golden6, sizeof pdu);
		pdu[at] ^= (uint8_t)(1u << bit % 8);
		ad.pdu = pdu;
		ad.trailer = pdu + MESSAGE6;
		if (at == 6 || at == 7)
			expected = VRRP_DROP_N;
		if (at == MESSAGE6 || at == MESSAGE6 + 2 || at == MESSAGE6 + 3)
			expected = VRRP_DROP_HMAC_KIND;
		if (at == MESSAGE6 + 1)
			expected = VRRP_DROP_HMAC_KEY;
		conf_hmac.anti_replay = CONF_HMAC_MONOTONIC; /* or a changed time says so first */
		memset(marks, 0, sizeof marks);
		drop = check(&ad, GOLDEN_SEQUENCE);
		assert_int_equal(drop, expected);
		/* Only what is genuine leaves a mark. */
		assert_int_equal(marks[1].used != 0, drop == VRRP_DROP_N);
	}
}

static void
test_source_is_signed(void **state)
{
	struct vrrp_advert ad = parsed(false, golden4, sizeof golden4);

	ad.source = ip4("198.51.100.11");
	assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_HMAC_FORGED);
	/* The address of IPv4 padded with zeros is not that of IPv6. */
	ad.source = ip4("c633:640a::");
	assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_HMAC_FORGED);
}

/* ------------------------------------------------------------------ what counts as a trailer */

static void
test_trailer_is_found_by_its_length(void **state)
{
	uint8_t pdu[sizeof golden4 + 1] = { 0 };
	struct vrrp_advert ad;

	memcpy(pdu, golden4, sizeof golden4);
	for (size_t len = MESSAGE4; len <= sizeof pdu; len++) {
		ad = parsed(false, pdu, len);
		assert_int_equal(ad.trailer != NULL, len == sizeof golden4);
		assert_int_equal(ad.pdu_len, MESSAGE4);
		assert_int_equal(check(&ad, GOLDEN_SEQUENCE),
				 len == sizeof golden4 ? VRRP_DROP_N : VRRP_DROP_HMAC_MISSING);
	}
}

/* Version 2: after the eight octets of its own authentication, which a signature covers. */
static void
test_version_2(void **state)
{
	struct ip source = ip4("198.51.100.10"), to = ip4("198.51.100.20"), own = { 0 };
	uint8_t pdu[VRRP_PDU_MAX];
	struct vrrp_advert ad;
	int len;

	conf.version = 2;
	conf.auth = CONF_AUTH_PASS;
	memcpy(conf.auth_data, "secret", 6);
	conf.unicast_peers = peers;
	conf.unicast_peers_n = 1;
	peers[0].ip = source;
	len = vrrp_packet_build(&conf, &source, &to, 200, 100, pdu, sizeof pdu);
	len = sign(&source, &to, pdu, (size_t)len, sizeof pdu);
	assert_int_equal(len, 8 + 4 + 8 + 28);
	ad = parsed(false, pdu, (size_t)len);
	assert_int_equal(vrrp_packet_check(&conf, &own, &ad), VRRP_DROP_N);
	assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_N);

	/* On the way from a password to signatures: who has dropped it already is still heard. */
	conf.auth = CONF_AUTH_NONE;
	assert_int_equal(vrrp_packet_check(&conf, &own, &ad), VRRP_DROP_N);
	ad = parsed(false, pdu, (size_t)len - 28);
	assert_int_equal(vrrp_packet_check(&conf, &own, &ad), VRRP_DROP_AUTH_TYPE);
	conf.auth = CONF_AUTH_PASS;
	assert_int_equal(vrrp_packet_check(&conf, &own, &ad), VRRP_DROP_N);

	pdu[12 + 5]++; /* in the password */
	ad.pdu = pdu;
	ad.trailer = pdu + 8 + 4 + 8;
	assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_HMAC_FORGED);
}

static void
test_modes(void **state)
{
	static const enum conf_hmac_mode modes[] = { CONF_HMAC_ENFORCE, CONF_HMAC_PERMISSIVE,
						     CONF_HMAC_RECEIVE_ONLY };

	for (unsigned i = 0; i < 3; i++) {
		struct vrrp_advert ad = parsed(false, golden4, MESSAGE4);

		conf_hmac.mode = modes[i];
		memset(marks, 0, sizeof marks);
		assert_int_equal(check(&ad, GOLDEN_SEQUENCE), modes[i] == CONF_HMAC_ENFORCE
								      ? VRRP_DROP_HMAC_MISSING
								      : VRRP_DROP_N);
		/* Signed is signed: no mode forgives what is wrong with it. */
		ad = parsed(false, golden4, sizeof golden4);
		assert_int_equal(check(&ad, GOLDEN_SEQUENCE + 6 * SECOND), VRRP_DROP_HMAC_TIME);
		assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_N);
		assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_HMAC_REPLAY);
		ad.source = ip4("198.51.100.11");
		assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_HMAC_FORGED);
	}
}

/* Whatever else is wrong, the first check that fails gives the reason. */
static void
test_order(void **state)
{
	struct vrrp_advert ad = parsed(false, golden4, sizeof golden4);
	uint8_t pdu[sizeof golden4];
	uint64_t clock = GOLDEN_SEQUENCE + 100 * SECOND;

	assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_N);
	memcpy(pdu, golden4, sizeof pdu);
	ad.pdu = pdu;
	ad.trailer = pdu + MESSAGE4;
	pdu[MESSAGE4] = 2;            /* kind */
	pdu[MESSAGE4 + 1] = 9;        /* key */
	pdu[sizeof golden4 - 1] ^= 1; /* HMAC; and all of it was here before */
	assert_int_equal(check(&ad, clock), VRRP_DROP_HMAC_KIND);
	pdu[MESSAGE4] = 1;
	assert_int_equal(check(&ad, clock), VRRP_DROP_HMAC_TIME);
	assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_HMAC_KEY);
	pdu[MESSAGE4 + 1] = 1;
	assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_HMAC_FORGED);
	pdu[sizeof golden4 - 1] ^= 1;
	assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_HMAC_REPLAY);
}

static void
test_window(void **state)
{
	static const struct {
		int64_t age_s;
		bool fresh;
	} ages[] = { { -6, false }, { -5, true }, { 0, true }, { 5, true }, { 6, false } };
	struct ip source = ip4("192.0.2.1");

	for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
		/* also where the seconds begin anew, in 2106 */
		for (unsigned wrap = 0; wrap < 2; wrap++) {
			uint64_t sequence = wrap ? 2 * SECOND : GOLDEN_SEQUENCE;
			uint64_t clock = sequence + (uint64_t)ages[i].age_s * SECOND;

			memset(marks, 0, sizeof marks);
			conf_hmac.anti_replay = CONF_HMAC_TIME;
			assert_int_equal(check_signed(&source, sequence, clock),
					 ages[i].fresh ? VRRP_DROP_N : VRRP_DROP_HMAC_TIME);
			memset(marks, 0, sizeof marks);
			conf_hmac.anti_replay = CONF_HMAC_MONOTONIC;
			assert_int_equal(check_signed(&source, sequence, clock), VRRP_DROP_N);
		}
	}
}

/* Any key there is will do, the active one signs: so a key can be changed on one node at a time. */
static void
test_rotation(void **state)
{
	struct ip source = ip4("192.0.2.1");
	uint64_t sequence = GOLDEN_SEQUENCE;

	for (unsigned k = 0; k < 3; k++) {
		conf_hmac.active_key = keys[k].id;
		sequence++;
		assert_int_equal(check_signed(&source, sequence, sequence), VRRP_DROP_N);
		/* … and goes on where the other stood. */
		assert_int_equal(check_signed(&source, sequence, sequence), VRRP_DROP_HMAC_REPLAY);
	}
	conf_hmac.keys_n = 2;
	conf_hmac.active_key = keys[1].id;
	sequence++;
	assert_int_equal(check_signed(&source, sequence, sequence), VRRP_DROP_N);
	conf_hmac.keys_n = 3;
}

/* ------------------------------------------------------------------ replay */

static void
test_replay(void **state)
{
	static const uint64_t starts[] = {
		GOLDEN_SEQUENCE,
		UINT64_MAX - 1, /* serial numbers go on after the last one */
		INT64_MAX,
	};
	struct ip source = ip4("192.0.2.1");

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		uint64_t s = starts[i];

		memset(marks, 0, sizeof marks);
		assert_int_equal(check_signed(&source, s, s), VRRP_DROP_N);
		assert_int_equal(check_signed(&source, s, s), VRRP_DROP_HMAC_REPLAY);
		assert_int_equal(check_signed(&source, s - 1, s), VRRP_DROP_HMAC_REPLAY);
		assert_int_equal(check_signed(&source, s - SECOND, s), VRRP_DROP_HMAC_REPLAY);
		assert_int_equal(check_signed(&source, s + 1, s), VRRP_DROP_N);
		assert_int_equal(check_signed(&source, s, s), VRRP_DROP_HMAC_REPLAY);
		assert_int_equal(check_signed(&source, s + SECOND, s), VRRP_DROP_N);
		assert_int_equal(check_signed(&source, s + 1, s), VRRP_DROP_HMAC_REPLAY);
	}
}

/* A forged, late or unknown one says nothing about the sender's sequence. */
static void
test_refused_ones_leave_no_mark(void **state)
{
	struct ip source = ip4("192.0.2.1"), other = ip4("192.0.2.2");
	struct vrrp_advert ad = parsed(false, golden4, sizeof golden4);

	ad.source = source;
	assert_int_equal(check(&ad, GOLDEN_SEQUENCE), VRRP_DROP_HMAC_FORGED);
	assert_int_equal(check_signed(&source, GOLDEN_SEQUENCE, GOLDEN_SEQUENCE - 9 * SECOND),
			 VRRP_DROP_HMAC_TIME);
	assert_int_equal(check_signed(&source, GOLDEN_SEQUENCE - 1, GOLDEN_SEQUENCE), VRRP_DROP_N);
	assert_int_equal(check_signed(&other, GOLDEN_SEQUENCE - 2, GOLDEN_SEQUENCE), VRRP_DROP_N);
}

/* A sender's clock that was set back by more than the window; without clocks it stays refused. */
static void
test_marks_beyond_the_window(void **state)
{
	struct ip source = ip4("192.0.2.1");
	uint64_t now = GOLDEN_SEQUENCE, later = now + 3600 * SECOND;

	assert_int_equal(check_signed(&source, later, later), VRRP_DROP_N);
	assert_int_equal(check_signed(&source, now, now), VRRP_DROP_N);
	assert_int_equal(check_signed(&source, now, now), VRRP_DROP_HMAC_REPLAY);
	conf_hmac.anti_replay = CONF_HMAC_MONOTONIC;
	assert_int_equal(check_signed(&source, later, now), VRRP_DROP_N);
	assert_int_equal(check_signed(&source, now + 1, now), VRRP_DROP_HMAC_REPLAY);
}

static void
test_each_peer_has_its_mark(void **state)
{
	struct ip stranger = ip4("192.0.2.9");

	conf.unicast_peers = peers;
	conf.unicast_peers_n = 2;
	peers[0].ip = ip4("192.0.2.1");
	peers[1].ip = ip4("192.0.2.2");
	assert_int_equal(vrrp_hmac_marks_n(&conf), sizeof marks / sizeof *marks);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t sequence = GOLDEN_SEQUENCE - i;

		assert_int_equal(check_signed(&peers[i].ip, sequence, sequence), VRRP_DROP_N);
		assert_true(marks[1 + i].sequence == sequence);
	}
	/* Strangers, were they let in, take nothing from the peers. */
	for (uint8_t i = 0; i < 3 * VRRP_HMAC_SENDERS; i++) {
		stranger.bytes[3] = (uint8_t)(10 + i);
		assert_int_equal(check_signed(&stranger, GOLDEN_SEQUENCE, GOLDEN_SEQUENCE),
				 VRRP_DROP_N);
	}
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(check_signed(&peers[i].ip, GOLDEN_SEQUENCE - i, GOLDEN_SEQUENCE),
				 VRRP_DROP_HMAC_REPLAY);
	assert_true(marks[0].sequence == 0);
	conf.hmac = NULL;
	assert_int_equal(vrrp_hmac_marks_n(&conf), 0);
}

/* Four senders are remembered; a fifth takes the place of who was silent for longest. */
static void
test_senders(void **state)
{
	static const uint8_t heard[] = { 1, 2, 3, 4, 1, 3, 5 }; /* now 2 is forgotten … */
	static const uint8_t kept[] = { 1, 3, 4, 5 };
	struct ip source = ip4("192.0.2.0");
	uint64_t sequence = GOLDEN_SEQUENCE, last[8] = { 0 };

	for (size_t i = 0; i < sizeof heard; i++) {
		source.bytes[3] = heard[i];
		last[heard[i]] = ++sequence;
		assert_int_equal(check_signed(&source, sequence, sequence), VRRP_DROP_N);
	}
	for (size_t i = 0; i < sizeof kept; i++) {
		source.bytes[3] = kept[i];
		assert_int_equal(check_signed(&source, last[kept[i]], sequence),
				 VRRP_DROP_HMAC_REPLAY);
	}
	source.bytes[3] = 2; /* … and begins again, in the place of 1, by a replay heard first */
	assert_int_equal(check_signed(&source, last[2], sequence), VRRP_DROP_N);
	source.bytes[3] = 3;
	assert_int_equal(check_signed(&source, last[3], sequence), VRRP_DROP_HMAC_REPLAY);
}

/* ------------------------------------------------------------------ our own sequence */

static void
test_clock(void **state)
{
	assert_true(vrrp_hmac_clock(0) == 0);
	assert_true(vrrp_hmac_clock(NS_PER_S) == SECOND);
	assert_true(vrrp_hmac_clock(NS_PER_S / 2) == SECOND / 2);
	assert_true(vrrp_hmac_clock(NS_PER_S - 1) == SECOND - TICK);
	assert_true(vrrp_hmac_clock(0x68000000 * NS_PER_S + NS_PER_S / 2) == GOLDEN_SEQUENCE);
	assert_int_equal(vrrp_hmac_ahead_s(GOLDEN_SEQUENCE, GOLDEN_SEQUENCE + 7 * SECOND), -7);
	assert_int_equal(vrrp_hmac_ahead_s(SECOND, UINT64_MAX), 2);
}

static void
test_next(void **state)
{
	const uint64_t now = GOLDEN_SEQUENCE, future = UINT64_C(0xf0000000) << 32;
	static const enum conf_hmac_replay both[] = { CONF_HMAC_TIME, CONF_HMAC_MONOTONIC };

	for (unsigned i = 0; i < 2; i++) {
		conf_hmac.anti_replay = both[i];
		assert_true(vrrp_hmac_next(&conf_hmac, 0, now) == now);
		assert_true(vrrp_hmac_next(&conf_hmac, 0, future) == future); /* after 2038 */
		assert_true(vrrp_hmac_next(&conf_hmac, now - 1, now) == now);
		assert_true(vrrp_hmac_next(&conf_hmac, now, now) == now + 1);
		assert_true(vrrp_hmac_next(&conf_hmac, now + 7, now) == now + 8);
		/* The counter carries into the time. */
		assert_true(vrrp_hmac_next(&conf_hmac, now + TICK - 1, now) == now + TICK);
		/* The clock was set back: by no more than receivers forgive, or by more. */
		assert_true(vrrp_hmac_next(&conf_hmac, now + 5 * SECOND, now) ==
			    now + 5 * SECOND + 1);
	}
	assert_true(vrrp_hmac_next(&conf_hmac, now + 6 * SECOND, now) == now + 6 * SECOND + 1);
	conf_hmac.anti_replay = CONF_HMAC_TIME;
	assert_true(vrrp_hmac_next(&conf_hmac, now + 6 * SECOND, now) == now);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_goldens_are_made),
		TEST(test_goldens_are_taken),
		TEST(test_every_octet_counts),
		TEST(test_source_is_signed),
		TEST(test_trailer_is_found_by_its_length),
		TEST(test_version_2),
		TEST(test_modes),
		TEST(test_order),
		TEST(test_window),
		TEST(test_rotation),
		TEST(test_replay),
		TEST(test_refused_ones_leave_no_mark),
		TEST(test_marks_beyond_the_window),
		TEST(test_each_peer_has_its_mark),
		TEST(test_senders),
		TEST(test_clock),
		TEST(test_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
