/*
 * test_script_rules.c - what is pure about scripts: command lines as keepalived splits them, and what an event runs and says.
 */
#include "daemon/check_script.h"
#include "daemon/notify.h"
#include "daemon/script_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_splitting(void **state)
{
	static const struct {
		const char *line;
		const char *words[6];
	} table[] = {
		{ "/bin/true", { "/bin/true" } },
		{ "  a\tb  c ", { "a", "b", "c" } },
		{ "a 'b c' \"d e\"", { "a", "b c", "d e" } },
		{ "abcd\" efg h jkl \"mnop", { "abcd efg h jkl mnop" } },
		{ "abcd \"efg h jkl\" mnop", { "abcd", "efg h jkl", "mnop" } },
		{ "a '' \"\" b", { "a", "", "", "b" } },
		{ "a \"it's\" 'say \"x\"'", { "a", "it's", "say \"x\"" } },
		{ "a\\ b \\\"c \\\\", { "a b", "\"c", "\\" } },
		{ "\\a\\b\\E\\f\\n\\r\\t\\v", { "\a\b\033\f\n\r\t\v" } },
		{ "\\101\\x42\\cC", { "AB\003" } },
		{ "\\1012 \\x", { "A2", "x" } },
		{ "'no end of it", { "no end of it" } },
		{ "end\\", { "end\\" } },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char **words = script_words(table[i].line);
		size_t n = 0;

		assert_non_null(words);
		for (; table[i].words[n]; n++) {
			assert_non_null(words[n]);
			assert_string_equal(words[n], table[i].words[n]);
		}
		assert_null(words[n]);
		free(words);
	}
}

static void
test_nothing_to_run(void **state)
{
	char many[2 * SCRIPT_WORDS_MAX + 3];

	assert_null(script_words(""));
	assert_null(script_words(" \t"));
	for (size_t i = 0; i < sizeof many - 1; i++)
		many[i] = i % 2 ? ' ' : 'x';
	many[sizeof many - 1] = '\0';
	assert_null(script_words(many));
	many[2 * SCRIPT_WORDS_MAX - 1] = '\0';
	free(script_words(many));
}

/* ------------------------------------------------------------------ rise and fall */

static void
test_rise_and_fall(void **state)
{
	static const struct {
		uint32_t rise, fall;
		bool init_fail;
		const char *results; /* + success, - failure */
		const char *states;  /* after each: O ok, F failed */
	} table[] = {
		{ 1, 1, false, "+-+-", "OFOF" },
		{ 2, 3, false, "+--+---", "OOOOOOF" }, /* the first counts at once */
		{ 2, 3, false, "-+-++-", "FFFFOO" },
		{ 3, 1, true, "+++-", "FFOF" },
		{ 3, 1, true, "++-+++", "FFFFFO" },
		{ 1, 2, true, "-+--", "FOOF" },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const struct conf_script conf = { .rise = table[i].rise,
						  .fall = table[i].fall,
						  .init_fail = table[i].init_fail };
		struct script_health health = script_health_init(&conf);

		assert_int_equal(health.state,
				 conf.init_fail ? SCRIPT_STATE_FAILED : SCRIPT_STATE_UNKNOWN);
		for (size_t j = 0; table[i].results[j]; j++) {
			enum script_state before = health.state;
			bool changed =
				script_health_add(&health, &conf, table[i].results[j] == '+');

			assert_int_equal(health.state, table[i].states[j] == 'O'
							       ? SCRIPT_STATE_OK
							       : SCRIPT_STATE_FAILED);
			assert_int_equal(changed, health.state != before);
		}
	}
}

/* ------------------------------------------------------------------ events */

static void
test_commands_of_each_event(void **state)
{
	static const struct conf_notify all = {
		.master = { .line = "m" },
		.backup = { .line = "b" },
		.fault = { .line = "f" },
		.stop = { .line = "s" },
		.any = { .line = "any" },
		.master_rx_lower_pri = { .line = "rx" },
		.deleted = { .line = "d" },
	};
	static const struct conf_notify only_any = { .any = { .line = "any" } };
	static const struct {
		enum notify_event event;
		const char *name, *commands[2];
		size_t of_any;
	} table[] = {
		{ NOTIFY_EVENT_MASTER, "MASTER", { "m", "any" }, 1 },
		{ NOTIFY_EVENT_BACKUP, "BACKUP", { "b", "any" }, 1 },
		{ NOTIFY_EVENT_FAULT, "FAULT", { "f", "any" }, 1 },
		{ NOTIFY_EVENT_DELETED, "DELETED", { "d", "any" }, 1 },
		{ NOTIFY_EVENT_STOP, "STOP", { "s", "any" }, 1 },
		{ NOTIFY_EVENT_MASTER_RX_LOWER_PRI, "MASTER_RX_LOWER_PRI", { "rx" }, 0 },
		{ NOTIFY_EVENT_MASTER_PRIORITY, "MASTER_PRIORITY", { NULL }, 0 },
		{ NOTIFY_EVENT_BACKUP_PRIORITY, "BACKUP_PRIORITY", { NULL }, 0 },
	};

	assert_int_equal(sizeof table / sizeof *table, NOTIFY_EVENT_N);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const struct conf_command *commands[2];
		size_t n = notify_commands(&all, table[i].event, commands);

		assert_string_equal(notify_event_name(table[i].event), table[i].name);
		for (size_t j = 0; j < 2 && table[i].commands[j]; j++) {
			assert_true(j < n);
			assert_string_equal(commands[j]->line, table[i].commands[j]);
		}
		assert_true(n == 2 || !table[i].commands[n]);
		assert_int_equal(notify_commands(&only_any, table[i].event, commands),
				 table[i].of_any);
	}
}

static void
test_line(void **state)
{
	char line[64];

	notify_line(line, sizeof line, "INSTANCE", "VI_1", NOTIFY_EVENT_MASTER, 100);
	assert_string_equal(line, "INSTANCE \"VI_1\" MASTER 100\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splitting),     cmocka_unit_test(test_nothing_to_run),
		cmocka_unit_test(test_rise_and_fall), cmocka_unit_test(test_commands_of_each_event),
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
