/*
 * track.c - trackers: links, address, proxy, check scripts, files, processes, backends.
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
#define PRIORITY_RANGE 253 /* between the least and the most that is no owner's */

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

	if (world->proxy == HEALTH_PROXY_STARTING && world->settling)
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

/* ------------------------------------------------------------------ what has a name */

enum verdict { VERDICT_UNKNOWN, VERDICT_WELL, VERDICT_ILL };

static enum verdict
judge(const struct vrrp_world *world, enum conf_track_kind kind, uint32_t index)
{
	bool known = true, well = false;

	switch (kind) {
	case CONF_TRACK_SCRIPT:
		known = world->scripts[index].known;
		well = world->scripts[index].ok;
		break;
	case CONF_TRACK_INTERFACE:
		well = world->links[index].present && world->links[index].up;
		break;
	case CONF_TRACK_FILE:
		known = world->files[index].known;
		well = world->files[index].value == 0;
		break;
	case CONF_TRACK_PROCESS:
		known = world->processes[index].known;
		well = world->processes[index].enough;
		break;
	case CONF_TRACK_N:
		break;
	}
	return !known ? VERDICT_UNKNOWN : well ? VERDICT_WELL : VERDICT_ILL;
}

/* What the value in a file adds to the priority; below -PRIORITY_RANGE it is a fault. */
static int
file_weight(const struct vrrp_file *file, const struct conf_track *track)
{
	int64_t weight = (int64_t)file->value * track->weight;

	if (track->reverse)
		weight = -weight;
	if (!file->known)
		return 0;
	return weight > PRIORITY_RANGE    ? PRIORITY_RANGE
	       : weight < -PRIORITY_RANGE ? -PRIORITY_RANGE - 1
					  : (int)weight;
}

static void
describe_script(const struct vrrp_world *world, uint32_t index, char *why, size_t size)
{
	const struct conf_script *conf = &world->conf->scripts[index];
	bool ok = world->scripts[index].ok;
	const char *trouble = conf->replaced && !ok ? proxy_trouble(world->proxy) : NULL;

	say(why, size, "script %.100s %s%s%s", conf->name, ok ? "succeeds" : "fails",
	    trouble ? ": " : "", trouble ? trouble : "");
}

/* "script chk fails", "link eth2 is down": as it is now, be that good or bad. */
static void
describe(const struct vrrp_world *world, enum conf_track_kind kind, uint32_t index, char *why,
	 size_t size)
{
	const struct conf *conf = world->conf;

	switch (kind) {
	case CONF_TRACK_SCRIPT:
		describe_script(world, index, why, size);
		break;
	case CONF_TRACK_INTERFACE:
		if (world->links[index].present)
			say(why, size, "link %s is %s", conf->interfaces[index].name,
			    world->links[index].up ? "up" : "down");
		else
			say(why, size, "interface %s does not exist", conf->interfaces[index].name);
		break;
	case CONF_TRACK_FILE:
		say(why, size, "file %.100s says %d", conf->track_files[index].name,
		    world->files[index].value);
		break;
	case CONF_TRACK_PROCESS:
		say(why, size, "process %.100s: %u running", conf->track_processes[index].name,
		    world->processes[index].running);
		break;
	case CONF_TRACK_N:
		break;
	}
}

/* ------------------------------------------------------------------ backends */

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
	for (size_t i = 0; i < conf->track_backends.n; i++) {
		uint32_t index = conf->track_backends.at[i].backend;

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

/* Returns whether it is the first to lower the sum. */
static bool
add(struct sum *sum, int change)
{
	sum->total += change;
	return change < 0 && sum->cause[0] == '\0';
}

/* keepalived's rule for one weighted tracker. */
static bool
add_weight(struct sum *sum, enum verdict verdict, int32_t weight, bool reverse)
{
	if (verdict == VERDICT_UNKNOWN || (verdict == VERDICT_WELL) != (weight > 0))
		return false;
	return add(sum, reverse ? -weight : weight);
}

static void
add_track(const struct vrrp_world *world, enum conf_track_kind kind, const struct conf_track *track,
	  struct sum *sum)
{
	bool lowers;

	if (track->weight == 0)
		return;
	if (kind == CONF_TRACK_FILE)
		lowers = add(sum, file_weight(&world->files[track->index], track));
	else
		lowers = add_weight(sum, judge(world, kind, track->index), track->weight,
				    track->reverse);
	if (lowers)
		describe(world, kind, track->index, sum->cause, sizeof sum->cause);
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
	for (int kind = 0; kind < CONF_TRACK_N; kind++)
		for (size_t i = 0; i < conf->track[kind].n; i++)
			add_track(world, (enum conf_track_kind)kind, &conf->track[kind].at[i],
				  &sum);
	for (size_t i = 0; i < conf->track_backends.n; i++)
		add_backend(world, &conf->track_backends.at[i], &sum);
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
link_fault(const struct vrrp_world *world, const struct conf_instance *conf, char *why, size_t size)
{
	const struct vrrp_link *link = &world->links[conf->interface];
	const char *name = world->conf->interfaces[conf->interface].name;
	char source[IP_STRLEN];

	if (!link->present)
		say(why, size, "interface %s does not exist", name);
	else if (!link->up && !conf->dont_track_primary)
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

/* Where the addresses would be, and advertisements leave from. */
static bool
vmac_fault(const struct vrrp_world *world, const struct conf_instance *conf, char *why, size_t size)
{
	const struct vrrp_link *link = &world->links[conf->vmac];
	const char *name = world->conf->interfaces[conf->vmac].name;

	if (!conf->use_vmac || (link->present && (link->up || conf->dont_track_primary)))
		return false;
	if (link->present)
		say(why, size, "link %s is down", name);
	else
		say(why, size, "interface %s does not exist", name);
	return true;
}

/* Without a weight a failure (with `reverse`, a success) is a fault; so is a file that says far too
 * little. */
static bool
track_fault(const struct vrrp_world *world, enum conf_track_kind kind,
	    const struct conf_track *track, char *why, size_t size)
{
	enum verdict wrong = track->reverse ? VERDICT_WELL : VERDICT_ILL;

	if (track->weight == 0 ? judge(world, kind, track->index) != wrong
			       : kind != CONF_TRACK_FILE || file_weight(&world->files[track->index],
									track) >= -PRIORITY_RANGE)
		return false;
	describe(world, kind, track->index, why, size);
	return true;
}

bool
vrrp_track_fault(const struct vrrp_world *world, const struct conf_instance *conf, char *why,
		 size_t size)
{
	const char *trouble = proxy_trouble(world->proxy);

	if (link_fault(world, conf, why, size) || vmac_fault(world, conf, why, size))
		return true;
	if (trouble != NULL && !conf->no_track_proxy && !has_replaced_script(world->conf, conf) &&
	    !(world->settling && world->proxy == HEALTH_PROXY_STARTING)) {
		say(why, size, "%s", trouble);
		return true;
	}
	for (int kind = 0; kind < CONF_TRACK_N; kind++)
		for (size_t i = 0; i < conf->track[kind].n; i++)
			if (track_fault(world, (enum conf_track_kind)kind, &conf->track[kind].at[i],
					why, size))
				return true;
	return false;
}

/* Before its first result, what can cause a fault has not said whether it does.  A file or a process
 * is looked at soon, whatever it weighs. */
static bool
awaits(const struct vrrp_world *world, enum conf_track_kind kind, const struct conf_track *track)
{
	if (judge(world, kind, track->index) != VERDICT_UNKNOWN)
		return false;
	return kind != CONF_TRACK_SCRIPT ||
	       (track->weight == 0 && !world->scripts[track->index].disabled &&
		!world->conf->scripts[track->index].replaced);
}

/* What has a name. */
static bool
awaits_any(const struct vrrp_world *world, const struct conf_instance *instance, char *why,
	   size_t size)
{
	static const char *const first[CONF_TRACK_N] = {
		[CONF_TRACK_SCRIPT] = "the first result of script",
		[CONF_TRACK_INTERFACE] = "interface",
		[CONF_TRACK_FILE] = "the first value of file",
		[CONF_TRACK_PROCESS] = "the first look at process",
	};

	for (int kind = 0; kind < CONF_TRACK_N; kind++)
		for (size_t i = 0; i < instance->track[kind].n; i++) {
			const struct conf_track *track = &instance->track[kind].at[i];

			if (!awaits(world, (enum conf_track_kind)kind, track))
				continue;
			say(why, size, "waiting for %s %.100s", first[kind],
			    conf_track_name(world->conf, (enum conf_track_kind)kind, track->index));
			return true;
		}
	return false;
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
	if (awaits_any(world, conf, why, size))
		return true;
	for (size_t i = 0; i < conf->track_backends.n; i++) {
		const struct conf_track_backend *track = &conf->track_backends.at[i];
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
