/*
 * address.c - HAProxy's addresses (section 11 of its manual).  Pure but for the arena.
 */
#include "conf/address.h"

#include "conf/value.h"

#include <ctype.h>
#include <string.h>

static const struct prefix {
	const char *name;
	enum conf_address_kind kind;
	uint8_t family; /* 0 = whatever the address says */
	const char *refused;
} prefixes[] = {
	{ "ipv4@", CONF_ADDRESS_IP, AF_INET, NULL },
	{ "ipv6@", CONF_ADDRESS_IP, AF_INET6, NULL },
	{ "ip@", CONF_ADDRESS_IP, 0, NULL },
	{ "tcp4@", CONF_ADDRESS_IP, AF_INET, NULL },
	{ "tcp6@", CONF_ADDRESS_IP, AF_INET6, NULL },
	{ "tcp@", CONF_ADDRESS_IP, 0, NULL },
	{ "unix@", CONF_ADDRESS_UNIX, 0, NULL },
	{ "uxst@", CONF_ADDRESS_UNIX, 0, NULL },
	{ "abns@", CONF_ADDRESS_UNIX, 0, NULL },
	{ "fd@", CONF_ADDRESS_FD, 0, NULL },
	{ "udp@", CONF_ADDRESS_IP, 0, "only TCP is balanced" },
	{ "udp4@", CONF_ADDRESS_IP, 0, "only TCP is balanced" },
	{ "udp6@", CONF_ADDRESS_IP, 0, "only TCP is balanced" },
	{ "uxdg@", CONF_ADDRESS_UNIX, 0, "only stream sockets are balanced" },
	{ "quic4@", CONF_ADDRESS_IP, 0, "QUIC is not supported" },
	{ "quic6@", CONF_ADDRESS_IP, 0, "QUIC is not supported" },
	{ "sockpair@", CONF_ADDRESS_FD, 0, "socket pairs are not supported" },
	{ "rhttp@", CONF_ADDRESS_NAME, 0, "reverse HTTP is not supported" },
};

static const char *
parse_port(const char *s, struct conf_address *address)
{
	const char *dash;
	char low[16];
	int64_t port, to;

	if (!*s)
		return "the port after the colon is missing";
	if (*s == '+' || *s == '-') {
		if (value_int(s, &port) < 0 || port < -65535 || port > 65535)
			return "a port's offset is a number up to 65535";
		address->port_kind = CONF_PORT_OFFSET;
		address->port = address->port_to = (int32_t)port;
		return NULL;
	}
	dash = strchr(s, '-');
	if (dash && (size_t)(dash - s) < sizeof low) {
		memcpy(low, s, (size_t)(dash - s));
		low[dash - s] = '\0';
		s = low;
	}
	if (value_int(s, &port) < 0 || port < 1 || port > 65535)
		return "a port is a number from 1 to 65535";
	to = port;
	if (dash && (!isdigit((unsigned char)dash[1]) || value_int(dash + 1, &to) < 0 ||
		     to > 65535 || to < port))
		return "a range of ports goes upwards and ends at 65535 at most";
	address->port_kind = CONF_PORT_FIXED;
	address->port = (int32_t)port;
	address->port_to = (int32_t)to;
	return NULL;
}

static const char *
parse_host(struct arena *arena, const char *s, uint8_t family, struct conf_address *address)
{
	struct ip ip = { .family = family == AF_INET6 ? AF_INET6 : AF_INET };
	size_t len = strlen(s);

	if (len >= 2 && s[0] == '[' && s[len - 1] == ']')
		s = arena_strndup(arena, s + 1, len - 2);
	address->host = s;
	address->kind = CONF_ADDRESS_IP;
	if (!*s || strcmp(s, "*") == 0) {
		address->ip = ip;
		return NULL;
	}
	if (strcmp(s, "localhost") == 0) {
		if (ip_parse(family == AF_INET6 ? "::1" : "127.0.0.1", &address->ip) < 0)
			return "this is no address";
		return NULL;
	}
	if (ip_parse(s, &ip) == 0) {
		if (family && ip.family != family)
			return family == AF_INET ? "this is no IPv4 address"
						 : "this is no IPv6 address";
		address->ip = ip;
		return NULL;
	}
	if (s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")] ||
	    strlen(s) > 253)
		return "this is neither an address nor a host's name";
	if (!s[strspn(s, "0123456789.")])
		return "this is no IPv4 address";
	address->kind = CONF_ADDRESS_NAME;
	address->ip.family = family;
	return NULL;
}

static const char *
parse_unix(struct arena *arena, const char *path, struct conf_address *address)
{
	address->kind = CONF_ADDRESS_UNIX;
	address->host = path;
	if (!*path || strcmp(path, "abns@") == 0)
		return "the path of the socket is missing";
	address->unix_path = sock_addr_unix(path);
	return address->unix_path.len ? NULL : "the path of the socket is too long";
}

static const char *
parse_fd(const char *s, struct conf_address *address)
{
	int64_t fd;

	address->kind = CONF_ADDRESS_FD;
	address->host = s;
	if (value_int(s, &fd) < 0 || fd < 0 || fd > 1 << 20)
		return "fd@ needs the number of a descriptor";
	address->fd = (int)fd;
	return NULL;
}

const char *
address_parse(struct arena *arena, const char *text, struct conf_address *address)
{
	const char *s = text, *colon, *bracket, *error;
	uint8_t family = 0;

	*address = (struct conf_address){ .fd = -1 };
	if (*s == '/')
		return parse_unix(arena, s, address);
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		const struct prefix *prefix = &prefixes[i];
		size_t len = strlen(prefix->name);

		if (strncmp(s, prefix->name, len) != 0)
			continue;
		if (prefix->refused)
			return prefix->refused;
		if (prefix->kind == CONF_ADDRESS_UNIX)
			return parse_unix(arena, *s == 'a' ? s : s + len, address);
		if (prefix->kind == CONF_ADDRESS_FD)
			return parse_fd(s + len, address);
		family = prefix->family;
		s += len;
		break;
	}
	/* "[::1]" has colons but no port. */
	bracket = strrchr(s, ']');
	colon = strrchr(bracket ? bracket : s, ':');
	if (colon) {
		error = parse_port(colon + 1, address);
		if (error)
			return error;
		s = arena_strndup(arena, s, (size_t)(colon - s));
	}
	return parse_host(arena, s, family, address);
}
