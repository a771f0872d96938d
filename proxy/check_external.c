/*
 * check_external.c - see check_external.h.  Run by the server's check thread; proxy_external_* by the
 * thread that owns struct proxy.
 */
#include "proxy/check_external.h"

#include "proxy/runtime.h"

static void
conclude(struct check *c, enum check_status status, int code)
{
	struct check_result result = { .status = status, .code = code };

	check_ended(c, &result);
}

void
check_external(struct check *c)
{
	struct external_queue *queue = &c->thread->proxy->external;
	struct server *s = c->server;
	uint32_t limit_ms = conf_external_limit_ms(s->backend->conf, s->conf);
	bool queued;

	timer_arm(&c->thread->loop.timers, &c->limit,
		  mono_add_ms(c->thread->loop.now, limit_ms + CHECK_EXTERNAL_GRACE_MS));
	pthread_mutex_lock(&queue->lock);
	queued = s->external_queued;
	s->external_queued = true;
	s->external_ended = false;
	if (!queued)
		queue->servers[queue->n++] = s;
	pthread_mutex_unlock(&queue->lock);
	if (!queued)
		health_ring(c->thread->proxy->board);
}

void
check_external_late(struct check *c)
{
	conclude(c, CHECK_STATUS_PROCTOUT, 0);
}

void
check_external_look(struct check *c)
{
	struct external_queue *queue = &c->thread->proxy->external;
	struct proxy_external_end end;
	bool ended;

	pthread_mutex_lock(&queue->lock);
	ended = c->server->external_ended;
	end = c->server->external_end;
	c->server->external_ended = false;
	pthread_mutex_unlock(&queue->lock);
	if (!ended || !c->asking)
		return;
	if (end.timed_out)
		conclude(c, CHECK_STATUS_PROCTOUT, 0);
	else
		conclude(c, end.status == 0 ? CHECK_STATUS_PROCOK : CHECK_STATUS_PROCERR,
			 end.status);
}

bool
proxy_external_next(struct proxy *proxy, struct proxy_external *wanted)
{
	struct external_queue *queue = &proxy->external;
	struct server *s = NULL;

	pthread_mutex_lock(&queue->lock);
	if (queue->n) {
		s = queue->servers[--queue->n];
		s->external_queued = false;
	}
	pthread_mutex_unlock(&queue->lock);
	if (!s)
		return false;
	*wanted = (struct proxy_external){ .proxy = s->backend->index,
					   .server = s->lb.index,
					   .sessions = atomic_load(&s->lb.served) };
	return true;
}

void
proxy_external_done(struct proxy *proxy, uint32_t index, uint32_t server,
		    const struct proxy_external_end *end)
{
	struct server *s = &proxy->backends[index].servers[server];

	pthread_mutex_lock(&proxy->external.lock);
	s->external_end = *end;
	s->external_ended = true;
	pthread_mutex_unlock(&proxy->external.lock);
	proxy_look_at_checks(s);
}
