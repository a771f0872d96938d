/*
 * compare.h - do two nodes' configurations make a pair?
 */
#pragma once

#include "conf/model.h"

#include <stdio.h>

struct conf_compared {
	size_t errors;   /* the pair would not work: two masters, or none that is heard */
	size_t warnings; /* it works, maybe not as intended */
};

/*
 * Prints what does not fit as "FILE:LINE: error: …", with the place in the other file; secrets are
 * compared, never printed.  `theirs` is what the other node loads.
 */
struct conf_compared conf_compare(FILE *out, const struct conf *ours, const struct conf *theirs);
