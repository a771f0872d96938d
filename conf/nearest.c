/*
 * nearest.c - Damerau-Levenshtein distance over three rows.  Pure; runs while a configuration is
 * loaded.  Earlier candidates win ties, so tables list the more frequent word first.
 */
#include "conf/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

static bool
same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

unsigned
nearest_distance(const char *a, const char *b)
{
	unsigned rows[3][NEAREST_LEN + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2], *spare;
	size_t a_len = strnlen(a, NEAREST_LEN), b_len = strnlen(b, NEAREST_LEN);

	for (size_t j = 0; j <= b_len; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned cost = same_letter(a[i - 1], b[j - 1]) ? 0 : 1;

			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + cost);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]) && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b_len];
}

struct nearest
nearest_init(const char *word)
{
	size_t len = strnlen(word, NEAREST_LEN);
	unsigned limit = len < 3 ? 1 : len < 7 ? (unsigned)len / 3 : len < 12 ? 2 : 3;

	return (struct nearest){ .word = word, .distance = limit + 1 };
}

void
nearest_offer(struct nearest *nearest, const char *candidate)
{
	size_t a = strnlen(nearest->word, NEAREST_LEN), b = strnlen(candidate, NEAREST_LEN);
	unsigned distance;

	if ((a > b ? a - b : b - a) >= nearest->distance)
		return;
	distance = nearest_distance(nearest->word, candidate);
	if (distance < nearest->distance) {
		nearest->distance = distance;
		nearest->best = candidate;
	}
}
