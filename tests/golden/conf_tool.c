/*
 * conf_tool.c - test tool: loads configuration files, prints what there is to say on stderr and the
 * canonical form on stdout.  Exit status 1 if there are errors.
 *
 *     conf-tool [--classes] [-L NODE] FILE…
 *
 * With --classes it prints what became of each word instead: line, class, table, word.
 */
#include "conf/load.h"

#include <stdio.h>
#include <string.h>

static void
tell_class(void *ctx, enum conf_class class, const char *table, const char *word,
	   struct conf_pos pos)
{
	static const char *const names[] = {
		[CONF_CLASS_WORKS] = "works",     [CONF_CLASS_OLD] = "translated",
		[CONF_CLASS_NOTICED] = "notice",  [CONF_CLASS_WARNED] = "warning",
		[CONF_CLASS_REFUSED] = "refused", [CONF_CLASS_UNKNOWN] = "unknown",
	};

	(void)ctx;
	printf("%u %s %s: %s\n", pos.line, names[class], table, word);
}

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

	if (argc > 1 && strcmp(argv[1], "--classes") == 0) {
		options.tell_class = tell_class;
		argv++;
		argc--;
	}
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
	if (report.errors == 0 && !options.tell_class)
		conf_dump(stdout, conf);
	r = report.errors > 0;
	arena_free(arena);
	return r;
}
