/*
 * check.c - the beat of checks.  Run by the server's check thread.
 */
#include "proxy/check.h"

#include "proxy/check_external.h"
#include "proxy/runtime.h"
#include "proxy/slowstart.h"

#include <stdlib.h>

/* `slowstart` goes on, or begins. */
static void
warm_up(struct check *c)
{
	struct mono now = c->thread->loop.now;
	uint32_t next_ms = slowstart_step(c->server, now);

	if (next_ms)
		timer_arm(&c->thread->loop.timers, &c->warm, mono_add_ms(now, next_ms));
}

static void
on_warm(struct timer *timer, struct mono now)
{
	warm_up(CONTAINER_OF(timer, struct check, warm));
}

static uint32_t
interval_ms(const struct check *c)
{
	uint32_t agent_ms = c->server->conf->agent_inter_ms;

	if (c->agent)
		return agent_ms ? agent_ms : 2000;
	return server_check_interval_ms(c->server);
}

/* How long to wait from a beat to the next. */
static int64_t
next_ns(struct check *c)
{
	uint32_t percent = c->thread->proxy->conf->spread_checks;
	int64_t inter_ns;

	c->interval_ms = interval_ms(c);
	inter_ns = c->interval_ms * NS_PER_MS;
	if (percent && c->beat.begun)
		inter_ns +=
			inter_ns * percent / 100 * ((int)(rand_r(&c->random) % 201) - 100) / 100;
	return inter_ns;
}

/* What it has come to may call for another interval than the one there was when it was made. */
static void
keep_up(struct check *c)
{
	struct mono now = c->thread->loop.now, next;

	if (!c->overdue && interval_ms(c) == c->interval_ms)
		return;
	next = c->overdue ? now : check_beat_again(&c->beat, now, next_ns(c));
	c->overdue = false;
	timer_arm(&c->thread->loop.timers, &c->next, next);
}

void
check_ended(struct check *c, const struct check_result *result)
{
	struct check_result told = *result;

	check_talk_stop(c);
	c->asking = false;
	told.at = c->thread->loop.now;
	told.duration_ms = (uint32_t)mono_since_ms(mono_now(), c->began);
	if (c->agent)
		server_heed(c->server, &told);
	else
		server_report(c->server, &told);
	warm_up(c);
	keep_up(c);
}

static void
on_next(struct timer *timer, struct mono now)
{
	struct check *c = CONTAINER_OF(timer, struct check, next);
	struct timer_heap *timers = &c->thread->loop.timers;
	struct mono next;

	if (c->asking) {
		/* A check may take as long as an interval: at once after this one's end. */
		c->overdue = true;
		return;
	}
	/* In maintenance a server is left alone; its agent may end that. */
	if (!atomic_load(&c->server->resolved) ||
	    (!c->agent && server_state_get(c->server) == SERVER_DISABLED)) {
		next = check_beat_move(&c->beat, mono_add_ms(now, CHECK_FIRST_MS));
		timer_arm(timers, timer, next);
		return;
	}
	next = check_beat_next(&c->beat, now, next_ns(c));
	c->asking = true;
	c->began = mono_now();
	if (c->program->type == CONF_HEALTH_EXTERNAL)
		check_external(c);
	else
		check_talk(c);
	/* Unless it has ended already, and wants another interval. */
	if (!timer_armed(timer))
		timer_arm(timers, timer, next);
}

static void
on_limit(struct timer *timer, struct mono now)
{
	struct check *c = CONTAINER_OF(timer, struct check, limit);

	if (c->program->type == CONF_HEALTH_EXTERNAL)
		check_external_late(c);
	else
		check_talk_limit(c);
}

void
check_start(struct check *c, struct proxy_thread *t, struct server *server, bool agent,
	    uint32_t place, uint32_t of)
{
	int64_t inter_ns;

	*c = (struct check){
		.server = server,
		.program = agent ? server->agent.program : server->backend->checks,
		.agent = agent,
		.thread = t,
		.conn = { .lf = { .fd = -1 } },
		.next = { .fire = on_next },
		.limit = { .fire = on_limit },
		.warm = { .fire = on_warm },
		.random = server->number + 1,
	};
	inter_ns = interval_ms(c) * NS_PER_MS;
	timer_arm(&t->loop.timers, &c->next,
		  check_beat_start(&c->beat, t->loop.now, inter_ns, place, of));
}

void
check_hurry(struct check *c)
{
	const struct conf_server *conf = c->server->conf;
	uint32_t soon_ms = conf->fastinter_ms ? conf->fastinter_ms : conf->inter_ms;
	struct mono soon = mono_add_ms(c->thread->loop.now, soon_ms);

	if (timer_armed(&c->next) && soon.ns < c->next.when.ns)
		timer_arm(&c->thread->loop.timers, &c->next, check_beat_move(&c->beat, soon));
}

void
check_stop(struct check *c)
{
	timer_disarm(&c->thread->loop.timers, &c->next);
	timer_disarm(&c->thread->loop.timers, &c->warm);
	check_talk_stop(c);
	check_talk_forget(c);
}
