/*
 * hash_xx.h - the hash functions XXH32 and XXH64, as their specification describes them.  Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t hash_xx32(const void *data, size_t len, uint32_t seed);
uint64_t hash_xx64(const void *data, size_t len, uint64_t seed);
