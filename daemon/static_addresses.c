/*
 * static_addresses.c - see static_addresses.h.  Runs on the guardian's loop.
 */
#include "daemon/static_addresses.h"

#include "common/log.h"
#include "conf/match.h"
#include "daemon/estate.h"
#include "daemon/vip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
static_addresses_init(struct static_addresses *statics, const struct conf *conf,
		      const struct netwatch *watch)
{
	*statics = (struct static_addresses){ .conf = conf, .watch = watch };
	statics->added = calloc(conf->static_vips_n + 1, sizeof *statics->added);
	statics->failing = calloc(conf->static_vips_n + 1, sizeof *statics->failing);
	if (!statics->added || !statics->failing)
		return -ENOMEM;
	return netlink_writer_init(&statics->writer);
}

/* Tells the kernel of one; -ENODEV if its interface is not there. */
static int
tell_kernel(struct static_addresses *statics, size_t i, enum netlink_verb verb)
{
	const struct conf_vip *address = &statics->conf->static_vips[i];
	const struct netwatch_link *link = netwatch_link(statics->watch, address->interface);
	struct netlink_address a = vip_address(address, verb, link->ifindex, 0);
	int error = -ENODEV;

	if (link->present)
		netlink_write(&statics->writer, &a, 1, &error);
	return error;
}

bool
static_addresses_put(struct static_addresses *statics)
{
	char text[IP_STRLEN];
	bool changed = false;

	for (size_t i = 0; i < statics->conf->static_vips_n; i++) {
		int error = tell_kernel(statics, i, NETLINK_CREATE);

		changed |= error == 0;
		statics->added[i] |= error == 0;
		if (error < 0 && error != -EEXIST && !statics->failing[i])
			log_error("cannot add static address %s: %s",
				  ip_format(&statics->conf->static_vips[i].ip, text),
				  strerror(-error));
		statics->failing[i] = error < 0 && error != -EEXIST;
	}
	return changed;
}

void
static_addresses_restore(struct static_addresses *statics, struct mono now)
{
	if (!statics->suspect || (statics->restored.ns &&
				  mono_since_ms(now, statics->restored) < STATIC_RESTORE_PAUSE_MS))
		return;
	statics->suspect = false;
	if (!static_addresses_put(statics))
		return;
	statics->restored = now;
	log_notice("static addresses were missing: put back");
}

void
static_addresses_adopt(struct static_addresses *statics, struct static_addresses *from)
{
	for (size_t i = 0; i < statics->conf->static_vips_n; i++)
		for (size_t k = 0; k < from->conf->static_vips_n; k++) {
			if (!from->added[k] ||
			    !conf_same_vip(statics->conf, &statics->conf->static_vips[i],
					   from->conf, &from->conf->static_vips[k]))
				continue;
			statics->added[i] = true;
			from->added[k] = false;
		}
}

void
static_addresses_fini(struct static_addresses *statics)
{
	for (size_t i = 0; statics->added && i < statics->conf->static_vips_n; i++)
		if (statics->added[i])
			tell_kernel(statics, i, NETLINK_REMOVE);
	netlink_writer_fini(&statics->writer);
	free(statics->added);
	free(statics->failing);
	*statics = (struct static_addresses){ 0 };
}

void
static_addresses_estate(struct static_addresses *statics, const struct conf *conf, struct estate *e)
{
	estate_section(e, "static addresses");
	if (!e->writing) {
		*statics = (struct static_addresses){ .conf = conf };
		statics->added = calloc(conf->static_vips_n + 1, sizeof *statics->added);
		if (!statics->added) {
			estate_fail(e, "out of memory");
			return;
		}
	}
	estate_expect(e, conf->static_vips_n);
	for (size_t i = 0; i < conf->static_vips_n; i++)
		estate_bool(e, &statics->added[i]);
}
