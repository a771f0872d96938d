/*
 * test_conf_lexer.c - both lexers: words, quotes, marks and places.
 */
#include "conf/lexer.h"

#include "cm.h"

#include <stdlib.h>
#include <string.h>

/* A lexer over `text`, with a report to count errors in. */
struct fixture {
	struct arena *arena;
	struct conf conf;
	struct conf_report report;
	struct reporter reporter;
	struct conf_source source;
	struct conf_lexer lexer;
};

static struct fixture
open_text(const char *text)
{
	struct fixture f = { .arena = arena_new() };

	f.source = (struct conf_source){ "test", text, strlen(text) };
	return f;
}

/* After the fixture has its place: it points into itself. */
static void
start(struct fixture *f)
{
	f->reporter =
		(struct reporter){ .arena = f->arena, .conf = &f->conf, .report = &f->report };
	f->lexer =
		(struct conf_lexer){ .arena = f->arena, .reporter = &f->reporter, .node = "lb1" };
	lexer_open(&f->lexer, &f->source, 0);
}

/* All words of a line joined by "|", then a sign for the mark: . { } $ */
static const char *
keepalived_line(struct fixture *f)
{
	static const char marks[] = ".{}$";
	struct conf_line line;
	struct conf_text text = { .arena = f->arena };
	enum conf_mark mark;

	if (!lexer_next_line(&f->lexer))
		return "end";
	mark = keepalived_read_words(&f->lexer, &line);
	for (size_t i = 0; i < line.words_n; i++) {
		text_add(&text, line.words[i].text, strlen(line.words[i].text));
		text_add(&text, "|", 1);
	}
	text_add(&text, &marks[mark], 1);
	return text.s;
}

static const char *
haproxy_line(struct fixture *f)
{
	struct conf_line line;
	struct conf_text text = { .arena = f->arena };

	if (!lexer_next_line(&f->lexer))
		return "end";
	haproxy_read_words(&f->lexer, &line);
	text_add(&text, "", 0);
	for (size_t i = 0; i < line.words_n; i++) {
		text_add(&text, line.words[i].text, strlen(line.words[i].text));
		text_add(&text, "|", 1);
	}
	return text.s;
}

static void
keepalived_is(const char *source, size_t errors, const char *const *lines)
{
	struct fixture f = open_text(source);

	start(&f);
	for (; *lines; lines++)
		assert_string_equal(keepalived_line(&f), *lines);
	assert_string_equal(keepalived_line(&f), "end");
	assert_int_equal(f.report.errors, errors);
	arena_free(f.arena);
}

#define KEEPALIVED(source, errors, ...) \
	keepalived_is(source, errors, (const char *const[]){ __VA_ARGS__, NULL })

static void
haproxy_is(const char *source, size_t errors, const char *const *lines)
{
	struct fixture f = open_text(source);

	start(&f);
	for (; *lines; lines++)
		assert_string_equal(haproxy_line(&f), *lines);
	assert_string_equal(haproxy_line(&f), "end");
	assert_int_equal(f.report.errors, errors);
	arena_free(f.arena);
}

#define HAPROXY(source, errors, ...) \
	haproxy_is(source, errors, (const char *const[]){ __VA_ARGS__, NULL })

static void
keepalived_words(void **state)
{
	KEEPALIVED("a b  c\n", 0, "a|b|c|.");
	KEEPALIVED("  a\tb\r\n\n\nc", 0, "a|b|.", "c|.");
	KEEPALIVED("# x\n! y\na # b\nc!d\n", 0, "a|.", "c|.");
	KEEPALIVED("a\\#b \\!c d\\e\n", 0, "a#b|!c|d\\e|.");
	KEEPALIVED("a \\\n  b\\\nc\n", 0, "a|b|c|.");
	KEEPALIVED("", 0, NULL);
	KEEPALIVED("\xef\xbb\xbf"
		   "a",
		   0, "a|.");
}

static void
keepalived_braces(void **state)
{
	KEEPALIVED("a b {\nc\n}\n", 0, "a|b|{", "c|.", "}");
	KEEPALIVED("a{b}c", 0, "a|{", "b|.", "}", "c|.");
	KEEPALIVED("a { b c } d", 0, "a|{", "b|c|.", "}", "d|.");
	KEEPALIVED("}}{", 0, "}", "}", "{");
	KEEPALIVED("a \"{\" '}'\n", 0, "a|{|}|.");
}

static void
keepalived_quotes(void **state)
{
	KEEPALIVED("a \"b c\" d\n", 0, "a|b c|d|.");
	KEEPALIVED("a 'b \"c' d\n", 0, "a|b \"c|d|.");
	KEEPALIVED("a \"b\\\"c\\\\\" \"\"\n", 0, "a|b\"c\\||.");
	KEEPALIVED("p \"\"\"x y\"\"\"\n", 0, "p||x y||.");
	KEEPALIVED("a b\"c d\"e\n", 0, "a|b|c d|e|.");
	KEEPALIVED("a don't\n", 0, "a|don't|.");
	KEEPALIVED("a 'b\n", 0, "a|'b|.");
	KEEPALIVED("a \"# !\" b\n", 0, "a|# !|b|.");
	KEEPALIVED("a \"b\nc\n", 1, "a|b|.", "c|.");
}

static void
keepalived_nodes(void **state)
{
	KEEPALIVED("@lb1 a\n@lb2 b\n@^lb1 c\n@^lb2 d\n@lb1\n", 0, "a|.", "d|.");
	KEEPALIVED("  @lb1 a { b }\n@lb11 c\n@lb d", 0, "a|{", "b|.", "}");
}

static void
keepalived_variables(void **state)
{
	struct fixture f = open_text(
		"$A=x y # z\n$B = \"q\"\n$A=w\na $A ${B}c $C \"${A}-$B\" ${C} $ '${A}' $A-\n");

	start(&f);
	for (int i = 0; i < 3; i++) {
		assert_true(lexer_next_line(&f.lexer));
		assert_true(keepalived_read_definition(&f.lexer));
	}
	assert_false(keepalived_read_definition(&f.lexer));
	assert_string_equal(keepalived_line(&f), "a|w|qc|$C|w-$B|${C}|$|w|$A-|.");
	arena_free(f.arena);
}

/* A value's own references count where it is used, and with what stands around them. */
static void
keepalived_values_within_values(void **state)
{
	struct fixture f = open_text("$A=10.${B}.0\n$B=1\n$D=$\n$S=$S\n"
				     "${A} x$D$B ${D}B ${S}.\n$S\n");

	start(&f);
	for (int i = 0; i < 4; i++) {
		assert_true(lexer_next_line(&f.lexer));
		assert_true(keepalived_read_definition(&f.lexer));
	}
	assert_true(lexer_next_line(&f.lexer));
	assert_string_equal(keepalived_line(&f), "10.1.0|x$D1|1|$S.|.");
	assert_int_equal(f.report.errors, 0);
	assert_true(lexer_next_line(&f.lexer));
	keepalived_line(&f);
	assert_int_equal(f.report.errors, 1);
	arena_free(f.arena);
}

static void
keepalived_random(void **state)
{
	static const char text[] = "${_RANDOM} ${_RANDOM 7} ${_RANDOM 3 5} ${_RANDOM 9 9} "
				   "${_RANDOM 5 3} ${_RANDOM x}\n";
	struct fixture f = open_text(text), again = open_text(text);
	char *first, *rest;

	start(&f);
	start(&again);
	assert_true(lexer_next_line(&f.lexer));
	assert_true(lexer_next_line(&again.lexer));
	first = strdup(keepalived_line(&f));
	assert_string_equal(first, keepalived_line(&again));
	assert_in_range(strtol(first, &rest, 10), 0, 32767);
	assert_in_range(strtol(rest + 1, &rest, 10), 7, 32767);
	assert_in_range(strtol(rest + 1, &rest, 10), 3, 5);
	/* The last one is none: a brace ends the word. */
	assert_string_equal(rest, "|9|5|$|{");
	free(first);
	arena_free(f.arena);
	arena_free(again.arena);
}

static void
haproxy_words(void **state)
{
	HAPROXY("a b  c\n", 0, "a|b|c|");
	HAPROXY("  a\tb # c\r\n\n# d\n! e\nf", 0, "a|b|", "f|");
	HAPROXY("a\\ b c\\#d \\x41\\x5a \\n\n", 0, "a b|c#d|AZ|\n|");
	HAPROXY("a \\\n b\n", 0, "a|b|");
	HAPROXY("a {b} !c\n", 0, "a|{b}|!c|");
	HAPROXY("a \\xg1\n", 1, "a|xg1|");
	HAPROXY("a 'b c' \"d e\"f '' \"\\\"\\$\\\\\"\n", 0, "a|b c|d ef||\"$\\|");
	HAPROXY("a 'b\nc", 1, "a|b|", "c|");
	HAPROXY("a b\\", 0, "a|b\\|");
}

static void
haproxy_variables(void **state)
{
	setenv("TEST_ONE", "1 2", 1);
	setenv("TEST_EMPTY", "", 1);
	unsetenv("TEST_NONE");
	HAPROXY("\"$TEST_ONE\" '$TEST_ONE' $TEST_ONE\n", 0, "1 2|$TEST_ONE|$TEST_ONE|");
	HAPROXY("\"x${TEST_ONE}y\" \"${TEST_NONE-d e}\" \"$TEST_NONE\"\n", 0, "x1 2y|d e||");
	HAPROXY("\"${TEST_EMPTY-d}\"\n", 0, "|");
	HAPROXY("a \"${TEST_ONE[*]}\" \"${TEST_NONE[*]}\" b\n", 0, "a|1|2|b|");
	HAPROXY("\"x${TEST_ONE[*]}y\"\n", 0, "x1|2y|");
	HAPROXY("\"${TEST_NONE[*]-p q}\"\n", 0, "p|q|");
	HAPROXY("\"$1 $ ${ ${TEST_ONE\"\n", 0, "$1 $ ${ ${TEST_ONE|");
}

/* A line must not eat the memory by naming one large variable again and again. */
static void
huge_variables(void **state)
{
	char *value = malloc(10001), line[2000] = "a";
	struct fixture f;

	memset(value, 'x', 10000);
	value[10000] = '\0';
	setenv("TEST_HUGE", value, 1);
	free(value);
	while (strlen(line) < sizeof line - 20)
		strcat(line, " \"$TEST_HUGE\"");
	f = open_text(line);
	start(&f);
	haproxy_line(&f);
	assert_int_equal(f.report.errors, 1);
	arena_free(f.arena);
	unsetenv("TEST_HUGE");
}

static void
places(void **state)
{
	struct fixture f = open_text("\n  one \"two three\" four {\n\tfive\\\n six\n");
	struct conf_line line;

	start(&f);
	assert_true(lexer_next_line(&f.lexer));
	assert_int_equal(keepalived_read_words(&f.lexer, &line), CONF_MARK_OPEN);
	assert_int_equal(line.words_n, 3);
	assert_int_equal(line.words[0].pos.line, 2);
	assert_int_equal(line.words[0].pos.column, 3);
	assert_int_equal(line.words[1].pos.column, 7);
	assert_true(line.words[1].quoted);
	assert_int_equal(line.words[1].raw_len, 11);
	assert_int_equal(line.words[2].pos.column, 19);
	assert_true(lexer_next_line(&f.lexer));
	keepalived_read_words(&f.lexer, &line);
	assert_int_equal(line.words_n, 2);
	assert_int_equal(line.words[0].pos.line, 3);
	assert_int_equal(line.words[0].pos.column, 2);
	assert_int_equal(line.words[1].pos.line, 4);
	assert_int_equal(line.words[1].pos.column, 2);
	arena_free(f.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keepalived_words),
		cmocka_unit_test(keepalived_braces),
		cmocka_unit_test(keepalived_quotes),
		cmocka_unit_test(keepalived_nodes),
		cmocka_unit_test(keepalived_variables),
		cmocka_unit_test(keepalived_values_within_values),
		cmocka_unit_test(keepalived_random),
		cmocka_unit_test(haproxy_words),
		cmocka_unit_test(haproxy_variables),
		cmocka_unit_test(huge_variables),
		cmocka_unit_test(places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
