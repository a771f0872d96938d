/*
 * words_source.c - `source` of a section and of a server: from where servers are connected to.
 */
#include "conf/address.h"
#include "conf/parser.h"
#include "conf/words_proxies.h"

#include <net/if.h>
#include <string.h>

static struct conf_outbound *
outbound_of(const struct conf_row *row, const void *object)
{
	return (struct conf_outbound *)((char *)object + row->offset);
}

/* The address, and maybe one port or a range of them; false after an error. */
static bool
parse_address(struct conf_call *call, const struct conf_word *word, struct conf_outbound *out)
{
	struct conf_parser *p = call->p;
	struct conf_address address;
	const char *error = address_parse(p->arena, haproxy_expand(&p->lexer, word), &address);

	if (!error && address.kind != CONF_ADDRESS_IP)
		error = "write an IP address";
	if (!error && address.port_kind == CONF_PORT_OFFSET)
		error = "a source port is no offset";
	if (error) {
		conf_error(&p->reporter, word->pos, "cannot connect from `%.60s`: %s", word->text,
			   error);
		return false;
	}
	out->source = address.ip;
	if (address.port_kind == CONF_PORT_FIXED) {
		out->port_from = (uint16_t)address.port;
		out->port_to = (uint16_t)address.port_to;
	}
	return true;
}

static void
take_interface(struct conf_call *call, const struct conf_word *word, struct conf_outbound *out)
{
	if (!*word->text || strlen(word->text) >= IFNAMSIZ)
		conf_error(&call->p->reporter, word->pos, "`%.60s` cannot be an interface",
			   word->text);
	else
		out->interface = word->text;
}

/* "source ADDRESS[:PORT[-PORT]] [interface NAME]"; `usesrc` would need foreign addresses. */
void
parse_source(struct conf_call *call)
{
	struct conf_outbound *out = outbound_of(call->row, call->object);
	const struct conf_word *word = call_word(call, 1, "an address");
	size_t at = 2;

	call->used = 2;
	if (!word || !parse_address(call, word, out))
		return;
	if (at < call->words_n && strcmp(call->words[at].text, "usesrc") == 0) {
		call_refuse(call, call->words[at].pos,
			    "`usesrc`: connecting from the client's address comes with a later "
			    "version; `send-proxy` tells servers who the client is");
		call->used = at + 2 < call->words_n ? at + 2 : call->words_n;
		return;
	}
	if (at + 1 < call->words_n && strcmp(call->words[at].text, "interface") == 0) {
		take_interface(call, &call->words[at + 1], out);
		call->used = at + 2;
	}
}

void
print_source(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_outbound *out = outbound_of(row, object);
	char buf[IP_STRLEN];

	if (out->source.family == AF_UNSPEC)
		return;
	print_name(pr, row->name);
	fprintf(pr->out, out->source.family == AF_INET6 ? " [%s]" : " %s",
		ip_format(&out->source, buf));
	if (out->port_from)
		fprintf(pr->out, ":%u", out->port_from);
	if (out->port_to != out->port_from)
		fprintf(pr->out, "-%u", out->port_to);
	if (out->interface) {
		print_word(pr, "interface");
		print_word(pr, out->interface);
	}
	if (!pr->parameters)
		print_end(pr);
}

/* A server's "interface NAME" without a source. */
void
parse_outbound_interface(struct conf_call *call)
{
	const struct conf_word *word = call_word(call, 1, "an interface's name");

	call->used = 2;
	if (word)
		take_interface(call, word, outbound_of(call->row, call->object));
}

void
print_outbound_interface(const struct conf_printer *pr, const struct conf_row *row,
			 const void *object)
{
	const struct conf_outbound *out = outbound_of(row, object);

	if (!out->interface || out->source.family != AF_UNSPEC)
		return;
	print_name(pr, row->name);
	print_word(pr, out->interface);
}
