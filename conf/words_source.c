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

/* "client", "clientip" or "ADDRESS[:PORT]". */
static void
take_usesrc(struct conf_call *call, const struct conf_word *word, struct conf_outbound *out)
{
	struct conf_parser *p = call->p;
	struct conf_address address;
	const char *error;

	p->conf->uses_usesrc = true;
	out->usesrc = strcmp(word->text, "client") == 0     ? CONF_USESRC_CLIENT
		      : strcmp(word->text, "clientip") == 0 ? CONF_USESRC_CLIENTIP
							    : CONF_USESRC_ADDRESS;
	if (out->usesrc != CONF_USESRC_ADDRESS)
		return;
	if (strncmp(word->text, "hdr_ip(", strlen("hdr_ip(")) == 0) {
		call_refuse(call, word->pos,
			    "`hdr_ip` needs mode http, which this version does "
			    "not have");
		return;
	}
	error = address_parse(p->arena, haproxy_expand(&p->lexer, word), &address);
	if (!error && (address.kind != CONF_ADDRESS_IP || ip_is_any(&address.ip)))
		error = "write client, clientip or an IP address";
	if (!error && (address.port_kind == CONF_PORT_OFFSET || address.port_to > address.port))
		error = "it takes one port at most";
	if (error) {
		conf_error(&p->reporter, word->pos, "cannot connect as `%.60s`: %s", word->text,
			   error);
		return;
	}
	out->foreign = address.ip;
	out->foreign_port = address.port_kind == CONF_PORT_FIXED ? (uint16_t)address.port : 0;
}

/* "source ADDRESS[:PORT[-PORT]] [usesrc WHOSE] [interface NAME]", the latter in any order. */
void
parse_source(struct conf_call *call)
{
	struct conf_outbound *out = outbound_of(call->row, call->object);
	const struct conf_word *word = call_word(call, 1, "an address");
	struct conf_outbound fresh = { 0 };

	call->used = 2;
	if (!word || !parse_address(call, word, &fresh))
		return;
	while (call->used < call->words_n) {
		const char *option = call->words[call->used].text;
		bool usesrc = strcmp(option, "usesrc") == 0;

		if (!usesrc && strcmp(option, "interface") != 0)
			break;
		word = call_word(call, call->used + 1,
				 usesrc ? "client, clientip or an address" : "an interface's name");
		call->used += 1 + (word != NULL);
		if (word && usesrc)
			take_usesrc(call, word, &fresh);
		else if (word)
			take_interface(call, word, &fresh);
	}
	*out = fresh;
}

static void
print_address(const struct conf_printer *pr, const struct ip *ip, uint16_t port)
{
	char buf[IP_STRLEN];

	fprintf(pr->out, ip->family == AF_INET6 ? " [%s]" : " %s", ip_format(ip, buf));
	if (port)
		fprintf(pr->out, ":%u", port);
}

void
print_source(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_outbound *out = outbound_of(row, object);

	if (out->source.family == AF_UNSPEC)
		return;
	print_name(pr, row->name);
	print_address(pr, &out->source, out->port_from);
	if (out->port_to != out->port_from)
		fprintf(pr->out, "-%u", out->port_to);
	if (out->usesrc)
		print_word(pr, "usesrc");
	if (out->usesrc == CONF_USESRC_ADDRESS)
		print_address(pr, &out->foreign, out->foreign_port);
	else if (out->usesrc)
		print_word(pr, out->usesrc == CONF_USESRC_CLIENT ? "client" : "clientip");
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
