/*
 * session.h - a client's connection and the server's it was given.
 *
 * A session belongs to the thread that accepted it, from the accept to the end of the turn in which
 * it was closed.  Its states:
 *
 *     accept -> HANDSHAKE -> INSPECTING -> CONNECTING -> ANSWERING -> RELAYING -> CLOSED
 *                                           |      ^
 *                                           v      |
 *                                    QUEUED, PAUSING
 *
 * HANDSHAKE is passed over without TLS; with it the server's own belongs to CONNECTING.  INSPECTING
 * and ANSWERING are for rules that look at the first bytes (inspect.c).
 */
#pragma once

#include "proxy/listener.h"
#include "proxy/runtime.h"

enum session_state {
	SESSION_HANDSHAKE,  /* the client's TLS */
	SESSION_INSPECTING, /* the client's first bytes are looked at */
	SESSION_QUEUED,     /* waits for a slot of a server */
	SESSION_CONNECTING,
	SESSION_PAUSING,   /* no other server to try: waits before it tries the same again */
	SESSION_ANSWERING, /* as RELAYING, but the server's first bytes are held back */
	SESSION_RELAYING,
	SESSION_CLOSED, /* its memory goes at the end of the turn */
};

/* What ended a session: the first letter of HAProxy's termination state. */
enum session_cause {
	SESSION_CAUSE_NONE = '-',
	SESSION_CAUSE_CLIENT = 'C',
	SESSION_CAUSE_SERVER = 'S',
	SESSION_CAUSE_CLIENT_TIMEOUT = 'c',
	SESSION_CAUSE_SERVER_TIMEOUT = 's',
	SESSION_CAUSE_RESOURCE = 'R',
	SESSION_CAUSE_PROXY = 'P', /* a rule */
	SESSION_CAUSE_KILLED = 'K',
	SESSION_CAUSE_UP = 'U',   /* a better server than its backup is there again */
	SESSION_CAUSE_DOWN = 'D', /* its server went down, and the file wants its sessions ended */
};

/* In place of 128 bytes of sock_addr. */
struct session_peer {
	struct ip ip; /* AF_UNSPEC = unix */
	uint16_t port;
};

struct session {
	struct conn client, server;
	struct channel up, down; /* to the server, to the client */
	struct proxy_thread *thread;
	struct frontend *frontend;
	struct backend *backend;     /* NULL: the frontend has none */
	struct server *target;       /* the last one chosen */
	struct server *wanted;       /* the one it waits for while QUEUED; NULL = any */
	struct server *wish;         /* whom a use-server rule names; NULL = balancing decides */
	struct session_extra *extra; /* extra.h; NULL = it has nothing of that */
	const struct conf_tcp_rule *last_rule; /* about content, that ended its list; NULL = none */
	struct list link;                      /* in the thread's sessions */
	struct list wait;                      /* in struct waiting */
	struct timer timer;    /* fires at or before the deadline, and looks again */
	struct deferred later; /* the share of a turn used up, or memory to free */
	enum session_state state;
	enum session_cause cause;
	char phase; /* second letter of the termination state */
	bool slot;  /* holds one of target's */
	bool redispatched, logged;
	bool awaits_header;                 /* the PROXY protocol's, before anything else */
	bool vanish;                        /* closed without a word to the client */
	bool unwelcome;                     /* refused as a connection: closed with RST */
	uint8_t stage;                      /* while INSPECTING: whose rules */
	uint8_t attempts;                   /* to connect */
	uint8_t failures;                   /* of these */
	uint8_t client_fault, server_fault; /* enum conn_fault; the server's of the last attempt */
	uint16_t bind;                      /* index in the frontend */
	uint32_t serial;                    /* which of the proxy's sessions it is */
	uint64_t tried;                     /* servers that failed, as lb_bit */
	struct session_peer peer;
	uint32_t queue_position; /* place in the queue; 0 = never queued */
	int32_t handshake_ms;    /* accept to the end of the client's handshake; 0 = none */
	int32_t queue_ms;        /* accept to the end of waiting for a server; -1 = never */
	int32_t connect_ms;      /* accept to connected; -1 = never */
	struct mono accepted;
	struct mono since;   /* when the present state began */
	int64_t accepted_ms; /* wall clock, when there is a log; else 0 */
};

/* A connection was accepted and admitted; takes `fd` over. */
void session_start(struct listener *l, int fd, const struct sock_addr *from);

/* Its TLS handshake, if any, is over: looks for a server, or first at its rules. */
void session_admitted(struct session *s);

/* The backend it goes to, for good. */
void session_assign(struct session *s, struct backend *be);

/* Ends it: both sockets are closed, places and slots given back, a line logged. */
void session_close(struct session *s, enum session_cause cause);

/* The server has answered: data may flow. */
void session_established(struct session *s);

/* The server's socket has something to tell while RELAYING. */
void session_ready(struct session *s);

/* The state has changed: sees to it that the timer is not later than the deadline. */
void session_rearm(struct session *s);

static inline void
session_enter(struct session *s, enum session_state state)
{
	s->state = state;
	s->since = s->thread->loop.now;
	session_rearm(s);
}

/* Has the client sent anything? */
static inline bool
session_heard(const struct session *s)
{
	return s->up.bytes > 0 || !channel_empty(&s->up);
}

/* deadline.c: when the present state must end, .ns == 0 = never; *cause: what to say then. */
struct mono session_deadline(const struct session *s, enum session_cause *cause);

/* The same as if both sides did nothing but relay. */
struct mono session_relay_deadline(const struct session *s, enum session_cause *cause);

/* When a client that says nothing more is sent away. */
struct mono session_client_deadline(const struct session *s);

/* The shortest time-out of a session that relays; 0 = it has none. */
uint32_t session_shortest_ms(const struct session *s);
