/*
 * check_http.h - the answer to an HTTP check, as far as it has come.  Pure: the bytes stay the
 * caller's, and what is found points into them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum check_http_state {
	CHECK_HTTP_MORE, /* the head is not complete */
	CHECK_HTTP_BAD,  /* it never will be */
	CHECK_HTTP_HEAD, /* status and headers are there */
};

struct check_http {
	int status;
	const char *reason;
	size_t reason_len;
	const char *headers, *body; /* headers end where the empty line begins */
	size_t headers_len, body_len;
	bool has_length, chunked, bodiless;
	size_t length;
};

/* Passes over 1xx answers. */
enum check_http_state check_http_parse(const void *data, size_t len, struct check_http *http);

/* The next header from *at (0 at first); false at the end. */
bool check_http_header(const struct check_http *http, size_t *at, const char **name,
		       size_t *name_len, const char **value, size_t *value_len);

/*
 * The body as far as it is there, chunks put together in `out` (room for http->body_len); returns its
 * length.  *whole: nothing more will come.  -1: broken chunks.
 */
long check_http_body(const struct check_http *http, bool eof, char *out, bool *whole);
