/*
 * test_proxy_agent.c - agents' words: what each line means, by itself and to a whole proxy.  Texts are
 * those of HAProxy 2.6 for the same lines.
 */
#include "tests/unit/proxy/fixture.h"

#include "conf/words_health.h"
#include "proxy/check_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* ------------------------------------------------------------------ lines */

#define NOTHING -1

struct line {
	const char *text;
	enum agent_verdict verdict;
	enum agent_mode mode;
	int weight, maxconn; /* NOTHING = not mentioned */
	const char *info;
};

#define SAYS(verdict, mode) AGENT_VERDICT_##verdict, AGENT_MODE_##mode

/* Of a server with the weight 100. */
static const struct line lines[] = {
	{ "up\n", SAYS(UP, NONE), NOTHING, NOTHING, "via agent : up" },
	{ "up\rdown\n", SAYS(UP, NONE), NOTHING, NOTHING, "via agent : up" },
	{ "UP # fine\n", SAYS(UP, NONE), NOTHING, NOTHING, "via agent : UP (fine)" },
	{ "down\n", SAYS(DOWN, NONE), NOTHING, NOTHING, "via agent : down" },
	{ "down # out of disk\n", SAYS(DOWN, NONE), NOTHING, NOTHING,
	  "via agent : down (out of disk)" },
	{ "fail #\t x\n", SAYS(DOWN, NONE), NOTHING, NOTHING, "via agent : fail (x)" },
	{ "stopped\n", SAYS(DOWN, NONE), NOTHING, NOTHING, "via agent : stopped" },
	{ "up down\n", SAYS(DOWN, NONE), NOTHING, NOTHING, "via agent : down" },
	{ "ready\n", SAYS(NONE, READY), NOTHING, NOTHING, "" },
	{ "drain maint ready\n", SAYS(NONE, READY), NOTHING, NOTHING, "" },
	{ "100% up ready,drain\n", SAYS(UP, DRAIN), 100, NOTHING, "via agent : up" },
	{ "\t,maint,\n", SAYS(NONE, MAINT), NOTHING, NOTHING, "" },
	{ "\n", SAYS(NONE, NONE), NOTHING, NOTHING, "" },
	{ "# down\n", SAYS(NONE, NONE), NOTHING, NOTHING, "" },
	/* numbers */
	{ "75%\n", SAYS(NONE, NONE), 75, NOTHING, "" },
	{ "0%\n", SAYS(NONE, NONE), 0, NOTHING, "" },
	{ "300%\n", SAYS(NONE, NONE), 256, NOTHING, "" },
	{ "99999999999999999999%\n", SAYS(NONE, NONE), 256, NOTHING, "" },
	{ "10% 20%\n", SAYS(NONE, NONE), 20, NOTHING, "" },
	{ "maxconn:30\n", SAYS(NONE, NONE), NOTHING, 30, "" },
	{ "MaxConn:0 up 75% ready\n", SAYS(UP, READY), 75, 0, "via agent : up" },
	{ "maxconn:99999999999\n", SAYS(NONE, NONE), NOTHING, INT32_MAX, "" },
	/* what makes no sense */
	{ "75\n", SAYS(NONE, NONE), NOTHING, NOTHING, "agent reports an error : 75" },
	{ "-5%\n", SAYS(NONE, NONE), NOTHING, NOTHING, "agent reports an error : -5%" },
	{ "bogus more\n", SAYS(NONE, NONE), NOTHING, NOTHING, "agent reports an error : bogus" },
	{ "fail#x y\n", SAYS(NONE, NONE), NOTHING, NOTHING, "agent reports an error : fail#x" },
	{ "up bogus # x\n", SAYS(UP, NONE), NOTHING, NOTHING, "via agent : up (bogus)" },
	{ "down bogus # x\n", SAYS(DOWN, NONE), NOTHING, NOTHING, "via agent : down (x)" },
	{ "down bogus\n", SAYS(DOWN, NONE), NOTHING, NOTHING, "via agent : down (bogus)" },
	{ "5x%\n", SAYS(NONE, NONE), NOTHING, NOTHING,
	  "agent warns : Trailing garbage in weight string" },
	{ "up 300x%\n", SAYS(UP, NONE), NOTHING, NOTHING,
	  "via agent : up (Absolute weight can only be between 0 and 256 inclusive.)" },
	{ "maxconn:3x\n", SAYS(NONE, NONE), NOTHING, NOTHING,
	  "agent warns : Trailing garbage in maxconn string" },
	{ "up maxconn:x\n", SAYS(UP, NONE), NOTHING, NOTHING,
	  "via agent : up (maxconn string empty or preceded by garbage)" },
	{ "up maxconn:\n", SAYS(UP, NONE), NOTHING, NOTHING,
	  "via agent : up (Require <maxconn>.)" },
};

static void
read_line(const struct line *line, bool fixed)
{
	const struct check_program program = { .weight = 100, .fixed_weight = fixed };
	struct check_result result = { 0 };
	const struct agent_words *words = &result.words;

	assert_int_equal(check_agent_read(&program, line->text, strlen(line->text), false, &result),
			 CHECK_OUTCOME_OVER);
	if (strcmp(result.info, line->info) != 0)
		fail_msg("%s: \"%s\"", line->text, result.info);
	assert_int_equal(words->verdict, line->verdict);
	assert_int_equal(words->mode, line->mode);
	assert_int_equal(words->weighs ? (int)words->weight : NOTHING, line->weight);
	assert_int_equal(words->limits ? (int)words->maxconn : NOTHING, line->maxconn);
	assert_int_equal(result.status, line->verdict == AGENT_VERDICT_UP ? CHECK_STATUS_L7OK
					: line->verdict == AGENT_VERDICT_DOWN
						? CHECK_STATUS_L7STS
						: CHECK_STATUS_CHECKED);
}

static void
means_what_haproxy_reads(void **state)
{
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		read_line(&lines[i], false);
}

static void
static_algorithms_take_all_or_nothing(void **state)
{
	static const struct line fixed[] = {
		{ "0%\n", SAYS(NONE, NONE), 0, NOTHING, "" },
		{ "100%\n", SAYS(NONE, NONE), 100, NOTHING, "" },
		{ "up 99%\n", SAYS(UP, NONE), NOTHING, NOTHING,
		  "via agent : up (Backend is using a static LB algorithm and only accepts weights "
		  "'0%' and '100%'.)" },
	};

	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		read_line(&fixed[i], true);
}

static void
waits_for_a_whole_line(void **state)
{
	static const char *const halves[] = { "", "up", "down # because" };
	const struct check_program program = { .weight = 100 };
	struct check_result result = { 0 };

	for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
		size_t len = strlen(halves[i]);

		assert_int_equal(check_agent_read(&program, halves[i], len, false, &result),
				 CHECK_OUTCOME_MORE);
		assert_int_equal(check_agent_read(&program, halves[i], len, true, &result),
				 CHECK_OUTCOME_OVER);
		assert_true(result.words.incomplete);
		assert_int_equal(result.words.verdict, AGENT_VERDICT_NONE);
		assert_string_equal(result.info, "Ignoring incomplete line from agent");
	}
	/* A NUL ends all there is. */
	assert_int_equal(check_agent_read(&program, "up\0\n", 4, false, &result),
			 CHECK_OUTCOME_MORE);
}

/* ------------------------------------------------------------------ a proxy */

/* Says its line to whoever connects. */
struct agent {
	_Atomic(const char *) line;
	_Atomic uint32_t said;
	int listen_fd, stop_fd;
	uint16_t port;
	pthread_t thread;
};

static void *
agent_main(void *arg)
{
	struct agent *a = arg;
	struct pollfd set[2] = { { .fd = a->stop_fd, .events = POLLIN },
				 { .fd = a->listen_fd, .events = POLLIN } };

	while (poll(set, 2, -1) >= 0 && !set[0].revents) {
		const char *line = atomic_load(&a->line);
		int fd = accept(a->listen_fd, NULL, NULL);

		if (fd < 0)
			continue;
		send(fd, line, strlen(line), MSG_NOSIGNAL);
		close(fd);
		atomic_fetch_add(&a->said, 1);
	}
	return NULL;
}

static void
agent_start(struct agent *a)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	atomic_store(&a->line, "ready\n");
	a->stop_fd = eventfd(0, EFD_CLOEXEC);
	a->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(a->listen_fd, (struct sockaddr *)&at, len) < 0 || listen(a->listen_fd, 16) < 0)
		abort();
	getsockname(a->listen_fd, (struct sockaddr *)&at, &len);
	a->port = ntohs(at.sin_port);
	if (pthread_create(&a->thread, NULL, agent_main, a))
		abort();
}

static void
agent_stop(struct agent *a)
{
	eventfd_write(a->stop_fd, 1);
	pthread_join(a->thread, NULL);
	close(a->stop_fd);
	close(a->listen_fd);
}

/* A checked server with an agent, and another one. */
struct scene {
	struct arena *arena;
	struct origin first, second;
	struct agent agent;
	struct site site;
};

static void
scene_make(struct scene *scene)
{
	struct conf_server *server;

	site_init(&scene->site);
	server = site_add_server(&scene->site, "a", scene->first.port);
	server->check = true;
	server->weight = 100;
	server->maxconn = 50;
	server->agent_check = true;
	server->agent_port = scene->agent.port;
	server->agent_inter_ms = 10;
	server->agent_send = "who\n";
	health_compile_agent(scene->arena, server);
	site_add_server(&scene->site, "b", scene->second.port)->weight = 100;
}

static void
scene_start(struct scene *scene)
{
	memset(scene, 0, sizeof *scene);
	scene->arena = arena_new();
	origin_start(&scene->first, ORIGIN_NAME, "a", 0);
	origin_start(&scene->second, ORIGIN_NAME, "b", 0);
	agent_start(&scene->agent);
	scene_make(scene);
	site_start(&scene->site, 2);
}

static void
scene_stop(struct scene *scene)
{
	site_stop(&scene->site);
	agent_stop(&scene->agent);
	origin_stop(&scene->first);
	origin_stop(&scene->second);
	arena_free(scene->arena);
}

static void
say(struct scene *scene, const char *line)
{
	atomic_store(&scene->agent.line, line);
}

static uint32_t
sessions_of_first(struct scene *scene, int n)
{
	uint64_t before = site_server(&scene->site, 0).sessions_total;
	char text[16];

	for (int i = 0; i < n; i++)
		assert_int_equal(site_fetch(&scene->site, text, sizeof text), 1);
	return (uint32_t)(site_server(&scene->site, 0).sessions_total - before);
}

static void
does_what_the_agent_says(void **state)
{
	struct scene scene;

	scene_start(&scene);
	say(&scene, "up 50% maxconn:7\n");
	WAIT_UNTIL(site_server(&scene.site, 0).present_weight == 50);
	WAIT_UNTIL(site_server(&scene.site, 0).limit == 7);
	assert_string_equal(site_server(&scene.site, 0).agent_status, "L7OK");
	assert_int_equal(sessions_of_first(&scene, 30), 10);

	say(&scene, "drain\n");
	WAIT_UNTIL(site_server(&scene.site, 0).state == SERVER_DRAIN);
	assert_int_equal(sessions_of_first(&scene, 10), 0);
	assert_int_equal(site_backend(&scene.site).usable, 1);

	say(&scene, "ready down # tired\n");
	WAIT_UNTIL(site_server(&scene.site, 0).state == SERVER_DOWN);
	assert_true(site_server(&scene.site, 0).agent_down);
	assert_string_equal(site_server(&scene.site, 0).agent_detail, "via agent : down (tired)");
	assert_int_equal(sessions_of_first(&scene, 10), 0);

	/* Only "up" takes "down" back. */
	say(&scene, "maint\n");
	WAIT_UNTIL(site_server(&scene.site, 0).state == SERVER_DISABLED);
	say(&scene, "ready\n");
	WAIT_UNTIL(site_server(&scene.site, 0).state == SERVER_DOWN);
	say(&scene, "up 0%\n");
	WAIT_UNTIL(site_server(&scene.site, 0).state == SERVER_UP);
	WAIT_UNTIL(site_server(&scene.site, 0).present_weight == 0);
	assert_int_equal(sessions_of_first(&scene, 10), 0);
	say(&scene, "100% maxconn:0\n");
	WAIT_UNTIL(site_server(&scene.site, 0).limit == UINT32_MAX);
	assert_int_equal(sessions_of_first(&scene, 10), 5);
	scene_stop(&scene);
}

/* Neither silence nor nonsense changes anything. */
static void
lives_without_its_agent(void **state)
{
	struct scene scene;
	uint32_t said;

	scene_start(&scene);
	say(&scene, "up 50%\n");
	WAIT_UNTIL(site_server(&scene.site, 0).present_weight == 50);
	say(&scene, "");
	WAIT_UNTIL(strcmp(site_server(&scene.site, 0).agent_status, "L7RSP") == 0);
	assert_int_equal(site_server(&scene.site, 0).state, SERVER_UP);
	say(&scene, "75% do");
	said = atomic_load(&scene.agent.said);
	WAIT_UNTIL(atomic_load(&scene.agent.said) > said + 2);
	assert_int_equal(site_server(&scene.site, 0).present_weight, 50);
	assert_int_equal(site_server(&scene.site, 0).state, SERVER_UP);
	scene_stop(&scene);
}

/* In the next worker the agent's words hold on: it may not be there to say them again. */
static void
words_outlive_the_worker(void **state)
{
	unsigned char saved[PROXY_SAVED_MAX], backend[PROXY_SAVED_MAX];
	size_t saved_len, backend_len;
	struct server_view view;
	struct scene scene;

	scene_start(&scene);
	say(&scene, "drain 30% maxconn:9 down\n");
	WAIT_UNTIL(site_server(&scene.site, 0).agent_down);
	saved_len = proxy_save_server(scene.site.proxy, 1, 0, saved);
	backend_len = proxy_save(scene.site.proxy, 1, backend);
	site_stop(&scene.site);

	scene_make(&scene);
	site_prepare(&scene.site, 1);
	assert_true(proxy_restore_server(scene.site.proxy, 1, 0, saved, saved_len));
	assert_true(proxy_restore(scene.site.proxy, 1, backend, backend_len));
	view = site_server(&scene.site, 0);
	assert_int_equal(view.state, SERVER_DOWN);
	assert_true(view.agent_down);
	assert_int_equal(view.present_weight, 30);
	assert_int_equal(view.limit, 9);
	say(&scene, "up\n");
	proxy_open(scene.site.proxy);
	WAIT_UNTIL(site_server(&scene.site, 0).state == SERVER_DRAIN);
	site_stop(&scene.site);

	/* Another weight and limit in the file: what was said was not about these. */
	scene_make(&scene);
	scene.site.servers[0].weight = 10;
	scene.site.servers[0].maxconn = 20;
	site_prepare(&scene.site, 1);
	assert_true(proxy_restore_server(scene.site.proxy, 1, 0, saved, saved_len));
	assert_int_equal(site_server(&scene.site, 0).present_weight, 10);
	assert_int_equal(site_server(&scene.site, 0).limit, 20);
	proxy_open(scene.site.proxy);
	scene_stop(&scene);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(means_what_haproxy_reads),
		cmocka_unit_test(static_algorithms_take_all_or_nothing),
		cmocka_unit_test(waits_for_a_whole_line),
		cmocka_unit_test(does_what_the_agent_says),
		cmocka_unit_test(lives_without_its_agent),
		cmocka_unit_test(words_outlive_the_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
