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

static int
run_guardian(const struct options *o, struct check *c, bool background,
	     const char *const *load_args)
{
	struct daemonize daemonize = { .notify_fd = -1 };
	const struct log_setup log = {
		.ident = c->conf->log_tag ? c->conf->log_tag : "tandem",
		.to_stderr = true,
		.to_syslog = (background || o->to_syslog) && !o->no_syslog,
		.facility = o->facility,
		.level = o->debug ? LOG_DEBUG : LOG_INFO,
	};
	struct worker_words words;
	struct guardian_setup setup = {
		.conf = c->conf,
		.rundir = o->rundir,
		.pidfile = o->pidfile,
		.debug = o->debug,
		.worker_args = words.args,
		.load_args = load_args,
		.started = daemonize_started,
		.ctx = &daemonize,
	};
	void *tls_files = NULL;
	int status;

	fill_worker_words(&words, &log, background);
	setup.packed =
		conf_pack(c->arena, c->sources, c->sources_n, &c->options, &setup.packed_len);
	if (c->tls_files) {
		tls_files = tls_files_pack(c->tls_files, &setup.tls_files_len);
		setup.tls_files = tls_files;
	}
	if (background) {
		int r = daemonize_fork(&daemonize);

		if (r < 0) {
			fprintf(stderr, "tandem: cannot go to the background: %s\n", strerror(-r));
			return 1;
		}
	}
	log_init(&log);
	log_set_role("guardian");
	status = guardian_run(&setup);
	tls_files_wipe(tls_files, setup.tls_files_len);
	return status;
}

static int
run(const struct options *o, char **argv)
{
	struct check c;
	int status = 1;

	if (check_load(&c, o) == 0)
		status = run_guardian(o, &c, (o->background || c.conf->daemon) && !o->foreground,
				      (const char *const *)(argv + 1));
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
	bool load;
	int status;

	occupy_standard_streams();
	if (argc > 2 && strcmp(argv[1], "--worker") == 0)
		return worker_main(argc - 2, argv + 2);

	/* Its arguments are those of the process it works for, and so is its directory. */
	load = argc > 1 && strcmp(argv[1], "--load") == 0;
	argc -= load;
	argv += load;
	if (options_parse(&options, argc, argv, getenv("TANDEM_RUNDIR")) < 0) {
		fprintf(stderr, "tandem: %s\n", options.error);
		status = 1;
	} else if (load) {
		status = loader_main(&options);
	} else if (options.chdir && chdir(options.chdir) < 0) {
		fprintf(stderr, "tandem: cannot change to %s: %m\n", options.chdir);
		status = 1;
	} else {
		status = dispatch(&options, argv);
	}
	options_fini(&options);
	return status;
}
