/*
 * test_arena.c - zeroed, aligned, disjoint allocations across chunks; arrays that grow.
 */
#include "common/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void
test_alloc(void **state)
{
	enum { N = 3000 };
	static const size_t sizes[] = { 1, 7, 16, 33, 100, 4096, 20000, 40000 };
	struct arena *arena = arena_new();
	unsigned char **p = calloc(N, sizeof *p);

	/* Each is filled with its own byte; if two overlapped, the check below would see it. */
	for (size_t i = 0; i < N; i++) {
		size_t size = sizes[i * 7 % 8];

		p[i] = arena_alloc(arena, size);
		assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < size; k++)
			if (p[i][k])
				fail_msg("not zero");
		memset(p[i], (int)(i % 251) + 1, size);
	}
	for (size_t i = 0; i < N; i++)
		for (size_t k = 0; k < sizes[i * 7 % 8]; k++)
			if (p[i][k] != i % 251 + 1)
				fail_msg("allocation %zu was overwritten", i);
	free(p);
	arena_free(arena);
	arena_free(NULL);
}

static void
test_empty(void **state)
{
	struct arena *arena = arena_new();
	void *a = arena_alloc(arena, 0), *b = arena_alloc(arena, 0);

	assert_non_null(a);
	assert_ptr_not_equal(a, b);
	arena_free(arena);
}

/* The room left in a chunk is used after an allocation that needed its own. */
static void
test_large_keeps_chunk(void **state)
{
	struct arena *arena = arena_new();
	char *a = arena_alloc(arena, 16), *large = arena_alloc(arena, 1 << 20);
	char *b = arena_alloc(arena, 16);

	memset(large, 1, 1 << 20);
	assert_ptr_equal(b, a + 16);
	arena_free(arena);
}

static void
test_strings(void **state)
{
	struct arena *arena = arena_new();
	char longest[5000];
	char *s;

	assert_null(arena_strdup(arena, NULL));
	assert_null(arena_strndup(arena, NULL, 3));
	assert_string_equal(arena_strdup(arena, ""), "");
	assert_string_equal(arena_strdup(arena, "backend"), "backend");
	assert_string_equal(arena_strndup(arena, "backend", 4), "back");
	assert_string_equal(arena_strndup(arena, "backend", 40), "backend");
	assert_string_equal(arena_printf(arena, "%s-%d", "web", 7), "web-7");

	memset(longest, 'y', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	s = arena_printf(arena, "<%s>", longest);
	assert_int_equal(strlen(s), sizeof longest - 1 + 2);
	assert_int_equal(s[strlen(s) - 1], '>');
	arena_free(arena);
}

static void
test_push(void **state)
{
	struct item {
		int index;
		char pad[20];
	};
	struct arena *arena = arena_new();
	struct item *items = NULL, *other = NULL;
	size_t n = 0, other_n = 0, moves = 0;

	for (int i = 0; i < 5000; i++) {
		struct item *was = items;
		struct item *it = ARENA_PUSH(arena, items, n);

		moves += was != items;
		assert_ptr_equal(it, &items[n - 1]);
		assert_int_equal(it->index, 0);
		it->index = i + 1;
		memset(it->pad, 0xff, sizeof it->pad);
		/* A second array in between, so that growing in place cannot hide a mistake. */
		ARENA_PUSH(arena, other, other_n)->index = -i;
	}
	assert_int_equal(n, 5000);
	assert_int_equal(moves, 14); /* 1, 2, 4, ... 8192 */
	for (int i = 0; i < 5000; i++) {
		assert_int_equal(items[i].index, i + 1);
		assert_int_equal(other[i].index, -i);
	}

	/* Shortened and pushed again: the element is zero although it was used. */
	n = 4997;
	assert_int_equal(ARENA_PUSH(arena, items, n)->index, 0);
	assert_int_equal(items[4996].index, 4997);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc),   cmocka_unit_test(test_empty),
		cmocka_unit_test(test_strings), cmocka_unit_test(test_large_keeps_chunk),
		cmocka_unit_test(test_push),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
