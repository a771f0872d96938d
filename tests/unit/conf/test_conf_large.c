/*
 * A hundred thousand lines of either dialect, and of both together, where whoever holds an address is
 * looked up for each listener: the time is printed, and a tenfold of what is promised is a failure.
 */
#include "conf/load.h"

#include "cm.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINES  100000
#define MAX_MS 10000

struct text {
	char *s;
	size_t len;
	FILE *out;
};

static void
begin(struct text *t)
{
	t->out = open_memstream(&t->s, &t->len);
	assert_non_null(t->out);
}

/* 25 lines. */
static void
add_instance(FILE *out, unsigned i)
{
	fprintf(out,
		"vrrp_script chk_%u {\n\tscript \"/usr/bin/check %u\"\n\tinterval 2\n\tweight -20\n}\n"
		"vrrp_instance VI_%u {\n\tinterface eth%u\n\tvirtual_router_id %u\n\tpriority 100\n",
		i, i, i, i / 250, i % 250 + 1);
	fputs("\tvirtual_ipaddress {\n", out);
	for (unsigned j = 1; j <= 10; j++)
		fprintf(out, "\t\t10.%u.%u.%u/24\n", i / 256, i % 256, j);
	fprintf(out, "\t}\n\ttrack_script {\n\t\tchk_%u\n\t}\n}\n", i);
}

/* 25 lines. */
static void
add_proxy(FILE *out, unsigned i)
{
	fprintf(out,
		"frontend f%u\n\tbind 10.%u.%u.1:%u\n\tdefault_backend b%u\nbackend b%u\n"
		"\tbalance leastconn\n",
		i, i / 256, i % 256, 1000 + i, i, i);
	for (unsigned j = 1; j <= 20; j++)
		fprintf(out, "\tserver s%u 10.250.%u.%u:80 check inter 2s fall 3 weight 10\n", j,
			i % 256, j);
}

static void
load(struct text *t, const char *what, size_t instances_n, size_t proxies_n)
{
	const struct conf_options options = { .node = "lb1" };
	struct conf_report report;
	struct conf_source source = { .name = what };
	struct arena *arena = arena_new();
	struct timespec from, to;
	const struct conf *conf;
	size_t lines = 0;
	long ms;

	fclose(t->out);
	source.text = t->s;
	source.len = t->len;
	for (const char *c = t->s; *c; c++)
		lines += *c == '\n';
	clock_gettime(CLOCK_MONOTONIC, &from);
	conf = conf_load(arena, &source, 1, &options, &report);
	clock_gettime(CLOCK_MONOTONIC, &to);
	ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	print_message("%zu lines of %s: %ld ms\n", lines, what, ms);
	assert_int_equal(report.errors, 0);
	assert_int_equal(conf->instances_n, instances_n);
	assert_int_equal(conf->proxies_n, proxies_n);
	assert_in_range(lines, LINES, LINES + 100);
	assert_in_range(ms, 0, MAX_MS);
	arena_free(arena);
	free(t->s);
}

static void
keepalived_blocks(void **state)
{
	struct text t;

	begin(&t);
	for (unsigned i = 0; i < LINES / 25; i++)
		add_instance(t.out, i);
	load(&t, "keepalived's blocks", LINES / 25, 0);
}

static void
haproxy_sections(void **state)
{
	struct text t;

	begin(&t);
	for (unsigned i = 0; i < LINES / 25; i++)
		add_proxy(t.out, i);
	load(&t, "HAProxy's sections", 0, LINES / 25 * 2);
}

static void
both_together(void **state)
{
	struct text t;

	begin(&t);
	for (unsigned i = 0; i < LINES / 50; i++)
		add_instance(t.out, i);
	for (unsigned i = 0; i < LINES / 50; i++)
		add_proxy(t.out, i);
	load(&t, "both", LINES / 50, LINES / 50 * 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keepalived_blocks),
		cmocka_unit_test(haproxy_sections),
		cmocka_unit_test(both_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
