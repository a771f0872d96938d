/*
 * vrrp.h - all instances of a node: what the daemon sees of this folder.
 *
 * Runs on the worker's VRRP thread.  Nothing in here touches a socket, netlink or the wall clock:
 * what an instance wants of the world goes through struct vrrp_ops, what happens to it comes in
 * through vrrp_receive, vrrp_wake, the timers it armed in `timers`, and the facts told by
 * vrrp_link, vrrp_health, vrrp_renewed.  A simulation can therefore drive the very same code.
 */
#pragma once

#include "common/health.h"
#include "common/timer.h"
#include "conf/model.h"
#include "vrrpd/fsm.h"

struct vrrp;
struct vrrp_hmac_mark;

/* Told beside transitions. */
enum vrrp_aside {
	VRRP_ASIDE_LOWER_HEARD,     /* a master heard an advertisement of lower priority */
	VRRP_ASIDE_MASTER_PRIORITY, /* the effective priority of a master has changed … */
	VRRP_ASIDE_BACKUP_PRIORITY, /* … or of a backup */
};

/* What instances ask of the world.  None may block or call back into vrrp; `instance` is an index
 * of the configuration. */
struct vrrp_ops {
	/* Sends one advertisement (bytes of the VRRP PDU) to the instance's peers or group. */
	void (*send)(void *ctx, uint32_t instance, const struct ip *source, const struct ip *to,
		     const void *pdu, size_t len);
	/* Adds the VIPs under a lease and announces them; vrrp_claimed answers. */
	void (*claim)(void *ctx, uint32_t instance);
	void (*release)(void *ctx, uint32_t instance);
	/* One round of gratuitous ARP / unsolicited NA for each VIP. */
	void (*announce)(void *ctx, uint32_t instance);
	/* The will holds from now on (priority-0 advertisement for peers), or no longer. */
	void (*lodge_will)(void *ctx, uint32_t instance, bool lodged);
	/* Delivers every advertisement that already waits in a receive queue (by vrrp_receive):
	 * called before a down timer may promote, and on self-fencing. */
	void (*drain)(void *ctx);
	/* After each transition, once everything else is done: log, journal, notify. */
	void (*transition)(void *ctx, const struct vrrp_transition_note *note);
	/* The time of day, in nanoseconds since 1970: for auth_hmac, without which it may be NULL. */
	int64_t (*wall_ns)(void *ctx);
	/* Optional: a sync group as a whole is in another state, after its members. */
	void (*group)(void *ctx, uint32_t group, enum vrrp_state state);
	/* Optional: what is no transition and of interest to notify scripts. */
	void (*aside)(void *ctx, uint32_t instance, enum vrrp_aside aside, uint8_t priority);
};

/* `conf`, `board` and `timers` outlive the engine.  Instances begin in INIT. */
struct vrrp *vrrp_new(const struct conf *conf, const struct health_board *board,
		      struct timer_heap *timers, const struct vrrp_ops *ops, void *ctx);
void vrrp_free(struct vrrp *vrrp); /* NULL is fine; sends and releases nothing */

/*
 * What auth_hmac has used and seen (vrrpd/auth_hmac.h): how many marks all instances need together,
 * where those of one begin, and memory for them that outlasts this process.  Before vrrp_start;
 * without it they are the engine's own and end with it.
 */
size_t vrrp_marks_n(const struct conf *conf);
size_t vrrp_marks_at(const struct conf *conf, uint32_t instance);
void vrrp_keep_marks(struct vrrp *vrrp, struct vrrp_hmac_mark *marks);

/* INIT -> MASTER (owner) / BACKUP / FAULT, after vrrp_startup_delay and vrrp_delay_after_boot; links
 * must have been told. */
void vrrp_start(struct vrrp *vrrp, struct mono now);

/* One received IPv4 datagram, header included, as a raw socket delivers it. */
void vrrp_receive(struct vrrp *vrrp, uint32_t interface, const void *packet, size_t len,
		  struct mono now);

/* One received IPv6 message: a raw socket keeps the header to itself and tells beside the message
 * what was in it.  What it did not tell is AF_UNSPEC. */
struct vrrp_datagram {
	struct ip source, destination;
	uint8_t hop_limit;
	const void *pdu;
	size_t pdu_len;
};
void vrrp_receive6(struct vrrp *vrrp, uint32_t interface, const struct vrrp_datagram *datagram,
		   struct mono now);

/* Asked (and counted) right before sending: has the present turn lasted so long by `now` that a peer
 * may have taken over since our last advertisement?  Then nothing may leave any more; the next turn
 * fences. */
bool vrrp_overdue(struct vrrp *vrrp, uint32_t instance, struct mono now);

/* First thing of every turn of the loop: notices that this thread was away for longer than a
 * master's own down interval, and fences (drain, step down, re-elect). */
void vrrp_wake(struct vrrp *vrrp, struct mono now);

struct vrrp_link {
	bool present, up;  /* up: IFF_UP and carrier (IFF_RUNNING) */
	struct ip primary; /* first IPv4 address that is not a VIP of ours; AF_UNSPEC = none */
	uint32_t mtu;
	struct ip primary6;    /* first link-local one likewise */
	uint64_t sources_lost; /* conf_instance_bit of those whose unicast_src the host lacks */
	uint8_t mac[6];
};

/* Where an instance's advertisements come from if the file does not say. */
static inline const struct ip *
vrrp_link_primary(const struct vrrp_link *link, uint8_t family)
{
	return family == AF_INET6 ? &link->primary6 : &link->primary;
}

/* The interface's present facts, at start and on every change. */
void vrrp_link(struct vrrp *vrrp, uint32_t interface, const struct vrrp_link *link,
	       struct mono now);

/* The health board rang, or the periodic look at it is due: every 250 ms or so, since a stuck thread
 * rings no bell.  Between two calls the proxy counts as what the last one found. */
void vrrp_health(struct vrrp *vrrp, struct mono now);

/* A check script of the configuration (one that is not `replaced`) has settled on a result, its
 * rise and fall applied.  Until told, a script with init_fail counts as failed, any other neither
 * way. */
void vrrp_script_result(struct vrrp *vrrp, uint32_t script, bool ok, struct mono now);
/* It cannot be run: from now on it counts neither way, and nothing waits for it. */
void vrrp_script_disabled(struct vrrp *vrrp, uint32_t script, struct mono now);

/* The number in a tracked file; 0 if there is none. */
void vrrp_file_value(struct vrrp *vrrp, uint32_t file, int32_t value, struct mono now);
/* How many processes match. */
void vrrp_process_count(struct vrrp *vrrp, uint32_t process, uint32_t running, struct mono now);

/* The guardian's answers.  error: 0 or -errno of the first VIP that could not be added. */
void vrrp_claimed(struct vrrp *vrrp, uint32_t instance, int error, struct mono now);
/* Nothing of the instance is held any more: the guardian is alive (an instance that went to FAULT
 * for want of renewals may come back). */
void vrrp_released(struct vrrp *vrrp, uint32_t instance, struct mono now);
/* Every VIP of the instance was renewed at `at`. */
void vrrp_renewed(struct vrrp *vrrp, uint32_t instance, struct mono at);
/* The guardian found VIPs gone and put them back. */
void vrrp_restored(struct vrrp *vrrp, uint32_t instance, uint32_t vips_n, struct mono now);
/* The guardian's loop was late; is this instance master, the receive queue drained?  The answer
 * permits (true) or forbids renewal. */
bool vrrp_confirm(struct vrrp *vrrp, uint32_t instance, struct mono now);

enum vrrp_yield {
	VRRP_YIELD_NOT,      /* takes part as ever */
	VRRP_YIELD_RESIGNED, /* by the administrator, until told to resume */
	VRRP_YIELD_PROBATION, /* after workers that died young, until this one has lived for a while */
};

/*
 * A planned resignation: hands over as vrrp_stop does, but stays as a backup that takes mastership
 * only when nobody else does.  If nobody takes over within a second the VIPs are not let go of.
 * May be told before the start.  A sync group moves as one: all its members are to be told, at once.
 */
void vrrp_yield(struct vrrp *vrrp, uint32_t instance, enum vrrp_yield yield, struct mono now);

/* The instance stops as by vrrp_stop, the others go on; false: it may take part again. */
void vrrp_leave(struct vrrp *vrrp, uint32_t instance, bool leave, struct mono now);

/* Leaves mastership for good, make before break: priority 0, VIPs kept until the peer's first
 * advertisement, at most 1 s.  vrrp_stopped is true once no instance holds a VIP. */
void vrrp_stop(struct vrrp *vrrp, struct mono now, const char *why);
bool vrrp_stopped(const struct vrrp *vrrp);

/* When the last lease of the VIPs held now ends if nobody renews it; 0: none is held, or for ever. */
struct mono vrrp_lapse(const struct vrrp *vrrp);

/*
 * From one engine to the next, on a reload: the first is frozen and saved, the second is restored
 * and then resumes; or the first thaws and goes on.  Frozen, an engine only listens to facts.
 */
void vrrp_freeze(struct vrrp *vrrp);
void vrrp_thaw(struct vrrp *vrrp, struct mono now);
/* Instead of vrrp_start: what was restored goes on, the rest begins without a delay. */
void vrrp_resume(struct vrrp *vrrp, struct mono now);

/* An instance or a script as bytes, at most VRRP_SAVED_MAX; how many.  They mean something to whoever
 * has the same vrrp_saved_layout, a fingerprint. */
#define VRRP_SAVED_MAX 4096
uint64_t vrrp_saved_layout(void);
size_t vrrp_save(const struct vrrp *vrrp, uint32_t instance, void *saved);
size_t vrrp_save_script(const struct vrrp *vrrp, uint32_t script, void *saved);
/* Before vrrp_resume; the links must have been told.  What had not begun, or is another router now,
 * begins anew.  False: damaged, and then nothing is as the guardian has it. */
bool vrrp_restore(struct vrrp *vrrp, uint32_t instance, const void *saved, size_t len);
bool vrrp_restore_script(struct vrrp *vrrp, uint32_t script, const void *saved, size_t len);

/* keepalived's line for a transition, "(VI_1) Entering MASTER STATE"; returns `buf`. */
const char *vrrp_transition_text(const struct conf *conf, const struct vrrp_transition_note *note,
				 char *buf, size_t size);

/* ------------------------------------------------------------------ for status */

enum vrrp_drop {
	/* in the order of the checks; the names are in vrrp_drop_name */
	VRRP_DROP_IP_HEADER,
	VRRP_DROP_TTL,
	VRRP_DROP_LENGTH,
	VRRP_DROP_VERSION,
	VRRP_DROP_TYPE,
	VRRP_DROP_CHECKSUM,
	VRRP_DROP_VRID,  /* counted per interface: no instance owns it */
	VRRP_DROP_OWNER, /* an owner of the addresses listens to nobody (owner_ignore_adverts) */
	VRRP_DROP_AUTH_TYPE,
	VRRP_DROP_AUTH_MD5, /* Cisco's type 254 */
	VRRP_DROP_AUTH_DATA,
	VRRP_DROP_ADVERT_INTERVAL,
	VRRP_DROP_COUNT,    /* no address in the list */
	VRRP_DROP_PEER,     /* unicast: not one of our peers */
	VRRP_DROP_PEER_TTL, /* … or farther away than that one is */
	VRRP_DROP_OWN,      /* our own advertisement came back */
	/* auth_hmac */
	VRRP_DROP_HMAC_MISSING, /* no trailer */
	VRRP_DROP_HMAC_KIND,    /* a trailer of another kind */
	VRRP_DROP_HMAC_TIME,    /* too old, or from the future */
	VRRP_DROP_HMAC_KEY,     /* we do not have the key */
	VRRP_DROP_HMAC_FORGED,
	VRRP_DROP_HMAC_REPLAY, /* came before, or is older than what came */
	VRRP_DROP_N,
};
const char *vrrp_drop_name(enum vrrp_drop drop);

struct vrrp_view {
	const struct conf_instance *conf;
	enum vrrp_state state;
	struct mono since;
	uint8_t priority;         /* effective */
	uint32_t advert_int_cs;   /* the interval in force (learnt in v3) */
	int64_t down_ns, skew_ns; /* the intervals in force */
	struct mono next;         /* when the armed timer fires; 0 = none armed */
	struct ip source;         /* our own address; AF_UNSPEC = none */
	struct ip peer;           /* whoever advertised last; AF_UNSPEC = nobody yet */
	uint8_t peer_priority;
	struct mono peer_heard;
	bool vips_held, will_lodged;
	enum vrrp_yield yielded;
	struct mono renewed; /* last acknowledged renewal; 0 = none */
	uint64_t adverts_sent, adverts_received, resigns_sent, resigns_received, became_master,
		vips_restored, fenced, overdue, list_differs, interval_differs;
	/* auth_hmac */
	uint64_t unsigned_taken; /* advertisements without a signature, where the mode takes them */
	uint8_t peer_key;        /* the key of the last signature; 0 = none yet */
	int32_t peer_ahead_s;    /* by which the signer's clock was ahead of ours */
	/* up to VRRP_DROP_VRID these are the interface's: whom the packet meant is not known yet */
	uint64_t drops[VRRP_DROP_N];
	char why[256]; /* "10.0.0.11 advertises 150, we have 100" */
};

void vrrp_view(const struct vrrp *vrrp, uint32_t instance, struct mono now, struct vrrp_view *view);

struct vrrp_group_view {
	const struct conf_group *conf;
	enum vrrp_state state; /* INIT, BACKUP, MASTER or FAULT */
	struct mono since;
};

/* An interface, file and processes as trackers see them; false: nothing is known of it yet. */
const struct vrrp_link *vrrp_link_view(const struct vrrp *vrrp, uint32_t interface);
bool vrrp_file_view(const struct vrrp *vrrp, uint32_t file, int32_t *value);
bool vrrp_process_view(const struct vrrp *vrrp, uint32_t process, uint32_t *running, bool *enough);

void vrrp_group_view(const struct vrrp *vrrp, uint32_t group, struct vrrp_group_view *view);
