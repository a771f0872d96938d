/*
 * resolve.h - host names of servers, looked up at start by a thread of its own.
 *
 * getaddrinfo blocks, so proxy threads never call it.  A name that does not resolve is tried again
 * every few seconds until it does; then the address stays for the life of the proxy.
 */
#pragma once

struct proxy;
struct resolver;

/* Starts the thread if any server has a name for address.  NULL and errno 0: none has. */
struct resolver *resolver_start(struct proxy *proxy);

/* From now on no server is touched; a look-up under way is left to end by itself.  NULL is fine. */
void resolver_stop(struct resolver *r);
