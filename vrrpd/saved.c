/*
 * saved.c - what an engine knows, as bytes for the engine of the next worker.  VRRP thread.
 *
 * The bytes come from a process that clients and peers could have taken over: what must be within
 * bounds for the engine to be sane is checked.  A field that is to survive a reload is one word in
 * the lists below.
 */
#include "vrrpd/engine.h"
#include "vrrpd/tenure.h"

#include "common/fingerprint.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
#define INSTANCE_FIELDS(X)                                                                     \
	X(since) X(reason) X(priority) X(active_cs) X(source) X(timer.when) X(advertised)     \
	X(peer) X(peer_priority) X(peak) X(peer_heard) X(preempt_at)                           \
	X(garp) X(leased) X(renewed) X(trouble_error) X(retry.when)                            \
	X(adverts_sent) X(adverts_received) X(resigns_sent) X(resigns_received)                \
	X(became_master) X(vips_restored) X(fenced) X(overdue) X(list_differs)                 \
	X(interval_differs) X(drops) X(drop_logged) X(list_logged) X(interval_logged)
/* clang-format on */

/* Numbers that mean something only within bounds are apart. */
struct saved_instance {
	uint32_t state, use, trouble;
	uint32_t vips_held, will_lodged, ready, broken;
	uint32_t vrid, family;
	char interface[IF_NAMESIZE]; /* with the two above: which router this is */
	struct vrrp_instance rest;   /* only the fields of the list */
};

struct saved_script {
	uint32_t known, ok, disabled, seen;
	struct mono since;
};

_Static_assert(sizeof(struct saved_instance) <= VRRP_SAVED_MAX &&
		       sizeof(struct saved_script) <= VRRP_SAVED_MAX,
	       "there is room for what is saved");

uint64_t
vrrp_saved_layout(void)
{
#define X(field) #field " "
	static const char fields[] = INSTANCE_FIELDS(X);
#undef X
	uint64_t layout = fingerprint_add(FINGERPRINT_NONE, fields, sizeof fields);

	return fingerprint_number(layout, sizeof(struct saved_instance) << 16 |
						  sizeof(struct saved_script) << 8 | VRRP_STATE_N);
}

static const char *
interface_name(const struct vrrp_instance *inst)
{
	return inst->vrrp->conf->interfaces[inst->conf->interface].name;
}

size_t
vrrp_save(const struct vrrp *vrrp, uint32_t instance, void *saved)
{
	const struct vrrp_instance *inst = &vrrp->instances[instance];
	struct saved_instance s;

	memset(&s, 0, sizeof s);
	s.state = inst->state;
	s.use = inst->use;
	s.trouble = inst->trouble;
	s.vips_held = inst->vips_held;
	s.will_lodged = inst->will_lodged;
	s.ready = inst->ready;
	s.broken = inst->broken;
	s.vrid = inst->conf->vrid;
	s.family = inst->conf->family;
	snprintf(s.interface, sizeof s.interface, "%s", interface_name(inst));
#define X(field) memcpy(&s.rest.field, &inst->field, sizeof inst->field);
	INSTANCE_FIELDS(X)
#undef X
	memcpy(saved, &s, sizeof s);
	return sizeof s;
}

/* Can an instance be like this? */
static bool
is_sane(const struct saved_instance *s)
{
	bool holds = s->state == VRRP_STATE_MASTER || s->state == VRRP_STATE_RESIGNED;

	return s->state < VRRP_STATE_N && s->use <= VRRP_TIMER_USE_HOLD &&
	       s->trouble <= VRRP_TROUBLE_LEASE && s->vips_held == holds &&
	       s->will_lodged <= holds && s->rest.active_cs != 0 &&
	       memchr(s->rest.reason, '\0', sizeof s->rest.reason) != NULL;
}

/* With another VRID or on another interface it is another one, of which nothing is known. */
static bool
is_same(const struct saved_instance *s, const struct vrrp_instance *inst)
{
	return s->vrid == inst->conf->vrid && s->family == inst->conf->family &&
	       strncmp(s->interface, interface_name(inst), sizeof s->interface) == 0;
}

bool
vrrp_restore(struct vrrp *vrrp, uint32_t instance, const void *saved, size_t len)
{
	struct vrrp_instance *inst = &vrrp->instances[instance];
	struct ip source = inst->source;
	struct mono renewed = inst->renewed;
	struct saved_instance s;

	if (len != sizeof s)
		return false;
	memcpy(&s, saved, sizeof s);
	if (!is_sane(&s))
		return false;
	if (s.state == VRRP_STATE_INIT || !is_same(&s, inst))
		return true;
#define X(field) memcpy(&inst->field, &s.rest.field, sizeof inst->field);
	INSTANCE_FIELDS(X)
#undef X
	inst->state = (enum vrrp_state)s.state;
	inst->use = (enum vrrp_timer_use)s.use;
	inst->trouble = (enum vrrp_trouble)s.trouble;
	inst->vips_held = s.vips_held;
	inst->will_lodged = s.will_lodged;
	inst->ready = inst->sync && s.ready;
	inst->broken = s.broken != 0;
	/* What the file, the link or the guardian says now comes before what was. */
	if (mono_before(inst->renewed, renewed))
		inst->leased = inst->renewed = renewed;
	if (source.family != AF_UNSPEC)
		inst->source = source;
	if (inst->state == VRRP_STATE_MASTER || inst->conf->version == 2)
		inst->active_cs = inst->conf->advert_int_cs;
	return true;
}

/* ------------------------------------------------------------------ scripts */

size_t
vrrp_save_script(const struct vrrp *vrrp, uint32_t script, void *saved)
{
	const struct vrrp_script *from = &vrrp->world.scripts[script];
	struct saved_script s;

	memset(&s, 0, sizeof s);
	s.known = from->known;
	s.ok = from->ok;
	s.disabled = from->disabled;
	s.seen = from->seen;
	s.since = from->since;
	memcpy(saved, &s, sizeof s);
	return sizeof s;
}

bool
vrrp_restore_script(struct vrrp *vrrp, uint32_t script, const void *saved, size_t len)
{
	struct saved_script s;

	if (len != sizeof s)
		return false;
	memcpy(&s, saved, sizeof s);
	vrrp->world.scripts[script] = (struct vrrp_script){
		.known = s.known != 0,
		.ok = s.ok != 0,
		.disabled = s.disabled != 0,
		.seen = s.seen != 0,
		.since = s.since,
	};
	return true;
}

/* ------------------------------------------------------------------ standing still */

void
vrrp_freeze(struct vrrp *vrrp)
{
	vrrp->frozen = true;
	timer_disarm(vrrp->timers, &vrrp->begin);
	for (size_t i = 0; i < vrrp->conf->instances_n; i++)
		vrrp_instance_freeze(&vrrp->instances[i]);
}
