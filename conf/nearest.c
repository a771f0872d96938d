/*
 * nearest.c - Damerau-Levenshtein distance over three rows.  Pure; runs while a configuration is
 * loaded.  Earlier candidates win ties, so tables list the more frequent word first.
 *
 * A word is compared with each of some hundred candidates, nearly all of which are far from it: most
 * are told from it by their length or by the letters they are made of, without looking at places.
 */
#include "conf/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
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

/* The set of letters, case ignored; other characters fall in with one of them. */
static uint32_t
letters(const char *word, size_t len)
{
	uint32_t set = 0;

	for (size_t i = 0; i < len; i++)
		set |= UINT32_C(1) << (word[i] & 31);
	return set;
}

/* One change of a word takes at most one letter out of its set and puts one in. */
static unsigned
least_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned longer = (unsigned)(a_len > b_len ? a_len - b_len : b_len - a_len);
	unsigned other = (unsigned)__builtin_popcount(letters(a, a_len) ^ letters(b, b_len));

	return longer > (other + 1) / 2 ? longer : (other + 1) / 2;
}

unsigned
nearest_distance(const char *a, const char *b, unsigned limit)
{
	unsigned rows[3][NEAREST_LEN + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2], *spare;
	size_t a_len = strnlen(a, NEAREST_LEN), b_len = strnlen(b, NEAREST_LEN);
	unsigned least, least_before = 0;

	if (least_distance(a, a_len, b, b_len) > limit)
		return limit + 1;
	for (size_t j = 0; j <= b_len; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		now[0] = least = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned cost = same_letter(a[i - 1], b[j - 1]) ? 0 : 1;

			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + cost);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]) && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
			least = now[j] < least ? now[j] : least;
		}
		/* A row comes from the two before it, and no place in it is less than theirs. */
		if (least > limit && least_before > limit)
			return limit + 1;
		least_before = least;
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b_len] <= limit ? last[b_len] : limit + 1;
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
	unsigned distance;

	if (nearest->distance == 0)
		return;
	distance = nearest_distance(nearest->word, candidate, nearest->distance - 1);
	if (distance < nearest->distance) {
		nearest->distance = distance;
		nearest->best = candidate;
	}
}
