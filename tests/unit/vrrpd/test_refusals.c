/*
 * test_refusals.c - every reason there is to refuse an advertisement: RFC 9568 section 7.1, RFC 3768
 * section 7.1, and what is this project's.  Each has a way to come about, a name of its own and a
 * counter, and none changes anything else.
 */
#include "alone.h"

#include "common/checksum.h"
#include "vrrpd/auth_hmac.h"

#include <string.h>

#define WALL_NS (INT64_C(1800000000) * NS_PER_S)

static struct conf_hmac_key key;
static struct conf_hmac hmac;
static const char *const peer = "10.0.0.12";

/* What is sent: an advertisement as it should be, which a case then spoils. */
struct sent {
	struct conf_instance from;
	struct ip source, to;
	uint8_t ttl, priority;
	uint16_t interval_cs;
	uint8_t bytes[128];
	size_t len;
};

static struct sent
make(void)
{
	struct sent s = {
		.from = node->instance,
		.source = ip4(peer),
		.to = node->instance.unicast_peers_n ? node->address : node->conf.mcast_group4,
		.ttl = VRRP_TTL,
		.priority = 254, /* a master would step down */
		.interval_cs = 100,
	};

	return s;
}

static void
pack(struct sent *s)
{
	uint8_t pdu[VRRP_PDU_MAX];
	int len = vrrp_packet_build(&s->from, &s->source, &s->to, s->priority, s->interval_cs, pdu,
				    sizeof pdu);
	struct vrrp_hmac_mark none;
	struct vrrp_hmac *signer;

	assert_true(len > 0);
	if (s->from.hmac) {
		memset(&none, 0, sizeof none);
		signer = vrrp_hmac_new(s->from.hmac);
		len = vrrp_packet_sign(signer, &none, vrrp_hmac_clock(WALL_NS + world->now.ns),
				       &s->source, &s->to, pdu, (size_t)len, sizeof pdu);
		vrrp_hmac_free(signer);
	}
	s->len = datagram_make(&s->source, &s->to, s->ttl, pdu, (size_t)len, s->bytes);
}

/* An octet of the message, and its checksum mended. */
static void
put(struct sent *s, size_t at, uint8_t value)
{
	uint16_t sum = 0;

	pack(s);
	s->bytes[20 + at] = value;
	memcpy(s->bytes + 26, &sum, sizeof sum);
	sum = checksum_finish(checksum_add(0, s->bytes + 20, s->len - 20));
	memcpy(s->bytes + 26, &sum, sizeof sum);
}

static void
ip_header(struct sent *s)
{
	pack(s);
	s->bytes[0] = 0x44;
}

static void
ttl(struct sent *s)
{
	s->ttl = 254;
}

static void
too_short(struct sent *s)
{
	pack(s);
	s->bytes[3]--;
	s->len--;
}

static void
version(struct sent *s)
{
	s->from.version = 3;
}

static void
type(struct sent *s)
{
	put(s, 0, 0x22);
}

static void
wrong_checksum(struct sent *s)
{
	pack(s);
	s->bytes[27]++;
}

static void
vrid(struct sent *s)
{
	s->from.vrid++;
}

static void
auth_type(struct sent *s)
{
	s->from.auth = CONF_AUTH_NONE;
}

static void
auth_md5(struct sent *s)
{
	put(s, 4, VRRP_AUTH_TYPE_CISCO);
}

static void
auth_data(struct sent *s)
{
	s->from.auth_data[7]++;
}

static void
advert_interval(struct sent *s)
{
	s->interval_cs = 200;
}

static void
no_address(struct sent *s)
{
	s->from.vips_n = 0;
}

static void
a_stranger(struct sent *s)
{
	s->source = ip4("10.0.0.99");
}

static void
too_far(struct sent *s)
{
	s->ttl = 253;
}

static void
own(struct sent *s)
{
	s->source = node->address;
}

static void
as_it_should_be(struct sent *s)
{
}

static void
not_signed(struct sent *s)
{
	s->from.hmac = NULL;
}

/* An octet of the trailer, which no checksum of IPv4 covers. */
static void
spoil_trailer(struct sent *s, size_t at)
{
	pack(s);
	s->bytes[s->len - VRRP_HMAC_TRAILER_LEN + at] ^= 0x80;
}

static void
kind(struct sent *s)
{
	spoil_trailer(s, 0);
}

static void
key_number(struct sent *s)
{
	spoil_trailer(s, 1);
}

static void
time_of_day(struct sent *s)
{
	spoil_trailer(s, 4);
}

static void
forged(struct sent *s)
{
	spoil_trailer(s, VRRP_HMAC_TRAILER_LEN - 1);
}

/* It was heard once already. */
static void
replayed(struct sent *s)
{
	pack(s);
	vrrp_receive(node->vrrp, 0, s->bytes, s->len, world->now);
}

enum { PLAIN, PASS, UNICAST, OWNER, SIGNED };

static const struct refusal {
	void (*spoil)(struct sent *s);
	unsigned how; /* what the node is like */
} refusals[VRRP_DROP_N] = {
	[VRRP_DROP_IP_HEADER] = { ip_header, PLAIN },
	[VRRP_DROP_TTL] = { ttl, PLAIN },
	[VRRP_DROP_LENGTH] = { too_short, PLAIN },
	[VRRP_DROP_VERSION] = { version, PLAIN },
	[VRRP_DROP_TYPE] = { type, PLAIN },
	[VRRP_DROP_CHECKSUM] = { wrong_checksum, PLAIN },
	[VRRP_DROP_VRID] = { vrid, PLAIN },
	[VRRP_DROP_OWNER] = { as_it_should_be, OWNER },
	[VRRP_DROP_AUTH_TYPE] = { auth_type, PASS },
	[VRRP_DROP_AUTH_MD5] = { auth_md5, PLAIN },
	[VRRP_DROP_AUTH_DATA] = { auth_data, PASS },
	[VRRP_DROP_ADVERT_INTERVAL] = { advert_interval, PLAIN },
	[VRRP_DROP_COUNT] = { no_address, PLAIN },
	[VRRP_DROP_PEER] = { a_stranger, UNICAST },
	[VRRP_DROP_PEER_TTL] = { too_far, UNICAST },
	[VRRP_DROP_OWN] = { own, PLAIN },
	[VRRP_DROP_HMAC_MISSING] = { not_signed, SIGNED },
	[VRRP_DROP_HMAC_KIND] = { kind, SIGNED },
	[VRRP_DROP_HMAC_TIME] = { time_of_day, SIGNED },
	[VRRP_DROP_HMAC_KEY] = { key_number, SIGNED },
	[VRRP_DROP_HMAC_FORGED] = { forged, SIGNED },
	[VRRP_DROP_HMAC_REPLAY] = { replayed, SIGNED },
};

static void
configure(unsigned how)
{
	struct conf_instance *c = &node->instance;

	if (how == PASS) {
		c->auth = CONF_AUTH_PASS;
		memcpy(c->auth_data, "secret", 6);
	} else if (how == UNICAST) {
		node->peers[0] = (struct conf_peer){ .ip = ip4(peer), .min_ttl = 254 };
		c->unicast_peers = node->peers;
		c->unicast_peers_n = 1;
	} else if (how == OWNER) {
		c->priority = 255;
		c->owner_ignore_adverts = true;
	} else if (how == SIGNED) {
		key = (struct conf_hmac_key){ .id = 1, .len = 32 };
		hmac = (struct conf_hmac){
			.keys = &key, .keys_n = 1, .active_key = 1, .time_window_s = 5
		};
		c->hmac = &hmac;
		node->wall_ns = WALL_NS;
	}
}

static void
hear(void (*spoil)(struct sent *s))
{
	struct sent s = make();

	spoil(&s);
	if (s.len == 0)
		pack(&s);
	vrrp_receive(node->vrrp, 0, s.bytes, s.len, world->now);
}

static void
to_its_group(struct sent *s)
{
	s->to = node->instance.mcast_group;
}

/* Another instance on the link may be in the other group: a router there is not ours. */
static void
test_another_group(void **state)
{
	struct vrrp_view view;

	alone_setup(NULL);
	node->instance.mcast_group = ip4("224.0.0.99");
	node_start(node);
	hear(as_it_should_be);
	vrrp_view(node->vrrp, 0, world->now, &view);
	assert_int_equal(view.drops[VRRP_DROP_VRID], 1);
	assert_int_equal(view.adverts_received, 0);
	hear(to_its_group);
	vrrp_view(node->vrrp, 0, world->now, &view);
	assert_int_equal(view.drops[VRRP_DROP_VRID], 1);
	assert_int_equal(view.adverts_received, 1);
	alone_teardown(NULL);
}

/* On a node of its own each: counted under its name, and that is all. */
static void
test_each(void **state)
{
	for (unsigned drop = 0; drop < VRRP_DROP_N; drop++) {
		const struct refusal *r = &refusals[drop];
		bool replay = drop == VRRP_DROP_HMAC_REPLAY;
		struct vrrp_view before, after;

		assert_non_null(r->spoil);
		alone_setup(NULL);
		configure(r->how);
		if (replay)
			node_start(node); /* what was heard once makes a master step down */
		else
			become_master();
		before = node_view(node);
		hear(r->spoil);
		after = node_view(node);
		for (unsigned d = 0; d < VRRP_DROP_N; d++)
			if (after.drops[d] - before.drops[d] != (d == drop))
				fail_msg("\"%s\": %llu \"%s\"", vrrp_drop_name(drop),
					 (unsigned long long)(after.drops[d] - before.drops[d]),
					 vrrp_drop_name(d));
		assert_int_equal(after.adverts_received, before.adverts_received + replay);
		assert_int_equal(after.state, before.state);
		assert_true(replay || (after.next.ns == before.next.ns && node->trace_len == 0));
		alone_teardown(NULL);
	}
}

/* The same nodes take the same advertisement unspoilt. */
static void
test_unspoilt(void **state)
{
	for (unsigned how = PLAIN; how <= SIGNED; how++) {
		alone_setup(NULL);
		configure(how);
		become_master();
		hear(as_it_should_be);
		assert_int_equal(node_view(node).adverts_received, how != OWNER);
		assert_state(how == OWNER ? VRRP_STATE_MASTER : VRRP_STATE_BACKUP);
		alone_teardown(NULL);
	}
}

static void
test_names(void **state)
{
	for (unsigned a = 0; a < VRRP_DROP_N; a++) {
		assert_non_null(vrrp_drop_name(a));
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(vrrp_drop_name(a), vrrp_drop_name(b));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_unspoilt),
		cmocka_unit_test(test_another_group),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
