/*
 * process_vars.h - variables of the whole process (proc.NAME), set and read by all proxy threads
 * without a lock.
 */
#pragma once

#include "proxy/sample.h"

struct conf;
struct process_vars;

/* Room for the variables of a configuration, none of them set; NULL when out of memory. */
struct process_vars *process_vars_new(const struct conf *conf, uint32_t threads_n);
void process_vars_free(struct process_vars *vars);

/* Its value, a text in `text` of SAMPLE_ROOM bytes; false = it has none. */
bool process_vars_get(const struct process_vars *vars, uint32_t variable, struct sample *sample,
		      char *text);

/*
 * Sets it, on behalf of the thread with this index, if all of these CONF_IF_* hold; false = they do
 * not, or there is no memory.  NULL takes the value away.  Of a text SAMPLE_ROOM bytes are kept.
 */
bool process_vars_set(struct process_vars *vars, uint32_t thread, uint32_t variable,
		      const struct sample *sample, unsigned when);
