/*
 * options.c - the command line: options of HAProxy and keepalived, commands of our own.
 *
 * Pure: reads argv, says what it means, touches nothing.  The first word that is neither an option
 * nor an option's value must be a command.
 */
#include "daemon/options.h"

#include "daemon/rundir.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum action {
	ACTION_TEXT, /* the value is kept */
	ACTION_FLAG,
	ACTION_COMMAND,
	ACTION_VERSION_LONG,
	ACTION_FILE,
	ACTION_PEER,
	ACTION_MAXCONN,
	ACTION_WATCH,
	ACTION_FACILITY,
	ACTION_NOTHING,
};

struct row {
	const char *name;
	enum action action;
	const char *value; /* what its value is called; NULL = it takes none */
	bool prefix;       /* what follows the name directly is accepted: -dMfoo */
	size_t field;      /* TEXT, FLAG: where it goes in struct options */
	enum options_command command;
};

#define TEXT(name, what, member)                                                   \
	{                                                                          \
		name, ACTION_TEXT, what, .field = offsetof(struct options, member) \
	}
#define FLAG(name, member)                                                   \
	{                                                                    \
		name, ACTION_FLAG, .field = offsetof(struct options, member) \
	}
#define COMMAND(name, which)                           \
	{                                              \
		name, ACTION_COMMAND, .command = which \
	}

static const struct row rows[] = {
	{ "-f", ACTION_FILE, .value = "FILE" },
	COMMAND("-c", OPTIONS_CHECK),
	COMMAND("-dump", OPTIONS_DUMP),
	TEXT("-i", "NAME", node),
	TEXT("-L", "NAME", local_peer),
	TEXT("-C", "DIRECTORY", chdir),
	TEXT("-p", "FILE", pidfile),
	TEXT("-R", "DIRECTORY", rundir),
	{ "-n", ACTION_MAXCONN, .value = "NUMBER" },
	FLAG("-D", background),
	FLAG("-db", foreground),
	{ "-W", ACTION_NOTHING },
	FLAG("-Ws", foreground),
	FLAG("-d", debug),
	FLAG("-q", quiet),
	FLAG("-V", verbose),
	COMMAND("-v", OPTIONS_VERSION),
	{ "-vv", ACTION_VERSION_LONG },
	{ "-dM", ACTION_NOTHING, .prefix = true },
	{ "-dI", ACTION_NOTHING },
	FLAG("-dW", strict),
	FLAG("--json", json),
	{ "--watch", ACTION_WATCH, .prefix = true },
	TEXT("--keepalived", "FILE", keepalived),
	TEXT("--haproxy", "FILE", haproxy),
	TEXT("-o", "FILE", output),
	{ "--peer", ACTION_PEER, .value = "FILE" },
	TEXT("--peer-node", "NAME", peer_node),
	{ "-S", ACTION_FACILITY, .value = "FACILITY" },
	FLAG("-G", no_syslog),
	/* keepalived's long forms */
	{ "--use-file", ACTION_FILE, .value = "FILE" },
	COMMAND("--config-test", OPTIONS_CHECK),
	TEXT("--config-id", "NAME", node),
	TEXT("--pid", "FILE", pidfile),
	FLAG("--dont-fork", foreground),
	{ "--log-facility", ACTION_FACILITY, .value = "FACILITY" },
	FLAG("--no-syslog", no_syslog),
	{ "--log-console", ACTION_NOTHING },
	{ "--log-detail", ACTION_NOTHING },
	{ "--vrrp", ACTION_NOTHING },
	COMMAND("-h", OPTIONS_HELP),
	COMMAND("--help", OPTIONS_HELP),
	COMMAND("--version", OPTIONS_VERSION),
};

/* clang-format off */
static const struct {
	const char *name;
	enum options_command command;
} commands[] = {
	{ "check",  OPTIONS_CHECK },
	{ "status", OPTIONS_STATUS },
	{ "history", OPTIONS_HISTORY },
	{ "reload", OPTIONS_RELOAD },
	{ "upgrade", OPTIONS_UPGRADE },
	{ "resign", OPTIONS_RESIGN },
	{ "resume", OPTIONS_RESUME },
	{ "import", OPTIONS_IMPORT },
};
/* clang-format on */

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static int __attribute__((format(printf, 2, 3))) fail(struct options *o, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(o->error, sizeof o->error, format, ap);
	va_end(ap);
	return -EINVAL;
}

/* The row of an option; *value is set if the option brings it along: "--pid=FILE". */
static const struct row *
find_row(const char *word, const char **value)
{
	for (size_t i = 0; i < LENGTH(rows); i++) {
		size_t len = strlen(rows[i].name);

		if (strncmp(word, rows[i].name, len) != 0)
			continue;
		if (rows[i].prefix || word[len] == '\0')
			return &rows[i];
		if (rows[i].value && word[1] == '-' && word[len] == '=') {
			*value = word + len + 1;
			return &rows[i];
		}
	}
	return NULL;
}

static int
parse_maxconn(struct options *o, const char *value)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno || *end || value[0] < '0' || value[0] > '9' || n == 0 || n > INT32_MAX)
		return fail(o, "option -n: `%s' is not a number of connections", value);
	o->maxconn = (uint32_t)n;
	return 0;
}

/* A number 0…7 means local0…local7, as with keepalived; names are syslog's. */
static int
parse_facility(struct options *o, const char *value)
{
	static const struct {
		const char *name;
		int facility;
	} names[] = {
		{ "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 },     { "local2", LOG_LOCAL2 },
		{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },     { "local5", LOG_LOCAL5 },
		{ "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },     { "daemon", LOG_DAEMON },
		{ "user", LOG_USER },     { "authpriv", LOG_AUTHPRIV }, { "syslog", LOG_SYSLOG },
	};
	bool digit = value[0] >= '0' && value[0] <= '7' && value[1] == '\0';

	for (size_t i = 0; i < LENGTH(names); i++)
		if (strcmp(names[i].name, value) == 0 || (digit && i == (size_t)(value[0] - '0'))) {
			o->facility = names[i].facility;
			o->to_syslog = true;
			return 0;
		}
	return fail(o, "option -S: `%s' is no facility, such as local0", value);
}

/* What follows "--watch": nothing, or "=SECONDS". */
static int
parse_watch(struct options *o, const char *rest)
{
	char *end = NULL;
	double seconds = 1;

	if (*rest == '=')
		seconds = strtod(rest + 1, &end);
	if ((*rest && *rest != '=') || (end && (end == rest + 1 || *end)) ||
	    !(seconds >= 0.1 && seconds <= 3600))
		return fail(o, "option --watch: `--watch%s' is not --watch=SECONDS, 0.1 to 3600",
			    rest);
	o->watch_ms = (uint32_t)(seconds * 1000);
	return 0;
}

static int
apply(struct options *o, const struct row *row, const char *value)
{
	char *field = (char *)o + row->field;

	switch (row->action) {
	case ACTION_TEXT:
		*(const char **)field = value;
		break;
	case ACTION_FLAG:
		*(bool *)field = true;
		break;
	case ACTION_VERSION_LONG:
		o->verbose = true;
		o->command = OPTIONS_VERSION;
		break;
	case ACTION_COMMAND:
		o->command = row->command;
		break;
	case ACTION_FILE:
		o->files[o->files_n++] = value;
		break;
	case ACTION_PEER:
		o->peers[o->peers_n++] = value;
		break;
	case ACTION_MAXCONN:
		return parse_maxconn(o, value);
	case ACTION_WATCH:
		return parse_watch(o, value);
	case ACTION_FACILITY:
		return parse_facility(o, value);
	case ACTION_NOTHING:
		break;
	}
	return 0;
}

/* A word that is no option: a command, or a file behind `check`. */
static int
parse_word(struct options *o, const char *word)
{
	if (o->command == OPTIONS_CHECK) {
		o->files[o->files_n++] = word;
		return 0;
	}
	if ((o->command == OPTIONS_RESIGN || o->command == OPTIONS_RESUME) && !o->instance) {
		o->instance = word;
		return 0;
	}
	if (o->command != OPTIONS_RUN)
		return fail(o, "unexpected word `%s'", word);
	for (size_t i = 0; i < LENGTH(commands); i++)
		if (strcmp(word, commands[i].name) == 0) {
			o->command = commands[i].command;
			return 0;
		}
	return fail(o, "unknown command `%s' (a configuration file is given with -f)", word);
}

static int
parse_words(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i], *value = NULL;
		const struct row *row;
		int error;

		if (strcmp(word, "--") == 0) {
			while (++i < argc)
				o->files[o->files_n++] = argv[i];
			break;
		}
		if (word[0] != '-' || word[1] == '\0') {
			error = parse_word(o, word);
			if (error)
				return error;
			continue;
		}
		row = find_row(word, &value);
		if (!row)
			return fail(o, "unknown option `%s' (see tandem --help)", word);
		if (row->value) {
			if (!value && ++i < argc)
				value = argv[i];
			if (!value || value[0] == '\0')
				return fail(o, "option %s needs a value: %s %s", row->name,
					    row->name, row->value);
		}
		if (row->prefix)
			value = word + strlen(row->name);
		error = apply(o, row, value);
		if (error)
			return error;
	}
	return 0;
}

/* Does the command ask the running instance? */
static bool
asks(const struct options *o)
{
	return o->command == OPTIONS_STATUS || o->command == OPTIONS_HISTORY;
}

int
options_parse(struct options *o, int argc, char **argv, const char *rundir)
{
	int error;

	*o = (struct options){ .rundir = rundir && *rundir ? rundir : RUNDIR_DEFAULT,
			       .facility = LOG_DAEMON };
	o->files = calloc((size_t)argc + 1, sizeof *o->files);
	o->peers = calloc((size_t)argc + 1, sizeof *o->peers);
	if (!o->files || !o->peers)
		return fail(o, "out of memory");
	error = parse_words(o, argc, argv);
	if (error)
		return error;
	if (!o->node)
		o->node = o->local_peer;
	if ((o->json || o->watch_ms) && !asks(o) && o->command != OPTIONS_HELP)
		return fail(o, "--json and --watch belong to `tandem status' and `tandem history'");
	if (o->output && !asks(o) && o->command != OPTIONS_IMPORT && o->command != OPTIONS_HELP)
		return fail(o, "-o belongs to `tandem import', `status' and `history'");
	if (o->output && o->watch_ms)
		return fail(o, "-o and --watch exclude each other");
	if ((o->keepalived || o->haproxy) && o->command != OPTIONS_IMPORT &&
	    o->command != OPTIONS_HELP)
		return fail(o, "--keepalived and --haproxy belong to `tandem import'");
	if ((o->peers_n || o->peer_node) && o->command != OPTIONS_CHECK &&
	    o->command != OPTIONS_HELP)
		return fail(o, "--peer and --peer-node belong to `tandem check'");
	if (o->peer_node && !o->peers_n)
		return fail(o, "--peer-node needs --peer FILE");
	if (o->command == OPTIONS_IMPORT && o->files_n)
		return fail(o, "`tandem import' reads what --keepalived and --haproxy name");
	return 0;
}

void
options_fini(struct options *o)
{
	free(o->files);
	free(o->peers);
	o->files = o->peers = NULL;
}

void
options_help(FILE *out)
{
	static const char text[] =
		"NAME\n"
		"    tandem - a virtual IP address and the proxy behind it, in one daemon\n"
		"\n"
		"SYNOPSIS\n"
		"    tandem [OPTION...] -f FILE [-f FILE...] [-- FILE...]\n"
		"    tandem check [OPTION...] [--peer FILE [--peer-node NAME]] FILE...\n"
		"    tandem status [--json] [--watch[=SECONDS]] [-o FILE] [-R DIRECTORY]\n"
		"    tandem history [--json] [--watch[=SECONDS]] [-o FILE] [-R DIRECTORY]\n"
		"    tandem reload|upgrade [-R DIRECTORY]\n"
		"    tandem resign|resume [INSTANCE] [-R DIRECTORY]\n"
		"    tandem import [--keepalived FILE] [--haproxy FILE] [-o FILE]\n"
		"\n"
		"FILES\n"
		"    A configuration file holds keepalived's blocks, HAProxy's sections, or both.\n"
		"    A directory means its *.conf and *.cfg files in alphabetical order, `-' standard\n"
		"    input.  Without -f it is /etc/tandem/tandem.conf.\n"
		"\n"
		"RUNNING\n"
		"    -f FILE    load FILE; may be repeated, all files make one configuration\n"
		"    -i NAME    this node's name for @NAME lines (default: -L, then the host's name)\n"
		"    -L NAME    this node's name, as HAProxy spells it\n"
		"    -C DIR     change to DIR before anything is read\n"
		"    -D         to the background, once start-up has succeeded; its status says so\n"
		"    -db        stay in the foreground, even if the file says `daemon'\n"
		"    -Ws        as -db; a service manager is told in either case\n"
		"    -p FILE    write the process id to FILE\n"
		"    -n N       at most N connections in all\n"
		"    -R DIR     run directory (default: $TANDEM_RUNDIR, then /run/tandem); one\n"
		"               instance for each\n"
		"    -d         log debug messages\n"
		"    -S NAME    log to syslog as local0 to local7, daemon, …, in the foreground, too\n"
		"               (else: as daemon, in the background only).  0 to 7 is local0 to local7\n"
		"    -G         never log to syslog, only to standard error\n"
		"    -q         say nothing but errors\n"
		"    -dW        a warning about the configuration is an error\n"
		"    -W, -dM, -dI   accepted, nothing to do\n"
		"    keepalived's words --use-file, --config-test, --config-id, --pid, --dont-fork and\n"
		"    its --log-facility and --no-syslog mean -f, -c, -i, -p, -db, -S and -G, and\n"
		"    with --log-console, --log-detail and --vrrp there is nothing to do\n"
		"\n"
		"LOOKING\n"
		"    -c         check the configuration and exit: 0 if it is valid, 1 if not\n"
		"    -dump      print the canonical configuration and exit\n"
		"    -v, -vv    print the version; with what it was built\n"
		"    -V         be verbose\n"
		"    -h, --help print this page\n"
		"\n"
		"COMMANDS\n"
		"    check      as -c.  With --peer FILE (may be repeated, like -f) the other node's\n"
		"               files are compared, too: router ids, version, interval, password,\n"
		"               addresses, peers, priorities.  --peer-node is the other node's name\n"
		"               for @NAME lines, if that is one file for both\n"
		"    status     what the running instance does, and why.  Status 0; 1 if nothing is\n"
		"               running; 2 if it does not answer\n"
		"    history    its last transitions, newest first: from, to, how long it took,\n"
		"               why, and what the other node said.  They survive a crash\n"
		"               --json is for programs (tandem-json(5)), --watch shows it again\n"
		"               every second or as often as said, -o FILE writes it to FILE\n"
		"    reload     read the configuration anew, as SIGHUP does, and say what is wrong with\n"
		"               it.  Status 0; 1 if the old one stays\n"
		"    upgrade    run the binary that is now where this one was started from, in the same\n"
		"               process and without a gap.  Status 0; 1 if the old one goes on,\n"
		"               and why\n"
		"    resign [INSTANCE]\n"
		"               hand mastership over, of all instances or one, and take it back only\n"
		"               if nobody else has it.  Status 0; 1 if nobody has taken over\n"
		"    resume [INSTANCE]\n"
		"               take part as ever again\n"
		"    import     make one file of what --keepalived and --haproxy name (FILE or\n"
		"               directory; without either, the two of /etc), with all comments,\n"
		"               and say what is different here.  -o names the file to write\n"
		"               (default: /etc/tandem/tandem.conf; - for standard output); one that\n"
		"               exists is never overwritten.  Status 0; 1 if nothing was written;\n"
		"               2 if the file needs changes by hand before it loads\n"
		"\n"
		"SIGNALS\n"
		"    SIGTERM and SIGINT stop it gracefully: the peer takes over before the address\n"
		"    is let go.  SIGUSR1 has the state written to /tmp/keepalived.data, and in short\n"
		"    to the log.  SIGHUP reloads, SIGUSR2 upgrades.\n";

	fputs(text, out);
}
