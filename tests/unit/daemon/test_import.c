/*
 * test_import.c - `tandem import`: both files word for word, includes in their place, nothing
 * overwritten, and a report that says what is different.
 */
#include "daemon/import.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char keepalived[] = "! both nodes\n"
				 "vrrp_script chk {\n"
				 "    script \"killall -0 haproxy\"\n"
				 "}\n"
				 "vrrp_instance VI_1 {\n"
				 "    interface lo\n"
				 "    virtual_router_id 51\n"
				 "    include peers/*.conf # of the other team\n"
				 "    smtp_alert\n"
				 "    track_script {\n"
				 "        chk\n"
				 "    }\n"
				 "    virtual_ipaddress {\n"
				 "        10.0.0.10\n"
				 "    }\n"
				 "}";
static const char haproxy[] = "defaults # all\n"
			      "  timeout connect 1s\n"
			      "  timeout client 1s\n"
			      "  timeout server 1s\n"
			      "listen web\n"
			      "  bind 10.0.0.10:8080\n"
			      "  server a 10.0.0.21:80";

static char dir[64], output[PATH_MAX];

static const char *
put(const char *name, const char *text)
{
	static char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

static char *
get(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

/* Options that name the folder's two files, those that were put there. */
static struct options
import_options(void)
{
	static char k[PATH_MAX], h[PATH_MAX];
	struct options o = { .command = OPTIONS_IMPORT, .output = output };

	snprintf(k, sizeof k, "%s/keepalived.conf", dir);
	snprintf(h, sizeof h, "%s/haproxy.cfg", dir);
	o.keepalived = access(k, F_OK) == 0 ? k : NULL;
	o.haproxy = access(h, F_OK) == 0 ? h : NULL;
	return o;
}

/* Runs it with what it says going to a file: `said`, to be freed. */
static int
run(const struct options *o, char **said)
{
	char path[PATH_MAX];
	int fd, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), status;

	snprintf(path, sizeof path, "%s/said", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0 && out >= 0 && err >= 0);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	status = import_main(o);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(fd);
	close(out);
	close(err);
	*said = get(path);
	return status;
}

static void
assert_has(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("`%s` is not in:\n%s", part, text ? text : "nothing at all");
}

static void
test_both(void **state)
{
	struct options o;
	struct stat st;
	char *said, *text;

	put("keepalived.conf", keepalived);
	put("haproxy.cfg", haproxy);
	o = import_options();
	assert_int_equal(run(&o, &said), IMPORT_DONE);
	text = get(output);
	assert_has(text, "! both nodes\nvrrp_script chk {\n    script \"killall -0 haproxy\"\n}\n");
	assert_has(text, "        10.0.0.10\n    }\n}\n\ndefaults # all\n");
	assert_has(text, "  server a 10.0.0.21:80\n");
	assert_has(said, "Different here (2):\n");
	assert_has(said, "`smtp_alert` does nothing here");
	assert_has(said, "only asks whether haproxy runs");
	assert_int_equal(stat(output, &st), 0);
	assert_int_equal(st.st_mode & 0007, 0);
	free(text);
	free(said);
}

static void
test_one_only(void **state)
{
	struct options o;
	char *said, *text;

	put("haproxy.cfg", haproxy);
	o = import_options();
	assert_int_equal(run(&o, &said), IMPORT_DONE);
	text = get(output);
	assert_null(strstr(text, "vrrp_instance"));
	free(text);
	free(said);
}

/* Relative to the file that includes, with patterns, in the middle of a block. */
static void
test_include(void **state)
{
	char path[PATH_MAX], *said, *text;
	struct options o;

	snprintf(path, sizeof path, "%s/peers", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	put("keepalived.conf", keepalived);
	put("peers/a.conf", "    priority 7 # a\n    include more\n");
	put("peers/more", "    advert_int 2");
	o = import_options();
	assert_int_equal(run(&o, &said), IMPORT_DONE);
	text = get(output);
	assert_null(strstr(text, "include"));
	assert_has(text, "/peers/a.conf:\n    priority 7 # a\n# from ");
	assert_has(text, "    advert_int 2\n# end of ");
	assert_has(text, "    smtp_alert\n");
	free(text);
	free(said);
}

/* The line stays, with a warning: files may come later. */
static void
test_include_nothing(void **state)
{
	struct options o;
	char *said, *text;

	put("keepalived.conf", keepalived);
	o = import_options();
	assert_int_equal(run(&o, &said), IMPORT_DONE);
	text = get(output);
	assert_has(text, "\n    include peers/*.conf # of the other team\n");
	assert_has(said, "no file can be read for `peers/*.conf`");
	free(text);
	free(said);
}

/* It comes to an end, and is told. */
static void
test_include_loop(void **state)
{
	struct options o;
	char *said;

	put("keepalived.conf", "include keepalived.conf\n");
	o = import_options();
	assert_int_equal(run(&o, &said), IMPORT_DONE);
	assert_has(said, "no file can be read for `keepalived.conf`");
	free(said);
}

static void
test_never_overwrites(void **state)
{
	struct options o;
	char *said, *text;

	put("haproxy.cfg", haproxy);
	put("tandem.conf", "mine\n");
	o = import_options();
	assert_int_equal(run(&o, &said), IMPORT_FAILED);
	assert_has(said, "File exists");
	text = get(output);
	assert_string_equal(text, "mine\n");
	free(text);
	free(said);
}

static void
test_errors_are_for_the_editor(void **state)
{
	struct options o;
	char *said, *text;

	put("haproxy.cfg", "listen web\n  nosuchword 1\n");
	o = import_options();
	assert_int_equal(run(&o, &said), IMPORT_TO_EDIT);
	assert_has(said, "To be changed by hand, or the file does not load (");
	assert_has(said, "line 4: unknown word `nosuchword`");
	text = get(output);
	assert_has(text, "  nosuchword 1\n");
	free(text);
	free(said);
}

static void
test_missing_source(void **state)
{
	struct options o = import_options();
	char *said;

	o.haproxy = "/nonexistent/haproxy.cfg";
	assert_int_equal(run(&o, &said), IMPORT_FAILED);
	assert_has(said, "cannot read /nonexistent/haproxy.cfg: No such file or directory");
	assert_int_equal(access(output, F_OK), -1);
	free(said);
}

static int
parse(struct options *o, const char *a, const char *b, const char *c)
{
	char words[4][32] = { "tandem" },
	     *argv[] = { words[0], words[1], words[2], words[3], NULL };
	int r;

	snprintf(words[1], sizeof words[1], "%s", a);
	snprintf(words[2], sizeof words[2], "%s", b);
	snprintf(words[3], sizeof words[3], "%s", c);
	r = options_parse(o, 4, argv, NULL);
	options_fini(o);
	return r;
}

static void
test_options(void **state)
{
	struct options o;

	assert_int_equal(parse(&o, "import", "-o", "x"), 0);
	assert_int_equal(o.command, OPTIONS_IMPORT);
	assert_non_null(o.output);
	assert_int_equal(parse(&o, "import", "--haproxy", "y"), 0);
	assert_non_null(o.haproxy);
	assert_int_equal(parse(&o, "import", "--keepalived", "z"), 0);
	assert_non_null(o.keepalived);
	assert_true(parse(&o, "import", "-f", "x") < 0);
	assert_true(parse(&o, "check", "-o", "x") < 0);
}

static int
setup(void **state)
{
	strcpy(dir, "/tmp/tandem-import-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(output, sizeof output, "%s/tandem.conf", dir);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "keepalived.conf", "haproxy.cfg",
					     "tandem.conf",     "said",
					     "peers/a.conf",    "peers/more",
					     "peers",           "" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		remove(path);
	}
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_both, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_include, setup, teardown),
		cmocka_unit_test_setup_teardown(test_include_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_include_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_overwrites, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors_are_for_the_editor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_source, setup, teardown),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
