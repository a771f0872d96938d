/*
 * checksum.h - the Internet checksum (RFC 1071), summed in pieces.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Adds `len` bytes to a running sum; every piece but the last must have an even length. */
uint32_t checksum_add(uint32_t sum, const void *data, size_t len);

/* Folds and complements: the value to store, already in network byte order. */
uint16_t checksum_finish(uint32_t sum);
