/*
 * mutants.c - the product with one rule broken.  The linker (--wrap) puts these functions in front
 * of vrrpd's own; without a mutant they pass everything on.  What is broken elsewhere asks for
 * `mutant` itself: all of it is the simulation's, nothing is in the product.
 */
#include "sim.h"

#include "vrrpd/fsm.h"
#include "vrrpd/timing.h"

#include <string.h>

enum mutant mutant;

static const char *const names[MUTANT_N] = {
	[MUTANT_NONE] = "none",
	[MUTANT_UNDRAINED] = "undrained",
	[MUTANT_IMMORTAL] = "immortal",
	[MUTANT_SKEW] = "skew",
	[MUTANT_SKEWLESS] = "skewless",
	[MUTANT_UNFENCED] = "unfenced",
	[MUTANT_HURRIED] = "hurried",
	[MUTANT_DEAF_MASTER] = "deaf-master",
	[MUTANT_TIE] = "tie",
	[MUTANT_MEEK] = "meek",
	[MUTANT_UNLEARNED] = "unlearned",
	[MUTANT_UNDYING] = "undying",
	[MUTANT_UNFROZEN] = "unfrozen",
	[MUTANT_CREDULOUS] = "credulous",
	[MUTANT_UNRELEASED] = "unreleased",
	[MUTANT_HASTY] = "hasty",
	[MUTANT_EAGER] = "eager",
	[MUTANT_UNWILLING] = "unwilling",
};

const char *
mutant_name(enum mutant which)
{
	return names[which];
}

enum mutant
mutant_find(const char *name)
{
	enum mutant which = MUTANT_NONE;

	while (which < MUTANT_N && strcmp(names[which], name) != 0)
		which++;
	return which;
}

int64_t __real_vrrp_skew_ns(uint8_t version, uint8_t priority, uint32_t interval_cs);
int64_t __wrap_vrrp_skew_ns(uint8_t version, uint8_t priority, uint32_t interval_cs);
int64_t __wrap_vrrp_down_ns(uint8_t version, uint8_t priority, uint32_t interval_cs,
			    uint32_t adverts);
const struct vrrp_transition *__real_vrrp_transition(enum vrrp_state state, enum vrrp_event event);
const struct vrrp_transition *__wrap_vrrp_transition(enum vrrp_state state, enum vrrp_event event);
enum vrrp_event __real_vrrp_classify(const struct vrrp_self *me, const struct vrrp_advert *ad);
enum vrrp_event __wrap_vrrp_classify(const struct vrrp_self *me, const struct vrrp_advert *ad);

int64_t
__wrap_vrrp_skew_ns(uint8_t version, uint8_t priority, uint32_t interval_cs)
{
	if (mutant == MUTANT_SKEWLESS)
		return 0;
	return __real_vrrp_skew_ns(version, mutant == MUTANT_SKEW ? 255 - priority : priority,
				   interval_cs);
}

int64_t
__wrap_vrrp_down_ns(uint8_t version, uint8_t priority, uint32_t interval_cs, uint32_t adverts)
{
	return (mutant == MUTANT_HURRIED ? 1 : adverts) * vrrp_interval_ns(interval_cs) +
	       __wrap_vrrp_skew_ns(version, priority, interval_cs);
}

const struct vrrp_transition *
__wrap_vrrp_transition(enum vrrp_state state, enum vrrp_event event)
{
	static const struct vrrp_transition stay = { VRRP_STATE_MASTER, VRRP_DO_NOTHING };
	static struct vrrp_transition changed;
	const struct vrrp_transition *row = __real_vrrp_transition(state, event);

	if (!row)
		return NULL;
	changed = *row;
	if (state == VRRP_STATE_MASTER &&
	    ((mutant == MUTANT_UNFENCED && event == VRRP_EVENT_FENCE) ||
	     (mutant == MUTANT_DEAF_MASTER &&
	      (event == VRRP_EVENT_PEER_WINS || event == VRRP_EVENT_PEER_RETIRES))))
		return &stay;
	if (mutant == MUTANT_EAGER && state == VRRP_STATE_BACKUP && event == VRRP_EVENT_PEER_QUITS)
		return __real_vrrp_transition(state, VRRP_EVENT_DOWN_TIMER);
	if (mutant == MUTANT_UNLEARNED)
		changed.effects &= (uint16_t)~VRRP_DO_LEARN;
	return &changed;
}

enum vrrp_event
__wrap_vrrp_classify(const struct vrrp_self *me, const struct vrrp_advert *ad)
{
	enum vrrp_event event = __real_vrrp_classify(me, ad);

	if (mutant == MUTANT_TIE && me->state == VRRP_STATE_MASTER && ad->priority == me->priority)
		return VRRP_EVENT_PEER_LOSES;
	if (mutant == MUTANT_MEEK && me->state == VRRP_STATE_BACKUP &&
	    event == VRRP_EVENT_PEER_LOSES)
		return VRRP_EVENT_PEER_WINS;
	return event;
}
