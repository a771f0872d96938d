/*
 * hash.h - the hash functions of HAProxy's language that no library has.  Pure.
 *
 * What they yield is HAProxy's interface: a key must find its server behind either.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t hash_sdbm(const void *data, size_t len);
uint32_t hash_djb2(const void *data, size_t len);

/* Two halves stir each other, by steps that depend on what came before. */
uint32_t hash_wt6(const void *data, size_t len);

/* Reflected polynomials: ISO 3309, as in Ethernet; Castagnoli's. */
#define HASH_CRC32  0xedb88320
#define HASH_CRC32C 0x82f63b78

/* Goes on with a CRC, which begins with ~0; the sum is its complement in the end. */
uint32_t hash_crc(uint32_t crc, uint32_t polynomial, const void *data, size_t len);

/* Spreads a hash over all of its bits, and over a circle of 2^32. */
uint32_t hash_avalanche(uint32_t hash);
