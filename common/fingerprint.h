/*
 * fingerprint.h - telling layouts of different versions apart: FNV-1a over whatever describes them.
 * Pure.  No guard against anybody who wants a collision.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FINGERPRINT_NONE UINT64_C(0xcbf29ce484222325)

static inline uint64_t
fingerprint_add(uint64_t fingerprint, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		fingerprint = (fingerprint ^ bytes[i]) * UINT64_C(0x100000001b3);
	return fingerprint;
}

static inline uint64_t
fingerprint_number(uint64_t fingerprint, uint64_t number)
{
	return fingerprint_add(fingerprint, &number, sizeof number);
}
