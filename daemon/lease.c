/*
 * lease.c - see lease.h.  Runs on the guardian's loop; neither I/O nor clock in here.
 */
#include "daemon/lease.h"

#include "common/log.h"
#include "conf/match.h"
#include "daemon/estate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* VIPs removed before the priority 0 goes out: so many (one batch of netlink) take well under a
 * millisecond. */
#define WILL_FIRST 64

/* With permanent VIPs there is no lease to compare with. */
#define LATE_WITHOUT_LEASE_NS (1500 * NS_PER_MS)

int
leases_init(struct leases *leases, const struct conf *conf, const struct lease_ops *ops,
	    void *kernel, lease_tell_fn *tell, void *ctx)
{
	*leases = (struct leases){
		.conf = conf,
		.ops = ops,
		.kernel = kernel,
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
	leases->ops->join(leases->kernel, instance, true);
	leases->ops->announce(leases->kernel, instance,
			      leases->conf->instances[instance].garp_master_repeat);
}

void
leases_claim(struct leases *leases, uint32_t instance, struct mono now)
{
	struct lease *lease = &leases->at[instance];
	int error = leases->ops->put(leases->kernel, instance, false);

	lease->claimed = true;
	lease->frozen = false;
	lease->failing = error < 0;
	schedule(leases, instance, error, now);
	announce_take_over(leases, instance);
	leases->tell(leases->ctx, REQUEST_CLAIMED, instance, error, vips_n(leases, instance), now);
}

void
leases_release(struct leases *leases, uint32_t instance, struct mono now)
{
	int error = leases->ops->take(leases->kernel, instance, 0, SIZE_MAX / 2);

	leases->ops->join(leases->kernel, instance, false);
	leases->at[instance].claimed = false;
	leases->at[instance].frozen = false;
	leases->at[instance].rounds = 0;
	leases->tell(leases->ctx, REQUEST_RELEASED, instance, error, vips_n(leases, instance), now);
}

void
leases_ask_announce(struct leases *leases, uint32_t instance)
{
	if (!leases->at[instance].claimed)
		return;
	leases->at[instance].rounds++;
	leases->asked = true;
}

void
leases_announce(struct leases *leases)
{
	bool frozen = false;

	if (!leases->asked)
		return;
	for (uint32_t i = 0; i < leases->conf->instances_n; i++) {
		struct lease *lease = &leases->at[i];

		if (lease->rounds == 0)
			continue;
		if (lease->frozen) { /* the worker is asked whether it is still master */
			frozen = true;
			continue;
		}
		leases->ops->announce(leases->kernel, i, lease->rounds);
		lease->rounds = 0;
	}
	leases->asked = frozen;
}

void
leases_will(struct leases *leases, uint32_t instance, bool lodged)
{
	leases->at[instance].lodged = lodged;
}

/* ---- renewal ---- */

static void
renew(struct leases *leases, uint32_t instance, struct mono now)
{
	struct lease *lease = &leases->at[instance];
	int error = leases->ops->put(leases->kernel, instance, true);

	if (error < 0 && !lease->failing)
		log_error("(%s) cannot renew the lease of its virtual addresses: %s",
			  name_of(leases, instance), strerror(-error));
	if (error == 0 && lease->failing)
		announce_take_over(leases, instance); /* they were away */
	lease->failing = error < 0;
	schedule(leases, instance, error, now);
	leases->tell(leases->ctx, REQUEST_RENEWED, instance, error, vips_n(leases, instance), now);
}

void
leases_renew(struct leases *leases, struct mono now)
{
	for (uint32_t i = 0; i < leases->conf->instances_n; i++)
		if (lease_is_due(&leases->at[i], now))
			renew(leases, i, now);
}

/* ---- the guardian was late ---- */

static void
ask_confirm(struct leases *leases, uint32_t instance, struct mono now)
{
	leases->tell(leases->ctx, REQUEST_ASK_CONFIRM, instance, 0, vips_n(leases, instance), now);
}

void
leases_freeze(struct leases *leases, struct mono now)
{
	for (uint32_t i = 0; i < leases->conf->instances_n; i++) {
		if (!leases->at[i].claimed)
			continue;
		leases->at[i].frozen = true;
		ask_confirm(leases, i, now);
	}
}

/* ---- VIPs that are where they must not be, or not where they must ---- */

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
	int error = leases->ops->put(leases->kernel, instance, false);

	lease->missing_n = 0;
	lease->failing = error < 0;
	lease->restored = now;
	schedule(leases, instance, error, now);
	announce_take_over(leases, instance);
	log_warning("(%s) %u of its virtual addresses had been removed by someone else: %s",
		    name_of(leases, instance), n, error < 0 ? strerror(-error) : "put back");
	/* No lease will end to tell the worker that permanent ones are gone. */
	if (error < 0 && lease->due.ns == 0) {
		leases->tell(leases->ctx, REQUEST_CLAIMED, instance, error, n, now);
		return;
	}
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

void
leases_settle(struct leases *leases)
{
	leases->ops->sweep(leases->kernel, leases);
	for (uint32_t i = 0; i < leases->conf->instances_n; i++)
		leases->at[i].missing_n =
			leases->at[i].claimed ? leases->ops->missing(leases->kernel, i) : 0;
}

void
leases_confirm(struct leases *leases, uint32_t instance, bool master, struct mono now)
{
	struct lease *lease = &leases->at[instance];

	if (!lease->claimed || !lease->frozen)
		return;
	lease->frozen = false;
	if (!master) {
		leases_release(leases, instance, now);
		return;
	}
	lease->missing_n = leases->ops->missing(leases->kernel, instance);
	if (lease->missing_n > 0)
		restore(leases, instance, now);
	else
		renew(leases, instance, now);
}

/* ---- the end of a worker ---- */

static void
resign(struct leases *leases, uint32_t instance)
{
	size_t sent;

	leases->ops->take(leases->kernel, instance, 0, WILL_FIRST);
	sent = leases->ops->resign(leases->kernel, instance);
	log_notice("(%s) will executed: virtual addresses removed, priority 0 sent to %zu",
		   name_of(leases, instance), sent);
}

/* All that a resignation has left, or everything if there was no will. */
static void
let_go(struct leases *leases, uint32_t instance)
{
	const struct lease *lease = &leases->at[instance];

	if (lease->lodged)
		leases->ops->take(leases->kernel, instance, WILL_FIRST, SIZE_MAX / 2);
	else if (lease->claimed)
		leases->ops->take(leases->kernel, instance, 0, SIZE_MAX / 2);
	leases->ops->join(leases->kernel, instance, false);
	leases->at[instance] = (struct lease){ .yielded = lease->yielded };
}

void
leases_execute_wills(struct leases *leases)
{
	/* Whoever waits for the priority 0 comes first, also before our own log line. */
	for (uint32_t i = 0; i < leases->conf->instances_n; i++)
		if (leases->at[i].lodged)
			resign(leases, i);
	for (uint32_t i = 0; i < leases->conf->instances_n; i++)
		let_go(leases, i);
}

/* ---- from one configuration to the next ---- */

/* Takes away what the instance held and will not hold any more.  True if that was anything. */
static bool
take_dropped(struct leases *from, uint32_t old, const struct leases *leases, uint32_t new)
{
	const struct conf_instance *was = &from->conf->instances[old];
	bool any = false;

	for (size_t v = 0; v < was->vips_n; v++) {
		if (conf_has_vip(leases->conf, &leases->conf->instances[new], from->conf,
				 &was->vips[v]))
			continue;
		from->ops->take(from->kernel, old, v, 1);
		any = true;
	}
	return any;
}

static bool
has_more(const struct leases *leases, uint32_t new, const struct leases *from, uint32_t old)
{
	const struct conf_instance *is = &leases->conf->instances[new];

	for (size_t v = 0; v < is->vips_n; v++)
		if (!conf_has_vip(from->conf, &from->conf->instances[old], leases->conf,
				  &is->vips[v]))
			return true;
	return conf_lease_s(leases->conf, is) !=
	       conf_lease_s(from->conf, &from->conf->instances[old]);
}

static void
put_added(struct leases *leases, uint32_t instance, struct mono now)
{
	struct lease *lease = &leases->at[instance];
	int error = leases->ops->put(leases->kernel, instance, false);

	lease->failing = error < 0;
	schedule(leases, instance, error, now);
	announce_take_over(leases, instance);
}

bool
leases_adopt(struct leases *leases, struct leases *from, struct mono now)
{
	bool changed = false;

	leases->asked = from->asked;
	/* First what goes: an address may have moved from one instance to another. */
	for (uint32_t i = 0; i < from->conf->instances_n; i++) {
		uint32_t to = conf_match_instance(from->conf, i, leases->conf);

		if (to != CONF_NONE) {
			leases->at[to] = from->at[i];
			if (from->at[i].claimed)
				changed |= take_dropped(from, i, leases, to);
		} else if (from->at[i].claimed || from->at[i].lodged) {
			if (from->at[i].lodged)
				resign(from, i);
			let_go(from, i);
			changed = true;
		}
	}
	for (uint32_t i = 0; i < from->conf->instances_n; i++) {
		uint32_t to = conf_match_instance(from->conf, i, leases->conf);

		from->at[i] = (struct lease){ 0 };
		if (to == CONF_NONE || !leases->at[to].claimed)
			continue;
		leases->ops->join(leases->kernel, to, true);
		if (!has_more(leases, to, from, i))
			continue;
		put_added(leases, to, now);
		changed = true;
	}
	return changed;
}

void
leases_retell(struct leases *leases)
{
	for (uint32_t i = 0; i < leases->conf->instances_n; i++) {
		const struct lease *lease = &leases->at[i];

		if (lease->claimed && !lease->failing)
			leases->tell(leases->ctx, REQUEST_RENEWED, i, 0, vips_n(leases, i),
				     lease->renewed);
	}
}

void
leases_ask_again(struct leases *leases, struct mono now)
{
	for (uint32_t i = 0; i < leases->conf->instances_n; i++)
		if (leases->at[i].frozen)
			ask_confirm(leases, i, now);
}

size_t
leases_claimed(const struct leases *leases)
{
	size_t n = 0;

	for (size_t i = 0; i < leases->conf->instances_n; i++)
		n += leases->at[i].claimed;
	return n;
}

void
leases_estate(struct leases *leases, struct estate *e)
{
	estate_section(e, "leases");
	estate_bool(e, &leases->asked);
	estate_expect(e, leases->conf->instances_n);
	for (size_t i = 0; i < leases->conf->instances_n; i++) {
		struct lease *lease = &leases->at[i];

		estate_bool(e, &lease->claimed);
		estate_bool(e, &lease->frozen);
		estate_bool(e, &lease->lodged);
		estate_bool(e, &lease->yielded);
		estate_bool(e, &lease->failing);
		estate_u32(e, &lease->missing_n, UINT32_MAX);
		estate_u32(e, &lease->rounds, UINT32_MAX);
		estate_mono(e, &lease->renewed);
		estate_mono(e, &lease->due);
		estate_mono(e, &lease->restored);
	}
}
