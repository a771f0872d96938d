/*
 * preflight.c - see preflight.h.  Runs at the guardian's start and for each new configuration, before
 * anything is changed.
 */
#include "daemon/preflight.h"

#include "common/log.h"
#include "conf/behaviour.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- rights ---- */

static const struct {
	unsigned capability;
	const char *name;
	bool for_vrrp; /* only where there is an instance */
} needed[] = {
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN", true }, { CAP_NET_RAW, "CAP_NET_RAW", true },
	{ CAP_SETUID, "CAP_SETUID", false },      { CAP_SETGID, "CAP_SETGID", false },
	{ CAP_KILL, "CAP_KILL", false },
};

static unsigned
check_capabilities(const struct conf *conf)
{
	char missing[128] = "";

	if (capng_get_caps_process() != 0)
		return 0; /* unknown: what fails later says so itself */
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
		size_t len = strlen(missing);

		if (needed[i].for_vrrp && conf->instances_n == 0)
			continue;
		if (!capng_have_capability(CAPNG_EFFECTIVE, needed[i].capability))
			snprintf(missing + len, sizeof missing - len, "%s%s", len ? ", " : "",
				 needed[i].name);
	}
	if (!missing[0])
		return 0;
	log_error("tandem needs to be started as root, or with the capabilities it lacks: %s",
		  missing);
	return 1;
}

unsigned
preflight_rights(const struct conf *conf)
{
	unsigned errors = check_capabilities(conf);

	if (conf->user && !getpwnam(conf->user)) {
		log_error("user %s does not exist", conf->user);
		errors++;
	}
	if (conf->group && !getgrnam(conf->group)) {
		log_error("group %s does not exist", conf->group);
		errors++;
	}
	return errors;
}

/* ---- network ---- */

static void
warn_of_interface(const struct conf *conf, const struct conf_instance *instance, uint32_t interface,
		  const struct conf_pos *pos)
{
	log_warning("interface %s of vrrp_instance %s (%s:%u) does not exist yet",
		    conf->interfaces[interface].name, instance->name,
		    conf->sources[pos->source].name, pos->line);
}

/* It may appear: until then the instance is FAULT, and status says so. */
static void
look_for_interfaces(const struct conf *conf, const struct netwatch *watch)
{
	for (size_t i = 0; i < conf->instances_n; i++) {
		const struct conf_instance *c = &conf->instances[i];

		if (!netwatch_link(watch, c->interface)->present)
			warn_of_interface(conf, c, c->interface, &c->pos);
		for (size_t v = 0; v < c->vips_n; v++) {
			uint32_t base = conf_base(conf, c->vips[v].interface);

			if (base != c->interface && !netwatch_link(watch, base)->present)
				warn_of_interface(conf, c, base, &c->vips[v].pos);
		}
	}
}

/* The address from which this host speaks to the world; AF_UNSPEC = none.  A datagram socket that
 * is connected sends nothing; the destination is a documentation address. */
static struct ip
default_source(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sock_addr own = { .len = sizeof own.in };
	struct ip ip = { .family = AF_UNSPEC };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return ip;
	ip_parse("192.0.2.1", &ip);
	to.sin_addr = ip.v4;
	ip = (struct ip){ .family = AF_UNSPEC };
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
	    getsockname(fd, &own.any, &own.len) == 0)
		ip = sock_addr_ip(&own);
	close(fd);
	return ip;
}

static bool
is_found(const struct netwatch *watch, const struct ip *ip)
{
	for (size_t i = 0; i < watch->found_n; i++)
		if (ip_equal(&watch->found[i].ip, ip))
			return true;
	return false;
}

/* Why the VIP, which is on this host, cannot be taken away from it; NULL = it can.  An IPv6 interface
 * always has its link-local address besides, and which of several the kernel would speak from is no
 * sign of whose it is. */
static const char *
reason_to_stay(const struct conf *conf, const struct conf_instance *c, const struct conf_vip *vip,
	       const struct netwatch_link *link, const struct ip *world)
{
	if (ip_equal(&vip->ip, &c->unicast_src))
		return "the source address of its advertisements (unicast_src)";
	if (vip->ip.family == AF_INET6)
		return NULL;
	if (conf_base(conf, vip->interface) == c->interface && link->present &&
	    link->primary.family == AF_UNSPEC)
		return "the only address of its interface";
	if (ip_equal(&vip->ip, world))
		return "the source address of the default route";
	return NULL;
}

static bool
is_ours(const struct netwatch *from, const struct ip *ip)
{
	return from && netwatch_find(from, ip) && !netwatch_is_native(from, ip);
}

static unsigned
check_own_addresses(const struct conf *conf, const struct netwatch *watch,
		    const struct netwatch *from)
{
	struct ip world = default_source();
	unsigned errors = 0;

	for (size_t i = 0; i < conf->instances_n; i++) {
		const struct conf_instance *c = &conf->instances[i];

		for (size_t v = 0; v < c->vips_n && c->priority != 255; v++) {
			const struct conf_vip *vip = &c->vips[v];
			const char *why = reason_to_stay(
				conf, c, vip, netwatch_link(watch, c->interface), &world);
			char text[IP_STRLEN];

			if (!why || !is_found(watch, &vip->ip) || is_ours(from, &vip->ip))
				continue;
			log_error("virtual address %s of vrrp_instance %s (%s:%u) is this host's "
				  "own: %s; only an owner (priority 255) may have such",
				  ip_format(&vip->ip, text), c->name,
				  conf->sources[vip->pos.source].name, vip->pos.line, why);
			errors++;
		}
	}
	return errors;
}

unsigned
preflight_network(const struct conf *conf, const struct netwatch *watch,
		  const struct netwatch *from)
{
	look_for_interfaces(conf, watch);
	return check_own_addresses(conf, watch, from);
}
