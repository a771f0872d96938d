/*
 * stats.h - numbers about frontends and backends as expressions and logs ask for them: sums over
 * the threads, taken while these go on counting.
 */
#pragma once

#include "proxy/runtime.h"

/* Sessions of a backend now. */
uint32_t stats_backend_sessions(const struct backend *be);

/* HAProxy's nbsrv: the usable servers, else those of its backup servers that would serve. */
uint32_t stats_usable_servers(const struct backend *be);

/* Waiting sessions for each usable server, rounded up; twice as many if there is none. */
uint32_t stats_average_queue(const struct backend *be);

/* Slots left on the usable servers, with `queues` places in their queues, too; -1 = unlimited. */
int64_t stats_free_slots(const struct backend *be, bool queues);

/* Sessions begun in the last second; conf->uses_rates must be set. */
uint32_t stats_front_rate(const struct proxy *proxy, uint32_t index);
uint32_t stats_back_rate(const struct proxy *proxy, uint32_t index);
uint32_t stats_server_rate(const struct server *server);

/* Is it an address of this host? */
bool stats_is_local(const struct ip *ip);

/* What one thread counts for these rates: this second and the one before. */
struct rate {
	counter_t second, now, before;
};

/* One more; by the thread that owns `rate`. */
void rate_add(struct rate *rate, struct mono now);
