/*
 * words_global_defs.c - the directives of keepalived's global_defs block, and ours in its style.
 */
#include "conf/parser.h"
#include "conf/value.h"
#include "conf/words_command.h"
#include "conf/words_idle.h"
#include "conf/words_lists.h"

#include <sched.h>
#include <string.h>

/* "script_user NAME [GROUP]" */
static void
parse_script_user(struct conf_call *call)
{
	struct conf *conf = call->object;

	parse_user_group(call, 1, &conf->script_user, &conf->script_group);
}

static void
print_script_user(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf *conf = object;

	print_user_group(pr, row, conf->script_user, conf->script_group);
}

static void
parse_default_interface(struct conf_call *call)
{
	struct conf *conf = call->object;
	const struct conf_word *word = call_word(call, 1, "an interface's name");

	call->used = 2;
	if (word && parse_interface_name(call, word))
		conf->default_interface = word->text;
}

static void
print_default_interface(const struct conf_printer *pr, const struct conf_row *row,
			const void *object)
{
	const struct conf *conf = object;

	if (!conf->default_interface)
		return;
	print_name(pr, row->name);
	print_word(pr, conf->default_interface);
	print_end(pr);
}

static void
parse_cpus(struct conf_call *call)
{
	struct conf *conf = call->object;
	const struct conf_word *word = call_word(call, 1, "numbers of CPUs");
	int64_t cpu;

	conf->cpus_n = 0;
	for (size_t i = 1; word && i < call->words_n; i++)
		if (call_int(call, &call->words[i], 0, CPU_SETSIZE - 1, &cpu))
			*ARENA_PUSH(call->p->arena, conf->cpus, conf->cpus_n) = (uint16_t)cpu;
}

static void
print_cpus(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf *conf = object;

	if (conf->cpus_n == 0)
		return;
	print_name(pr, row->name);
	for (size_t i = 0; i < conf->cpus_n; i++)
		fprintf(pr->out, " %u", conf->cpus[i]);
	print_end(pr);
}

/* Seconds, in microseconds: the field is a uint32_t. */
static void
parse_pause(struct conf_call *call)
{
	const struct conf_word *word = call_word(call, 1, "seconds");
	int64_t us;

	call->used = 2;
	if (!word)
		return;
	if (value_seconds(word->text, &us) < 0 || us < 0 || us > 1000000)
		conf_error(&call->p->reporter, word->pos,
			   "`%s` needs seconds from 0 to 1, not `%.40s`", call->row->name,
			   word->text);
	else
		*(uint32_t *)(void *)((char *)call->object + call->row->offset) = (uint32_t)us;
}

static void
print_pause(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	uint32_t us = *(const uint32_t *)(const void *)((const char *)object + row->offset);

	if (us == 0)
		return;
	print_name(pr, row->name);
	fprintf(pr->out, " %u.%06u", us / 1000000, us % 1000000);
	print_end(pr);
}

/* vrrp_NAME: what instances that do not say otherwise use. */
static void
parse_default(struct conf_call *call)
{
	const char *name = strcmp(call->row->name, "vrrp_strict") == 0
				   ? "strict_mode"
				   : call->row->name + strlen("vrrp_");
	struct conf_word *words = arena_alloc(call->p->arena, call->words_n * sizeof *words);

	for (size_t i = 0; i < call->words_n; i++)
		words[i] = call->words[i];
	words[0].text = name;
	table_read(call->p, &table_instance, &call->p->instance_defaults, words, call->words_n,
		   call->end, false);
}

/* It concerns the lines below. */
static void
parse_random_seed(struct conf_call *call)
{
	const struct conf_word *word = call_word(call, 1, "a number");
	int64_t seed;

	call->used = word ? 2 : 1;
	if (word && call_int(call, word, 0, UINT32_MAX, &seed))
		call->p->lexer.random = (uint64_t)(seed + 1) * UINT64_C(11400714819323198485);
}

static void
print_router_id(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf *conf = object;

	/* Left out, it is the node's name. */
	if (!conf->router_id || strcmp(conf->router_id, conf->node) == 0)
		return;
	print_name(pr, row->name);
	print_word(pr, conf->router_id);
	print_end(pr);
}

#define DEFAULT(word, text)                                               \
	{                                                                 \
		word, CONF_TYPE_CALL, .parse = parse_default, .doc = text \
	}

#define FIFO(word, member, text)                                                                \
	{                                                                                       \
		word, CONF_TYPE_CALL, ROW_FIELD(conf, member), .parse = parse_fifo,             \
							       .print = print_fifo, .doc = text \
	}
#define FIFO_SCRIPT(word, member, text)                                           \
	{                                                                         \
		word, CONF_TYPE_CALL, ROW_FIELD(conf, member.script),             \
			.parse = parse_notify, .print = print_notify, .doc = text \
	}

static const struct conf_row rows[] = {
	{ "router_id", CONF_TYPE_STRING, ROW_FIELD(conf, router_id), .print = print_router_id,
	  .doc = "how this node calls itself; the host's name" },
	{ "vrrp_version", CONF_TYPE_INT, ROW_FIELD(conf, vrrp_version), .min = 2, .max = 3,
	  .def = "2", .doc = "the protocol's version where an instance does not say" },
	{ "vip_lease", CONF_TYPE_INT, ROW_FIELD(conf, vip_lease_s), .max = 86400, .def = "3",
	  .doc = "seconds the kernel keeps the virtual addresses of a dead daemon; 0 = for ever" },
	{ "watchdog", CONF_TYPE_INT, ROW_FIELD(conf, watchdog_ms), .min = 10, .max = 60000,
	  .def = "500",
	  .doc = "milliseconds of silence after which the worker's will is executed; at least 10000 "
		 "without a vrrp_instance, where nobody would take over" },
	{ "vrrp_startup_delay", CONF_TYPE_SECONDS, ROW_FIELD(conf, startup_delay_ms),
	  .doc = "seconds after the start before an instance may become master" },
	{ "vrrp_delay_after_boot", CONF_TYPE_SECONDS, ROW_FIELD(conf, boot_delay_ms),
	  .doc = "the same, counted from the boot of the host" },
	{ "vrrp_mcast_group4", CONF_TYPE_IP, ROW_FIELD(conf, mcast_group4), .def = "224.0.0.18",
	  .doc = "the multicast group advertisements go to" },
	{ "vrrp_mcast_group6", CONF_TYPE_IP, ROW_FIELD(conf, mcast_group6), .def = "ff02::12",
	  .doc = "the same for IPv6" },
	{ "default_interface", CONF_TYPE_CALL, .parse = parse_default_interface,
	  .print = print_default_interface,
	  .doc = "the interface of static addresses that name none; eth0" },
	{ "random_seed", CONF_TYPE_CALL, .parse = parse_random_seed,
	  .doc = "a number that those of `${_RANDOM}` below it follow from; else they follow from "
		 "the node's name, so that they are the same each time" },
	{ "script_user", CONF_TYPE_CALL, ROW_FIELD(conf, script_user), .parse = parse_script_user,
	  .print = print_script_user,
	  .doc = "the user, and maybe group, that scripts run as; keepalived_script, else root" },
	{ "enable_script_security", CONF_TYPE_FLAG, ROW_FIELD(conf, enable_script_security),
	  .doc = "scripts that somebody else could write to do not run as root" },
	FIFO("notify_fifo", notify_fifo, "a FIFO that is told of every change of state"),
	FIFO_SCRIPT("notify_fifo_script", notify_fifo,
		    "a program that is kept running to read it; its path is the last argument"),
	FIFO("vrrp_notify_fifo", vrrp_notify_fifo, "a second FIFO like notify_fifo"),
	FIFO_SCRIPT("vrrp_notify_fifo_script", vrrp_notify_fifo, "the program that reads it"),
	{ "vrrp_notify_priority_changes", CONF_TYPE_FLAG, ROW_FIELD(conf, notify_priority_changes),
	  .doc = "notify_priority_changes for every instance" },
	{ "script_security", CONF_TYPE_FLAG, ROW_FIELD(conf, enable_script_security),
	  .flags = ROW_OLD, .doc = "enable_script_security" },
	DEFAULT("vrrp_garp_master_delay", "default of garp_master_delay"),
	DEFAULT("vrrp_garp_master_repeat", "default of garp_master_repeat"),
	DEFAULT("vrrp_garp_master_refresh", "default of garp_master_refresh"),
	DEFAULT("vrrp_garp_master_refresh_repeat", "default of garp_master_refresh_repeat"),
	DEFAULT("vrrp_garp_extra_if", "default of garp_extra_if"),
	DEFAULT("vrrp_garp_lower_prio_delay",
		"default of garp_lower_prio_delay; vrrp_garp_master_delay"),
	DEFAULT("vrrp_garp_lower_prio_repeat",
		"default of garp_lower_prio_repeat; vrrp_garp_master_repeat"),
	{ "vrrp_garp_interval", CONF_TYPE_CALL, ROW_FIELD(conf, garp_interval_us),
	  .parse = parse_pause, .print = print_pause,
	  .doc = "seconds between two announcements of IPv4 addresses on an interface" },
	{ "vrrp_gna_interval", CONF_TYPE_CALL, ROW_FIELD(conf, gna_interval_us),
	  .parse = parse_pause, .print = print_pause, .doc = "the same for IPv6 addresses" },
	{ "vrrp_rt_priority", CONF_TYPE_INT, ROW_FIELD(conf, rt_priority), .min = 1, .max = 99,
	  .def = "20",
	  .doc = "the real-time priority of the VRRP thread and of the guardian, where allowed" },
	{ "vrrp_no_swap", CONF_TYPE_FLAG, ROW_FIELD(conf, no_swap),
	  .doc = "the worker's memory is not swapped out; the guardian's never is" },
	{ "vrrp_cpu_affinity", CONF_TYPE_CALL, .parse = parse_cpus, .print = print_cpus,
	  .doc = "the CPUs that the VRRP thread may run on" },
	{ "vmac_prefix", CONF_TYPE_STRING, ROW_FIELD(conf, vmac_prefix), .def = "vrrp",
	  .doc = "what the names of virtual interfaces begin with" },
	{ "vmac_addr_prefix", CONF_TYPE_STRING, ROW_FIELD(conf, vmac_addr_prefix),
	  .doc = "the same for those of use_vmac_addr; vmac_prefix" },
	{ "vrrp_min_garp", CONF_TYPE_FLAG, ROW_FIELD(conf, min_garp),
	  .doc = "one announcement at a time, and none to follow, unless said otherwise" },
	DEFAULT("vrrp_lower_prio_no_advert", "default of lower_prio_no_advert"),
	DEFAULT("vrrp_higher_prio_send_advert", "default of higher_prio_send_advert"),
	DEFAULT("vrrp_down_timer_adverts", "default of down_timer_adverts"),
	DEFAULT("vrrp_strict", "default of strict_mode"),
	DEFAULT("vrrp_owner_ignore_adverts", "default of owner_ignore_adverts"),
	DEFAULT("vrrp_skip_check_adv_addr", "default of skip_check_adv_addr"),
	GLOBAL_DEFS_IDLE_ROWS,
};

const struct conf_table table_global_defs = {
	.name = "global_defs",
	.dialect = CONF_KEEPALIVED,
	.object_size = sizeof(struct conf),
	TABLE_ROWS(rows),
};
