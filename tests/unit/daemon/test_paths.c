/*
 * test_paths.c - routes, rules and static addresses of a file, as the kernel has them afterwards:
 * `ip` tells.  In a network namespace of its own.
 */
#include "daemon/paths.h"

#include "conf/load.h"
#include "daemon/static_addresses.h"
#include "lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct arena *arena;
	struct conf *conf;
	struct loop loop;
	struct netwatch watch;
	struct static_addresses statics;
	struct path_keeper paths;
};

static void
on_change(void *ctx)
{
	struct fixture *f = ctx;

	f->statics.suspect = true;
	paths_suspect(&f->paths);
}

static void
begin(struct fixture *f, const char *text)
{
	struct conf_options options = { .node = "lb1" };
	struct conf_source source = { .name = "t.conf", .text = text, .len = strlen(text) };
	struct conf_report report;

	*f = (struct fixture){ .arena = arena_new() };
	f->conf = conf_load(f->arena, &source, 1, &options, &report);
	for (size_t i = 0; i < report.messages_n; i++)
		print_message("%s\n", report.messages[i].text);
	assert_int_equal(report.errors, 0);
	assert_int_equal(loop_init(&f->loop), 0);
	f->loop.max_wait_ns = NS_PER_MS;
	assert_int_equal(netwatch_init(&f->watch, &f->loop, f->conf, NULL, on_change, f), 0);
	assert_int_equal(static_addresses_init(&f->statics, f->conf, &f->watch), 0);
	static_addresses_put(&f->statics);
	assert_int_equal(paths_init(&f->paths, &f->loop, f->conf, &f->watch), 0);
	paths_begin(&f->paths);
}

/* As after SIGKILL: nobody takes anything away. */
static void
abandon(struct fixture *f)
{
	for (size_t i = 0; i < f->paths.groups_n; i++)
		f->paths.groups[i].held = false;
	paths_fini(&f->paths);
	memset(f->statics.added, 0, f->conf->static_vips_n);
}

static void
end(struct fixture *f)
{
	paths_fini(&f->paths);
	static_addresses_fini(&f->statics);
	netwatch_fini(&f->watch);
	loop_fini(&f->loop);
	arena_free(f->arena);
}

static bool
may(void *ctx, uint32_t instance)
{
	return !ctx;
}

/* What `ip ARGUMENTS` prints, blanks at the ends of lines and before /expires/ cut off. */
static const char *
ip(const char *arguments)
{
	static char text[8192];
	char command[256], line[1024];
	size_t len = 0;
	FILE *pipe;

	snprintf(command, sizeof command, "ip %s", arguments);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	while (fgets(line, sizeof line, pipe)) {
		size_t n = strcspn(line, "\n");

		while (n > 0 && line[n - 1] == ' ')
			n--;
		assert_true(len + n + 2 < sizeof text);
		memcpy(text + len, line, n);
		len += n;
		text[len++] = '\n';
	}
	text[len] = '\0';
	pclose(pipe);
	return text;
}

#define HEAD                                                     \
	"vrrp_instance VI_1 {\n"                                 \
	"  interface tt0\n  virtual_router_id 51\n  version 3\n" \
	"  virtual_ipaddress { 10.9.1.1 }\n"

/* Every word of a route that shows. */
static void
test_words(void **state)
{
	struct fixture f;

	begin(&f, HEAD
	      "virtual_routes {\n"
	      "  10.10.0.0/24 via 10.9.0.9\n"
	      "  10.10.1.0/24 dev tt1 metric 7\n"
	      "  10.10.2.0/24\n"
	      "  src " LAB_HOST " to 10.10.3.0/24 via 10.9.0.9 dev tt0\n"
	      "  10.10.4.0/24 via 10.9.0.8 or 10.9.0.9 dev tt0\n"
	      "  10.10.5.0/24 nexthop via 192.0.2.9 dev tt1 onlink nexthop via 10.9.0.9 weight 3\n"
	      "  blackhole 10.10.6.0/24\n"
	      "  unreachable 10.10.7.0/24\n"
	      "  prohibit 10.10.8.0/24\n"
	      "  throw 10.10.9.0/24\n"
	      "  10.10.10.0/24 via 10.9.0.9 tos 4 mtu lock 1400 advmss 1300 rtt 40 initcwnd 30\n"
	      "  default via 10.9.0.9 table 700\n"
	      "  fd10::/64 via fe80::9 dev tt0\n"
	      "  fd11::/64 dev tt0 metric 9\n"
	      "  blackhole fd12::/64\n"
	      "  fd13::/64 nexthop via fe80::8 dev tt0 nexthop via fe80::9 dev tt0\n"
	      "  fd14::/64 from fd15::/64 via fe80::9 dev tt0\n"
	      "} }\n");
	assert_string_equal(ip("route show table all proto 84"), "");
	paths_put(&f.paths, 0);
	assert_string_equal(ip("-4 route show table all proto 84"),
			    "default via 10.9.0.9 dev tt0 table 700\n"
			    "10.10.0.0/24 via 10.9.0.9 dev tt0\n"
			    "10.10.1.0/24 dev tt1 scope link metric 7\n"
			    "10.10.2.0/24 dev tt0 scope link\n"
			    "10.10.3.0/24 via 10.9.0.9 dev tt0 src " LAB_HOST "\n"
			    "10.10.4.0/24\n"
			    "\tnexthop via 10.9.0.8 dev tt0 weight 1\n"
			    "\tnexthop via 10.9.0.9 dev tt0 weight 1\n"
			    "10.10.5.0/24\n"
			    "\tnexthop via 192.0.2.9 dev tt1 weight 1 onlink\n"
			    "\tnexthop via 10.9.0.9 dev tt0 weight 3\n"
			    "blackhole 10.10.6.0/24\n"
			    "unreachable 10.10.7.0/24\n"
			    "prohibit 10.10.8.0/24\n"
			    "throw 10.10.9.0/24\n"
			    "10.10.10.0/24 tos 0x04 via 10.9.0.9 dev tt0 mtu lock 1400 rtt 40ms "
			    "advmss 1300 initcwnd 30\n");
	assert_non_null(
		strstr(ip("-6 route show proto 84"), "fd10::/64 via fe80::9 dev tt0 metric 1024"));
	assert_non_null(strstr(ip("-6 route show proto 84"), "fd11::/64 dev tt0 metric 9"));
	assert_non_null(strstr(ip("-6 route show proto 84"), "blackhole fd12::/64 dev lo"));
	assert_non_null(strstr(ip("-6 route show proto 84"),
			       "\tnexthop via fe80::8 dev tt0 weight 1\n"
			       "\tnexthop via fe80::9 dev tt0 weight 1\n"));
	assert_non_null(strstr(ip("-6 route show proto 84"),
			       "fd14::/64 from fd15::/64 via fe80::9 dev tt0"));
	paths_take(&f.paths, 0);
	assert_string_equal(ip("route show table all proto 84"), "");
	end(&f);
}

static void
test_rules(void **state)
{
	struct fixture f;

	begin(&f, HEAD "virtual_rules {\n"
		       "  from 10.9.1.1 table 700 preference 101\n"
		       "  to 10.10.0.0/16 from 10.9.0.0/24 iif tt0 oif tt1 tos 4 fwmark 24/0xff "
		       "table main preference 102\n"
		       "  not fwmark 16 unreachable preference 103\n"
		       "  ip_proto tcp dport 80-90 sport 1000 blackhole preference 104\n"
		       "  uidrange 5-9 goto 106 preference 105\n"
		       "  nop preference 106\n"
		       "  suppress_prefixlength 0 table main preference 107\n"
		       "  from fd09::/64 table 701 preference 108\n"
		       "  inet6 prohibit fwmark 1 preference 109\n"
		       "} }\n");
	paths_put(&f.paths, 0);
	assert_string_equal(
		ip("-4 rule show | grep 'proto 84$'"),
		"101:\tfrom 10.9.1.1 lookup 700 proto 84\n"
		"102:\tfrom 10.9.0.0/24 to 10.10.0.0/16 tos 0x04 fwmark 0x18/0xff iif tt0 oif tt1 lookup main proto 84\n"
		"103:\tnot from all fwmark 0x10 unreachable proto 84\n"
		"104:\tfrom all ipproto tcp sport 1000 dport 80-90 blackhole proto 84\n"
		"105:\tfrom all uidrange 5-9 goto 106 proto 84\n"
		"106:\tfrom all nop proto 84\n"
		"107:\tfrom all lookup main suppress_prefixlength 0 proto 84\n");
	assert_string_equal(ip("-6 rule show | grep 'proto 84$'"),
			    "108:\tfrom fd09::/64 lookup 701 proto 84\n"
			    "109:\tfrom all fwmark 0x1 prohibit proto 84\n");
	paths_put(&f.paths, 0);
	end(&f);
	assert_string_equal(ip("-4 rule show | grep 'proto 84$'"), "");
	assert_string_equal(ip("-6 rule show | grep 'proto 84$'"), "");
}

/* What somebody removes is put back, what `no_track` says is not; equal routes of others stay. */
static void
test_put_back(void **state)
{
	struct fixture f;
	struct mono now = mono_now();

	lab_ip("route add 10.10.0.0/24 via 10.9.0.7");
	begin(&f, HEAD "virtual_routes {\n"
		       "  10.10.0.0/24 via 10.9.0.9\n"
		       "  10.10.1.0/24 via 10.9.0.9 no_track\n"
		       "  fd10::/64 via fe80::9 dev tt0\n"
		       "} virtual_rules { from 10.9.1.1 table 700 preference 101 } }\n");
	paths_put(&f.paths, 0);
	loop_turn(&f.loop);
	lab_ip("route del 10.10.0.0/24 via 10.9.0.9");
	lab_ip("route del 10.10.1.0/24");
	lab_ip("-6 route del fd10::/64");
	lab_ip("rule del preference 101");
	loop_turn(&f.loop);
	paths_restore(&f.paths, may, &f, now);
	assert_string_equal(ip("route show proto 84"), "");
	paths_restore(&f.paths, may, NULL, now);
	assert_string_equal(ip("route show proto 84"), "10.10.0.0/24 via 10.9.0.9 dev tt0\n");
	assert_string_equal(ip("-4 rule show | grep 'proto 84$'"),
			    "101:\tfrom 10.9.1.1 lookup 700 proto 84\n");
	assert_non_null(strstr(ip("-6 route show proto 84"), "fd10::/64"));

	/* With its link the kernel drops an IPv4 route without a word. */
	loop_turn(&f.loop);
	lab_ip("link set tt0 down");
	assert_string_equal(ip("route show proto 84"), "");
	lab_ip("link set tt0 up");
	loop_turn(&f.loop);
	paths_restore(&f.paths, may, NULL, mono_add_ms(now, PATHS_RESTORE_PAUSE_MS));
	assert_string_equal(ip("route show proto 84"), "10.10.0.0/24 via 10.9.0.9 dev tt0\n");

	/* Replaced by a route of somebody else's: that one goes behind ours. */
	lab_ip("route replace 10.10.0.0/24 via 10.9.0.7");
	assert_string_equal(ip("route show proto 84"), "");
	loop_turn(&f.loop);
	paths_restore(&f.paths, may, NULL, mono_add_ms(now, 2 * PATHS_RESTORE_PAUSE_MS));
	assert_string_equal(ip("route show 10.10.0.0/24"),
			    "10.10.0.0/24 via 10.9.0.9 dev tt0 proto 84\n"
			    "10.10.0.0/24 via 10.9.0.7 dev tt0\n");
	paths_take(&f.paths, 0);
	assert_string_equal(ip("route show 10.10.0.0/24"), "10.10.0.0/24 via 10.9.0.7 dev tt0\n");
	end(&f);
	lab_ip("route del 10.10.0.0/24");
}

/* A daemon that was killed leaves them; the next one finds them by their number. */
static void
test_left_behind(void **state)
{
	static const char text[] =
		"global_defs { vip_lease 1 }\n" HEAD
		"virtual_routes {\n  10.10.0.0/24 via 10.9.0.9\n"
		"  fd10::/64 via fe80::9 dev tt0\n  fd11::/64 nexthop via fe80::8 dev "
		"tt0 nexthop via fe80::9 dev tt0\n  default via 10.9.0.9 table 700\n}\n"
		"virtual_rules {\n  from 10.9.1.1 table 700\n  from fd09::/64 table 701\n} }\n"
		"static_routes {\n  10.11.0.0/24 via 10.9.0.9\n}\n"
		"static_rules {\n  from 10.12.0.0/24 table 701\n}\n"
		"static_ipaddress { 10.12.0.1/24 dev tt1 }\n";
	struct fixture f;

	begin(&f, text);
	assert_string_equal(ip("route show proto 84"), "10.11.0.0/24 via 10.9.0.9 dev tt0\n");
	assert_true(lab_has("10.12.0.1"));
	paths_put(&f.paths, 0);
	assert_non_null(
		strstr(ip("-6 route show proto 84"), "fe80::9 dev tt0 metric 1024 expires"));
	abandon(&f);
	end(&f);
	assert_true(lab_has("10.12.0.1"));
	assert_string_not_equal(ip("route show table 700"), "");

	paths_sweep();
	assert_string_equal(ip("route show table all proto 84"), "");
	assert_string_equal(ip("-4 rule show | grep 'proto 84$'"), "");
	assert_string_equal(ip("-6 rule show | grep 'proto 84$'"), "");

	/* That one was there before: it is not ours to remove. */
	begin(&f, text);
	end(&f);
	assert_true(lab_has("10.12.0.1"));
	lab_ip("address del 10.12.0.1/24 dev tt1");
	assert_string_equal(ip("route show table all proto 84"), "");
}

static void
test_static_addresses(void **state)
{
	struct mono now = mono_now();
	struct fixture f;

	begin(&f, "static_ipaddress {\n 10.12.0.1/24 dev tt1\n fd12::1/64 dev tt1\n"
		  " 10.12.1.1/24 dev tt9\n}\n");
	assert_true(lab_has("10.12.0.1"));
	assert_true(lab_has("fd12::1"));
	assert_false(lab_has("10.12.1.1"));
	loop_turn(&f.loop);
	lab_ip("address flush dev tt1");
	loop_turn(&f.loop);
	static_addresses_restore(&f.statics, now);
	assert_true(lab_has("10.12.0.1"));
	assert_true(lab_has("fd12::1"));
	lab_ip("link add tt9 type veth peer name tt8");
	loop_turn(&f.loop);
	static_addresses_restore(&f.statics, mono_add_ms(now, STATIC_RESTORE_PAUSE_MS - 1));
	assert_false(lab_has("10.12.1.1"));
	static_addresses_restore(&f.statics, mono_add_ms(now, STATIC_RESTORE_PAUSE_MS));
	assert_true(lab_has("10.12.1.1"));
	end(&f);
	assert_false(lab_has("10.12.0.1"));
	assert_false(lab_has("fd12::1"));
	assert_false(lab_has("10.12.1.1"));
	lab_ip("link del tt9");
}

/* More than a batch holds, and one that the kernel refuses among them. */
static void
test_many(void **state)
{
	static char text[65536];
	size_t len = (size_t)snprintf(text, sizeof text, HEAD "virtual_routes {\n");
	struct fixture f;
	unsigned lines = 0;

	for (unsigned i = 0; i < 500; i++)
		len += (size_t)snprintf(text + len, sizeof text - len,
					"10.20.%u.%u via 10.9.0.%u\n", i / 250, i % 250, 9 + i % 3);
	snprintf(text + len, sizeof text - len,
		 "10.30.0.0/24 via 172.31.255.1\n10.31.0.0/24\n} }\n");
	begin(&f, text);
	paths_put(&f.paths, 0);
	for (const char *c = ip("route show proto 84 | wc -l"); *c >= '0' && *c <= '9'; c++)
		lines = lines * 10 + (unsigned)(*c - '0');
	assert_int_equal(lines, 501);
	assert_true(f.paths.groups[0].failing);
	paths_take(&f.paths, 0);
	assert_string_equal(ip("route show table all proto 84"), "");
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_put_back),
		cmocka_unit_test(test_left_behind),
		cmocka_unit_test(test_static_addresses),
		cmocka_unit_test(test_many),
	};

	lab_enter();
	lab_ip("-6 addr add fd09::1/64 dev tt0 nodad");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
