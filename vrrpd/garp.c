/*
 * garp.c - the schedule of gratuitous ARP and unsolicited neighbour advertisements: keepalived's
 * garp_* directives, and what a lease adds to them.
 *
 * Pure.  keepalived announces garp_master_repeat times on becoming master and again after
 * garp_master_delay, garp_lower_prio_repeat times whenever a lower priority is heard and again after
 * garp_lower_prio_delay, and refreshes.  That leaves open who has the last word after a split, or
 * while a dead node's kernel still answers for the VIP: so a round follows every 500 ms until that
 * is over.  The first comes soon where another is known to speak at this moment: who has a lower
 * priority may announce the VIPs just after our answer to it, before it has heard us; and with a
 * virtual MAC the old master answers our gratuitous ARP, and the switches believe that answer.
 */
#include "vrrpd/garp.h"

#define ROUND_MS 500
#define SOON_MS  50
#define PAUSE_MS 1000

static const struct mono never = { 0 };

/* `ms` from now; 0 = never. */
static struct mono
after(struct mono now, uint32_t ms)
{
	return ms ? mono_add_ms(now, ms) : never;
}

static bool
is_due(struct mono when, struct mono now)
{
	return when.ns != 0 && !mono_before(now, when);
}

/* The earlier of two moments, 0 meaning never. */
static struct mono
earlier(struct mono a, struct mono b)
{
	if (a.ns == 0 || b.ns == 0)
		return a.ns == 0 ? b : a;
	return mono_before(a, b) ? a : b;
}

/* Rounds for as long as at the beginning. */
static void
repeat(struct vrrp_garp *garp, int64_t span_ns, struct mono now)
{
	garp->round = span_ns ? mono_add_ms(now, ROUND_MS) : never;
	garp->round_until = mono_add_ms(mono_add_ns(now, span_ns), ROUND_MS);
}

static void
repeat_soon(struct vrrp_garp *garp, int64_t span_ns, struct mono now)
{
	repeat(garp, span_ns, now);
	if (garp->round.ns)
		garp->round = mono_add_ms(now, SOON_MS);
}

void
vrrp_garp_begin(struct vrrp_garp *garp, const struct conf_instance *conf, int64_t span_ns,
		struct mono now)
{
	*garp = (struct vrrp_garp){
		.delayed = after(now, conf->garp_master_delay_ms),
		.refresh = after(now, conf->garp_master_refresh_ms),
	};
	if (conf->use_vmac)
		repeat_soon(garp, span_ns, now);
	else
		repeat(garp, span_ns, now);
}

void
vrrp_garp_resume(struct vrrp_garp *garp, const struct conf_instance *conf, struct mono now)
{
	garp->refresh = conf->garp_master_refresh_ms
				? earlier(garp->refresh, after(now, conf->garp_master_refresh_ms))
				: never;
}

static bool
counts(struct vrrp_garp *garp, struct mono now)
{
	if (garp->provoked.ns != 0 && mono_since_ms(now, garp->provoked) < PAUSE_MS)
		return false;
	garp->provoked = now;
	return true;
}

uint32_t
vrrp_garp_restored(struct vrrp_garp *garp, int64_t span_ns, struct mono now)
{
	if (!counts(garp, now))
		return 0;
	repeat(garp, span_ns, now);
	return 1;
}

uint32_t
vrrp_garp_lower(struct vrrp_garp *garp, const struct conf_instance *conf, int64_t span_ns,
		struct mono now)
{
	if (conf->garp_lower_prio_repeat == 0 || !counts(garp, now))
		return 0;
	garp->lower = after(now, conf->garp_lower_prio_delay_ms);
	repeat_soon(garp, span_ns, now);
	return conf->garp_lower_prio_repeat;
}

uint32_t
vrrp_garp_due(struct vrrp_garp *garp, const struct conf_instance *conf, struct mono now)
{
	uint32_t rounds = 0;

	if (is_due(garp->round, now)) {
		rounds++;
		garp->round = mono_add_ms(now, ROUND_MS);
		if (mono_before(garp->round_until, garp->round))
			garp->round = never;
	}
	if (is_due(garp->refresh, now)) {
		rounds += conf->garp_master_refresh_repeat;
		garp->refresh = mono_add_ms(now, conf->garp_master_refresh_ms);
	}
	if (is_due(garp->delayed, now)) {
		rounds += conf->garp_master_repeat;
		garp->delayed = never;
	}
	if (is_due(garp->lower, now)) {
		rounds += conf->garp_lower_prio_repeat;
		garp->lower = never;
	}
	return rounds;
}

bool
vrrp_pace_take(struct vrrp_pace *pace, int64_t interval_ns, struct mono now)
{
	if (interval_ns == 0)
		return true;
	if (mono_before(now, pace->next))
		return false;
	if (pace->next.ns == 0 || mono_since(now, pace->next) > VRRP_PACE_SLACK_NS)
		pace->next = now;
	pace->next = mono_add_ns(pace->next, interval_ns);
	return true;
}

struct mono
vrrp_garp_next(const struct vrrp_garp *garp)
{
	return earlier(earlier(garp->round, garp->delayed), earlier(garp->lower, garp->refresh));
}
