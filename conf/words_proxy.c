/*
 * words_proxy.c - the directives of frontend, backend, listen and defaults.  Sockets, servers and
 * logs are in files of their own.
 */
#include "conf/parser.h"
#include "conf/words_conditional.h"
#include "conf/words_health.h"
#include "conf/words_idle_haproxy.h"
#include "conf/words_proxies.h"

#include <string.h>

/* What a section ends up with counts, since one may take back what `defaults` say: check_proxy.c
 * refuses HTTP where it was written. */
/* Modes that HAProxy knows or knew, and why they are none here. */
static const struct {
	const char *name, *why;
} other_modes[] = {
	{ "health", "needs mode http, which this version does not have; its modern form is "
		    "`http-request return status 200`" },
	{ "log", "log lines are not balanced" },
	{ "spop", "no stream processing agents are used" },
};

static void
parse_mode(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;
	const struct conf_word *word = call_word(call, 1, "tcp or http");

	call->used = 2;
	if (!word)
		return;
	if (strcmp(word->text, "http") == 0) {
		proxy->mode = CONF_MODE_HTTP;
		call->p->draft->mode_pos = word->pos;
	} else if (strcmp(word->text, "tcp") == 0) {
		proxy->mode = CONF_MODE_TCP;
	} else {
		for (size_t i = 0; i < sizeof other_modes / sizeof *other_modes; i++) {
			if (strcmp(word->text, other_modes[i].name) == 0) {
				call_refuse(call, word->pos, "`mode %s`: %s", word->text,
					    other_modes[i].why);
				return;
			}
		}
		conf_error(&call->p->reporter, word->pos, "`mode` is tcp, not `%.40s`", word->text);
	}
}

static void
print_mode(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;

	if (proxy->mode == CONF_MODE_TCP)
		return;
	print_name(pr, row->name);
	print_word(pr, "http");
	print_end(pr);
}

static void
parse_default_backend(struct conf_call *call)
{
	const struct conf_word *word = call_word(call, 1, "a backend's name");

	call->used = 2;
	if (!word)
		return;
	call->p->draft->default_backend = word->text;
	call->p->draft->default_backend_pos = word->pos;
}

static void
print_default_backend(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;

	/* A listen section's own servers need no mention. */
	if (proxy->default_backend == CONF_NONE ||
	    &pr->conf->proxies[proxy->default_backend] == proxy)
		return;
	print_name(pr, row->name);
	print_word(pr, pr->conf->proxies[proxy->default_backend].name);
	print_end(pr);
}

static const char no_http[] = "needs mode http, which this version does not have";
static const char ignored_http[] = "it concerns mode http only";
static const char later[] = "comes with a later version";
static const char no_stats[] = "there is no statistics page, use `tandem status`";
static const char no_tables[] = "stick tables come with a later version";

/* Both sides' keep-alive, as far as the section has them. */
static void
parse_tcpka(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;
	uint8_t caps = proxy->caps ? proxy->caps : CONF_CAP_FRONT | CONF_CAP_BACK;

	call->used = 1;
	if (caps & CONF_CAP_FRONT)
		proxy->tcpka_client = !call->negated;
	if (caps & CONF_CAP_BACK)
		proxy->tcpka_server = !call->negated;
}

/* At which retry HAProxy would go to another server: here it is always the first. */
static void
parse_redispatch(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;
	int64_t every;

	if (call->words_n > 1 && !call_int(call, &call->words[1], INT32_MIN, INT32_MAX, &every))
		return;
	call->used = call->words_n > 1 ? 2 : 1;
	proxy->redispatch = !call->negated;
}

static void
print_redispatch(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;

	if (proxy->redispatch) {
		print_name(pr, row->name);
		print_end(pr);
	}
}

#define FLAG(word, member, side, text)                                                         \
	{                                                                                      \
		word, CONF_TYPE_FLAG, ROW_FIELD(conf_proxy, member), .flags = ROW_NO | (side), \
								     .doc = text               \
	}
#define HEALTH(word, text)                                               \
	{                                                                \
		word, CONF_TYPE_CALL, ROW_FIELD(conf_proxy, health),     \
			.flags = ROW_BACK, .parse = parse_health_option, \
			.print = print_health_option, .doc = text        \
	}
#define TIMEOUT(word, member, side, text)                                                         \
	{                                                                                         \
		word, CONF_TYPE_TIME, ROW_FIELD(conf_proxy, member), .flags = (side), .doc = text \
	}
#define LIST(word, where, parse_, print_, text)                                        \
	{                                                                              \
		word, CONF_TYPE_CALL, .flags = ROW_REPEATS | (where), .parse = parse_, \
				      .print = print_, .doc = text                     \
	}
#define FORMAT(word, member, text)                                              \
	{                                                                       \
		word, CONF_TYPE_CALL, ROW_FIELD(conf_proxy, member),            \
			.flags = ROW_FRONT | ROW_NO, .parse = parse_log_format, \
			.print = print_log_format, .doc = text                  \
	}
#define OLD_TIMEOUT(word, member, side, modern)                                                 \
	{                                                                                       \
		word, CONF_TYPE_TIME, ROW_FIELD(conf_proxy, member), .flags = (side) | ROW_OLD, \
								     .doc = modern              \
	}
#define NOTICE(word, reason)                                           \
	{                                                              \
		word, CONF_TYPE_NOTICE, .flags = ROW_NO, .doc = reason \
	}
#define REFUSED(word, reason)                          \
	{                                              \
		word, CONF_TYPE_REFUSED, .doc = reason \
	}

static const struct conf_row rows[] = {
	{ "mode", CONF_TYPE_CALL, ROW_FIELD(conf_proxy, mode), .parse = parse_mode,
	  .print = print_mode, .doc = "tcp" },
	FLAG("disabled", disabled, 0, "the section is not used"),
	{ "enabled", CONF_TYPE_NOTICE, .doc = "a section is enabled unless `disabled`" },
	{ "bind", CONF_TYPE_CALL, .flags = ROW_REPEATS | ROW_FRONT | ROW_NAMED,
	  .inside = &table_bind, .parse = parse_bind, .print = print_binds,
	  .doc = "an address and port to listen on; a host is looked up when the file is loaded" },
	{ "maxconn", CONF_TYPE_INT, ROW_FIELD(conf_proxy, maxconn), .flags = ROW_FRONT,
	  .max = 10000000, .doc = "connections at a time, more wait in the kernel; 0 = global" },
	{ "rate-limit sessions", CONF_TYPE_INT, ROW_FIELD(conf_proxy, rate_limit),
	  .flags = ROW_FRONT, .max = 1000000,
	  .doc = "new sessions within a second, more wait in the kernel; 0 = any" },
	{ "backlog", CONF_TYPE_INT, ROW_FIELD(conf_proxy, backlog), .flags = ROW_FRONT,
	  .max = 1 << 20, .doc = "connections that wait in the kernel; maxconn" },
	LIST("acl", ROW_RULE, parse_acl, print_acls,
	     "what conditions ask: NAME EXPRESSION [-i] [-m METHOD] [-f FILE] [VALUE]…"),
	LIST("tcp-request connection", ROW_RULE | ROW_FRONT, parse_tcp_request, print_tcp_request,
	     "done when a client has connected: ACTION [if|unless CONDITION]"),
	{ "monitor-net", CONF_TYPE_CALL, .flags = ROW_FRONT | ROW_NAMED | ROW_OLD,
	  .parse = parse_monitor_net, .doc = "tcp-request connection reject if { src NETWORK }" },
	LIST("tcp-request session", ROW_RULE | ROW_FRONT, parse_tcp_request, print_tcp_request,
	     "done after its TLS handshake: ACTION [if|unless CONDITION]"),
	TIMEOUT("tcp-request inspect-delay", inspect_request_ms, ROW_RULE | ROW_FIRST,
		"how long content rules wait for the client's first bytes"),
	LIST("declare capture", ROW_NAMED | ROW_FRONT, parse_declare_capture,
	     print_declared_responses,
	     "a place for a text that `capture-req` or `capture-res` keep: request|response "
	     "len NUMBER"),
	LIST("tcp-request content", ROW_RULE, parse_tcp_request, print_tcp_request,
	     "done when its first bytes are there: ACTION [if|unless CONDITION]"),
	TIMEOUT("tcp-response inspect-delay", inspect_response_ms, ROW_RULE | ROW_FIRST | ROW_BACK,
		"how long content rules wait for the server's first bytes"),
	LIST("tcp-response content", ROW_RULE | ROW_BACK, parse_tcp_response, print_tcp_response,
	     "done when the server's first bytes are there: ACTION [if|unless CONDITION]"),
	LIST("use_backend", ROW_NAMED | ROW_FRONT, parse_use_backend, print_use_backends,
	     "where connections go: BACKEND [if|unless CONDITION]; the first that holds"),
	LIST("use-server", ROW_NAMED | ROW_BACK, parse_use_server, print_use_servers,
	     "who serves: SERVER [if|unless CONDITION]; the first that holds and is up"),
	{ "default_backend", CONF_TYPE_CALL, .flags = ROW_FRONT, .parse = parse_default_backend,
	  .print = print_default_backend, .doc = "where connections go" },
	{ "balance", CONF_TYPE_CALL, ROW_FIELD(conf_proxy, balance), .flags = ROW_BACK,
	  .parse = parse_balance, .print = print_balance,
	  .doc = "roundrobin, static-rr, leastconn, first, source, random[(DRAWS)], "
		 "p2c-ewma, rdp-cookie[(NAME)] or hash EXPRESSION" },
	{ "hash-type", CONF_TYPE_CALL, ROW_FIELD(conf_proxy, hash_function), .flags = ROW_BACK,
	  .parse = parse_hash_type, .print = print_hash_type,
	  .doc = "how a key finds its server: map-based or consistent, then sdbm, djb2, wt6, crc32 "
		 "or none, then maybe avalanche" },
	{ "hash-balance-factor", CONF_TYPE_CALL, ROW_FIELD(conf_proxy, hash_balance_factor),
	  .flags = ROW_BACK, .parse = parse_balance_factor, .print = print_balance_factor,
	  .doc = "percent of its fair share a server may have with hash-type consistent; 0 = any" },
	{ "fullconn", CONF_TYPE_INT, ROW_FIELD(conf_proxy, fullconn), .flags = ROW_BACK, .min = 1,
	  .max = 10000000,
	  .doc = "load at which servers with `minconn` reach their maxconn; a tenth of the "
		 "frontends' maxconn" },
	{ "source", CONF_TYPE_CALL, ROW_FIELD(conf_proxy, outbound), .flags = ROW_BACK,
	  .parse = parse_source, .print = print_source,
	  .doc = "from where servers are connected to: ADDRESS[:PORT[-PORT]] "
		 "[usesrc client|clientip|ADDRESS[:PORT]] [interface NAME]" },
	{ "retries", CONF_TYPE_INT, ROW_FIELD(conf_proxy, retries), .flags = ROW_BACK, .max = 1000,
	  .def = "3", .doc = "attempts to connect after the first" },
	{ "server", CONF_TYPE_CALL, .flags = ROW_REPEATS | ROW_BACK | ROW_NAMED,
	  .inside = &table_server, .parse = parse_server, .print = print_servers,
	  .doc = "a server: NAME ADDRESS" },
	{ "server-template", CONF_TYPE_CALL, .flags = ROW_REPEATS | ROW_BACK | ROW_NAMED,
	  .inside = &table_server, .parse = parse_server_template,
	  .doc = "servers that differ by number: PREFIX N|FROM-TO HOST[:PORT]; each takes another "
		 "of the host's addresses" },
	{ "default-server", CONF_TYPE_CALL, .flags = ROW_REPEATS | ROW_BACK,
	  .inside = &table_server, .parse = parse_default_server,
	  .doc = "parameters of the `server` lines below" },
	{ "log", CONF_TYPE_CALL, .flags = ROW_REPEATS | ROW_NO, .parse = parse_proxy_log,
	  .print = print_proxy_logs, .doc = "where connections are logged" },
	{ "log-tag", CONF_TYPE_STRING, ROW_FIELD(conf_proxy, log_tag),
	  .doc = "the program's name in the log" },
	FORMAT("log-format", log_format_text, "the log's lines: text, %name and %[expression]"),
	FORMAT("log-format-sd", log_format_sd_text, "structured data of `log … format rfc5424`"),
	FORMAT("error-log-format", error_log_format_text,
	       "the log's lines about connections that came to no session"),
	FORMAT("unique-id-format", unique_id_format_text, "what %ID stands for"),
	TIMEOUT("timeout connect", timeout_connect_ms, ROW_BACK, "time to connect to a server"),
	TIMEOUT("timeout client", timeout_client_ms, ROW_FRONT, "silence allowed to a client"),
	TIMEOUT("timeout server", timeout_server_ms, ROW_BACK, "silence allowed to a server"),
	TIMEOUT("timeout queue", timeout_queue_ms, ROW_BACK, "time a connection may wait"),
	TIMEOUT("timeout check", timeout_check_ms, ROW_BACK, "time a check may take"),
	TIMEOUT("timeout tunnel", timeout_tunnel_ms, ROW_BACK,
		"silence allowed once data has gone both ways"),
	TIMEOUT("timeout client-fin", timeout_client_fin_ms, ROW_FRONT,
		"silence allowed to a half-closed client"),
	TIMEOUT("timeout server-fin", timeout_server_fin_ms, ROW_BACK,
		"silence allowed to a half-closed server"),
	OLD_TIMEOUT("contimeout", timeout_connect_ms, ROW_BACK, "timeout connect"),
	OLD_TIMEOUT("clitimeout", timeout_client_ms, ROW_FRONT, "timeout client"),
	OLD_TIMEOUT("srvtimeout", timeout_server_ms, ROW_BACK, "timeout server"),
	FLAG("option allbackups", allbackups, ROW_BACK, "all backup servers share the work"),
	{ "option redispatch", CONF_TYPE_CALL, ROW_FIELD(conf_proxy, redispatch),
	  .flags = ROW_NO | ROW_BACK, .parse = parse_redispatch, .print = print_redispatch,
	  .doc = "a retry goes to another server, always: [RETRY]" },
	{ "redispatch", CONF_TYPE_FLAG, ROW_FIELD(conf_proxy, redispatch),
	  .flags = ROW_BACK | ROW_OLD, .doc = "option redispatch" },
	{ "redisp", CONF_TYPE_FLAG, ROW_FIELD(conf_proxy, redispatch), .flags = ROW_BACK | ROW_OLD,
	  .doc = "option redispatch" },
	{ "option tcplog", CONF_TYPE_CALL, ROW_FIELD(conf_proxy, tcplog), .flags = ROW_NO,
	  .parse = parse_tcplog, .print = print_tcplog, .doc = "HAProxy's log format for TCP" },
	FLAG("option dontlognull", dontlognull, ROW_FRONT, "no log of connections without data"),
	FLAG("option dontlog-normal", dontlog_normal, ROW_FRONT, "no log of what went well"),
	FLAG("option log-health-checks", log_health_checks, ROW_BACK, "each check is logged"),
	FLAG("option log-separate-errors", log_separate_errors, ROW_FRONT,
	     "what went wrong has the level err"),
	FLAG("option logasap", logasap, ROW_FRONT, "logged when connected, not when over"),
	FLAG("option clitcpka", tcpka_client, ROW_FRONT, "TCP keep-alive towards clients"),
	FLAG("option srvtcpka", tcpka_server, ROW_BACK, "TCP keep-alive towards servers"),
	{ "option tcpka", CONF_TYPE_CALL, .flags = ROW_NO, .parse = parse_tcpka,
	  .doc = "TCP keep-alive on both sides" },
	FLAG("option nolinger", nolinger, 0, "closed connections leave nothing in the kernel"),
	FLAG("option abortonclose", abortonclose, ROW_BACK,
	     "a client that closes while it waits is dropped"),
	FLAG("option splice-auto", splice_auto, 0, "long transfers stay in the kernel"),

	HEALTH("option httpchk", "servers answer an HTTP request: [METHOD] [URI] [VERSION]"),
	HEALTH("option tcp-check", "servers go through the `tcp-check` steps"),
	HEALTH("option ssl-hello-chk", "servers answer a TLS ClientHello"),
	HEALTH("option mysql-check", "servers speak MySQL: [user NAME [post-41|pre-41]]"),
	HEALTH("option pgsql-check", "servers speak PostgreSQL: user NAME"),
	HEALTH("option redis-check", "servers answer Redis' PING"),
	HEALTH("option ldap-check", "servers answer an anonymous LDAPv3 bind"),
	HEALTH("option smtpchk", "servers speak SMTP: [HELO|EHLO DOMAIN]"),
	HEALTH("option external-check", "a program says how servers are: `external-check command`"),
	{ "external-check", CONF_TYPE_CALL, ROW_FIELD(conf_proxy, health),
	  .flags = ROW_REPEATS | ROW_BACK, .parse = parse_external_check,
	  .print = print_external_check,
	  .doc = "command PROGRAM, and path DIRECTORIES where it is looked for" },
	{ "http-check", CONF_TYPE_CALL, ROW_FIELD(conf_proxy, health),
	  .flags = ROW_REPEATS | ROW_BACK, .parse = parse_http_check, .print = print_health_steps,
	  .doc = "a step of `option httpchk`: connect, send, expect, comment; or disable-on-404" },
	{ "tcp-check", CONF_TYPE_CALL, ROW_FIELD(conf_proxy, health),
	  .flags = ROW_REPEATS | ROW_BACK, .parse = parse_tcp_check, .print = print_health_steps,
	  .doc = "a step of `option tcp-check`: connect, send, send-binary, expect or comment" },

	NOTICE("description", "nothing shows it"),
	NOTICE("id", "proxies are called by their name"),
	NOTICE("option splice-request", "`option splice-auto` splices in both directions"),
	NOTICE("option splice-response", "`option splice-auto` splices in both directions"),
	NOTICE("option tcp-smart-accept", "data is awaited where it helps"),
	NOTICE("option tcp-smart-connect", "data is awaited where it helps"),
	NOTICE("option contstats", "counters are always up to date"),
	NOTICE("option socket-stats", "`tandem status` counts per proxy"),
	NOTICE("option prefer-last-server", ignored_http),
	NOTICE("option persist", ignored_http),
	{ "option httplog", CONF_TYPE_CALL, .flags = ROW_NO, .parse = parse_tcplog,
	  .doc = "mode tcp logs as with `option tcplog`" },
	NOTICE("option forwardfor", ignored_http),
	NOTICE("option forwarded", ignored_http),
	NOTICE("option originalto", ignored_http),
	NOTICE("option http-server-close", ignored_http),
	NOTICE("option http-keep-alive", ignored_http),
	NOTICE("option http-pretend-keepalive", ignored_http),
	NOTICE("option http-tunnel", ignored_http),
	NOTICE("option http-no-delay", ignored_http),
	NOTICE("option http-use-htx", ignored_http),
	NOTICE("option http-buffer-request", ignored_http),
	NOTICE("option http-ignore-probes", ignored_http),
	NOTICE("option http-use-proxy-header", ignored_http),
	NOTICE("option http-restrict-req-hdr-names", ignored_http),
	NOTICE("option httpclose", ignored_http),
	NOTICE("option forceclose", ignored_http),
	NOTICE("option accept-invalid-http-request", ignored_http),
	NOTICE("option accept-invalid-http-response", ignored_http),
	NOTICE("option checkcache", ignored_http),
	NOTICE("option disable-h2-upgrade", ignored_http),
	NOTICE("option h1-case-adjust-bogus-client", ignored_http),
	NOTICE("option h1-case-adjust-bogus-server", ignored_http),
	NOTICE("option idle-close-on-response", ignored_http),
	NOTICE("option independent-streams", "each side has a timeout of its own"),
	NOTICE("option independant-streams", "each side has a timeout of its own"),
	NOTICE("timeout http-request", ignored_http),
	NOTICE("timeout http-keep-alive", ignored_http),
	NOTICE("timeout tarpit", ignored_http),
	NOTICE("errorfile", ignored_http),
	NOTICE("errorfiles", ignored_http),
	NOTICE("errorloc", ignored_http),
	NOTICE("errorloc302", ignored_http),
	NOTICE("errorloc303", ignored_http),
	NOTICE("http-error", ignored_http),
	NOTICE("http-reuse", ignored_http),
	NOTICE("max-keep-alive-queue", ignored_http),
	NOTICE("compression", ignored_http),
	NOTICE("load-server-state-from-file", "health is kept over a reload without a file"),
	NOTICE("server-state-file-name", "health is kept over a reload without a file"),
	NOTICE("bind-process", "there is one worker process"),
	NOTICE("grace", "a stop hands over first"),
	NOTICE("email-alert", "no mail is sent"),
	NOTICE("clitcpka-idle", "the kernel's keep-alive times hold"),
	NOTICE("clitcpka-cnt", "the kernel's keep-alive times hold"),
	NOTICE("clitcpka-intvl", "the kernel's keep-alive times hold"),
	NOTICE("srvtcpka-idle", "the kernel's keep-alive times hold"),
	NOTICE("srvtcpka-cnt", "the kernel's keep-alive times hold"),
	NOTICE("srvtcpka-intvl", "the kernel's keep-alive times hold"),

	PROXY_IDLE_ROWS,
	REFUSED("option spop-check", "no stream processing agents are used"),
	REFUSED("option transparent", later),
	REFUSED("option http_proxy", no_http),
	REFUSED("http-request", no_http),
	REFUSED("http-response", no_http),
	REFUSED("http-after-response", no_http),
	REFUSED("http-send-name-header", no_http),
	REFUSED("redirect", no_http),
	REFUSED("cookie", no_http),
	REFUSED("dynamic-cookie-key", no_http),
	REFUSED("capture", no_http),
	REFUSED("monitor-uri", no_http),
	REFUSED("monitor fail", no_http),
	REFUSED("unique-id-header", no_http),
	REFUSED("ignore-persist", no_http),
	REFUSED("force-persist", no_http),
	REFUSED("persist", later),
	REFUSED("filter", later),
	REFUSED("stats", no_stats),
	REFUSED("stick-table", no_tables),
	REFUSED("stick on", no_tables),
	REFUSED("stick match", no_tables),
	REFUSED("stick store-request", no_tables),
	REFUSED("stick store-response", no_tables),
	REFUSED("dispatch", "write a `server` line"),
	REFUSED("retry-on", no_http),
	REFUSED("log-steps", later),
};

const struct conf_table table_proxy = {
	.name = "a proxy's section",
	.dialect = CONF_HAPROXY,
	.object_size = sizeof(struct conf_proxy),
	TABLE_ROWS(rows),
};
