/*
 * format_conf.h - a proxy out of a few lines of configuration: how tests get formats and rules.
 */
#pragma once

#include "conf/load.h"

#include <stdlib.h>
#include <string.h>

/* The configuration with these lines in `arena`; aborts if they are wrong. */
static inline struct conf *
lines_conf(struct arena *arena, const char *text)
{
	const struct conf_source source = { "test", text, strlen(text) };
	const struct conf_options options = { .node = "lb1" };
	struct conf_report report;
	struct conf *conf = conf_load(arena, &source, 1, &options, &report);

	if (report.errors) {
		conf_report_print(stderr, conf, &report, true);
		abort();
	}
	return conf;
}

/* A frontend with these words. */
static inline const struct conf_proxy *
format_conf(struct arena *arena, const char *words)
{
	return lines_conf(arena, arena_printf(arena, "frontend f\n\tbind :1\n\t%s\n", words))
		->proxies;
}
