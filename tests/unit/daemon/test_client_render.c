/*
 * The text form of a status document: one document, one page, compared letter by letter; and that
 * a document with anything missing is still shown.
 */
#include "daemon/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char document[] =
	"{\"node\": \"lb2\", \"version\": \"0.1.0\", \"phase\": \"running\", \"guardian_pid\": 812,"
	" \"worker_pid\": 815, \"uptime_ms\": 192400, \"at_ms\": 1700000000000,"
	" \"instances\": [{\"name\": \"VI_1\", \"state\": \"BACKUP\","
	"   \"why\": \"10.0.0.11 advertises 150, we have 100\", \"since_ms_ago\": 123000,"
	"   \"vrid\": 100, \"interface\": \"eth1\", \"version\": 2,"
	"   \"priority\": {\"configured\": 100, \"effective\": 90}, \"preempt\": true,"
	"   \"transport\": \"unicast\", \"source\": \"10.0.0.12\", \"peers\": [\"10.0.0.11\"],"
	"   \"peer\": {\"address\": \"10.0.0.11\", \"priority\": 150, \"heard_ms_ago\": 412},"
	"   \"timers\": {\"advert_int_ms\": 1000, \"master_down_ms\": 3609, \"skew_ms\": 609,"
	"     \"next_ms\": 3197},"
	"   \"vips\": [{\"address\": \"10.0.0.10/24\", \"interface\": \"eth1\", \"label\": null,"
	"     \"advertised\": true, \"held\": false}],"
	"   \"lease\": {\"seconds\": 3, \"renewed_ms_ago\": null}, \"will\": false,"
	"   \"auth_hmac\": {\"mode\": \"permissive\", \"active_key\": 1, \"peer_key\": 2,"
	"     \"peer_clock_ahead_s\": -3, \"unsigned_taken\": 7},"
	"   \"tracking\": {\"proxy\": true, \"backends\": [{\"name\": \"app\", \"min\": 1,"
	"     \"usable\": 2, \"settled\": true}]},"
	"   \"counters\": {\"adverts_sent\": 0, \"adverts_received\": 120, \"became_master\": 1},"
	"   \"drops\": {\"wrong TTL\": 3, \"bad checksum\": 0, \"unknown VRID\": 1}},"
	"  {\"name\": \"VI_2\", \"state\": \"MASTER\", \"why\": \"nobody else advertises\","
	"   \"since_ms_ago\": 7261000, \"vrid\": 7, \"interface\": \"eth2\", \"version\": 3,"
	"   \"priority\": {\"configured\": 100, \"effective\": 100}, \"preempt\": false,"
	"   \"transport\": \"multicast\", \"source\": \"10.1.0.12\", \"peers\": [], \"peer\": null,"
	"   \"timers\": {\"advert_int_ms\": 10, \"master_down_ms\": 36, \"skew_ms\": 6,"
	"     \"next_ms\": 4},"
	"   \"vips\": [{\"address\": \"10.1.0.10/32\", \"interface\": \"eth2\", \"label\": \"eth2:v\","
	"     \"advertised\": true, \"held\": true}],"
	"   \"lease\": {\"seconds\": 3, \"renewed_ms_ago\": 800}, \"will\": true,"
	"   \"auth_hmac\": {\"mode\": \"enforce\", \"active_key\": 1, \"peer_key\": null,"
	"     \"peer_clock_ahead_s\": null, \"unsigned_taken\": 0},"
	"   \"tracking\": {\"proxy\": false, \"backends\": []},"
	"   \"counters\": {\"adverts_sent\": 720000, \"adverts_received\": 0,"
	"     \"became_master\": 2}, \"drops\": {\"wrong TTL\": 0}}],"
	" \"scripts\": ["
	"   {\"name\": \"web\", \"state\": \"ok\", \"exit_status\": 0, \"signal\": null,"
	"    \"timed_out\": false, \"took_ms\": 12, \"ran_ms_ago\": 900},"
	"   {\"name\": \"slow\", \"state\": \"failed\", \"exit_status\": null, \"signal\": null,"
	"    \"timed_out\": true, \"took_ms\": 1000, \"ran_ms_ago\": 61000},"
	"   {\"name\": \"ended\", \"state\": \"failed\", \"exit_status\": null, \"signal\": 9,"
	"    \"timed_out\": false, \"took_ms\": 3, \"ran_ms_ago\": 0},"
	"   {\"name\": \"gone\", \"state\": \"disabled\", \"exit_status\": null, \"signal\": null,"
	"    \"timed_out\": false, \"took_ms\": null, \"ran_ms_ago\": null}],"
	" \"proxy\": {\"health\": \"serving\", \"threads\": [{}, {}], \"sessions\": 3, \"log_drops\": 2},"
	" \"frontends\": [{\"name\": \"main\", \"state\": \"OPEN\", \"mode\": \"tcp\","
	"   \"binds\": [\"*:80\", \":::80\"], \"default_backend\": \"app\", \"sessions\": 3,"
	"   \"sessions_total\": 120}],"
	" \"backends\": [{\"name\": \"app\", \"balance\": \"roundrobin\", \"usable\": 1,"
	"   \"total\": 2, \"queued\": 0, \"servers\": ["
	"   {\"name\": \"app1\", \"address\": \"10.0.0.21:80\", \"state\": \"UP\","
	"    \"health\": \"3/3 UP\", \"backup\": false, \"sessions\": 3, \"sessions_total\": 60,"
	"    \"changed_ms_ago\": 190000,"
	"    \"check\": {\"status\": \"L4OK\", \"detail\": \"Layer4 check passed\", \"ms\": 0, \"ms_ago\": 900}},"
	"   {\"name\": \"spare\", \"address\": \"10.0.0.22:80\", \"state\": \"DOWN\","
	"    \"health\": \"0/3 DOWN\", \"backup\": true, \"sessions\": 0, \"sessions_total\": 60,"
	"    \"changed_ms_ago\": 5000,"
	"    \"check\": {\"status\": \"L4CON\", \"detail\": \"Connection refused\", \"ms\": 1,"
	"      \"ms_ago\": 1234}}]}],"
	" \"transitions\": [{\"at_ms\": 1700000000123, \"instance\": \"VI_1\", \"from\": \"MASTER\","
	"   \"to\": \"BACKUP\", \"reason\": \"10.0.0.11 advertises 150, we have 100\"},"
	"  {\"at_ms\": 1699999999000, \"instance\": \"VI_1\", \"from\": \"INIT\", \"to\": \"BACKUP\","
	"   \"reason\": \"start-up\"}]}";

static const char page[] =
	"lb2  tandem 0.1.0, running, up 3m12s, guardian 812, worker 815\n"
	"\n"
	"VI_1 (eth1, VRID 100, v2)  BACKUP for 2m3s: 10.0.0.11 advertises 150, we have 100\n"
	"  unicast to 10.0.0.11 from 10.0.0.12; priority 90 (configured 100)\n"
	"  peer 10.0.0.11: priority 150, heard 412ms ago\n"
	"  master down 3.61s (skew 609ms) after its last advertisement, one every 1s; timer ends in "
	"3.20s\n"
	"  VIP 10.0.0.10/24 dev eth1: not here\n"
	"  auth_hmac permissive, key 1; the peer signs with key 2, its clock is 3 s behind; "
	"7 unsigned were taken\n"
	"  tracks backend app: 2 usable, needs 1\n"
	"  sent 0, received 120 advertisements; master 1 time\n"
	"  refused: 3 wrong TTL, 1 unknown VRID\n"
	"\n"
	"VI_2 (eth2, VRID 7, v3)  MASTER for 2h1m: nobody else advertises\n"
	"  multicast from 10.1.0.12; priority 100, nopreempt\n"
	"  no peer has been heard\n"
	"  advertises every 10ms, next in 4ms\n"
	"  VIP 10.1.0.10/32 dev eth2 label eth2:v: held, lease 3s, renewed 800ms ago\n"
	"  auth_hmac enforce, key 1\n"
	"  last will lodged with the guardian\n"
	"  sent 720000, received 0 advertisements; master 2 times\n"
	"\n"
	"  SCRIPT  STATE     LAST RUN       TOOK  ENDED\n"
	"  web     ok        exit status 0  12ms  900ms ago\n"
	"  slow    failed    timed out      1s    1m1s ago\n"
	"  ended   failed    signal 9       3ms   0ms ago\n"
	"  gone    disabled\n"
	"\n"
	"proxy: serving, 2 threads, 3 sessions, 2 log lines dropped\n"
	"\n"
	"  FRONTEND  LISTENS ON  STATE  SESSIONS  TOTAL  DEFAULT BACKEND\n"
	"  main      *:80 :::80  OPEN   3         120    app\n"
	"\n"
	"backend app (balance roundrobin): 1 of 2 servers usable\n"
	"  SERVER          ADDRESS       STATE     FOR    SESSIONS  TOTAL  LAST CHECK\n"
	"  app1            10.0.0.21:80  3/3 UP    3m10s  3         60     L4OK in 0ms, 900ms ago\n"
	"  spare (backup)  10.0.0.22:80  0/3 DOWN  5s     0         60     L4CON in 1ms, 1.23s ago: "
	"Connection refused\n"
	"\n"
	"last transitions, newest first\n"
	"  2023-11-14 22:13:20.123  VI_1  MASTER -> BACKUP  10.0.0.11 advertises 150, we have 100\n"
	"  2023-11-14 22:13:19.000  VI_1  INIT -> BACKUP    start-up\n";

static char *
render(const json_t *status)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	client_render(&(struct client_page){ .out = out }, status);
	fclose(out);
	return text;
}

static void
page_is_what_people_see(void **state)
{
	json_error_t error;
	json_t *status = json_loads(document, 0, &error);
	char *text;

	assert_non_null(status);
	text = render(status);
	assert_string_equal(text, page);
	free(text);
	json_decref(status);
}

/* A newer or older daemon may leave anything out, at any depth. */
static void
missing_members_are_left_out(void **state)
{
	json_t *status = json_loads(document, 0, NULL);
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(status, next, key, value)
	{
		json_t *without = json_deep_copy(status);

		json_object_del(without, key);
		free(render(without));
		json_decref(without);
	}
	json_object_foreach(json_array_get(json_object_get(status, "instances"), 0), key, value)
	{
		json_t *without = json_deep_copy(status);

		json_object_del(json_array_get(json_object_get(without, "instances"), 0), key);
		free(render(without));
		json_decref(without);
	}
	json_decref(status);

	status = json_object();
	free(render(status));
	json_decref(status);
}

static void
an_error_is_shown(void **state)
{
	json_t *status = json_pack("{s:s}", "error", "too many clients");
	char *text = render(status);

	assert_string_equal(text, "tandem: too many clients\n");
	free(text);
	json_decref(status);
}

static const char history[] =
	"{\"node\": \"lb2\", \"version\": \"0.1.0\", \"at_ms\": 1700000000500, \"total\": 300,"
	" \"transitions\": [{\"at_ms\": 1700000000123, \"ms_ago\": 377, \"instance\": \"VI_1\","
	"   \"from\": \"BACKUP\", \"to\": \"MASTER\", \"reason\": \"10.0.0.11 is silent\","
	"   \"priority\": 100, \"peer\": \"10.0.0.11\", \"peer_priority\": 150,"
	"   \"took_us\": 3609512},"
	"  {\"at_ms\": 1699999999000, \"ms_ago\": 1500, \"instance\": \"Ä\", \"from\": \"INIT\","
	"   \"to\": \"FAULT\", \"reason\": \"eth1 is down\", \"priority\": 100, \"peer\": null,"
	"   \"peer_priority\": 0, \"took_us\": 1234}]}";

static char *
render_history(const char *text, bool colour)
{
	json_t *root = json_loads(text, 0, NULL);
	char *shown = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&shown, &len);

	assert_non_null(root);
	client_render_history(&(struct client_page){ .out = out, .colour = colour }, root);
	fclose(out);
	json_decref(root);
	return shown;
}

static void
history_is_a_table(void **state)
{
	char *text = render_history(history, false);

	assert_string_equal(
		text,
		"  WHEN                     INSTANCE  TRANSITION        TOOK   PRIORITY  PEER       "
		"      REASON\n"
		"  2023-11-14 22:13:20.123  VI_1      BACKUP -> MASTER  3.61s  100       10.0.0.11 "
		"(150)  10.0.0.11 is silent\n"
		"  2023-11-14 22:13:19.000  Ä         INIT -> FAULT     1.2ms  100       -          "
		"      eth1 is down\n"
		"(298 before these are forgotten)\n");
	free(text);
	text = render_history("{\"transitions\": []}", false);
	assert_string_equal(text, "no transition yet\n");
	free(text);
	text = render_history("{\"error\": \"too many clients\"}", false);
	assert_string_equal(text, "tandem: too many clients\n");
	free(text);
}

/* Colours mark words and move nothing: without them the page is the same. */
static void
colours_take_no_place(void **state)
{
	char *plain = render_history(history, false), *coloured = render_history(history, true);
	char *to = coloured;

	assert_non_null(strstr(coloured, "\033[32mBACKUP -> MASTER\033[0m  3.61s"));
	assert_non_null(strstr(coloured, "\033[1;31mINIT -> FAULT\033[0m     1.2ms"));
	for (const char *from = coloured; *from; from++) {
		if (*from == '\033')
			from = strchr(from, 'm');
		else
			*to++ = *from;
	}
	*to = '\0';
	assert_string_equal(coloured, plain);
	free(plain);
	free(coloured);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_is_what_people_see),
		cmocka_unit_test(missing_members_are_left_out),
		cmocka_unit_test(an_error_is_shown),
		cmocka_unit_test(history_is_a_table),
		cmocka_unit_test(colours_take_no_place),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
