/*
 * check.c - the beat of checks.  Run by the server's check thread.
 */
#include "proxy/check.h"

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

/* When the next one is due, c->beat being the one just made. */
static struct mono
next_beat(struct check *c)
{
	uint32_t percent = c->thread->proxy->conf->spread_checks;
	int64_t inter_ns;

	c->interval_ms = interval_ms(c);
	inter_ns = c->interval_ms * NS_PER_MS;
	if (!c->spread) {
		/* From the bunch of first checks to this one's own place in the interval. */
		c->spread = true;
		return mono_add_ns(c->beat, inter_ns * (c->place + 1) / c->of);
	}
	if (percent)
		inter_ns +=
			inter_ns * percent / 100 * ((int)(rand_r(&c->random) % 201) - 100) / 100;
	return mono_add_ns(c->beat, inter_ns);
}

/* What it has come to may call for another interval than the one there was when it was made. */
static void
keep_up(struct check *c)
{
	struct mono now = c->thread->loop.now, due;

	if (!c->overdue && interval_ms(c) == c->interval_ms)
		return;
	due = next_beat(c);
	if (c->overdue || mono_before(due, now))
		due = now;
	c->overdue = false;
	timer_arm(&c->thread->loop.timers, &c->next, due);
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
	struct mono beat = timer->when, due;

	if (c->asking) {
		/* fastinter is shorter than what a check may take: at once after this one's end. */
		c->overdue = true;
		return;
	}
	/* In maintenance a server is left alone; its agent may end that. */
	if (!atomic_load(&c->server->resolved) ||
	    (!c->agent && server_state_get(c->server) == SERVER_DISABLED)) {
		timer_arm(&c->thread->loop.timers, &c->next, mono_add_ms(now, CHECK_FIRST_MS));
		return;
	}
	/* A thread that was held up does not make up for lost beats. */
	c->beat = mono_since_ms(now, beat) > CHECK_FIRST_MS ? now : beat;
	due = next_beat(c);
	/* The limit is armed first: where both are due it ends this check before the next. */
	c->asking = true;
	c->began = mono_now();
	check_talk(c);
	/* Unless it has ended already, and wants another interval. */
	if (!timer_armed(&c->next))
		timer_arm(&c->thread->loop.timers, &c->next, due);
}

void
check_start(struct check *c, struct proxy_thread *t, struct server *server, bool agent,
	    uint32_t place, uint32_t of)
{
	uint32_t inter_ms, window_ms;

	*c = (struct check){
		.server = server,
		.program = agent ? server->agent.program : server->backend->checks,
		.agent = agent,
		.thread = t,
		.conn = { .lf = { .fd = -1 } },
		.next = { .fire = on_next },
		.limit = { .fire = check_talk_limit },
		.warm = { .fire = on_warm },
		.place = place,
		.of = of,
		.random = server->number + 1,
	};
	inter_ms = interval_ms(c);
	window_ms = inter_ms < CHECK_FIRST_MS ? inter_ms : CHECK_FIRST_MS;
	timer_arm(&t->loop.timers, &c->next,
		  mono_add_ns(t->loop.now, window_ms * NS_PER_MS * place / of));
}

void
check_hurry(struct check *c)
{
	const struct conf_server *conf = c->server->conf;
	uint32_t soon_ms = conf->fastinter_ms ? conf->fastinter_ms : conf->inter_ms;
	struct mono soon = mono_add_ms(c->thread->loop.now, soon_ms);

	if (timer_armed(&c->next) && soon.ns < c->next.when.ns)
		timer_arm(&c->thread->loop.timers, &c->next, soon);
}

void
check_stop(struct check *c)
{
	timer_disarm(&c->thread->loop.timers, &c->next);
	timer_disarm(&c->thread->loop.timers, &c->warm);
	check_talk_stop(c);
}
