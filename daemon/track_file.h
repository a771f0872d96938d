/*
 * track_file.h - the number in a tracked file.  Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * As keepalived reads it (strtol): blanks, a sign, then decimal, 0x… or 0… digits; what follows does
 * not matter, and no number is 0.  0, or -ERANGE for one that does not fit: the last one holds.
 */
int track_file_value(const char *text, size_t len, int32_t *value);
