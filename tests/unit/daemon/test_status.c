/*
 * The status document of a real configuration and a real engine: its shape is an interface that
 * programs rely on, so every name is spelled out here.
 */
#include "daemon/status.h"

#include "conf/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char file[] = "vrrp_instance VI_1 {\n"
			   "    interface eth1\n"
			   "    virtual_router_id 100\n"
			   "    priority 150\n"
			   "    advert_int 1\n"
			   "    unicast_src_ip 10.0.0.11\n"
			   "    unicast_peer {\n"
			   "        10.0.0.12\n"
			   "    }\n"
			   "    virtual_ipaddress {\n"
			   "        10.0.0.10/24\n"
			   "        10.0.0.9\n"
			   "    }\n"
			   "}\n";

struct fixture {
	struct arena *arena;
	struct conf *conf;
	struct health_board board;
	struct timer_heap timers;
	struct vrrp *vrrp;
	struct journal journal;
	struct status_source source;
};

static void
ignore_send(void *ctx, uint32_t instance, const struct ip *source, const struct ip *to,
	    const void *pdu, size_t len)
{
}

static void
ignore_instance(void *ctx, uint32_t instance)
{
}

static void
ignore_will(void *ctx, uint32_t instance, bool lodged)
{
}

static void
ignore_drain(void *ctx)
{
}

static void
keep_transition(void *ctx, const struct vrrp_transition_note *note)
{
	struct fixture *f = ctx;

	journal_add(&f->journal, f->conf, note, f->source.now, 1700000000123);
}

static const struct vrrp_ops ops = {
	.send = ignore_send,
	.claim = ignore_instance,
	.release = ignore_instance,
	.announce = ignore_instance,
	.lodge_will = ignore_will,
	.drain = ignore_drain,
	.transition = keep_transition,
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const struct conf_source source = { "test.conf", file, sizeof file - 1 };
	const struct conf_options options = { .node = "lb1" };
	struct conf_report report = { 0 };

	f->arena = arena_new();
	f->conf = conf_load(f->arena, &source, 1, &options, &report);
	assert_int_equal(report.errors, 0);
	assert_int_equal(health_board_init(&f->board, 0, (uint32_t)f->conf->proxies_n), 0);
	f->vrrp = vrrp_new(f->conf, &f->board, &f->timers, &ops, f);
	assert_non_null(f->vrrp);
	f->source = (struct status_source){
		.conf = f->conf,
		.vrrp = f->vrrp,
		.board = &f->board,
		.journal = &f->journal,
		.now = { 100 * NS_PER_S },
		.started = { 40 * NS_PER_S },
		.wall_ms = 1700000000123,
		.guardian_pid = 812,
		.worker_pid = 815,
		.phase = "running",
	};
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	vrrp_free(f->vrrp);
	timer_heap_fini(&f->timers);
	health_board_fini(&f->board);
	arena_free(f->arena);
	free(f);
	return 0;
}

/* Does `o` have exactly these members? */
static void
assert_members(const json_t *o, const char *const *names)
{
	size_t n = 0;

	for (; names[n]; n++)
		if (!json_object_get(o, names[n]))
			fail_msg("no member \"%s\"", names[n]);
	assert_int_equal(json_object_size(o), n);
}

#define ASSERT_MEMBERS(o, ...) assert_members(o, (const char *const[]){ __VA_ARGS__, NULL })

/* One instance with signatures and one without. */
static void
signatures_are_shown(void **state)
{
	struct fixture *f = *state;
	struct conf_hmac hmac = { .active_key = 7,
				  .time_window_s = 9,
				  .mode = CONF_HMAC_PERMISSIVE };
	json_t *status = status_build(&f->source), *o;

	o = json_array_get(json_object_get(status, "instances"), 0);
	assert_true(json_is_null(json_object_get(o, "auth_hmac")));
	json_decref(status);
	f->conf->instances[0].hmac = &hmac;
	status = status_build(&f->source);
	o = json_object_get(json_array_get(json_object_get(status, "instances"), 0), "auth_hmac");
	ASSERT_MEMBERS(o, "mode", "active_key", "anti_replay", "time_window_s", "peer_key",
		       "peer_clock_ahead_s", "unsigned_taken");
	assert_string_equal(json_string_value(json_object_get(o, "mode")), "permissive");
	assert_int_equal(json_integer_value(json_object_get(o, "active_key")), 7);
	assert_int_equal(json_integer_value(json_object_get(o, "time_window_s")), 9);
	assert_true(json_is_null(json_object_get(o, "peer_key")));
	json_decref(status);
}

static void
names_are_stable(void **state)
{
	struct fixture *f = *state;
	const json_t *instance, *vip;
	json_t *status;

	status = status_build(&f->source);
	ASSERT_MEMBERS(status, "node", "version", "phase", "guardian_pid", "worker_pid",
		       "former_workers", "uptime_ms", "at_ms", "instances", "groups", "scripts",
		       "proxy", "frontends", "backends", "transitions");
	instance = json_array_get(json_object_get(status, "instances"), 0);
	ASSERT_MEMBERS(instance, "name", "state", "why", "since_ms_ago", "vrid", "interface",
		       "vmac", "version", "family", "priority", "preempt", "transport", "source",
		       "peers", "peer", "timers", "vips", "lease", "will", "resigned", "probation",
		       "auth_hmac", "tracking", "counters", "drops");
	ASSERT_MEMBERS(json_object_get(instance, "timers"), "advert_int_ms", "master_down_ms",
		       "skew_ms", "next_ms");
	ASSERT_MEMBERS(json_object_get(instance, "counters"), "adverts_sent", "adverts_received",
		       "resigns_sent", "resigns_received", "became_master", "vips_restored",
		       "fenced", "overdue", "list_differs", "interval_differs");
	assert_int_equal(json_object_size(json_object_get(instance, "drops")), VRRP_DROP_N);
	vip = json_array_get(json_object_get(instance, "vips"), 0);
	ASSERT_MEMBERS(vip, "address", "interface", "label", "advertised", "held");
	json_decref(status);
}

/* How the last run ended is one of three things, and nothing before the first. */
static void
scripts_and_their_last_run(void **state)
{
	static const struct {
		struct ans_script script;
		const char *state;
		int64_t exit_status, signal; /* -1 = null */
		bool timed_out, ran;
	} table[] = {
		{ { .state = SCRIPT_STATE_UNKNOWN }, "unknown", -1, -1, false, false },
		{ { .state = SCRIPT_STATE_DISABLED }, "disabled", -1, -1, false, false },
		{ { .state = SCRIPT_STATE_OK, .took_ms = 7, .at = { 1 } },
		  "ok",
		  0,
		  -1,
		  false,
		  true },
		{ { .state = SCRIPT_STATE_FAILED, .status = 3, .at = { 1 } },
		  "failed",
		  3,
		  -1,
		  false,
		  true },
		{ { .state = SCRIPT_STATE_OK, .status = -1, .signal = 9, .at = { 1 } },
		  "ok",
		  -1,
		  9,
		  false,
		  true },
		{ { .state = SCRIPT_STATE_FAILED, .status = -1, .at = { 1 } },
		  "failed",
		  -1,
		  -1,
		  true,
		  true },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct conf_script script = { .name = "chk" };
		struct conf conf = *f->conf;
		const json_t *o;
		json_t *status;

		conf.scripts = &script;
		conf.scripts_n = 1;
		f->source.conf = &conf;
		f->source.scripts = &table[i].script;
		status = status_build(&f->source);
		o = json_array_get(json_object_get(status, "scripts"), 0);
		ASSERT_MEMBERS(o, "name", "state", "exit_status", "signal", "timed_out", "took_ms",
			       "ran_ms_ago");
		assert_string_equal(json_string_value(json_object_get(o, "state")), table[i].state);
		assert_int_equal(json_is_true(json_object_get(o, "timed_out")), table[i].timed_out);
		assert_int_equal(json_is_integer(json_object_get(o, "took_ms")), table[i].ran);
		assert_int_equal(json_is_integer(json_object_get(o, "exit_status"))
					 ? json_integer_value(json_object_get(o, "exit_status"))
					 : -1,
				 table[i].exit_status);
		assert_int_equal(json_is_integer(json_object_get(o, "signal"))
					 ? json_integer_value(json_object_get(o, "signal"))
					 : -1,
				 table[i].signal);
		json_decref(status);
	}
}

static void
values_come_from_the_engine(void **state)
{
	struct fixture *f = *state;
	const struct vrrp_link link = {
		.present = true,
		.up = true,
		.mtu = 1500,
		.primary = { .family = AF_INET },
	};
	const json_t *instance, *transition;
	json_t *status;

	f->source.now.ns = 50 * NS_PER_S;
	vrrp_link(f->vrrp, 0, &link, f->source.now);
	vrrp_start(f->vrrp, f->source.now);
	f->source.now.ns = 52 * NS_PER_S;
	status = status_build(&f->source);

	assert_int_equal(json_integer_value(json_object_get(status, "uptime_ms")), 12000);
	assert_string_equal(json_string_value(json_object_get(status, "node")), "lb1");
	assert_true(json_is_null(json_object_get(status, "proxy")));

	instance = json_array_get(json_object_get(status, "instances"), 0);
	assert_string_equal(json_string_value(json_object_get(instance, "state")), "BACKUP");
	assert_string_equal(json_string_value(json_object_get(instance, "transport")), "unicast");
	assert_int_equal(json_integer_value(json_object_get(instance, "since_ms_ago")), 2000);
	assert_true(json_is_null(json_object_get(instance, "peer")));
	assert_int_equal(json_array_size(json_object_get(instance, "vips")), 2);

	assert_int_equal(json_array_size(json_object_get(status, "transitions")), 1);
	transition = json_array_get(json_object_get(status, "transitions"), 0);
	ASSERT_MEMBERS(transition, "at_ms", "ms_ago", "instance", "from", "to", "reason",
		       "priority", "peer", "peer_priority", "took_us");
	assert_string_equal(json_string_value(json_object_get(transition, "from")), "INIT");
	assert_string_equal(json_string_value(json_object_get(transition, "to")), "BACKUP");
	json_decref(status);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_stable),
		TEST(signatures_are_shown),
		TEST(scripts_and_their_last_run),
		TEST(values_come_from_the_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
