/*
 * test_conf_pack.c - reading files, and handing what was read to another process.
 */
#include "conf/load.h"

#include "cm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
there_and_back(void **state)
{
	struct arena *arena = arena_new();
	const struct conf_source sources[] = {
		{ "one.conf", "vrrp_\0x", 7 },
		{ "", "", 0 },
		{ "three.cfg", "global\n", 7 },
	};
	const struct conf_options options = { .node = "lb1", .maxconn = 5000 };
	struct conf_source *back;
	struct conf_options options_back;
	size_t len, back_n;
	void *block = conf_pack(arena, sources, 3, &options, &len);

	assert_int_equal(conf_unpack(arena, block, len, &back, &back_n, &options_back), 0);
	assert_int_equal(back_n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(back[i].name, sources[i].name);
		assert_int_equal(back[i].len, sources[i].len);
		assert_memory_equal(back[i].text, sources[i].text, sources[i].len);
		assert_int_equal(back[i].text[back[i].len], '\0');
	}
	assert_string_equal(options_back.node, "lb1");
	assert_int_equal(options_back.maxconn, 5000);
	arena_free(arena);
}

static void
nothing_given(void **state)
{
	struct arena *arena = arena_new();
	const struct conf_options options = { 0 };
	struct conf_source *back;
	struct conf_options options_back;
	size_t len, back_n;
	void *block = conf_pack(arena, NULL, 0, &options, &len);

	assert_int_equal(conf_unpack(arena, block, len, &back, &back_n, &options_back), 0);
	assert_int_equal(back_n, 0);
	assert_null(options_back.node);
	arena_free(arena);
}

/* Whatever is cut off, added or turned over, the block is refused or stays within its bounds. */
static void
damaged(void **state)
{
	struct arena *arena = arena_new();
	const struct conf_source source = { "one.conf", "global\n", 7 };
	const struct conf_options options = { .node = "lb1" };
	struct conf_source *back;
	struct conf_options options_back;
	size_t len, back_n;
	char *block = conf_pack(arena, &source, 1, &options, &len);

	for (size_t cut = 0; cut < len; cut++) {
		char *part = malloc(cut + 1);

		memcpy(part, block, cut);
		assert_int_equal(conf_unpack(arena, part, cut, &back, &back_n, &options_back),
				 -EBADMSG);
		free(part);
	}
	for (size_t i = 0; i < len; i++) {
		char *copy = malloc(len);

		memcpy(copy, block, len);
		copy[i] = (char)~copy[i];
		conf_unpack(arena, copy, len, &back, &back_n, &options_back);
		free(copy);
	}
	arena_free(arena);
}

static char folder[] = "/tmp/test-conf-XXXXXX";

static void
write_file(const char *name, const char *text)
{
	char path[100];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
files_and_folders(void **state)
{
	static const char *const names[] = { "b.cfg", "a.conf", "c.txt", ".hidden.cfg" };
	struct arena *arena = arena_new();
	const char *paths[2], *failed;
	struct conf_source *sources;
	size_t sources_n;
	char path[100];

	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < COUNT(names); i++)
		write_file(names[i], names[i]);

	paths[0] = folder;
	assert_int_equal(conf_read_files(arena, paths, 1, &sources, &sources_n, &failed), 0);
	assert_int_equal(sources_n, 2);
	assert_string_equal(sources[0].text, "a.conf");
	assert_string_equal(sources[1].text, "b.cfg");
	assert_int_equal(sources[1].len, 5);

	snprintf(path, sizeof path, "%s/c.txt", folder);
	paths[0] = path;
	paths[1] = "/nonexistent/tandem.conf";
	assert_int_equal(conf_read_files(arena, paths, 1, &sources, &sources_n, &failed), 0);
	assert_string_equal(sources[0].name, path);
	assert_int_equal(conf_read_files(arena, paths, 2, &sources, &sources_n, &failed), -ENOENT);
	assert_string_equal(failed, paths[1]);

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
	arena_free(arena);
}

/* What is included is read with the rest, and the worker knows whose line it was. */
static void
includes_travel(void **state)
{
	static const char *const names[] = { "main.conf", "one.conf", "two.conf" };
	const struct conf_options options = { .node = "lb1" };
	struct arena *arena = arena_new();
	struct conf_source *sources, *back;
	struct conf_options options_back;
	struct conf_report report;
	const struct conf *conf;
	const char *failed, *main_path;
	size_t sources_n, back_n, len;
	void *block;
	char path[100];

	strcpy(folder, "/tmp/test-conf-XXXXXX");
	assert_non_null(mkdtemp(folder));
	write_file("main.conf", "global_defs {\n\trouter_id main\n}\ninclude {one,none}.conf\n");
	write_file("one.conf", "vrrp_script chk {\n include two.conf\n}\n");
	write_file("two.conf", "script /bin/true");
	main_path = arena_printf(arena, "%s/main.conf", folder);
	assert_int_equal(conf_read_files(arena, &main_path, 1, &sources, &sources_n, &failed), 0);
	assert_int_equal(sources_n, 3);
	block = conf_pack(arena, sources, sources_n, &options, &len);
	assert_int_equal(conf_unpack(arena, block, len, &back, &back_n, &options_back), 0);
	assert_int_equal(back_n, 3);
	assert_int_equal(back[0].include_line, 0);
	assert_int_equal(back[1].include_line, 4);
	assert_int_equal(back[2].includer, 1);
	assert_int_equal(back[2].include_line, 2);
	conf = conf_load(arena, back, back_n, &options_back, &report);
	assert_int_equal(report.errors, 0);
	assert_int_equal(conf->scripts_n, 1);
	assert_string_equal(conf->scripts[0].command, "/bin/true");

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
	arena_free(arena);
}

/* What an acl's -f names is read once, and the worker has it without a file. */
static void
values_travel(void **state)
{
	struct arena *arena = arena_new();
	struct conf_options options = { .node = "n", .read_values = conf_read_values };
	struct conf_source source = { .name = "test" };
	struct conf_options options_back;
	struct conf_source *back;
	struct conf_report report;
	const struct conf *conf;
	size_t back_n, len;
	char path[100];
	void *block;

	strcpy(folder, "/tmp/test-conf-XXXXXX");
	assert_non_null(mkdtemp(folder));
	source.text = arena_printf(arena,
				   "frontend f\n bind :1\n acl a src -f %s/values\n"
				   " acl b src -f %s/values\n",
				   folder, folder);
	source.len = strlen(source.text);
	write_file("values", "10.0.0.0/8\n10.1.0.0/16\n");
	conf = conf_load(arena, &source, 1, &options, &report);
	assert_int_equal(report.errors, 0);
	assert_int_equal(conf->sources_n, 2);
	block = conf_pack(arena, conf->sources, conf->sources_n, &options, &len);
	snprintf(path, sizeof path, "%s/values", folder);
	unlink(path);
	rmdir(folder);

	assert_int_equal(conf_unpack(arena, block, len, &back, &back_n, &options_back), 0);
	assert_int_equal(back_n, 2);
	assert_true(back[1].values);
	conf = conf_load(arena, back, back_n, &options_back, &report);
	assert_int_equal(report.errors, 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(conf->proxies[0].acls[i].lines[0].patterns.ip4_n, 1);
	arena_free(arena);
}

static const char *
look_up(const char *host, uint8_t family, struct ip *ip)
{
	assert_string_equal(host, "lb.example");
	return ip_parse(family == AF_INET6 ? "fd00::5" : "10.0.0.5", ip) < 0 ? "no address" : NULL;
}

static void
hosts_travel(void **state)
{
	static const char text[] = "frontend f\n bind lb.example:1\n bind ipv6@lb.example:1\n"
				   " bind lb.example:2\n log lb.example local0\n";
	struct arena *arena = arena_new();
	struct conf_options options = { .node = "n", .look_up = look_up }, options_back;
	struct conf_source source = { "test", text, sizeof text - 1 }, *back;
	struct conf_report report;
	const struct conf *conf = conf_load(arena, &source, 1, &options, &report);
	char buf[SOCK_ADDR_STRLEN];
	size_t back_n, len;
	void *block;

	assert_int_equal(report.errors, 0);
	assert_int_equal(conf->sources_n, 3);
	block = conf_pack(arena, conf->sources, conf->sources_n, &options, &len);
	assert_int_equal(conf_unpack(arena, block, len, &back, &back_n, &options_back), 0);
	assert_null(options_back.look_up);
	conf = conf_load(arena, back, back_n, &options_back, &report);
	assert_int_equal(report.errors, 0);
	assert_int_equal(conf->proxies[0].binds_n, 3);
	assert_string_equal(sock_addr_format(&conf->proxies[0].binds[0].address, buf),
			    "10.0.0.5:1");
	assert_string_equal(sock_addr_format(&conf->proxies[0].binds[1].address, buf),
			    "[fd00::5]:1");
	assert_string_equal(sock_addr_format(&conf->proxies[0].binds[2].address, buf),
			    "10.0.0.5:2");
	assert_string_equal(sock_addr_format(&conf->proxies[0].logs[0].address, buf),
			    "10.0.0.5:514");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),  cmocka_unit_test(nothing_given),
		cmocka_unit_test(damaged),         cmocka_unit_test(files_and_folders),
		cmocka_unit_test(includes_travel), cmocka_unit_test(values_travel),
		cmocka_unit_test(hosts_travel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
