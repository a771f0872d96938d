/*
 * test_proxy_match.c - samples against patterns: what is found by halving in sorted patterns must be
 * what looking at each of them finds.
 */
#include "proxy/match.h"
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

/* The patterns of an acl with these words. */
static const struct conf_patterns *
patterns_of(struct arena *arena, const char *words)
{
	return &format_conf(arena, arena_printf(arena, "acl a %s", words))
			->acls[0]
			.lines[0]
			.patterns;
}

static bool
matches_text(const struct conf_patterns *patterns, const char *text)
{
	static struct sample_room room;
	struct sample sample;

	sample_text(&sample, SAMPLE_STR, text, strlen(text));
	return match_patterns(patterns, NULL, &sample, &room);
}

/* Words over two letters, so that many begin and end alike. */
static void
random_word(char *word)
{
	uint32_t len = 1 + draw(6);

	for (uint32_t i = 0; i < len; i++)
		word[i] = (char)('a' + draw(2));
	word[len] = '\0';
}

static bool
holds(const char *method, const char *text, const char *pattern)
{
	size_t text_len = strlen(text), len = strlen(pattern);

	if (strcmp(method, "str") == 0)
		return strcmp(text, pattern) == 0;
	if (strcmp(method, "sub") == 0)
		return strstr(text, pattern) != NULL;
	if (len > text_len)
		return false;
	return memcmp(strcmp(method, "beg") == 0 ? text : text + text_len - len, pattern, len) == 0;
}

static void
texts(void **state)
{
	static const char *const methods[] = { "str", "beg", "end", "sub" };
	struct arena *arena = arena_new();

	for (unsigned round = 0; round < 400; round++) {
		const char *method = methods[round % 4];
		char words[256] = "", list[8][8], text[8];
		uint32_t n = 1 + draw(8);
		const struct conf_patterns *patterns;
		size_t len = (size_t)snprintf(words, sizeof words, "str(x) -m %s", method);

		for (uint32_t i = 0; i < n; i++) {
			random_word(list[i]);
			len += (size_t)snprintf(words + len, sizeof words - len, " %s", list[i]);
		}
		patterns = patterns_of(arena, words);
		for (unsigned i = 0; i < 40; i++) {
			bool expected = false;

			random_word(text);
			for (uint32_t k = 0; k < n; k++)
				expected |= holds(method, text, list[k]);
			if (matches_text(patterns, text) != expected)
				fail_msg("%s: `%s` should%s match", words, text,
					 expected ? "" : " not");
		}
	}
	arena_free(arena);
}

static void
numbers(void **state)
{
	struct arena *arena = arena_new();
	struct sample_room room;
	struct sample sample;

	for (unsigned round = 0; round < 200; round++) {
		int64_t from[6], to[6];
		char words[256] = "int(0)";
		uint32_t n = 1 + draw(6);
		size_t len = strlen(words);
		const struct conf_patterns *patterns;

		for (uint32_t i = 0; i < n; i++) {
			from[i] = draw(40);
			to[i] = from[i] + draw(8);
			len += (size_t)snprintf(words + len, sizeof words - len, " %d:%d",
						(int)from[i], (int)to[i]);
		}
		patterns = patterns_of(arena, words);
		for (int64_t value = -1; value < 50; value++) {
			bool expected = false;

			for (uint32_t i = 0; i < n; i++)
				expected |= value >= from[i] && value <= to[i];
			sample_number(&sample, SAMPLE_INT, value);
			assert_int_equal(match_patterns(patterns, NULL, &sample, &room), expected);
		}
	}
	arena_free(arena);
}

static void
operators(void **state)
{
	static const struct {
		const char *words;
		int64_t number;
		bool expected;
	} all[] = {
		{ "int(0) eq 5", 5, true },           { "int(0) eq 5", 4, false },
		{ "int(0) ge 5", 5, true },           { "int(0) ge 5", 4, false },
		{ "int(0) gt 5", 5, false },          { "int(0) gt 5", 6, true },
		{ "int(0) le 5", 5, true },           { "int(0) le 5", 6, false },
		{ "int(0) lt 5", 5, false },          { "int(0) lt 5", -5, true },
		{ "int(0) lt 5 9", 9, false },        { "int(0) lt 5 9", 8, true },
		{ "int(0) lt 5 eq 9", 9, true },      { "int(0) :5", INT64_MIN, true },
		{ "int(0) 5:", INT64_MAX, true },     { "int(0) -m bool", 7, true },
		{ "int(0) -m bool", 0, false },       { "int(0) -m found", 0, true },
		{ "int(0) -m str 7", 7, true },       { "int(0) -m len 3", 100, true },
		{ "req.ssl_ver 3.1", 0x30001, true }, { "req.ssl_ver 3.1:3.3", 0x30002, true },
		{ "req.ssl_ver 3", 0x30000, true },   { "req.ssl_ver gt 3.1", 0x30001, false },
	};
	struct arena *arena = arena_new();
	struct sample_room room;
	struct sample sample;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		sample_number(&sample, SAMPLE_INT, all[i].number);
		if (match_patterns(patterns_of(arena, all[i].words), NULL, &sample, &room) !=
		    all[i].expected)
			fail_msg("%s: %lld", all[i].words, (long long)all[i].number);
	}
	arena_free(arena);
}

static void
networks(void **state)
{
	struct arena *arena = arena_new();
	struct sample_room room;
	struct sample sample;

	for (unsigned round = 0; round < 200; round++) {
		struct ip net[8];
		uint8_t len[8];
		char words[512] = "src", text[IP_STRLEN];
		uint32_t n = 1 + draw(8);
		size_t used = strlen(words);
		const struct conf_patterns *patterns;

		for (uint32_t i = 0; i < n; i++) {
			snprintf(text, sizeof text, "10.%u.%u.%u", draw(3), draw(4) * 64,
				 draw(4) * 64);
			ip_parse(text, &net[i]);
			len[i] = (uint8_t)(8 + draw(25));
			used += (size_t)snprintf(words + used, sizeof words - used, " %s/%u", text,
						 len[i]);
		}
		patterns = patterns_of(arena, words);
		for (unsigned i = 0; i < 60; i++) {
			bool expected = false;

			snprintf(text, sizeof text, "%s10.%u.%u.%u", i % 2 ? "::ffff:" : "",
				 draw(4), draw(8) * 32, draw(8) * 32 + draw(2));
			sample.type = SAMPLE_IP;
			ip_parse(text + (i % 2 ? 7 : 0), &sample.ip);
			for (uint32_t k = 0; k < n; k++)
				expected |= ip_in_prefix(&sample.ip, &net[k], len[k]);
			ip_parse(text, &sample.ip);
			if (match_patterns(patterns, NULL, &sample, &room) != expected)
				fail_msg("%s: %s", words, text);
		}
	}
	arena_free(arena);
}

static void
parts(void **state)
{
	static const struct {
		const char *words, *text;
		bool expected;
	} all[] = {
		{ "str(x) -m dir b", "a/b/c", true },
		{ "str(x) -m dir /b/", "a/b/c", true },
		{ "str(x) -m dir b", "a/bb/c", false },
		{ "str(x) -m dir b", "b", true },
		{ "str(x) -m dir b", "a.b.c", false },
		{ "str(x) -m dom b", "a.b.c", true },
		{ "str(x) -m dom b.c", "a.b.c:80", true },
		{ "str(x) -m dom bb", "a.b.c", false },
		{ "str(x) -m dom -i B.C", "a.b.C", true },
		{ "str(x) -m end -i .Example.Org", "www.example.ORG", true },
		{ "str(x) -i A", "a", true },
		{ "str(x) -m bin 6162", "ab", true },
		{ "str(x) -m ip 10.0.0.0/8", "10.1.1.1", true },
		{ "str(x) -m ip 10.0.0.0/8", "ten", false },
	};
	struct arena *arena = arena_new();

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (matches_text(patterns_of(arena, all[i].words), all[i].text) != all[i].expected)
			fail_msg("%s: %s", all[i].words, all[i].text);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),    cmocka_unit_test(numbers), cmocka_unit_test(operators),
		cmocka_unit_test(networks), cmocka_unit_test(parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
