/*
 * server_log.h - what the log says of servers and their checks, in HAProxy's words.  Under the
 * backend's lock.
 */
#pragma once

#include "proxy/server_state.h"

/* The server stands as it does, and stood as `before` says; `why` is the answer behind it. */
void server_log_change(struct server *s, const struct server_stance *before,
		       const struct check_result *why);

/* With `option log-health-checks`: what `s->last`, or `s->agent.last`, has come to. */
void server_log_health(const struct server *s);
void server_log_agent(const struct server *s);
