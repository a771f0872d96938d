/*
 * words_vip.c - the lists of addresses: virtual_ipaddress (and _excluded) and unicast_peer in a
 * vrrp_instance, static_ipaddress at the top level.
 *
 * An address on a line of its own is the rule; several on one line are told apart by being
 * addresses.
 */
#include "conf/behaviour.h"
#include "conf/parser.h"
#include "conf/words_lists.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

bool
parse_interface_name(struct conf_call *call, const struct conf_word *word)
{
	if (*word->text && strlen(word->text) < IFNAMSIZ && !strpbrk(word->text, "/ \t:"))
		return true;
	conf_error(&call->p->reporter, word->pos,
		   "`%.60s` cannot be an interface: a name has 1 to 15 characters, none of them a "
		   "slash, colon or blank",
		   word->text);
	return false;
}

/* ------------------------------------------------------------------ unicast_peer */

/* One of the limits behind a peer's address; `i` is at its name and moves on to its number. */
static void
read_ttl(struct conf_call *call, const struct conf_line *line, size_t *i)
{
	struct conf_instance *instance = call->object;
	const struct conf_word *word = &line->words[*i];
	struct conf_call inner = *call;
	const struct conf_word *value;
	bool low = strcmp(word->text, "min_ttl") == 0;
	int64_t ttl;

	inner.words = line->words;
	inner.words_n = line->words_n;
	inner.end = line->end;
	value = call_word(&inner, ++*i, "a number");
	if (!value || !call_int(&inner, value, low ? 0 : 1, 255, &ttl))
		return;
	if (instance->unicast_peers_n == 0)
		conf_error(&call->p->reporter, word->pos, "`%s` stands behind a peer's address",
			   word->text);
	else if (low)
		instance->unicast_peers[instance->unicast_peers_n - 1].min_ttl = (uint8_t)ttl;
	else
		instance->unicast_peers[instance->unicast_peers_n - 1].max_ttl = (uint8_t)ttl;
}

static void
read_peer(struct conf_call *call, const struct conf_line *line)
{
	struct conf_instance *instance = call->object;
	struct conf_peer peer = { 0 };

	for (size_t i = 0; i < line->words_n; i++) {
		const struct conf_word *word = &line->words[i];

		if (strcmp(word->text, "min_ttl") == 0 || strcmp(word->text, "max_ttl") == 0)
			read_ttl(call, line, &i);
		else if (ip_parse(word->text, &peer.ip) < 0)
			conf_error(&call->p->reporter, word->pos,
				   "`unicast_peer` lists IP addresses: `%.60s` is none",
				   word->text);
		else
			*ARENA_PUSH(call->p->arena, instance->unicast_peers,
				    instance->unicast_peers_n) = peer;
	}
}

void
parse_unicast_peer(struct conf_call *call)
{
	keepalived_read_list(call, read_peer);
}

void
print_unicast_peer(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;
	char buf[IP_STRLEN];

	if (instance->unicast_peers_n == 0)
		return;
	fprintf(pr->out, "%s%s {\n", pr->indent, row->name);
	for (size_t i = 0; i < instance->unicast_peers_n; i++) {
		const struct conf_peer *peer = &instance->unicast_peers[i];

		fprintf(pr->out, "%s\t%s", pr->indent, ip_format(&peer->ip, buf));
		if (peer->min_ttl > 0)
			fprintf(pr->out, " min_ttl %u", peer->min_ttl);
		if (peer->max_ttl > 0)
			fprintf(pr->out, " max_ttl %u", peer->max_ttl);
		putc('\n', pr->out);
	}
	fprintf(pr->out, "%s}\n", pr->indent);
}

/* ------------------------------------------------------------------ virtual_ipaddress */

static void
parse_dev(struct conf_call *call)
{
	struct conf_vip *vip = call->object;
	const struct conf_word *word = call_word(call, 1, "an interface's name");

	call->used = 2;
	if (word && parse_interface_name(call, word))
		vip->interface = parser_interface(call->p, word->text);
}

static void
parse_brd(struct conf_call *call)
{
	struct conf_vip *vip = call->object;
	const struct conf_word *word = call_word(call, 1, "an address, + or -");
	struct ip brd;

	call->used = 2;
	if (!word)
		return;
	vip->brd_auto = strcmp(word->text, "+") == 0;
	vip->brd.family = AF_UNSPEC;
	if (vip->brd_auto || strcmp(word->text, "-") == 0)
		return;
	if (ip_parse(word->text, &brd) < 0 || brd.family != AF_INET)
		conf_error(&call->p->reporter, word->pos,
			   "`%s` needs an IPv4 address, + or -, not `%.60s`", call->row->name,
			   word->text);
	else if (vip->ip.family != AF_INET)
		conf_warning(&call->p->reporter, word->pos,
			     "IPv6 has no broadcast address: `%s` is ignored", call->row->name);
	else
		vip->brd = brd;
}

static void
parse_label(struct conf_call *call)
{
	struct conf_vip *vip = call->object;
	const struct conf_word *word = call_word(call, 1, "a name such as eth0:1");

	call->used = 2;
	if (!word)
		return;
	if (!*word->text || strlen(word->text) >= IFNAMSIZ)
		conf_error(&call->p->reporter, word->pos,
			   "a label has 1 to 15 characters: `%.60s` does not fit", word->text);
	else if (vip->ip.family != AF_INET)
		conf_warning(&call->p->reporter, word->pos,
			     "IPv6 addresses have no labels: `label` is ignored, as with "
			     "keepalived");
	else
		vip->label = word->text;
}

/* "peer ADDR[/LEN]": the prefix is the other end's. */
static void
parse_peer(struct conf_call *call)
{
	struct conf_vip *vip = call->object;
	const struct conf_word *word = call_word(call, 1, "the address of the other end");
	uint8_t prefix_len;
	struct ip peer;
	bool given;

	call->used = 2;
	if (!word)
		return;
	if (ip_parse_prefix(word->text, &peer, &prefix_len, &given) < 0 ||
	    peer.family != vip->ip.family) {
		conf_error(&call->p->reporter, word->pos,
			   "`peer` needs an address of the same family, not `%.60s`", word->text);
		return;
	}
	vip->peer = peer;
	vip->prefix_len = prefix_len;
	vip->prefix_given = given;
}

static void
print_prefix(const struct conf_printer *pr, const struct conf_vip *vip)
{
	char buf[IP_STRLEN];

	fputs(ip_format(&vip->ip, buf), pr->out);
	if (vip->peer.family != AF_UNSPEC)
		fprintf(pr->out, " peer %s", ip_format(&vip->peer, buf));
	if (vip->prefix_given)
		fprintf(pr->out, "/%u", vip->prefix_len);
}

/* How long an address is preferred as a source, within its lease: not at all, or always. */
static void
parse_preferred(struct conf_call *call)
{
	struct conf_vip *vip = call->object;
	const struct conf_word *word = call_word(call, 1, "0 or forever");
	int64_t seconds;

	call->used = 2;
	if (!word)
		return;
	vip->preferred = CONF_PREFERRED_ALWAYS;
	if (strcmp(word->text, "forever") == 0 || !call_int(call, word, 0, UINT32_MAX, &seconds))
		return;
	if (seconds == 0)
		vip->preferred = CONF_PREFERRED_NEVER;
	else
		conf_warning(&call->p->reporter, word->pos,
			     "`preferred_lft %.20s` counts as forever: the lifetimes of an address "
			     "are renewed as long as this node holds it",
			     word->text);
}

static void
print_preferred(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_vip *vip = object;

	if (vip->preferred == CONF_PREFERRED_DEFAULT)
		return;
	print_name(pr, row->name);
	fputs(vip->preferred == CONF_PREFERRED_ALWAYS ? " forever" : " 0", pr->out);
}

const struct conf_choice scope_choices[] = {
	{ "global", RT_SCOPE_UNIVERSE, NULL }, { "site", RT_SCOPE_SITE, NULL },
	{ "link", RT_SCOPE_LINK, NULL },       { "host", RT_SCOPE_HOST, NULL },
	{ "nowhere", RT_SCOPE_NOWHERE, NULL }, { NULL, 0, NULL },
};

#define NOTICE(word, args, reason)                                 \
	{                                                          \
		word, CONF_TYPE_NOTICE, .min = args, .doc = reason \
	}
static const struct conf_row rows[] = {
	{ "dev", CONF_TYPE_CALL, .parse = parse_dev, .doc = "the interface; the instance's" },
	{ "brd", CONF_TYPE_CALL, .parse = parse_brd,
	  .doc = "the broadcast address; + computes it" },
	{ "broadcast", CONF_TYPE_CALL, .parse = parse_brd, .doc = "brd" },
	{ "scope", CONF_TYPE_CHOICE, ROW_FIELD(conf_vip, scope), .choices = scope_choices,
	  .def = "global", .doc = "how far the address is valid" },
	{ "use_vmac", CONF_TYPE_FLAG, ROW_FIELD(conf_vip, use_vmac),
	  .doc = "it lives on a virtual interface on `dev`, with the virtual router's MAC" },
	{ "label", CONF_TYPE_CALL, .parse = parse_label, .doc = "its name for ifconfig" },
	{ "no_track", CONF_TYPE_FLAG, ROW_FIELD(conf_vip, no_track),
	  .doc = "the link of its `dev` may be down; if it disappears it is put back all the same" },
	{ "preferred_lft", CONF_TYPE_CALL, .parse = parse_preferred, .print = print_preferred,
	  .doc = "0: the address is no source of what this host begins, which is the default of "
		 "IPv6 host addresses; `forever`: it may be" },
	NOTICE("home", 0, "it concerns mobile IPv6 only"),
	NOTICE("-nodad", 0, "a virtual address is never probed for duplicates"),
	NOTICE("nodad", 0, "a virtual address is never probed for duplicates"),
	NOTICE("mngtmpaddr", 0, "no temporary addresses are made"),
	NOTICE("noprefixroute", 0, "without a prefix length no route is made"),
	NOTICE("autojoin", 0, "no multicast group hangs on a virtual address"),
	{ "peer", CONF_TYPE_CALL, .parse = parse_peer,
	  .doc = "the other end of a point-to-point link, maybe with a prefix length" },
	NOTICE("track_group", 1, "an address that disappears is always put back"),
};

const struct conf_table table_vip = {
	.name = "a virtual address",
	.dialect = CONF_KEEPALIVED,
	.parameters = true,
	.object_size = sizeof(struct conf_vip),
	TABLE_ROWS(rows),
};

static bool
is_address(const struct conf_word *word)
{
	struct ip ip;
	uint8_t len;
	bool given;

	return ip_parse_prefix(word->text, &ip, &len, &given) == 0;
}

/* Where the addresses of a list go. */
struct vip_list {
	struct conf_vip **vips;
	size_t *n;
	bool excluded;
};

static void
read_vip(struct conf_call *call, const struct conf_word *words, size_t words_n, struct conf_pos end,
	 const struct vip_list *list)
{
	struct conf_vip vip = { .pos = words[0].pos,
				.excluded = list->excluded,
				.interface = CONF_NONE };

	if (ip_parse_prefix(words[0].text, &vip.ip, &vip.prefix_len, &vip.prefix_given) < 0) {
		conf_error(&call->p->reporter, words[0].pos,
			   "`%s` lists IP addresses: `%.60s` is none", call->row->name,
			   words[0].text);
		return;
	}
	if (words_n > 1)
		table_read(call->p, &table_vip, &vip, words + 1, words_n - 1, end, false);
	*ARENA_PUSH(call->p->arena, *list->vips, *list->n) = vip;
}

static void
read_vips(struct conf_call *call, const struct conf_line *line, struct vip_list list)
{
	size_t from = 0, to;

	while (from < line->words_n) {
		for (to = from + 1; to < line->words_n; to++)
			if (is_address(&line->words[to]) &&
			    strcmp(line->words[to - 1].text, "brd") &&
			    strcmp(line->words[to - 1].text, "broadcast") &&
			    strcmp(line->words[to - 1].text, "peer"))
				break;
		read_vip(call, line->words + from, to - from, line->end, &list);
		from = to;
	}
}

static void
read_advertised(struct conf_call *call, const struct conf_line *line)
{
	struct conf_instance *instance = call->object;

	read_vips(call, line, (struct vip_list){ &instance->vips, &instance->vips_n, false });
}

static void
read_excluded(struct conf_call *call, const struct conf_line *line)
{
	struct conf_instance *instance = call->object;

	read_vips(call, line, (struct vip_list){ &instance->vips, &instance->vips_n, true });
}

static void
read_static(struct conf_call *call, const struct conf_line *line)
{
	struct conf *conf = call->object;

	read_vips(call, line, (struct vip_list){ &conf->static_vips, &conf->static_vips_n, false });
}

void
parse_vips(struct conf_call *call)
{
	keepalived_read_list(call, read_advertised);
}

void
parse_vips_excluded(struct conf_call *call)
{
	keepalived_read_list(call, read_excluded);
}

void
parse_static_vips(struct conf_call *call)
{
	keepalived_read_list(call, read_static);
}

/* `interface`: the one that need not be said. */
static void
print_vip(const struct conf_printer *pr, uint32_t interface, const struct conf_vip *vip)
{
	struct conf_printer inner = *pr;
	uint32_t base = conf_base(pr->conf, vip->interface);
	char buf[IP_STRLEN];

	inner.parameters = true;
	fprintf(pr->out, "%s\t", pr->indent);
	print_prefix(pr, vip);
	if (vip->brd_auto)
		fputs(" brd +", pr->out);
	else if (vip->brd.family != AF_UNSPEC)
		fprintf(pr->out, " brd %s", ip_format(&vip->brd, buf));
	if (base != interface && base != CONF_NONE) {
		fputs(" dev", pr->out);
		print_word(pr, pr->conf->interfaces[base].name);
	}
	table_print(&inner, &table_vip, vip);
	if (vip->label) {
		fputs(" label", pr->out);
		print_word(pr, vip->label);
	}
	putc('\n', pr->out);
}

static void
print_list(const struct conf_printer *pr, const struct conf_row *row,
	   const struct conf_instance *instance, bool excluded)
{
	bool any = false;

	for (size_t i = 0; i < instance->vips_n; i++) {
		if (instance->vips[i].excluded != excluded)
			continue;
		if (!any)
			fprintf(pr->out, "%s%s {\n", pr->indent, row->name);
		any = true;
		print_vip(pr, instance->interface, &instance->vips[i]);
	}
	if (any)
		fprintf(pr->out, "%s}\n", pr->indent);
}

void
print_vips(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	print_list(pr, row, object, false);
}

void
print_vips_excluded(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	print_list(pr, row, object, true);
}

/* default_interface may be given after the list, or change: each address says where it is. */
void
print_static_vips(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf *conf = object;

	if (conf->static_vips_n == 0)
		return;
	fprintf(pr->out, "%s%s {\n", pr->indent, row->name);
	for (size_t i = 0; i < conf->static_vips_n; i++)
		print_vip(pr, CONF_NONE, &conf->static_vips[i]);
	fprintf(pr->out, "%s}\n", pr->indent);
}
