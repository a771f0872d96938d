/*
 * preface.h - the PROXY protocol around a session: the header that a client must send first, and
 * the one that a server is sent.  Run by the session's thread.
 */
#pragma once

#include "proxy/conn_fault.h"
#include "proxy/session.h"

/*
 * Looks for the client's header in what has arrived, and takes it away: 1 = it was there, and the
 * session has the addresses it tells; 0 = more is to come; -EPROTO = refused, -ECONNRESET = the
 * client has gone; *why says it more exactly.
 */
int preface_read(struct session *s, enum conn_fault *why);

/* Tells the server who the client is, before anything else goes there; 0 or an errno. */
int preface_write(struct session *s);

/* The same for a check, which speaks for itself; 0 or an errno. */
int preface_write_check(struct conn *conn, const struct server *server);

/* Does the server expect a header? */
static inline bool
preface_wanted(const struct server *server)
{
	return server->conf->send_proxy != CONF_SEND_PROXY_NONE;
}
