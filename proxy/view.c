/*
 * view.c - what status commands see.  Any thread may ask; numbers are sums over the threads, taken
 * while they go on counting.
 */
#include "proxy/proxy.h"

#include "proxy/runtime.h"

#include <stdio.h>
#include <string.h>

uint32_t
proxy_sessions(const struct proxy *proxy)
{
	return atomic_load(&proxy->sessions);
}

uint64_t
proxy_log_drops(const struct proxy *proxy)
{
	uint64_t n = atomic_load_explicit(&proxy->notify.dropped, memory_order_relaxed);

	for (uint32_t i = 0; i < proxy->threads_n; i++)
		n += atomic_load_explicit(&proxy->threads[i].log.dropped, memory_order_relaxed);
	return n;
}

void
proxy_view(const struct proxy *proxy, uint32_t index, struct proxy_view *view)
{
	const struct conf_proxy *conf = &proxy->conf->proxies[index];
	const struct backend *be = &proxy->backends[index];
	bool front = conf->caps & CONF_CAP_FRONT;
	uint64_t ended = 0;

	*view = (struct proxy_view){
		.conf = conf,
		.queued = atomic_load(&be->farm.queued),
		.servers_n = be->servers_n,
		.usable = atomic_load(&proxy->board->backends[index].usable),
	};
	for (uint32_t i = 0; i < proxy->threads_n; i++) {
		const struct proxy_thread *t = &proxy->threads[i];
		const struct tally *tally = front ? &t->fronts[index] : &t->backs[index];

		ended += counter_get(&tally->ended);
		view->sessions_total += counter_get(&tally->sessions);
		view->bytes_in += counter_get(&tally->bytes_in);
		view->bytes_out += counter_get(&tally->bytes_out);
		view->denied += counter_get(&tally->denied);
	}
	view->sessions =
		view->sessions_total > ended ? (uint32_t)(view->sessions_total - ended) : 0;
}

static void
view_check(const struct server *s, struct server_view *view)
{
	if (!s->conf->check && !s->conf->track)
		return;
	view->check_status = check_status_name(s->last.status);
	view->check_ms = s->last.duration_ms;
	view->checked = s->last.at;
	check_result_detail(&s->last, view->check_detail, sizeof view->check_detail);
}

static void
view_agent(const struct server *s, struct server_view *view)
{
	view->agent_down = s->agent.down;
	if (!s->agent.program)
		return;
	view->agent_status = check_status_name(s->agent.last.status);
	view->agent_ms = s->agent.last.duration_ms;
	view->agent_asked = s->agent.last.at;
	check_result_detail(&s->agent.last, view->agent_detail, sizeof view->agent_detail);
}

void
proxy_server_view(const struct proxy *proxy, uint32_t index, uint32_t server,
		  struct server_view *view)
{
	struct backend *be = &proxy->backends[index];
	struct server *s = &be->servers[server];

	*view = (struct server_view){ .conf = s->conf };
	pthread_mutex_lock(&be->lock);
	view->state = server_state_get(s);
	check_window_score(&s->window, &view->health, &view->health_max);
	if (atomic_load(&s->resolved))
		view->address = s->address;
	view->changed = s->changed;
	view_check(s, view);
	view_agent(s, view);
	pthread_mutex_unlock(&be->lock);

	view->sessions = atomic_load(&s->lb.served);
	view->queued = atomic_load(&s->lb.queued);
	view->limit = lb_limit(&s->lb);
	view->weight = atomic_load(&s->lb.effective_weight);
	view->present_weight = atomic_load(&s->lb.present_weight);
	for (uint32_t i = 0; i < proxy->threads_n; i++) {
		const struct tally *tally = &proxy->threads[i].servers[s->number];

		view->sessions_total += counter_get(&tally->sessions);
		view->bytes_in += counter_get(&tally->bytes_in);
		view->bytes_out += counter_get(&tally->bytes_out);
		view->connect_errors += counter_get(&tally->connect_errors);
		view->retries += counter_get(&tally->retries);
		view->redispatches += counter_get(&tally->redispatches);
	}
}
