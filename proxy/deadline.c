/*
 * deadline.c - when a session's present state must end, and whose fault that is then.  No I/O, clock
 * or allocation here.
 */
#include "proxy/dial.h"
#include "proxy/inspect.h"
#include "proxy/session.h"

static struct mono
conn_deadline(const struct conn *c, uint32_t timeout_ms, uint32_t fin_ms)
{
	uint32_t ms = (c->flags & CONN_SHUT) && fin_ms ? fin_ms : timeout_ms;

	return ms ? mono_add_ms(c->active, ms) : (struct mono){ 0 };
}

struct mono
session_relay_deadline(const struct session *s, enum session_cause *cause)
{
	const struct conf_proxy *fe = s->frontend->conf, *be = s->backend->conf;
	uint32_t client_ms = fe->timeout_client_ms, server_ms = be->timeout_server_ms;
	struct mono client, server, last = s->client.active;
	/* While ANSWERING it is the rules that wait, not the client's socket. */
	bool sending = s->state != SESSION_ANSWERING && !channel_empty(&s->down);

	if (be->timeout_tunnel_ms)
		client_ms = server_ms = be->timeout_tunnel_ms;
	client = conn_deadline(&s->client, client_ms, fe->timeout_client_fin_ms);
	server = conn_deadline(&s->server, server_ms, be->timeout_server_fin_ms);
	if (be->timeout_tunnel_ms) {
		/* A tunnel is idle only when both sides are. */
		if (mono_before(last, s->server.active))
			last = s->server.active;
		if (!(s->client.flags & CONN_SHUT) || !fe->timeout_client_fin_ms)
			client = mono_add_ms(last, client_ms);
		if (!(s->server.flags & CONN_SHUT) || !be->timeout_server_fin_ms)
			server = mono_add_ms(last, server_ms);
	}
	/* A side is waited for only if it owes something: its data, or room for what it is sent. */
	if ((s->client.flags & CONN_EOF) && !sending)
		client.ns = 0;
	else if (!channel_empty(&s->up) && !sending)
		client.ns = 0;
	if ((s->server.flags & CONN_EOF) && channel_empty(&s->up))
		server.ns = 0;
	else if (sending && channel_empty(&s->up))
		server.ns = 0;

	if (server.ns && (!client.ns || mono_before(server, client))) {
		*cause = SESSION_CAUSE_SERVER_TIMEOUT;
		return server;
	}
	*cause = SESSION_CAUSE_CLIENT_TIMEOUT;
	return client;
}

struct mono
session_client_deadline(const struct session *s)
{
	uint32_t ms = s->frontend->conf->timeout_client_ms;

	return ms ? mono_add_ms(s->client.active, ms) : (struct mono){ 0 };
}

/* While it has no server yet the client's patience counts too, unless it has said its last word. */
static struct mono
dialing_deadline(const struct session *s, uint32_t ms, enum session_cause *cause)
{
	struct mono client = session_client_deadline(s),
		    own = ms ? mono_add_ms(s->since, ms) : (struct mono){ 0 };

	if (client.ns && !(s->client.flags & CONN_EOF) && (!own.ns || mono_before(client, own))) {
		*cause = SESSION_CAUSE_CLIENT_TIMEOUT;
		return client;
	}
	*cause = SESSION_CAUSE_SERVER_TIMEOUT;
	return own;
}

struct mono
session_deadline(const struct session *s, enum session_cause *cause)
{
	const struct conf_proxy *be;
	uint32_t ms = 0;

	*cause = SESSION_CAUSE_CLIENT_TIMEOUT;
	if (s->state == SESSION_INSPECTING)
		return inspect_deadline(s);
	if (s->state == SESSION_HANDSHAKE) {
		ms = s->frontend->conf->timeout_client_ms;
		return ms ? mono_add_ms(s->since, ms) : (struct mono){ 0 };
	}
	*cause = SESSION_CAUSE_SERVER_TIMEOUT;
	if (!s->backend)
		return (struct mono){ 0 };
	be = s->backend->conf;
	switch (s->state) {
	case SESSION_QUEUED:
		return dialing_deadline(
			s, be->timeout_queue_ms ? be->timeout_queue_ms : be->timeout_connect_ms,
			cause);
	case SESSION_CONNECTING:
		return dialing_deadline(s, be->timeout_connect_ms, cause);
	case SESSION_PAUSING:
		return dialing_deadline(s, dial_pause_ms(s), cause);
	case SESSION_ANSWERING:
		return inspect_answer_deadline(s, session_relay_deadline(s, cause));
	case SESSION_RELAYING:
		return session_relay_deadline(s, cause);
	case SESSION_HANDSHAKE:
	case SESSION_INSPECTING:
	case SESSION_CLOSED:
		break;
	}
	return (struct mono){ 0 };
}

uint32_t
session_shortest_ms(const struct session *s)
{
	const struct conf_proxy *fe = s->frontend->conf, *be = s->backend->conf;
	const uint32_t all[] = { fe->timeout_client_ms, fe->timeout_client_fin_ms,
				 be->timeout_server_ms, be->timeout_server_fin_ms,
				 be->timeout_tunnel_ms };
	uint32_t shortest = 0;

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i] && (!shortest || all[i] < shortest))
			shortest = all[i];
	return shortest;
}
