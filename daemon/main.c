/*
 * main.c - the door: reads the command line and goes where it says.  The worker comes in here too,
 * executed by the guardian as "tandem --worker …".
 */
#include "common/log.h"
#include "daemon/check.h"
#include "daemon/client.h"
#include "daemon/daemonize.h"
#include "daemon/guardian.h"
#include "daemon/import.h"
#include "daemon/loader.h"
#include "daemon/upgrade.h"
#include "daemon/worker.h"

#include <fcntl.h>
#include <openssl/opensslv.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the worker is told besides the configuration: worker.h has the words. */
struct worker_words {
	const char *args[8];
	char facility[24], ident[80];
};

static void
fill_worker_words(struct worker_words *words, const struct log_setup *log, bool background)
{
	size_t n = 0;

	snprintf(words->facility, sizeof words->facility, "facility=%d", log->facility);
	snprintf(words->ident, sizeof words->ident, "ident=%s", log->ident);
	words->args[n++] = words->facility;
	words->args[n++] = words->ident;
	words->args[n++] = "stderr";
	if (log->to_syslog)
		words->args[n++] = "syslog";
	if (background)
		words->args[n++] = "detach";
	if (log->level == LOG_DEBUG)
		words->args[n++] = "debug";
	words->args[n] = NULL;
}

/* Where this process was started from. */
static char self[PATH_MAX];

/* What is known of a start before its configuration is. */
struct start {
	const struct options *options;
	struct daemonize daemonize;
	struct worker_words words;
};

static bool
is_background(const struct options *o, const struct conf *conf)
{
	return (o->background || conf->daemon) && !o->foreground;
}

/* guardian_setup.configured */
static void
speak(void *ctx, const struct conf *conf)
{
	struct start *start = ctx;
	const struct options *o = start->options;
	bool background = is_background(o, conf);
	const struct log_setup log = {
		.ident = conf->log_tag ? conf->log_tag : "tandem",
		.to_stderr = true,
		.to_syslog = (background || o->to_syslog) && !o->no_syslog,
		.facility = o->facility,
		.level = o->debug ? LOG_DEBUG : LOG_INFO,
	};

	fill_worker_words(&start->words, &log, background);
	log_init(&log);
	log_set_role("guardian");
}

static void
on_started(void *ctx)
{
	struct start *start = ctx;

	daemonize_started(&start->daemonize);
}

static struct guardian_setup
make_setup(struct start *start, const struct options *o, char **argv)
{
	*start = (struct start){ .options = o, .daemonize = { .notify_fd = -1 } };
	return (struct guardian_setup){
		.rundir = o->rundir,
		.pidfile = o->pidfile,
		.debug = o->debug,
		.worker_args = start->words.args,
		.load_args = (const char *const *)(argv + 1),
		.argv = (const char *const *)argv,
		.path = self,
		.configured = speak,
		.started = on_started,
		.ctx = start,
	};
}

static int
run_guardian(const struct options *o, struct check *c, char **argv)
{
	struct start start;
	struct guardian_setup setup = make_setup(&start, o, argv);
	void *tls_files = NULL;
	int status;

	setup.conf = c->conf;
	setup.packed =
		conf_pack(c->arena, c->sources, c->sources_n, &c->options, &setup.packed_len);
	if (c->tls_files) {
		tls_files = tls_files_pack(c->tls_files, &setup.tls_files_len);
		setup.tls_files = tls_files;
	}
	if (is_background(o, c->conf)) {
		int r = daemonize_fork(&start.daemonize);

		if (r < 0) {
			fprintf(stderr, "tandem: cannot go to the background: %s\n", strerror(-r));
			return 1;
		}
	}
	speak(&start, c->conf);
	status = guardian_run(&setup);
	tls_files_wipe(tls_files, setup.tls_files_len);
	return status;
}

/* In another one's process, which has done all of the above. */
static int
run_in_place(const struct options *o, const struct upgrade_estate *estate, char **argv)
{
	struct start start;
	struct guardian_setup setup = make_setup(&start, o, argv);

	setup.estate = estate;
	return guardian_run(&setup);
}

static int
run(const struct options *o, char **argv)
{
	struct check c;
	int status = 1;

	if (check_load(&c, o) == 0)
		status = run_guardian(o, &c, argv);
	check_fini(&c);
	return status;
}

static int
version(bool verbose)
{
	puts("tandem " TANDEM_VERSION);
	if (verbose)
		puts("VRRP v2 and v3, TCP and TLS proxy; configuration: keepalived blocks, HAProxy "
		     "sections (level 3.0)\n"
		     "built with " OPENSSL_VERSION_TEXT ", jansson " JANSSON_VERSION
		     ", compiler " __VERSION__);
	return 0;
}

static int
dispatch(const struct options *o, char **argv)
{
	switch (o->command) {
	case OPTIONS_RUN:
		return run(o, argv);
	case OPTIONS_CHECK:
	case OPTIONS_DUMP:
		return check_main(o);
	case OPTIONS_VERSION:
		return version(o->verbose);
	case OPTIONS_HELP:
		options_help(stdout);
		return 0;
	case OPTIONS_STATUS:
	case OPTIONS_HISTORY:
		return client_main(o);
	case OPTIONS_RELOAD:
	case OPTIONS_UPGRADE:
	case OPTIONS_RESIGN:
	case OPTIONS_RESUME:
		return client_command(o);
	case OPTIONS_IMPORT:
		return import_main(o);
	}
	return 1;
}

/* Started with closed streams, the next files to be opened would take their numbers, and messages
 * would be written into them. */
static void
occupy_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int
main(int argc, char **argv)
{
	struct options options;
	struct upgrade_estate estate;
	bool load, try, resumed = upgrade_is_meant(&estate);
	int status;

	occupy_standard_streams();
	upgrade_find_self(self);
	if (argc > 2 && strcmp(argv[1], "--worker") == 0)
		return worker_main(argc - 2, argv + 2);

	/* Its arguments are those of the process it works for, and so is its directory. */
	load = argc > 1 && strcmp(argv[1], "--load") == 0;
	try = argc > 1 && strcmp(argv[1], "--try") == 0;
	argc -= load || try;
	argv += load || try;
	if (options_parse(&options, argc, argv, getenv("TANDEM_RUNDIR")) < 0) {
		fprintf(stderr, "tandem: %s\n", options.error);
		status = 1;
	} else if (load) {
		status = loader_main(&options);
	} else if (try) {
		status = upgrade_try(&options);
	} else if (resumed) {
		status = run_in_place(&options, &estate, argv);
		free(estate.reason);
	} else if (options.chdir && chdir(options.chdir) < 0) {
		fprintf(stderr, "tandem: cannot change to %s: %m\n", options.chdir);
		status = 1;
	} else {
		status = dispatch(&options, argv);
	}
	options_fini(&options);
	return status;
}
