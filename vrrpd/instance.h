/*
 * instance.h - one virtual router: the runner of the state table.
 *
 * Entered through the doors below and its own timers only; nobody else steps it.  Internal to
 * vrrpd: the daemon sees vrrpd/vrrp.h.
 */
#pragma once

#include "vrrpd/garp.h"
#include "vrrpd/packet.h"

#define VRRP_PRIORITY_LEAST 1
#define VRRP_PRIORITY_OWNER 255 /* RFC 9568 section 5.2.4 */

/* What the instance's one timer is armed for. */
enum vrrp_timer_use {
	VRRP_TIMER_USE_NONE,
	VRRP_TIMER_USE_DOWN,
	VRRP_TIMER_USE_ADVERT,
	VRRP_TIMER_USE_HOLD,
};

/* Why the guardian keeps an instance in FAULT. */
enum vrrp_trouble {
	VRRP_TROUBLE_NONE,
	VRRP_TROUBLE_CLAIM, /* the VIPs could not be added; tried again after a while */
	VRRP_TROUBLE_LEASE, /* nobody renews the VIPs; over when the guardian is heard again */
};

#define VRRP_WHY_LEN 256

struct vrrp_instance {
	struct vrrp *vrrp;
	const struct conf_instance *conf;
	uint32_t index;

	enum vrrp_state state;
	struct mono since;
	char reason[VRRP_WHY_LEN]; /* of the last transition */
	uint8_t priority;          /* effective */
	uint32_t active_cs;        /* interval of the master, ours or learnt (v3) */
	struct ip source;          /* kept when the link loses it, for a last priority 0 */
	struct timer timer;
	enum vrrp_timer_use use;
	struct mono advertised; /* last advertisement of ours, or change of state after it */
	bool overdue_now; /* an advertisement was held back: this turn must be the last as MASTER */

	/* the master, or whoever advertised last */
	struct ip peer;
	uint8_t peer_priority, peak;
	struct mono peer_heard;
	enum vrrp_yield yielded; /* why it takes mastership only if nobody else will have it */
	bool leaving;            /* stops for good, though the others go on */
	struct mono preempt_at;  /* end of preempt_delay; 0 = not running */

	/* Another of the same id, family and interface, told apart by whom it hears; NULL = none. */
	struct vrrp_instance *namesake;

	struct vrrp_sync *sync; /* its group; NULL = none */
	bool ready;             /* BACKUP with no master above it: waits for the group's others */
	bool broken, mended;    /* by a fault of its own; which has just ended */

	/* tenure.c: the time between claim and release */
	bool vips_held, will_lodged;
	struct timer announce, lease;
	struct vrrp_garp garp;
	struct mono leased;  /* claim or last renewal */
	struct mono renewed; /* last renewal; 0 = none */
	enum vrrp_trouble trouble;
	int trouble_error;
	struct timer retry;

	/* auth_hmac; NULL = none */
	struct vrrp_hmac *hmac;
	struct vrrp_hmac_mark *marks; /* the first is for what we sign */
	uint64_t unsigned_taken;
	uint8_t peer_key;
	int32_t peer_ahead_s;
	bool unsigned_told;
	struct mono clock_logged, unsigned_logged;

	uint64_t adverts_sent, adverts_received, resigns_sent, resigns_received, became_master,
		vips_restored, fenced, overdue, list_differs, interval_differs;
	uint64_t drops[VRRP_DROP_N];
	struct mono drop_logged[VRRP_DROP_N], list_logged, interval_logged;
};

/* 0, or -ENOMEM when there is none for the keys of auth_hmac. */
int vrrp_instance_init(struct vrrp_instance *inst, struct vrrp *vrrp, uint32_t index);
void vrrp_instance_fini(struct vrrp_instance *inst);

/* Nothing happens by itself any more, until it is armed again. */
void vrrp_instance_freeze(struct vrrp_instance *inst);
/* Arms what was armed when it was frozen or saved. */
void vrrp_instance_rearm(struct vrrp_instance *inst);

/* An advertisement that passed every check. */
void vrrp_instance_on_advert(struct vrrp_instance *inst, const struct vrrp_advert *ad,
			     struct mono now);

/* Link, health, priority or the guardian's answers may have changed. */
void vrrp_instance_on_fact(struct vrrp_instance *inst, struct mono now);

/* Was this thread away for longer than the down interval of this master?  Then a peer has taken
 * over: steps down without sending anything.  Returns whether it did. */
bool vrrp_instance_fence(struct vrrp_instance *inst, struct mono now);

void vrrp_instance_stop(struct vrrp_instance *inst, const char *why, struct mono now);

/* As vrrp_yield and vrrp_leave. */
void vrrp_instance_yield(struct vrrp_instance *inst, enum vrrp_yield yield, struct mono now);
void vrrp_instance_leave(struct vrrp_instance *inst, bool leave, struct mono now);

/* Anything that keeps it from taking part, be it another member of its group?  `why` says what. */
bool vrrp_instance_fault(const struct vrrp_instance *inst, char *why, size_t size);
bool vrrp_instance_waiting(const struct vrrp_instance *inst, char *why, size_t size);

/* ------------------------------------------------------------------ for the group it is in */

/* The same about this instance alone. */
bool vrrp_instance_own_fault(const struct vrrp_instance *inst, char *why, size_t size);
bool vrrp_instance_own_waiting(const struct vrrp_instance *inst, char *why, size_t size);

void vrrp_instance_step(struct vrrp_instance *inst, enum vrrp_event event, const char *reason,
			struct mono now);

/* Into FAULT, and out of INIT or FAULT; nothing where the state is another. */
void vrrp_instance_break(struct vrrp_instance *inst, const char *why, struct mono now);
void vrrp_instance_mend(struct vrrp_instance *inst, struct mono now);

void vrrp_instance_set_priority(struct vrrp_instance *inst, struct mono now);

/* A backup's silence counts from now. */
void vrrp_instance_listen(struct vrrp_instance *inst, struct mono now);

/* The intervals in force. */
int64_t vrrp_instance_down_ns(const struct vrrp_instance *inst);
int64_t vrrp_instance_skew_ns(const struct vrrp_instance *inst);

/* Was the peer heard recently enough to count as alive? */
bool vrrp_instance_peer_alive(const struct vrrp_instance *inst, struct mono now);
