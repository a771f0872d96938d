/*
 * server_state.h - the parts of a server's change of state, between server_state.c, backend.c and
 * what else changes them.  Under the backend's lock.
 */
#pragma once

#include "proxy/backend.h"

/* What the log tells the change of. */
struct server_stance {
	enum server_state state;
	bool maint, draining;
	struct backend_sums share; /* what it adds to its backend's */
};

struct server_stance server_stance(const struct server *s);

/* What the server's facts add up to. */
enum server_state server_derive_state(const struct server *s);

/* Is a server in this state given connections? */
bool server_state_usable(enum server_state state);

/* Lets a new state act; the caller publishes. */
void server_set_state(struct server *s, enum server_state state, struct mono now);

/* Lets what has changed about the server act: `before` was how it stood. */
void server_settle(struct server *s, const struct server_stance *before, struct mono now);

/* … tells it, and does to sessions what the file wants; `why` is the answer behind it. */
void server_announce(struct server *s, const struct server_stance *before,
		     const struct check_result *why);

/* What it adds to its backend's sums; and the sums again, when that was `before`. */
struct backend_sums server_share(const struct server *s);
void server_republish(struct server *s, struct backend_sums before);

/* server_agent.c: the server's weight or limit of connections is this. */
void server_agent_weigh(struct server *s, uint32_t weight, struct mono now);
void server_agent_limit(struct server *s, uint32_t maxconn, struct mono now);

/* Those who follow it go by what it has become; `standing` was taken under the lock that is no
 * longer held. */
struct standing {
	uint64_t number; /* the latest counts, in whatever order they arrive */
	struct server_stance stance;
	struct check_window window;
	struct check_result last;
	bool judged, stopping;
};

struct standing server_stand(struct server *s);
void server_tell_followers(const struct server *s, const struct standing *standing, bool aloud,
			   struct mono now);

/* Counts all servers, and shows the sums on the health board. */
void backend_publish(struct backend *be);
