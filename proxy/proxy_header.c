/*
 * proxy_header.c - reading and writing of PROXY protocol headers ("The PROXY protocol, versions 1 &
 * 2", sections 2.1 and 2.2).  Run by the session's thread.
 */
#include "proxy/proxy_header.h"

#include "proxy/hash.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define V1_MAX    107
#define V2_FIXED  16
#define TLV_FIXED 3
#define TLS_FIXED 5
#define CRC_LEN   4

enum tlv {
	TLV_ALPN = 0x01,
	TLV_AUTHORITY = 0x02,
	TLV_CRC32C = 0x03,
	TLV_UNIQUE_ID = 0x05,
	TLV_TLS = 0x20,
	TLV_TLS_VERSION = 0x21,
	TLV_TLS_CN = 0x22,
	TLV_TLS_CIPHER = 0x23,
	TLV_TLS_SIGNATURE = 0x24,
	TLV_TLS_KEY = 0x25,
};

enum { TLS_ON = 1, TLS_CLIENT_CERT = 2, TLS_SESSION_CERT = 4 };
enum { COMMAND_LOCAL, COMMAND_PROXY };
enum { FAMILY_UNSPEC, FAMILY_INET, FAMILY_INET6, FAMILY_UNIX };
enum { PROTOCOL_STREAM = 1 };

static const unsigned char signature[12] = "\r\n\r\n\0\r\nQUIT\n";
static const char v1_signature[6] = "PROXY ";

const char *
proxy_header_reason(enum proxy_header_result result)
{
	switch (result) {
	case PROXY_HEADER_OK:
		return "a PROXY protocol header";
	case PROXY_HEADER_MORE:
		return "an incomplete PROXY protocol header";
	case PROXY_HEADER_NONE:
		return "not a PROXY protocol header";
	case PROXY_HEADER_LENGTH:
		return "a PROXY protocol header of wrong length";
	case PROXY_HEADER_VERSION:
		return "a PROXY protocol header of unknown version or command";
	case PROXY_HEADER_ADDRESS:
		return "a PROXY protocol header with malformed addresses";
	case PROXY_HEADER_TLV:
		return "a PROXY protocol header with a malformed extension";
	case PROXY_HEADER_CHECKSUM:
		return "a PROXY protocol header with a wrong checksum";
	}
	return "?";
}

static uint16_t
get16(const unsigned char *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t
get32(const unsigned char *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* ------------------------------------------------------------------ version 1 */

/* A decimal port without a sign, blanks or leading zeros; -1 = none. */
static int
parse_port(const char *text)
{
	int port = 0;

	if (!*text || (*text == '0' && text[1]))
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		port = port * 10 + (*text - '0');
		if (port > 65535)
			return -1;
	}
	return port;
}

static bool
parse_v1(char *line, struct proxy_header *header)
{
	char *words[7], *save = NULL;
	uint8_t family;
	int n = 0, from, to;

	for (char *word = strtok_r(line, " ", &save); word && n < 7;
	     word = strtok_r(NULL, " ", &save))
		words[n++] = word;
	if (n >= 2 && strcmp(words[1], "UNKNOWN") == 0) {
		header->local = true;
		return true;
	}
	if (n != 6)
		return false;
	family = strcmp(words[1], "TCP6") == 0 ? AF_INET6 : AF_INET;
	if (family == AF_INET && strcmp(words[1], "TCP4") != 0)
		return false;
	from = parse_port(words[4]);
	to = parse_port(words[5]);
	if (from < 0 || to < 0 || ip_parse(words[2], &header->source) < 0 ||
	    ip_parse(words[3], &header->destination) < 0 || header->source.family != family ||
	    header->destination.family != family)
		return false;
	header->source_port = (uint16_t)from;
	header->destination_port = (uint16_t)to;
	return true;
}

static enum proxy_header_result
read_v1(const char *data, size_t size, struct proxy_header *header, size_t *len)
{
	size_t known = size < sizeof v1_signature ? size : sizeof v1_signature;
	char line[V1_MAX + 1];
	const char *end;

	if (memcmp(data, v1_signature, known) != 0)
		return PROXY_HEADER_NONE;
	end = memchr(data, '\n', size < V1_MAX ? size : V1_MAX);
	if (!end)
		return size < V1_MAX ? PROXY_HEADER_MORE : PROXY_HEADER_LENGTH;
	*len = (size_t)(end - data) + 1;
	if (end == data || end[-1] != '\r' || memchr(data, '\0', *len))
		return PROXY_HEADER_ADDRESS;
	memcpy(line, data, *len - 2);
	line[*len - 2] = '\0';
	return parse_v1(line, header) ? PROXY_HEADER_OK : PROXY_HEADER_ADDRESS;
}

/* ------------------------------------------------------------------ version 2 */

static struct proxy_header_text
text_of(const unsigned char *value, size_t len)
{
	return (struct proxy_header_text){ (const char *)value, len };
}

/* The parts of TLV_TLS; false if they do not fit. */
static bool
read_tls(const unsigned char *at, size_t len, struct proxy_header_tls *tls)
{
	const unsigned char *end = at + len;

	if (len < TLS_FIXED)
		return false;
	tls->on = at[0] & TLS_ON;
	tls->client_cert = at[0] & TLS_CLIENT_CERT;
	tls->session_cert = at[0] & TLS_SESSION_CERT;
	tls->verify = get32(at + 1);
	for (at += TLS_FIXED; at < end;) {
		size_t part;

		if (end - at < TLV_FIXED || (part = get16(at + 1)) > (size_t)(end - at - TLV_FIXED))
			return false;
		switch (at[0]) {
		case TLV_TLS_VERSION:
			tls->version = text_of(at + TLV_FIXED, part);
			break;
		case TLV_TLS_CN:
			tls->common_name = text_of(at + TLV_FIXED, part);
			break;
		case TLV_TLS_CIPHER:
			tls->cipher = text_of(at + TLV_FIXED, part);
			break;
		case TLV_TLS_SIGNATURE:
			tls->signature = text_of(at + TLV_FIXED, part);
			break;
		case TLV_TLS_KEY:
			tls->key = text_of(at + TLV_FIXED, part);
			break;
		}
		at += TLV_FIXED + part;
	}
	return true;
}

/* The sum is taken with its own four bytes read as zero. */
static bool
sum_matches(const unsigned char *data, size_t len, const unsigned char *sum)
{
	static const unsigned char zero[CRC_LEN];
	uint32_t crc = hash_crc(~0U, HASH_CRC32C, data, (size_t)(sum - data));

	crc = hash_crc(crc, HASH_CRC32C, zero, CRC_LEN);
	crc = hash_crc(crc, HASH_CRC32C, sum + CRC_LEN, len - (size_t)(sum - data) - CRC_LEN);
	return ~crc == get32(sum);
}

static enum proxy_header_result
read_tlvs(const unsigned char *data, size_t begin, size_t len, struct proxy_header *header)
{
	const unsigned char *at = data + begin, *end = data + len;

	while (at < end) {
		const unsigned char *value = at + TLV_FIXED;
		size_t part;

		if (end - at < TLV_FIXED || (part = get16(at + 1)) > (size_t)(end - value))
			return PROXY_HEADER_TLV;
		switch (at[0]) {
		case TLV_ALPN:
			header->alpn = text_of(value, part);
			break;
		case TLV_AUTHORITY:
			header->authority = text_of(value, part);
			break;
		case TLV_UNIQUE_ID:
			header->unique_id = text_of(value, part);
			break;
		case TLV_CRC32C:
			if (part != CRC_LEN)
				return PROXY_HEADER_TLV;
			if (!sum_matches(data, len, value))
				return PROXY_HEADER_CHECKSUM;
			header->checksum = true;
			break;
		case TLV_TLS:
			if (!read_tls(value, part, &header->tls))
				return PROXY_HEADER_TLV;
			break;
		}
		at = value + part;
	}
	return PROXY_HEADER_OK;
}

/* Bytes of the addresses of a family, and where the ports stand behind them. */
static size_t
addresses_len(unsigned family)
{
	switch (family) {
	case FAMILY_INET:
		return 12;
	case FAMILY_INET6:
		return 36;
	case FAMILY_UNIX:
		return 216;
	}
	return 0;
}

static void
read_addresses(const unsigned char *at, unsigned family, struct proxy_header *header)
{
	size_t len = family == FAMILY_INET ? 4 : 16;

	header->source.family = header->destination.family =
		family == FAMILY_INET ? AF_INET : AF_INET6;
	memcpy(header->source.bytes, at, len);
	memcpy(header->destination.bytes, at + len, len);
	header->source_port = get16(at + 2 * len);
	header->destination_port = get16(at + 2 * len + 2);
}

static enum proxy_header_result
read_v2(const unsigned char *data, size_t size, struct proxy_header *header, size_t *len)
{
	unsigned command, family;

	if (size < V2_FIXED)
		return PROXY_HEADER_MORE;
	command = data[12] & 15;
	family = data[13] >> 4;
	if (data[12] >> 4 != 2 || command > COMMAND_PROXY)
		return PROXY_HEADER_VERSION;
	*len = V2_FIXED + get16(data + 14);
	if (*len > PROXY_HEADER_MAX || *len < V2_FIXED + addresses_len(family))
		return PROXY_HEADER_LENGTH;
	if (size < *len)
		return PROXY_HEADER_MORE;
	/* What is not understood is as if the sender spoke for itself (section 2.2). */
	if (command == COMMAND_LOCAL || family == FAMILY_UNSPEC || family > FAMILY_UNIX ||
	    (data[13] & 15) != PROTOCOL_STREAM)
		header->local = true;
	else if (family != FAMILY_UNIX)
		read_addresses(data + V2_FIXED, family, header);
	return read_tlvs(data, V2_FIXED + addresses_len(family), *len, header);
}

enum proxy_header_result
proxy_header_read(const void *data, size_t size, struct proxy_header *header, size_t *len)
{
	size_t known = size < sizeof signature ? size : sizeof signature;

	*header = (struct proxy_header){ 0 };
	*len = 0;
	if (size == 0)
		return PROXY_HEADER_MORE;
	if (memcmp(data, signature, known) == 0)
		return known < sizeof signature ? PROXY_HEADER_MORE
						: read_v2(data, size, header, len);
	return read_v1(data, size, header, len);
}

/* ------------------------------------------------------------------ writing */

size_t
proxy_header_write_v1(char *to, const struct proxy_header *header)
{
	char source[IP_STRLEN], destination[IP_STRLEN];

	if (header->local || header->source.family == AF_UNSPEC ||
	    header->source.family != header->destination.family)
		return (size_t)snprintf(to, PROXY_HEADER_ROOM, "PROXY UNKNOWN\r\n");
	return (size_t)snprintf(to, PROXY_HEADER_ROOM, "PROXY TCP%c %s %s %u %u\r\n",
				header->source.family == AF_INET6 ? '6' : '4',
				ip_format(&header->source, source),
				ip_format(&header->destination, destination), header->source_port,
				header->destination_port);
}

struct writer {
	unsigned char *begin, *at, *end;
};

static void
put(struct writer *w, const void *data, size_t len)
{
	memcpy(w->at, data, len);
	w->at += len;
}

static void
put16(struct writer *w, size_t value)
{
	put(w, (unsigned char[]){ (unsigned char)(value >> 8), (unsigned char)value }, 2);
}

static void
put_tlv(struct writer *w, enum tlv type, struct proxy_header_text text)
{
	if (!text.at || text.len + TLV_FIXED > (size_t)(w->end - w->at))
		return;
	*w->at++ = (unsigned char)type;
	put16(w, text.len);
	put(w, text.at, text.len);
}

/* A length that is known only after what it counts. */
static void
patch16(unsigned char *at, size_t value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

static void
put_tls(struct writer *w, const struct proxy_header_tls *tls)
{
	unsigned char *begin = w->at;
	uint32_t verify_be = htonl(tls->verify);

	if (!tls->on || (size_t)(w->end - w->at) < TLV_FIXED + TLS_FIXED)
		return;
	*w->at++ = TLV_TLS;
	put16(w, 0);
	*w->at++ = (unsigned char)(TLS_ON | (tls->client_cert ? TLS_CLIENT_CERT : 0) |
				   (tls->session_cert ? TLS_SESSION_CERT : 0));
	put(w, &verify_be, sizeof verify_be);
	put_tlv(w, TLV_TLS_VERSION, tls->version);
	put_tlv(w, TLV_TLS_CN, tls->common_name);
	put_tlv(w, TLV_TLS_KEY, tls->key);
	put_tlv(w, TLV_TLS_SIGNATURE, tls->signature);
	put_tlv(w, TLV_TLS_CIPHER, tls->cipher);
	patch16(begin + 1, (size_t)(w->at - begin) - TLV_FIXED);
}

static void
put_addresses(struct writer *w, const struct proxy_header *header)
{
	put(w, header->source.bytes, ip_len(&header->source));
	put(w, header->destination.bytes, ip_len(&header->destination));
	put16(w, header->source_port);
	put16(w, header->destination_port);
}

size_t
proxy_header_write_v2(char *to, const struct proxy_header *header)
{
	unsigned char *begin = (unsigned char *)to, *sum;
	struct writer w = { begin, begin, begin + PROXY_HEADER_ROOM - TLV_FIXED - CRC_LEN };
	bool known = !header->local && header->source.family != AF_UNSPEC &&
		     header->source.family == header->destination.family;
	unsigned family = !known                              ? FAMILY_UNSPEC
			  : header->source.family == AF_INET6 ? FAMILY_INET6
							      : FAMILY_INET;
	uint32_t crc_be;

	put(&w, signature, sizeof signature);
	*w.at++ = 2 << 4 | (header->local ? COMMAND_LOCAL : COMMAND_PROXY);
	*w.at++ = known ? (unsigned char)(family << 4 | PROTOCOL_STREAM) : 0;
	put16(&w, 0);
	if (known)
		put_addresses(&w, header);
	put_tlv(&w, TLV_ALPN, header->alpn);
	put_tlv(&w, TLV_AUTHORITY, header->authority);
	put_tlv(&w, TLV_UNIQUE_ID, header->unique_id);
	put_tls(&w, &header->tls);
	if (header->checksum) {
		w.end += TLV_FIXED + CRC_LEN;
		put_tlv(&w, TLV_CRC32C, (struct proxy_header_text){ "\0\0\0", CRC_LEN });
	}
	patch16(begin + 14, (size_t)(w.at - begin) - V2_FIXED);
	if (header->checksum) {
		sum = w.at - CRC_LEN;
		crc_be = htonl(~hash_crc(~0U, HASH_CRC32C, begin, (size_t)(w.at - begin)));
		memcpy(sum, &crc_be, sizeof crc_be);
	}
	return (size_t)(w.at - begin);
}
