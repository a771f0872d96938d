/*
 * words_log.c - "log TARGET [len N] [format F] FACILITY [LEVEL [MINLEVEL]]" and "log global", of a
 * proxy and of the global section.
 */
#include "conf/words_proxies.h"

#include "conf/address.h"
#include "conf/nearest.h"
#include "conf/parser.h"

#include <string.h>
#include <syslog.h>

/* In the order of the numbers syslog gives them. */
static const char *const facilities[] = {
	"kern",   "user",   "mail",   "daemon", "auth",   "syslog", "lpr",    "news",
	"uucp",   "cron",   "auth2",  "ftp",    "ntp",    "audit",  "alert",  "cron2",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
};

static const char *const levels[] = {
	"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
};

static const char *const formats[] = {
	[CONF_LOG_RAW] = "raw",     [CONF_LOG_RFC3164] = "rfc3164", [CONF_LOG_RFC5424] = "rfc5424",
	[CONF_LOG_SHORT] = "short", [CONF_LOG_TIMED] = "timed",
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The word's place among the names; -1 after an error. */
static int
pick(struct conf_call *call, const struct conf_word *word, const char *what,
     const char *const *names, size_t names_n)
{
	struct nearest nearest = nearest_init(word->text);

	for (size_t i = 0; i < names_n; i++) {
		if (strcmp(names[i], word->text) == 0)
			return (int)i;
		nearest_offer(&nearest, names[i]);
	}
	conf_error(&call->p->reporter, word->pos, "`%.40s` is no %s", word->text, what);
	conf_hint_nearest(&call->p->reporter, &nearest);
	return -1;
}

static const char *
set_target(struct conf_call *call, const struct conf_word *word, struct conf_log *log)
{
	const char *text = haproxy_expand(&call->p->lexer, word), *error;
	struct conf_address address;

	log->text = text;
	if (strcmp(text, "stdout") == 0)
		log->fd = 1;
	else if (strcmp(text, "stderr") == 0)
		log->fd = 2;
	if (log->fd > 0)
		return NULL;
	if (strncmp(text, "ring@", 5) == 0)
		return "rings come with a later version";
	if (strncmp(text, "udp@", 4) == 0)
		text += 4;
	error = address_parse(call->p->arena, text, &address);
	if (error)
		return error;
	switch (address.kind) {
	case CONF_ADDRESS_NAME:
	case CONF_ADDRESS_IP:
		if (address.port_kind == CONF_PORT_OFFSET || address.port != address.port_to)
			return "a target has one port";
		if (address.kind == CONF_ADDRESS_NAME) {
			error = parser_look_up(call->p, &address);
			if (error || address.ip.family == AF_UNSPEC)
				return error;
		}
		log->address = sock_addr_from_ip(&address.ip, address.port_kind == CONF_PORT_FIXED
								      ? (uint16_t)address.port
								      : 514);
		return NULL;
	case CONF_ADDRESS_UNIX:
		log->address = address.unix_path;
		return NULL;
	case CONF_ADDRESS_FD:
		if (address.fd != 1 && address.fd != 2)
			return "of the descriptors only stdout and stderr are there";
		log->fd = address.fd;
		return NULL;
	}
	return "this is no address";
}

/* Words from [1] on.  false after an error. */
static bool
read_log(struct conf_call *call, struct conf_log *log)
{
	const struct conf_word *word = call_word(call, 1, "a target");
	size_t at = 2;
	int64_t length;
	const char *error;
	int n;

	if (!word)
		return false;
	*log = (struct conf_log){ .pos = word->pos,
				  .fd = -1,
				  .format = CONF_LOG_RFC3164,
				  .length = 1024,
				  .level = LOG_DEBUG };
	error = set_target(call, word, log);
	if (error) {
		conf_error(&call->p->reporter, word->pos, "cannot log to `%.60s`: %s", word->text,
			   error);
		return false;
	}
	for (; at + 1 < call->words_n; at += 2) {
		word = &call->words[at + 1];
		if (strcmp(call->words[at].text, "len") == 0) {
			if (!call_int(call, word, 80, 65535, &length))
				return false;
			log->length = (uint32_t)length;
		} else if (strcmp(call->words[at].text, "format") == 0) {
			n = pick(call, word, "format of a log", formats, COUNT(formats));
			if (n < 0)
				return false;
			log->format = (enum conf_log_format)n;
		} else if (strcmp(call->words[at].text, "sample") == 0) {
			conf_error(&call->p->reporter, call->words[at].pos,
				   "`sample`: comes with a later version");
			return false;
		} else {
			break;
		}
	}
	word = call_word(call, at, "a facility such as local0");
	if (!word)
		return false;
	n = log->facility = pick(call, word, "facility", facilities, COUNT(facilities));
	if (n >= 0 && ++at < call->words_n)
		n = log->level = pick(call, &call->words[at], "level", levels, COUNT(levels));
	if (n >= 0 && ++at < call->words_n)
		n = log->min_level = pick(call, &call->words[at], "level", levels, COUNT(levels));
	if (n >= 0 && ++at < call->words_n)
		conf_error(&call->p->reporter, call->words[at].pos,
			   "`%.60s` is more than `log` takes", call->words[at].text);
	return n >= 0;
}

static void
add_log(struct conf_call *call, const struct conf_log *log, struct conf_log **logs, size_t *logs_n)
{
	if (*logs_n == CONF_LOGS_MAX)
		conf_error(&call->p->reporter, log->pos, "more than %d log targets in a section",
			   CONF_LOGS_MAX);
	else
		*ARENA_PUSH(call->p->arena, *logs, *logs_n) = *log;
}

/* A list that begins as that of `defaults` is copied when it changes. */
static void
unshare(struct conf_parser *p, struct conf_proxy *proxy)
{
	const struct conf_log *logs = proxy->logs;
	size_t logs_n = proxy->logs_n;

	if (!p->draft->logs_shared)
		return;
	p->draft->logs_shared = false;
	proxy->logs = NULL;
	proxy->logs_n = 0;
	for (size_t i = 0; i < logs_n; i++)
		*ARENA_PUSH(p->arena, proxy->logs, proxy->logs_n) = logs[i];
}

void
parse_proxy_log(struct conf_call *call)
{
	struct conf_proxy *proxy = call->object;
	struct conf_log log = { .global = true, .fd = -1 };

	unshare(call->p, proxy);
	if (call->negated) {
		proxy->logs = NULL;
		proxy->logs_n = 0;
		return;
	}
	if (call->words_n == 2 && strcmp(call->words[1].text, "global") == 0) {
		log.pos = call->words[1].pos;
		/* Said again (by `defaults` and by the section), it means no more. */
		for (size_t i = 0; i < proxy->logs_n; i++)
			if (proxy->logs[i].global)
				return;
		add_log(call, &log, &proxy->logs, &proxy->logs_n);
	} else if (read_log(call, &log)) {
		add_log(call, &log, &proxy->logs, &proxy->logs_n);
	}
}

void
parse_global_log(struct conf_call *call)
{
	struct conf *conf = call->object;
	struct conf_log log;

	if (read_log(call, &log))
		add_log(call, &log, &conf->logs, &conf->logs_n);
}

static void
print_logs(const struct conf_printer *pr, const struct conf_row *row, const struct conf_log *logs,
	   size_t logs_n)
{
	for (size_t i = 0; i < logs_n; i++) {
		const struct conf_log *log = &logs[i];

		print_name(pr, row->name);
		if (log->global) {
			fputs(" global\n", pr->out);
			continue;
		}
		print_word(pr, log->text);
		if (log->length != 1024)
			fprintf(pr->out, " len %u", log->length);
		if (log->format != CONF_LOG_RFC3164)
			fprintf(pr->out, " format %s", formats[log->format]);
		fprintf(pr->out, " %s", facilities[log->facility]);
		if (log->level != LOG_DEBUG || log->min_level)
			fprintf(pr->out, " %s", levels[log->level]);
		if (log->min_level)
			fprintf(pr->out, " %s", levels[log->min_level]);
		print_end(pr);
	}
}

void
print_proxy_logs(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;

	print_logs(pr, row, proxy->logs, proxy->logs_n);
}

void
print_global_logs(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf *conf = object;

	print_logs(pr, row, conf->logs, conf->logs_n);
}
