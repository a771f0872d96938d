/*
 * server.h - a server of a backend, as the file has it; part of the model.
 */
#pragma once

#include "conf/health.h"
#include "conf/pos.h"
#include "conf/tls.h"

/* From where servers are connected to. */
/* Whose address servers see instead of `source`'s; checks have that. */
enum conf_usesrc {
	CONF_USESRC_NONE,
	CONF_USESRC_CLIENT,   /* the client's, its port too */
	CONF_USESRC_CLIENTIP, /* the client's; the kernel chooses the port */
	CONF_USESRC_ADDRESS,
};

struct conf_outbound {
	struct ip source;            /* AF_UNSPEC = the kernel chooses */
	uint16_t port_from, port_to; /* 0 = the kernel chooses */
	const char *interface;       /* NULL = any */
	enum conf_usesrc usesrc;
	struct ip foreign;     /* of CONF_USESRC_ADDRESS … */
	uint16_t foreign_port; /* … 0 = the kernel chooses */
};

/* What a checked server is before anybody has asked it. */
enum conf_init_state {
	CONF_INIT_UP,       /* one failure from down; the default */
	CONF_INIT_FULLY_UP, /* `fall` failures from down */
	CONF_INIT_DOWN,     /* one success from up */
	CONF_INIT_FULLY_DOWN,
};

/* The PROXY protocol that a server expects. */
enum conf_send_proxy { CONF_SEND_PROXY_NONE, CONF_SEND_PROXY_V1, CONF_SEND_PROXY_V2 };

/* What version 2 tells beyond addresses. */
enum {
	CONF_PROXY_SSL = 1,
	CONF_PROXY_CERT_CN = 2,
	CONF_PROXY_SSL_CIPHER = 4,
	CONF_PROXY_CERT_SIG = 8,
	CONF_PROXY_CERT_KEY = 16,
	CONF_PROXY_AUTHORITY = 32,
	CONF_PROXY_CRC32C = 64,
};

/* What happens after `error-limit` errors; in any case the next check comes soon. */
enum conf_on_error {
	CONF_ON_ERROR_FAIL_CHECK, /* as a failed check */
	CONF_ON_ERROR_FASTINTER,
	CONF_ON_ERROR_SUDDEN_DEATH, /* the next failed check takes it down */
	CONF_ON_ERROR_MARK_DOWN,
};

struct conf_server {
	struct conf_pos pos;
	const char *name;
	const char *host;         /* as written, without the port */
	struct sock_addr address; /* len 0: `host` is a name that the worker resolves at start */
	uint16_t port;            /* 0: the client's destination port, plus port_offset */
	int32_t port_offset;
	bool port_relative; /* "+N"/"-N" or none */
	uint32_t id;        /* 1… ; balance first uses it */
	uint32_t weight;    /* 0…256; 1 */
	uint32_t maxconn;   /* 0 = unlimited */
	uint32_t minconn;   /* the limit while the backend is idle; 0 = maxconn */
	uint32_t maxqueue;
	bool backup;
	bool disabled;
	bool check;
	const char *track; /* "[BACKEND/]SERVER", whose state it has; NULL = none */
	uint32_t track_proxy, track_server; /* the same, as indexes */
	uint32_t inter_ms;                  /* 2000 */
	uint32_t fastinter_ms;              /* 0 = inter */
	uint32_t downinter_ms;              /* 0 = inter */
	uint32_t rise, fall;                /* 2, 3 */
	struct sock_addr check_address;     /* "addr"; len 0 = the server's */
	uint16_t check_port;                /* 0 = the server's */
	bool check_send_proxy;              /* checks begin with a PROXY line */
	bool check_ssl;                     /* … over TLS, with `port` and `addr`, too */
	bool no_check_ssl;
	const char *check_sni, *check_alpn;
	enum conf_init_state init_state; /* before the first check */
	bool observe;                    /* sessions' connection errors count */
	uint32_t error_limit;            /* 10 */
	enum conf_on_error on_error;
	uint32_t slowstart_ms;       /* its share grows for so long when it is back; 0 = at once */
	bool shutdown_on_down;       /* "on-marked-down shutdown-sessions" */
	bool shutdown_backups_on_up; /* "on-marked-up shutdown-backup-sessions" */
	bool agent_check;            /* an agent beside the server is asked, too … */
	struct sock_addr agent_address;  /* … here; len 0 = at the server's … */
	uint16_t agent_port;             /* … on this port */
	uint32_t agent_inter_ms;         /* 2000 */
	const char *agent_send;          /* said to it first; NULL = nothing */
	const struct conf_health *agent; /* the same as steps; NULL = none */
	struct conf_tls tls;
	struct conf_outbound outbound; /* else the section's */
	uint32_t tcp_ut_ms;            /* 0 = the kernel's */
	bool tfo;
	enum conf_send_proxy send_proxy;
	uint32_t proxy_options;      /* CONF_PROXY_* */
	const char *template_prefix; /* of `server-template`; NULL = a `server` line */
	uint32_t template_place;     /* which of the host's addresses: 0… */
};
