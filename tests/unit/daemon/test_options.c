/*
 * The command line as a table: words in, struct out, or one error.
 */
#include "daemon/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

#define WORDS_MAX 12

static int
parse(struct options *o, const char *const *words, const char *rundir)
{
	static char copies[WORDS_MAX][64];
	char *argv[WORDS_MAX + 1] = { copies[0] };
	int argc = 1;

	strcpy(copies[0], "tandem");
	for (; words[argc - 1]; argc++) {
		strcpy(copies[argc], words[argc - 1]);
		argv[argc] = copies[argc];
	}
	argv[argc] = NULL;
	return options_parse(o, argc, argv, rundir);
}

#define PARSE(o, ...) parse(o, (const char *const[]){ __VA_ARGS__, NULL }, NULL)

static void
commands_are_recognised(void **state)
{
	static const struct {
		const char *words[5];
		enum options_command command;
	} table[] = {
		{ { NULL }, OPTIONS_RUN },
		{ { "-f", "a.conf" }, OPTIONS_RUN },
		{ { "-c", "-f", "a.conf" }, OPTIONS_CHECK },
		{ { "check", "a.conf" }, OPTIONS_CHECK },
		{ { "-f", "a.conf", "-dump" }, OPTIONS_DUMP },
		{ { "-v" }, OPTIONS_VERSION },
		{ { "-vv" }, OPTIONS_VERSION },
		{ { "-h" }, OPTIONS_HELP },
		{ { "--help" }, OPTIONS_HELP },
		{ { "status" }, OPTIONS_STATUS },
		{ { "-R", "/x", "status" }, OPTIONS_STATUS },
		{ { "status", "--json" }, OPTIONS_STATUS },
		{ { "reload" }, OPTIONS_RELOAD },
		{ { "upgrade" }, OPTIONS_UPGRADE },
		{ { "resign" }, OPTIONS_RESIGN },
		{ { "-dM", "-dI", "-dMpoison" }, OPTIONS_RUN },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct options o;

		assert_int_equal(parse(&o, table[i].words, NULL), 0);
		assert_int_equal(o.command, table[i].command);
		options_fini(&o);
	}
}

static void
mistakes_give_one_sentence(void **state)
{
	static const struct {
		const char *words[5];
		const char *error;
	} table[] = {
		{ { "-x" }, "unknown option `-x' (see tandem --help)" },
		{ { "-dX" }, "unknown option `-dX' (see tandem --help)" },
		{ { "-" },
		  "unknown command `-' (a configuration file is given "
		  "with -f)" },
		{ { "-f" }, "option -f needs a value: -f FILE" },
		{ { "-n", "many" }, "option -n: `many' is not a number of connections" },
		{ { "-n", "0" }, "option -n: `0' is not a number of connections" },
		{ { "-n", "-1" }, "option -n: `-1' is not a number of connections" },
		{ { "-n", "99999999999999" },
		  "option -n: `99999999999999' is not a number of "
		  "connections" },
		{ { "a.conf" },
		  "unknown command `a.conf' (a configuration file is "
		  "given with -f)" },
		{ { "status", "now" }, "unexpected word `now'" },
		{ { "-f", "a.conf", "--json" },
		  "--json and --watch belong to `tandem status' and `tandem history'" },
		{ { "check", "--watch" },
		  "--json and --watch belong to `tandem status' and `tandem history'" },
		{ { "status", "--watch=0" },
		  "option --watch: `--watch=0' is not --watch=SECONDS, 0.1 to 3600" },
		{ { "status", "--watch=" },
		  "option --watch: `--watch=' is not --watch=SECONDS, 0.1 to 3600" },
		{ { "status", "--watches" },
		  "option --watch: `--watches' is not --watch=SECONDS, 0.1 to 3600" },
		{ { "status", "--watch=nan" },
		  "option --watch: `--watch=nan' is not --watch=SECONDS, 0.1 to 3600" },
		{ { "-S", "local8" }, "option -S: `local8' is no facility, such as local0" },
		{ { "-S", "77" }, "option -S: `77' is no facility, such as local0" },
		{ { "--pid=" }, "option --pid needs a value: --pid FILE" },
		{ { "-p=x" }, "unknown option `-p=x' (see tandem --help)" },
		{ { "--dont-fork=x" }, "unknown option `--dont-fork=x' (see tandem --help)" },
		{ { "status", "--watch", "-o", "x" }, "-o and --watch exclude each other" },
		{ { "-f", "a.conf", "-o", "x" },
		  "-o belongs to `tandem import', `status' and `history'" },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct options o;

		assert_int_not_equal(parse(&o, table[i].words, NULL), 0);
		assert_string_equal(o.error, table[i].error);
		options_fini(&o);
	}
}

static void
logging_as_keepalived_has_it(void **state)
{
	struct options o;

	assert_int_equal(PARSE(&o, "-f", "a"), 0);
	assert_int_equal(o.facility, LOG_DAEMON);
	assert_false(o.to_syslog);
	options_fini(&o);
	assert_int_equal(PARSE(&o, "-S", "3"), 0);
	assert_int_equal(o.facility, LOG_LOCAL3);
	assert_true(o.to_syslog);
	options_fini(&o);
	assert_int_equal(PARSE(&o, "--log-facility", "user", "--no-syslog", "--dont-fork",
			       "--use-file", "a", "--log-console"),
			 0);
	assert_int_equal(o.facility, LOG_USER);
	assert_true(o.no_syslog && o.foreground);
	assert_string_equal(o.files[0], "a");
	options_fini(&o);
	assert_int_equal(PARSE(&o, "--use-file=a=b", "--pid=p", "--config-id=lb1"), 0);
	assert_string_equal(o.files[0], "a=b");
	assert_string_equal(o.pidfile, "p");
	assert_string_equal(o.node, "lb1");
	options_fini(&o);
}

static void
watching_has_a_pace(void **state)
{
	struct options o;

	assert_int_equal(PARSE(&o, "status", "--watch"), 0);
	assert_int_equal(o.watch_ms, 1000);
	options_fini(&o);
	assert_int_equal(PARSE(&o, "history", "--watch=0.25", "--json"), 0);
	assert_int_equal(o.command, OPTIONS_HISTORY);
	assert_int_equal(o.watch_ms, 250);
	options_fini(&o);
	assert_int_equal(PARSE(&o, "history", "-o", "x"), 0);
	assert_int_equal(o.watch_ms, 0);
	assert_string_equal(o.output, "x");
	options_fini(&o);
}

static void
files_keep_their_order(void **state)
{
	struct options o;

	assert_int_equal(PARSE(&o, "-f", "b", "-D", "-f", "-", "--", "a", "-c"), 0);
	assert_int_equal(o.files_n, 4);
	assert_string_equal(o.files[0], "b");
	assert_string_equal(o.files[1], "-");
	assert_string_equal(o.files[2], "a");
	assert_string_equal(o.files[3], "-c");
	assert_int_equal(o.command, OPTIONS_RUN);
	assert_true(o.background);
	options_fini(&o);

	assert_int_equal(PARSE(&o, "check", "x", "-q", "y"), 0);
	assert_int_equal(o.files_n, 2);
	assert_true(o.quiet);
	options_fini(&o);
}

static void
check_compares_with_the_peer(void **state)
{
	struct options o;

	assert_int_equal(PARSE(&o, "check", "--peer", "b", "--peer-node", "lb2", "a"), 0);
	assert_int_equal(o.command, OPTIONS_CHECK);
	assert_int_equal(o.files_n, 1);
	assert_int_equal(o.peers_n, 1);
	assert_string_equal(o.peers[0], "b");
	assert_string_equal(o.peer_node, "lb2");
	options_fini(&o);

	assert_int_not_equal(PARSE(&o, "-f", "a", "--peer", "b"), 0);
	options_fini(&o);
	assert_int_not_equal(PARSE(&o, "check", "a", "--peer-node", "b"), 0);
	options_fini(&o);
}

static void
values_arrive(void **state)
{
	struct options o;

	assert_int_equal(PARSE(&o, "-n", "4096", "-p", "/pid", "-C", "/etc", "-db", "-d", "-dW"),
			 0);
	assert_int_equal(o.maxconn, 4096);
	assert_string_equal(o.pidfile, "/pid");
	assert_string_equal(o.chdir, "/etc");
	assert_true(o.foreground && o.debug && o.strict);
	options_fini(&o);

	assert_int_equal(PARSE(&o, "-Ws"), 0);
	assert_true(o.foreground);
	options_fini(&o);
	assert_int_equal(PARSE(&o, "-W", "-D"), 0);
	assert_true(o.background && !o.foreground);
	options_fini(&o);
}

/* The node's name: -i wins over -L, wherever they stand. */
static void
node_prefers_i(void **state)
{
	struct options o;

	assert_int_equal(PARSE(&o, "-i", "lb1", "-L", "peer1"), 0);
	assert_string_equal(o.node, "lb1");
	options_fini(&o);
	assert_int_equal(PARSE(&o, "-L", "peer1", "-i", "lb1"), 0);
	assert_string_equal(o.node, "lb1");
	options_fini(&o);
	assert_int_equal(PARSE(&o, "-L", "peer1"), 0);
	assert_string_equal(o.node, "peer1");
	options_fini(&o);
	assert_int_equal(PARSE(&o, "-d"), 0);
	assert_null(o.node);
	options_fini(&o);
}

static void
rundir_option_wins_over_environment(void **state)
{
	static const char *const none[] = { NULL }, *const given[] = { "-R", "/a", NULL };
	struct options o;

	assert_int_equal(parse(&o, none, NULL), 0);
	assert_string_equal(o.rundir, "/run/tandem");
	options_fini(&o);
	assert_int_equal(parse(&o, none, ""), 0);
	assert_string_equal(o.rundir, "/run/tandem");
	options_fini(&o);
	assert_int_equal(parse(&o, none, "/b"), 0);
	assert_string_equal(o.rundir, "/b");
	options_fini(&o);
	assert_int_equal(parse(&o, given, "/b"), 0);
	assert_string_equal(o.rundir, "/a");
	options_fini(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_recognised),
		cmocka_unit_test(mistakes_give_one_sentence),
		cmocka_unit_test(logging_as_keepalived_has_it),
		cmocka_unit_test(watching_has_a_pace),
		cmocka_unit_test(files_keep_their_order),
		cmocka_unit_test(check_compares_with_the_peer),
		cmocka_unit_test(values_arrive),
		cmocka_unit_test(node_prefers_i),
		cmocka_unit_test(rundir_option_wins_over_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
