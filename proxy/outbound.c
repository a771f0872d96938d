/*
 * outbound.c - see outbound.h.  Run by proxy threads.
 */
#include "proxy/outbound.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/* Tries at finding a free port in the range of a `source`. */
#define PORT_TRIES 16

static int
set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

/* The server's own `source`, else its backend's. */
static const struct conf_outbound *
source_of(const struct server *server)
{
	const struct conf_outbound *own = &server->conf->outbound;

	return own->source.family != AF_UNSPEC || own->interface ? own
								 : &server->backend->conf->outbound;
}

static int
bind_source(int fd, const struct conf_outbound *out, uint64_t random)
{
	uint32_t range = 1U + out->port_to - out->port_from,
		 tries = out->port_from ? PORT_TRIES : 1;
	int r = 0;

	/* The kernel chooses the port with the destination known: 28,000 for each server, not in all. */
	if (out->port_from == 0)
		set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	else
		set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	for (uint32_t i = 0; i < tries && i < range; i++) {
		uint16_t port = (uint16_t)(out->port_from + (random + i) % range);
		struct sock_addr from = sock_addr_from_ip(&out->source, port);

		r = bind(fd, &from.any, from.len) < 0 ? -errno : 0;
		if (r != -EADDRINUSE)
			break;
	}
	return r;
}

static int
set_options(int fd, const struct server *server, uint64_t random)
{
	const struct conf_outbound *out = source_of(server);
	uint32_t tcp_ut_ms = server->conf->tcp_ut_ms;
	int r = 0;

	if (out->interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, out->interface,
					 (socklen_t)strlen(out->interface) + 1) < 0)
		r = -errno;
	if (r == 0 && out->source.family != AF_UNSPEC)
		r = bind_source(fd, out, random);
	if (r == 0 && tcp_ut_ms)
		r = set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)tcp_ut_ms);
	/* Without it the first bytes wait for the handshake: no error. */
	if (r == 0 && server->conf->tfo)
		set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	return r;
}

int
outbound_connect(const struct server *server, const struct sock_addr *to, uint64_t random,
		 bool patient)
{
	int family = to->any.sa_family, fd, r = 0;

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (family != AF_UNIX)
		r = set_options(fd, server, random);
	if (patient && family != AF_UNIX)
		set(fd, IPPROTO_TCP, TCP_QUICKACK, 0);
	if (r == 0 && connect(fd, &to->any, to->len) < 0 && errno != EINPROGRESS)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

const char *
outbound_reason(const struct server *server, int error)
{
	if (error == EADDRNOTAVAIL && source_of(server)->source.family != AF_UNSPEC)
		return " (the source address is not on this host)";
	return NULL;
}
