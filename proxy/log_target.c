/*
 * log_target.c - formats and sends log messages.  A sender belongs to one thread, but for the one
 * that log_target_notify keeps under a lock in struct proxy.
 */
#include "proxy/log_target.h"

#include "proxy/runtime.h"

#include "common/log.h"
#include "common/log_stream.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_NOTIFY_MAX  1024  /* what there is to say of a server */
#define UDP_PAYLOAD_MAX 65507 /* of IPv4's 65535: RFC 791, RFC 768 */

static size_t
longest_of(size_t longest, const struct conf_log *logs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (longest < logs[i].length)
			longest = logs[i].length;
	return longest;
}

int
log_sender_init(struct log_sender *sender, const struct conf *conf)
{
	size_t longest = longest_of(LOG_NOTIFY_MAX, conf->logs, conf->logs_n);

	for (size_t i = 0; i < conf->proxies_n; i++)
		longest = longest_of(longest, conf->proxies[i].logs, conf->proxies[i].logs_n);
	*sender = (struct log_sender){
		.udp4 = -1, .udp6 = -1, .unix_fd = -1, .pid = getpid(), .room = longest + 1
	};
	sender->line = malloc(3 * sender->room);
	if (!sender->line)
		return -ENOMEM;
	sender->message = sender->line + sender->room;
	sender->structured = sender->message + sender->room;
	return 0;
}

void
log_sender_give(struct log_sender *sender, const struct log_target_socket *given, size_t given_n)
{
	sender->given = given;
	sender->given_n = given_n;
}

void
log_sender_fini(struct log_sender *sender)
{
	int *fds[] = { &sender->udp4, &sender->udp6, &sender->unix_fd };

	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	free(sender->line);
	sender->line = NULL;
}

static int
sender_socket(struct log_sender *sender, int family)
{
	int *fd = family == AF_INET    ? &sender->udp4
		  : family == AF_INET6 ? &sender->udp6
				       : &sender->unix_fd;

	if (*fd < 0 && !sender->failed) {
		*fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (*fd < 0) {
			sender->failed = true;
			log_warning("socket for the traffic log: %s", strerror(errno));
		}
	}
	return *fd;
}

/* "Nov 21 00:12:09"; kept per thread for a second, since localtime_r takes a lock within libc. */
static const char *
syslog_date(time_t now)
{
	static _Thread_local time_t kept;
	static _Thread_local char text[32];
	struct tm tm;

	if (now != kept || !text[0]) {
		localtime_r(&now, &tm);
		strftime(text, sizeof text, "%b %e %H:%M:%S", &tm);
		kept = now;
	}
	return text;
}

/* "2026-11-21T00:12:09.123456+00:00" */
static void
format_iso_date(const struct timeval *now, char *out, size_t size)
{
	struct tm tm;
	char zone[8] = "", date[32];

	localtime_r(&now->tv_sec, &tm);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof zone, "%z", &tm);
	snprintf(out, size, "%s.%06ld%.3s:%.2s", date, (long)now->tv_usec, zone, zone + 3);
}

size_t
log_target_format(const struct conf_log *target, const struct log_stamp *stamp, int level,
		  const char *message, char *out, size_t size)
{
	int priority = target->facility << 3 | level, len = 0;
	char date[64];

	if (target->length && target->length < size)
		size = target->length + 1;
	switch (target->format) {
	case CONF_LOG_RAW:
		len = snprintf(out, size, "%s", message);
		break;
	case CONF_LOG_RFC3164:
		len = snprintf(out, size, "<%d>%s %s%s%s[%d]: %s", priority,
			       syslog_date(stamp->now.tv_sec),
			       stamp->hostname ? stamp->hostname : "", stamp->hostname ? " " : "",
			       stamp->tag, stamp->pid, message);
		break;
	case CONF_LOG_RFC5424:
		format_iso_date(&stamp->now, date, sizeof date);
		len = snprintf(out, size, "<%d>1 %s %s %s %d - %s %s", priority, date,
			       stamp->hostname ? stamp->hostname : "-", stamp->tag, stamp->pid,
			       stamp->structured ? stamp->structured : "-", message);
		break;
	case CONF_LOG_SHORT:
		len = snprintf(out, size, "<%d>%s", level, message);
		break;
	case CONF_LOG_TIMED:
		format_iso_date(&stamp->now, date, sizeof date);
		len = snprintf(out, size, "<%d>%s %s", level, date, message);
		break;
	}
	return len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
}

static int
given_socket(const struct log_sender *sender, const struct sock_addr *address)
{
	for (size_t i = 0; i < sender->given_n; i++)
		if (sock_addr_equal(&sender->given[i].address, address))
			return sender->given[i].fd;
	return -1;
}

/* The message in `sender->line`, with the newline that HAProxy sends in datagrams, too; it counts it
 * as a part of the line on descriptors only. */
static void
send_to(struct log_sender *sender, const struct conf_log *target, size_t len)
{
	int fd, family = target->address.any.sa_family;
	char *line = sender->line;
	bool sent = false;

	if (!target->address.len && len == target->length)
		len--;
	else if (family != AF_UNIX && len >= UDP_PAYLOAD_MAX)
		len = UDP_PAYLOAD_MAX - 1;
	line[len++] = '\n';
	if (family == AF_UNIX && (fd = given_socket(sender, &target->address)) >= 0) {
		sent = send(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
	} else if (target->address.len) {
		fd = sender_socket(sender, family);
		sent = fd >= 0 && sendto(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL,
					 &target->address.any, target->address.len) >= 0;
	} else if (target->fd >= 0) {
		sent = log_stream_write(target->fd, line, len);
	}
	if (!sent)
		atomic_fetch_add_explicit(&sender->dropped, 1, memory_order_relaxed);
}

/* Calls for each target of `px`, those of the global section in place of "log global". */
static void
send_list(struct log_sender *sender, const struct conf *conf, const struct conf_log *logs, size_t n,
	  const struct log_stamp *stamp, int level, const char *message)
{
	for (size_t i = 0; i < n; i++) {
		int severity = level;

		if (logs[i].global) {
			send_list(sender, conf, conf->logs, conf->logs_n, stamp, level, message);
			continue;
		}
		if (level > logs[i].level)
			continue;
		if (severity < logs[i].min_level)
			severity = logs[i].min_level;
		send_to(sender, &logs[i],
			log_target_format(&logs[i], stamp, severity, message, sender->line,
					  sender->room));
	}
}

bool
log_target_wanted(const struct conf *conf, const struct conf_proxy *px, int level)
{
	for (size_t i = 0; i < px->logs_n; i++) {
		if (!px->logs[i].global && level <= px->logs[i].level)
			return true;
		for (size_t k = 0; px->logs[i].global && k < conf->logs_n; k++)
			if (level <= conf->logs[k].level)
				return true;
	}
	return false;
}

void
log_target_send(struct log_sender *sender, const struct conf *conf, const struct conf_proxy *px,
		int level, const char *message, const char *structured)
{
	struct log_stamp stamp = { .pid = sender->pid,
				   .hostname = conf->log_send_hostname,
				   .structured = structured };

	stamp.tag = px->log_tag ? px->log_tag : conf->log_tag ? conf->log_tag : "tandem";
	if (stamp.hostname && !*stamp.hostname)
		stamp.hostname = conf->node;
	gettimeofday(&stamp.now, NULL);
	send_list(sender, conf, px->logs, px->logs_n, &stamp, level, message);
}

void
log_target_notify(struct proxy *proxy, const struct conf_proxy *px, int level, const char *format,
		  ...)
{
	char message[LOG_NOTIFY_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	log_at(level == LOG_EMERG ? LOG_ALERT : level, "%s", message);
	pthread_mutex_lock(&proxy->notify_lock);
	log_target_send(&proxy->notify, proxy->conf, px, level, message, NULL);
	pthread_mutex_unlock(&proxy->notify_lock);
}
