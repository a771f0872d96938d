/*
 * server_state.h - the parts of a server's change of state, between server_state.c, backend.c and
 * what else changes them.  Under the backend's lock.
 */
#pragma once

#include "proxy/backend.h"

/* What the server's facts add up to. */
enum server_state server_derive_state(const struct server *s);

/* Is a server in this state given connections? */
bool server_state_usable(enum server_state state);

/* Lets a new state act; the caller publishes. */
void server_set_state(struct server *s, enum server_state state, struct mono now);

/* Counts all servers, and shows the sums on the health board. */
void backend_publish(struct backend *be);
