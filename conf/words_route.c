/*
 * words_route.c - a route in virtual_routes and static_routes: `ip route` in keepalived's words.
 *
 * A line is one route.  Its destination stands alone or behind `to`; what it means for which family
 * and interface is resolved in resolve_paths.c.
 */
#include "conf/words_lists.h"
#include "conf/words_paths.h"

#include <string.h>

/* ------------------------------------------------------------------ hops */

/* The hop that words are about: the latest, or the only one there is. */
static struct conf_hop *
current_hop(struct conf_call *call)
{
	struct conf_route *route = call->object;

	if (route->hops_n == 0)
		*ARENA_PUSH(call->p->arena, route->hops, route->hops_n) =
			(struct conf_hop){ .interface = CONF_NONE, .weight = 1 };
	return &route->hops[route->hops_n - 1];
}

static void
parse_nexthop(struct conf_call *call)
{
	struct conf_route *route = call->object;

	call->used = 1;
	*ARENA_PUSH(call->p->arena, route->hops, route->hops_n) =
		(struct conf_hop){ .interface = CONF_NONE, .weight = 1 };
}

static void
parse_via(struct conf_call *call)
{
	const struct conf_word *word;
	struct ip via;
	size_t at = 1;

	if (call->words_n > 2 &&
	    (strcmp(call->words[1].text, "inet") == 0 || strcmp(call->words[1].text, "inet6") == 0))
		at = 2;
	word = call_word(call, at, "an address");
	call->used = at + 1;
	if (!word)
		return;
	if (ip_parse(word->text, &via) < 0)
		conf_error(&call->p->reporter, word->pos, "`%s` needs an address, not `%.60s`",
			   call->row->name, word->text);
	else
		current_hop(call)->via = via;
}

/* keepalived's older form of a second hop: "via A or B dev eth1". */
static void
parse_or(struct conf_call *call)
{
	parse_nexthop(call);
	parse_via(call);
}

static void
parse_dev(struct conf_call *call)
{
	const struct conf_word *word = call_word(call, 1, "an interface's name");
	struct conf_route *route = call->object;
	uint32_t interface;

	call->used = 2;
	if (!word || !parse_interface_name(call, word))
		return;
	interface = parser_interface(call->p, word->text);
	current_hop(call)->interface = interface;
	/* "via A or B dev eth1" is about both. */
	for (size_t i = 0; i + 1 < route->hops_n; i++)
		if (route->hops[i].interface == CONF_NONE)
			route->hops[i].interface = interface;
}

static void
parse_weight(struct conf_call *call)
{
	const struct conf_word *word = call_word(call, 1, "a number from 1 to 256");
	int64_t weight;

	call->used = 2;
	if (word && call_int(call, word, 1, 256, &weight))
		current_hop(call)->weight = (uint16_t)weight;
}

static void
parse_onlink(struct conf_call *call)
{
	call->used = 1;
	current_hop(call)->onlink = true;
}

static void
print_hop(const struct conf_printer *pr, const struct conf_hop *hop)
{
	char buf[IP_STRLEN];

	if (hop->via.family != AF_UNSPEC)
		fprintf(pr->out, " via %s", ip_format(&hop->via, buf));
	if (hop->interface != CONF_NONE) {
		fputs(" dev", pr->out);
		print_word(pr, pr->conf->interfaces[hop->interface].name);
	}
	if (hop->weight != 1)
		fprintf(pr->out, " weight %u", hop->weight);
	if (hop->onlink)
		fputs(" onlink", pr->out);
}

static void
print_hops(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_route *route = object;

	for (size_t i = 0; i < route->hops_n; i++) {
		if (route->hops_n > 1)
			fputs(" nexthop", pr->out);
		print_hop(pr, &route->hops[i]);
	}
}

/* ------------------------------------------------------------------ the other words */

static const struct {
	const char *name;
	uint8_t type;
} types[] = {
	{ "unicast", RTN_UNICAST },
	{ "local", RTN_LOCAL },
	{ "broadcast", RTN_BROADCAST },
	{ "anycast", RTN_ANYCAST },
	{ "multicast", RTN_MULTICAST },
	{ "blackhole", RTN_BLACKHOLE },
	{ "unreachable", RTN_UNREACHABLE },
	{ "prohibit", RTN_PROHIBIT },
	{ "throw", RTN_THROW },
};

static void
parse_type(struct conf_call *call)
{
	struct conf_route *route = call->object;

	call->used = 1;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(types[i].name, call->row->name) == 0)
			route->type = types[i].type;
}

static void
parse_to(struct conf_call *call)
{
	struct conf_route *route = call->object;

	path_read_prefix(call, &route->to);
}

static void
parse_from(struct conf_call *call)
{
	struct conf_route *route = call->object;

	path_read_prefix(call, &route->from);
}

static void
print_from(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_route *route = object;

	if (route->from.ip.family == AF_UNSPEC)
		return;
	fputs(" from ", pr->out);
	path_print_prefix(pr, &route->from);
}

static void
parse_table(struct conf_call *call)
{
	struct conf_route *route = call->object;

	path_read_table(call, &route->table);
}

static void
print_table(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_route *route = object;

	if (route->table != RT_TABLE_MAIN)
		path_print_table(pr, route->table);
}

static void
parse_tos(struct conf_call *call)
{
	struct conf_route *route = call->object;

	path_read_tos(call, &route->tos);
}

static void
print_tos(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_route *route = object;

	if (route->tos)
		fprintf(pr->out, " %s %u", row->name, route->tos);
}

static void
parse_scope(struct conf_call *call)
{
	struct conf_route *route = call->object;
	const struct conf_word *word = call_word(call, 1, "a scope");
	const struct conf_choice *choice = call->row->choices;

	call->used = 2;
	if (!word)
		return;
	while (choice->name && strcmp(choice->name, word->text))
		choice++;
	if (!choice->name) {
		choice_error(call, word, call->row->choices);
		return;
	}
	route->scope = (uint8_t)choice->value;
	route->scope_given = true;
}

static void
print_scope(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_route *route = object;
	const struct conf_choice *choice = row->choices;

	while (choice->name && choice->value != route->scope)
		choice++;
	if (route->scope_given && choice->name)
		fprintf(pr->out, " %s %s", row->name, choice->name);
}

static void
parse_metric(struct conf_call *call)
{
	struct conf_route *route = call->object;
	const struct conf_word *word = call_word(call, 1, "a number");
	int64_t metric;

	call->used = 2;
	if (word && call_int(call, word, 0, UINT32_MAX, &metric))
		route->metric = (uint32_t)metric;
}

static void
print_metric(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_route *route = object;

	if (route->metric)
		fprintf(pr->out, " %s %u", row->name, route->metric);
}

static void
parse_inet6(struct conf_call *call)
{
	struct conf_route *route = call->object;

	call->used = 1;
	route->family = AF_INET6;
}

/* ---- RTAX_*: the row's field is the metric's place in the array ---- */

static unsigned
metric_of(const struct conf_row *row)
{
	return (unsigned)((row->offset - offsetof(struct conf_route, metrics)) / row->size);
}

/* Round-trip times are kept in fractions of a millisecond, as the kernel wants them. */
static uint32_t
metric_unit(unsigned metric)
{
	return metric == RTAX_RTT ? 8 : metric == RTAX_RTTVAR ? 4 : 1;
}

/* "mtu [lock] N" */
static void
parse_limit(struct conf_call *call)
{
	struct conf_route *route = call->object;
	unsigned metric = metric_of(call->row);
	bool lock = call->words_n > 1 && strcmp(call->words[1].text, "lock") == 0;
	const struct conf_word *word = call_word(call, lock ? 2 : 1, "a number");
	int64_t value, max = call->row->max ? call->row->max : INT32_MAX / 8;

	call->used = lock ? 3 : 2;
	if (!word || !call_int(call, word, 1, max, &value))
		return;
	route->metrics[metric] = (uint32_t)value * metric_unit(metric);
	if (lock)
		route->metrics[RTAX_LOCK] |= 1U << metric;
}

static void
print_limit(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_route *route = object;
	unsigned metric = metric_of(row);

	if (route->metrics[metric])
		fprintf(pr->out, " %s%s %u", row->name,
			route->metrics[RTAX_LOCK] & 1U << metric ? " lock" : "",
			route->metrics[metric] / metric_unit(metric));
}

#define TYPE(word, text)                                               \
	{                                                              \
		word, CONF_TYPE_CALL, .parse = parse_type, .doc = text \
	}
#define LIMIT(word, rtax, most, text)                                                        \
	{                                                                                    \
		word, CONF_TYPE_CALL, ROW_FIELD(conf_route, metrics[rtax]),                  \
			.max = most, .parse = parse_limit, .print = print_limit, .doc = text \
	}
#define LOUD(word, args, reason)                                                      \
	{                                                                             \
		word, CONF_TYPE_NOTICE, .flags = ROW_LOUD, .min = args, .doc = reason \
	}
#define REFUSED(word, args, reason)                                 \
	{                                                           \
		word, CONF_TYPE_REFUSED, .min = args, .doc = reason \
	}

static const struct conf_row rows[] = {
	{ "to", CONF_TYPE_CALL, .parse = parse_to,
	  .doc = "the destination, which may also stand alone; `default` is all there is" },
	TYPE("unicast", "a way to the destination; the default"),
	TYPE("local", "the destination is this host"),
	TYPE("broadcast", "the destination is a broadcast address"),
	TYPE("anycast", "the destination is an anycast address"),
	TYPE("multicast", "the destination is a multicast group"),
	TYPE("blackhole", "packets vanish"),
	TYPE("unreachable", "packets are answered with `host unreachable`"),
	TYPE("prohibit", "packets are answered with `prohibited`"),
	TYPE("throw", "the look-up goes on with the next rule"),
	{ "from", CONF_TYPE_CALL, .parse = parse_from, .print = print_from,
	  .doc = "IPv6: holds for packets from there only" },
	{ "via", CONF_TYPE_CALL, .parse = parse_via, .print = print_hops,
	  .doc = "the next router" },
	{ "gw", CONF_TYPE_CALL, .parse = parse_via, .doc = "via" },
	{ "or", CONF_TYPE_CALL, .parse = parse_or, .doc = "a second router, used as well" },
	{ "dev", CONF_TYPE_CALL, .parse = parse_dev,
	  .doc = "the interface; the instance's if there is no router" },
	{ "oif", CONF_TYPE_CALL, .parse = parse_dev, .doc = "dev" },
	{ "nexthop", CONF_TYPE_CALL, .parse = parse_nexthop,
	  .doc = "begins one of several ways, with `via`, `dev`, `weight` and `onlink` of its own" },
	{ "weight", CONF_TYPE_CALL, .parse = parse_weight, .doc = "a way's share; 1" },
	{ "onlink", CONF_TYPE_CALL, .parse = parse_onlink,
	  .doc = "the router is on the interface, whatever its address" },
	{ "src", CONF_TYPE_IP, ROW_FIELD(conf_route, source),
	  .doc = "from where this host begins connections that go this way" },
	{ "table", CONF_TYPE_CALL, .parse = parse_table, .print = print_table,
	  .doc = "the table's number or name; main" },
	{ "metric", CONF_TYPE_CALL, .parse = parse_metric, .print = print_metric,
	  .doc = "of routes to one destination the lowest counts; the kernel's default" },
	{ "priority", CONF_TYPE_CALL, .parse = parse_metric, .doc = "metric" },
	{ "preference", CONF_TYPE_CALL, .parse = parse_metric, .doc = "metric" },
	{ "scope", CONF_TYPE_CALL, .parse = parse_scope, .print = print_scope,
	  .choices = scope_choices, .doc = "how far the destination is; follows from the rest" },
	{ "tos", CONF_TYPE_CALL, .parse = parse_tos, .print = print_tos,
	  .doc = "holds for packets with this type of service only" },
	{ "dsfield", CONF_TYPE_CALL, .parse = parse_tos, .doc = "tos" },
	{ "inet6", CONF_TYPE_CALL, .parse = parse_inet6,
	  .doc = "an IPv6 route, where nothing else says so" },
	{ "append", CONF_TYPE_FLAG, ROW_FIELD(conf_route, append),
	  .doc = "goes behind equal routes of others; otherwise before them" },
	{ "no_track", CONF_TYPE_FLAG, ROW_FIELD(conf_route, no_track),
	  .doc = "if somebody removes it, it is not put back" },
	LIMIT("mtu", RTAX_MTU, 65535, "the largest packet, in octets"),
	LIMIT("advmss", RTAX_ADVMSS, 65535, "the largest segment that peers are told"),
	LIMIT("hoplimit", RTAX_HOPLIMIT, 255, "the TTL of what this host sends"),
	LIMIT("window", RTAX_WINDOW, 0, "the largest TCP window peers are told"),
	LIMIT("cwnd", RTAX_CWND, 0, "the congestion window, where locked"),
	LIMIT("initcwnd", RTAX_INITCWND, 0, "the first congestion window"),
	LIMIT("initrwnd", RTAX_INITRWND, 0, "the first receive window"),
	LIMIT("ssthresh", RTAX_SSTHRESH, 0, "the first slow start threshold"),
	LIMIT("reordering", RTAX_REORDERING, 0, "how much reordering TCP expects"),
	LIMIT("rtt", RTAX_RTT, 0, "the first round-trip time, in milliseconds"),
	LIMIT("rttvar", RTAX_RTTVAR, 0, "its variance, in milliseconds"),
	LIMIT("rto_min", RTAX_RTO_MIN, 0, "the shortest retransmission time, in milliseconds"),
	LIMIT("quickack", RTAX_QUICKACK, 1, "acknowledge at once"),
	LIMIT("fastopen_no_cookie", RTAX_FASTOPEN_NO_COOKIE, 1, "TCP fast open without a cookie"),
	LOUD("add", 0, "routes go before equal ones of others, or behind them (`append`)"),
	{ "protocol", CONF_TYPE_NOTICE, .min = 1,
	  .doc = "routes have the daemon's own number (84), by which they are found again" },
	{ "track_group", CONF_TYPE_NOTICE, .min = 1,
	  .doc = "what is removed by somebody else is put back at once" },
	LOUD("realms", 1, "routes have no realm"),
	LOUD("features", 1, "the features of a route are the kernel's"),
	LOUD("congctl", 1, "the congestion control is the system's"),
	REFUSED("encap", 1, "tunnels of a route are not set: write an interface for it"),
	REFUSED("vrf", 1, "name the table of the VRF with `table`"),
};

const struct conf_table table_route = {
	.name = "a route",
	.dialect = CONF_KEEPALIVED,
	.parameters = true,
	.object_size = sizeof(struct conf_route),
	TABLE_ROWS(rows),
};

/* ------------------------------------------------------------------ lists */

/* Does the word that follows this one belong to it? */
static bool
takes_a_word(const struct conf_word *word)
{
	size_t matched;
	const struct conf_row *row = table_find(&table_route, word, 1, &matched);

	return row && row->type != CONF_TYPE_FLAG && row->parse != parse_type &&
	       row->parse != parse_onlink && row->parse != parse_inet6 &&
	       row->parse != parse_nexthop;
}

/* The line with its destination behind a `to`. */
static struct conf_word *
name_destination(struct conf_call *call, const struct conf_line *line, size_t *words_n)
{
	struct conf_word *words = arena_alloc(call->p->arena, (line->words_n + 1) * sizeof *words);
	struct conf_prefix prefix;
	bool named = false;
	size_t n = 0;

	for (size_t i = 0; i < line->words_n; i++) {
		named |= strcmp(line->words[i].text, "to") == 0;
		if (!named && (i == 0 || !takes_a_word(&line->words[i - 1])) &&
		    path_prefix(line->words[i].text, &prefix) == 0) {
			words[n] = line->words[i];
			words[n++].text = "to";
			named = true;
		}
		words[n++] = line->words[i];
	}
	if (!named)
		conf_error(&call->p->reporter, line->words[0].pos,
			   "a route needs a destination: an address such as 192.0.2.0/24, or "
			   "default");
	*words_n = n;
	return words;
}

static void
read_route(struct conf_call *call, const struct conf_line *line, struct conf_paths *paths)
{
	struct conf_route route = { .pos = line->words[0].pos,
				    .type = RTN_UNICAST,
				    .table = RT_TABLE_MAIN };
	size_t n;
	struct conf_word *words = name_destination(call, line, &n);

	call->p->path_bad = false;
	table_read(call->p, &table_route, &route, words, n, line->end, false);
	if (!call->p->path_bad)
		*ARENA_PUSH(call->p->arena, paths->routes, paths->routes_n) = route;
}

static void
read_virtual(struct conf_call *call, const struct conf_line *line)
{
	struct conf_instance *instance = call->object;

	read_route(call, line, &instance->paths);
}

static void
read_static(struct conf_call *call, const struct conf_line *line)
{
	struct conf *conf = call->object;

	read_route(call, line, &conf->static_paths);
}

void
parse_virtual_routes(struct conf_call *call)
{
	keepalived_read_list(call, read_virtual);
}

void
parse_static_routes(struct conf_call *call)
{
	keepalived_read_list(call, read_static);
}

static void
print_route(const struct conf_printer *pr, const struct conf_route *route)
{
	struct conf_printer inner = *pr;

	inner.parameters = true;
	fprintf(pr->out, "%s\t", pr->indent);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].type == route->type && route->type != RTN_UNICAST)
			fprintf(pr->out, "%s ", types[i].name);
	path_print_prefix(pr, &route->to);
	table_print(&inner, &table_route, route);
	putc('\n', pr->out);
}

static void
print_routes(const struct conf_printer *pr, const struct conf_row *row,
	     const struct conf_paths *paths)
{
	if (paths->routes_n == 0)
		return;
	fprintf(pr->out, "%s%s {\n", pr->indent, row->name);
	for (size_t i = 0; i < paths->routes_n; i++)
		print_route(pr, &paths->routes[i]);
	fprintf(pr->out, "%s}\n", pr->indent);
}

void
print_virtual_routes(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;

	print_routes(pr, row, &instance->paths);
}

void
print_static_routes(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf *conf = object;

	print_routes(pr, row, &conf->static_paths);
}
