/*
 * stats.c - see stats.h.  Any thread; rate_add by the one that counts.
 */
#include "proxy/stats.h"

#include <unistd.h>

uint32_t
stats_backend_sessions(const struct backend *be)
{
	uint64_t now = 0;

	for (uint32_t i = 0; i < be->proxy->threads_n; i++) {
		const struct tally *tally = &be->proxy->threads[i].backs[be->index];

		now += counter_get(&tally->sessions) - counter_get(&tally->ended);
	}
	return (uint32_t)now;
}

static uint32_t
count_usable(const struct backend *be, bool backup)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < be->servers_n; i++)
		n += be->servers[i].lb.backup == backup &&
		     atomic_load(&be->servers[i].lb.present_weight) > 0 &&
		     atomic_load_explicit(&be->servers[i].lb.usable, memory_order_relaxed);
	return n;
}

uint32_t
stats_usable_servers(const struct backend *be)
{
	uint32_t n = count_usable(be, false);

	if (n > 0)
		return n;
	n = count_usable(be, true);
	return be->conf->allbackups || n == 0 ? n : 1;
}

uint32_t
stats_average_queue(const struct backend *be)
{
	uint32_t servers = stats_usable_servers(be), queued = atomic_load(&be->farm.queued);

	return servers ? (queued + servers - 1) / servers : 2 * queued;
}

int64_t
stats_free_slots(const struct backend *be, bool queues)
{
	bool backups = count_usable(be, false) == 0;
	int64_t n = 0;

	for (uint32_t i = 0; i < be->servers_n; i++) {
		const struct lb_server *s = &be->servers[i].lb;

		if (!atomic_load(&s->usable) || s->backup != backups)
			continue;
		if (s->maxconn == 0 || (queues && s->maxqueue == 0))
			return -1;
		n += (int64_t)s->maxconn - atomic_load(&s->served);
		if (queues)
			n += (int64_t)s->maxqueue - atomic_load(&s->queued);
	}
	return n > 0 ? n : 0;
}

void
rate_add(struct rate *rate, struct mono now)
{
	uint64_t second = (uint64_t)(now.ns / NS_PER_S), last = counter_get(&rate->second);

	if (second != last) {
		uint64_t before = second == last + 1 ? counter_get(&rate->now) : 0;

		atomic_store_explicit(&rate->before, before, memory_order_relaxed);
		atomic_store_explicit(&rate->now, 0, memory_order_relaxed);
		atomic_store_explicit(&rate->second, second, memory_order_relaxed);
	}
	counter_add(&rate->now, 1);
}

/* This second's, and of the one before the part that is less than a second ago. */
static uint64_t
rate_get(const struct rate *rate, struct mono now)
{
	uint64_t second = (uint64_t)(now.ns / NS_PER_S), last = counter_get(&rate->second);
	uint64_t left_ms = 1000 - (uint64_t)(now.ns % NS_PER_S / NS_PER_MS);

	if (second == last)
		return counter_get(&rate->now) + counter_get(&rate->before) * left_ms / 1000;
	if (second == last + 1)
		return counter_get(&rate->now) * left_ms / 1000;
	return 0;
}

uint32_t
stats_front_rate(const struct proxy *proxy, uint32_t index)
{
	struct mono now = mono_now();
	uint64_t sum = 0;

	for (uint32_t i = 0; i < proxy->threads_n; i++)
		sum += rate_get(&proxy->threads[i].front_rates[index], now);
	return (uint32_t)sum;
}

uint32_t
stats_back_rate(const struct proxy *proxy, uint32_t index)
{
	struct mono now = mono_now();
	uint64_t sum = 0;

	for (uint32_t i = 0; i < proxy->threads_n; i++)
		sum += rate_get(&proxy->threads[i].back_rates[index], now);
	return (uint32_t)sum;
}

uint32_t
stats_server_rate(const struct server *server)
{
	const struct proxy *proxy = server->backend->proxy;
	struct mono now = mono_now();
	uint64_t sum = 0;

	for (uint32_t i = 0; i < proxy->threads_n; i++)
		sum += rate_get(&proxy->threads[i].server_rates[server->number], now);
	return (uint32_t)sum;
}

bool
stats_is_local(const struct ip *ip)
{
	struct sock_addr address = sock_addr_from_ip(ip, 0);
	bool local = false;
	int fd;

	if (ip->family == AF_UNSPEC)
		return true;
	fd = socket(ip->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		local = bind(fd, &address.any, address.len) == 0;
		close(fd);
	}
	return local;
}
