/*
 * words_server.c - "server NAME ADDRESS [parameters]" and "default-server [parameters]".
 */
#include "conf/words_proxies.h"

#include "conf/address.h"
#include "conf/alpn.h"
#include "conf/parser.h"
#include "conf/words_idle_haproxy.h"
#include "conf/words_tls.h"

#include <string.h>

/* Servers that one `server-template` makes. */
#define TEMPLATE_MAX 10000

static void
parse_not(struct conf_call *call)
{
	struct conf_server *server = call->object;

	call->used = 1;
	if (strcmp(call->row->name, "enabled") == 0)
		server->disabled = false;
	else if (strcmp(call->row->name, "no-backup") == 0)
		server->backup = false;
	else if (strcmp(call->row->name, "no-agent-check") == 0)
		server->agent_check = false;
	else
		server->check = false;
}

/* "addr ADDRESS", "agent-addr ADDRESS": where checks go. */
static void
parse_check_address(struct conf_call *call)
{
	struct conf_server *server = call->object;
	bool agent = strcmp(call->row->name, "agent-addr") == 0;
	const struct conf_word *word = call_word(call, 1, "an address");
	struct conf_address address;
	const char *error;

	call->used = 2;
	if (!word)
		return;
	error = address_parse(call->p->arena, haproxy_expand(&call->p->lexer, word), &address);
	if (!error && address.kind != CONF_ADDRESS_IP)
		error = "write an IP address";
	if (!error && address.port_kind == CONF_PORT_OFFSET)
		error = "a check's port is no offset";
	if (!error && agent && address.port_kind == CONF_PORT_FIXED)
		error = "the port is written behind `agent-port`";
	if (error) {
		conf_error(&call->p->reporter, word->pos, "cannot check `%.60s`: %s", word->text,
			   error);
		return;
	}
	if (agent) {
		server->agent_address = sock_addr_from_ip(&address.ip, 0);
		return;
	}
	server->check_address = sock_addr_from_ip(&address.ip, 0);
	if (address.port_kind == CONF_PORT_FIXED)
		server->check_port = (uint16_t)address.port;
}

static void
print_check_address(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_server *server = object;
	bool agent = strcmp(row->name, "agent-addr") == 0;
	const struct sock_addr *address = agent ? &server->agent_address : &server->check_address;
	struct ip ip = sock_addr_ip(address);
	char buf[IP_STRLEN];

	if (address->len == 0)
		return;
	print_name(pr, row->name);
	fprintf(pr->out, ip.family == AF_INET6 ? " [%s]" : " %s", ip_format(&ip, buf));
}

/* "check-alpn h2,http/1.1" */
static void
parse_check_alpn(struct conf_call *call)
{
	struct conf_server *server = call->object;
	const struct conf_word *word = call_word(call, 1, "protocols such as h2,http/1.1");
	unsigned char wire[ALPN_WIRE_MAX];

	call->used = 2;
	if (!word)
		return;
	if (alpn_wire(word->text, wire, sizeof wire) < 0)
		conf_error(&call->p->reporter, word->pos,
			   "`%.60s` is no list of protocols such as h2,http/1.1", word->text);
	server->check_alpn = word->text;
}

static void
print_check_alpn(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_server *server = object;

	if (!server->check_alpn)
		return;
	print_name(pr, row->name);
	print_word(pr, server->check_alpn);
}

/* resolve.c numbers servers by their place; only what differs was written. */
static void
print_id(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_server *server = object;

	if (server->id != pr->place + 1)
		fprintf(pr->out, " %s %u", row->name, server->id);
}

static const char no_http[] = "needs mode http, which this version does not have";
static const char later[] = "comes with a later version";

#define HTTP(word, args)                                             \
	{                                                            \
		word, CONF_TYPE_REFUSED, .min = args, .doc = no_http \
	}
#define LATER(word, args)                                          \
	{                                                          \
		word, CONF_TYPE_REFUSED, .min = args, .doc = later \
	}
#define SEND_PROXY(word, text)                                                            \
	{                                                                                 \
		word, CONF_TYPE_CALL, ROW_FIELD(conf_server, send_proxy),                 \
			.parse = parse_send_proxy, .print = print_send_proxy, .doc = text \
	}
#define NOTICE(word, args, reason)                                 \
	{                                                          \
		word, CONF_TYPE_NOTICE, .min = args, .doc = reason \
	}

static const struct conf_choice init_states[] = {
	{ "up", CONF_INIT_UP, NULL },
	{ "fully-up", CONF_INIT_FULLY_UP, NULL },
	{ "down", CONF_INIT_DOWN, NULL },
	{ "fully-down", CONF_INIT_FULLY_DOWN, NULL },
	{ NULL, 0, NULL },
};

static const struct conf_choice observations[] = {
	{ "layer4", true, NULL },
	{ "layer7", 0, no_http },
	{ NULL, 0, NULL },
};

static const struct conf_choice error_actions[] = {
	{ "fastinter", CONF_ON_ERROR_FASTINTER, NULL },
	{ "fail-check", CONF_ON_ERROR_FAIL_CHECK, NULL },
	{ "sudden-death", CONF_ON_ERROR_SUDDEN_DEATH, NULL },
	{ "mark-down", CONF_ON_ERROR_MARK_DOWN, NULL },
	{ NULL, 0, NULL },
};

static const struct conf_choice marked_down[] = {
	{ "shutdown-sessions", true, NULL },
	{ NULL, 0, NULL },
};

static const struct conf_choice marked_up[] = {
	{ "shutdown-backup-sessions", true, NULL },
	{ NULL, 0, NULL },
};

static const struct conf_row rows[] = {
	{ "id", CONF_TYPE_INT, ROW_FIELD(conf_server, id), .min = 1, .max = INT32_MAX,
	  .print = print_id, .doc = "`balance first` prefers the lowest; its place in the list" },
	{ "weight", CONF_TYPE_INT, ROW_FIELD(conf_server, weight), .max = 256, .def = "1",
	  .doc = "its share of connections; 0 = none" },
	{ "backup", CONF_TYPE_FLAG, ROW_FIELD(conf_server, backup),
	  .doc = "used when no other server is usable" },
	{ "no-backup", CONF_TYPE_CALL, .parse = parse_not, .doc = "takes back `backup`" },
	{ "disabled", CONF_TYPE_FLAG, ROW_FIELD(conf_server, disabled), .doc = "not used" },
	{ "enabled", CONF_TYPE_CALL, .parse = parse_not, .doc = "takes back `disabled`" },
	{ "check", CONF_TYPE_FLAG, ROW_FIELD(conf_server, check),
	  .doc = "is used only while its checks pass" },
	{ "no-check", CONF_TYPE_CALL, .parse = parse_not, .doc = "takes back `check`" },
	{ "track", CONF_TYPE_STRING, ROW_FIELD(conf_server, track),
	  .doc = "is up or down with another server, [BACKEND/]SERVER, that is checked" },
	{ "inter", CONF_TYPE_TIME, ROW_FIELD(conf_server, inter_ms), .min = 1, .def = "2s",
	  .doc = "time between two checks" },
	{ "fastinter", CONF_TYPE_TIME, ROW_FIELD(conf_server, fastinter_ms), .min = 1,
	  .doc = "the same while the state is about to change; inter" },
	{ "downinter", CONF_TYPE_TIME, ROW_FIELD(conf_server, downinter_ms), .min = 1,
	  .doc = "the same while the server is down; inter" },
	{ "rise", CONF_TYPE_INT, ROW_FIELD(conf_server, rise), .min = 1, .max = 1000000, .def = "2",
	  .doc = "checks that succeed in a row bring it up" },
	{ "fall", CONF_TYPE_INT, ROW_FIELD(conf_server, fall), .min = 1, .max = 1000000, .def = "3",
	  .doc = "checks that fail in a row take it down" },
	{ "addr", CONF_TYPE_CALL, .parse = parse_check_address, .print = print_check_address,
	  .doc = "where checks go; the server's own address" },
	{ "port", CONF_TYPE_INT, ROW_FIELD(conf_server, check_port), .min = 1, .max = 65535,
	  .doc = "the port that is checked; the server's own" },
	{ "check-send-proxy", CONF_TYPE_FLAG, ROW_FIELD(conf_server, check_send_proxy),
	  .doc = "checks begin with the PROXY protocol's line" },
	{ "check-ssl", CONF_TYPE_FLAG, ROW_FIELD(conf_server, check_ssl),
	  .doc = "checks use TLS, also without `ssl` and with `port` or `addr`" },
	{ "no-check-ssl", CONF_TYPE_FLAG, ROW_FIELD(conf_server, no_check_ssl),
	  .doc = "checks are plain although connections use TLS" },
	{ "check-sni", CONF_TYPE_STRING, ROW_FIELD(conf_server, check_sni),
	  .doc = "the host that checks ask for" },
	{ "agent-check", CONF_TYPE_FLAG, ROW_FIELD(conf_server, agent_check),
	  .doc = "an agent beside it is asked: its words change weight, maxconn and state" },
	{ "no-agent-check", CONF_TYPE_CALL, .parse = parse_not, .doc = "takes back `agent-check`" },
	{ "agent-addr", CONF_TYPE_CALL, .parse = parse_check_address, .print = print_check_address,
	  .doc = "where the agent is; the server's own address" },
	{ "agent-port", CONF_TYPE_INT, ROW_FIELD(conf_server, agent_port), .min = 1, .max = 65535,
	  .doc = "the agent's port; `agent-check` needs it" },
	{ "agent-inter", CONF_TYPE_TIME, ROW_FIELD(conf_server, agent_inter_ms), .min = 1,
	  .def = "2s", .doc = "time between two questions to the agent" },
	{ "agent-send", CONF_TYPE_STRING, ROW_FIELD(conf_server, agent_send),
	  .doc = "a text that the agent is sent first" },
	{ "check-alpn", CONF_TYPE_CALL, ROW_FIELD(conf_server, check_alpn),
	  .parse = parse_check_alpn, .print = print_check_alpn,
	  .doc = "the protocols that checks offer: h2,http/1.1" },
	{ "init-state", CONF_TYPE_CHOICE, ROW_FIELD(conf_server, init_state),
	  .choices = init_states, .def = "up", .doc = "what it is before its first check" },
	{ "observe", CONF_TYPE_CHOICE, ROW_FIELD(conf_server, observe), .choices = observations,
	  .doc = "sessions that cannot connect count, too" },
	{ "error-limit", CONF_TYPE_INT, ROW_FIELD(conf_server, error_limit), .min = 1,
	  .max = 1000000, .def = "10", .doc = "so many of them in a row are an event" },
	{ "on-error", CONF_TYPE_CHOICE, ROW_FIELD(conf_server, on_error), .choices = error_actions,
	  .def = "fail-check", .doc = "what such an event does, besides checking soon" },
	{ "slowstart", CONF_TYPE_TIME, ROW_FIELD(conf_server, slowstart_ms), .max = INT32_MAX,
	  .doc = "its weight and maxconn grow for so long when it has come back; 0 = at once" },
	{ "on-marked-down", CONF_TYPE_CHOICE, ROW_FIELD(conf_server, shutdown_on_down),
	  .choices = marked_down, .doc = "what its sessions get when it goes down" },
	{ "on-marked-up", CONF_TYPE_CHOICE, ROW_FIELD(conf_server, shutdown_backups_on_up),
	  .choices = marked_up, .doc = "what sessions of backup servers get when it comes up" },
	{ "maxconn", CONF_TYPE_INT, ROW_FIELD(conf_server, maxconn), .max = 10000000,
	  .doc = "connections at a time, more wait in the queue; 0 = no limit" },
	{ "minconn", CONF_TYPE_INT, ROW_FIELD(conf_server, minconn), .max = 10000000,
	  .doc = "the limit while the backend is idle: it grows to maxconn at `fullconn`" },
	{ "maxqueue", CONF_TYPE_INT, ROW_FIELD(conf_server, maxqueue), .max = 10000000,
	  .doc = "connections that may wait for it; 0 = no limit" },
	NOTICE("init-addr", 1, "host names are resolved once, at the start"),
	NOTICE("resolvers", 1, "host names are resolved once, at the start"),
	NOTICE("resolve-prefer", 1, "host names are resolved once, at the start"),
	NOTICE("resolve-opts", 1, "host names are resolved once, at the start"),
	{ "source", CONF_TYPE_CALL, ROW_FIELD(conf_server, outbound), .parse = parse_source,
	  .print = print_source,
	  .doc = "from where it is connected to: ADDRESS[:PORT[-PORT]] "
		 "[usesrc client|clientip|ADDRESS[:PORT]] [interface NAME]; the section's" },
	{ "interface", CONF_TYPE_CALL, ROW_FIELD(conf_server, outbound),
	  .parse = parse_outbound_interface, .print = print_outbound_interface,
	  .doc = "connections to it leave through this interface" },
	SEND_PROXY("send-proxy", "connections begin with a PROXY protocol header of version 1"),
	SEND_PROXY("send-proxy-v2", "the same of version 2"),
	SEND_PROXY("send-proxy-v2-ssl", "the same, with the client's TLS"),
	SEND_PROXY("send-proxy-v2-ssl-cn", "the same, with the name in the client's certificate"),
	SEND_PROXY("no-send-proxy", "takes back `send-proxy` and its kin"),
	SEND_PROXY("no-send-proxy-v2", "takes back `send-proxy` and its kin"),
	SEND_PROXY("no-send-proxy-v2-ssl", "takes back `send-proxy` and its kin"),
	SEND_PROXY("no-send-proxy-v2-ssl-cn", "takes back `send-proxy` and its kin"),
	{ "proxy-v2-options", CONF_TYPE_CALL, ROW_FIELD(conf_server, proxy_options),
	  .parse = parse_proxy_options, .print = print_proxy_options,
	  .doc = "what version 2 tells: ssl, cert-cn, ssl-cipher, cert-sig, cert-key, authority, "
		 "crc32c, with commas" },
	{ "tcp-ut", CONF_TYPE_TIME, ROW_FIELD(conf_server, tcp_ut_ms), .max = INT32_MAX,
	  .doc = "how long sent data may stay unacknowledged; 0 = the kernel's limit" },
	{ "tfo", CONF_TYPE_FLAG, ROW_FIELD(conf_server, tfo),
	  .doc = "TCP fast open: the first data goes with the SYN" },
	NOTICE("pool-max-conn", 1, "connections are not pooled"),
	NOTICE("pool-purge-delay", 1, "connections are not pooled"),
	NOTICE("pool-low-conn", 1, "connections are not pooled"),
	NOTICE("non-stick", 0, "there are no stick tables"),
	SERVER_IDLE_ROWS,
	HTTP("cookie", 1),
	HTTP("redir", 1),
	HTTP("proto", 1),
	HTTP("check-proto", 1),
	TLS_SERVER_ROWS,
	LATER("npn", 1),
	LATER("check-via-socks4", 0),
	LATER("socks4", 1),
	LATER("namespace", 1),
	LATER("ws", 1),
};

const struct conf_table table_server = {
	.name = "`server`",
	.dialect = CONF_HAPROXY,
	.parameters = true,
	.object_size = sizeof(struct conf_server),
	TABLE_ROWS(rows),
};

static void
read_parameters(struct conf_call *call, struct conf_server *server, size_t from)
{
	struct conf_parser *p = call->p;

	if (call->words_n > from)
		table_read(p, &table_server, server, call->words + from, call->words_n - from,
			   call->end, false);
}

void
parse_default_server(struct conf_call *call)
{
	if (call_word(call, 1, "a server's parameters"))
		read_parameters(call, &call->p->draft->server, 1);
}

static void
set_address(struct conf_call *call, struct conf_server *server, const struct conf_word *word)
{
	struct conf_parser *p = call->p;
	const char *text = haproxy_expand(&p->lexer, word), *error;
	struct conf_address address;

	error = address_parse(p->arena, text, &address);
	if (!error && address.kind == CONF_ADDRESS_FD)
		error = "a server has an address";
	if (!error && address.kind == CONF_ADDRESS_IP && ip_is_any(&address.ip))
		error = "a server needs an address of its own";
	if (!error && address.port != address.port_to)
		error = "a server has one port";
	if (error) {
		conf_error(&p->reporter, word->pos, "`%.60s` is no server's address: %s", text,
			   error);
		return;
	}
	server->host = address.host;
	if (address.kind == CONF_ADDRESS_UNIX) {
		server->address = address.unix_path;
		return;
	}
	server->port_relative = address.port_kind != CONF_PORT_FIXED;
	if (server->port_relative)
		server->port_offset = address.port;
	else
		server->port = (uint16_t)address.port;
	if (address.kind == CONF_ADDRESS_IP)
		server->address = sock_addr_from_ip(&address.ip, server->port);
}

static void
add_server(struct conf_call *call, const struct conf_server *server)
{
	struct conf_parser *p = call->p;
	struct conf_proxy *proxy = call->object;
	const struct conf_name *first;

	/* The proxy will have the next index. */
	first = names_add(&p->names, NAME_SERVER, (uint32_t)p->conf->proxies_n, server->name,
			  (uint32_t)proxy->servers_n, server->pos);
	if (first)
		conf_error(&p->reporter, server->pos, "there is a server `%.60s` already, at %s",
			   server->name, conf_place(&p->reporter, server->pos, first->pos));
	*ARENA_PUSH(p->arena, proxy->servers, proxy->servers_n) = *server;
}

void
parse_server(struct conf_call *call)
{
	const struct conf_word *name = call_word(call, 1, "a name and an address");
	const struct conf_word *address = name ? call_word(call, 2, "an address") : NULL;
	struct conf_server server = call->p->draft->server;

	if (!address)
		return;
	server.pos = name->pos;
	server.name = name->text;
	set_address(call, &server, address);
	read_parameters(call, &server, 3);
	add_server(call, &server);
}

/* "N" or "FROM-TO"; false after an error. */
static bool
parse_range(struct conf_call *call, const struct conf_word *word, uint32_t *from, uint32_t *to)
{
	unsigned low = 1, high;
	int end = 0;

	if ((sscanf(word->text, "%9u-%9u%n", &low, &high, &end) != 2 || word->text[end]) &&
	    (low = 1, sscanf(word->text, "%9u%n", &high, &end) != 1 || word->text[end]))
		high = 0;
	if (high < low || high - low >= TEMPLATE_MAX || word->text[0] == '-') {
		conf_error(&call->p->reporter, word->pos,
			   "`%.40s` is no number of servers: N or FROM-TO, at most %d", word->text,
			   TEMPLATE_MAX);
		return false;
	}
	*from = low;
	*to = high;
	return true;
}

void
parse_server_template(struct conf_call *call)
{
	struct conf_parser *p = call->p;
	const struct conf_word *prefix = call_word(call, 1, "a prefix, a number and a host");
	const struct conf_word *range = prefix ? call_word(call, 2, "a number of servers") : NULL;
	const struct conf_word *host = range ? call_word(call, 3, "a host") : NULL;
	struct conf_server server = p->draft->server;
	uint32_t from, to, id;

	if (!host || !parse_range(call, range, &from, &to))
		return;
	if (host->text[0] == '_') {
		call_refuse(call, host->pos, "`%.60s`: SRV records are not looked up", host->text);
		return;
	}
	server.pos = prefix->pos;
	server.template_prefix = prefix->text;
	set_address(call, &server, host);
	read_parameters(call, &server, 4);
	id = server.id;
	for (uint32_t number = from; number <= to; number++) {
		server.name = arena_printf(p->arena, "%s%u", prefix->text, number);
		server.template_place = number - from;
		server.id = id ? id + server.template_place : 0;
		add_server(call, &server);
	}
}

static void
print_address(const struct conf_printer *pr, const struct conf_server *server)
{
	struct ip ip = sock_addr_ip(&server->address);

	if (server->address.len && ip.family == AF_UNSPEC) {
		fputs(*server->host == '/' || strncmp(server->host, "abns@", 5) == 0 ? "" : "unix@",
		      pr->out);
		print_bare(pr, server->host);
		return;
	}
	fprintf(pr->out, ip.family == AF_INET6 ? "[%s]" : "%s", server->host);
	if (!server->port_relative)
		fprintf(pr->out, ":%u", server->port);
	else if (server->port_offset)
		fprintf(pr->out, ":%+d", server->port_offset);
}

/* "server-template PREFIX FROM-TO", from the first of its servers. */
static void
print_template(const struct conf_printer *pr, const struct conf_proxy *proxy, size_t first)
{
	const char *prefix = proxy->servers[first].template_prefix;
	size_t last = first;

	while (last + 1 < proxy->servers_n && proxy->servers[last + 1].template_prefix &&
	       proxy->servers[last + 1].template_place > 0)
		last++;
	print_name(pr, "server-template");
	print_word(pr, prefix);
	fprintf(pr->out, " %s-%s", proxy->servers[first].name + strlen(prefix),
		proxy->servers[last].name + strlen(prefix));
}

void
print_servers(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;
	struct conf_printer inner = *pr;

	inner.parameters = true;
	for (size_t i = 0; i < proxy->servers_n; i++) {
		const struct conf_server *server = &proxy->servers[i];

		/* The first of a template stands for all. */
		if (server->template_prefix && server->template_place > 0)
			continue;
		inner.place = i;
		if (server->template_prefix) {
			print_template(pr, proxy, i);
		} else {
			print_name(pr, row->name);
			print_word(pr, server->name);
		}
		putc(' ', pr->out);
		print_address(pr, server);
		table_print(&inner, &table_server, server);
		print_end(pr);
	}
}
