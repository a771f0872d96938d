/*
 * conf_tool.c - test tool: loads configuration files, prints what there is to say on stderr and the
 * canonical form on stdout.  Exit status 1 if there are errors.
 *
 *     conf-tool [-L NODE] FILE…
 */
#include "conf/load.h"

#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct conf_options options = { .node = "lb1" };
	struct conf_report report;
	struct conf_source *sources;
	const struct conf *conf;
	const char *failed;
	size_t sources_n;
	int first = 1, r;

	if (argc > 2 && strcmp(argv[1], "-L") == 0) {
		options.node = argv[2];
		first = 3;
	}
	r = conf_read_files(arena, (const char *const *)argv + first, (size_t)(argc - first),
			    &sources, &sources_n, &failed);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", failed, strerror(-r));
		arena_free(arena);
		return 2;
	}
	conf = conf_load(arena, sources, sources_n, &options, &report);
	conf_report_print(stderr, conf, &report, false);
	if (report.errors == 0)
		conf_dump(stdout, conf);
	r = report.errors > 0;
	arena_free(arena);
	return r;
}
