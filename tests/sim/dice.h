/*
 * dice.h - chance from a seed, the same on every machine (splitmix64).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint64_t
dice_next(struct dice *dice)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* 0 … n - 1 */
static inline uint32_t
dice_below(struct dice *dice, uint32_t n)
{
	return (uint32_t)(((dice_next(dice) >> 32) * n) >> 32);
}

/* low … high */
static inline int64_t
dice_between(struct dice *dice, int64_t low, int64_t high)
{
	return low + (int64_t)(dice_next(dice) % (uint64_t)(high - low + 1));
}

static inline bool
dice_percent(struct dice *dice, uint32_t percent)
{
	return dice_below(dice, 100) < percent;
}
