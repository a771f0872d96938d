/*
 * listeners.h - the listening sockets of every `bind`, opened once and kept for the guardian's life.
 *
 * A worker that is started again gets the very same sockets, so connections that wait in their
 * queues survive it.
 */
#pragma once

#include "conf/model.h"

struct listener {
	uint32_t proxy, bind; /* indexes of the configuration */
	int fd;
};

struct listeners {
	const struct conf *conf;
	struct listener *at; /* threads of a bind beside each other, in order */
	size_t n, size;
};

/*
 * Opens `threads` sockets for each bind of the enabled proxies (sharing one where the kernel cannot
 * split: unix sockets, inherited descriptors).  Every failure is logged with its place in the file;
 * then -EADDRINUSE or whatever came last, else 0.
 */
int listeners_init(struct listeners *listeners, const struct conf *conf, uint32_t threads);

/* Closes them and removes the unix sockets' paths. */
void listeners_fini(struct listeners *listeners);
