/*
 * test_track.c - effective priority, faults and what is waited for, tracker by tracker.
 */
#include "world.h"

#include "vrrpd/track.h"

#include <string.h>

static struct conf_script scripts[2];
static struct conf_track track_scripts[2];
static struct conf_proxy proxies[2];
static struct conf_track_backend track_backends[2];
static struct conf_interface interfaces[2];
static struct conf conf;
static struct conf_instance instance;
static struct vrrp_script results[2];
static struct conf_track_file track_files[2];
static struct conf_track_process track_processes[1];
static struct vrrp_file values[2];
static struct vrrp_process counts[1];
static struct conf_track tracks[2];
static struct health_thread thread;
static struct health_backend backends[2];
static struct health_board board;
static struct vrrp_world world;
static struct vrrp_link links[2];
static struct vrrp_link *const link = &links[0];
static char why[256];

static int
setup(void **state)
{
	memset(scripts, 0, sizeof scripts);
	memset(results, 0, sizeof results);
	memset(backends, 0, sizeof backends);
	memset(track_scripts, 0, sizeof track_scripts);
	memset(tracks, 0, sizeof tracks);
	memset(values, 0, sizeof values);
	memset(counts, 0, sizeof counts);
	memset(links, 0, sizeof links);
	track_files[0].name = "f1";
	track_files[1].name = "f2";
	track_processes[0].name = "web";
	scripts[0].name = "chk";
	scripts[0].interval_ms = 2000;
	scripts[0].rise = scripts[0].fall = 1;
	proxies[0].name = "app";
	proxies[1].name = "web";
	interfaces[0].name = "eth1";
	interfaces[1].name = "wg0";
	track_backends[0] = (struct conf_track_backend){ .backend = 0, .min = 1 };
	track_backends[1] = (struct conf_track_backend){ .backend = 1, .min = 2 };
	conf = (struct conf){
		.scripts = scripts,
		.scripts_n = 2,
		.proxies = proxies,
		.proxies_n = 2,
		.interfaces = interfaces,
		.interfaces_n = 2,
		.instances = &instance,
		.instances_n = 1,
		.track_files = track_files,
		.track_files_n = 2,
		.track_processes = track_processes,
		.track_processes_n = 1,
	};
	instance = (struct conf_instance){
		.name = "VI_1",
		.priority = 150,
		.track[CONF_TRACK_SCRIPT].at = track_scripts,
		.track_backends.at = track_backends,
	};
	board = (struct health_board){ .backends = backends, .backends_n = 2 };
	world = (struct vrrp_world){ .conf = &conf,
				     .board = &board,
				     .links = links,
				     .scripts = results,
				     .files = values,
				     .processes = counts };
	links[0] = (struct vrrp_link){ true, true, ip4("10.0.0.11"), 1500 };
	why[0] = '\0';
	return 0;
}

static int
priority(void)
{
	return vrrp_track_priority(&world, &instance, why, sizeof why);
}

static bool
fault(void)
{
	return vrrp_track_fault(&world, &instance, why, sizeof why);
}

static void
result(bool known, bool ok)
{
	results[0].known = known;
	results[0].ok = ok;
}

static void
backend(int index, uint32_t usable, bool settled)
{
	atomic_store(&backends[index].usable, usable);
	atomic_store(&backends[index].settled, settled);
}

/* ------------------------------------------------------------------ scripts */

/* keepalived: a positive weight is added on success, a negative one on failure; reverse turns the
 * sign; before its first result a script changes nothing. */
static void
test_script_weights(void **state)
{
	static const struct {
		int weight;
		bool reverse;
		int ok, failed;
	} cases[] = {
		{ 20, false, 170, 150 },
		{ -20, false, 150, 130 },
		{ 20, true, 130, 150 },
		{ -20, true, 150, 170 },
	};

	instance.track[CONF_TRACK_SCRIPT].n = 1;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		track_scripts[0].weight = cases[i].weight;
		track_scripts[0].reverse = cases[i].reverse;
		result(true, true);
		assert_int_equal(priority(), cases[i].ok);
		result(true, false);
		assert_int_equal(priority(), cases[i].failed);
		assert_false(fault()); /* a weight is instead of FAULT */
		result(false, false);
		assert_int_equal(priority(), 150);
	}
}

static void
test_script_is_named(void **state)
{
	instance.track[CONF_TRACK_SCRIPT].n = 1;
	track_scripts[0].weight = -7;
	result(true, false);
	assert_int_equal(priority(), 143);
	assert_string_equal(why, "script chk fails: priority 150 -> 143");
}

static void
test_script_without_weight_is_fault(void **state)
{
	instance.track[CONF_TRACK_SCRIPT].n = 1;
	result(false, false);
	assert_false(fault()); /* not known yet */
	result(true, false);
	assert_true(fault());
	assert_string_equal(why, "script chk fails");
	assert_int_equal(priority(), 150);
	result(true, true);
	assert_false(fault());
	track_scripts[0].reverse = true;
	assert_true(fault());
	assert_string_equal(why, "script chk succeeds");
}

/* The sum stays within 1-254, and an owner is never lowered, though it can be broken. */
static void
test_clamp_and_owner(void **state)
{
	instance.track[CONF_TRACK_SCRIPT].n = 1;
	track_scripts[0].weight = -253;
	result(true, false);
	assert_int_equal(priority(), 1);
	track_scripts[0].weight = 253;
	result(true, true);
	assert_int_equal(priority(), 254);
	instance.priority = 255;
	track_scripts[0].weight = -253;
	result(true, false);
	assert_int_equal(priority(), 255);
	track_scripts[0].weight = 0;
	assert_true(fault());
}

/* ------------------------------------------------------------------ backends */

static void
test_backend_collapses(void **state)
{
	static const struct {
		uint8_t priority;
		int collapsed;
	} cases[] = { { 150, 10 }, { 100, 7 }, { 254, 16 }, { 16, 1 }, { 17, 2 }, { 1, 1 } };

	instance.track_backends.n = 1;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		instance.priority = cases[i].priority;
		backend(0, 0, true);
		assert_int_equal(priority(), cases[i].collapsed);
		backend(0, 1, true);
		assert_int_equal(priority(), cases[i].priority);
		backend(0, 0, false); /* nothing is said before the first round of checks */
		assert_int_equal(priority(), cases[i].priority);
	}
	instance.priority = 150;
	backend(0, 0, true);
	priority();
	assert_string_equal(why, "backend app has no usable server: priority 150 -> 10");
}

static void
test_backend_weight_and_min(void **state)
{
	instance.track_backends.n = 2;
	track_backends[1].weight = -30;
	backend(0, 1, true);
	backend(1, 1, true);
	assert_int_equal(priority(), 120);
	assert_string_equal(why, "backend web has 1 of 2 usable servers: priority 150 -> 120");
	backend(1, 2, true);
	assert_int_equal(priority(), 150);
	assert_string_equal(why, "");
	track_backends[1].weight = 30;
	assert_int_equal(priority(), 180);
	backend(0, 0, true); /* weights first, then the collapse */
	assert_int_equal(priority(), 1 + (180 - 1) / 16);
	assert_false(fault());
}

static void
test_moving(void **state)
{
	instance.track_backends.n = 1;
	atomic_store(&backends[1].in_transition, 1); /* not ours */
	assert_false(vrrp_track_moving(&world, &instance));
	atomic_store(&backends[0].in_transition, 1);
	assert_true(vrrp_track_moving(&world, &instance));
}

/* ------------------------------------------------------------------ link and proxy */

static void
test_link_faults(void **state)
{
	assert_false(fault());
	link->primary.family = AF_UNSPEC;
	assert_true(fault());
	assert_string_equal(why, "interface eth1 has no address of its own");
	instance.unicast_src = ip4("10.0.0.11");
	assert_false(fault());
	link->sources_lost = conf_instance_bit(&conf, &instance);
	assert_true(fault());
	assert_string_equal(why, "this host does not have the source address 10.0.0.11");
	link->up = false;
	assert_true(fault());
	assert_string_equal(why, "link eth1 is down");
	link->present = false;
	assert_true(fault());
	assert_string_equal(why, "interface eth1 does not exist");
}

static void
test_proxy_faults(void **state)
{
	world.proxy = HEALTH_PROXY_STUCK;
	assert_true(fault());
	assert_string_equal(why, "a proxy thread is stuck");
	world.proxy = HEALTH_PROXY_LISTENER_LOST;
	assert_true(fault());
	instance.no_track_proxy = true;
	assert_false(fault());
	instance.no_track_proxy = false;
	world.proxy = HEALTH_PROXY_STARTING;
	world.settling = true;
	assert_false(fault());
	assert_true(vrrp_track_waiting(&world, &instance, why, sizeof why));
	assert_string_equal(why, "proxy is starting");
	world.settling = false;
	assert_true(fault());
}

static void
test_waits_for_first_checks(void **state)
{
	instance.track_backends.n = 1;
	world.settling = true;
	assert_true(vrrp_track_waiting(&world, &instance, why, sizeof why));
	assert_string_equal(why, "waiting for the first checks of backend app");
	backend(0, 0, true);
	assert_false(vrrp_track_waiting(&world, &instance, why, sizeof why));
	backend(0, 0, false);
	world.settling = false; /* not for ever */
	assert_false(vrrp_track_waiting(&world, &instance, why, sizeof why));
}

/* ------------------------------------------------------------------ replaced scripts */

static void
look_ms(int64_t ms, bool serving)
{
	struct mono now = { ms * NS_PER_MS };

	board.threads = &thread;
	board.threads_n = 1;
	atomic_store(&thread.ready, true);
	atomic_store(&thread.lost, serving ? 0 : 1);
	atomic_store(&thread.beat_ns, now.ns);
	vrrp_track_look(&world, now);
}

/* A replaced script with a weight is instead of track_proxy's FAULT; without one it is a FAULT, even
 * where track_proxy is off. */
static void
test_replaced_script(void **state)
{
	instance.track[CONF_TRACK_SCRIPT].n = 1;
	scripts[0].replaced = true;
	track_scripts[0].weight = -20;
	look_ms(1000, true);
	assert_int_equal(priority(), 150);
	look_ms(2000, false);
	assert_int_equal(priority(), 130);
	assert_false(fault());
	track_scripts[0].weight = 0;
	instance.no_track_proxy = true;
	assert_true(fault());
	assert_string_equal(why, "script chk fails: proxy lost a listener");
}

/* rise and fall: a change counts once it lasted for the further intervals. */
static void
test_replaced_script_rise_fall(void **state)
{
	instance.track[CONF_TRACK_SCRIPT].n = 1;
	scripts[0].replaced = true;
	scripts[0].fall = 3;
	scripts[0].rise = 2;
	look_ms(1000, true);
	look_ms(2000, false);
	look_ms(5999, false);
	assert_false(fault());
	look_ms(6000, false);
	assert_true(fault());
	look_ms(7000, true);
	look_ms(8999, true);
	assert_true(fault());
	look_ms(9000, true);
	assert_false(fault());
	look_ms(10000, false); /* too short to count */
	look_ms(11000, true);
	look_ms(13000, false);
	look_ms(16000, false);
	assert_false(fault());
}

/* ------------------------------------------------------------------ interfaces, files, processes */

/* Every cell of what an interface can be and how it can be tracked. */
static void
test_interfaces(void **state)
{
	static const struct {
		bool present, up;
		int weight;
		bool reverse, fault;
		int priority;
		const char *why;
	} table[] = {
		{ true, true, 0, false, false, 150, "" },
		{ true, false, 0, false, true, 150, "link wg0 is down" },
		{ false, false, 0, false, true, 150, "interface wg0 does not exist" },
		{ true, true, 0, true, true, 150, "link wg0 is up" },
		{ true, false, 0, true, false, 150, "" },
		{ true, true, 20, false, false, 170, "" },
		{ true, false, 20, false, false, 150, "" },
		{ true, true, 20, true, false, 130, "link wg0 is up: priority 150 -> 130" },
		{ true, true, -20, false, false, 150, "" },
		{ true, false, -20, false, false, 130, "link wg0 is down: priority 150 -> 130" },
		{ false, false, -20, false, false, 130,
		  "interface wg0 does not exist: priority 150 -> 130" },
		{ true, false, -20, true, false, 170, "" },
	};

	instance.track[CONF_TRACK_INTERFACE] = (struct conf_track_list){ tracks, 1 };
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		links[1] = (struct vrrp_link){ .present = table[i].present, .up = table[i].up };
		tracks[0] = (struct conf_track){ .index = 1,
						 .weight = table[i].weight,
						 .reverse = table[i].reverse };
		why[0] = '\0';
		assert_int_equal(fault(), table[i].fault);
		if (table[i].fault)
			assert_string_equal(why, table[i].why);
		assert_int_equal(priority(), table[i].priority);
		if (!table[i].fault && table[i].why[0])
			assert_string_equal(why, table[i].why);
	}
	instance.track[CONF_TRACK_INTERFACE].n = 0;
}

/* A number times a weight; with the figures that keepalived 2.2.7 came to. */
static void
test_files(void **state)
{
	static const struct {
		int32_t value;
		int weight;
		bool reverse, fault;
		int priority;
	} table[] = {
		{ 0, 2, false, false, 150 },        { 5, 2, false, false, 160 },
		{ -5, 2, false, false, 140 },       { 4, 3, true, false, 138 },
		{ 200, 2, false, false, 254 },      { -126, 2, false, false, 1 },
		{ -127, 2, false, true, 1 },        { 127, 2, true, true, 1 },
		{ -100, 3, true, false, 254 },      { INT32_MAX, 2, false, false, 254 },
		{ INT32_MIN, 254, false, true, 1 }, { 0, 0, false, false, 150 },
		{ 1, 0, false, true, 150 },         { -1, 0, false, true, 150 },
		{ 0, 0, true, true, 150 },          { 1, 0, true, false, 150 },
	};

	instance.track[CONF_TRACK_FILE] = (struct conf_track_list){ tracks, 1 };
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		tracks[0] = (struct conf_track){ .index = 1,
						 .weight = table[i].weight,
						 .reverse = table[i].reverse };
		values[1] = (struct vrrp_file){ true, table[i].value };
		assert_int_equal(fault(), table[i].fault);
		assert_int_equal(priority(), table[i].priority);
	}
	tracks[0] = (struct conf_track){ .index = 1, .weight = 2 };
	values[1].value = -5;
	priority();
	assert_string_equal(why, "file f2 says -5: priority 150 -> 140");
	values[1].known = false;
	assert_int_equal(priority(), 150);
	instance.track[CONF_TRACK_FILE].n = 0;
}

static void
test_processes(void **state)
{
	instance.track[CONF_TRACK_PROCESS] = (struct conf_track_list){ tracks, 1 };
	assert_false(fault()); /* not known yet */
	counts[0] = (struct vrrp_process){ .known = true, .enough = false, .running = 1 };
	assert_true(fault());
	assert_string_equal(why, "process web: 1 running");
	tracks[0].weight = -20;
	assert_false(fault());
	assert_int_equal(priority(), 130);
	assert_string_equal(why, "process web: 1 running: priority 150 -> 130");
	tracks[0].weight = 20;
	assert_int_equal(priority(), 150);
	counts[0].enough = true;
	assert_int_equal(priority(), 170);
	instance.track[CONF_TRACK_PROCESS].n = 0;
}

/* At the start the first look at each is waited for. */
static void
test_first_looks_are_waited_for(void **state)
{
	world.settling = true;
	world.proxy = HEALTH_PROXY_SERVING;
	instance.track[CONF_TRACK_FILE] = (struct conf_track_list){ tracks, 1 };
	assert_true(vrrp_track_waiting(&world, &instance, why, sizeof why));
	assert_string_equal(why, "waiting for the first value of file f1");
	values[0].known = true;
	instance.track[CONF_TRACK_PROCESS] = (struct conf_track_list){ tracks, 1 };
	assert_true(vrrp_track_waiting(&world, &instance, why, sizeof why));
	assert_string_equal(why, "waiting for the first look at process web");
	counts[0].known = true;
	assert_false(vrrp_track_waiting(&world, &instance, why, sizeof why));
	instance.track[CONF_TRACK_FILE].n = instance.track[CONF_TRACK_PROCESS].n = 0;
}

/* Its own link may be down, but it must be there, and have an address. */
static void
test_dont_track_primary(void **state)
{
	link->up = false;
	assert_true(fault());
	instance.dont_track_primary = true;
	assert_false(fault());
	link->primary.family = AF_UNSPEC;
	assert_true(fault());
	link->present = false;
	assert_true(fault());
	assert_string_equal(why, "interface eth1 does not exist");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_script_weights, setup),
		cmocka_unit_test_setup(test_script_is_named, setup),
		cmocka_unit_test_setup(test_script_without_weight_is_fault, setup),
		cmocka_unit_test_setup(test_clamp_and_owner, setup),
		cmocka_unit_test_setup(test_backend_collapses, setup),
		cmocka_unit_test_setup(test_backend_weight_and_min, setup),
		cmocka_unit_test_setup(test_moving, setup),
		cmocka_unit_test_setup(test_link_faults, setup),
		cmocka_unit_test_setup(test_proxy_faults, setup),
		cmocka_unit_test_setup(test_waits_for_first_checks, setup),
		cmocka_unit_test_setup(test_replaced_script, setup),
		cmocka_unit_test_setup(test_replaced_script_rise_fall, setup),
		cmocka_unit_test_setup(test_interfaces, setup),
		cmocka_unit_test_setup(test_files, setup),
		cmocka_unit_test_setup(test_processes, setup),
		cmocka_unit_test_setup(test_first_looks_are_waited_for, setup),
		cmocka_unit_test_setup(test_dont_track_primary, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
