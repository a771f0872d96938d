/*
 * slowstart.c - see slowstart.h.  Run by the server's check thread.
 */
#include "proxy/slowstart.h"

#include "proxy/runtime.h"

#define STEPS       20
#define STEP_MIN_MS 50

/* Lets what balancing reads be that of a moment of the warming up.  Under the lock. */
static void
apply(struct server *s, uint64_t elapsed_ms)
{
	struct backend *be = s->backend;

	lb_warm(&s->lb, elapsed_ms, s->conf->slowstart_ms);
	lb_farm_refresh(&be->farm, &s->lb);
	/* Its limit has moved. */
	proxy_wake_waiters(be->proxy, be->index);
}

void
slowstart_begin(struct server *s, struct mono now)
{
	if (!s->conf->slowstart_ms)
		return;
	s->warming = true;
	s->warming_since = now;
	apply(s, 0);
}

void
slowstart_end(struct server *s)
{
	if (!s->warming)
		return;
	s->warming = false;
	apply(s, s->conf->slowstart_ms);
}

void
slowstart_adapt(struct server *s, struct mono now)
{
	uint32_t whole_ms = s->conf->slowstart_ms;

	apply(s, s->warming ? (uint64_t)mono_since_ms(now, s->warming_since) : whole_ms);
}

static uint32_t
sooner(uint32_t a_ms, uint32_t b_ms)
{
	return !a_ms || (b_ms && b_ms < a_ms) ? b_ms : a_ms;
}

static uint32_t
step(struct server *s, struct mono now)
{
	uint32_t whole_ms = s->conf->slowstart_ms, step_ms = 0;
	uint64_t elapsed_ms;

	if (!whole_ms)
		return 0;
	pthread_mutex_lock(&s->backend->lock);
	if (s->warming) {
		elapsed_ms = (uint64_t)mono_since_ms(now, s->warming_since);
		if (elapsed_ms >= whole_ms) {
			slowstart_end(s);
		} else {
			apply(s, elapsed_ms);
			step_ms = whole_ms / STEPS > STEP_MIN_MS ? whole_ms / STEPS : STEP_MIN_MS;
		}
	}
	pthread_mutex_unlock(&s->backend->lock);
	return step_ms;
}

uint32_t
slowstart_step(struct server *s, struct mono now)
{
	uint32_t next_ms = step(s, now);

	for (struct server *f = s->followers; f; f = f->next_follower)
		next_ms = sooner(next_ms, slowstart_step(f, now));
	return next_ms;
}
