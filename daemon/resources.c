/*
 * resources.c - see resources.h.  Runs on the guardian's loop.
 */
#include "daemon/resources.h"

#include "common/log.h"
#include "conf/match.h"
#include "daemon/preflight.h"
#include "daemon/worker.h"

#include <errno.h>
#include <string.h>

/* First of all: the file may speak from such an address. */
static bool
open_statics(struct resources *r, const struct conf *conf)
{
	int error = static_addresses_init(&r->statics, conf, &r->watch);

	if (error == 0 && static_addresses_put(&r->statics))
		error = netwatch_sync(&r->watch);
	if (error < 0)
		log_error("cannot add static addresses: %s", strerror(-error));
	return error == 0;
}

/* What the network gives: everything that is wrong there is said in one run. */
static bool
open_network(struct resources *r, const struct conf *conf, const struct resources *from)
{
	unsigned errors = preflight_network(conf, &r->watch, from ? &from->watch : NULL);
	int error;

	errors += listeners_init(&r->listeners, conf, worker_threads(conf),
				 from ? &from->listeners : NULL) < 0;
	if (errors)
		return false;
	if (conf->instances_n == 0)
		return true;
	error = announcer_init(&r->announcer, &r->watch);
	if (error < 0)
		log_error("cannot open a packet socket: %s", strerror(-error));
	return error == 0;
}

static bool
open_vips(struct resources *r, const struct conf *conf, const struct resources *from,
	  lease_tell_fn *tell, void *ctx)
{
	int error = vip_keeper_init(&r->vips, conf, &r->watch);

	if (error == 0)
		error = paths_init(&r->paths, r->watch.loop, conf, &r->watch);
	if (error == 0)
		error = solicitor_init(&r->solicitor, conf, &r->watch, r->announcer.fd);
	if (error == 0)
		error = vrrp_sockets_init(&r->sockets, conf, &r->watch,
					  from ? &from->sockets : NULL);
	if (error == 0)
		error = ledger_create(&r->ledger, conf);
	r->kernel = (struct lease_kernel){
		.conf = conf,
		.watch = &r->watch,
		.vips = &r->vips,
		.paths = &r->paths,
		.firewall = &r->firewall,
		.announcer = &r->announcer,
		.solicitor = &r->solicitor,
		.sockets = &r->sockets,
		.ledger = &r->ledger,
	};
	if (error == 0)
		error = firewall_init(&r->firewall, conf);
	if (error == 0)
		error = leases_init(&r->leases, conf, &lease_kernel_ops, &r->kernel, tell, ctx);
	if (error < 0) {
		log_error("cannot prepare for virtual addresses: %s", strerror(-error));
		return false;
	}
	if (from)
		return true;
	leases_settle(&r->leases);
	paths_begin(&r->paths);
	return true;
}

/* They are interfaces like others from then on. */
static bool
open_vmacs(struct resources *r, const struct conf *conf)
{
	int error = vmacs_init(&r->vmacs, conf, &r->watch);

	if (error == 0)
		error = netwatch_sync(&r->watch);
	if (error < 0)
		log_error("cannot make virtual interfaces: %s", strerror(-error));
	return error == 0;
}

void
resources_clear(struct resources *r)
{
	*r = (struct resources){
		.watch = { .ready = { .fd = -1 } },
		.announcer = { .fd = -1, .groups_fd = -1 },
		.ledger = { .fd = -1 },
		.paths = { .ready = { .fd = -1 } },
	};
}

bool
resources_open(struct resources *r, const struct conf *conf, const struct resources *from,
	       struct loop *loop, void (*on_network)(void *ctx), lease_tell_fn *tell, void *ctx)
{
	int error;

	resources_clear(r);
	error = netwatch_init(&r->watch, loop, conf, from ? &from->watch : NULL, on_network, ctx);
	if (error < 0) {
		log_error("cannot watch links and addresses: %s", strerror(-error));
		return false;
	}
	return open_vmacs(r, conf) && open_statics(r, conf) && open_network(r, conf, from) &&
	       open_vips(r, conf, from, tell, ctx);
}

struct adoption {
	const struct conf *from, *to;
};

static uint32_t
adopts(void *ctx, uint32_t instance)
{
	const struct adoption *a = ctx;

	return conf_match_instance(a->from, instance, a->to);
}

void
resources_adopt(struct resources *r, struct resources *from, struct mono now)
{
	struct adoption adoption = { from->leases.conf, r->leases.conf };

	vmacs_hand_over(&from->vmacs, &r->vmacs);
	static_addresses_adopt(&r->statics, &from->statics);
	paths_adopt(&r->paths, &from->paths, adopts, &adoption);
	/* What was removed may have been taken for an address of the host's own, and what was added
	 * is not known to be there. */
	if (leases_adopt(&r->leases, &from->leases, now))
		netwatch_sync(&r->watch);
	ledger_inherit(&r->ledger, &from->ledger);
	for (uint32_t i = 0; i < r->leases.conf->instances_n; i++)
		if (r->leases.at[i].claimed)
			firewall_close(&r->firewall, i);
	leases_settle(&r->leases);
}

void
resources_close(struct resources *r, const struct resources *other)
{
	leases_fini(&r->leases);
	ledger_fini(&r->ledger);
	firewall_fini(&r->firewall);
	vrrp_sockets_fini(&r->sockets);
	paths_fini(&r->paths);
	vip_keeper_fini(&r->vips);
	solicitor_fini(&r->solicitor);
	announcer_fini(&r->announcer);
	listeners_fini(&r->listeners, other ? &other->listeners : NULL);
	static_addresses_fini(&r->statics);
	if (r->vmacs.conf && other)
		vmacs_leave_to(&r->vmacs, &other->vmacs);
	if (r->vmacs.conf)
		vmacs_fini(&r->vmacs);
	netwatch_fini(&r->watch);
}
