/*
 * extra.h - what only some sessions have: variables, a destination that a rule has set, a level of
 * its own in the log.  Made when the first of it is set, by the session's thread.
 */
#pragma once

#include "proxy/sample.h"
#include "proxy/session.h"

struct extra_value {
	struct sample value; /* a text is in memory of its own */
	bool set;
	bool exists; /* even without a value: setting it has been tried */
};

struct session_extra {
	struct session_peer destination;        /* AF_UNSPEC = the real one */
	struct conf_bytes authority, unique_id; /* as a PROXY header told; own memory, NULL = not */
	bool prefaced;                          /* there was such a header */
	bool level_set;
	int level;                   /* syslog's; -1 = no line at all */
	struct extra_value values[]; /* by index in conf->variables */
};

/* The session's; NULL when out of memory. */
struct session_extra *extra_of(struct session *s);
void extra_free(struct session *s);

/* Keeps a copy of the sample; NULL takes the variable away. */
void extra_set(struct session *s, uint32_t variable, const struct sample *sample);
/* … if all of these CONF_IF_* hold; false = they do not. */
bool extra_set_if(struct session *s, uint32_t variable, const struct sample *sample, unsigned when);
/* Do they hold of a variable, maybe without an old value (NULL), and a new one? */
bool extra_may_set(bool exists, const struct sample *old, const struct sample *sample,
		   unsigned when);
bool extra_get(const struct session *s, uint32_t variable, struct sample *sample);

/* Where the client connected to; AF_UNSPEC = no IP address. */
struct session_peer extra_destination(const struct session *s);

/* The server's address, or with `ours` the one the connection comes from; len 0 = none. */
struct sock_addr extra_server_address(const struct session *s, bool ours);
