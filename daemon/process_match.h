/*
 * process_match.h - is a process one of those that a vrrp_track_process means?  Pure.
 */
#pragma once

#include "conf/model.h"

/* Is its command line needed, beside its name? */
bool process_match_needs_line(const struct conf_track_process *conf);

/*
 * By the name alone unless parameters, param_match or full_command ask for the command line: then the
 * first word of that is compared, and the parameters as keepalived compares them.  `line` is as in
 * /proc/PID/cmdline, each word with a NUL behind it.
 */
bool process_match(const struct conf_track_process *conf, const char *name, const char *line,
		   size_t line_len);
