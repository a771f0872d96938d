/*
 * dial.h - how a session comes to a server: choose, connect, and on failure choose again.
 *
 * A server that refuses or cannot be reached is left at once for another usable one.  Only when
 * every usable server has been tried does the session wait (a second at most) before it tries them
 * again; `retries` bounds the failures.
 */
#pragma once

#include "proxy/session.h"

/* Chooses a server and begins to connect; the session is CONNECTING, QUEUED, PAUSING or closed. */
void dial(struct session *s);

/* The present attempt has failed with an errno. */
void dial_failed(struct session *s, int error);

/* The session ends: leaves the queue, gives its slot back. */
void dial_cancel(struct session *s);

/* How long PAUSING lasts. */
uint32_t dial_pause_ms(const struct session *s);

/* Serves waiting sessions, first come first served, as long as there are slots. */
void dial_dispatch(struct waiting *w);

/* Where to connect: the target's address, or its host with the port the client asked for. */
struct sock_addr dial_destination(const struct session *s);
