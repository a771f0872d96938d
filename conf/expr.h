/*
 * expr.h - sample expressions, conditions and rules as data.
 *
 * An expression fetches a sample (an address, a number, a text) and may send it through converters.
 * An ACL compares what an expression yields with patterns; a condition joins ACLs; a rule does
 * something if its condition holds.  All of it is compiled when the configuration is loaded: what
 * is sorted here is searched by halving in the proxy, which allocates nothing.
 */
#pragma once

#include "common/addr.h"
#include "conf/pos.h"

#include <stddef.h>

struct conf_expr;
struct conf_format;

struct conf_bytes {
	const char *data;
	size_t len;
};

/* ------------------------------------------------------------------ expressions */

enum sample_type {
	SAMPLE_ANY, /* known when it is there: a variable's */
	SAMPLE_BOOL,
	SAMPLE_INT,
	SAMPLE_IP,
	SAMPLE_STR,
	SAMPLE_BIN,
};

/* What must be there before a fetch can say anything. */
enum {
	CONF_NEEDS_CLIENT = 1,   /* a connection: always there, but not for what runs without one */
	CONF_NEEDS_SESSION = 2,  /* its TLS handshake is over */
	CONF_NEEDS_REQUEST = 4,  /* bytes of the client's */
	CONF_NEEDS_SERVER = 8,   /* a server was chosen and reached */
	CONF_NEEDS_RESPONSE = 16 /* bytes of the server's */
};

struct conf_arg {
	bool given;
	bool variable;          /* `number` is the index of a variable in conf->variables */
	int64_t number;         /* a number, or the index of a proxy */
	unsigned when;          /* CONF_IF_* */
	uint32_t server;        /* its index in that proxy */
	struct conf_bytes text; /* as written, or the bytes that hexadecimal digits stand for */
	struct ip ip;
};

#define CONF_ARGS_MAX 4

struct conf_convert {
	unsigned id; /* enum conf_converter */
	enum sample_type takes, gives;
	struct conf_arg args[CONF_ARGS_MAX];
	const struct conf_map *map; /* map…; else NULL */
	uint32_t regex;             /* regsub: index in conf->regexes */
};

struct conf_expr {
	unsigned fetch; /* enum conf_fetch */
	enum sample_type type;
	unsigned needs; /* CONF_NEEDS_* */
	struct conf_arg args[CONF_ARGS_MAX];
	struct conf_convert *converts;
	size_t converts_n;
};

/* ------------------------------------------------------------------ patterns */

/* How `json` reads what it writes. */
enum conf_json {
	CONF_JSON_ASCII, /* bytes are characters */
	CONF_JSON_UTF8,
	CONF_JSON_UTF8S,  /* silent: what is wrong is left out */
	CONF_JSON_UTF8P,  /* permissive: more bytes than needed are as good */
	CONF_JSON_UTF8PS, /* both */
};

/* Packets of MQTT, and what is in them: below CONF_MQTT_PROPERTIES_N properties by their identifiers. */
enum { CONF_MQTT_CONNECT = 1, CONF_MQTT_CONNACK = 2, CONF_MQTT_PROPERTIES_N = 64 };

enum conf_mqtt_value {
	CONF_MQTT_FLAGS = CONF_MQTT_PROPERTIES_N,
	CONF_MQTT_PROTOCOL_VERSION,
	CONF_MQTT_REASON_CODE,
	CONF_MQTT_PROTOCOL_NAME,
	CONF_MQTT_KEEPALIVE,
	CONF_MQTT_CLIENT_IDENTIFIER,
	CONF_MQTT_WILL_TOPIC,
	CONF_MQTT_WILL_PAYLOAD,
	CONF_MQTT_USERNAME,
	CONF_MQTT_PASSWORD,
	CONF_MQTT_VALUES_N,
};

enum conf_method {
	CONF_METHOD_FOUND,
	CONF_METHOD_BOOL,
	CONF_METHOD_INT,
	CONF_METHOD_IP,
	CONF_METHOD_BIN,
	CONF_METHOD_LEN,
	CONF_METHOD_STR,
	CONF_METHOD_BEG,
	CONF_METHOD_END,
	CONF_METHOD_SUB,
	CONF_METHOD_DIR,
	CONF_METHOD_DOM,
	CONF_METHOD_REG,
};

struct conf_number_range {
	int64_t from, to;
};

struct conf_ip_range {
	struct ip from, to; /* of one family */
};

/*
 * What a sample is compared with.  Ranges are sorted and do not touch one another.  Texts of
 * STR, BIN, BEG and END are sorted and none begins with another one (BEG, END); those of END are
 * written backwards.  The others stand as they were written.
 */
struct conf_patterns {
	enum conf_method method;
	bool ignore_case; /* texts are lower case then */
	struct conf_number_range *numbers;
	size_t numbers_n;
	struct conf_ip_range *ip4, *ip6;
	size_t ip4_n, ip6_n;
	struct conf_bytes *texts;
	size_t texts_n;
	uint32_t *regexes; /* indexes in conf->regexes */
	size_t regexes_n;
};

struct conf_regex {
	const char *pattern; /* as PCRE2 gets it */
};

/* ------------------------------------------------------------------ maps */

/* A key, alone in its patterns, and what it stands for. */
struct conf_map_entry {
	struct conf_patterns key;
	uint32_t line;  /* in its file */
	uint32_t outer; /* sorted: the nearest entry that holds this one; CONF_NONE = none does */
	struct conf_arg value; /* its text; its number or address if that is what the map gives */
};

struct conf_map {
	enum conf_method method;
	enum sample_type gives;
	bool expands; /* map_regm: \1 and its like in a value are groups of its key */
	bool sorted;  /* STR, BEG, IP: by key, what holds others before them */
	struct conf_map_entry *entries;
	size_t n;
};

/* ------------------------------------------------------------------ ACLs and conditions */

/* One `acl` line, or what stands in braces. */
struct conf_acl_line {
	struct conf_expr *expr;
	struct conf_patterns patterns;
	const char *const *words; /* as written after the name, to be printed; NULL: predefined */
	size_t words_n;
};

struct conf_acl {
	const char *name;            /* NULL = in braces, or of `defaults` */
	struct conf_acl_line *lines; /* any of them */
	size_t lines_n;
};

struct conf_term {
	uint32_t acl; /* index in the proxy's */
	bool negated;
};

/* Terms all of which must hold. */
struct conf_all {
	struct conf_term *terms;
	size_t terms_n;
};

/* `if` or `unless`: any of these. */
struct conf_condition {
	bool unless;
	struct conf_all *any;
	size_t any_n;
};

/* ------------------------------------------------------------------ rules */

/* Conditions of set-var: all that are given must hold. */
enum {
	CONF_IF_EXISTS =
		1 << 0, /* it has been set, or at least been tried to, and not taken away */
	CONF_IF_NOT_EXISTS = 1 << 1,
	CONF_IF_EMPTY = 1 << 2, /* the new value, which is a text */
	CONF_IF_NOT_EMPTY = 1 << 3,
	CONF_IF_SET = 1 << 4, /* it has a value */
	CONF_IF_NOT_SET = 1 << 5,
	CONF_IF_GREATER = 1 << 6, /* its value, than the new one, or one of them is no number */
	CONF_IF_LESS = 1 << 7,
};

enum conf_action {
	CONF_ACTION_ACCEPT,
	CONF_ACTION_REJECT, /* `close` of a response, too */
	CONF_ACTION_SILENT_DROP,
	CONF_ACTION_EXPECT_PROXY, /* the client sends a PROXY protocol header first */
	CONF_ACTION_SET_VAR,
	CONF_ACTION_SET_VAR_FORMAT,
	CONF_ACTION_UNSET_VAR,
	CONF_ACTION_SET_SRC,
	CONF_ACTION_SET_SRC_PORT,
	CONF_ACTION_SET_DST,
	CONF_ACTION_SET_DST_PORT,
	CONF_ACTION_SET_LOG_LEVEL,
	CONF_ACTION_CAPTURE, /* as a text of at most `level` bytes */
};

/* One `tcp-request` or `tcp-response` line. */
struct conf_tcp_rule {
	struct conf_pos pos;
	enum conf_action action;
	struct conf_expr *expr;
	const struct conf_format *format;
	uint32_t variable;                /* index in conf->variables */
	unsigned when;                    /* CONF_IF_* */
	int level;                        /* syslog's; -1 = silent; or a length */
	struct conf_condition *condition; /* NULL = always */
	const char *const *words;         /* as written after the keyword; NULL: in `defaults` */
	size_t words_n;
};

struct conf_rules {
	struct conf_tcp_rule *list;
	size_t n;
};

/* A place for a text that is captured: the next one, by `declare capture` or a rule that captures. */
struct conf_capture {
	uint32_t len;      /* of which at most so many bytes are kept */
	uint32_t variable; /* index in conf->variables: shared by all frontends */
	bool declared;
};

struct conf_captures {
	struct conf_capture *list;
	size_t n;
};

/* A `use_backend` or `use-server` line. */
struct conf_use {
	uint32_t index;                 /* of the proxy, or of the server in it */
	const struct conf_format *name; /* not NULL: the name is made when it is needed */
	struct conf_condition *condition;
	const char *const *words;
	size_t words_n;
};

/* A place of its own for a value, by scope and name. */
struct conf_variable_name {
	const char *name; /* "sess.name" */
	bool process;     /* "proc.name": one for all sessions */
};

/* A `set-var` or `set-var-fmt` of the global section. */
struct conf_process_set {
	uint32_t variable;
	struct conf_expr *expr;           /* its value, or … */
	const struct conf_format *format; /* … that, if it is not NULL */
	const char *const *words;
	size_t words_n;
};

/* ------------------------------------------------------------------ log formats */

enum {
	CONF_FORMAT_QUOTE = 1,     /* +Q */
	CONF_FORMAT_HEX = 2,       /* +X */
	CONF_FORMAT_ESCAPE = 4,    /* +E */
	CONF_FORMAT_MANDATORY = 8, /* +M */
	CONF_FORMAT_SD = 16,       /* structured data: log-format-sd */
};

struct conf_format_part {
	unsigned field; /* enum conf_field; CONF_FIELD_TEXT: `text`, CONF_FIELD_EXPR: `expr` */
	unsigned flags;
	struct conf_bytes text;
	struct conf_expr *expr;
};

struct conf_format {
	struct conf_format_part *parts;
	size_t parts_n;
	unsigned needs;
};
