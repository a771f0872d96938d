/*
 * test_solicit.c - asking for peers: whom and how often.  In a network namespace.
 */
#include "daemon/solicit.h"

#include "daemon/announce.h"
#include "daemon/neighbour_frame.h"
#include "lab.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct ip
ip(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(text, &ip), 0);
	return ip;
}

/* Two instances with the same peer ask once; again after a pause. */
static void
test_pace(void **state)
{
	struct arena *arena = arena_new();
	struct conf *conf = lab_conf(arena, 1, 0);
	struct conf_instance *c = &conf->instances[0];
	struct conf_instance *second;
	struct mono now = mono_now();
	struct netwatch watch;
	struct announcer announcer;
	struct solicitor solicitor;
	struct loop loop;
	uint8_t frame[128];
	int fd;

	ARENA_PUSH(arena, c->unicast_peers, c->unicast_peers_n)->ip = ip("10.9.0.2");
	ARENA_PUSH(arena, c->unicast_peers, c->unicast_peers_n)->ip = ip("10.9.0.3");
	second = ARENA_PUSH(arena, conf->instances, conf->instances_n);
	*second = conf->instances[0];
	assert_int_equal(loop_init(&loop), 0);
	assert_int_equal(netwatch_init(&watch, &loop, conf, NULL, NULL, NULL), 0);
	assert_int_equal(announcer_init(&announcer, &watch), 0);
	assert_int_equal(solicitor_init(&solicitor, conf, &watch, announcer.fd), 0);
	assert_int_equal(solicitor.peers_n, 2);
	fd = lab_capture(0x0806);

	solicit_peers(&solicitor, &conf->instances[0], now);
	solicit_peers(&solicitor, &conf->instances[1], mono_add_ms(now, SOLICIT_PAUSE_MS - 1));
	assert_int_equal(lab_next_frame(fd, frame, sizeof frame), NEIGHBOUR_ARP_LEN);
	assert_memory_equal(frame + 28, "\x0a\x09\0\x01", 4);
	assert_memory_equal(frame + 38, "\x0a\x09\0\x02", 4);
	assert_int_equal(lab_next_frame(fd, frame, sizeof frame), NEIGHBOUR_ARP_LEN);
	assert_memory_equal(frame + 38, "\x0a\x09\0\x03", 4);
	assert_int_equal(lab_next_frame(fd, frame, sizeof frame), 0);
	solicit_peers(&solicitor, &conf->instances[1], mono_add_ms(now, SOLICIT_PAUSE_MS));
	assert_int_equal(lab_next_frame(fd, frame, sizeof frame), NEIGHBOUR_ARP_LEN);

	close(fd);
	solicitor_fini(&solicitor);
	announcer_fini(&announcer);
	netwatch_fini(&watch);
	loop_fini(&loop);
	arena_free(arena);
}

/* What is sent to a neighbour that does not answer waits for one: it is asked for, and nobody else. */
static void
test_awaited(void **state)
{
	struct arena *arena = arena_new();
	struct conf *conf = lab_conf(arena, 1, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct mono now = mono_now();
	struct netwatch watch;
	struct announcer announcer;
	struct solicitor solicitor;
	struct loop loop;
	uint8_t frame[128];
	int fd = lab_capture(0x0806), sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(loop_init(&loop), 0);
	assert_int_equal(netwatch_init(&watch, &loop, conf, NULL, NULL, NULL), 0);
	assert_int_equal(announcer_init(&announcer, &watch), 0);
	assert_int_equal(solicitor_init(&solicitor, conf, &watch, announcer.fd), 0);
	solicit_awaited(&solicitor, 0, now);
	assert_int_equal(lab_next_frame(fd, frame, sizeof frame), 0);

	lab_ip("ntable change name arp_cache dev tt0 retrans 60000"); /* it asks once */
	inet_pton(AF_INET, "10.9.0.7", &to.sin_addr);
	assert_int_equal(sendto(sender, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
	while (lab_next_frame(fd, frame, sizeof frame) > 0)
		; /* the kernel's own request */
	solicit_awaited(&solicitor, 0, mono_add_ms(now, SOLICIT_PAUSE_MS - 1));
	assert_int_equal(lab_next_frame(fd, frame, sizeof frame), 0);
	solicit_awaited(&solicitor, 0, mono_add_ms(now, SOLICIT_PAUSE_MS));
	assert_int_equal(lab_next_frame(fd, frame, sizeof frame), NEIGHBOUR_ARP_LEN);
	assert_memory_equal(frame + 28, "\x0a\x09\0\x01", 4);
	assert_memory_equal(frame + 38, "\x0a\x09\0\x07", 4);

	close(sender);
	close(fd);
	solicitor_fini(&solicitor);
	announcer_fini(&announcer);
	netwatch_fini(&watch);
	loop_fini(&loop);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_awaited),
	};

	lab_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
