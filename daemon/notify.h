/*
 * notify.h - scripts and FIFOs that are told what happens to an instance or a sync group.
 *
 * The worker names an instance or a group, and an event, no more; what is run is what this configuration says.
 * An instance's scripts run one after another, in the order of the events and, for one event, its
 * own script before `notify`: a script never finds that a later one has overtaken it.  (keepalived
 * starts them all at once.)  One that runs on hinders nobody until something waits behind it; from
 * then on it has NOTIFY_PATIENCE_MS.
 */
#pragma once

#include "daemon/notify_fifo.h"
#include "daemon/requests.h"

#define NOTIFY_PATIENCE_MS 30000
#define NOTIFY_QUEUE       32

/* "MASTER" … as scripts and FIFOs see it. */
const char *notify_event_name(enum notify_event event);

/* Which commands an event runs, in this order.  Returns how many (0…2). */
size_t notify_commands(const struct conf_notify *conf, enum notify_event event,
		       const struct conf_command *commands[2]);

/* The line for FIFOs: INSTANCE "VI_1" MASTER 100, or GROUP "G" MASTER 0 */
void notify_line(char *line, size_t size, const char *kind, const char *name,
		 enum notify_event event, unsigned priority);

/* ------------------------------------------------------------------ on the guardian's loop */

struct notify_waiting {
	enum notify_event event;
	unsigned priority;
};

struct estate;
struct notify_lane; /* of an instance or a group */

struct notifier {
	struct loop *loop;
	const struct conf *conf;
	struct notify_lane *lanes; /* of instances, then of groups */
	size_t lanes_n;
	struct notify_fifo *fifos[2];
	int64_t stop_limit_ms;   /* 0 = it goes on */
	void (*idle)(void *ctx); /* after notifier_stop: everything has been told */
	void *ctx;
};

/* Prepares all commands; what cannot be run, or not safely, is logged and left out.  FIFOs that `from`
 * (NULL = none) has as well are taken from it, and so are the states that were told last.  0 or
 * -ENOMEM. */
int notifier_init(struct notifier *notifier, struct loop *loop, const struct conf *conf,
		  struct notifier *from, void (*idle)(void *ctx), void *ctx);
void notifier_fini(struct notifier *notifier);

void notifier_tell(struct notifier *notifier, uint32_t instance, enum notify_event event,
		   unsigned priority);
/* A state of the group as a whole; its priority is 0, as in keepalived. */
void notifier_tell_group(struct notifier *notifier, uint32_t group, enum notify_event event);

/* The instance is not in the next configuration: DELETED if notify_deleted wants that, else FAULT. */
void notifier_delete(struct notifier *notifier, uint32_t instance);

/* Another notifier has taken over: nothing new is told here; `idle` follows when what was begun has
 * ended, unless notifier_idle says so already. */
void notifier_retire(struct notifier *notifier, void (*idle)(void *ctx), void *ctx);
bool notifier_idle(const struct notifier *notifier);

/* The worker is gone, and its will executed: who was told MASTER is told FAULT, before the next
 * worker begins as BACKUP. */
void notifier_orphan(struct notifier *notifier);

/*
 * The daemon ends: every instance that was told of anything is told STOP, if it was not yet, and
 * what runs has limit_ms.  Returns true if nothing is left to wait for; else `idle` follows.
 */
bool notifier_stop(struct notifier *notifier, int64_t limit_ms);

/*
 * Both ways (estate.h).  Read, it is good as `from` of notifier_init; then notifier_resume makes what runs
 * and waits there go on, until notifier_retire's `idle`.  0 or -errno.
 */
void notifier_estate(struct notifier *notifier, struct loop *loop, const struct conf *conf,
		     struct estate *e);
int notifier_resume(struct notifier *notifier);
