/*
 * hello.c - see hello.h.  Run by the session's thread.
 */
#include "proxy/hello.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
	RECORD_HANDSHAKE = 0x16,
	RECORD_LEN = 5,    /* type, version, length */
	HANDSHAKE_LEN = 4, /* type, length */
	HANDSHAKE_CLIENT_HELLO = 1,
	EXTENSION_HOST = 0,
	EXTENSION_CURVES = 10,
	EXTENSION_ALPN = 16,
	EXTENSION_TICKET = 35,
};

/* Bytes still to be read; a read beyond the end fails and leaves nothing. */
struct cursor {
	const unsigned char *at;
	size_t left;
};

static bool
skip(struct cursor *c, size_t len)
{
	if (len > c->left) {
		c->left = 0;
		return false;
	}
	c->at += len;
	c->left -= len;
	return true;
}

/* A number of `len` bytes, the most significant first; 0 if they are not there. */
static bool
number(struct cursor *c, unsigned len, size_t *value)
{
	const unsigned char *at = c->at;

	*value = 0;
	if (!skip(c, len))
		return false;
	for (unsigned i = 0; i < len; i++)
		*value = *value << 8 | at[i];
	return true;
}

/* What a length of `len` bytes announces. */
static bool
vector(struct cursor *c, unsigned len, struct cursor *inside)
{
	size_t size;

	if (!number(c, len, &size) || size > c->left)
		return false;
	*inside = (struct cursor){ c->at, size };
	return skip(c, size);
}

/*
 * The message at the beginning.  As HAProxy has it, all of it must be there, and in one record: its
 * length is what the handshake says, whatever the record says.
 */
static enum hello_result
message(const void *data, size_t len, size_t *type, struct cursor *body)
{
	struct cursor c = { data, len };
	size_t record, version, record_len, size;

	if (len == 0)
		return HELLO_WAIT;
	record = c.at[0];
	if ((record < 0x14 || record > 0x17) && record != 0xff)
		return HELLO_NONE;
	if (len < RECORD_LEN + HANDSHAKE_LEN)
		return HELLO_WAIT;
	number(&c, 1, &record);
	number(&c, 2, &version);
	number(&c, 2, &record_len);
	if (version < 0x0300 || record_len < HANDSHAKE_LEN)
		return HELLO_NONE;
	number(&c, 1, type);
	number(&c, 3, &size);
	if (size > c.left)
		return HELLO_WAIT;
	*body = (struct cursor){ c.at, size };
	return HELLO_FOUND;
}

enum hello_result
hello_type(const void *data, size_t len, int64_t *type)
{
	struct cursor body;
	size_t value;
	enum hello_result r = message(data, len, &value, &body);

	if (r == HELLO_FOUND)
		*type = (int64_t)value;
	return r;
}

enum hello_result
hello_version(const void *data, size_t len, int64_t *version)
{
	struct cursor c = { data, len };
	size_t record, outer, record_len, inner;

	if (len == 0)
		return HELLO_WAIT;
	record = c.at[0];
	if ((record < 0x14 || record > 0x17) && record != 0xff)
		return HELLO_NONE;
	if (len < RECORD_LEN)
		return HELLO_WAIT;
	skip(&c, 1);
	number(&c, 2, &outer);
	number(&c, 2, &record_len);
	if (outer < 0x0300 || record_len < HANDSHAKE_LEN + 2 || record_len > (1 << 14) + 2048)
		return HELLO_NONE;
	if (c.left < HANDSHAKE_LEN + 2)
		return HELLO_WAIT;
	if (c.left < record_len)
		return HELLO_WAIT;
	skip(&c, HANDSHAKE_LEN);
	number(&c, 2, &inner);
	*version = (int64_t)(inner >> 8) << 16 | (int64_t)(inner & 0xff);
	return HELLO_FOUND;
}

/* The extensions of a ClientHello. */
static enum hello_result
extensions(const void *data, size_t len, struct cursor *all)
{
	struct cursor body, ignored;
	size_t type;
	enum hello_result r;

	if (len > 0 && *(const unsigned char *)data != RECORD_HANDSHAKE)
		return HELLO_NONE;
	r = message(data, len, &type, &body);
	if (r != HELLO_FOUND)
		return r;
	if (type != HANDSHAKE_CLIENT_HELLO)
		return HELLO_NONE;
	/* Version and random, session, ciphers, compression. */
	if (!skip(&body, 2 + 32) || !vector(&body, 1, &ignored) || !vector(&body, 2, &ignored) ||
	    !vector(&body, 1, &ignored) || !vector(&body, 2, all))
		return HELLO_NONE;
	return HELLO_FOUND;
}

/* One extension's contents. */
static enum hello_result
extension(const void *data, size_t len, size_t wanted, struct cursor *contents)
{
	struct cursor all;
	enum hello_result r = extensions(data, len, &all);
	size_t type;

	if (r != HELLO_FOUND)
		return r;
	while (number(&all, 2, &type) && vector(&all, 2, contents))
		if (type == wanted)
			return HELLO_FOUND;
	return HELLO_NONE;
}

enum hello_result
hello_host(const void *data, size_t len, struct hello_text *host)
{
	struct cursor contents, names, name;
	enum hello_result r = extension(data, len, EXTENSION_HOST, &contents);
	size_t type;

	if (r != HELLO_FOUND)
		return r;
	if (!vector(&contents, 2, &names))
		return HELLO_NONE;
	while (number(&names, 1, &type) && vector(&names, 2, &name)) {
		if (type == 0) {
			*host = (struct hello_text){ (const char *)name.at, name.left };
			return HELLO_FOUND;
		}
	}
	return HELLO_NONE;
}

enum hello_result
hello_alpn(const void *data, size_t len, unsigned index, struct hello_text *protocol)
{
	struct cursor contents, names, name;
	enum hello_result r = extension(data, len, EXTENSION_ALPN, &contents);

	if (r != HELLO_FOUND)
		return r;
	if (!vector(&contents, 2, &names))
		return HELLO_NONE;
	while (vector(&names, 1, &name)) {
		if (index-- == 0) {
			*protocol = (struct hello_text){ (const char *)name.at, name.left };
			return HELLO_FOUND;
		}
	}
	return HELLO_NONE;
}

enum hello_result
hello_curves(const void *data, size_t len)
{
	struct cursor contents;

	return extension(data, len, EXTENSION_CURVES, &contents);
}

enum hello_result
hello_ticket(const void *data, size_t len, int64_t *state)
{
	struct cursor all, contents;
	enum hello_result r = extensions(data, len, &all);
	size_t type;

	if (r != HELLO_FOUND)
		return r;
	*state = 0;
	while (number(&all, 2, &type) && vector(&all, 2, &contents))
		if (type == EXTENSION_TICKET)
			*state = contents.left ? 2 : 1;
	return HELLO_FOUND;
}

/*
 * TPKT (version 3, length), X.224 Connection Request (length, 0xe0, two references, class), then
 * "Cookie: NAME=VALUE\r\n": MS-RDPBCGR section 2.2.1.1.
 */
enum hello_result
hello_rdp_cookie(const void *data, size_t len, const struct hello_text *name,
		 struct hello_text *value)
{
	static const unsigned char begin[] = { 3, 0 };
	static const char word[] = "Cookie:";
	struct cursor c = { data, len };
	const unsigned char *equals, *end;
	size_t size;

	if (memcmp(data, begin, len < sizeof begin ? len : sizeof begin) != 0)
		return HELLO_NONE;
	if (len <= 11)
		return HELLO_WAIT;
	skip(&c, 2);
	number(&c, 2, &size);
	if (size < 11 || c.at[1] != 0xe0)
		return HELLO_NONE;
	if (len < size)
		return HELLO_WAIT;
	c.left = size - 4;
	skip(&c, 7);
	if (c.left < sizeof word - 1 || strncasecmp((const char *)c.at, word, sizeof word - 1) != 0)
		return HELLO_NONE;
	skip(&c, sizeof word - 1);
	while (c.left && *c.at == ' ')
		skip(&c, 1);
	end = memchr(c.at, '\r', c.left);
	if (!end || end + 1 == c.at + c.left || end[1] != '\n')
		return HELLO_NONE;
	equals = memchr(c.at, '=', (size_t)(end - c.at));
	if (!equals || equals == c.at)
		return HELLO_NONE;
	if (name->len && (name->len != (size_t)(equals - c.at) ||
			  strncasecmp(name->data, (const char *)c.at, name->len) != 0))
		return HELLO_NONE;
	*value = (struct hello_text){ (const char *)equals + 1, (size_t)(end - equals - 1) };
	return HELLO_FOUND;
}

/* "METHOD target HTTP/1.x", headers, an empty line. */
enum hello_result
hello_http(const void *data, size_t len)
{
	const char *s = data, *end = s + len, *line = memchr(s, '\n', len), *blank;

	for (const char *c = s; c < end && *c != ' '; c++)
		if (!isupper((unsigned char)*c) && *c != '-')
			return HELLO_NONE;
	if (!line)
		return HELLO_WAIT;
	blank = memchr(s, ' ', (size_t)(line - s));
	if (!blank || blank == s)
		return HELLO_NONE;
	line -= line > s && line[-1] == '\r';
	if (line - blank < 10 || memcmp(line - 9, " HTTP/1.", 8) != 0 ||
	    !isdigit((unsigned char)line[-1]))
		return HELLO_NONE;
	return memmem(s, len, "\r\n\r\n", 4) || memmem(s, len, "\n\n", 2) ? HELLO_FOUND
									  : HELLO_WAIT;
}
