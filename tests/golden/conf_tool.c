/*
 * conf_tool.c - test tool: loads configuration files, prints what there is to say on stderr and the
 * canonical form on stdout.  Exit status 1 if there are errors.
 *
 *     conf-tool [--classes | --peer FILE | --host] [-L NODE] FILE…
 *
 * It knows one other host, lb.example.org, at 10.0.0.5 and fd00::5.
 * With --host it knows about a host: 10.0.0.1 is its only address, in 10.0.0.0/24 on each interface.
 * With --peer it also compares the files with the other node's, and fails if they make no pair.
 * With --classes it prints what became of each word instead: line, class, table, word.
 */
#include "conf/compare.h"
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

static bool
host_has(const struct ip *ip)
{
	struct ip own;

	return ip_parse("10.0.0.1", &own) == 0 && ip_equal(ip, &own);
}

static bool
host_lacks_network(const char *interface, const struct ip *ip)
{
	char buf[IP_STRLEN];

	(void)interface;
	return strncmp(ip_format(ip, buf), "10.0.0.", 7) != 0;
}

static const char *
look_up(const char *host, uint8_t family, struct ip *ip)
{
	if (strcmp(host, "lb.example.org") == 0 &&
	    ip_parse(family == AF_INET6 ? "fd00::5" : "10.0.0.5", ip) == 0)
		return NULL;
	return "no such host";
}

/* Compares with what the other node loads, as lb2.  The exit status. */
static int
compare(struct arena *arena, const struct conf *conf, const char *path)
{
	struct conf_options options = { .node = "lb2" };
	struct conf_report report;
	struct conf_source *sources;
	const char *failed;
	size_t sources_n;
	const struct conf *other;

	if (conf_read_files(arena, &path, 1, &sources, &sources_n, &failed) < 0)
		return 2;
	other = conf_load(arena, sources, sources_n, &options, &report);
	return report.errors > 0 || conf_compare(stderr, conf, other).errors > 0;
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct conf_options options = { .node = "lb1",
					.read_values = conf_read_values,
					.look_up = look_up };
	struct conf_report report;
	struct conf_source *sources;
	const struct conf *conf;
	const char *failed;
	size_t sources_n;
	const char *peer = NULL;
	int first = 1, r;

	if (argc > 1 && strcmp(argv[1], "--classes") == 0) {
		options.tell_class = tell_class;
		argv++;
		argc--;
	}
	if (argc > 2 && strcmp(argv[1], "--peer") == 0) {
		peer = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc > 1 && strcmp(argv[1], "--host") == 0) {
		options.is_local = host_has;
		options.is_foreign = host_lacks_network;
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
	if (report.errors == 0 && !options.tell_class && !peer)
		conf_dump(stdout, conf);
	r = report.errors > 0;
	if (r == 0 && peer)
		r = compare(arena, conf, peer);
	arena_free(arena);
	return r;
}
