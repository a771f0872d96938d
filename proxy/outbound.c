/*
 * outbound.c - see outbound.h.  Run by proxy threads.
 */
#include "proxy/outbound.h"

#include "proxy/stock.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/* Tries at finding a free port in the range of a `source`. */
#define PORT_TRIES 64

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
bind_source(int fd, const struct conf_outbound *out, uint64_t turn)
{
	uint32_t range = 1U + out->port_to - out->port_from;
	struct sock_addr from =
		sock_addr_from_ip(&out->source, (uint16_t)(out->port_from + turn % range));

	/* The kernel chooses the port with the destination known: 28,000 for each server, not in all. */
	if (out->port_from == 0)
		set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	else
		set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	return bind(fd, &from.any, from.len) < 0 ? -errno : 0;
}

/* Beside `usesrc`, 0.0.0.0 stands for no address at all, whatever the server's family. */
static bool
names_source(const struct conf_outbound *out)
{
	return out->source.family != AF_UNSPEC && !(out->usesrc && ip_is_any(&out->source));
}

/* Does the server see another's address? */
static bool
is_foreign(const struct conf_outbound *out, const struct outbound_ask *ask)
{
	return ask->stock && out->usesrc &&
	       (out->usesrc == CONF_USESRC_ADDRESS || ask->client.family != AF_UNSPEC);
}

static int
bind_foreign(int fd, const struct conf_outbound *out, const struct outbound_ask *ask, int family)
{
	bool own = out->usesrc == CONF_USESRC_ADDRESS;
	uint16_t port = own                                 ? out->foreign_port
			: out->usesrc == CONF_USESRC_CLIENT ? ask->client_port
							    : 0;
	struct sock_addr from = sock_addr_from_ip(own ? &out->foreign : &ask->client, port);

	if (from.any.sa_family != family)
		return -EAFNOSUPPORT;
	if (port)
		set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	else
		set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return bind(fd, &from.any, from.len) < 0 ? -errno : 0;
}

static int
set_options(int fd, const struct server *server, const struct outbound_ask *ask, int family,
	    uint64_t turn)
{
	const struct conf_outbound *out = source_of(server);
	uint32_t tcp_ut_ms = server->conf->tcp_ut_ms;
	int r = 0;

	if (out->interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, out->interface,
					 (socklen_t)strlen(out->interface) + 1) < 0)
		r = -errno;
	if (r == 0 && is_foreign(out, ask))
		r = bind_foreign(fd, out, ask, family);
	else if (r == 0 && names_source(out))
		r = bind_source(fd, out, turn);
	if (r == 0 && tcp_ut_ms)
		r = set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)tcp_ut_ms);
	/* Without it the first bytes wait for the handshake: no error. */
	if (r == 0 && server->conf->tfo)
		set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	return r;
}

static int
open_socket(const struct conf_outbound *out, const struct outbound_ask *ask, int family)
{
	int fd;

	if (family != AF_UNIX && is_foreign(out, ask))
		return stock_take(ask->stock, family);
	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* One try, from the port whose turn it is; -EADDRINUSE: this port will not do. */
static int
try_to_connect(const struct server *server, const struct sock_addr *to,
	       const struct outbound_ask *ask, uint64_t turn)
{
	const struct conf_outbound *out = source_of(server);
	int family = to->any.sa_family, r = 0;
	int fd = open_socket(out, ask, family);

	if (fd < 0)
		return fd;
	if (family != AF_UNIX)
		r = set_options(fd, server, ask, family, turn);
	if (ask->patient && family != AF_UNIX)
		set(fd, IPPROTO_TCP, TCP_QUICKACK, 0);
	if (r == 0 && connect(fd, &to->any, to->len) < 0 && errno != EINPROGRESS)
		/* Another connection of this port to the same server may be what forbids it. */
		r = errno == EADDRNOTAVAIL && out->port_from ? -EADDRINUSE : -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int
outbound_connect(const struct server *server, const struct sock_addr *to,
		 const struct outbound_ask *ask)
{
	const struct conf_outbound *out = source_of(server);
	uint32_t range = is_foreign(out, ask) ? 1 : 1U + out->port_to - out->port_from,
		 tries = range < PORT_TRIES ? range : PORT_TRIES;
	int fd = -EADDRINUSE;

	for (uint32_t i = 0; i < tries && fd == -EADDRINUSE; i++)
		fd = try_to_connect(server, to, ask, ask->random % range + i);
	return fd;
}

const char *
outbound_reason(const struct server *server, int error)
{
	if (error == EADDRNOTAVAIL && source_of(server)->source.family != AF_UNSPEC)
		return " (the source address is not on this host)";
	return NULL;
}
