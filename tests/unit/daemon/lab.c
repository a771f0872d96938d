/*
 * lab.c - see lab.h.
 */
#include "lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void
lab_ip(const char *arguments, ...)
{
	char command[512] = "ip ";
	va_list ap;

	va_start(ap, arguments);
	vsnprintf(command + 3, sizeof command - 3, arguments, ap);
	va_end(ap);
	if (system(command) != 0) {
		fprintf(stderr, "failed: %s\n", command);
		abort();
	}
}

void
lab_enter(void)
{
	if (unshare(CLONE_NEWNET) < 0) {
		fprintf(stderr, "skipped: no network namespace (%s)\n", strerror(errno));
		exit(LAB_SKIPPED);
	}
	if (system("ip link add tt0 type veth peer name tt1") != 0) {
		fprintf(stderr, "skipped: no veth pair here\n");
		exit(LAB_SKIPPED);
	}
	lab_ip("link set lo up");
	lab_ip("link set tt0 up");
	lab_ip("link set tt1 up");
	lab_ip("address add " LAB_HOST "/24 dev tt0");
}

struct conf *
lab_conf(struct arena *arena, uint32_t vips_n, uint32_t lease_s)
{
	struct conf *conf = arena_alloc(arena, sizeof *conf);
	struct conf_instance *c;

	conf->arena = arena;
	conf->vip_lease_s = lease_s;
	conf->watchdog_ms = 500;
	ip_parse("224.0.0.18", &conf->mcast_group4);
	ip_parse("ff02::12", &conf->mcast_group6);
	ARENA_PUSH(arena, conf->sources, conf->sources_n)->name = "lab.conf";
	ARENA_PUSH(arena, conf->interfaces, conf->interfaces_n)->name = "tt0";
	c = ARENA_PUSH(arena, conf->instances, conf->instances_n);
	c->name = "VI_1";
	c->pos = (struct conf_pos){ 0, 3, 1 };
	c->vrid = 51;
	c->priority = 100;
	c->family = AF_INET;
	c->version = 2;
	c->advert_int_cs = 100;
	c->garp_master_repeat = 5;
	for (uint32_t i = 0; i < vips_n; i++) {
		struct conf_vip *vip = ARENA_PUSH(arena, c->vips, c->vips_n);
		char text[IP_STRLEN];

		snprintf(text, sizeof text, "10.9.%u.%u", 1 + i / 250, 1 + i % 250);
		ip_parse(text, &vip->ip);
		vip->prefix_len = 32;
		vip->pos = (struct conf_pos){ 0, 10 + i, 1 };
	}
	return conf;
}

void
lab_ipv6(struct conf *conf)
{
	struct conf_instance *c = &conf->instances[0];

	c->family = AF_INET6;
	c->version = 3;
	for (size_t i = 0; i < c->vips_n; i++) {
		struct conf_vip *vip = &c->vips[i];
		char text[IP_STRLEN];

		snprintf(text, sizeof text, i ? "fd09::1:%zx" : "fe80::1", i);
		ip_parse(text, &vip->ip);
		vip->prefix_len = 128;
	}
}

bool
lab_has(const char *address)
{
	struct ip wanted;
	struct ifaddrs *all;
	bool found = false;

	if (ip_parse(address, &wanted) < 0 || getifaddrs(&all) < 0)
		abort();
	for (struct ifaddrs *a = all; a; a = a->ifa_next) {
		struct sock_addr sa = { .len = sizeof sa.in6 };
		struct ip ip;

		if (!a->ifa_addr || a->ifa_addr->sa_family != wanted.family)
			continue;
		memcpy(&sa.any, a->ifa_addr,
		       wanted.family == AF_INET ? sizeof sa.in : sizeof sa.in6);
		ip = sock_addr_ip(&sa);
		found |= ip_equal(&ip, &wanted);
	}
	freeifaddrs(all);
	return found;
}

int
lab_capture(uint16_t ethertype)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ethertype),
		.sll_ifindex = (int)if_nametoindex("tt1"),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ethertype));

	if (fd < 0 || bind(fd, (struct sockaddr *)&ll, sizeof ll) < 0)
		abort();
	return fd;
}

size_t
lab_next_frame(int fd, void *frame, size_t size)
{
	for (;;) {
		struct sockaddr_ll from;
		socklen_t len = sizeof from;
		ssize_t n = recvfrom(fd, frame, size, MSG_DONTWAIT, (struct sockaddr *)&from, &len);

		if (n < 0)
			return 0;
		if (from.sll_pkttype != PACKET_OUTGOING)
			return (size_t)n;
	}
}

bool
lab_turn_until(struct loop *loop, bool (*done)(void *ctx), void *ctx, int64_t ms)
{
	struct mono until = mono_add_ms(mono_now(), ms);

	loop->max_wait_ns = 20 * NS_PER_MS;
	while (!done(ctx)) {
		if (!mono_before(mono_now(), until))
			return false;
		loop_turn(loop);
	}
	return true;
}
