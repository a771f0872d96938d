/*
 * generation_estate.c - a generation in the guardian's estate (estate.h), both ways.  Runs on the
 * guardian's loop, or in the child that tries whether another binary can read it.
 *
 * What is read becomes a generation that is good for one thing: to be the former one, whose sockets,
 * leases and scripts the next of the same configuration goes on with, as on a reload.  Reading opens,
 * closes and starts nothing.
 */
#include "common/fingerprint.h"
#include "daemon/estate.h"
#include "daemon/generation.h"

#include <limits.h>
#include <string.h>

/* ---- do both see the same configuration? ---- */

static uint64_t
add_text(uint64_t shape, const char *text)
{
	return fingerprint_add(shape, text ? text : "", text ? strlen(text) + 1 : 1);
}

static uint64_t
add_instance(uint64_t shape, const struct conf_instance *c)
{
	shape = add_text(shape, c->name);
	shape = fingerprint_number(shape, c->interface);
	shape = fingerprint_number(shape, (uint64_t)c->vrid << 16 | c->family);
	shape = fingerprint_number(shape, c->vips_n);
	for (size_t i = 0; i < c->vips_n; i++)
		shape = fingerprint_add(shape, c->vips[i].ip.bytes, ip_len(&c->vips[i].ip));
	return shape;
}

/* Of everything that guardian and worker name by its index. */
static uint64_t
shape_of(const struct conf *conf)
{
	uint64_t shape = fingerprint_number(FINGERPRINT_NONE, conf->instances_n);

	for (size_t i = 0; i < conf->interfaces_n; i++)
		shape = add_text(shape, conf->interfaces[i].name);
	for (size_t i = 0; i < conf->instances_n; i++)
		shape = add_instance(shape, &conf->instances[i]);
	for (size_t i = 0; i < conf->groups_n; i++)
		shape = add_text(shape, conf->groups[i].name);
	for (size_t i = 0; i < conf->scripts_n; i++)
		shape = add_text(shape, conf->scripts[i].name);
	for (size_t i = 0; i < conf->track_files_n; i++)
		shape = add_text(shape, conf->track_files[i].name);
	for (size_t i = 0; i < conf->track_processes_n; i++)
		shape = add_text(shape, conf->track_processes[i].name);
	for (size_t i = 0; i < conf->proxies_n; i++) {
		shape = add_text(shape, conf->proxies[i].name);
		shape = fingerprint_number(shape, conf->proxies[i].binds_n);
	}
	return shape;
}

static void
configuration_estate(struct generation *g, struct estate *e)
{
	uint64_t shape = g->conf ? shape_of(g->conf) : 0;

	estate_section(e, "configuration");
	estate_u32(e, &g->number, UINT32_MAX);
	estate_bytes(e, &g->packed, &g->packed_len);
	estate_bytes(e, &g->tls_files, &g->tls_files_len);
	estate_u64(e, &shape);
	if (e->writing || estate_failed(e))
		return;
	g->arena = arena_new();
	if (!g->packed || generation_load(g) < 0)
		estate_fail(e, "that version does not accept the configuration in force");
	else if (shape_of(g->conf) != shape)
		estate_fail(e, "that version understands the configuration in force otherwise");
	else
		generation_init(g);
}

/* ---- the rest ---- */

static void
worker_estate(struct generation *g, struct estate *e)
{
	uint32_t turn = g->gate.turn;

	child_estate(&g->child, e);
	estate_u32(e, &turn, PRIVILEGED_TURN_OVER);
	estate_bool(e, &g->stopped);
	estate_u32(e, &g->backoff.next_ms, BACKOFF_LAST_MS);
	estate_u32(e, &g->backoff.deaths, UINT32_MAX);
	estate_u32(e, &g->remaining, UINT32_MAX);
	estate_mono(e, &g->retired_at);
	g->gate.turn = (enum privileged_turn)turn;
}

static void
resources_estate(struct resources *r, const struct conf *conf, struct estate *e)
{
	if (!e->writing) {
		resources_clear(r);
		if (leases_init(&r->leases, conf, &lease_kernel_ops, &r->kernel, NULL, NULL) < 0) {
			estate_fail(e, "out of memory");
			return;
		}
	}
	leases_estate(&r->leases, e);
	netwatch_estate(&r->watch, conf, e);
	vmacs_estate(&r->vmacs, conf, &r->watch, e);
	static_addresses_estate(&r->statics, conf, e);
	paths_estate(&r->paths, conf, &r->watch, e);
	listeners_estate(&r->listeners, conf, e);
	vrrp_sockets_estate(&r->sockets, conf, e);
	firewall_estate(&r->firewall, e);
	ledger_estate(&r->ledger, e);
}

void
generation_estate(struct generation *g, struct estate *e)
{
	configuration_estate(g, e);
	if (estate_failed(e))
		return;
	worker_estate(g, e);
	resources_estate(&g->res, g->conf, e);
	if (estate_failed(e))
		return;
	log_sockets_estate(&g->logs, g->conf, e);
	check_scripts_estate(&g->checks, g->of.loop, g->conf, e);
	external_checks_estate(&g->external, g->of.loop, g->conf, e);
	notifier_estate(&g->notifier, g->of.loop, g->conf, e);
}

void
generation_former_estate(struct generation *g, struct estate *e)
{
	static const struct conf none; /* whatever it still says, it names nothing by an index */

	estate_section(e, "former worker");
	estate_u32(e, &g->number, UINT32_MAX);
	if (!e->writing) {
		g->conf = &none;
		generation_init(g);
		g->closed = true;
	}
	worker_estate(g, e);
}
