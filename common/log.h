/*
 * log.h - the daemon's own messages: to stderr while in the foreground, to syslog otherwise.
 *
 * Any thread may log; a line is one write and never blocks the caller: a full syslog socket drops
 * the line and counts it.  Words and levels are those keepalived's and HAProxy's users know.
 * The proxy's traffic log (option tcplog) is proxy/access_log.c, not this.
 */
#pragma once

#include "common/addr.h"

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

struct log_setup {
	const char *ident; /* "tandem" */
	bool to_stderr;
	bool to_syslog;
	int facility;            /* LOG_DAEMON … */
	int level;               /* LOG_INFO; LOG_DEBUG with -d */
	const char *syslog_path; /* NULL = /dev/log */
};

/* Called before threads start (again after a reload, by the only thread there is).  Without it,
 * LOG_INFO and above go to stderr. */
void log_init(const struct log_setup *setup);

/* Shown in each line of this process on stderr: "guardian" or "worker"; NULL = nothing. */
void log_set_role(const char *role);

/* One line, without "\n"; control characters in it are replaced.  errno is preserved. */
void log_at(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...)   log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)    log_at(LOG_INFO, __VA_ARGS__)
#define log_notice(...)  log_at(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_error(...)   log_at(LOG_ERR, __VA_ARGS__)
#define log_alert(...)   log_at(LOG_ALERT, __VA_ARGS__)

/*
 * The socket towards syslog and where it leads; -1 = there is none.  Whoever adopts a socket sends
 * through that one from then on; `fd` stays the caller's.  Before threads start.
 */
int log_socket(const struct sock_addr **address);
void log_adopt_socket(int fd);

/* While set (NULL = no more), what this thread logs is also told to `tap`. */
void log_tap(void (*tap)(void *ctx, int level, const char *message), void *ctx);

/* Lines lost because stderr or the log socket was full or not there. */
uint64_t log_dropped(void);
