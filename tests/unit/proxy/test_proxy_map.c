/*
 * test_proxy_map.c - keys and their values: what is found by halving must be what looking at each key
 * finds.
 */
#include "conf/expr.h"
#include "proxy/map.h"
#include "tests/unit/proxy/format_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

static uint32_t seed = 1;

static uint32_t
draw(uint32_t below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % below;
}

static const char *file;

static int
read_file(struct arena *arena, const char *path, struct conf_source *source)
{
	source->text = file;
	source->len = strlen(file);
	return 0;
}

/* The map that a converter of this name makes of `text`; NULL = it is refused. */
static const struct conf_map *
map_of(struct arena *arena, const char *converter, const char *text)
{
	char lines[256];
	struct conf_source test = { .name = "test", .text = lines };
	const struct conf_options options = { .node = "lb1", .read_values = read_file };
	struct conf_report report;
	struct conf *conf;

	file = text;
	snprintf(lines, sizeof lines,
		 "frontend f\n bind :1\n timeout client 1s\n acl a str(x),%s(file) -m found\n",
		 converter);
	test.len = strlen(lines);
	conf = conf_load(arena, &test, 1, &options, &report);
	return report.errors ? NULL : conf->proxies[0].acls[0].lines[0].expr->converts[0].map;
}

static const char *
found(const struct conf_map *map, struct sample *sample)
{
	static struct sample_room room;
	const struct conf_arg *value = map_find(map, NULL, sample, &room);

	return value ? value->text.data : NULL;
}

static const char *
found_text(const struct conf_map *map, const char *text)
{
	struct sample sample;

	sample_text(&sample, SAMPLE_STR, text, strlen(text));
	return found(map, &sample);
}

static void
random_word(char *word, uint32_t longest)
{
	uint32_t len = 1 + draw(longest);

	for (uint32_t i = 0; i < len; i++)
		word[i] = (char)('a' + draw(2));
	word[len] = '\0';
}

/* The longest beginning; of equal ones the first. */
static void
texts(void **state)
{
	for (unsigned round = 0; round < 200; round++) {
		struct arena *arena = arena_new();
		char keys[12][8], text[256] = "", word[12], expected[8];
		uint32_t n = 1 + draw(12);
		bool whole = round % 2;
		const struct conf_map *map;

		for (uint32_t i = 0; i < n; i++) {
			random_word(keys[i], 6);
			snprintf(text + strlen(text), sizeof text - strlen(text), "%s %u\n",
				 keys[i], i);
		}
		map = map_of(arena, whole ? "map_str" : "map_beg", text);
		assert_non_null(map);
		for (unsigned k = 0; k < 50; k++) {
			const char *value;
			size_t best = 0;

			random_word(word, 8);
			value = found_text(map, word);
			*expected = '\0';
			for (uint32_t i = 0; i < n; i++) {
				size_t len = strlen(keys[i]);

				if (whole ? strcmp(keys[i], word) != 0
					  : strncmp(keys[i], word, len) != 0)
					continue;
				if (len > best)
					snprintf(expected, sizeof expected, "%u", i);
				best = len > best ? len : best;
			}
			assert_string_equal(value ? value : "", expected);
		}
		arena_free(arena);
	}
}

/* The smallest network; of equal ones the first. */
static void
networks(void **state)
{
	for (unsigned round = 0; round < 200; round++) {
		struct arena *arena = arena_new();
		struct ip nets[8];
		uint8_t lens[8];
		char text[512] = "", ip[IP_STRLEN];
		uint32_t n = 1 + draw(8);
		const struct conf_map *map;

		for (uint32_t i = 0; i < n; i++) {
			snprintf(ip, sizeof ip, "10.%u.%u.0", draw(3), draw(4) * 64);
			ip_parse(ip, &nets[i]);
			lens[i] = (uint8_t)(8 + draw(17));
			snprintf(text + strlen(text), sizeof text - strlen(text), "%s/%u %u\n", ip,
				 lens[i], i);
		}
		map = map_of(arena, "map_ip", text);
		assert_non_null(map);
		for (unsigned k = 0; k < 60; k++) {
			struct sample sample = { .type = SAMPLE_IP };
			char expected[8] = "";
			const char *value;
			int best = -1;

			snprintf(ip, sizeof ip, "10.%u.%u.%u", draw(4), draw(8) * 32, draw(2));
			ip_parse(ip, &sample.ip);
			for (uint32_t i = 0; i < n; i++) {
				if (!ip_in_prefix(&sample.ip, &nets[i], lens[i]) || lens[i] <= best)
					continue;
				best = lens[i];
				snprintf(expected, sizeof expected, "%u", i);
			}
			if (k % 2) {
				char mapped[IP_STRLEN + 8];

				snprintf(mapped, sizeof mapped, "::ffff:%s", ip);
				ip_parse(mapped, &sample.ip);
			}
			value = found(map, &sample);
			assert_string_equal(value ? value : "", expected);
		}
		arena_free(arena);
	}
}

static void
values(void **state)
{
	struct arena *arena = arena_new();
	const struct conf_map *map = map_of(arena, "map_str_int", "# a 1\n\n a \t -5\r\nb 7");

	assert_int_equal(map->n, 2);
	assert_int_equal(map->entries[0].value.number, -5);
	assert_int_equal(map->entries[1].value.number, 7);
	map = map_of(arena, "map_str_ip", "a 10.0.0.1\n");
	assert_int_equal(map->entries[0].value.ip.family, AF_INET);
	map = map_of(arena, "map", "lonely\n");
	assert_string_equal(found_text(map, "lonely"), "");
	assert_null(found_text(map, ""));
	map = map_of(arena, "map_beg", "");
	assert_null(found_text(map, "x"));
	assert_null(map_of(arena, "map_str_int", "a b\n"));
	assert_null(map_of(arena, "map_str_ip", "a b\n"));
	assert_null(map_of(arena, "map_reg", "( b\n"));
	assert_null(map_of(arena, "map_int", "x b\n"));
	assert_null(map_of(arena, "map_xyz", ""));
	assert_null(map_of(arena, "map_str_x", ""));
	assert_null(map_of(arena, "mapped", ""));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(networks),
		cmocka_unit_test(values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
