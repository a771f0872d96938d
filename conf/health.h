/*
 * health.h - health checks as data: whatever protocol is spoken, a check is a list of steps.
 *
 * `option httpchk`, `option redis-check` and their kin are written as such lists by
 * health_protocols.c; `http-check` and `tcp-check` lines are steps already (words_health.c).  The
 * proxy has one engine that runs them.
 */
#pragma once

#include "common/addr.h"

/* How a check ended, by HAProxy's names; in its order: from L7OK on there is a code to tell. */
enum check_status {
	CHECK_STATUS_UNKNOWN,
	CHECK_STATUS_CHECKED,  /* an agent spoke, but said nothing about its server's health */
	CHECK_STATUS_OBSERVED, /* no check, but traffic: HAProxy's HANA */
	CHECK_STATUS_SOCKERR,
	CHECK_STATUS_L4OK,
	CHECK_STATUS_L4TOUT,
	CHECK_STATUS_L4CON,
	CHECK_STATUS_L6OK,
	CHECK_STATUS_L6TOUT,
	CHECK_STATUS_L6RSP,
	CHECK_STATUS_L7TOUT,
	CHECK_STATUS_L7RSP,
	CHECK_STATUS_L7OK,
	CHECK_STATUS_L7OKC,
	CHECK_STATUS_L7STS,
	CHECK_STATUS_PROCERR, /* `external-check`: the program says no … */
	CHECK_STATUS_PROCTOUT,
	CHECK_STATUS_PROCOK,
	CHECK_STATUS_N
};

enum conf_step_kind {
	CONF_STEP_CONNECT,
	CONF_STEP_SEND,
	CONF_STEP_EXPECT,
	CONF_STEP_COMMENT, /* for the next one */
};

/* What a CONF_STEP_EXPECT looks at. */
enum conf_match {
	CONF_MATCH_STRING,       /* all that came contains `data` … */
	CONF_MATCH_BINARY,       /* … the same, written in hexadecimal */
	CONF_MATCH_REGEX,        /* all that came matches `pattern` … */
	CONF_MATCH_BINARY_REGEX, /* … its hexadecimal form does */
	CONF_MATCH_STATUS,       /* HTTP: the status is in `ranges` */
	CONF_MATCH_STATUS_REGEX,
	CONF_MATCH_HEADER,      /* HTTP: a header, its value split at commas … */
	CONF_MATCH_FULL_HEADER, /* … or not */
	CONF_MATCH_BODY,
	CONF_MATCH_BODY_REGEX,
	CONF_MATCH_MYSQL_GREETING, /* a packet of the server's that is no error … */
	CONF_MATCH_MYSQL_OK,       /* … the second one */
	CONF_MATCH_LDAP,           /* a bind response */
	CONF_MATCH_AGENT,          /* a line of an agent's words */
};

enum conf_compare {
	CONF_COMPARE_EXACT,
	CONF_COMPARE_BEGIN,
	CONF_COMPARE_END,
	CONF_COMPARE_SUB,
	CONF_COMPARE_REGEX,
};

struct conf_status_range {
	uint32_t from, to;
};

/* What a failed step has to say; HAProxy's log-format expressions for the protocols it knows. */
enum conf_excerpt {
	CONF_EXCERPT_NONE,
	CONF_EXCERPT_REPLY,    /* the first line that came */
	CONF_EXCERPT_SMTP,     /* … from its fifth character */
	CONF_EXCERPT_POSTGRES, /* … of the text in an error message */
};

struct conf_step {
	enum conf_step_kind kind;
	const char *const *words; /* as written after `http-check` or `tcp-check`, to be printed */
	size_t words_n;
	const char *comment; /* NULL = none */

	/* connect */
	bool implied; /* not written: no step of its own in messages */
	bool plain;   /* written without `default`: what the `server` line says does not hold */
	bool ssl;     /* over TLS in any case, … */
	const char *sni, *alpn; /* … asking for these; NULL = none */
	bool send_proxy;        /* the PROXY protocol comes first */
	uint16_t port;          /* 0 = the check's */
	struct ip addr;         /* AF_UNSPEC = the check's */
	bool linger;            /* ends with FIN, not RST */

	/* send, and the patterns of expect */
	const char *data;
	size_t data_len;

	/* expect */
	enum conf_match match;
	bool negated;
	const char *pattern; /* a regular expression, or the text as written */
	const struct conf_status_range *ranges;
	size_t ranges_n;
	const char *header, *value; /* value NULL = it is enough that the header is there */
	enum conf_compare header_compare, value_compare;
	int32_t min_recv;                     /* -1 = not given: mismatches wait for more */
	enum check_status ok, error, timeout; /* UNKNOWN = the match's usual one */
	const char *on_ok, *on_error;         /* texts for the log; NULL = the usual one */
	enum conf_excerpt ok_excerpt, error_excerpt;
	bool smtp_code; /* the number that the reply begins with is the code */
};

enum conf_health_type {
	CONF_HEALTH_CONNECT, /* neither option: connecting is all */
	CONF_HEALTH_TCP,     /* option tcp-check */
	CONF_HEALTH_HTTP,
	CONF_HEALTH_SSL_HELLO,
	CONF_HEALTH_MYSQL,
	CONF_HEALTH_PGSQL,
	CONF_HEALTH_REDIS,
	CONF_HEALTH_LDAP,
	CONF_HEALTH_SMTP,
	CONF_HEALTH_EXTERNAL, /* a program says: no steps */
	CONF_HEALTH_AGENT,    /* of a server, beside the backend's */
};

/* A backend's checks. */
struct conf_health {
	enum conf_health_type type;
	const char *const *words; /* behind the `option` that chose the type */
	size_t words_n;
	bool disable_on_404;
	const char *command, *path; /* of CONF_HEALTH_EXTERNAL; NULL = not given */
	struct conf_step *http;     /* `http-check` and `tcp-check` lines as written */
	size_t http_n;
	struct conf_step *tcp;
	size_t tcp_n;
	struct conf_step *steps; /* what is run */
	size_t steps_n;
};

/* Does a step want TLS, whatever the server is? */
static inline bool
conf_health_wants_tls(const struct conf_health *health)
{
	for (size_t i = 0; i < health->steps_n; i++)
		if (health->steps[i].ssl)
			return true;
	return false;
}
