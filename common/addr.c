/*
 * addr.c - IP and socket addresses.  Values without state; any thread.
 */
#include "common/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define UN_PATH_OFFSET offsetof(struct sockaddr_un, sun_path)
#define UN_PATH_SIZE   sizeof(((struct sockaddr_un *)0)->sun_path)

int
ip_parse(const char *s, struct ip *ip)
{
	struct ip parsed;

	/* Unused bytes are zero, so that addresses may be hashed and compared whole. */
	memset(&parsed, 0, sizeof parsed);
	if (inet_pton(AF_INET, s, &parsed.v4) == 1)
		parsed.family = AF_INET;
	else if (inet_pton(AF_INET6, s, &parsed.v6) == 1)
		parsed.family = AF_INET6;
	else
		return -EINVAL;
	*ip = parsed;
	return 0;
}

/* One to three digits and nothing else, not above `max`. */
static int
parse_prefix_len(const char *s, unsigned max, uint8_t *len)
{
	size_t digits = strspn(s, "0123456789");
	unsigned value = 0;

	if (digits < 1 || digits > 3 || s[digits])
		return -EINVAL;
	for (; *s; s++)
		value = value * 10 + (unsigned)(*s - '0');
	if (value > max)
		return -EINVAL;
	*len = (uint8_t)value;
	return 0;
}

int
ip_parse_prefix(const char *s, struct ip *ip, uint8_t *prefix_len, bool *given)
{
	const char *slash = strchr(s, '/');
	size_t len = slash ? (size_t)(slash - s) : strlen(s);
	char literal[IP_STRLEN];
	struct ip parsed;
	uint8_t bits;

	if (len >= sizeof literal)
		return -EINVAL;
	memcpy(literal, s, len);
	literal[len] = '\0';
	if (ip_parse(literal, &parsed) < 0)
		return -EINVAL;
	bits = (uint8_t)(8 * ip_len(&parsed));
	if (slash && parse_prefix_len(slash + 1, bits, &bits) < 0)
		return -EINVAL;
	*ip = parsed;
	*prefix_len = bits;
	*given = slash != NULL;
	return 0;
}

const char *
ip_format(const struct ip *ip, char buf[IP_STRLEN])
{
	if ((ip->family != AF_INET && ip->family != AF_INET6) ||
	    !inet_ntop(ip->family, ip->bytes, buf, IP_STRLEN))
		strcpy(buf, "none");
	return buf;
}

int
ip_cmp(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	/* Network byte order: comparing bytes is comparing numbers. */
	return a->family == AF_UNSPEC ? 0 : memcmp(a->bytes, b->bytes, ip_len(a));
}

bool
ip_in_prefix(const struct ip *ip, const struct ip *net, uint8_t prefix_len)
{
	unsigned whole = prefix_len / 8, rest = prefix_len % 8;

	if (ip->family == AF_UNSPEC || ip->family != net->family || prefix_len > 8 * ip_len(ip))
		return false;
	if (memcmp(ip->bytes, net->bytes, whole) != 0)
		return false;
	return rest == 0 || (ip->bytes[whole] ^ net->bytes[whole]) >> (8 - rest) == 0;
}

bool
ip_is_any(const struct ip *ip)
{
	static const uint8_t zero[16];

	return ip->family != AF_UNSPEC && memcmp(ip->bytes, zero, ip_len(ip)) == 0;
}

bool
ip_is_multicast(const struct ip *ip)
{
	return (ip->family == AF_INET && IN_MULTICAST(ntohl(ip->v4.s_addr))) ||
	       (ip->family == AF_INET6 && IN6_IS_ADDR_MULTICAST(&ip->v6));
}

bool
ip_is_link_local(const struct ip *ip)
{
	return ip->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&ip->v6);
}

struct sock_addr
sock_addr_from_ip(const struct ip *ip, uint16_t port)
{
	struct sock_addr sa;

	memset(&sa, 0, sizeof sa);
	if (ip->family == AF_INET) {
		sa.len = sizeof sa.in;
		sa.in.sin_family = AF_INET;
		sa.in.sin_port = htons(port);
		sa.in.sin_addr = ip->v4;
	} else if (ip->family == AF_INET6) {
		sa.len = sizeof sa.in6;
		sa.in6.sin6_family = AF_INET6;
		sa.in6.sin6_port = htons(port);
		sa.in6.sin6_addr = ip->v6;
	}
	return sa;
}

struct sock_addr
sock_addr_unix(const char *path)
{
	bool abstract = true, padded = false;
	struct sock_addr sa;
	size_t len;

	if (strncmp(path, "abns@", 5) == 0) {
		path += 5;
		padded = true;
	} else if (strncmp(path, "abnsz@", 6) == 0) {
		path += 6;
	} else if (path[0] == '@') {
		path++;
	} else {
		abstract = false;
	}

	memset(&sa, 0, sizeof sa);
	len = strlen(path);
	/* Either way one byte goes to a NUL: the one before an abstract name or after a path. */
	if (len == 0 || len >= UN_PATH_SIZE)
		return sa;
	sa.un.sun_family = AF_UNIX;
	memcpy(sa.un.sun_path + abstract, path, len);
	sa.len = (socklen_t)(UN_PATH_OFFSET + (padded ? UN_PATH_SIZE : len + 1));
	return sa;
}

struct ip
sock_addr_ip(const struct sock_addr *sa)
{
	struct ip ip;

	memset(&ip, 0, sizeof ip);
	if (sa->len == 0)
		return ip;
	if (sa->any.sa_family == AF_INET) {
		ip.family = AF_INET;
		ip.v4 = sa->in.sin_addr;
	} else if (sa->any.sa_family == AF_INET6) {
		ip.family = AF_INET6;
		ip.v6 = sa->in6.sin6_addr;
	}
	return ip;
}

uint16_t
sock_addr_port(const struct sock_addr *sa)
{
	if (sa->len == 0)
		return 0;
	if (sa->any.sa_family == AF_INET)
		return ntohs(sa->in.sin_port);
	return sa->any.sa_family == AF_INET6 ? ntohs(sa->in6.sin6_port) : 0;
}

void
sock_addr_set_port(struct sock_addr *sa, uint16_t port)
{
	if (sa->len == 0)
		return;
	if (sa->any.sa_family == AF_INET)
		sa->in.sin_port = htons(port);
	else if (sa->any.sa_family == AF_INET6)
		sa->in6.sin6_port = htons(port);
}

/* Bytes of sun_path that matter: without the NUL that ends a path, which the kernel adds or not;
 * all of them in an abstract name, where zero bytes count. */
static size_t
unix_name_len(const struct sock_addr *sa)
{
	size_t len = sa->len > UN_PATH_OFFSET ? sa->len - UN_PATH_OFFSET : 0;

	if (len > UN_PATH_SIZE)
		len = UN_PATH_SIZE;
	return len && sa->un.sun_path[0] ? strnlen(sa->un.sun_path, len) : len;
}

bool
sock_addr_equal(const struct sock_addr *a, const struct sock_addr *b)
{
	if (a->len == 0 || b->len == 0)
		return a->len == b->len;
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->in.sin_port == b->in.sin_port &&
		       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	if (a->any.sa_family == AF_INET6)
		return a->in6.sin6_port == b->in6.sin6_port &&
		       a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
		       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16) == 0;
	return unix_name_len(a) == unix_name_len(b) &&
	       memcmp(a->un.sun_path, b->un.sun_path, unix_name_len(a)) == 0;
}

static const char *
unix_format(const struct sock_addr *sa, char *buf)
{
	size_t len = unix_name_len(sa);
	const char *name = sa->un.sun_path;

	if (len == 0) /* a socket that was never bound */
		strcpy(buf, "unix:");
	else if (name[0])
		snprintf(buf, SOCK_ADDR_STRLEN, "unix:%.*s", (int)len, name);
	else
		snprintf(buf, SOCK_ADDR_STRLEN, "%s%.*s", len == UN_PATH_SIZE ? "abns@" : "unix:@",
			 (int)len - 1, name + 1);
	return buf;
}

const char *
sock_addr_format(const struct sock_addr *sa, char buf[SOCK_ADDR_STRLEN])
{
	struct ip ip = sock_addr_ip(sa);
	char literal[IP_STRLEN];

	if (sa->len && sa->any.sa_family == AF_UNIX)
		return unix_format(sa, buf);
	if (ip.family == AF_UNSPEC)
		return strcpy(buf, "none");
	snprintf(buf, SOCK_ADDR_STRLEN, ip.family == AF_INET ? "%s:%u" : "[%s]:%u",
		 ip_format(&ip, literal), sock_addr_port(sa));
	return buf;
}
