/*
 * lb_schedule.h - in which order servers of different weights take turns.  Pure.
 */
#pragma once

#include <stdint.h>

/*
 * Fills one round of weighted round-robin: server i stands at (k + 1/2) / weights[i] of the round,
 * k = 0 … weights[i] - 1, so that every server's turns are as even as they can be.  `order` has room
 * for the sum of the weights.  Ties go to the lower index.
 */
void lb_interleave(const uint32_t *weights, uint32_t n, uint16_t *order);
