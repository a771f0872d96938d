/*
 * lease_fixture.c - see lease_fixture.h.
 */
#include "lease_fixture.h"

static void
tell(void *ctx, enum request what, uint32_t instance, int error, uint32_t vips_n, struct mono at)
{
	struct lease_fixture *f = ctx;

	f->told[what]++;
	f->error = error;
	f->vips_n = vips_n;
	if (what == REQUEST_RESTORED)
		f->restored_n = vips_n;
	f->at = at;
}

void
lease_fixture_on_change(void *ctx)
{
	struct lease_fixture *f = ctx;

	leases_settle(&f->leases);
	if (f->restore)
		leases_restore(&f->leases, mono_now());
}

void
lease_fixture_begin(struct lease_fixture *f, int family, uint32_t vips_n, uint32_t lease_s)
{
	*f = (struct lease_fixture){ .arena = arena_new(), .restore = true };
	f->conf = lab_conf(f->arena, vips_n, lease_s);
	if (family == AF_INET6)
		lab_ipv6(f->conf);
	assert_int_equal(loop_init(&f->loop), 0);
	assert_int_equal(
		netwatch_init(&f->watch, &f->loop, f->conf, NULL, lease_fixture_on_change, f), 0);
	assert_int_equal(vip_keeper_init(&f->vips, f->conf, &f->watch), 0);
	assert_int_equal(paths_init(&f->paths, &f->loop, f->conf, &f->watch), 0);
	assert_int_equal(announcer_init(&f->announcer, &f->watch), 0);
	assert_int_equal(solicitor_init(&f->solicitor, f->conf, &f->watch, f->announcer.fd), 0);
	assert_int_equal(vrrp_sockets_init(&f->sockets, f->conf, &f->watch, NULL), 0);
	assert_int_equal(ledger_create(&f->ledger, f->conf), 0);
	f->kernel = (struct lease_kernel){
		.conf = f->conf,
		.watch = &f->watch,
		.vips = &f->vips,
		.paths = &f->paths,
		.firewall = &f->firewall,
		.announcer = &f->announcer,
		.solicitor = &f->solicitor,
		.sockets = &f->sockets,
		.ledger = &f->ledger,
	};
	assert_int_equal(leases_init(&f->leases, f->conf, &lease_kernel_ops, &f->kernel, tell, f),
			 0);
}

void
lease_fixture_end(struct lease_fixture *f)
{
	leases_execute_wills(&f->leases);
	assert_false(lab_has("10.9.1.1"));
	assert_false(lab_has("fd09::1:1"));
	leases_fini(&f->leases);
	ledger_fini(&f->ledger);
	vrrp_sockets_fini(&f->sockets);
	solicitor_fini(&f->solicitor);
	announcer_fini(&f->announcer);
	paths_fini(&f->paths);
	vip_keeper_fini(&f->vips);
	netwatch_fini(&f->watch);
	loop_fini(&f->loop);
	arena_free(f->arena);
}
