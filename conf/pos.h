/*
 * pos.h - where a word stood, and the index that is none: what every part of the model needs.
 */
#pragma once

#include <stdint.h>

/* Where a word stood.  `source` indexes conf->sources; lines and columns count from 1. */
struct conf_pos {
	uint32_t source, line, column;
};

#define CONF_NONE UINT32_MAX /* "no such index" */
