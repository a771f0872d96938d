/*
 * lb_schedule.h - in which order servers of different weights take turns.  Pure.
 *
 * Orders are made anew while traffic flows, so neither may take longer than a little more than it takes
 * to write one down: O(log w) for each turn, of w different weights, however many servers have them.
 */
#pragma once

#include <stdint.h>

/*
 * Fills one round of weighted round-robin: server i stands at (k + 1/2) / weights[i] of the round,
 * k = 0 … weights[i] - 1, so that every server's turns are as even as they can be.  `order` has room
 * for the sum of the weights.  Ties go to the lower index.
 */
void lb_interleave(const uint32_t *weights, uint32_t n, uint16_t *order);

/* Fills HAProxy's map of weights (map-based hashes, static-rr), as long as their sum. */
void lb_map(const uint32_t *weights, uint32_t n, uint16_t *order);
