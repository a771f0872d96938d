/*
 * test_external_check.c - check programs with real children: what is told of their ends, once for each
 * time one was asked for.
 */
#include "daemon/external_check.h"
#include "lab.h"
#include "tests/unit/margin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct loop loop;
static struct ans_external told[8];
static unsigned told_n;

static void
on_told(void *ctx, const struct ans_external *end)
{
	assert_true(told_n < sizeof told / sizeof told[0]);
	told[told_n++] = *end;
}

static bool
is_told(void *ctx)
{
	return told_n >= *(const unsigned *)ctx;
}

static void
wait_told(unsigned n)
{
	assert_true(lab_turn_until(&loop, is_told, &n, WAIT_MS));
	assert_int_equal(told_n, n);
}

/* Two sections, the second with two servers whose program this is. */
static struct conf_server servers[2];
static struct conf_proxy proxies[2];
static struct conf conf = { .proxies = proxies, .proxies_n = 2, .external_check = true };

static void
begin(struct external_checks *checks, const char *command, const char *path, uint32_t inter_ms)
{
	for (int i = 0; i < 2; i++)
		servers[i] = (struct conf_server){
			.name = "s", .host = "10.0.0.1", .check = true, .inter_ms = inter_ms
		};
	proxies[0] = (struct conf_proxy){ .name = "other" };
	proxies[1] = (struct conf_proxy){ .name = "app", .servers = servers, .servers_n = 2 };
	proxies[1].health.type = CONF_HEALTH_EXTERNAL;
	proxies[1].health.command = command;
	proxies[1].health.path = path;
	told_n = 0;
	memset(told, 0, sizeof told);
	assert_int_equal(external_checks_init(checks, &loop, &conf, on_told, NULL), 0);
	assert_int_equal(checks->n, 2);
}

static void
ask(struct external_checks *checks, uint32_t server)
{
	const struct req_external wanted = { .proxy = 1, .server = server };

	external_checks_run(checks, &wanted);
}

static void
tells_the_end(void **state)
{
	static const struct {
		const char *command, *path;
		int status;
	} ends[] = {
		{ "true", "/nowhere:/bin", 0 },
		{ "/bin/false", NULL, 1 },
		{ "true", NULL, 255 }, /* there is no path to look along */
		{ "/nowhere/at all", "/bin", 255 },
	};
	struct external_checks checks;

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		begin(&checks, ends[i].command, ends[i].path, 2000);
		ask(&checks, 1);
		wait_told(1);
		assert_int_equal(told[0].proxy, 1);
		assert_int_equal(told[0].server, 1);
		assert_int_equal(told[0].status, ends[i].status);
		assert_int_equal(told[0].timed_out, 0);
		external_checks_fini(&checks);
	}
}

/* Its time is over: told at once.  Asked for again meanwhile, it is run again, and told again. */
static void
tells_of_a_late_one_once(void **state)
{
	struct external_checks checks;

	begin(&checks, "/usr/bin/yes", NULL, 50);
	ask(&checks, 0);
	ask(&checks, 0);
	wait_told(1);
	assert_int_equal(told[0].timed_out, 1);
	wait_told(2);
	assert_int_equal(told[1].timed_out, 1);
	external_checks_fini(&checks);
	assert_int_equal(told_n, 2);
}

/* A server that has no program is nobody's affair. */
static void
knows_its_servers(void **state)
{
	const struct req_external other = { .proxy = 0, .server = 0 },
				  beyond = { .proxy = 1, .server = 2 };
	struct external_checks checks;

	begin(&checks, "/bin/true", NULL, 2000);
	external_checks_run(&checks, &other);
	external_checks_run(&checks, &beyond);
	ask(&checks, 0);
	ask(&checks, 1);
	wait_told(2);
	assert_int_not_equal(told[0].server, told[1].server);
	external_checks_fini(&checks);
}

/* As after an upgrade: of what was under way somebody still wants to know. */
static void
is_run_again_for_the_next(void **state)
{
	struct external_checks checks, next;

	begin(&checks, "/usr/bin/yes", NULL, 60000);
	ask(&checks, 1);
	proxies[1].health.command = "/bin/false";
	assert_int_equal(external_checks_init(&next, &loop, &conf, on_told, NULL), 0);
	external_checks_repeat(&next, &checks);
	external_checks_fini(&checks);
	wait_told(1);
	assert_int_equal(told[0].server, 1);
	assert_int_equal(told[0].status, 1);
	external_checks_fini(&next);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_end),
		cmocka_unit_test(tells_of_a_late_one_once),
		cmocka_unit_test(knows_its_servers),
		cmocka_unit_test(is_run_again_for_the_next),
	};

	int failed;

	if (loop_init(&loop) < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	loop_fini(&loop);
	return failed;
}
