/*
 * arena.h - memory that lives and dies together: one arena per configuration.
 *
 * Everything allocated is zeroed and aligned for any type.  Allocation never returns NULL: a
 * process that cannot load its configuration for want of memory aborts.
 */
#pragma once

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is fine */

void *arena_alloc(struct arena *arena, size_t size);
char *arena_strdup(struct arena *arena, const char *s); /* NULL gives NULL */
char *arena_strndup(struct arena *arena, const char *s, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Appends one zeroed element to an array that lives in the arena and returns it.  `array` is a
 * pointer variable, `count` its element count; the array may move (capacity doubles at powers of
 * two), so keep indexes, not pointers, while it grows.
 */
#define ARENA_PUSH(arena, array, count) \
	((array) = arena_grow((arena), (array), (count), sizeof *(array)), &(array)[(count)++])

void *arena_grow(struct arena *arena, void *array, size_t count, size_t element_size);
