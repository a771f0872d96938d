/*
 * reload.c - performs what succession.c says: one configuration and its worker follow another.
 * Runs on the guardian's loop.
 *
 * Nothing of the generation in force is changed before PASS, which happens within one turn: leases
 * change hands, the second worker gets the token and what the first has written down, the first
 * retires.
 */
#include "common/log.h"
#include "conf/match.h"
#include "daemon/guardian_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* How long a state may last. */
static const uint32_t limit_ms[SUCCESSION_N] = {
	[SUCCESSION_LOADING] = 60000,
	[SUCCESSION_PREPARING] = 30000,
	[SUCCESSION_RESIGNING] = 3000, /* make before break takes one second */
	[SUCCESSION_FREEZING] = 500,   /* nobody advertises meanwhile */
};

/* ---- what is said ---- */

static void
say(struct reload *r, const char *text)
{
	size_t room = sizeof r->reply - 1 - r->reply_len, len = strlen(text);

	len = len < room ? len : room;
	memcpy(r->reply + r->reply_len, text, len);
	r->reply_len += len;
	r->reply[r->reply_len] = '\0';
}

/* What is logged while the new configuration is opened, whoever asked shall see, too. */
static void
on_log(void *ctx, int level, const char *message)
{
	if (level > LOG_WARNING)
		return;
	say(ctx, "tandem: ");
	say(ctx, message);
	say(ctx, "\n");
}

static void
log_lines(int level, char *text)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		log_at(level, "%s", line);
}

static void
finish(struct guardian *g, bool done)
{
	struct reload *r = &g->reload;
	int64_t took_ms = mono_since_ms(mono_now(), r->asked);

	if (g->upgrade.stage == UPGRADE_ARRIVED) {
		upgrade_reloaded(g, done, r->reply);
		return;
	}
	systemd_notify(&g->systemd, "READY=1");
	if (done)
		log_notice("reloaded in %lld ms", (long long)took_ms);
	else
		log_error("not reloaded: the configuration in force stays");
	if (r->ticket)
		command_reply(g, r->ticket, done ? 0 : 1, r->reply);
	r->ticket = 0;
	if (r->again && !g->stopping)
		reload_ask(g, 0);
}

/* ---- loading ---- */

static void
on_loaded(void *ctx, bool loaded)
{
	struct guardian *g = ctx;
	struct reload *r = &g->reload;

	say(r, r->loader.text);
	log_lines(loaded ? LOG_WARNING : LOG_ERR, r->loader.text);
	reload_event(g, loaded ? SUCCESSION_LOADED : SUCCESSION_UNLOADABLE, NULL);
}

static void
load(struct guardian *g)
{
	struct reload *r = &g->reload;
	const struct loader_job job = { .executable = "/proc/self/exe",
					.word = "--load",
					.args = g->setup->load_args,
					.state_fd = -1 };
	int error = g->setup->load_args ? loader_start(&r->loader, &job) : -ENOTSUP;

	if (error < 0)
		reload_event(g, SUCCESSION_UNLOADABLE, strerror(-error));
}

static struct generation *
make_next(struct guardian *g)
{
	struct reload *r = &g->reload;
	struct generation *n = calloc(1, sizeof *n);
	void *packed = NULL, *tls = NULL;
	int error = n ? loader_take(&r->loader, &packed, &n->packed_len, &tls, &n->tls_files_len)
		      : -ENOMEM;

	if (error == 0) {
		n->arena = arena_new();
		n->packed = packed;
		n->tls_files = tls;
		n->number = ++r->numbers;
		/* The very bytes that the child has loaded: this cannot fail where that did not. */
		error = generation_load(n);
	}
	if (error < 0) {
		log_error("cannot take the configuration over: %s", strerror(-error));
		if (n)
			generation_free_memory(n);
		free(n);
		return NULL;
	}
	n->of = g->current->of;
	generation_init(n);
	return n;
}

static void
prepare(struct guardian *g)
{
	struct reload *r = &g->reload;
	bool ok;

	log_tap(on_log, r);
	r->next = make_next(g);
	ok = r->next && generation_open(r->next, g->current);
	if (ok) {
		r->next->handover.control_fd = g->rundir.control_fd;
		r->next->handover.journal_fd = g->journal_fd;
		ok = generation_spawn(r->next) == 0;
	}
	log_tap(NULL, NULL);
	if (!ok)
		reload_event(g, SUCCESSION_UNLOADABLE, NULL);
}

/* ---- letting go of what the new configuration does not have ---- */

static bool
goes_away(const struct guardian *g, uint32_t instance)
{
	return conf_match_instance(g->current->conf, instance, g->reload.next->conf) == CONF_NONE;
}

static void
tell_leaving(struct guardian *g, enum resign_how how)
{
	for (uint32_t i = 0; i < g->current->conf->instances_n; i++)
		if (goes_away(g, i))
			generation_tell_resign(g->current, i, how);
}

void
reload_look_for_rest(struct guardian *g)
{
	if (g->reload.state != SUCCESSION_RESIGNING)
		return;
	for (uint32_t i = 0; i < g->current->conf->instances_n; i++)
		if (goes_away(g, i) && g->current->res.leases.at[i].claimed)
			return;
	reload_event(g, SUCCESSION_LET_GO, NULL);
}

/* ---- the token ---- */

static void
close_carry(struct reload *r)
{
	if (r->carry_fd >= 0)
		close(r->carry_fd);
	r->carry_fd = -1;
	r->carried = false;
}

static void
freeze(struct guardian *g)
{
	struct reload *r = &g->reload;

	close_carry(r);
	r->carry_fd = memfd_create("tandem-carry", MFD_CLOEXEC);
	if (r->carry_fd < 0 || generation_freeze(g->current, r->carry_fd) < 0)
		reload_event(g, SUCCESSION_LATE, "the worker cannot be asked for its state");
}

void
reload_tell_rest(struct guardian *g)
{
	struct generation *to = g->current;

	for (uint32_t i = 0; i < to->conf->instances_n; i++)
		if (to->res.leases.at[i].yielded)
			generation_tell_resign(to, i, RESIGN_YIELD);
		else if (timer_armed(&g->probation))
			generation_tell_resign(to, i, RESIGN_PROBATION);
	for (struct list *at = g->former.next; at != &g->former; at = at->next)
		generation_tell_retired(to, CONTAINER_OF(at, struct generation, link), false);
}

static void
tell_deleted(struct generation *first, const struct generation *second)
{
	for (uint32_t i = 0; i < first->conf->instances_n; i++)
		if (conf_match_instance(first->conf, i, second->conf) == CONF_NONE)
			notifier_delete(&first->notifier, i);
}

static void
pass(struct guardian *g)
{
	struct reload *r = &g->reload;
	struct generation *first = g->current, *second = r->next;

	timer_disarm(&g->loop.timers, &g->restart);
	timer_disarm(&g->loop.timers, &g->probation); /* another configuration, another chance */
	tell_deleted(first, second);
	resources_adopt(&second->res, &first->res, g->loop.now);
	handover_links(&second->handover, &second->child.ipc);
	if (generation_begin_scripts(second, first, guardian_on_told, g) < 0)
		log_alert("no memory for scripts: none will run");
	g->current = second;
	r->next = NULL;
	list_append(&g->former, &first->link);
	first->retired_at = g->loop.now;
	/* It must know before it begins.  And a renewal that fell due meanwhile does not wait for its
	 * first beats: by what the first worker has written down the lease may be about to end. */
	reload_tell_rest(g);
	leases_renew(&second->res.leases, g->loop.now);
	leases_retell(&second->res.leases);
	generation_give_token(second, r->carried ? r->carry_fd : -1);
	leases_ask_again(&second->res.leases, g->loop.now);
	if (!generation_retire(first, second))
		reload_bury(g, first);
	close_carry(r);
}

/* ---- one that did not come to it ---- */

static void
drop(struct guardian *g)
{
	struct generation *n = g->reload.next;

	g->reload.next = NULL;
	if (!n)
		return;
	list_append(&g->former, &n->link);
	if (!generation_discard(n, g->current))
		reload_bury(g, n);
}

static void
on_bury(struct deferred *d)
{
	struct guardian *g = CONTAINER_OF(d, struct guardian, bury);
	struct list *next;

	for (struct list *at = g->former.next; at != &g->former; at = next) {
		struct generation *n = CONTAINER_OF(at, struct generation, link);

		next = at->next;
		if (!n->dead || !generation_idle(n))
			continue;
		list_remove(at);
		generation_close(n, g->current);
		generation_free_memory(n);
		free(n);
	}
}

void
reload_bury(struct guardian *g, struct generation *generation)
{
	generation->dead = true;
	generation->remaining = 0;
	if (g->current->gate.turn == PRIVILEGED_TURN_HOLDS)
		generation_tell_retired(g->current, generation, true);
	/* It is one of its own callbacks that brings the news. */
	loop_defer(&g->loop, &g->bury);
}

/* ---- the runner ---- */

/* In the order of enum succession_effect. */
static void
perform(struct guardian *g, unsigned effects)
{
	struct reload *r = &g->reload;

	if (effects & SUCCESSION_DO_LOAD)
		load(g);
	if (effects & SUCCESSION_DO_ABORT_LOAD)
		loader_abort(&r->loader);
	if (effects & SUCCESSION_DO_PREPARE)
		prepare(g);
	if (effects & SUCCESSION_DO_RESIGN) {
		tell_leaving(g, RESIGN_LEAVE);
		reload_look_for_rest(g);
	}
	if (effects & SUCCESSION_DO_FREEZE)
		freeze(g);
	if (effects & SUCCESSION_DO_THAW) {
		generation_tell(g->current, REQUEST_THAW);
		leases_ask_again(&g->current->res.leases, g->loop.now);
		close_carry(r);
	}
	if (effects & SUCCESSION_DO_RESUME)
		tell_leaving(g, RESIGN_NOT);
	if (effects & SUCCESSION_DO_DROP)
		drop(g);
	if (effects & SUCCESSION_DO_PASS)
		pass(g);
	if (effects & (SUCCESSION_DO_FAIL | SUCCESSION_DO_SUCCEED))
		finish(g, effects & SUCCESSION_DO_SUCCEED);
}

static void
note(struct reload *r, enum succession_event event, const char *why)
{
	char text[512];

	if (r->state == SUCCESSION_STEADY)
		return;
	if (event == SUCCESSION_LATE && !why)
		why = r->state == SUCCESSION_LOADING ? "reading the configuration takes too long"
		      : r->state == SUCCESSION_PREPARING ? "the new worker does not get ready"
		      : r->state == SUCCESSION_RESIGNING
			      ? "the worker does not let go of its addresses"
			      : "the worker does not answer";
	if (event == SUCCESSION_STOP)
		why = "the daemon stops";
	if (!why)
		return;
	snprintf(text, sizeof text, "tandem: %s%s\n",
		 event == SUCCESSION_SECOND_GONE ? "the new worker is gone: " : "", why);
	say(r, text);
	log_warning("reload: %s%s",
		    event == SUCCESSION_SECOND_GONE ? "the new worker is gone: " : "", why);
}

void
reload_event(struct guardian *g, enum succession_event event, const char *why)
{
	struct reload *r = &g->reload;
	struct succession_step step = succession_step(r->state, event);
	enum succession_state from = r->state;

	if (step.effects == 0) {
		log_warning("reload: unexpected while %s: %s", succession_state_name(from),
			    succession_event_name(event));
		return;
	}
	note(r, event, why);
	r->carried |= event == SUCCESSION_FROZEN && from == SUCCESSION_FREEZING;
	r->state = (enum succession_state)step.next;
	if (r->state == SUCCESSION_STEADY)
		timer_disarm(&g->loop.timers, &r->deadline);
	else if (r->state != from)
		timer_arm(&g->loop.timers, &r->deadline,
			  mono_add_ms(g->loop.now, limit_ms[r->state]));
	perform(g, step.effects);
}

static void
on_deadline(struct timer *t, struct mono now)
{
	struct reload *r = CONTAINER_OF(t, struct reload, deadline);

	reload_event(CONTAINER_OF(r, struct guardian, reload), SUCCESSION_LATE, NULL);
}

void
reload_ask(struct guardian *g, uint64_t ticket)
{
	struct reload *r = &g->reload;
	bool upgrading = g->upgrade.stage != UPGRADE_NONE;
	bool busy = r->state != SUCCESSION_STEADY || upgrading;

	if (busy || !g->started || g->stopping) {
		const char *why = upgrading     ? "an upgrade is under way"
				  : busy        ? "a reload is under way already"
				  : g->stopping ? "the daemon stops"
						: "the daemon is starting";

		/* Nobody would tell the sender of a signal to send it again. */
		bool later = !ticket && busy;

		r->again |= later;
		log_warning("%s: %s", later ? "reloading again afterwards" : "not reloaded", why);
		if (ticket)
			command_reply(g, ticket, 1, why);
		return;
	}
	r->ticket = ticket;
	reload_begin(g);
}

void
reload_begin(struct guardian *g)
{
	struct reload *r = &g->reload;

	log_notice("reloading");
	r->again = false;
	r->reply_len = 0;
	r->reply[0] = '\0';
	r->asked = mono_now();
	systemd_reloading(&g->systemd);
	reload_event(g, SUCCESSION_ASKED, NULL);
}

void
reload_init(struct guardian *g)
{
	g->reload.carry_fd = -1;
	g->reload.deadline.fire = on_deadline;
	g->bury.call = on_bury;
	loader_init(&g->reload.loader, &g->loop, on_loaded, g);
}

/* The daemon ends: everybody goes. */
void
reload_fini(struct guardian *g)
{
	loader_fini(&g->reload.loader);
	close_carry(&g->reload);
	drop(g);
	while (!list_empty(&g->former)) {
		struct generation *n = CONTAINER_OF(g->former.next, struct generation, link);

		list_remove(&n->link);
		generation_close(n, g->current);
		generation_free_memory(n);
		free(n);
	}
}
