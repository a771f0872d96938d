/*
 * variable.h - variables of rules and expressions: those of the session and those of the whole process.
 */
#pragma once

#include "proxy/sample.h"

struct proxy;

/* Is it one of the whole process? */
bool variable_is_shared(const struct sample_ctx *ctx, uint32_t variable);

/* Its value, maybe in a piece of `room`; false = it has none.  By the session's thread. */
bool variable_get(const struct sample_ctx *ctx, uint32_t variable, struct sample *sample,
		  struct sample_room *room);

/* Keeps a copy if all of these CONF_IF_* hold; NULL takes it away.  By the session's thread. */
bool variable_set(const struct sample_ctx *ctx, uint32_t variable, const struct sample *sample,
		  unsigned when);

/* What `set-var` and `set-var-fmt` of the global section say.  Before the threads run. */
void variable_set_globals(struct proxy *proxy);
