/*
 * check_http.c - parses the answer to an HTTP check (RFC 9112).  Pure.
 */
#include "proxy/check_http.h"

#include <string.h>
#include <strings.h>

/* The line at `s`: its length without the end, or -1 if it has none yet.  *next: behind the end. */
static long
line_at(const char *s, const char *end, const char **next)
{
	const char *lf = memchr(s, '\n', (size_t)(end - s));

	if (!lf)
		return -1;
	*next = lf + 1;
	return lf - s - (lf > s && lf[-1] == '\r');
}

/* "HTTP/1.1 200 OK" (section 4): the reason may be missing. */
static bool
parse_status(const char *s, size_t len, struct check_http *http)
{
	if (len < 12 || memcmp(s, "HTTP/", 5) != 0 || s[5] < '0' || s[5] > '9' || s[6] != '.' ||
	    s[7] < '0' || s[7] > '9' || s[8] != ' ')
		return false;
	http->status = 0;
	for (int i = 9; i < 12; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		http->status = http->status * 10 + (s[i] - '0');
	}
	if (http->status < 100 || (len > 12 && s[12] != ' '))
		return false;
	http->reason = len > 13 ? s + 13 : s + 12;
	http->reason_len = len > 13 ? len - 13 : 0;
	return true;
}

bool
check_http_header(const struct check_http *http, size_t *at, const char **name, size_t *name_len,
		  const char **value, size_t *value_len)
{
	const char *end = http->headers + http->headers_len, *next = NULL, *colon;

	while (*at < http->headers_len) {
		const char *s = http->headers + *at;
		long len = line_at(s, end, &next);

		if (len < 0)
			return false;
		*at = (size_t)(next - http->headers);
		colon = memchr(s, ':', (size_t)len);
		if (!colon || colon == s)
			continue;
		*name = s;
		*name_len = (size_t)(colon - s);
		*value = colon + 1;
		*value_len = (size_t)(s + len - *value);
		while (*value_len && (**value == ' ' || **value == '\t')) {
			++*value;
			--*value_len;
		}
		while (*value_len &&
		       ((*value)[*value_len - 1] == ' ' || (*value)[*value_len - 1] == '\t'))
			--*value_len;
		return true;
	}
	return false;
}

static bool
is_word(const char *s, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(s, word, len) == 0;
}

/* Section 6.3: how the body ends.  false: contradictory or no number. */
static bool
parse_framing(struct check_http *http)
{
	const char *name, *value;
	size_t at = 0, name_len, value_len;

	while (check_http_header(http, &at, &name, &name_len, &value, &value_len)) {
		if (is_word(name, name_len, "transfer-encoding")) {
			http->chunked = value_len >= 7 &&
					strncasecmp(value + value_len - 7, "chunked", 7) == 0;
		} else if (is_word(name, name_len, "content-length")) {
			size_t length = 0;

			if (value_len == 0 || value_len > 15)
				return false;
			for (size_t i = 0; i < value_len; i++) {
				if (value[i] < '0' || value[i] > '9')
					return false;
				length = length * 10 + (size_t)(value[i] - '0');
			}
			if (http->has_length && length != http->length)
				return false;
			http->has_length = true;
			http->length = length;
		}
	}
	return true;
}

enum check_http_state
check_http_parse(const void *data, size_t len, struct check_http *http)
{
	const char *s = data, *end = s + len, *next = NULL;
	long line;

	for (;;) {
		static const char version[] = "HTTP/";
		size_t have = (size_t)(end - s) < 5 ? (size_t)(end - s) : 5;

		*http = (struct check_http){ 0 };
		/* What is no HTTP need not be waited for. */
		if (memcmp(s, version, have) != 0)
			return CHECK_HTTP_BAD;
		line = line_at(s, end, &next);
		if (line < 0)
			return CHECK_HTTP_MORE;
		if (!parse_status(s, (size_t)line, http))
			return CHECK_HTTP_BAD;
		http->headers = next;
		do {
			s = next;
			line = line_at(s, end, &next);
			if (line < 0)
				return CHECK_HTTP_MORE;
		} while (line > 0);
		http->headers_len = (size_t)(s - http->headers);
		http->body = next;
		http->body_len = (size_t)(end - next);
		s = next;
		if (http->status >= 200)
			break;
		if (http->status == 101)
			return CHECK_HTTP_BAD;
	}
	http->bodiless = http->status == 204 || http->status == 304;
	return parse_framing(http) ? CHECK_HTTP_HEAD : CHECK_HTTP_BAD;
}

/* "1a;name=value": -1 if it is no chunk's size. */
static long
chunk_size(const char *s, size_t len)
{
	long size = 0;
	size_t i;

	for (i = 0; i < len && i < 7; i++) {
		char c = s[i] >= '0' && s[i] <= '9' ? s[i] : (char)(s[i] | 0x20);

		if (c >= '0' && c <= '9')
			size = size * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			size = size * 16 + (c - 'a' + 10);
		else
			break;
	}
	if (i == 0 || (i < len && s[i] != ';' && s[i] != ' ' && s[i] != '\t'))
		return -1;
	return size;
}

/* Section 7.1. */
static long
join_chunks(const struct check_http *http, char *out, bool *whole)
{
	const char *s = http->body, *end = s + http->body_len, *next = NULL;
	size_t out_len = 0;

	while (s < end) {
		long line = line_at(s, end, &next), size;
		size_t left;

		if (line < 0)
			break;
		size = chunk_size(s, (size_t)line);
		if (size < 0)
			return -1;
		if (size == 0) {
			*whole = true;
			break;
		}
		left = (size_t)(end - next);
		if ((size_t)size > left)
			size = (long)left;
		memcpy(out + out_len, next, (size_t)size);
		out_len += (size_t)size;
		s = next + size;
		/* The line's end behind the data. */
		s += s < end && *s == '\r';
		s += s < end && *s == '\n';
	}
	return (long)out_len;
}

long
check_http_body(const struct check_http *http, bool eof, char *out, bool *whole)
{
	size_t len = http->body_len;

	*whole = eof || http->bodiless;
	if (http->bodiless)
		return 0;
	if (http->chunked)
		return join_chunks(http, out, whole);
	if (http->has_length) {
		if (len >= http->length) {
			len = http->length;
			*whole = true;
		}
	}
	memcpy(out, http->body, len);
	return (long)len;
}
