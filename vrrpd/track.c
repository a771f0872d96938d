/*
 * track.c - trackers: link, address, proxy, check scripts, backends.
 *
 * Runs on the VRRP thread.  The health board is read here and nowhere else in this folder; its
 * cells are atomics that proxy threads write, so each is read once per decision.
 */
#include "vrrpd/track.h"

#include <stdarg.h>
#include <stdio.h>

/* A proxy thread silent for this long is stuck (ARCHITECTURE: "Stuck threads"). */
#define STUCK_NS (2 * NS_PER_S)

#define PRIORITY_OWNER 255

__attribute__((format(printf, 3, 4))) static void
say(char *why, size_t size, const char *format, ...)
{
	va_list args;

	if (why == NULL || size == 0)
		return;
	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
}

/* ------------------------------------------------------------------ scripts */

/* A replaced script asks whether the proxy serves. */
static void
look_at_replaced(struct vrrp_world *world, const struct conf_script *conf,
		 struct vrrp_script *script, struct mono now)
{
	bool found = world->proxy == HEALTH_PROXY_SERVING;
	uint32_t count;

	if (world->proxy == HEALTH_PROXY_STARTING && world->settling && !script->known)
		return;
	if (!script->known || found != script->seen) {
		script->seen = found;
		script->since = now;
	}
	if (!script->known) { /* as in keepalived, the first result counts at once */
		script->known = true;
		script->ok = found;
		return;
	}
	count = found ? conf->rise : conf->fall;
	if (mono_since_ms(now, script->since) >=
	    (int64_t)(count > 1 ? count - 1 : 0) * conf->interval_ms)
		script->ok = found;
}

void
vrrp_track_look(struct vrrp_world *world, struct mono now)
{
	world->proxy = health_proxy_state(world->board, now, STUCK_NS);
	for (size_t i = 0; i < world->conf->scripts_n; i++)
		if (world->conf->scripts[i].replaced)
			look_at_replaced(world, &world->conf->scripts[i], &world->scripts[i], now);
}

/* A replaced script says how the proxy's health counts, and so takes track_proxy's place. */
static bool
has_replaced_script(const struct conf *conf, const struct conf_instance *instance)
{
	for (size_t i = 0; i < instance->track[CONF_TRACK_SCRIPT].n; i++)
		if (conf->scripts[instance->track[CONF_TRACK_SCRIPT].at[i].index].replaced)
			return true;
	return false;
}

static const char *
proxy_trouble(enum health_proxy proxy)
{
	switch (proxy) {
	case HEALTH_PROXY_SERVING:
		break;
	case HEALTH_PROXY_STARTING:
		return "proxy is starting";
	case HEALTH_PROXY_LISTENER_LOST:
		return "proxy lost a listener";
	case HEALTH_PROXY_STUCK:
		return "a proxy thread is stuck";
	}
	return NULL;
}

/* ------------------------------------------------------------------ backends */

enum verdict { VERDICT_UNKNOWN, VERDICT_WELL, VERDICT_ILL };

/* A backend whose servers have not all been checked once says nothing yet. */
static enum verdict
judge_backend(const struct vrrp_world *world, const struct conf_track_backend *track,
	      uint32_t *usable)
{
	const struct health_backend *backend;

	*usable = 0;
	if (track->backend >= world->board->backends_n)
		return VERDICT_UNKNOWN;
	backend = &world->board->backends[track->backend];
	if (!atomic_load_explicit(&backend->settled, memory_order_acquire))
		return VERDICT_UNKNOWN;
	*usable = atomic_load_explicit(&backend->usable, memory_order_relaxed);
	return *usable >= (track->min ? track->min : 1) ? VERDICT_WELL : VERDICT_ILL;
}

bool
vrrp_track_moving(const struct vrrp_world *world, const struct conf_instance *conf)
{
	for (size_t i = 0; i < conf->track_backends_n; i++) {
		uint32_t index = conf->track_backends[i].backend;

		if (index < world->board->backends_n &&
		    atomic_load_explicit(&world->board->backends[index].in_transition,
					 memory_order_relaxed) != 0)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ priority */

/* The sum so far, and the first tracker that lowered it: what `why` names. */
struct sum {
	int total;
	bool collapsed;
	char cause[160];
};

/* keepalived's rule for one weighted tracker. */
static bool
add_weight(struct sum *sum, enum verdict verdict, int32_t weight, bool reverse)
{
	int change = reverse ? -weight : weight;

	if (verdict == VERDICT_UNKNOWN || (verdict == VERDICT_WELL) != (weight > 0))
		return false;
	sum->total += change;
	return change < 0 && sum->cause[0] == '\0';
}

static void
add_script(const struct vrrp_world *world, const struct conf_track *track, struct sum *sum)
{
	const struct vrrp_script *script = &world->scripts[track->index];
	enum verdict verdict = !script->known ? VERDICT_UNKNOWN
			       : script->ok   ? VERDICT_WELL
					      : VERDICT_ILL;

	if (track->weight != 0 && add_weight(sum, verdict, track->weight, track->reverse))
		snprintf(sum->cause, sizeof sum->cause, "script %.100s %s",
			 world->conf->scripts[track->index].name,
			 script->ok ? "succeeds" : "fails");
}

static void
add_backend(const struct vrrp_world *world, const struct conf_track_backend *track, struct sum *sum)
{
	const char *name = world->conf->proxies[track->backend].name;
	uint32_t usable;
	enum verdict verdict = judge_backend(world, track, &usable);

	if (track->weight != 0 ? !add_weight(sum, verdict, track->weight, false)
			       : verdict != VERDICT_ILL)
		return;
	if (track->weight == 0)
		sum->collapsed = true;
	if (sum->cause[0] != '\0')
		return;
	if (usable == 0)
		snprintf(sum->cause, sizeof sum->cause, "backend %.100s has no usable server",
			 name);
	else
		snprintf(sum->cause, sizeof sum->cause,
			 "backend %.100s has %u of %u usable servers", name, usable, track->min);
}

static int
clamp(int priority)
{
	return priority < 1 ? 1 : priority > PRIORITY_OWNER - 1 ? PRIORITY_OWNER - 1 : priority;
}

uint8_t
vrrp_track_priority(const struct vrrp_world *world, const struct conf_instance *conf, char *why,
		    size_t size)
{
	struct sum sum = { .total = conf->priority };

	say(why, size, "%s", "");
	if (conf->priority == PRIORITY_OWNER)
		return PRIORITY_OWNER;
	for (size_t i = 0; i < conf->track[CONF_TRACK_SCRIPT].n; i++)
		add_script(world, &conf->track[CONF_TRACK_SCRIPT].at[i], &sum);
	for (size_t i = 0; i < conf->track_backends_n; i++)
		add_backend(world, &conf->track_backends[i], &sum);
	sum.total = clamp(sum.total);
	/* So low that any healthy peer wins, and two broken nodes keep their order. */
	if (sum.collapsed)
		sum.total = 1 + (sum.total - 1) / 16;
	if (sum.cause[0] != '\0')
		say(why, size, "%s: priority %u -> %d", sum.cause, conf->priority, sum.total);
	else if (sum.total != conf->priority)
		say(why, size, "trackers are well: priority %u -> %d", conf->priority, sum.total);
	return (uint8_t)sum.total;
}

/* ------------------------------------------------------------------ faults */

static bool
link_fault(const struct vrrp_world *world, const struct conf_instance *conf,
	   const struct vrrp_link *link, char *why, size_t size)
{
	const char *name = world->conf->interfaces[conf->interface].name;
	char source[IP_STRLEN];

	if (!link->present)
		say(why, size, "interface %s does not exist", name);
	else if (!link->up)
		say(why, size, "link %s is down", name);
	else if (conf->unicast_src.family == AF_UNSPEC &&
		 vrrp_link_primary(link, conf->family)->family == AF_UNSPEC)
		say(why, size,
		    conf->family == AF_INET6
			    ? "interface %s has no link-local address to speak from"
			    : "interface %s has no address of its own",
		    name);
	else if (link->sources_lost & conf_instance_bit(world->conf, conf))
		say(why, size, "this host does not have the source address %s",
		    ip_format(&conf->unicast_src, source));
	else
		return false;
	return true;
}

/* A script without a weight: its failure (with `reverse`, its success) is a fault. */
static bool
script_fault(const struct vrrp_world *world, const struct conf_track *track, char *why, size_t size)
{
	const struct conf_script *conf = &world->conf->scripts[track->index];
	const struct vrrp_script *script = &world->scripts[track->index];
	const char *trouble;

	if (track->weight != 0 || !script->known || script->ok != track->reverse)
		return false;
	trouble = conf->replaced ? proxy_trouble(world->proxy) : NULL;
	say(why, size, "script %.100s %s%s%s", conf->name, script->ok ? "succeeds" : "fails",
	    trouble ? ": " : "", trouble ? trouble : "");
	return true;
}

bool
vrrp_track_fault(const struct vrrp_world *world, const struct conf_instance *conf,
		 const struct vrrp_link *link, char *why, size_t size)
{
	const char *trouble = proxy_trouble(world->proxy);

	if (link_fault(world, conf, link, why, size))
		return true;
	if (trouble != NULL && !conf->no_track_proxy && !has_replaced_script(world->conf, conf) &&
	    !(world->settling && world->proxy == HEALTH_PROXY_STARTING)) {
		say(why, size, "%s", trouble);
		return true;
	}
	for (size_t i = 0; i < conf->track[CONF_TRACK_SCRIPT].n; i++)
		if (script_fault(world, &conf->track[CONF_TRACK_SCRIPT].at[i], why, size))
			return true;
	return false;
}

/* Before its first result, a script that can cause a fault has not said whether it does. */
static bool
awaits_script(const struct vrrp_world *world, const struct conf_track *track)
{
	const struct vrrp_script *script = &world->scripts[track->index];

	return !script->known && !script->disabled &&
	       !world->conf->scripts[track->index].replaced && track->weight == 0;
}

bool
vrrp_track_waiting(const struct vrrp_world *world, const struct conf_instance *conf, char *why,
		   size_t size)
{
	if (!world->settling)
		return false;
	if (world->proxy == HEALTH_PROXY_STARTING &&
	    (!conf->no_track_proxy || has_replaced_script(world->conf, conf))) {
		say(why, size, "proxy is starting");
		return true;
	}
	for (size_t i = 0; i < conf->track[CONF_TRACK_SCRIPT].n; i++) {
		if (!awaits_script(world, &conf->track[CONF_TRACK_SCRIPT].at[i]))
			continue;
		say(why, size, "waiting for the first result of script %.100s",
		    world->conf->scripts[conf->track[CONF_TRACK_SCRIPT].at[i].index].name);
		return true;
	}
	for (size_t i = 0; i < conf->track_backends_n; i++) {
		const struct conf_track_backend *track = &conf->track_backends[i];
		uint32_t usable;

		if (track->backend < world->board->backends_n &&
		    judge_backend(world, track, &usable) == VERDICT_UNKNOWN) {
			say(why, size, "waiting for the first checks of backend %.100s",
			    world->conf->proxies[track->backend].name);
			return true;
		}
	}
	return false;
}
