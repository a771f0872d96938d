/*
 * words_instance.c - the directives of a vrrp_instance block.  Its lists of addresses are in
 * words_vip.c, what it tracks is in words_track.c.
 */
#include "conf/parser.h"
#include "conf/value.h"
#include "conf/words_command.h"
#include "conf/words_idle.h"
#include "conf/words_lists.h"
#include "conf/words_paths.h"

#include <string.h>

static struct instance_draft *
draft_of(struct conf_call *call)
{
	return &call->p->instances[call->p->instances_n - 1];
}

static void
parse_interface(struct conf_call *call)
{
	struct conf_instance *instance = call->object;
	const struct conf_word *word = call_word(call, 1, "an interface's name");

	call->used = 2;
	if (word && parse_interface_name(call, word))
		instance->interface = parser_interface(call->p, word->text);
}

static void
print_interface(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;

	if (instance->interface == CONF_NONE)
		return;
	print_name(pr, row->name);
	print_word(pr, pr->conf->interfaces[instance->interface].name);
	print_end(pr);
}

/* Seconds, kept exactly: what they mean depends on the version, which may come later. */
static void
parse_advert_int(struct conf_call *call)
{
	const struct conf_word *word = call_word(call, 1, "seconds");
	int64_t us;

	call->used = 2;
	if (!word)
		return;
	if (value_seconds(word->text, &us) < 0 || us < 10000 || us > 255000000)
		conf_error(&call->p->reporter, word->pos,
			   "`advert_int` needs seconds from 0.01 to 255 (version 3: 40.95), not "
			   "`%.40s`",
			   word->text);
	else
		draft_of(call)->advert_int_us = (uint32_t)us;
}

static void
print_advert_int(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;
	char buf[VALUE_STRLEN];

	if (instance->advert_int_cs == 100)
		return;
	print_name(pr, row->name);
	fprintf(pr->out, " %s", value_format_seconds(instance->advert_int_cs * UINT64_C(10), buf));
	print_end(pr);
}

/* A flag that may be unset, too; the field is an enum conf_switch. */
static void
parse_switch(struct conf_call *call)
{
	enum conf_switch value = call_flag(call) ? CONF_ON : CONF_OFF;

	memcpy((char *)call->object + call->row->offset, &value, sizeof value);
}

static void
print_switch(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	enum conf_switch value;

	memcpy(&value, (const char *)object + row->offset, sizeof value);
	if (value == CONF_UNSET)
		return;
	print_name(pr, row->name);
	if (value == CONF_OFF)
		print_word(pr, "off");
	print_end(pr);
}

/* "garp_extra_if [all] SECONDS" */
static void
parse_garp_extra(struct conf_call *call)
{
	struct conf_instance *instance = call->object;
	bool all = call->words_n > 1 && strcmp(call->words[1].text, "all") == 0;
	const struct conf_word *word = call_word(call, all ? 2 : 1, "seconds");
	int64_t us;

	call->used = all ? 3 : 2;
	if (!word)
		return;
	if (value_seconds(word->text, &us) < 0 || us < 0 || us > 86400 * INT64_C(1000000)) {
		conf_error(&call->p->reporter, word->pos,
			   "`garp_extra_if` needs seconds from 0 to 86400, not `%.40s`",
			   word->text);
		return;
	}
	instance->garp_extra_if.all = all;
	instance->garp_extra_if.interval_ms = (uint32_t)(us / 1000);
}

static void
print_garp_extra(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;
	char buf[VALUE_STRLEN];

	if (instance->garp_extra_if.interval_ms == 0)
		return;
	print_name(pr, row->name);
	if (instance->garp_extra_if.all)
		print_word(pr, "all");
	print_word(pr, value_format_seconds(instance->garp_extra_if.interval_ms, buf));
	print_end(pr);
}

/* "old_unicast_checksum [never]" */
static void
parse_old_checksum(struct conf_call *call)
{
	struct conf_instance *instance = call->object;
	bool never = call->words_n > 1 && strcmp(call->words[1].text, "never") == 0;

	instance->old_unicast_checksum = never ? CONF_OFF : CONF_ON;
	call->used = never ? 2 : 1;
}

static void
print_old_checksum(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;

	if (instance->old_unicast_checksum == CONF_UNSET)
		return;
	print_name(pr, row->name);
	if (instance->old_unicast_checksum == CONF_OFF)
		print_word(pr, "never");
	print_end(pr);
}

/* "accept", "no_accept" */
static void
parse_accept(struct conf_call *call)
{
	struct conf_instance *instance = call->object;

	instance->accept = strcmp(call->row->name, "accept") == 0 ? CONF_ON : CONF_OFF;
	call->used = 1;
}

static void
print_accept(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;

	if (instance->accept == CONF_UNSET)
		return;
	print_name(pr, instance->accept == CONF_ON ? "accept" : "no_accept");
	print_end(pr);
}

/* "nopreempt [strict]" */
static void
parse_nopreempt(struct conf_call *call)
{
	struct conf_instance *instance = call->object;

	instance->nopreempt = CONF_NOPREEMPT;
	call->used = 1;
	if (call->words_n > 1 && strcmp(call->words[1].text, "strict") == 0) {
		instance->nopreempt = CONF_NOPREEMPT_STRICT;
		call->used = 2;
	}
}

static void
print_nopreempt(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;

	if (instance->nopreempt == CONF_PREEMPT)
		return;
	print_name(pr, row->name);
	if (instance->nopreempt == CONF_NOPREEMPT_STRICT)
		print_word(pr, "strict");
	print_end(pr);
}

static void
parse_preempt(struct conf_call *call)
{
	struct conf_instance *instance = call->object;

	instance->nopreempt = CONF_PREEMPT;
	call->used = 1;
}

static void
parse_auth_type(struct conf_call *call)
{
	struct conf_instance *instance = call->object;
	const struct conf_word *word = call_word(call, 1, "PASS");

	call->used = 2;
	if (!word)
		return;
	if (strcmp(word->text, "PASS") == 0)
		instance->auth = CONF_AUTH_PASS;
	else if (strcmp(word->text, "AH") == 0)
		conf_warning(
			&call->p->reporter, word->pos,
			"`auth_type AH` is not there (RFC 3768 removed it): advertisements are "
			"not authenticated, and beside a keepalived that wants it there are two "
			"masters: write PASS on all nodes");
	else
		conf_error(&call->p->reporter, word->pos, "`auth_type` is PASS, not `%.40s`",
			   word->text);
}

static void
parse_auth_pass(struct conf_call *call)
{
	struct conf_instance *instance = call->object;
	const struct conf_word *word = call_word(call, 1, "a password");
	size_t len;

	call->used = 2;
	if (!word)
		return;
	len = strlen(word->text);
	memset(instance->auth_data, 0, sizeof instance->auth_data);
	memcpy(instance->auth_data, word->text,
	       len < sizeof instance->auth_data ? len : sizeof instance->auth_data);
	if (len > sizeof instance->auth_data)
		conf_warning(&call->p->reporter, word->pos,
			     "only the first 8 characters of `auth_pass` count (keepalived and the "
			     "protocol have no room for more)");
	if (len == 0 && call->words_n > 2) {
		/* """x y""": keepalived takes the empty word, and a pair must agree. */
		conf_warning(&call->p->reporter, word->pos,
			     "three quotes begin with an empty word, which is the whole password: "
			     "there is no authentication, as with keepalived; use one quote on "
			     "either side");
		draft_of(call)->empty_pass_told = true;
		call->used = call->words_n;
	}
}

static void
parse_authentication(struct conf_call *call)
{
	keepalived_read_block(call, &table_auth, call->object);
}

static void
print_authentication(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;

	if (instance->auth == CONF_AUTH_NONE)
		return;
	fprintf(pr->out, "%s%s {\n%s\tauth_type PASS\n%s\tauth_pass <hidden>\n%s}\n", pr->indent,
		row->name, pr->indent, pr->indent, pr->indent);
}

static void
parse_state(struct conf_call *call)
{
	struct conf_instance *instance = call->object;
	const struct conf_word *word = call_word(call, 1, "MASTER or BACKUP");

	call->used = 2;
	if (!word)
		return;
	if (strcmp(word->text, "MASTER") == 0) {
		instance->state = CONF_STATE_MASTER;
		return;
	}
	instance->state = CONF_STATE_BACKUP;
	if (strcmp(word->text, "BACKUP") != 0)
		conf_warning(&call->p->reporter, word->pos,
			     "`state` is MASTER or BACKUP; `%.40s` counts as BACKUP", word->text);
}

static void
print_state(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;

	if (instance->state == CONF_STATE_MASTER) {
		print_name(pr, row->name);
		print_word(pr, "MASTER");
		print_end(pr);
	}
}

/* keepalived, too, has one source address, by two names. */
static void
parse_mcast_src_ip(struct conf_call *call)
{
	struct conf_word *words = arena_alloc(call->p->arena, call->words_n * sizeof *words);

	for (size_t i = 0; i < call->words_n; i++)
		words[i] = call->words[i];
	words[0].text = "unicast_src_ip";
	table_read(call->p, call->table, call->object, words, call->words_n, call->end, false);
}

/* The version was resolved; what global_defs says need not be repeated. */
static void
print_version(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;

	if (instance->version == pr->conf->vrrp_version)
		return;
	print_name(pr, row->name);
	fprintf(pr->out, " %u", instance->version);
	print_end(pr);
}

static const struct conf_row auth_rows[] = {
	{ "auth_type", CONF_TYPE_CALL, .parse = parse_auth_type, .doc = "PASS" },
	{ "auth_pass", CONF_TYPE_CALL, .parse = parse_auth_pass, .flags = ROW_SECRET,
	  .doc = "the password, eight characters" },
};

const struct conf_table table_auth = {
	.name = "authentication",
	.dialect = CONF_KEEPALIVED,
	.object_size = sizeof(struct conf_instance),
	TABLE_ROWS(auth_rows),
};

#define REFUSED(word, reason)                          \
	{                                              \
		word, CONF_TYPE_REFUSED, .doc = reason \
	}

static const struct conf_row rows[] = {
	{ "state", CONF_TYPE_CALL, .parse = parse_state, .print = print_state,
	  .doc = "MASTER or BACKUP; matters only with priority 255" },
	{ "interface", CONF_TYPE_CALL, .parse = parse_interface, .print = print_interface,
	  .doc = "where advertisements go, and the addresses unless they say otherwise" },
	{ "virtual_router_id", CONF_TYPE_INT, ROW_FIELD(conf_instance, vrid), .min = 1, .max = 255,
	  .doc = "tells virtual routers of one network apart" },
	{ "priority", CONF_TYPE_INT, ROW_FIELD(conf_instance, priority), .min = 1, .max = 255,
	  .def = "100", .doc = "the highest becomes master; 255 = owner of the addresses" },
	{ "version", CONF_TYPE_INT, ROW_FIELD(conf_instance, version), .min = 2, .max = 3,
	  .print = print_version, .doc = "2 or 3; vrrp_version" },
	{ "advert_int", CONF_TYPE_CALL, .parse = parse_advert_int, .print = print_advert_int,
	  .doc = "seconds between advertisements; version 3 allows hundredths" },
	{ "nopreempt", CONF_TYPE_CALL, .parse = parse_nopreempt, .print = print_nopreempt,
	  .doc = "a working master is not replaced; `strict`: nor one whose priority has fallen" },
	{ "preempt", CONF_TYPE_CALL, .parse = parse_preempt, .doc = "the default" },
	{ "preempt_delay", CONF_TYPE_SECONDS, ROW_FIELD(conf_instance, preempt_delay_ms),
	  .max = 1000000, .doc = "seconds to wait before replacing a working master" },
	{ "authentication", CONF_TYPE_BLOCK, .inside = &table_auth, .parse = parse_authentication,
	  .print = print_authentication, .doc = "version 2's password" },
	{ "auth_hmac", CONF_TYPE_BLOCK, .inside = &table_hmac, .parse = parse_hmac,
	  .print = print_hmac,
	  .doc = "signed advertisements, that nobody else can make, alter or repeat: both versions, "
		 "both families, keepalived from 2.4.2 on" },
	{ "unicast_src_ip", CONF_TYPE_IP, ROW_FIELD(conf_instance, unicast_src),
	  .doc = "the source address of advertisements; the interface's first" },
	{ "use_vmac", CONF_TYPE_CALL, .parse = parse_use_vmac, .print = print_use_vmac,
	  .doc = "the addresses live on an interface with the virtual router's MAC: [NAME] [MAC]" },
	{ "vmac_xmit_base", CONF_TYPE_FLAG, ROW_FIELD(conf_instance, vmac_xmit_base),
	  .doc = "advertisements leave from `interface` all the same" },
	{ "use_vmac_addr", CONF_TYPE_FLAG, ROW_FIELD(conf_instance, use_vmac_addr),
	  .doc = "addresses on other interfaces, or of the other family, have virtual MACs, too" },
	{ "mcast_src_ip", CONF_TYPE_CALL, .parse = parse_mcast_src_ip,
	  .doc = "the same as unicast_src_ip" },
	{ "mcast_dst_ip", CONF_TYPE_IP, ROW_FIELD(conf_instance, mcast_group),
	  .doc = "the multicast group advertisements go to; vrrp_mcast_group4 or 6" },
	{ "unicast_peer", CONF_TYPE_BLOCK, .flags = ROW_REPEATS, .parse = parse_unicast_peer,
	  .print = print_unicast_peer,
	  .doc = "the other nodes, instead of multicast: ADDRESS [min_ttl N] [max_ttl N]" },
	{ "unicast_ttl", CONF_TYPE_INT, ROW_FIELD(conf_instance, unicast_ttl), .min = 1, .max = 255,
	  .def = "255", .doc = "the TTL or hop limit of what is sent to peers" },
	{ "virtual_ipaddress", CONF_TYPE_BLOCK, .flags = ROW_REPEATS, .inside = &table_vip,
	  .parse = parse_vips, .print = print_vips, .doc = "the addresses the master holds" },
	{ "virtual_ipaddress_excluded", CONF_TYPE_BLOCK, .flags = ROW_REPEATS, .inside = &table_vip,
	  .parse = parse_vips_excluded, .print = print_vips_excluded,
	  .doc = "addresses the master holds but does not advertise" },
	{ "virtual_routes", CONF_TYPE_BLOCK, .flags = ROW_REPEATS, .inside = &table_route,
	  .parse = parse_virtual_routes, .print = print_virtual_routes,
	  .doc = "routes that the master has" },
	{ "virtual_rules", CONF_TYPE_BLOCK, .flags = ROW_REPEATS, .inside = &table_rule,
	  .parse = parse_virtual_rules, .print = print_virtual_rules,
	  .doc = "rules of routing that the master has" },
	TRACK_ROWS(conf_instance),
	{ "dont_track_primary", CONF_TYPE_FLAG, ROW_FIELD(conf_instance, dont_track_primary),
	  .doc = "the instance takes part though its own link is down" },
	{ "track_proxy", CONF_TYPE_CALL, .parse = parse_track_proxy,
	  .doc = "the proxy not serving is FAULT; the default" },
	{ "no_track_proxy", CONF_TYPE_FLAG, ROW_FIELD(conf_instance, no_track_proxy),
	  .doc = "the proxy's state does not matter to this instance" },
	{ "track_backend", CONF_TYPE_CALL, ROW_FIELD(conf_instance, track_backends),
	  .flags = ROW_REPEATS, .parse = parse_track_backend, .print = print_track_backend,
	  .doc = "too few usable servers lower the priority: NAME [weight N] [min N]" },
	{ "garp_master_delay", CONF_TYPE_SECONDS, ROW_FIELD(conf_instance, garp_master_delay_ms),
	  .max = 3600000, .def = "5", .flags = ROW_GLOBAL,
	  .doc = "seconds until the second round of announcements" },
	{ "garp_master_repeat", CONF_TYPE_INT, ROW_FIELD(conf_instance, garp_master_repeat),
	  .min = 1, .max = 255, .def = "5", .flags = ROW_GLOBAL,
	  .doc = "announcements in a round" },
	{ "garp_master_refresh", CONF_TYPE_SECONDS,
	  ROW_FIELD(conf_instance, garp_master_refresh_ms), .max = 86400000, .flags = ROW_GLOBAL,
	  .doc = "seconds between announcements of a settled master; 0 = none" },
	{ "garp_master_refresh_repeat", CONF_TYPE_INT,
	  ROW_FIELD(conf_instance, garp_master_refresh_repeat), .min = 1, .max = 255, .def = "1",
	  .flags = ROW_GLOBAL, .doc = "announcements in a refresh" },
	{ "garp_extra_if", CONF_TYPE_CALL, ROW_FIELD(conf_instance, garp_extra_if),
	  .flags = ROW_GLOBAL, .parse = parse_garp_extra, .print = print_garp_extra,
	  .doc = "[all] seconds between announcements on the other virtual interfaces, or all "
		 "other interfaces, of its addresses; 0 = none" },
	{ "garp_lower_prio_delay", CONF_TYPE_SECONDS,
	  ROW_FIELD(conf_instance, garp_lower_prio_delay_ms), .flags = ROW_GLOBAL, .max = 3600000,
	  .def = "5", .doc = "seconds until the second round after a lower priority was heard" },
	{ "garp_lower_prio_repeat", CONF_TYPE_INT, ROW_FIELD(conf_instance, garp_lower_prio_repeat),
	  .flags = ROW_GLOBAL, .max = 255, .def = "5",
	  .doc = "announcements when a master hears a lower priority, at most once a second" },
	{ "lower_prio_no_advert", CONF_TYPE_CALL, ROW_FIELD(conf_instance, lower_prio_no_advert),
	  .flags = ROW_GLOBAL, .parse = parse_switch, .print = print_switch,
	  .doc = "a master does not answer a lower priority; version 2 does not by itself" },
	{ "higher_prio_send_advert", CONF_TYPE_CALL,
	  ROW_FIELD(conf_instance, higher_prio_send_advert), .flags = ROW_GLOBAL,
	  .parse = parse_switch, .print = print_switch,
	  .doc = "a master that hears a higher priority advertises once more; on unless strict" },
	{ "accept", CONF_TYPE_CALL, .parse = parse_accept, .print = print_accept,
	  .doc = "traffic to the virtual addresses is accepted; the default unless strict" },
	{ "no_accept", CONF_TYPE_CALL, .parse = parse_accept,
	  .doc = "traffic to and from the virtual addresses is dropped, by nftables" },
	{ "down_timer_adverts", CONF_TYPE_INT, ROW_FIELD(conf_instance, down_timer_adverts),
	  .flags = ROW_GLOBAL, .min = 1, .max = 100, .def = "3",
	  .doc = "intervals without an advertisement after which a master is gone" },
	{ "strict_mode", CONF_TYPE_FLAG, ROW_FIELD(conf_instance, strict_mode), .flags = ROW_GLOBAL,
	  .doc = "what the RFCs do not have is switched off" },
	{ "skip_check_adv_addr", CONF_TYPE_FLAG, ROW_FIELD(conf_instance, skip_check_adv_addr),
	  .flags = ROW_GLOBAL,
	  .doc = "addresses of the same sender are compared with ours only once" },
	{ "owner_ignore_adverts", CONF_TYPE_FLAG, ROW_FIELD(conf_instance, owner_ignore_adverts),
	  .flags = ROW_GLOBAL,
	  .doc = "a master that owns the addresses (priority 255) listens to nobody, as the RFCs have "
		 "it; else it gives way to another owner of a higher address" },
	{ "old_unicast_checksum", CONF_TYPE_CALL, .parse = parse_old_checksum,
	  .print = print_old_checksum,
	  .doc = "version 3 unicast checksums as keepalived had them up to 1.3.6, which are always "
		 "accepted unless `never`" },
	{ "v3_checksum_as_v2", CONF_TYPE_FLAG, ROW_FIELD(conf_instance, v3_checksum_as_v2),
	  .doc = "version 3 checksums without the pseudo-header, as RFC 9568 has them" },
	NOTIFY_ROW(conf_instance, "notify_master", master, "run on becoming master"),
	NOTIFY_ROW(conf_instance, "notify_backup", backup, "run on becoming backup"),
	NOTIFY_ROW(conf_instance, "notify_fault", fault, "run on FAULT"),
	NOTIFY_ROW(conf_instance, "notify_stop", stop,
		   "run on stopping, which waits at most 5 seconds for it"),
	NOTIFY_ROW(
		conf_instance, "notify", any,
		"run after these, with INSTANCE, the name, the state and the priority as arguments"),
	NOTIFY_ROW(conf_instance, "notify_master_rx_lower_pri", master_rx_lower_pri,
		   "run when a master hears an advertisement of lower priority"),
	{ "notify_deleted", CONF_TYPE_CALL, ROW_FIELD(conf_instance, notify.deleted),
	  .parse = parse_notify_deleted, .print = print_notify_deleted,
	  .doc = "run when a reload removes the instance; without it, that is a FAULT" },
	{ "notify_priority_changes", CONF_TYPE_FLAG,
	  ROW_FIELD(conf_instance, notify.priority_changes),
	  .doc = "the FIFOs are told of changes of the priority, too" },
	INSTANCE_IDLE_ROWS,
	IDLE("native_ipv6", "the virtual addresses decide about the family"),
	REFUSED("vrf", "start the whole daemon in the VRF (ip vrf exec)"),
};

const struct conf_table table_instance = {
	.name = "a vrrp_instance",
	.dialect = CONF_KEEPALIVED,
	.object_size = sizeof(struct conf_instance),
	TABLE_ROWS(rows),
};
