/*
 * match.h - comparing a sample with patterns.  Pure, but for `regexes`, which never change.
 */
#pragma once

#include "proxy/sample.h"

#include "common/regex.h"

/*
 * Is the sample one of the patterns?  It is turned into the type that their method compares; one
 * that cannot be is none of them.  `room` holds what that takes.
 */
bool match_patterns(const struct conf_patterns *patterns, struct regex *const *regexes,
		    const struct sample *sample, struct sample_room *room);
