/*
 * test_netlink_write.c - what the kernel is told of an address, read back with libmnl, and what a
 * VIP of the file becomes.
 */
#include "daemon/vip.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ATTRIBUTES 16

static int
note(const struct nlattr *attr, void *data)
{
	const struct nlattr **at = data;

	if (mnl_attr_get_type(attr) < ATTRIBUTES)
		at[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static const struct ifaddrmsg *
read_back(const struct nlmsghdr *nlh, const struct nlattr **at)
{
	memset(at, 0, ATTRIBUTES * sizeof *at);
	assert_int_equal(mnl_attr_parse(nlh, sizeof(struct ifaddrmsg), note, at), MNL_CB_OK);
	return mnl_nlmsg_get_payload(nlh);
}

static struct conf_vip
vip(const char *text)
{
	struct conf_vip v = { 0 };

	assert_int_equal(ip_parse_prefix(text, &v.ip, &v.prefix_len, &v.prefix_given), 0);
	return v;
}

static void
test_point_to_point(void **state)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_ADDRESS_SIZE];
	const struct nlattr *at[ATTRIBUTES];
	struct conf_vip v = vip("10.0.0.10");
	struct netlink_address a;

	assert_int_equal(ip_parse_prefix("10.9.0.1/24", &v.peer, &v.prefix_len, &v.prefix_given),
			 0);
	for (int verb = NETLINK_ADD; verb <= NETLINK_REMOVE; verb++) {
		a = vip_address(&v, (enum netlink_verb)verb, 5, 3);
		assert_int_equal(read_back(netlink_encode(buffer, &a), at)->ifa_prefixlen, 24);
		assert_memory_equal(mnl_attr_get_payload(at[IFA_LOCAL]), "\x0a\0\0\x0a", 4);
		assert_memory_equal(mnl_attr_get_payload(at[IFA_ADDRESS]), "\x0a\x09\0\x01", 4);
	}
}

static void
test_add_under_a_lease(void **state)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_ADDRESS_SIZE];
	const struct nlattr *at[ATTRIBUTES];
	struct conf_vip v = vip("10.0.0.10/24");
	const struct ifa_cacheinfo *life;
	const struct ifaddrmsg *ifa;
	struct netlink_address a;
	struct nlmsghdr *nlh;

	v.brd_auto = true;
	v.label = "eth0:vip";
	v.scope = RT_SCOPE_LINK;
	a = vip_address(&v, NETLINK_ADD, 5, 3);
	nlh = netlink_encode(buffer, &a);
	assert_int_equal(nlh->nlmsg_type, RTM_NEWADDR);
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE);
	assert_true(nlh->nlmsg_len <= NETLINK_ADDRESS_SIZE);

	ifa = read_back(nlh, at);
	assert_int_equal(ifa->ifa_family, AF_INET);
	assert_int_equal(ifa->ifa_prefixlen, 24);
	assert_int_equal(ifa->ifa_index, 5);
	assert_int_equal(ifa->ifa_scope, RT_SCOPE_LINK);
	assert_memory_equal(mnl_attr_get_payload(at[IFA_LOCAL]), "\x0a\0\0\x0a", 4);
	assert_memory_equal(mnl_attr_get_payload(at[IFA_ADDRESS]), "\x0a\0\0\x0a", 4);
	assert_memory_equal(mnl_attr_get_payload(at[IFA_BROADCAST]), "\x0a\0\0\xff", 4);
	assert_string_equal(mnl_attr_get_str(at[IFA_LABEL]), "eth0:vip");
	assert_int_equal(mnl_attr_get_u8(at[11]), NETLINK_PROTO);
	life = mnl_attr_get_payload(at[IFA_CACHEINFO]);
	assert_int_equal(life->ifa_valid, 3);
	assert_int_equal(life->ifa_prefered, 3);
}

static void
test_permanent(void **state)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_ADDRESS_SIZE];
	const struct nlattr *at[ATTRIBUTES];
	struct conf_vip v = vip("10.0.0.10");
	struct netlink_address a = vip_address(&v, NETLINK_ADD, 5, 0);
	const struct ifa_cacheinfo *life;

	read_back(netlink_encode(buffer, &a), at);
	life = mnl_attr_get_payload(at[IFA_CACHEINFO]);
	assert_int_equal(life->ifa_valid, UINT32_MAX);
	assert_null(at[IFA_BROADCAST]);
	assert_null(at[IFA_LABEL]);
}

/* A host route: the kernel must not speak from it, and may keep it no longer than the lease. */
static void
test_ipv6(void **state)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_ADDRESS_SIZE];
	const struct nlattr *at[ATTRIBUTES];
	struct conf_vip v = vip("2001:db8::10");
	struct netlink_address a = vip_address(&v, NETLINK_ADD, 5, 3);
	const struct ifa_cacheinfo *life;

	assert_int_equal(read_back(netlink_encode(buffer, &a), at)->ifa_flags, IFA_F_NODAD);
	life = mnl_attr_get_payload(at[IFA_CACHEINFO]);
	assert_int_equal(life->ifa_valid, 3);
	assert_int_equal(life->ifa_prefered, 0);
	v = vip("2001:db8::10/64");
	a = vip_address(&v, NETLINK_ADD, 5, 3);
	read_back(netlink_encode(buffer, &a), at);
	life = mnl_attr_get_payload(at[IFA_CACHEINFO]);
	assert_int_equal(life->ifa_prefered, 3);
}

static void
test_remove(void **state)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_ADDRESS_SIZE];
	const struct nlattr *at[ATTRIBUTES];
	struct conf_vip v = vip("10.0.0.10");
	struct netlink_address a = vip_address(&v, NETLINK_REMOVE, 5, 3);
	struct nlmsghdr *nlh = netlink_encode(buffer, &a);

	assert_int_equal(nlh->nlmsg_type, RTM_DELADDR);
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST);
	assert_int_equal(read_back(nlh, at)->ifa_prefixlen, 32);
	assert_non_null(at[IFA_LOCAL]);
	assert_null(at[IFA_CACHEINFO]);
}

static void
test_the_longest_fits(void **state)
{
	_Alignas(struct nlmsghdr) char buffer[NETLINK_ADDRESS_SIZE];
	struct conf_vip v = vip("2001:db8::10/64");
	struct netlink_address a;

	v.brd = v.ip;
	v.label = "fifteen-letters";
	a = vip_address(&v, NETLINK_ADD, 5, 3);
	assert_true(netlink_encode(buffer, &a)->nlmsg_len <= NETLINK_ADDRESS_SIZE);
}

static void
test_automatic_broadcast(void **state)
{
	static const struct {
		const char *vip;
		const char *brd; /* NULL = none */
	} cases[] = {
		{ "10.0.0.10/24", "10.0.0.255" },
		{ "192.168.5.9/30", "192.168.5.11" },
		{ "172.16.1.1/12", "172.31.255.255" },
		{ "10.0.0.10/31", NULL },
		{ "10.0.0.10/32", NULL },
		{ "2001:db8::10/64", NULL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct conf_vip v = vip(cases[i].vip);
		struct ip brd, wanted = { .family = AF_UNSPEC };

		v.brd_auto = true;
		brd = vip_address(&v, NETLINK_ADD, 1, 0).brd;
		if (cases[i].brd)
			ip_parse(cases[i].brd, &wanted);
		assert_int_equal(brd.family, wanted.family);
		if (cases[i].brd)
			assert_true(ip_equal(&brd, &wanted));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_under_a_lease),
		cmocka_unit_test(test_point_to_point),
		cmocka_unit_test(test_permanent),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_the_longest_fits),
		cmocka_unit_test(test_automatic_broadcast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
