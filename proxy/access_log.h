/*
 * access_log.h - the traffic log: one line a session, in HAProxy's words.
 */
#pragma once

#include "proxy/session.h"

/* What `option tcplog` prints; strings are borrowed. */
struct access_record {
	const char *client;                      /* "10.0.1.2:33313" or "unix:1" */
	int64_t accepted_ms;                     /* wall clock */
	const char *frontend, *backend, *server; /* server NULL = none was chosen */
	int32_t queue_ms, connect_ms, total_ms;  /* -1 = never came so far */
	uint64_t bytes;
	char cause, phase;
	bool early; /* logasap: total and bytes will grow */
	uint32_t actconn, feconn, beconn, srvconn, retries;
	bool redispatched;
	uint32_t server_queue, backend_queue;
};

/* `%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq`; returns the length. */
int access_log_format(const struct access_record *r, char *line, size_t size);

/* Logs a session that is over, or with logasap one that has its server. */
void access_log_end(struct session *s);

/* The client's TLS handshake came to nothing, as tls_handshake (or ETIMEDOUT) says. */
void access_log_handshake(struct session *s, int error);

/* HAProxy's line at the accept, where there is no `option tcplog`. */
void access_log_start(struct session *s);
