/*
 * options.h - the command line as a plain struct.
 *
 * Option letters are HAProxy's where both camps have one (-D, -L, -n, -C, -W …), keepalived's
 * otherwise (-i).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum options_command {
	OPTIONS_RUN,
	OPTIONS_CHECK,
	OPTIONS_DUMP,
	OPTIONS_VERSION,
	OPTIONS_HELP,
	OPTIONS_STATUS,
	OPTIONS_HISTORY,
	OPTIONS_RELOAD,
	OPTIONS_UPGRADE,
	OPTIONS_RESIGN,
	OPTIONS_RESUME,
	OPTIONS_IMPORT,
};

struct options {
	enum options_command command;
	const char **files; /* as given, in order */
	size_t files_n;
	const char *node;       /* -i, else -L; NULL = the host's name */
	const char *local_peer; /* -L as given */
	const char *chdir;      /* -C */
	const char *pidfile;    /* -p */
	const char *rundir;     /* -R, else TANDEM_RUNDIR, else RUNDIR_DEFAULT */
	uint32_t maxconn;       /* -n; 0 = not given */
	bool background;        /* -D */
	bool foreground;        /* -db, -Ws: stay, whatever the file says */
	bool debug;             /* -d */
	int facility;           /* -S; LOG_DAEMON */
	bool to_syslog;         /* -S: in the foreground, too */
	bool no_syslog;         /* -G */
	bool quiet;             /* -q */
	bool verbose;           /* -V, -vv */
	bool strict;            /* -dW: a warning is an error */
	bool json;              /* status, history: --json */
	uint32_t watch_ms;      /* status, history: --watch; 0 = once */
	const char *keepalived; /* import --keepalived; NULL = not given */
	const char *haproxy;    /* import --haproxy */
	const char *output;     /* -o of import, status, history */
	const char *instance;   /* resign, resume: NULL = all */
	const char **peers;     /* check --peer: the other node's files */
	size_t peers_n;
	bool elsewhere;        /* the files are another host's: set by `check --peer` */
	const char *peer_node; /* check --peer-node; NULL = our own */
	char error[256];       /* one sentence, when options_parse fails */
};

/*
 * Reads argv; strings stay argv's, `files` is allocated (options_fini).  `rundir` is what the
 * environment says (NULL = nothing).  0, or -EINVAL with options->error.
 */
int options_parse(struct options *options, int argc, char **argv, const char *rundir);
void options_fini(struct options *options);

/* The page behind --help. */
void options_help(FILE *out);
