/*
 * listener.h - listening sockets of a thread: admission and accepting.
 *
 * Where a limit is reached (global, frontend, bind) the listener leaves epoll and connections wait
 * in the kernel's queue; it comes back when a session has ended anywhere.  Where sessions come faster
 * than `rate-limit sessions` has it, the listener rests until the next one may come.
 */
#pragma once

#include "proxy/runtime.h"
#include "proxy/tls.h"

struct listener {
	struct loop_fd lf;
	struct proxy_thread *thread;
	struct frontend *frontend;
	const struct conf_bind *conf;
	uint32_t bind; /* index in the frontend */
	SSL_CTX *tls;  /* NULL = plain */
	int fd;        /* also while paused; -1 = lost */
	int family;
	bool paused;
	struct timer rest; /* armed while paused for `rate-limit sessions` */
};

void listener_init(struct listener *l, struct proxy_thread *thread, struct frontend *fe,
		   uint32_t bind, int fd);

/* Begins to accept; 0 or -errno. */
int listener_start(struct listener *l);

/* Closes the socket. */
void listener_stop(struct listener *l);

/* A session of the frontend has ended: gives its place back and lets waiting listeners in. */
void listener_release(struct proxy_thread *t, struct frontend *fe, uint32_t bind);

/* Resumes this thread's paused listeners that have room again. */
void listener_resume_all(struct proxy_thread *t);
