/*
 * arena.c - memory that lives and dies together.  An arena belongs to one thread while it is being
 * filled; a finished configuration is read by any number of them.
 *
 * Chunks are calloc'ed, so that what is handed out is zero already.  An allocation larger than what
 * is left opens a new chunk; one larger than a chunk gets its own, put behind the present one so
 * that the room left in that is not lost.
 */
#include "common/arena.h"

#include "common/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK ((size_t)32 * 1024)
#define ARENA_ALIGN _Alignof(max_align_t)

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct chunk *chunks; /* the first one is being filled */
};

static _Noreturn void
out_of_memory(size_t size)
{
	log_alert("out of memory allocating %zu bytes of configuration", size);
	abort();
}

static struct chunk *
chunk_new(size_t size)
{
	struct chunk *c = NULL;

	if (size <= PTRDIFF_MAX - sizeof *c)
		c = calloc(1, sizeof *c + size);
	if (!c)
		out_of_memory(size);
	c->size = size;
	return c;
}

struct arena *
arena_new(void)
{
	struct arena *arena = calloc(1, sizeof *arena);

	if (!arena)
		out_of_memory(sizeof *arena);
	arena->chunks = chunk_new(ARENA_CHUNK);
	return arena;
}

void
arena_free(struct arena *arena)
{
	struct chunk *c, *next;

	if (!arena)
		return;
	for (c = arena->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	free(arena);
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	struct chunk *c = arena->chunks;
	void *p;

	if (size > PTRDIFF_MAX - ARENA_ALIGN)
		out_of_memory(size);
	/* Zero bytes still get an address of their own. */
	size = ((size ? size : 1) + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);

	if (size > c->size - c->used) {
		if (size > ARENA_CHUNK / 2) {
			struct chunk *own = chunk_new(size);

			own->used = size;
			own->next = c->next;
			c->next = own;
			return own->data;
		}
		c = chunk_new(ARENA_CHUNK);
		c->next = arena->chunks;
		arena->chunks = c;
	}
	p = c->data + c->used;
	c->used += size;
	return p;
}

char *
arena_strdup(struct arena *arena, const char *s)
{
	return s ? arena_strndup(arena, s, strlen(s)) : NULL;
}

char *
arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy;

	if (!s)
		return NULL;
	len = strnlen(s, len);
	copy = arena_alloc(arena, len + 1);
	memcpy(copy, s, len);
	return copy;
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	char *heap, *s;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&heap, format, ap);
	va_end(ap);
	if (len < 0)
		out_of_memory(0);
	s = arena_strndup(arena, heap, (size_t)len);
	free(heap);
	return s;
}

void *
arena_grow(struct arena *arena, void *array, size_t count, size_t element_size)
{
	/* No capacity is stored: it is the power of two at or above the count. */
	if ((count & (count - 1)) == 0) {
		size_t size, capacity = count ? count * 2 : 1;
		void *bigger;

		if (count > SIZE_MAX / 2 || __builtin_mul_overflow(capacity, element_size, &size))
			out_of_memory(SIZE_MAX);
		bigger = arena_alloc(arena, size);
		if (count)
			memcpy(bigger, array, count * element_size);
		return bigger;
	}
	/* The caller may have shortened the array before: what was there is not zero then. */
	memset((char *)array + count * element_size, 0, element_size);
	return array;
}
