/*
 * lease.c - see lease.h.  Runs on the guardian's loop.
 */
#include "daemon/lease.h"

#include "common/log.h"
#include "daemon/will.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

/* VIPs removed before the priority 0 goes out: so many take well under a millisecond. */
#define WILL_FIRST NETLINK_BATCH_MAX

/* With permanent VIPs there is no lease to compare with. */
#define LATE_WITHOUT_LEASE_NS (1500 * NS_PER_MS)

int
leases_init(struct leases *leases, const struct conf *conf, const struct netwatch *watch,
	    struct vip_keeper *vips, struct announcer *announcer, struct vrrp_sockets *sockets,
	    lease_tell_fn *tell, void *ctx)
{
	*leases = (struct leases){
		.conf = conf,
		.watch = watch,
		.vips = vips,
		.announcer = announcer,
		.sockets = sockets,
		.tell = tell,
		.ctx = ctx,
	};
	leases->at = calloc(conf->instances_n + 1, sizeof *leases->at);
	return leases->at ? 0 : -ENOMEM;
}

void
leases_fini(struct leases *leases)
{
	free(leases->at);
	leases->at = NULL;
}

/* ---- the schedule ---- */

int64_t
lease_half_ns(const struct conf *conf, uint32_t instance)
{
	return conf_lease_s(conf, &conf->instances[instance]) * NS_PER_S / 2;
}

bool
lease_is_due(const struct lease *lease, struct mono now)
{
	return lease->claimed && !lease->frozen && lease->due.ns != 0 &&
	       !mono_before(now, lease->due);
}

bool
lease_is_late(const struct conf *conf, int64_t away_ns)
{
	int64_t half_ns = conf->vip_lease_s * NS_PER_S / 2; /* of the shortest lease there is */

	return away_ns > (half_ns ? half_ns : LATE_WITHOUT_LEASE_NS);
}

/* All VIPs of an instance had a fresh lease at `at`, taken before the kernel was asked: the lease
 * cannot end earlier than reckoned. */
static void
schedule(struct leases *leases, uint32_t instance, int error, struct mono at)
{
	struct lease *lease = &leases->at[instance];
	int64_t half_ns = lease_half_ns(leases->conf, instance);

	if (error == 0)
		lease->renewed = at;
	lease->due = half_ns ? mono_add_ns(at, half_ns) : (struct mono){ 0 };
}

static uint32_t
vips_n(const struct leases *leases, uint32_t instance)
{
	return (uint32_t)leases->conf->instances[instance].vips_n;
}

static const char *
name_of(const struct leases *leases, uint32_t instance)
{
	return leases->conf->instances[instance].name;
}

/* ---- what the worker asks for ---- */

static void
announce_take_over(struct leases *leases, uint32_t instance)
{
	const struct conf_instance *c = &leases->conf->instances[instance];

	announce_groups(leases->announcer, c, true);
	for (uint32_t i = 0; i < c->garp_master_repeat; i++)
		announce_round(leases->announcer, c);
}

void
leases_claim(struct leases *leases, uint32_t instance)
{
	struct lease *lease = &leases->at[instance];
	struct mono at = mono_now();
	int error = vip_add(leases->vips, instance);

	lease->claimed = true;
	lease->frozen = false;
	lease->failing = error < 0;
	schedule(leases, instance, error, at);
	announce_take_over(leases, instance);
	leases->tell(leases->ctx, REQUEST_CLAIMED, instance, error, vips_n(leases, instance), at);
}

void
leases_release(struct leases *leases, uint32_t instance)
{
	int error = vip_remove(leases->vips, instance, 0, SIZE_MAX / 2);

	announce_groups(leases->announcer, &leases->conf->instances[instance], false);
	leases->at[instance].claimed = false;
	leases->at[instance].frozen = false;
	leases->tell(leases->ctx, REQUEST_RELEASED, instance, error, vips_n(leases, instance),
		     mono_now());
}

void
leases_announce(struct leases *leases, uint32_t instance)
{
	if (leases->at[instance].claimed)
		announce_round(leases->announcer, &leases->conf->instances[instance]);
}

void
leases_will(struct leases *leases, uint32_t instance, bool lodged)
{
	leases->at[instance].lodged = lodged;
}

/* ---- renewal ---- */

static void
renew(struct leases *leases, uint32_t instance)
{
	struct lease *lease = &leases->at[instance];
	struct mono at = mono_now();
	int error = vip_renew(leases->vips, instance);

	if (error < 0 && !lease->failing)
		log_error("(%s) cannot renew the lease of its virtual addresses: %s",
			  name_of(leases, instance), strerror(-error));
	if (error == 0 && lease->failing)
		announce_take_over(leases, instance); /* they were away */
	lease->failing = error < 0;
	schedule(leases, instance, error, at);
	leases->tell(leases->ctx, REQUEST_RENEWED, instance, error, vips_n(leases, instance), at);
}

void
leases_renew(struct leases *leases, struct mono now)
{
	for (uint32_t i = 0; i < leases->conf->instances_n; i++)
		if (lease_is_due(&leases->at[i], now))
			renew(leases, i);
}

/* ---- the guardian was late ---- */

void
leases_freeze(struct leases *leases)
{
	for (uint32_t i = 0; i < leases->conf->instances_n; i++) {
		if (!leases->at[i].claimed)
			continue;
		leases->at[i].frozen = true;
		leases->tell(leases->ctx, REQUEST_ASK_CONFIRM, i, 0, vips_n(leases, i), mono_now());
	}
}

/* ---- VIPs that are where they must not be, or not where they must ---- */

/* With its interface a VIP is gone for good: no one removed it, and there is nothing to put it on. */
static uint32_t
count_missing(const struct leases *leases, uint32_t instance)
{
	uint32_t missing = 0;

	for (uint32_t v = 0; v < vips_n(leases, instance); v++) {
		const struct netwatch_vip *vip = netwatch_vip(leases->watch, instance, v);
		uint32_t interface = leases->conf->instances[instance].vips[v].interface;

		missing += !vip->present && !vip->native &&
			   netwatch_link(leases->watch, interface)->present;
	}
	return missing;
}

/* What cannot be added (an interface that is gone) is tried again with every renewal. */
static bool
may_restore(const struct lease *lease, struct mono now)
{
	return lease->claimed && !lease->frozen && !lease->failing && lease->missing_n > 0 &&
	       (lease->restored.ns == 0 ||
		mono_since_ms(now, lease->restored) >= LEASE_RESTORE_PAUSE_MS);
}

static void
restore(struct leases *leases, uint32_t instance, struct mono now)
{
	struct lease *lease = &leases->at[instance];
	uint32_t n = lease->missing_n;
	int error = vip_add(leases->vips, instance);

	lease->missing_n = 0;
	lease->failing = error < 0;
	lease->restored = now;
	schedule(leases, instance, error, now);
	announce_take_over(leases, instance);
	log_warning("(%s) %u of its virtual addresses had been removed by someone else: %s",
		    name_of(leases, instance), n, error < 0 ? strerror(-error) : "put back");
	leases->tell(leases->ctx, REQUEST_RESTORED, instance, error, n, now);
	/* All of them have a fresh lease by that: it counts as a renewal. */
	leases->tell(leases->ctx, REQUEST_RENEWED, instance, error, vips_n(leases, instance), now);
}

void
leases_restore(struct leases *leases, struct mono now)
{
	for (uint32_t i = 0; i < leases->conf->instances_n; i++)
		if (may_restore(&leases->at[i], now))
			restore(leases, i, now);
}

/* May this address be on the host?  Yes if an instance that holds it is claimed, or owns it. */
static bool
is_allowed(const struct leases *leases, const struct netwatch_found *found)
{
	const struct netwatch_vip *v = netwatch_find(leases->watch, &found->ip);
	const struct netwatch_vip *end = leases->watch->vips + leases->watch->vips_n;

	for (; v && v < end && ip_equal(&v->ip, &found->ip); v++)
		if (netwatch_is(leases->watch, v, found) &&
		    (leases->at[v->instance].claimed || v->native))
			return true;
	return false;
}

static void
remove_stray(struct leases *leases, const struct netwatch_found *found)
{
	char text[IP_STRLEN], name[IF_NAMESIZE] = "?";
	const struct netwatch_vip *v = netwatch_find(leases->watch, &found->ip);
	int error = vip_remove_found(leases->vips, found);

	if_indextoname(found->ifindex, name);
	if (error < 0)
		log_error("(%s) cannot remove %s/%u from %s: %s", name_of(leases, v->instance),
			  ip_format(&found->ip, text), found->prefix_len, name, strerror(-error));
	else
		log_warning("(%s) removed %s/%u from %s: it is ours, and we are not MASTER",
			    name_of(leases, v->instance), ip_format(&found->ip, text),
			    found->prefix_len, name);
}

void
leases_settle(struct leases *leases)
{
	for (size_t i = 0; i < leases->watch->found_n; i++)
		if (!is_allowed(leases, &leases->watch->found[i]))
			remove_stray(leases, &leases->watch->found[i]);
	for (uint32_t i = 0; i < leases->conf->instances_n; i++)
		leases->at[i].missing_n = leases->at[i].claimed ? count_missing(leases, i) : 0;
}

void
leases_confirm(struct leases *leases, uint32_t instance, bool master)
{
	struct lease *lease = &leases->at[instance];

	if (!lease->claimed || !lease->frozen)
		return;
	lease->frozen = false;
	if (!master) {
		leases_release(leases, instance);
		return;
	}
	lease->missing_n = count_missing(leases, instance);
	if (lease->missing_n > 0)
		restore(leases, instance, mono_now());
	else
		renew(leases, instance);
}

/* ---- the end of a worker ---- */

static void
resign(struct leases *leases, uint32_t instance)
{
	uint32_t interface = leases->conf->instances[instance].interface;
	const struct conf_instance *c = &leases->conf->instances[instance];
	const struct netwatch_link *link = netwatch_link(leases->watch, interface);
	const struct ip *source = &c->unicast_src;
	int fd = vrrp_socket(leases->sockets, interface, c->family)->fd;
	size_t sent = 0;

	if (source->family == AF_UNSPEC)
		source = c->family == AF_INET6 ? &link->primary6 : &link->primary;

	vip_remove(leases->vips, instance, 0, WILL_FIRST);
	if (fd >= 0 && source->family != AF_UNSPEC)
		sent = will_send(leases->conf, instance, fd, link->ifindex, source);
	log_notice("(%s) will executed: virtual addresses removed, priority 0 sent to %zu", c->name,
		   sent);
}

void
leases_execute_wills(struct leases *leases)
{
	/* Whoever waits for the priority 0 comes first, also before our own log line. */
	for (uint32_t i = 0; i < leases->conf->instances_n; i++)
		if (leases->at[i].lodged)
			resign(leases, i);
	for (uint32_t i = 0; i < leases->conf->instances_n; i++) {
		if (leases->at[i].lodged)
			vip_remove(leases->vips, i, WILL_FIRST, SIZE_MAX / 2);
		else if (leases->at[i].claimed)
			vip_remove(leases->vips, i, 0, SIZE_MAX / 2);
		announce_groups(leases->announcer, &leases->conf->instances[i], false);
		leases->at[i] = (struct lease){ 0 };
	}
}

size_t
leases_claimed(const struct leases *leases)
{
	size_t n = 0;

	for (size_t i = 0; i < leases->conf->instances_n; i++)
		n += leases->at[i].claimed;
	return n;
}
