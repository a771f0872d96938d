/*
 * log_target.h - where the traffic log goes: UDP, unix datagram sockets, stdout and stderr.
 *
 * Never blocks: what a target does not take at once is dropped and counted.  Each thread sends
 * through sockets of its own.
 */
#pragma once

#include "conf/model.h"

#include <stdatomic.h>
#include <sys/time.h>
#include <syslog.h>

struct proxy;

/* A connected socket towards the address; several threads send through it. */
struct log_target_socket {
	struct sock_addr address;
	int fd;
};

struct log_sender {
	const struct log_target_socket *given; /* used where they lead to a target */
	size_t given_n;
	int udp4, udp6, unix_fd; /* -1 = not yet needed */
	int pid;
	bool failed; /* a socket could not be made: said once */
	_Atomic uint64_t dropped;
	/* Where lines are composed: of the one allocation, `room` octets each, which is the longest
	 * `len` of any target and an end. */
	size_t room;
	char *line, *message, *structured;
};

/* 0 or -ENOMEM. */
int log_sender_init(struct log_sender *sender, const struct conf *conf);
/* Before it is used; the list outlives it. */
void log_sender_give(struct log_sender *sender, const struct log_target_socket *given,
		     size_t given_n);
void log_sender_fini(struct log_sender *sender);

/* Sends one message to every target of the proxy's list that lets `level` through, cut to what the
 * target takes; `structured` is RFC 5424's structured data, NULL = none.  Both may stand in the
 * sender's room for them. */
void log_target_send(struct log_sender *sender, const struct conf *conf,
		     const struct conf_proxy *px, int level, const char *message,
		     const char *structured);

/* Has the proxy a target for `level`? */
bool log_target_wanted(const struct conf *conf, const struct conf_proxy *px, int level);

/* What the proxy has to say about servers: to the daemon's log and to `px`'s targets.  Any thread
 * may call it; it is not for the hot path. */
void log_target_notify(struct proxy *proxy, const struct conf_proxy *px, int level,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));

struct log_stamp {
	struct timeval now;
	const char *tag, *hostname; /* hostname NULL = not in RFC 3164 messages */
	const char *structured;     /* NULL = none */
	int pid;
};

/* The bytes of one message in the target's format; returns the length, cut to target->length. */
size_t log_target_format(const struct conf_log *target, const struct log_stamp *stamp, int level,
			 const char *message, char *out, size_t size);
