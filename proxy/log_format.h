/*
 * log_format.h - a line of the traffic log out of its format.
 */
#pragma once

#include "proxy/sample.h"

/* What the fields of a format stand for; strings are borrowed. */
struct access_record {
	struct ip client_ip; /* AF_UNSPEC = unix: bind's number instead of a port */
	uint16_t client_port;
	int64_t accepted_ms;                     /* wall clock */
	const char *frontend, *backend, *server; /* server NULL = none was chosen */
	bool tls;
	int32_t handshake_ms, queue_ms, connect_ms, total_ms; /* -1 = never came so far */
	uint64_t bytes, bytes_up;
	char cause, phase;
	bool early; /* logasap: total and bytes will grow */
	uint32_t actconn, feconn, beconn, srvconn, retries;
	bool redispatched;
	uint32_t server_queue, backend_queue;
	uint64_t log_counter, request_counter;
	int pid;
	const char *hostname;
	const struct conf_format *unique_id; /* NULL = none */
	const struct sample_ctx *ctx; /* for expressions and addresses; NULL = there are none */
};

/* Writes the line, NUL-terminated and cut at `size`; its length without the NUL. */
size_t log_format_line(const struct conf_format *format, const struct access_record *record,
		       char *line, size_t size);

/* The same outside the log, for names and variables: fields as far as they are known. */
size_t log_format_session(const struct conf_format *format, const struct sample_ctx *ctx,
			  char *text, size_t size);

/* Without a session: of fields the date and the process are known. */
size_t log_format_nobody(const struct conf_format *format, const struct sample_ctx *ctx, char *text,
			 size_t size);
