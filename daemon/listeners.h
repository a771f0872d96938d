/*
 * listeners.h - the listening sockets of every `bind`, opened once and kept for as long as a
 * configuration has that address.
 *
 * A worker that is started again gets the very same sockets, and so does one that follows another
 * on a reload: connections that wait in their queues survive it.
 */
#pragma once

#include "conf/model.h"

struct estate;

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
 * split: unix sockets, inherited descriptors).  Addresses that `from` (NULL = none) has are not
 * opened: its sockets are duplicated, as many as there are, whatever `threads` says, since closing
 * one would lose what waits in it.  Every failure is logged with its place in the file; then
 * -EADDRINUSE or whatever came last, else 0.  Waits for ports only without `from`.
 */
int listeners_init(struct listeners *listeners, const struct conf *conf, uint32_t threads,
		   const struct listeners *from);

/* Closes them and removes the paths of unix sockets, but for those that `other` (NULL = none) has,
 * too. */
void listeners_fini(struct listeners *listeners, const struct listeners *other);

/* Both ways (estate.h).  Read, they are good as `from` of listeners_init. */
void listeners_estate(struct listeners *listeners, const struct conf *conf, struct estate *e);
