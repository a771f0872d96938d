/*
 * test_conf_address.c - addresses as HAProxy's dialect writes them.
 */
#include "conf/address.h"

#include "cm.h"

#include <string.h>

static struct arena *arena;

static struct conf_address
parse(const char *text)
{
	struct conf_address address;
	const char *error = address_parse(arena, text, &address);

	if (error)
		fail_msg("%s: %s", text, error);
	return address;
}

static void
is_ip(const char *text, const char *ip, int port, int port_to)
{
	struct conf_address address = parse(text);
	char buf[IP_STRLEN];

	assert_int_equal(address.kind, CONF_ADDRESS_IP);
	assert_string_equal(ip_format(&address.ip, buf), ip);
	assert_int_equal(address.port_kind, port ? CONF_PORT_FIXED : CONF_PORT_NONE);
	assert_int_equal(address.port, port);
	assert_int_equal(address.port_to, port_to);
}

static void
ip_addresses(void **state)
{
	is_ip("10.0.0.21:80", "10.0.0.21", 80, 80);
	is_ip("10.0.0.21", "10.0.0.21", 0, 0);
	is_ip("*:80", "0.0.0.0", 80, 80);
	is_ip(":80", "0.0.0.0", 80, 80);
	is_ip("*:80-90", "0.0.0.0", 80, 90);
	is_ip("ipv4@:80", "0.0.0.0", 80, 80);
	is_ip("ipv6@:80", "::", 80, 80);
	is_ip("ipv6@*:80", "::", 80, 80);
	is_ip("tcp4@10.0.0.1:80", "10.0.0.1", 80, 80);
	is_ip("[2001:db8::1]:80", "2001:db8::1", 80, 80);
	is_ip("[2001:db8::1]", "2001:db8::1", 0, 0);
	is_ip("::1:80", "::1", 80, 80);
	is_ip(":::80", "::", 80, 80);
	is_ip("2001:db8::1:8080", "2001:db8::1", 8080, 8080);
	is_ip("localhost:80", "127.0.0.1", 80, 80);
	is_ip("10.0.0.1:65535", "10.0.0.1", 65535, 65535);
}

static void
names(void **state)
{
	struct conf_address address = parse("web-1.example.org:8080");

	assert_int_equal(address.kind, CONF_ADDRESS_NAME);
	assert_string_equal(address.host, "web-1.example.org");
	assert_int_equal(address.port, 8080);
	address = parse("web");
	assert_int_equal(address.kind, CONF_ADDRESS_NAME);
	assert_int_equal(address.port_kind, CONF_PORT_NONE);
	address = parse("web:+10");
	assert_int_equal(address.port_kind, CONF_PORT_OFFSET);
	assert_int_equal(address.port, 10);
	address = parse("10.0.0.1:-5");
	assert_int_equal(address.port_kind, CONF_PORT_OFFSET);
	assert_int_equal(address.port, -5);
}

static void
sockets(void **state)
{
	struct conf_address address = parse("/run/app.sock");

	assert_int_equal(address.kind, CONF_ADDRESS_UNIX);
	assert_string_equal(address.unix_path.un.sun_path, "/run/app.sock");
	address = parse("unix@/run/app.sock");
	assert_string_equal(address.unix_path.un.sun_path, "/run/app.sock");
	address = parse("abns@name");
	assert_int_equal(address.unix_path.un.sun_path[0], '\0');
	assert_memory_equal(address.unix_path.un.sun_path + 1, "name", 4);
	address = parse("fd@3");
	assert_int_equal(address.kind, CONF_ADDRESS_FD);
	assert_int_equal(address.fd, 3);
}

static void
refused(void **state)
{
	static const char *const texts[] = {
		"10.0.0.1:",
		"10.0.0.1:0",
		"10.0.0.1:65536",
		"10.0.0.1:x",
		"10.0.0.1:80-",
		"10.0.0.1:80-79",
		"10.0.0.1:80-65536",
		"10.0.0.1:-x",
		"10.0.0.1:+65536",
		"10.0.0.256:80",
		"10.0.0:80",
		"1.2.3.4.5",
		"ipv4@::1:80",
		"ipv6@10.0.0.1:80",
		"a b:80",
		"host/80:80",
		"fd@",
		"fd@-1",
		"fd@x",
		"unix@",
		"abns@",
		"udp@10.0.0.1:53",
		"quic4@:443",
		"sockpair@3",
		"10.0.0.1:9999999999999999999999999",
		"10.0.0.1:123456789012345678-9",
	};
	struct conf_address address;
	char path[300];

	for (size_t i = 0; i < COUNT(texts); i++)
		if (!address_parse(arena, texts[i], &address))
			fail_msg("accepted: %s", texts[i]);
	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	assert_non_null(address_parse(arena, path, &address));
	path[0] = 'x';
	assert_non_null(address_parse(arena, path, &address));
}

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip_addresses),
		cmocka_unit_test(names),
		cmocka_unit_test(sockets),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
