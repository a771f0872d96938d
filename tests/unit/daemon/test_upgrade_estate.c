/*
 * test_upgrade_estate.c - all that a guardian leaves to itself: it comes back as it was, and of a
 * damaged one nothing is believed.
 */
#include "common/arena.h"
#include "conf/load.h"
#include "daemon/guardian_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char text[] = "vrrp_script asks {\n    script /bin/true\n}\n"
			   "static_ipaddress {\n    10.9.0.7/32 dev eth0\n}\n"
			   "vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 51\n"
			   "    priority 100\n    virtual_ipaddress {\n        10.9.1.1\n"
			   "        10.9.1.2\n    }\n    track_script {\n        asks\n    }\n}\n"
			   "global\n    external-check\n"
			   "listen web\n    bind :80\n    option external-check\n"
			   "    external-check command /bin/true\n"
			   "    server one 10.9.0.2:80 check\n";

struct fixture {
	struct arena *arena;
	struct guardian *g;
	struct generation *former;
	struct upgrade_luggage luggage;
	struct estate e;
};

static void *
make(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	assert_non_null(p);
	return p;
}

/* With one of everything, and nothing open. */
static void
fill(struct generation *n)
{
	const struct conf *conf = n->conf;
	struct sock_addr list[LOG_SOCKETS_MAX];
	struct resources *r = &n->res;

	generation_init(n);
	n->child.pid = 4711;
	n->child.process.fd = 10;
	n->child.ipc.socket.fd = 11;
	n->child.pulse_fd = 12;
	n->gate.turn = PRIVILEGED_TURN_HOLDS;
	n->backoff.deaths = 3;
	resources_clear(r);
	assert_int_equal(leases_init(&r->leases, conf, NULL, NULL, NULL, NULL), 0);
	r->leases.at[0] = (struct lease){
		.claimed = true, .lodged = true, .rounds = 2, .renewed = { 5 }, .due = { 6 }
	};
	r->watch.vips_n = 2;
	r->watch.vips = make(2, sizeof *r->watch.vips);
	r->watch.vips[1].native = true;
	r->vmacs.at = make(conf->interfaces_n, sizeof *r->vmacs.at);
	r->vmacs.bases = make(conf->interfaces_n, sizeof *r->vmacs.bases);
	r->statics.added = make(1, sizeof *r->statics.added);
	r->statics.added[0] = true;
	r->paths.groups_n = 2;
	r->paths.groups = make(2, sizeof *r->paths.groups);
	r->paths.groups[1].held = true;
	r->listeners.n = 1;
	r->listeners.at = make(1, sizeof *r->listeners.at);
	r->listeners.at[0] = (struct listener){ 0, 0, 13 };
	r->sockets.at = make(conf->interfaces_n, sizeof *r->sockets.at);
	for (size_t i = 0; i < conf->interfaces_n; i++)
		for (unsigned f = 0; f < IP_FAMILIES; f++)
			r->sockets.at[i][f].fd = -1;
	r->sockets.at[0][0] = (struct vrrp_socket){ 14, 2 };
	n->logs.n = log_sockets_list(conf, list);
	n->checks.conf = conf;
	n->checks.loop = n->of.loop;
	n->checks.at = make(1, sizeof *n->checks.at);
	n->checks.at[0].all = &n->checks;
	script_run_init(&n->checks.at[0].run, n->of.loop, NULL, NULL);
	n->checks.at[0].health.state = SCRIPT_STATE_FAILED;
	timer_arm(&n->of.loop->timers, &n->checks.at[0].next, (struct mono){ 99 });
	assert_int_equal(external_checks_init(&n->external, n->of.loop, conf, NULL, NULL), 0);
	assert_int_equal(notifier_init(&n->notifier, n->of.loop, conf, NULL, NULL, NULL), 0);
}

static void
set_up(struct fixture *f)
{
	const struct conf_source source = { .name = "t", .text = text, .len = sizeof text - 1 };
	const struct conf_options options = { .node = "n" };
	struct conf_report report = { 0 };
	struct generation *n;
	struct guardian *g;

	f->arena = arena_new();
	f->g = g = make(1, sizeof *g);
	g->current = n = make(1, sizeof *n);
	n->of.loop = &g->loop;
	n->number = 8;
	n->conf = conf_load(f->arena, &source, 1, &options, &report);
	assert_int_equal(report.errors, 0);
	n->packed = conf_pack(f->arena, &source, 1, &options, &n->packed_len);
	fill(n);

	list_init(&g->former);
	f->former = make(1, sizeof *f->former);
	f->former->of.loop = &g->loop;
	f->former->conf = n->conf;
	f->former->number = 7;
	generation_init(f->former);
	f->former->child.pid = 4710;
	f->former->child.process.fd = 15;
	f->former->child.ipc.socket.fd = 16;
	f->former->child.pulse_fd = 17;
	f->former->gate.turn = PRIVILEGED_TURN_OVER;
	f->former->remaining = 42;
	list_append(&g->former, &f->former->link);

	g->rundir = (struct rundir){ .lock_fd = 20, .control_fd = 21, .control = "/run/t/control" };
	g->command.fd = 22;
	g->systemd.fd = -1;
	g->journal_fd = 23;
	g->woken = (struct mono){ 1234 };
	g->reload.numbers = 9;
	strcpy(g->upgrade.path, "/usr/sbin/tandem");
	timer_arm(&g->loop.timers, &g->probation, (struct mono){ 77 });
	f->luggage =
		(struct upgrade_luggage){ .pid = 1, .nonce = 5, .log_fd = -1, .client_fd = 24 };
	estate_write(&f->e, upgrade_fingerprint());
	upgrade_estate(g, &f->luggage, &f->e);
	assert_false(estate_failed(&f->e));
}

static void
tear_down(struct fixture *f)
{
	struct generation *n = f->g->current;

	timer_heap_fini(&f->g->loop.timers); /* its timers are in what follows */
	leases_fini(&n->res.leases);
	free(n->res.watch.vips);
	free(n->res.vmacs.at);
	free(n->res.vmacs.bases);
	free(n->res.statics.added);
	free(n->res.paths.groups);
	free(n->res.listeners.at);
	free(n->res.sockets.at);
	free(n->checks.at);
	external_checks_fini(&n->external);
	notifier_fini(&n->notifier);
	free(n);
	free(f->former);
	free(f->g);
	arena_free(f->arena);
	estate_fini(&f->e);
}

/* In a process of its own, which ends with all that it has read. */
static int
in_child(void (*run)(const void *data, size_t len), const void *data, size_t len)
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		run(data, len);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* NULL, or why not. */
static const char *
read_back(const void *data, size_t len, struct guardian *g, struct upgrade_luggage *luggage)
{
	struct estate e;

	memset(g, 0, sizeof *g);
	g->current = make(1, sizeof *g->current);
	g->current->of.loop = &g->loop;
	list_init(&g->former);
	estate_read(&e, data, len, upgrade_fingerprint());
	upgrade_estate(g, luggage, &e);
	return e.failure;
}

#define EXPECT(condition) ((condition) ? (void)0 : _exit(__LINE__ % 200 + 1))

static void
expect_all(const void *data, size_t len)
{
	struct upgrade_luggage luggage;
	struct guardian *g = make(1, sizeof *g);
	const struct generation *n, *former;
	const char *failure = read_back(data, len, g, &luggage);

	EXPECT(!failure);
	n = g->current;
	former = CONTAINER_OF(g->former.next, struct generation, link);
	EXPECT(luggage.pid == 1 && luggage.nonce == 5 && luggage.log_fd == -1);
	EXPECT(luggage.client_fd == 24 && g->journal_fd == 23 && g->systemd.fd == -1);
	EXPECT(g->woken.ns == 1234 && g->reload.numbers == 9 && !g->reload.again);
	EXPECT(timer_armed(&g->probation) && g->probation.when.ns == 77);
	EXPECT(strcmp(g->upgrade.path, "/usr/sbin/tandem") == 0);
	EXPECT(g->rundir.lock_fd == 20 && g->rundir.control_fd == 21 && g->rundir.command_fd == 22);
	EXPECT(strcmp(g->rundir.control, "/run/t/control") == 0);
	EXPECT(former->number == 7 && former->child.pid == 4710 && former->remaining == 42);
	EXPECT(former->gate.turn == PRIVILEGED_TURN_OVER && former->closed);
	EXPECT(former->child.ipc.socket.fd == 16 && former->link.next == &g->former);
	EXPECT(n->number == 8 && n->conf->instances_n == 1 && n->conf->proxies_n == 1);
	EXPECT(n->child.pid == 4711 && n->child.process.fd == 10 && n->child.pulse_fd == 12);
	EXPECT(n->gate.turn == PRIVILEGED_TURN_HOLDS && n->backoff.deaths == 3);
	EXPECT(n->res.leases.at[0].claimed && n->res.leases.at[0].lodged);
	EXPECT(!n->res.leases.at[0].frozen && n->res.leases.at[0].rounds == 2);
	EXPECT(n->res.leases.at[0].renewed.ns == 5 && n->res.leases.at[0].due.ns == 6);
	EXPECT(n->res.watch.vips_n == 2 && n->res.watch.vips[1].native);
	EXPECT(!n->res.watch.vips[0].native && n->res.statics.added[0]);
	EXPECT(!n->res.paths.groups[0].held && n->res.paths.groups[1].held);
	EXPECT(n->res.listeners.n == 1 && n->res.listeners.at[0].fd == 13);
	EXPECT(n->res.sockets.at[0][0].fd == 14 && n->res.sockets.at[0][0].ifindex == 2);
	EXPECT(n->res.sockets.at[0][1].fd == -1 && n->res.ledger.fd == -1);
	EXPECT(n->checks.at[0].health.state == SCRIPT_STATE_FAILED);
	EXPECT(timer_armed(&n->checks.at[0].next) && n->checks.at[0].next.when.ns == 99);
	EXPECT(n->external.n == 1);
	EXPECT(n->notifier.lanes_n == 1 && n->notifier.loop == &g->loop);
}

static void
expect_failure(const void *data, size_t len)
{
	struct upgrade_luggage luggage;
	struct guardian *g = make(1, sizeof *g);

	EXPECT(read_back(data, len, g, &luggage));
}

static void
read_only(const void *data, size_t len)
{
	struct upgrade_luggage luggage;
	struct guardian *g = make(1, sizeof *g);

	read_back(data, len, g, &luggage);
}

static void
test_it_comes_back(void **state)
{
	struct fixture f;

	set_up(&f);
	assert_int_equal(in_child(expect_all, f.e.data, f.e.len), 0);
	tear_down(&f);
}

static void
test_cut_short(void **state)
{
	struct fixture f;

	set_up(&f);
	for (size_t len = 0; len < f.e.len; len += 7) {
		char *copy = malloc(len + 1); /* nearly its very size */

		memcpy(copy, f.e.data, len);
		assert_int_equal(in_child(expect_failure, copy, len), 0);
		free(copy);
	}
	tear_down(&f);
}

/* One octet that is another, anywhere: it may pass for a number, and does no harm. */
static void
test_damaged(void **state)
{
	struct fixture f;

	set_up(&f);
	for (size_t at = 0; at < f.e.len; at += 5) {
		f.e.data[at] ^= 0x55;
		assert_int_equal(in_child(read_only, f.e.data, f.e.len), 0);
		f.e.data[at] ^= 0x55;
	}
	tear_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_comes_back),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
