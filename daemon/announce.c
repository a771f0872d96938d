/*
 * announce.c - see announce.h.  Runs on the guardian's loop.
 *
 * Whoever solicits an IPv6 VIP that was announced must reach us through a switch that snoops, too:
 * its solicited-node group is joined before.  The kernel does the same for each address, but some
 * time after it has added it.
 */
#include "daemon/announce.h"

#include "common/list.h"
#include "common/log.h"
#include "conf/behaviour.h"
#include "daemon/neighbour_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 64

static void on_timer(struct timer *t, struct mono now);

/* -ENOMEM or 0. */
static int
prepare_pauses(struct announcer *announcer)
{
	const struct conf *conf = announcer->watch->conf;

	bool extra = false;

	announcer->pauses = conf->garp_interval_us || conf->gna_interval_us;
	for (size_t i = 0; i < conf->instances_n; i++)
		extra |= conf->instances[i].garp_extra_if.interval_ms > 0;
	if (!announcer->pauses && !extra)
		return 0;
	announcer->jobs = calloc(conf->instances_n + 1, sizeof *announcer->jobs);
	announcer->paces = calloc(conf->interfaces_n + 1, sizeof *announcer->paces);
	return announcer->jobs && announcer->paces ? 0 : -ENOMEM;
}

int
announcer_init(struct announcer *announcer, const struct netwatch *watch)
{
	*announcer = (struct announcer){ .watch = watch, .timer = { .fire = on_timer } };
	/* Without IPv6 in the kernel there is nothing to join. */
	announcer->groups_fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Protocol 0: nothing is received. */
	announcer->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return announcer->fd < 0 ? -errno : prepare_pauses(announcer);
}

void
announcer_fini(struct announcer *announcer)
{
	if (announcer->fd >= 0)
		close(announcer->fd);
	if (announcer->groups_fd >= 0)
		close(announcer->groups_fd);
	if (announcer->jobs)
		timer_disarm(&announcer->watch->loop->timers, &announcer->timer);
	free(announcer->jobs);
	free(announcer->paces);
	*announcer = (struct announcer){ .fd = -1, .groups_fd = -1 };
}

struct round {
	uint8_t frames[BATCH][NEIGHBOUR_FRAME_MAX];
	struct sockaddr_ll to[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr messages[BATCH];
	unsigned n;
	size_t lost;
	int error; /* of the last one lost */
};

static void
flush(struct announcer *announcer, struct round *round)
{
	unsigned sent = 0;

	while (sent < round->n) {
		int r = sendmmsg(announcer->fd, round->messages + sent, round->n - sent,
				 MSG_DONTWAIT);

		if (r > 0) {
			sent += (unsigned)r;
			continue;
		}
		if (r < 0 && errno == EINTR)
			continue;
		/* The first of the rest was refused; the others may have another interface. */
		round->error = errno;
		round->lost++;
		sent++;
	}
	round->n = 0;
}

static void
add(struct round *round, const struct netwatch_link *link, const struct conf_vip *vip)
{
	unsigned i = round->n++;
	size_t len = neighbour_frame_tell(round->frames[i], link->mac, &vip->ip);

	round->to[i] = neighbour_frame_to(round->frames[i], link->ifindex);
	round->iov[i] = (struct iovec){ round->frames[i], len };
	round->messages[i].msg_hdr = (struct msghdr){
		.msg_name = &round->to[i],
		.msg_namelen = sizeof round->to[i],
		.msg_iov = &round->iov[i],
		.msg_iovlen = 1,
	};
}

/* Has a VIP neighbours to announce it to? */
static const struct netwatch_link *
neighbours_of(const struct announcer *announcer, const struct conf_vip *vip)
{
	const struct netwatch_link *link = netwatch_link(announcer->watch, vip->interface);

	return link->present && link->arp ? link : NULL;
}

static void
begin(struct round *round)
{
	round->n = 0;
	round->lost = 0;
}

static void
end(struct announcer *announcer, struct round *round, const struct conf_instance *instance)
{
	flush(announcer, round);
	if (round->lost)
		log_warning("(%s) %zu announcements not sent: %s", instance->name, round->lost,
			    strerror(round->error));
}

static void
send_round(struct announcer *announcer, const struct conf_instance *instance)
{
	struct round round;

	begin(&round);
	for (size_t i = 0; i < instance->vips_n; i++) {
		const struct netwatch_link *link = neighbours_of(announcer, &instance->vips[i]);

		if (!link)
			continue;
		add(&round, link, &instance->vips[i]);
		if (round.n == BATCH)
			flush(announcer, &round);
	}
	end(announcer, &round, instance);
}

/* ---- with pauses ---- */

/* A virtual interface sends through its base. */
static struct vrrp_pace *
pace_of(const struct announcer *announcer, const struct conf_vip *vip)
{
	uint32_t base = conf_base(announcer->watch->conf, vip->interface);

	return &announcer->paces[base][ip_family_index(vip->ip.family)];
}

static int64_t
pause_ns(const struct conf *conf, const struct conf_vip *vip)
{
	return (vip->ip.family == AF_INET6 ? conf->gna_interval_us : conf->garp_interval_us) *
	       (NS_PER_MS / 1000);
}

/* What may leave now of an instance's; when the next may, or 0 if nothing is left. */
static struct mono
send_some(struct announcer *announcer, uint32_t index, struct mono now)
{
	const struct conf *conf = announcer->watch->conf;
	const struct conf_instance *instance = &conf->instances[index];
	struct announce_job *job = &announcer->jobs[index];
	struct mono next = { 0 };
	struct round round;

	begin(&round);
	while (job->rounds > 0) {
		const struct conf_vip *vip = &instance->vips[job->vip];
		const struct netwatch_link *link = neighbours_of(announcer, vip);

		if (link && !vrrp_pace_take(pace_of(announcer, vip), pause_ns(conf, vip), now)) {
			next = pace_of(announcer, vip)->next;
			break;
		}
		if (link)
			add(&round, link, vip);
		if (round.n == BATCH)
			flush(announcer, &round);
		if (++job->vip == instance->vips_n) {
			job->vip = 0;
			job->rounds--;
		}
	}
	end(announcer, &round, instance);
	return next;
}

/* ---- garp_extra_if ---- */

static int64_t
extra_ns(const struct announcer *announcer, uint32_t instance)
{
	return announcer->watch->conf->instances[instance].garp_extra_if.interval_ms * NS_PER_MS;
}

/* Is it the first VIP on an interface that advertisements do not leave from? */
static bool
is_extra(const struct conf *conf, const struct conf_instance *instance, size_t vip)
{
	uint32_t interface = instance->vips[vip].interface;

	if (interface == conf_xmit(instance) ||
	    !(instance->garp_extra_if.all || conf->interfaces[interface].vmac))
		return false;
	while (vip--)
		if (instance->vips[vip].interface == interface)
			return false;
	return true;
}

/* If it is time; when the next is, or 0 = never. */
static struct mono
send_extra(struct announcer *announcer, uint32_t index, struct mono now)
{
	const struct conf *conf = announcer->watch->conf;
	const struct conf_instance *instance = &conf->instances[index];
	struct announce_job *job = &announcer->jobs[index];
	struct round round;

	if (!job->held || extra_ns(announcer, index) == 0)
		return (struct mono){ 0 };
	if (!vrrp_pace_take(&job->extra, extra_ns(announcer, index), now))
		return job->extra.next;
	begin(&round);
	for (size_t i = 0; i < instance->vips_n; i++) {
		const struct netwatch_link *link = neighbours_of(announcer, &instance->vips[i]);

		if (!link || !is_extra(conf, instance, i))
			continue;
		add(&round, link, &instance->vips[i]);
		if (round.n == BATCH)
			flush(announcer, &round);
	}
	end(announcer, &round, instance);
	return job->extra.next;
}

static struct mono
earlier(struct mono a, struct mono b)
{
	if (a.ns == 0 || b.ns == 0)
		return a.ns == 0 ? b : a;
	return mono_before(a, b) ? a : b;
}

static void
on_timer(struct timer *t, struct mono now)
{
	struct announcer *announcer = CONTAINER_OF(t, struct announcer, timer);
	struct mono soonest = { 0 };

	for (uint32_t i = 0; i < announcer->watch->conf->instances_n; i++) {
		soonest = earlier(soonest, send_some(announcer, i, now));
		soonest = earlier(soonest, send_extra(announcer, i, now));
	}
	if (soonest.ns)
		timer_arm(&announcer->watch->loop->timers, t, soonest);
}

void
announce_rounds(struct announcer *announcer, uint32_t instance, uint32_t rounds)
{
	const struct conf_instance *c = &announcer->watch->conf->instances[instance];

	if (c->vips_n == 0)
		return;
	if (!announcer->pauses) {
		while (rounds--)
			send_round(announcer, c);
		return;
	}
	/* Where they cannot keep up they do not pile up. */
	if (announcer->jobs[instance].rounds < rounds)
		announcer->jobs[instance].rounds = rounds;
	on_timer(&announcer->timer, announcer->watch->loop->now);
}

void
announce_hold(struct announcer *announcer, uint32_t instance, bool held)
{
	struct mono now;

	if (!announcer->jobs || announcer->jobs[instance].held == held)
		return;
	now = announcer->watch->loop->now;
	announcer->jobs[instance] = (struct announce_job){
		.held = held,
		.extra.next = mono_add_ns(now, extra_ns(announcer, instance)),
	};
	on_timer(&announcer->timer, now);
}

/* RFC 4291 section 2.7.1. */
static struct in6_addr
solicited_node(const struct ip *vip)
{
	struct in6_addr group = { { { 0xff, 2, [11] = 1, [12] = 0xff } } };

	memcpy(group.s6_addr + 13, vip->bytes + 13, 3);
	return group;
}

void
announce_groups(struct announcer *announcer, const struct conf_instance *instance, bool join)
{
	for (size_t i = 0; i < instance->vips_n; i++) {
		const struct conf_vip *vip = &instance->vips[i];
		const struct netwatch_link *link = netwatch_link(announcer->watch, vip->interface);
		struct ipv6_mreq mreq = { .ipv6mr_interface = link->ifindex };

		if (vip->ip.family != AF_INET6 || !link->present)
			continue;
		mreq.ipv6mr_multiaddr = solicited_node(&vip->ip);
		/* Joined twice, or more than a socket may join: the kernel's own membership does. */
		setsockopt(announcer->groups_fd, IPPROTO_IPV6,
			   join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &mreq, sizeof mreq);
	}
}
