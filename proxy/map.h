/*
 * map.h - what the key that a sample matches stands for.  Pure, but for `regexes`, which never change.
 */
#pragma once

#include "proxy/match.h"

/* The value of the closest key, or of the first one that matches; NULL = none does. */
const struct conf_arg *map_find(const struct conf_map *map, struct regex *const *regexes,
				const struct sample *sample, struct sample_room *room);
