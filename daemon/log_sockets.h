/*
 * log_sockets.h - sockets towards syslog, made and kept connected by the guardian, used by the worker.
 *
 * The worker may have no way to the socket's path: it is unprivileged and may live in a root directory
 * of its own.  But a connection belongs to the socket, not to a process: the guardian keeps a
 * descriptor of each socket it hands over, and when a log daemon was restarted, it connects the very
 * socket that the worker sends through.
 */
#pragma once

#include "common/addr.h"
#include "common/clock.h"
#include "conf/model.h"

#include <sys/stat.h>

#define LOG_SOCKETS_MAX 16
#define LOG_SOCKET_OWN  0 /* the daemon's own messages; the others are targets of `log` lines */

struct estate;

struct log_socket_kept {
	struct sock_addr address; /* len 0: there is none */
	int fd;
	struct stat peer; /* whom it is connected to; st_ino 0 = nobody */
};

struct log_sockets {
	struct log_socket_kept at[LOG_SOCKETS_MAX];
	size_t n;
	struct mono looked;
};

/* The unix sockets that `log` lines name, each once, from index 1 on; returns the number with 0.
 * Guardian and worker see the same list. */
size_t log_sockets_list(const struct conf *conf, struct sock_addr list[LOG_SOCKETS_MAX]);

/* A socket for each, connected where somebody listens already; `own_fd` is log.c's or -1. */
void log_sockets_init(struct log_sockets *sockets, const struct conf *conf, int own_fd,
		      const struct sock_addr *own);
void log_sockets_fini(struct log_sockets *sockets);

/* Once a second: connects again what has another socket behind its path. */
void log_sockets_refresh(struct log_sockets *sockets, struct mono now);

/* Both ways (estate.h), but for the daemon's own, which is log.c's.  Read, they are good for
 * log_sockets_keep. */
void log_sockets_estate(struct log_sockets *sockets, const struct conf *conf, struct estate *e);

/* Goes on with those of `from`, of the same configuration, which gets these. */
void log_sockets_keep(struct log_sockets *sockets, struct log_sockets *from);
