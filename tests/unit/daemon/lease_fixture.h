/*
 * lease_fixture.h - leases over the kernel of the lab's network namespace, with all that they need.
 */
#pragma once

#include "daemon/lease_kernel.h"
#include "daemon/requests.h"
#include "lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct lease_fixture {
	struct arena *arena;
	struct conf *conf;
	struct loop loop;
	struct netwatch watch;
	struct vip_keeper vips;
	struct path_keeper paths;
	struct firewall firewall; /* of nobody */
	struct announcer announcer;
	struct solicitor solicitor;
	struct vrrp_sockets sockets;
	struct ledger ledger;
	struct lease_kernel kernel;
	struct leases leases;
	bool restore; /* what vanishes is put back; unless a test says otherwise */
	unsigned told[REQUEST_N];
	int error; /* this and the rest: as told last */
	uint32_t vips_n, restored_n;
	struct mono at;
};

/* Of the VIPs that lab_conf makes, or lab_ipv6 of them. */
void lease_fixture_begin(struct lease_fixture *f, int family, uint32_t vips_n, uint32_t lease_s);

/* Executes the wills; none of the VIPs may be left. */
void lease_fixture_end(struct lease_fixture *f);

/* What the guardian does about a change of the addresses, for a watch of the test's own; `ctx` is the
 * fixture. */
void lease_fixture_on_change(void *ctx);
