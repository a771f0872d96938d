/*
 * test_guardian.c - the whole guardian against a scripted worker, in a network namespace.
 *
 * The guardian executes /proc/self/exe, which is this test: with "--worker" it plays the worker that
 * the words after the generation describe.  What the test waits for are addresses that come and go,
 * frames on the wire and processes that end, always with a bound.
 */
#include "daemon/guardian.h"

#include "common/ipc.h"
#include "common/list.h"
#include "common/log.h"
#include "daemon/pulse.h"
#include "daemon/realtime.h"
#include "daemon/requests.h"
#include "daemon/worker.h"
#include "lab.h"
#include "tests/unit/margin.h"
#include "vrrpd/packet.h"

#include <fcntl.h>
#include <linux/ip.h>
#include <net/ethernet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define VIP     "10.9.1.1"
#define LEASE_S 3

/* The guardian asks how many sockets to open: there is no proxy here. */
uint32_t
worker_threads(const struct conf *conf)
{
	return 0;
}

/* ------------------------------------------------------------------ the scripted worker */

struct script {
	struct loop loop;
	struct ipc ipc;
	struct pulse *pulse;
	uint32_t generation;
	const char *word;   /* what it does once it is master */
	const char *marker; /* a file: exists = has been done in an earlier life */
};

static void
ask(struct script *s, enum request request, uint32_t instance, uint32_t value, size_t len)
{
	struct req_lodged r = { s->generation, instance, value };

	ipc_send(&s->ipc, request, &r, len, NULL, 0);
}

static void
ask_nonsense(struct script *s)
{
	int fd = STDERR_FILENO;
	struct req_instance r = { s->generation, 0 };

	for (uint32_t type = 0; type < REQUEST_N + 2; type++)
		ask(s, (enum request)type, 99, 7, 3);
	ask(s, REQUEST_START, 0, 0, sizeof(struct req_none));
	ask(s, REQUEST_RELEASE, 99, 0, sizeof(struct req_instance));
	ipc_send(&s->ipc, REQUEST_RELEASE, &r, sizeof r, &fd, 1);
	r.generation++;
	ipc_send(&s->ipc, REQUEST_RELEASE, &r, sizeof r, NULL, 0);
}

static bool
first_time(struct script *s)
{
	int fd = open(s->marker, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void
on_master(struct script *s)
{
	if (strcmp(s->word, "nonsense") == 0)
		ask_nonsense(s);
	if (strcmp(s->word, "die") == 0 && first_time(s))
		raise(SIGKILL);
	if (strcmp(s->word, "hang") == 0 && first_time(s))
		raise(SIGSTOP);
}

static void
on_message(struct ipc *ipc, struct ipc_message *m)
{
	struct script *s = ipc->ctx;

	if (m->type == REQUEST_START) {
		ask(s, REQUEST_READY, 0, 0, sizeof(struct req_none));
	} else if (m->type == REQUEST_TOKEN) {
		ask(s, REQUEST_WILL, 0, 1, sizeof(struct req_lodged));
		ask(s, REQUEST_CLAIM, 0, 0, sizeof(struct req_instance));
	} else if (m->type == REQUEST_CLAIMED) {
		on_master(s);
	} else if (m->type == REQUEST_STOP) {
		if (strcmp(s->word, "stubborn") == 0)
			return;
		ask(s, REQUEST_RELEASE, 0, 0, sizeof(struct req_instance));
		ask(s, REQUEST_WILL, 0, 0, sizeof(struct req_lodged));
		ask(s, REQUEST_STOPPED, 0, 0, sizeof(struct req_none));
		s->loop.stop = true;
	}
}

static void
on_closed(struct ipc *ipc)
{
	((struct script *)ipc->ctx)->loop.stop = true;
}

static void
on_turn(struct loop *loop)
{
	pulse_beat(((struct script *)loop->ctx)->pulse);
}

static int
play_worker(char **argv)
{
	struct script s = { .word = argv[1], .marker = argv[2] };

	s.generation = (uint32_t)atoi(argv[0]);
	log_set_role("worker");
	signal(SIGTERM, SIG_IGN);
	realtime_thread(); /* as the real one: a busy host must not make it look silent */
	if (pulse_adopt(WORKER_FD_PULSE, &s.pulse) < 0 || loop_init(&s.loop) < 0 ||
	    ipc_init(&s.ipc, &s.loop, WORKER_FD_IPC, on_message, on_closed, &s) < 0)
		return 1;
	s.loop.ctx = &s;
	s.loop.on_turn = on_turn;
	s.loop.max_wait_ns = 20 * NS_PER_MS;
	loop_run(&s.loop);
	return 0;
}

/* ------------------------------------------------------------------ the test's side */

struct fixture {
	struct arena *arena;
	struct conf *conf;
	struct loop loop; /* only to wait in */
	char rundir[64], marker[64];
	pid_t pid;
	int capture;
	struct mono since;
};

/* The guardian that a failed test leaves behind, and the directory of every one; see clean_up. */
static pid_t running;
static char parent[32];

static pid_t
fork_guardian(const struct guardian_setup *setup)
{
	running = fork();
	if (running == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(guardian_run(setup));
	}
	return running;
}

static int
end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	running = 0;
	return status;
}

/* Whatever a test came to: the next one finds no guardian, no file and no VIP. */
static int
clean_up(void **state)
{
	char command[80];

	if (running > 0) {
		kill(running, SIGKILL);
		waitpid(running, NULL, 0);
		running = 0;
	}
	for (int tries = 0; lab_has(VIP) && tries < 10; tries++)
		lab_ip("address flush to 10.9.1.0/24 dev tt0");
	snprintf(command, sizeof command, "rm -rf %s", parent);
	return system(command);
}

static void
begin(struct fixture *f, const char *word)
{
	const char *args[] = { word, f->marker, NULL };
	struct guardian_setup setup = { .packed = "x", .packed_len = 1, .worker_args = args };

	*f = (struct fixture){ .arena = arena_new() };
	strcpy(parent, "/tmp/tandem-test-XXXXXX");
	assert_non_null(mkdtemp(parent));
	snprintf(f->rundir, sizeof f->rundir, "%s/run", parent);
	snprintf(f->marker, sizeof f->marker, "%s/done", parent);
	f->conf = lab_conf(f->arena, 3, LEASE_S);
	/* Long, but where silence is the subject: the machine may be busy. */
	f->conf->watchdog_ms = strcmp(word, "hang") == 0 ? 500 : 5000;
	f->capture = lab_capture(ETHERTYPE_IP);
	assert_int_equal(loop_init(&f->loop), 0);
	setup.conf = f->conf;
	setup.rundir = f->rundir;
	f->pid = fork_guardian(&setup);
}

static void
end(struct fixture *f)
{
	close(f->capture);
	loop_fini(&f->loop);
	arena_free(f->arena);
}

static bool
is_there(void *ctx)
{
	return lab_has(VIP);
}

static bool
is_away(void *ctx)
{
	return !lab_has(VIP);
}

static bool
saw_resignation(void *ctx)
{
	struct fixture *f = ctx;
	uint8_t frame[2048];
	struct iphdr ip;

	while (lab_next_frame(f->capture, frame, sizeof frame)) {
		memcpy(&ip, frame + sizeof(struct ether_header), sizeof ip);
		if (ip.protocol == VRRP_PROTOCOL &&
		    frame[sizeof(struct ether_header) + ip.ihl * 4 + 2] == 0)
			return true;
	}
	return false;
}

static bool
has_done(void *ctx)
{
	return access(((struct fixture *)ctx)->marker, F_OK) == 0;
}

static bool
outlived_its_lease(void *ctx)
{
	struct fixture *f = ctx;

	assert_true(lab_has(VIP));
	return mono_since_ms(mono_now(), f->since) > LEASE_S * 1000 + 1000;
}

static void
wait_for(struct fixture *f, bool (*done)(void *ctx))
{
	f->since = mono_now();
	assert_true(lab_turn_until(&f->loop, done, f, WAIT_MS));
}

/* The guardian ends after this signal, with this status. */
static void
stop(struct fixture *f)
{
	int status;

	kill(f->pid, SIGTERM);
	status = end_of(f->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_false(lab_has(VIP));
	assert_true(lab_has(LAB_HOST));
}

static void
test_holds_and_stops(void **state)
{
	struct fixture f;

	begin(&f, "steady");
	wait_for(&f, is_there);
	wait_for(&f, outlived_its_lease);
	assert_false(saw_resignation(&f));
	kill(f.pid, SIGHUP); /* a message, nothing else */
	stop(&f);
	end(&f);
}

static void
test_death_executes_the_will(void **state)
{
	struct fixture f;

	begin(&f, "die");
	wait_for(&f, has_done);
	wait_for(&f, saw_resignation);
	wait_for(&f, is_there); /* the next worker's */
	stop(&f);
	end(&f);
}

static void
test_silence_executes_the_will(void **state)
{
	struct fixture f;

	begin(&f, "hang");
	wait_for(&f, has_done);
	wait_for(&f, saw_resignation);
	print_message("silent for 500 ms: resigned %lld ms later\n",
		      (long long)mono_since_ms(mono_now(), f.since));
	wait_for(&f, is_there);
	stop(&f);
	end(&f);
}

static void
test_nonsense_changes_nothing(void **state)
{
	struct fixture f;

	begin(&f, "nonsense");
	wait_for(&f, is_there);
	wait_for(&f, outlived_its_lease);
	assert_false(saw_resignation(&f));
	stop(&f);
	end(&f);
}

static void
test_a_worker_that_does_not_stop(void **state)
{
	struct fixture f;

	begin(&f, "stubborn");
	wait_for(&f, is_there);
	stop(&f);
	assert_true(saw_resignation(&f));
	end(&f);
}

/* Paused for longer than the lease: gone meanwhile, and back only after the worker said so (this
 * one does not answer). */
static void
test_a_late_guardian_does_not_renew(void **state)
{
	struct fixture f;

	begin(&f, "steady");
	wait_for(&f, is_there);
	kill(f.pid, SIGSTOP);
	wait_for(&f, is_away);
	kill(f.pid, SIGCONT);
	f.since = mono_now();
	assert_false(lab_turn_until(&f.loop, is_there, &f, 1000));
	stop(&f);
	end(&f);
}

static void
test_a_dead_guardian_lets_the_lease_end(void **state)
{
	struct fixture f;

	begin(&f, "steady");
	wait_for(&f, is_there);
	kill(f.pid, SIGKILL);
	end_of(f.pid);
	wait_for(&f, is_away);
	print_message("a lease of %d ms: gone after %lld ms\n", LEASE_S * 1000,
		      (long long)mono_since_ms(mono_now(), f.since));
	end(&f);
}

static void
test_a_second_instance_refuses(void **state)
{
	const char *args[] = { "steady", "", NULL };
	struct guardian_setup setup = { .packed = "x", .packed_len = 1, .worker_args = args };
	struct fixture f;
	pid_t second, first;

	begin(&f, "steady");
	wait_for(&f, is_there);
	first = running;
	setup.conf = f.conf;
	setup.rundir = f.rundir;
	second = fork_guardian(&setup);
	assert_int_equal(WEXITSTATUS(end_of(second)), 1);
	running = first;
	assert_true(lab_has(VIP));
	stop(&f);
	end(&f);
}

static void
test_refuses_to_begin(void **state)
{
	struct guardian_setup setup = { 0 };
	struct fixture f;

	begin(&f, "steady");
	wait_for(&f, is_there);
	stop(&f);
	setup.conf = f.conf;
	setup.rundir = f.rundir;

	/* A VIP that is this host's only address. */
	ip_parse(LAB_HOST, &f.conf->instances[0].vips[0].ip);
	assert_int_equal(WEXITSTATUS(end_of(fork_guardian(&setup))), 1);
	assert_true(lab_has(LAB_HOST));
	end(&f);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_holds_and_stops, clean_up),
		cmocka_unit_test_teardown(test_death_executes_the_will, clean_up),
		cmocka_unit_test_teardown(test_silence_executes_the_will, clean_up),
		cmocka_unit_test_teardown(test_nonsense_changes_nothing, clean_up),
		cmocka_unit_test_teardown(test_a_worker_that_does_not_stop, clean_up),
		cmocka_unit_test_teardown(test_a_late_guardian_does_not_renew, clean_up),
		cmocka_unit_test_teardown(test_a_dead_guardian_lets_the_lease_end, clean_up),
		cmocka_unit_test_teardown(test_a_second_instance_refuses, clean_up),
		cmocka_unit_test_teardown(test_refuses_to_begin, clean_up),
	};

	if (argc == 5 && strcmp(argv[1], "--worker") == 0)
		return play_worker(argv + 2);
	lab_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
