/*
 * words_global.c - the directives of HAProxy's global section.
 */
#include "conf/parser.h"
#include "conf/words_idle_haproxy.h"
#include "conf/words_proxies.h"
#include "conf/words_tls.h"

static void
parse_send_hostname(struct conf_call *call)
{
	struct conf *conf = call->object;

	call->used = call->words_n > 1 ? 2 : 1;
	conf->log_send_hostname = call->words_n > 1 ? call->words[1].text : "";
}

static void
print_send_hostname(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf *conf = object;

	if (!conf->log_send_hostname)
		return;
	print_name(pr, row->name);
	if (*conf->log_send_hostname)
		print_word(pr, conf->log_send_hostname);
	print_end(pr);
}

static const char one_process[] = "there is one worker process, with `nbthread` threads";
static const char buffers[] = "buffers are taken from the kernel's own sizes as they are needed";
static const char no_http[] = "only HTTP mode uses it, which this version does not have";
static const char dh[] = "parameters that suit the key are chosen by themselves";
static const char no_socket[] = "use `tandem status`: there is no HAProxy command socket";

#define NOTICE(word, reason)                          \
	{                                             \
		word, CONF_TYPE_NOTICE, .doc = reason \
	}
#define REFUSED(word, reason)                          \
	{                                              \
		word, CONF_TYPE_REFUSED, .doc = reason \
	}

static const struct conf_row rows[] = {
	{ "maxconn", CONF_TYPE_INT, ROW_FIELD(conf, maxconn), .max = 10000000,
	  .doc = "connections at a time; 0 = what the limit of descriptors allows" },
	{ "nbthread", CONF_TYPE_INT, ROW_FIELD(conf, nbthread), .max = 256,
	  .doc = "proxy threads; 0 = one per CPU" },
	{ "user", CONF_TYPE_STRING, ROW_FIELD(conf, user), .doc = "who the worker runs as" },
	{ "group", CONF_TYPE_STRING, ROW_FIELD(conf, group), .doc = "its group" },
	{ "daemon", CONF_TYPE_FLAG, ROW_FIELD(conf, daemon), .flags = ROW_NO,
	  .doc = "run in the background" },
	{ "chroot", CONF_TYPE_STRING, ROW_FIELD(conf, chroot),
	  .doc = "the worker's root directory; it may be empty, for the sockets of logs and what else is "
		 "needed are handed in, and only unix sockets of servers are looked for in it.  It "
		 "stays the host's where a server has a name, which could not be looked up" },
	{ "pidfile", CONF_TYPE_STRING, ROW_FIELD(conf, pidfile),
	  .doc = "where the process id is written" },
	{ "log", CONF_TYPE_CALL, .flags = ROW_REPEATS, .parse = parse_global_log,
	  .print = print_global_logs, .doc = "the targets that `log global` means" },
	{ "log-tag", CONF_TYPE_STRING, ROW_FIELD(conf, log_tag),
	  .doc = "the program's name in the log" },
	{ "log-send-hostname", CONF_TYPE_CALL, .parse = parse_send_hostname,
	  .print = print_send_hostname, .doc = "this host's name in the log" },
	{ "spread-checks", CONF_TYPE_INT, ROW_FIELD(conf, spread_checks), .max = 50,
	  .doc = "percent by which checks are moved at random" },
	{ "external-check", CONF_TYPE_FLAG, ROW_FIELD(conf, external_check), .flags = ROW_NO,
	  .doc = "`option external-check` may run programs" },
	{ "hard-stop-after", CONF_TYPE_TIME, ROW_FIELD(conf, hard_stop_after_ms),
	  .doc = "for how long a reloaded worker may finish its sessions; 0 = as long as it takes" },
	TLS_GLOBAL_ROWS,
	NOTICE("stats socket", no_socket),
	NOTICE("stats timeout", no_socket),
	NOTICE("stats maxconn", no_socket),
	NOTICE("stats bind-process", one_process),
	NOTICE("nbproc", one_process),
	NOTICE("cpu-map", one_process),
	NOTICE("master-worker", "guardian and worker are always two processes"),
	NOTICE("mworker-max-reloads", "guardian and worker are always two processes"),
	NOTICE("ulimit-n", "the limit of descriptors is raised as far as `maxconn` needs"),
	NOTICE("fd-hard-limit", "the limit of descriptors is raised as far as `maxconn` needs"),
	NOTICE("maxpipes", "pipes are made as they are needed"),
	NOTICE("maxsslconn", "`maxconn` counts TLS connections too"),
	NOTICE("grace", "a stop hands over first and has a limit of one second"),
	NOTICE("node", "the node's name is -L NAME or the host's"),
	NOTICE("description", "nothing shows it"),
	NOTICE("quiet", "it is the option -q"),
	NOTICE("debug", "it is the option -d"),
	NOTICE("noepoll", "epoll is the only poller"),
	NOTICE("nopoll", "epoll is the only poller"),
	NOTICE("nosplice", "splice is used per proxy (option splice-auto)"),
	NOTICE("noreuseport", "each thread has a socket of its own"),
	NOTICE("insecure-fork-wanted", "the guardian runs programs, the worker never does"),
	NOTICE("insecure-setuid-wanted", "the worker never runs programs"),
	NOTICE("set-dumpable", "core dumps are off"),
	NOTICE("server-state-file", "health is kept over a reload without a file"),
	NOTICE("server-state-base", "health is kept over a reload without a file"),
	NOTICE("default-path", "no files are named in the proxy's sections"),
	NOTICE("unix-bind", "unix sockets take mode, uid and gid of their `bind` line"),
	NOTICE("max-spread-checks", "checks are spread over their interval"),
	NOTICE("busy-polling", "threads sleep when they have nothing to do"),
	NOTICE("zero-warning", "it would be the option -dW"),
	NOTICE("tune.bufsize", buffers),
	NOTICE("tune.maxrewrite", no_http),
	NOTICE("tune.http.maxhdr", no_http),
	NOTICE("tune.http.logurilen", no_http),
	NOTICE("tune.http.cookielen", no_http),
	NOTICE("tune.h2.initial-window-size", no_http),
	NOTICE("tune.h2.max-concurrent-streams", no_http),
	NOTICE("tune.h2.header-table-size", no_http),
	NOTICE("tune.maxaccept", "connections are accepted in batches"),
	NOTICE("tune.maxpollevents", "the number of events is fixed"),
	NOTICE("tune.chksize", buffers),
	NOTICE("tune.pipesize", buffers),
	NOTICE("tune.rcvbuf.client", buffers),
	NOTICE("tune.rcvbuf.server", buffers),
	NOTICE("tune.sndbuf.client", buffers),
	NOTICE("tune.sndbuf.server", buffers),
	NOTICE("tune.idletimer", buffers),
	NOTICE("tune.ssl.default-dh-param", dh),
	NOTICE("tune.ssl.maxrecord", buffers),
	NOTICE("tune.vars.global-max-size", no_http),
	NOTICE("ssl-dh-param-file", dh),
	NOTICE("ssl-engine", "the library's own providers do the work"),
	NOTICE("key-base", "a key stands in or beside its certificate's file"),
	NOTICE("issuers-chain-path", "a chain stands in its certificate's file"),
	NOTICE("httpclient.ssl.verify", no_http),
	NOTICE("h1-case-adjust", no_http),
	GLOBAL_IDLE_ROWS,
	{ "set-var", CONF_TYPE_CALL, .flags = ROW_REPEATS, .parse = parse_process_set,
	  .print = print_process_sets,
	  .doc = "a variable of all sessions, set when the worker begins: proc.NAME EXPRESSION" },
	{ "set-var-fmt", CONF_TYPE_CALL, .flags = ROW_REPEATS, .parse = parse_process_set,
	  .doc = "the same with a text: proc.NAME FORMAT" },
	{ "setenv", CONF_TYPE_CALL, .flags = ROW_REPEATS, .parse = parse_setenv,
	  .doc = "sets a variable for the rest of the configuration: NAME VALUE" },
	{ "presetenv", CONF_TYPE_CALL, .flags = ROW_REPEATS, .parse = parse_setenv,
	  .doc = "the same, unless the variable is set" },
	{ "unsetenv", CONF_TYPE_CALL, .flags = ROW_REPEATS, .parse = parse_unsetenv,
	  .doc = "removes variables" },
	{ "resetenv", CONF_TYPE_CALL, .flags = ROW_REPEATS, .parse = parse_resetenv,
	  .doc = "removes all variables but those named" },
	REFUSED("uid", "names only: write `user NAME`"),
	REFUSED("gid", "names only: write `group NAME`"),
};

const struct conf_table table_global = {
	.name = "the global section",
	.dialect = CONF_HAPROXY,
	.object_size = sizeof(struct conf),
	TABLE_ROWS(rows),
};
