/*
 * access_log.h - the traffic log: one line a session, in HAProxy's words.
 */
#pragma once

#include "proxy/log_format.h"
#include "proxy/session.h"

/* Logs a session that is over, or with logasap one that has its server. */
void access_log_end(struct session *s);

/* The client's PROXY header or TLS handshake came to nothing, for `s->client_fault`. */
void access_log_handshake(struct session *s);

/* HAProxy's line at the accept, where there is no `option tcplog`. */
void access_log_start(struct session *s);
