/*
 * proxy_header.h - the PROXY protocol, versions 1 and 2: what stands before a connection's own bytes
 * and tells for whom it was made.  Pure: bytes in, header out, and back.
 */
#pragma once

#include "common/addr.h"

#include <stddef.h>

/* The longest header accepted; version 1 has at most 107 bytes. */
#define PROXY_HEADER_MAX 4096
/* Room for any that proxy_header_write makes. */
#define PROXY_HEADER_ROOM 1024

enum proxy_header_result {
	PROXY_HEADER_OK,
	PROXY_HEADER_MORE,     /* the beginning of one: more bytes are needed */
	PROXY_HEADER_NONE,     /* the bytes are no PROXY header */
	PROXY_HEADER_LENGTH,   /* longer than PROXY_HEADER_MAX, or too short for what it says */
	PROXY_HEADER_VERSION,  /* neither version 1 nor 2, or an unknown command */
	PROXY_HEADER_ADDRESS,  /* version 1: no addresses and ports where they should be */
	PROXY_HEADER_TLV,      /* an extension reaches beyond the end */
	PROXY_HEADER_CHECKSUM, /* CRC32c does not match */
};
#define PROXY_HEADER_RESULTS (PROXY_HEADER_CHECKSUM + 1)

/* A piece of the bytes read or of the caller's memory; at NULL = not there. */
struct proxy_header_text {
	const char *at;
	size_t len;
};

/* TLS of the client's connection, as version 2 tells it. */
struct proxy_header_tls {
	bool on;
	bool client_cert;  /* the client has shown one … */
	bool session_cert; /* … on this connection or one of the same session */
	uint32_t verify;   /* 0 = verified */
	struct proxy_header_text version, common_name, cipher, signature, key;
};

struct proxy_header {
	bool local; /* LOCAL or UNKNOWN: the connection's own addresses are the client's */
	struct ip source, destination; /* of one family; AF_UNSPEC = unix or unknown */
	uint16_t source_port, destination_port;
	struct proxy_header_text alpn, authority, unique_id;
	struct proxy_header_tls tls;
	bool checksum; /* writing: add a CRC32c */
};

/* Reads what begins a connection; *len = the header's length.  Texts point into `data`. */
enum proxy_header_result proxy_header_read(const void *data, size_t size,
					   struct proxy_header *header, size_t *len);

/* "not a PROXY protocol header", for the log. */
const char *proxy_header_reason(enum proxy_header_result result);

/* Write a header into PROXY_HEADER_ROOM bytes; the length.  Texts that do not fit are left out. */
size_t proxy_header_write_v1(char *to, const struct proxy_header *header);
size_t proxy_header_write_v2(char *to, const struct proxy_header *header);
