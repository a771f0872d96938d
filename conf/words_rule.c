/*
 * words_rule.c - a rule in virtual_rules and static_rules: `ip rule` in keepalived's words.  A line
 * is one rule.
 */
#include "conf/value.h"
#include "conf/words_paths.h"

#include <linux/fib_rules.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void
parse_from(struct conf_call *call)
{
	struct conf_rule *rule = call->object;

	path_read_prefix(call, &rule->from);
}

static void
parse_to(struct conf_call *call)
{
	struct conf_rule *rule = call->object;

	path_read_prefix(call, &rule->to);
}

static void
print_to(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_rule *rule = object;

	if (rule->to.ip.family == AF_UNSPEC)
		return;
	fputs(" to ", pr->out);
	path_print_prefix(pr, &rule->to);
}

/* ------------------------------------------------------------------ what a rule does */

static void
parse_table(struct conf_call *call)
{
	struct conf_rule *rule = call->object;

	rule->action = FR_ACT_TO_TBL;
	path_read_table(call, &rule->table);
}

static void
print_table(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_rule *rule = object;

	if (rule->action == FR_ACT_TO_TBL && !rule->l3mdev)
		path_print_table(pr, rule->table);
}

static const struct {
	const char *name;
	uint8_t action;
} actions[] = {
	{ "blackhole", FR_ACT_BLACKHOLE },
	{ "unreachable", FR_ACT_UNREACHABLE },
	{ "prohibit", FR_ACT_PROHIBIT },
	{ "nop", FR_ACT_NOP },
};

static void
parse_action(struct conf_call *call)
{
	struct conf_rule *rule = call->object;

	call->used = 1;
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcmp(actions[i].name, call->row->name) == 0)
			rule->action = actions[i].action;
}

static void
print_action(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_rule *rule = object;

	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (actions[i].action == rule->action && strcmp(actions[i].name, row->name) == 0)
			fprintf(pr->out, " %s", row->name);
}

static void
parse_goto(struct conf_call *call)
{
	struct conf_rule *rule = call->object;
	const struct conf_word *word = call_word(call, 1, "the preference of another rule");
	int64_t number;

	call->used = 2;
	if (!word || !call_int(call, word, 1, UINT32_MAX, &number))
		return;
	rule->action = FR_ACT_GOTO;
	rule->target = (uint32_t)number;
}

static void
print_goto(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_rule *rule = object;

	if (rule->action == FR_ACT_GOTO)
		fprintf(pr->out, " %s %u", row->name, rule->target);
}

static void
parse_preference(struct conf_call *call)
{
	struct conf_rule *rule = call->object;
	const struct conf_word *word = call_word(call, 1, "a number");
	int64_t number;

	call->used = 2;
	if (word && call_int(call, word, 1, UINT32_MAX, &number))
		rule->preference = (uint32_t)number;
}

static void
print_preference(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_rule *rule = object;

	if (rule->preference)
		fprintf(pr->out, " %s %u", row->name, rule->preference);
}

/* ------------------------------------------------------------------ which packets it is about */

static void
parse_tos(struct conf_call *call)
{
	struct conf_rule *rule = call->object;

	path_read_tos(call, &rule->tos);
}

static void
print_tos(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_rule *rule = object;

	if (rule->tos)
		fprintf(pr->out, " %s %u", row->name, rule->tos);
}

/* iif by another name. */
static void
parse_dev(struct conf_call *call)
{
	struct conf_rule *rule = call->object;
	const struct conf_word *word = call_word(call, 1, "an interface's name");

	call->used = 2;
	if (word)
		rule->iif = word->text;
}

/* "NUMBER[/MASK]", in any base. */
static void
parse_fwmark(struct conf_call *call)
{
	struct conf_rule *rule = call->object;
	const struct conf_word *word = call_word(call, 1, "a mark, or MARK/MASK");
	unsigned long mark, mask = UINT32_MAX;
	char *end;

	call->used = 2;
	if (!word)
		return;
	mark = strtoul(word->text, &end, 0);
	if (*end == '/' && end[1])
		mask = strtoul(end + 1, &end, 0);
	if (!*word->text || *end || mark > UINT32_MAX || mask > UINT32_MAX) {
		conf_error(&call->p->reporter, word->pos,
			   "`fwmark` needs a number such as 1 or 0x10/0xff, not `%.40s`",
			   word->text);
		return;
	}
	rule->fwmark_given = true;
	rule->fwmark = (uint32_t)mark;
	rule->fwmask = (uint32_t)mask;
}

static void
print_fwmark(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_rule *rule = object;

	if (rule->fwmark_given)
		fprintf(pr->out, " %s %#x/%#x", row->name, rule->fwmark, rule->fwmask);
}

/* "N[-M]" up to `max`; false after an error. */
static bool
read_range(struct conf_call *call, int64_t max, uint32_t *from, uint32_t *to)
{
	const struct conf_word *word = call_word(call, 1, "a number, or FROM-TO");
	const char *dash = word ? strchr(word->text, '-') : NULL;
	int64_t low, high;

	call->used = 2;
	if (!word)
		return false;
	if (value_int(dash ? arena_strndup(call->p->arena, word->text, (size_t)(dash - word->text))
			   : word->text,
		      &low) < 0 ||
	    value_int(dash ? dash + 1 : word->text, &high) < 0 || low < 0 || low > high ||
	    high > max) {
		conf_error(&call->p->reporter, word->pos,
			   "`%s` needs a number up to %lld, or two such as 10-20, not `%.40s`",
			   call->row->name, (long long)max, word->text);
		return false;
	}
	*from = (uint32_t)low;
	*to = (uint32_t)high;
	return true;
}

static void
parse_ports(struct conf_call *call)
{
	struct conf_rule *rule = call->object;
	uint32_t from, to;

	if (!read_range(call, UINT16_MAX, &from, &to))
		return;
	if (*call->row->name == 's') {
		rule->sport_from = (uint16_t)from;
		rule->sport_to = (uint16_t)to;
	} else {
		rule->dport_from = (uint16_t)from;
		rule->dport_to = (uint16_t)to;
	}
}

static void
print_ports(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_rule *rule = object;
	bool source = *row->name == 's';
	uint16_t from = source ? rule->sport_from : rule->dport_from;
	uint16_t to = source ? rule->sport_to : rule->dport_to;

	if (to)
		fprintf(pr->out, " %s %u-%u", row->name, from, to);
}

static void
parse_uids(struct conf_call *call)
{
	struct conf_rule *rule = call->object;

	rule->uid_given = read_range(call, UINT32_MAX, &rule->uid_from, &rule->uid_to);
}

static void
print_uids(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_rule *rule = object;

	if (rule->uid_given)
		fprintf(pr->out, " %s %u-%u", row->name, rule->uid_from, rule->uid_to);
}

static void
parse_ip_proto(struct conf_call *call)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = {
		{ "icmp", 1 }, { "tcp", 6 }, { "udp", 17 }, { "ipv6-icmp", 58 }, { "sctp", 132 }
	};
	struct conf_rule *rule = call->object;
	const struct conf_word *word = call_word(call, 1, "a protocol's number or name");
	int64_t number;

	call->used = 2;
	if (!word)
		return;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcasecmp(names[i].name, word->text) == 0) {
			rule->ip_proto = names[i].number;
			return;
		}
	}
	if (call_int(call, word, 1, 255, &number))
		rule->ip_proto = (uint8_t)number;
}

static void
print_ip_proto(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_rule *rule = object;

	if (rule->ip_proto)
		fprintf(pr->out, " %s %u", row->name, rule->ip_proto);
}

static void
parse_suppress(struct conf_call *call)
{
	struct conf_rule *rule = call->object;
	const struct conf_word *word = call_word(call, 1, "a prefix length");
	int64_t len;

	call->used = 2;
	if (word && call_int(call, word, 0, 128, &len))
		rule->suppress_prefix_len = (int32_t)len;
}

static void
print_suppress(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_rule *rule = object;

	if (rule->suppress_prefix_len >= 0)
		fprintf(pr->out, " %s %d", row->name, rule->suppress_prefix_len);
}

static void
parse_inet6(struct conf_call *call)
{
	struct conf_rule *rule = call->object;

	call->used = 1;
	rule->family = AF_INET6;
}

/* Where neither address says so. */
static void
print_inet6(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_rule *rule = object;

	if (rule->family == AF_INET6 && rule->from.ip.family == AF_UNSPEC &&
	    rule->to.ip.family == AF_UNSPEC)
		fprintf(pr->out, " %s", row->name);
}

#define ACTION(word, text)                                                                      \
	{                                                                                       \
		word, CONF_TYPE_CALL, .parse = parse_action, .print = print_action, .doc = text \
	}
#define ALIAS(word, function, of)                                  \
	{                                                          \
		word, CONF_TYPE_CALL, .parse = function, .doc = of \
	}
#define LOUD(word, args, reason)                                                      \
	{                                                                             \
		word, CONF_TYPE_NOTICE, .flags = ROW_LOUD, .min = args, .doc = reason \
	}

static const struct conf_row rows[] = {
	{ "not", CONF_TYPE_FLAG, ROW_FIELD(conf_rule, invert),
	  .doc = "holds for all other packets" },
	{ "from", CONF_TYPE_CALL, .parse = parse_from, .doc = "packets from these addresses; all" },
	{ "to", CONF_TYPE_CALL, .parse = parse_to, .print = print_to,
	  .doc = "packets to these addresses; all" },
	{ "iif", CONF_TYPE_STRING, ROW_FIELD(conf_rule, iif),
	  .doc = "packets that came in there; `lo`: those of this host" },
	ALIAS("dev", parse_dev, "iif"),
	{ "oif", CONF_TYPE_STRING, ROW_FIELD(conf_rule, oif),
	  .doc = "packets of sockets that are bound to it" },
	{ "tos", CONF_TYPE_CALL, .parse = parse_tos, .print = print_tos,
	  .doc = "packets with this type of service" },
	ALIAS("dsfield", parse_tos, "tos"),
	{ "fwmark", CONF_TYPE_CALL, .parse = parse_fwmark, .print = print_fwmark,
	  .doc = "packets with this mark: MARK or MARK/MASK" },
	{ "uidrange", CONF_TYPE_CALL, .parse = parse_uids, .print = print_uids,
	  .doc = "packets of these users: FROM-TO" },
	{ "ip_proto", CONF_TYPE_CALL, .parse = parse_ip_proto, .print = print_ip_proto,
	  .doc = "packets of this protocol" },
	ALIAS("ipproto", parse_ip_proto, "ip_proto"),
	{ "sport", CONF_TYPE_CALL, .parse = parse_ports, .print = print_ports,
	  .doc = "packets from this port: N or FROM-TO" },
	{ "dport", CONF_TYPE_CALL, .parse = parse_ports, .print = print_ports,
	  .doc = "packets to this port: N or FROM-TO" },
	{ "preference", CONF_TYPE_CALL, .parse = parse_preference, .print = print_preference,
	  .doc = "rules are looked at in this order; the kernel's choice, before all others" },
	ALIAS("priority", parse_preference, "preference"),
	ALIAS("order", parse_preference, "preference"),
	{ "table", CONF_TYPE_CALL, .parse = parse_table, .print = print_table,
	  .doc = "the table whose routes count: a number or name" },
	ALIAS("lookup", parse_table, "table"),
	{ "l3mdev", CONF_TYPE_FLAG, ROW_FIELD(conf_rule, l3mdev),
	  .doc = "the table of the packet's VRF" },
	{ "goto", CONF_TYPE_CALL, .parse = parse_goto, .print = print_goto,
	  .doc = "goes on with the rule of this preference" },
	ACTION("nop", "goes on with the next rule"),
	ACTION("blackhole", "packets vanish"),
	ACTION("unreachable", "packets are answered with `network unreachable`"),
	ACTION("prohibit", "packets are answered with `prohibited`"),
	{ "suppress_prefixlength", CONF_TYPE_CALL, .parse = parse_suppress, .print = print_suppress,
	  .doc = "routes of this prefix length or shorter do not count" },
	ALIAS("sup_pl", parse_suppress, "suppress_prefixlength"),
	{ "inet6", CONF_TYPE_CALL, .parse = parse_inet6, .print = print_inet6,
	  .doc = "an IPv6 rule, where no address says so" },
	{ "no_track", CONF_TYPE_FLAG, ROW_FIELD(conf_rule, no_track),
	  .doc = "if somebody removes it, it is not put back" },
	{ "protocol", CONF_TYPE_NOTICE, .min = 1,
	  .doc = "rules have the daemon's own number (84), by which they are found again" },
	{ "track_group", CONF_TYPE_NOTICE, .min = 1,
	  .doc = "what is removed by somebody else is put back at once" },
	LOUD("realms", 1, "rules have no realm"),
	LOUD("suppress_ifgroup", 1, "groups of interfaces are not looked at"),
	LOUD("sup_group", 1, "groups of interfaces are not looked at"),
	LOUD("tunnel-id", 1, "numbers of tunnels are not looked at"),
};

const struct conf_table table_rule = {
	.name = "a rule",
	.dialect = CONF_KEEPALIVED,
	.parameters = true,
	.object_size = sizeof(struct conf_rule),
	TABLE_ROWS(rows),
};

/* ------------------------------------------------------------------ lists */

static void
read_rule(struct conf_call *call, const struct conf_line *line, struct conf_paths *paths)
{
	struct conf_rule rule = { .pos = line->words[0].pos, .suppress_prefix_len = -1 };

	call->p->path_bad = false;
	table_read(call->p, &table_rule, &rule, line->words, line->words_n, line->end, false);
	if (!call->p->path_bad)
		*ARENA_PUSH(call->p->arena, paths->rules, paths->rules_n) = rule;
}

static void
read_virtual(struct conf_call *call, const struct conf_line *line)
{
	struct conf_instance *instance = call->object;

	read_rule(call, line, &instance->paths);
}

static void
read_static(struct conf_call *call, const struct conf_line *line)
{
	struct conf *conf = call->object;

	read_rule(call, line, &conf->static_paths);
}

void
parse_virtual_rules(struct conf_call *call)
{
	keepalived_read_list(call, read_virtual);
}

void
parse_static_rules(struct conf_call *call)
{
	keepalived_read_list(call, read_static);
}

static void
print_rules(const struct conf_printer *pr, const struct conf_row *row,
	    const struct conf_paths *paths)
{
	struct conf_printer inner = *pr;

	if (paths->rules_n == 0)
		return;
	inner.parameters = true;
	fprintf(pr->out, "%s%s {\n", pr->indent, row->name);
	for (size_t i = 0; i < paths->rules_n; i++) {
		const struct conf_rule *rule = &paths->rules[i];

		fprintf(pr->out, "%s\tfrom ", pr->indent);
		if (rule->from.ip.family == AF_UNSPEC)
			fputs("all", pr->out);
		else
			path_print_prefix(pr, &rule->from);
		table_print(&inner, &table_rule, rule);
		putc('\n', pr->out);
	}
	fprintf(pr->out, "%s}\n", pr->indent);
}

void
print_virtual_rules(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;

	print_rules(pr, row, &instance->paths);
}

void
print_static_rules(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf *conf = object;

	print_rules(pr, row, &conf->static_paths);
}
