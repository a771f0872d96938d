/*
 * own_addresses.c - see own_addresses.h.
 */
#include "daemon/own_addresses.h"

#include <errno.h>
#include <ifaddrs.h>
#include <string.h>

static struct ifaddrs *snapshot;

int
own_addresses_open(void)
{
	own_addresses_close();
	return getifaddrs(&snapshot) < 0 ? -errno : 0;
}

void
own_addresses_close(void)
{
	freeifaddrs(snapshot);
	snapshot = NULL;
}

/* The bytes of a socket address's IP address, or NULL if it is of another family. */
static const uint8_t *
bytes_of(const struct sockaddr *sa, int family)
{
	if (!sa || sa->sa_family != family)
		return NULL;
	if (family == AF_INET)
		return (const uint8_t *)&((const struct sockaddr_in *)(const void *)sa)->sin_addr;
	return ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr;
}

/* Equal in the bits of the mask; without one in all of them. */
static bool
same_network(const struct ip *ip, const uint8_t *address, const uint8_t *mask)
{
	for (unsigned i = 0; i < ip_len(ip); i++)
		if ((ip->bytes[i] ^ address[i]) & (mask ? mask[i] : 0xff))
			return false;
	return true;
}

bool
own_addresses_has(const struct ip *ip)
{
	for (const struct ifaddrs *a = snapshot; a; a = a->ifa_next) {
		const uint8_t *address = bytes_of(a->ifa_addr, ip->family);

		if (address && same_network(ip, address, NULL))
			return true;
	}
	return !snapshot;
}

bool
own_addresses_foreign(const char *interface, const struct ip *ip)
{
	bool any = false;

	for (const struct ifaddrs *a = snapshot; a; a = a->ifa_next) {
		const uint8_t *address = bytes_of(a->ifa_addr, ip->family);

		if (!address || strcmp(a->ifa_name, interface) != 0)
			continue;
		if (same_network(ip, address, bytes_of(a->ifa_netmask, ip->family)))
			return false;
		/* A link-local address alone says nothing about the network. */
		any = any || ip->family == AF_INET ||
		      !IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)(const void *)address);
	}
	return any;
}
