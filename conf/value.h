/*
 * value.h - numbers, times and sizes as the two dialects write them.  Pure.
 *
 * All return 0, -EINVAL for what is not of that form, or -ERANGE for a number too large for the
 * type; on failure the result is untouched.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* An optional sign and decimal digits. */
int value_int(const char *s, int64_t *value);

/* keepalived's seconds with up to six decimals ("0.92"), in microseconds, rounded down. */
int value_seconds(const char *s, int64_t *us);

/* HAProxy's time: a number and us, ms, s, m, h or d; without a unit it is in `unit_us`
 * microseconds.  In milliseconds, rounded up so that no wait becomes none. */
int value_time(const char *s, int64_t unit_us, int64_t *ms);

/* HAProxy's size: a number and k, m or g (1024, 1024², 1024³). */
int value_size(const char *s, int64_t *bytes);

#define VALUE_STRLEN 32

/* The shortest exact forms, as the dialects read them back; return `buf`. */
const char *value_format_seconds(uint64_t ms, char buf[VALUE_STRLEN]);
const char *value_format_time(uint64_t ms, char buf[VALUE_STRLEN]);
