/*
 * client.h - `tandem status`: asks the running instance and shows the answer.
 */
#pragma once

#include "daemon/options.h"

#include <jansson.h>
#include <stdio.h>

/* Exit status: 0; 1 nothing is running (or the answer is unusable); 2 no answer within 2 s. */
int client_status(const struct options *options);

/* The text form of a status document.  What is missing in it is left out. */
void client_render(FILE *out, const json_t *status);
