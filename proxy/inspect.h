/*
 * inspect.h - rules: what `tcp-request`, `tcp-response`, `use_backend` and `use-server` do with a
 * session.  Run by the session's thread.
 *
 * Only frontends that have any (or whose backend has) come here.  The client's first bytes are read
 * into session->up, the server's into session->down; once the rules are through, the relay goes on
 * from there.  A session that has sent nothing holds no buffer.
 */
#pragma once

#include "proxy/session.h"

/* At the accept, before TLS: `tcp-request connection`.  false: the session has ended. */
bool inspect_connection(struct session *s);

/* TLS is through: `tcp-request session`, then the content.  The session may have ended. */
void inspect_begin(struct session *s);

/* While INSPECTING: the client's socket has something to tell; or the deadline has come. */
void inspect_ready(struct session *s);
void inspect_expired(struct session *s);
struct mono inspect_deadline(const struct session *s);

enum inspect_result {
	INSPECT_PASS, /* the server's bytes may flow */
	INSPECT_WAIT,
	INSPECT_OVER, /* the session has ended */
};

/* While ANSWERING: reads what the server says, and judges it; `expired`: by what there is. */
enum inspect_result inspect_answer(struct session *s, bool expired);

/* The relay's deadline, or the end of tcp-response inspect-delay if that comes first. */
struct mono inspect_answer_deadline(const struct session *s, struct mono relay);

/* The hash of what `balance hash` and `rdp-cookie` look at; false: there is no such thing here. */
bool inspect_hash(struct session *s, const struct conf_proxy *be, uint32_t *hash);

/* Has a session of this frontend rules to go through? */
bool inspect_wanted(const struct conf *conf, const struct conf_proxy *fe);
