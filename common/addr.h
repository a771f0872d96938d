/*
 * addr.h - IP addresses (what VRRP and netlink speak of) and socket addresses (what sockets bind
 * and connect to).  Values, copied freely.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct ip {
	uint8_t family; /* AF_INET, AF_INET6, or AF_UNSPEC = none */
	union {
		struct in_addr v4;
		struct in6_addr v6;
		uint8_t bytes[16]; /* network byte order; IPv4 uses the first four */
	};
};

#define IP_STRLEN 46 /* INET6_ADDRSTRLEN */

/* 4 or 16. */
static inline unsigned
ip_len(const struct ip *ip)
{
	return ip->family == AF_INET ? 4 : 16;
}

/* What exists once for each family is indexed by this: 0 is IPv4, 1 is IPv6. */
#define IP_FAMILIES 2
static inline unsigned
ip_family_index(uint8_t family)
{
	return family == AF_INET6;
}

/* A literal only, never a name.  0, or -EINVAL with *ip untouched. */
int ip_parse(const char *s, struct ip *ip);

/* "ADDR" or "ADDR/LEN"; without a length *prefix_len is 32 or 128 and *given false. */
int ip_parse_prefix(const char *s, struct ip *ip, uint8_t *prefix_len, bool *given);

/* Writes into `buf` (IP_STRLEN bytes) and returns it; "none" for AF_UNSPEC. */
const char *ip_format(const struct ip *ip, char buf[IP_STRLEN]);

/* Numerical comparison as RFC 9568 section 6.4.3 compares source addresses: <0, 0, >0. */
int ip_cmp(const struct ip *a, const struct ip *b);

static inline bool
ip_equal(const struct ip *a, const struct ip *b)
{
	return ip_cmp(a, b) == 0;
}

/* Is `ip` within net/prefix_len? */
bool ip_in_prefix(const struct ip *ip, const struct ip *net, uint8_t prefix_len);
/* 0.0.0.0 or ::, not "none". */
bool ip_is_any(const struct ip *ip);
/* 224.0.0.0/4 or ff00::/8. */
bool ip_is_multicast(const struct ip *ip);
/* fe80::/10: the same address may mean another node on another link.  Never true for IPv4. */
bool ip_is_link_local(const struct ip *ip);

struct sock_addr {
	socklen_t len; /* 0 = none */
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	};
};

#define SOCK_ADDR_STRLEN 128

struct sock_addr sock_addr_from_ip(const struct ip *ip, uint16_t port);

/*
 * A path, or an abstract name: "@name" and "abnsz@name" of its exact length, "abns@name" padded to
 * the whole of sun_path as HAProxy binds it.  len is 0 if it is empty or too long.
 */
struct sock_addr sock_addr_unix(const char *path);

/* The address part; AF_UNSPEC for unix. */
struct ip sock_addr_ip(const struct sock_addr *sa);
uint16_t sock_addr_port(const struct sock_addr *sa); /* host order; 0 for unix */
void sock_addr_set_port(struct sock_addr *sa, uint16_t port);
bool sock_addr_equal(const struct sock_addr *a, const struct sock_addr *b);

/* "1.2.3.4:80", "[2001:db8::1]:80", "unix:/path", "unix:@name", "abns@name", "none"; returns `buf` (SOCK_ADDR_STRLEN bytes). */
const char *sock_addr_format(const struct sock_addr *sa, char buf[SOCK_ADDR_STRLEN]);
