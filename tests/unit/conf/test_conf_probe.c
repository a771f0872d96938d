/*
 * test_conf_probe.c - which check scripts only ask whether haproxy runs.
 */
#include "conf/haproxy_probe.h"

#include "cm.h"

static void
asked(void **state)
{
	static const char *const commands[] = {
		"killall -0 haproxy",
		"/usr/bin/killall -0 haproxy",
		"  killall   -0\thaproxy ",
		"killall -q -0 haproxy",
		"killall -s 0 haproxy",
		"killall -u haproxy -0 haproxy",
		"killall -0 /usr/sbin/haproxy",
		"pkill -0 haproxy",
		"pkill -0 -x haproxy",
		"/usr/bin/pkill --signal 0 haproxy",
		"pidof haproxy",
		"/sbin/pidof -s haproxy",
		"/bin/pidof /usr/sbin/haproxy",
		"pgrep haproxy",
		"pgrep -x haproxy",
		"pgrep -u haproxy -f haproxy",
		"systemctl is-active haproxy",
		"systemctl is-active --quiet haproxy.service",
		"/usr/bin/systemctl -q is-active haproxy",
		"systemctl status haproxy",
		"service haproxy status",
		"/usr/sbin/service haproxy status",
		"kill -0 $(cat /var/run/haproxy.pid)",
		"/bin/kill -0 `cat /run/haproxy/haproxy.pid`",
		"kill -s 0 \"$(cat /run/haproxy-main.pid)\"",
		"kill -0 $(< /run/haproxy.pid)",
		"kill -0 $(pidof haproxy)",
		"sh -c 'killall -0 haproxy'",
		"/bin/bash -c \"pidof haproxy\"",
		"'killall -0 haproxy'",
		"\"killall -0 haproxy\"",
		"killall -0 'haproxy'",
		"pidof haproxy > /dev/null",
		"pidof haproxy >/dev/null 2>&1",
		"killall -0 haproxy 2>/dev/null || exit 1",
		"/bin/sh -c \"pgrep haproxy >/dev/null\"",
	};

	for (size_t i = 0; i < COUNT(commands); i++)
		if (!haproxy_probe(commands[i]))
			fail_msg("not recognised: %s", commands[i]);
}

static void
more_or_other(void **state)
{
	static const char *const commands[] = {
		"",
		"   ",
		"killall haproxy",
		"killall -9 haproxy",
		"killall -0 nginx",
		"killall -0 haproxy nginx",
		"killall -0",
		"killall -0 haproxy -9",
		"killall -r -0 haproxy",
		"pkill haproxy",
		"pkill -HUP haproxy",
		"pkill -v -0 haproxy",
		"pidof nginx",
		"pidof haproxy && curl localhost",
		"pidof haproxy; true",
		"pidof haproxy | grep 1",
		"pidof haproxy || systemctl start haproxy",
		"pgrep -v haproxy",
		"systemctl restart haproxy",
		"systemctl is-active nginx",
		"systemctl haproxy is-active",
		"systemctl is-active haproxy nginx",
		"service haproxy restart",
		"kill -0 $(cat /run/nginx.pid)",
		"kill -9 $(cat /run/haproxy.pid)",
		"kill -0 1234",
		"kill -0 $(cat /etc/haproxy/haproxy.cfg)",
		"kill -0 $(cat /run/haproxy.pid",
		"curl -sf http://127.0.0.1/haproxy",
		"/usr/local/bin/check_haproxy.sh",
		"sh -c",
		"sh -c 'killall -0 haproxy' x",
		"sh -x -c 'killall -0 haproxy'",
		"sh -c 'sh -c \"sh -c pidof\\ haproxy\"'",
		"'killall -0 haproxy",
		"test -f /run/haproxy.pid",
		"haproxy",
		"pidof haproxy > /tmp/out",
	};

	for (size_t i = 0; i < COUNT(commands); i++)
		if (haproxy_probe(commands[i]))
			fail_msg("taken for a question: %s", commands[i]);
}

static void
too_long(void **state)
{
	char command[2000] = "killall -0 haproxy";

	for (size_t i = 18; i < sizeof command - 1; i++)
		command[i] = ' ';
	assert_false(haproxy_probe(command));
	for (size_t i = 0; i < sizeof command - 1; i++)
		command[i] = i % 2 ? ' ' : 'x';
	assert_false(haproxy_probe(command));
	command[100] = '\0';
	assert_false(haproxy_probe(command));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked),
		cmocka_unit_test(more_or_other),
		cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
