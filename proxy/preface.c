/*
 * preface.c - see preface.h.
 *
 * The client's header is looked at where it lies in the socket and taken away when it is whole, so
 * that what follows is TLS's or the relay's as if nothing had been before.
 */
#include "proxy/preface.h"

#include "proxy/extra.h"
#include "proxy/proxy_header.h"
#include "proxy/tls_facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static enum conn_fault
fault_of(enum proxy_header_result result)
{
	switch (result) {
	case PROXY_HEADER_NONE:
		return CONN_FAULT_HEADER_NONE;
	case PROXY_HEADER_VERSION:
		return CONN_FAULT_HEADER_PROTOCOL;
	case PROXY_HEADER_LENGTH:
	case PROXY_HEADER_ADDRESS:
	case PROXY_HEADER_TLV:
	case PROXY_HEADER_CHECKSUM:
		return CONN_FAULT_HEADER_INVALID;
	case PROXY_HEADER_OK:
	case PROXY_HEADER_MORE:
		break;
	}
	return CONN_FAULT_HEADER_TRUNCATED;
}

/* The header's memory is only the reader's.  false when out of memory. */
static bool
keep(struct conf_bytes *to, const struct proxy_header_text *text)
{
	char *copy;

	if (!text->at)
		return true;
	copy = malloc(text->len + 1);
	if (!copy)
		return false;
	memcpy(copy, text->at, text->len);
	free((void *)(uintptr_t)to->data);
	*to = (struct conf_bytes){ copy, text->len };
	return true;
}

/* Whose the session is from now on. */
static bool
adopt(struct session *s, const struct proxy_header *header)
{
	struct session_extra *extra = extra_of(s);

	if (!extra)
		return false;
	extra->prefaced = true;
	/* A balancer's own check, or a client it does not know: the connection speaks for itself. */
	if (header->local || header->source.family == AF_UNSPEC)
		return true;
	s->peer = (struct session_peer){ header->source, header->source_port };
	extra->destination = (struct session_peer){ header->destination, header->destination_port };
	return keep(&extra->authority, &header->authority) &&
	       keep(&extra->unique_id, &header->unique_id);
}

int
preface_read(struct session *s, enum conn_fault *why)
{
	char data[PROXY_HEADER_MAX];
	struct proxy_header header;
	enum proxy_header_result result;
	size_t len;
	ssize_t n = recv(s->client.lf.fd, data, sizeof data, MSG_PEEK);

	if (n <= 0) {
		if (n < 0 && errno == EAGAIN)
			return 0;
		*why = n < 0 ? CONN_FAULT_HEADER_ERROR : CONN_FAULT_HEADER_CLOSED;
		return -ECONNRESET;
	}
	result = proxy_header_read(data, (size_t)n, &header, &len);
	if (result == PROXY_HEADER_MORE && !(s->client.flags & CONN_PEER_FIN))
		return 0;
	if (result != PROXY_HEADER_OK) {
		*why = fault_of(result);
		return -EPROTO;
	}
	if (recv(s->client.lf.fd, data, len, 0) != (ssize_t)len || !adopt(s, &header)) {
		*why = CONN_FAULT_HEADER_ERROR;
		return -ECONNRESET;
	}
	return 1;
}

static struct proxy_header_text
text_of(const char *text)
{
	return (struct proxy_header_text){ text, text ? strlen(text) : 0 };
}

/* What version 2 can tell of the client's TLS. */
static void
add_tls(struct proxy_header *header, const struct session *s, struct tls_facts *facts)
{
	const struct conf_server *conf = s->target->conf;
	bool names = conf->proxy_options & CONF_PROXY_CERT_CN;

	if (!tls_facts(&s->client, facts))
		return;
	if (conf->proxy_options & CONF_PROXY_AUTHORITY)
		header->authority = text_of(facts->host);
	header->alpn = (struct proxy_header_text){ facts->alpn, facts->alpn_len };
	if (!(conf->proxy_options & CONF_PROXY_SSL))
		return;
	header->tls = (struct proxy_header_tls){
		.on = true,
		.client_cert = facts->client_cert && !facts->resumed,
		.session_cert = facts->client_cert,
		.verify = facts->verify,
		.version = text_of(facts->version),
		.common_name = text_of(names && facts->client_cert ? facts->common_name : NULL),
	};
	if (conf->proxy_options & CONF_PROXY_SSL_CIPHER)
		header->tls.cipher = text_of(facts->cipher);
	if (conf->proxy_options & CONF_PROXY_CERT_SIG)
		header->tls.signature = text_of(facts->cert_signature);
	if (conf->proxy_options & CONF_PROXY_CERT_KEY)
		header->tls.key = text_of(facts->cert_key);
}

/* A fresh connection takes a header whole, or something is wrong with it. */
static int
send_header(struct conn *conn, const struct conf_server *conf, const struct proxy_header *header)
{
	char data[PROXY_HEADER_ROOM];
	size_t len = conf->send_proxy == CONF_SEND_PROXY_V2 ? proxy_header_write_v2(data, header)
							    : proxy_header_write_v1(data, header);
	ssize_t n;

	conn_prepare_write(conn);
	n = send(conn->lf.fd, data, len, MSG_NOSIGNAL);
	if (n < 0)
		return errno;
	return n == (ssize_t)len ? 0 : ECONNRESET;
}

int
preface_write(struct session *s)
{
	const struct conf_server *conf = s->target->conf;
	struct session_peer to = extra_destination(s);
	struct proxy_header header = {
		.source = s->peer.ip,
		.source_port = s->peer.port,
		.destination = to.ip,
		.destination_port = to.port,
		.checksum = conf->proxy_options & CONF_PROXY_CRC32C,
	};
	struct tls_facts facts;

	if (conf->send_proxy == CONF_SEND_PROXY_V2)
		add_tls(&header, s, &facts);
	return send_header(&s->server, conf, &header);
}

int
preface_write_check(struct conn *conn, const struct server *server)
{
	struct sock_addr from = { .len = sizeof from.storage }, to = { .len = sizeof to.storage };
	struct proxy_header header = { .local = true };

	if (server->conf->send_proxy != CONF_SEND_PROXY_V2) {
		if (getsockname(conn->lf.fd, &from.any, &from.len) < 0 ||
		    getpeername(conn->lf.fd, &to.any, &to.len) < 0)
			return errno;
		header = (struct proxy_header){
			.source = sock_addr_ip(&from),
			.source_port = sock_addr_port(&from),
			.destination = sock_addr_ip(&to),
			.destination_port = sock_addr_port(&to),
		};
	}
	return send_header(conn, server->conf, &header);
}
