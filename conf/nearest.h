/*
 * nearest.h - which known word did the user mean?  Pure.
 */
#pragma once

#include <stddef.h>

/* Words longer than this are compared by their beginning only. */
#define NEAREST_LEN 48

/* The search for the candidate nearest to `word`; offer candidates one by one. */
struct nearest {
	const char *word;
	const char *best; /* NULL = none is near enough */
	unsigned distance;
};

/*
 * Damerau-Levenshtein distance (insert, delete, replace, swap neighbours), letters' case ignored;
 * limit + 1 if it is more than `limit`.
 */
unsigned nearest_distance(const char *a, const char *b, unsigned limit);

/* Starts a search.  A candidate is near if no more than a third of the letters (at least one,
 * at most three) differ. */
struct nearest nearest_init(const char *word);
void nearest_offer(struct nearest *nearest, const char *candidate);
