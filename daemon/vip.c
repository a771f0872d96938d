/*
 * vip.c - see vip.h.  Runs on the guardian's loop.
 */
#include "daemon/vip.h"

#include "common/log.h"
#include "daemon/sysctl.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

/* With promote_secondaries=0, a VIP that is a primary address takes its secondaries along when it
 * goes, and the host's own address may be one of them. */
static void
promote_secondaries(const char *interface)
{
	int r = sysctl_set("ipv4", interface, "promote_secondaries", 1);

	if (r < 0)
		log_warning("net.ipv4.conf.%s.promote_secondaries cannot be set to 1 (%s): if a "
			    "virtual address goes, its secondary addresses go with it",
			    interface, strerror(-r));
}

/* Once for each life of an interface: a new one has the kernel's default again. */
static void
protect_secondaries(struct vip_keeper *keeper, uint32_t interface)
{
	const struct netwatch_link *link = netwatch_link(keeper->watch, interface);

	if (!link->present || keeper->promoted[interface] == link->ifindex)
		return;
	keeper->promoted[interface] = link->ifindex;
	promote_secondaries(keeper->conf->interfaces[interface].name);
}

int
vip_keeper_init(struct vip_keeper *keeper, const struct conf *conf, const struct netwatch *watch)
{
	*keeper = (struct vip_keeper){ .conf = conf, .watch = watch };
	keeper->promoted = calloc(conf->interfaces_n + 1, sizeof *keeper->promoted);
	if (!keeper->promoted)
		return -ENOMEM;
	for (uint32_t i = 0; i < conf->interfaces_n; i++)
		protect_secondaries(keeper, i);
	return netlink_writer_init(&keeper->writer);
}

void
vip_keeper_fini(struct vip_keeper *keeper)
{
	netlink_writer_fini(&keeper->writer);
	free(keeper->promoted);
	keeper->promoted = NULL;
}

/* The last address of the prefix; a prefix of 31 or 32 has none. */
static struct ip
broadcast_of(const struct ip *ip, uint8_t prefix_len)
{
	struct ip brd = *ip;

	if (ip->family != AF_INET || prefix_len > 30)
		return (struct ip){ .family = AF_UNSPEC };
	brd.v4.s_addr |= htonl(UINT32_MAX >> prefix_len);
	return brd;
}

struct netlink_address
vip_address(const struct conf_vip *vip, enum netlink_verb verb, uint32_t ifindex, uint32_t lease_s)
{
	return (struct netlink_address){
		.verb = verb,
		.ifindex = ifindex,
		.ip = vip->ip,
		.prefix_len = vip->prefix_len,
		.peer = vip->peer,
		.brd = vip->brd_auto ? broadcast_of(&vip->ip, vip->prefix_len) : vip->brd,
		.scope = vip->scope,
		.label = vip->label,
		.lease_s = lease_s,
		.deprecated = vip->preferred == CONF_PREFERRED_NEVER ||
			      (vip->preferred == CONF_PREFERRED_DEFAULT &&
			       vip->ip.family == AF_INET6 && vip->prefix_len == 128),
	};
}

/* ---- in batches ---- */

struct batch {
	struct vip_keeper *keeper;
	const struct conf_instance *instance;
	bool quiet;
	struct netlink_address changes[NETLINK_BATCH_MAX];
	size_t n;
	int first_error;
};

static bool
is_failure(enum netlink_verb verb, int error)
{
	/* What is to go and is not there has gone. */
	if (verb == NETLINK_REMOVE && (error == -EADDRNOTAVAIL || error == -ENODEV))
		return false;
	return error < 0;
}

static void
note_failure(struct batch *b, enum netlink_verb verb, const struct ip *ip, int error)
{
	char text[IP_STRLEN];

	if (b->first_error == 0)
		b->first_error = error;
	if (!b->quiet)
		log_error("(%s) cannot %s virtual address %s: %s", b->instance->name,
			  verb == NETLINK_ADD ? "add" : "remove", ip_format(ip, text),
			  strerror(-error));
}

static void
flush(struct batch *b)
{
	int errors[NETLINK_BATCH_MAX];

	netlink_write(&b->keeper->writer, b->changes, b->n, errors);
	for (size_t i = 0; i < b->n; i++)
		if (is_failure(b->changes[i].verb, errors[i]))
			note_failure(b, b->changes[i].verb, &b->changes[i].ip, errors[i]);
	b->n = 0;
}

static int
change(struct vip_keeper *keeper, uint32_t instance, size_t first, size_t n, enum netlink_verb verb,
       bool quiet)
{
	const struct conf_instance *c = &keeper->conf->instances[instance];
	struct batch b = { .keeper = keeper, .instance = c, .quiet = quiet };
	size_t end = first + n < c->vips_n ? first + n : c->vips_n;

	for (size_t i = first; i < end; i++) {
		const struct conf_vip *vip = &c->vips[i];
		const struct netwatch_link *link = netwatch_link(keeper->watch, vip->interface);

		if (netwatch_vip(keeper->watch, instance, (uint32_t)i)->native)
			continue;
		if (!link->present) {
			if (is_failure(verb, -ENODEV))
				note_failure(&b, verb, &vip->ip, -ENODEV);
			continue;
		}
		if (verb == NETLINK_ADD)
			protect_secondaries(keeper, vip->interface);
		b.changes[b.n++] =
			vip_address(vip, verb, link->ifindex, conf_lease_s(keeper->conf, c));
		if (b.n == NETLINK_BATCH_MAX)
			flush(&b);
	}
	flush(&b);
	return b.first_error;
}

int
vip_add(struct vip_keeper *keeper, uint32_t instance)
{
	size_t all = keeper->conf->instances[instance].vips_n;

	return change(keeper, instance, 0, all, NETLINK_ADD, false);
}

int
vip_renew(struct vip_keeper *keeper, uint32_t instance)
{
	size_t all = keeper->conf->instances[instance].vips_n;

	return change(keeper, instance, 0, all, NETLINK_ADD, true);
}

int
vip_remove(struct vip_keeper *keeper, uint32_t instance, size_t first, size_t n)
{
	return change(keeper, instance, first, n, NETLINK_REMOVE, false);
}

int
vip_remove_found(struct vip_keeper *keeper, const struct netwatch_found *found)
{
	struct netlink_address a = {
		.verb = NETLINK_REMOVE,
		.ifindex = found->ifindex,
		.ip = found->ip,
		.prefix_len = found->prefix_len,
		.peer = found->peer,
	};
	char interface[IF_NAMESIZE];
	int error;

	if (if_indextoname(found->ifindex, interface))
		promote_secondaries(interface);
	netlink_write(&keeper->writer, &a, 1, &error);
	return is_failure(NETLINK_REMOVE, error) ? error : 0;
}
