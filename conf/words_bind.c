/*
 * words_bind.c - "bind ADDRESS[,ADDRESS…] [parameters]".
 *
 * Each address, and each port of a range, becomes a conf_bind of its own: what is one line in the
 * file may be many sockets.
 */
#include "conf/words_proxies.h"

#include "conf/address.h"
#include "conf/parser.h"
#include "conf/words_idle_haproxy.h"
#include "conf/words_tls.h"

#include <grp.h>
#include <net/if.h>
#include <pwd.h>
#include <string.h>

/* "mode 660": octal. */
static void
parse_mode(struct conf_call *call)
{
	struct conf_bind *bind = call->object;
	const struct conf_word *word = call_word(call, 1, "an octal number such as 660");
	int32_t mode = 0;
	const char *c;

	call->used = 2;
	if (!word)
		return;
	for (c = word->text; *c >= '0' && *c <= '7' && mode <= 07777; c++)
		mode = mode * 8 + (*c - '0');
	if (c == word->text || *c || mode > 07777)
		conf_error(&call->p->reporter, word->pos,
			   "`mode` needs an octal number such as 660, not `%.40s`", word->text);
	else
		bind->mode = mode;
}

static void
print_mode(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_bind *bind = object;

	if (bind->mode >= 0)
		fprintf(pr->out, " %s %o", row->name, (unsigned)bind->mode);
}

/* uid, gid */
static void
parse_owner(struct conf_call *call)
{
	const struct conf_word *word = call_word(call, 1, "a number");
	int64_t id;
	int32_t *field = (int32_t *)((char *)call->object + call->row->offset);

	call->used = 2;
	if (word && call_int(call, word, 0, INT32_MAX, &id))
		*field = (int32_t)id;
}

/* user, group: names of this host, kept as numbers; looked up before anything is served. */
static void
parse_owner_name(struct conf_call *call)
{
	bool group = strcmp(call->row->name, "group") == 0;
	const struct conf_word *word = call_word(call, 1, group ? "a group" : "a user");
	struct conf_bind *bind = call->object;
	const struct passwd *pw = word && !group ? getpwnam(word->text) : NULL;
	const struct group *gr = word && group ? getgrnam(word->text) : NULL;

	call->used = 2;
	if (pw)
		bind->uid = (int32_t)pw->pw_uid;
	else if (gr)
		bind->gid = (int32_t)gr->gr_gid;
	else if (word)
		conf_error(&call->p->reporter, word->pos, "there is no %s `%.40s` on this host",
			   call->row->name, word->text);
}

static void
print_owner(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	int32_t id;

	memcpy(&id, (const char *)object + row->offset, sizeof id);
	if (id >= 0)
		fprintf(pr->out, " %s %d", row->name, id);
}

static void
parse_interface(struct conf_call *call)
{
	struct conf_bind *bind = call->object;
	const struct conf_word *word = call_word(call, 1, "an interface's name");

	call->used = 2;
	if (!word)
		return;
	if (!*word->text || strlen(word->text) >= IFNAMSIZ)
		conf_error(&call->p->reporter, word->pos, "`%.60s` cannot be an interface",
			   word->text);
	else
		bind->interface = word->text;
}

static void
print_interface(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_bind *bind = object;

	if (!bind->interface)
		return;
	print_name(pr, row->name);
	print_word(pr, bind->interface);
}

static const char later[] = "comes with a later version";

#define LATER(word, args)                                          \
	{                                                          \
		word, CONF_TYPE_REFUSED, .min = args, .doc = later \
	}
#define NOTICE(word, args, reason)                                 \
	{                                                          \
		word, CONF_TYPE_NOTICE, .min = args, .doc = reason \
	}

static const struct conf_row rows[] = {
	{ "name", CONF_TYPE_STRING, ROW_FIELD(conf_bind, name),
	  .doc = "how it is called in the log" },
	{ "backlog", CONF_TYPE_INT, ROW_FIELD(conf_bind, backlog), .max = 1 << 20,
	  .doc = "connections that wait in the kernel; the frontend's" },
	{ "maxconn", CONF_TYPE_INT, ROW_FIELD(conf_bind, maxconn), .max = 10000000,
	  .doc = "connections at a time; 0 = no limit of its own" },
	{ "v6only", CONF_TYPE_FLAG, ROW_FIELD(conf_bind, v6only), .doc = "IPv6 only" },
	{ "v4v6", CONF_TYPE_FLAG, ROW_FIELD(conf_bind, v4v6), .doc = "IPv4 as well as IPv6" },
	{ "interface", CONF_TYPE_CALL, .parse = parse_interface, .print = print_interface,
	  .doc = "connections through this interface only" },
	{ "mode", CONF_TYPE_CALL, ROW_FIELD(conf_bind, mode), .parse = parse_mode,
	  .print = print_mode, .doc = "the rights of a unix socket" },
	{ "uid", CONF_TYPE_CALL, ROW_FIELD(conf_bind, uid), .parse = parse_owner,
	  .print = print_owner, .doc = "the owner of a unix socket" },
	{ "gid", CONF_TYPE_CALL, ROW_FIELD(conf_bind, gid), .parse = parse_owner,
	  .print = print_owner, .doc = "the group of a unix socket" },
	{ "user", CONF_TYPE_CALL, .parse = parse_owner_name,
	  .doc = "the owner of a unix socket, by name" },
	{ "group", CONF_TYPE_CALL, .parse = parse_owner_name,
	  .doc = "the group of a unix socket, by name" },
	{ "transparent", CONF_TYPE_FLAG, ROW_FIELD(conf_bind, transparent),
	  .doc = "takes connections to foreign addresses that the firewall diverts here" },
	{ "accept-proxy", CONF_TYPE_FLAG, ROW_FIELD(conf_bind, accept_proxy),
	  .doc = "clients send a PROXY protocol header first, of version 1 or 2" },
	{ "tfo", CONF_TYPE_FLAG, ROW_FIELD(conf_bind, tfo),
	  .doc = "TCP fast open: a returning client's data may come with its SYN" },
	{ "defer-accept", CONF_TYPE_FLAG, ROW_FIELD(conf_bind, defer_accept),
	  .doc = "connections are accepted once the client has sent something" },
	{ "tcp-ut", CONF_TYPE_TIME, ROW_FIELD(conf_bind, tcp_ut_ms), .max = INT32_MAX,
	  .doc = "how long sent data may stay unacknowledged; 0 = the kernel's limit" },
	{ "mss", CONF_TYPE_INT, ROW_FIELD(conf_bind, mss), .min = 88, .max = 65535,
	  .doc = "the largest TCP segment; the kernel's" },
	NOTICE("shards", 1, "each thread has a socket of its own"),
	NOTICE("thread", 1, "each thread has a socket of its own"),
	NOTICE("process", 1, "there is one process"),
	NOTICE("level", 1, "`tandem status` is the only command socket"),
	NOTICE("expose-fd", 1, "listeners are handed over without it"),
	NOTICE("severity-output", 1, "`tandem status` is the only command socket"),
	NOTICE("nice", 1, "all connections are served alike"),
	BIND_IDLE_ROWS,
	LATER("accept-netscaler-cip", 1),
	LATER("id", 1),
	LATER("namespace", 1),
	LATER("proto", 1),
	TLS_BIND_ROWS,
	NOTICE("no-ca-names", 0, "the names of the authorities are sent to clients"),
	LATER("ca-verify-file", 1),
	LATER("ca-ignore-err", 1),
	LATER("crt-ignore-err", 1),
	LATER("npn", 1),
	LATER("ecdhe", 1),
	LATER("tls-ticket-keys", 1),
	LATER("generate-certificates", 0),
	LATER("allow-0rtt", 0),
};

const struct conf_table table_bind = {
	.name = "`bind`",
	.dialect = CONF_HAPROXY,
	.parameters = true,
	.object_size = sizeof(struct conf_bind),
	TABLE_ROWS(rows),
};

/* One element of the comma list.  Errors point at the element. */
static void
add_binds(struct conf_call *call, const char *element, struct conf_pos pos,
	  const struct conf_bind *parameters)
{
	struct conf_parser *p = call->p;
	struct conf_proxy *proxy = call->object;
	struct conf_address address;
	const char *error = address_parse(p->arena, element, &address), *colon;
	bool is_host =
		!error && (address.kind == CONF_ADDRESS_IP || address.kind == CONF_ADDRESS_NAME);

	if (is_host && address.port_kind != CONF_PORT_FIXED)
		error = "a port is missing (ADDRESS:PORT)";
	else if (!error && address.kind == CONF_ADDRESS_NAME)
		error = parser_look_up(p, &address);
	if (error) {
		conf_error(&p->reporter, pos, "cannot listen on `%.60s`: %s", element, error);
		return;
	}
	colon = strrchr(element, ':');
	for (int32_t port = address.port; port <= address.port_to; port++) {
		struct conf_bind *bind;

		if (p->binds_n++ >= CONF_BINDS_MAX) {
			conf_error(&p->reporter, pos, "more than %d listening sockets",
				   CONF_BINDS_MAX);
			return;
		}
		bind = ARENA_PUSH(p->arena, proxy->binds, proxy->binds_n);
		*bind = *parameters;
		bind->pos = pos;
		bind->text = element;
		if (address.port != address.port_to)
			bind->text = arena_printf(p->arena, "%.*s%d", (int)(colon + 1 - element),
						  element, port);
		bind->inherited_fd = address.fd;
		if (address.kind == CONF_ADDRESS_UNIX)
			bind->address = address.unix_path;
		else if (is_host && address.ip.family != AF_UNSPEC)
			bind->address = sock_addr_from_ip(&address.ip, (uint16_t)port);
	}
}

void
parse_bind(struct conf_call *call)
{
	struct conf_parser *p = call->p;
	const struct conf_word *word = call_word(call, 1, "an address");
	struct conf_bind parameters = { .mode = -1, .uid = -1, .gid = -1, .inherited_fd = -1 };
	const char *list, *comma;
	bool literal;

	if (!word)
		return;
	if (call->words_n > 2)
		table_read(p, &table_bind, &parameters, call->words + 2, call->words_n - 2,
			   call->end, false);

	list = haproxy_expand(&p->lexer, word);
	/* Only what was neither quoted nor expanded stands in the file as it stands here. */
	literal = list == word->text && word->raw_len == strlen(word->text);
	for (;; list = comma + 1) {
		struct conf_pos pos = word->pos;

		comma = strchrnul(list, ',');
		if (literal)
			pos.column += (uint32_t)(list - word->text);
		add_binds(call, arena_strndup(p->arena, list, (size_t)(comma - list)), pos,
			  &parameters);
		if (!*comma)
			break;
	}
}

void
print_binds(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_proxy *proxy = object;
	struct conf_printer inner = *pr;

	inner.parameters = true;
	for (size_t i = 0; i < proxy->binds_n; i++) {
		print_name(pr, row->name);
		print_word(pr, proxy->binds[i].text);
		table_print(&inner, &table_bind, &proxy->binds[i]);
		print_end(pr);
	}
}
