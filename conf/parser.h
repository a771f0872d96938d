/*
 * parser.h - what the parts of the loader share while one conf_load runs.  Private to conf/.
 *
 * Sections are read into drafts and appended to the configuration when they end; names that may be
 * defined later (scripts, backends) are kept as references until resolve.c.
 */
#pragma once

#include "conf/address.h"
#include "conf/names.h"
#include "conf/table.h"

/* Bounds on what a file can make us allocate beyond its own size. */
#define CONF_BINDS_MAX    65536
#define CONF_LOGS_MAX     32
#define CONF_DEPTH_MAX    16
#define CONF_BRANCHES_MAX 64

/* Scopes of names: a proxy's is its index, those of `defaults` sections begin here. */
#define CONF_SCOPE_DEFAULTS UINT32_C(0x80000000)

/* Where a directive was given. */
struct conf_given {
	const struct conf_row *row;
	struct conf_pos pos;
};

/* What is wrong with a word, if its section is not in mode http. */
struct conf_refusal {
	struct conf_pos pos;
	const char *text;
};

/* The directives of one object within parser->given. */
struct conf_range {
	size_t from, to;
};

enum conf_ref_kind {
	CONF_REF_SCRIPT,
	CONF_REF_FILE,
	CONF_REF_PROCESS,
	CONF_REF_BACKEND,
	CONF_REF_MEMBER,
	CONF_REF_DEFAULT_BACKEND,
	CONF_REF_USE_BACKEND,
	CONF_REF_USE_SERVER,
};

/* A name to be resolved: `slot` of a list of `owner` (an instance or a group), or the proxy `owner`
 * itself. */
struct conf_ref {
	enum conf_ref_kind kind;
	bool of_group;
	const char *name;
	struct conf_pos pos;
	uint32_t owner, slot;
};

/* A name among a fetch's arguments; NULL: the section's own. */
struct conf_arg_ref {
	char kind; /* as in expr_words.h */
	struct conf_arg *arg;
	const char *name;
	uint32_t scope; /* of the section it stands in */
	struct conf_pos pos;
};

/* What the model does not keep of an instance, by the same index. */
struct instance_draft {
	struct conf_range given;
	uint32_t advert_int_us; /* as written */
	bool own_peer_told;     /* of a list of peers that names this node */
	bool empty_pass_told;   /* of a password in three quotes */
};

/* A log format as it was written: compiled where it is used. */
struct format_draft {
	const char *text; /* NULL = none */
	struct conf_pos pos;
	const struct conf_row *row;
};

/* Who follows a `defaults` section, see haproxy_defaults.c. */
struct defaults_users {
	const struct proxy_draft *namesake; /* the next `defaults` with its name */
	const struct proxy_draft *of_rules; /* the first section that has its rules … */
	const struct conf_proxy *rules;     /* … and those alone, to be printed */
	bool by_name, unasked, mix_told;
};

/* A proxy, or a `defaults` section, while it is read. */
struct proxy_draft {
	struct conf_proxy proxy;
	const char *kind;               /* "frontend", "backend", "listen", "defaults" */
	uint32_t scope;                 /* of its ACLs' names */
	const struct proxy_draft *from; /* the `defaults` it follows */
	struct conf_range given;
	struct conf_pos mode_pos; /* where `mode http` was written */
	const char *default_backend;
	struct conf_pos default_backend_pos;
	struct conf_server server; /* default-server */
	struct format_draft log_format, log_format_sd, error_log_format, unique_id_format;
	/* The list is that of the `defaults` section. */
	bool logs_shared, http_steps_shared, tcp_steps_shared;

	struct defaults_users users;
};

/* A virtual address and who holds it. */
struct conf_held {
	struct ip ip;
	uint32_t instance;
};

/* An .if that is open. */
struct conf_branch {
	struct conf_pos pos;
	bool held;      /* a branch of it has been read, or is to be passed over: others are not */
	bool else_seen; /* its .else is the last branch */
};

struct conf_parser {
	struct arena *arena;
	struct conf *conf;
	const struct conf_options *options;
	struct reporter reporter;
	struct conf_lexer lexer;
	struct conf_names names;
	unsigned depth; /* of keepalived's braces */

	struct conf_given *given;
	size_t given_n;
	size_t given_from; /* where the object being read begins */

	struct conf_ref *refs;
	size_t refs_n;
	struct conf_arg_ref *arg_refs;
	size_t arg_refs_n;

	struct conf_branch branches[CONF_BRANCHES_MAX]; /* of .if */
	size_t branches_n;

	struct conf_instance instance_defaults; /* garp_* of global_defs */
	struct conf_range global_defs_given;
	struct instance_draft *instances;
	size_t instances_n;

	struct conf_held *held; /* sorted: resolve_track.c */
	size_t held_n;

	bool path_bad; /* the route or rule being read is to be left out */

	struct conf_refusal *refused; /* of words of the section being read */
	size_t refused_n;
	struct proxy_draft *draft;    /* the section being read; NULL: none with proxies' words */
	struct proxy_draft *defaults; /* the latest `defaults` */
	struct proxy_draft **named_defaults;
	size_t named_defaults_n;
	struct proxy_draft *proxies;
	size_t proxies_n;
	size_t binds_n;
	bool sound; /* no error so far: worth telling what is missing */
};

/* ---------------------------------------------------------------- load.c */

/* Notes a reference that the proxy `owner` makes … */
void parser_refer(struct conf_parser *p, enum conf_ref_kind kind, const struct conf_word *word,
		  uint32_t owner);
/* … or one in a list of the instance or group that is being read. */
void parser_refer_listed(struct conf_call *call, enum conf_ref_kind kind,
			 const struct conf_word *word, size_t slot);

/* Where the object with this range was given a directive; NULL = it was not. */
const struct conf_pos *parser_given(const struct conf_parser *p, struct conf_range range,
				    const char *name);

/* The index of the source that holds a file of values, or CONF_NONE after an error at `pos`. */
uint32_t parser_values(struct conf_parser *p, const char *path, struct conf_pos pos);

/* Gives the address of a host (CONF_ADDRESS_NAME) in address->ip, AF_UNSPEC where nobody looks names
 * up.  NULL, or what is wrong. */
const char *parser_look_up(struct conf_parser *p, struct conf_address *address);

/* The index of an interface's name in conf->interfaces, which it joins. */
uint32_t parser_interface(struct conf_parser *p, const char *name);

/* ---------------------------------------------------------------- keepalived.c */

/* Does a keepalived block open with this word? */
const struct conf_row *keepalived_section(const char *word, size_t len);

/* The cursor stands before a top-level line of keepalived's: reads the directive or block. */
void keepalived_read(struct conf_parser *p);

/* Reads directives of `table` up to the "}"; `call` is the block's own line. */
void keepalived_read_block(struct conf_call *call, const struct conf_table *table, void *object);

/* Hands each line of a block to `item`, up to the "}". */
void keepalived_read_list(struct conf_call *call,
			  void (*item)(struct conf_call *call, const struct conf_line *line));

/* Passes over a block whose "{" has been consumed. */
void keepalived_skip_block(struct conf_parser *p, struct conf_pos open);

/* ---------------------------------------------------------------- haproxy.c */

const struct conf_row *haproxy_section(const char *word, size_t len);

/* The cursor stands before a section's line: reads up to the next section of either dialect. */
void haproxy_read(struct conf_parser *p);

/* Passes over the lines up to the next section of either dialect. */
void haproxy_skip_section(struct conf_parser *p);

/* Tells what a proxy's name may not have. */
void haproxy_check_name(struct conf_parser *p, const struct conf_word *name);

/* ---------------------------------------------------------------- haproxy_defaults.c */

/* The `defaults` section that is called so; NULL after an error. */
struct proxy_draft *defaults_find(struct conf_parser *p, const struct conf_word *name);

/* Makes one that has been read known by its name. */
void defaults_name(struct conf_parser *p, struct proxy_draft *draft);

/* A new section's draft, with the values of `from` (NULL: none). */
struct proxy_draft *defaults_draft(struct conf_parser *p, const struct proxy_draft *from);

/* … and, once it is known what it is, with its rules.  `by_name`: its line says `from`. */
void defaults_follow(struct conf_parser *p, struct proxy_draft *draft, struct proxy_draft *from,
		     bool by_name);

/* ---------------------------------------------------------------- condition.c */

/*
 * At a line that begins with a dot: .if, .elif, .else, .endif, .notice and its kin.  Lines of a
 * branch that does not hold are passed over.
 */
void condition_read(struct conf_parser *p);

/* At the end of a source: no .if may be open. */
void condition_end(struct conf_parser *p);

/* ---------------------------------------------------------------- log_format.c */

/* The formats of a section that has been read. */
void compile_log_formats(struct conf_parser *p, struct proxy_draft *draft);

/* ---------------------------------------------------------------- tables, by file */

extern const struct conf_table keepalived_sections; /* keepalived.c */
extern const struct conf_table table_global_defs;   /* words_global_defs.c */
extern const struct conf_table table_script;        /* words_script.c */
extern const struct conf_table table_instance;      /* words_instance.c */
extern const struct conf_table table_group;         /* words_group.c */
extern const struct conf_table table_track_file;    /* words_watch.c */
extern const struct conf_table table_track_process; /* words_watch.c */
extern const struct conf_table table_auth;          /* words_instance.c */
extern const struct conf_table table_hmac;          /* words_hmac.c */
extern const struct conf_table table_vip;           /* words_vip.c */
extern const struct conf_table table_route;         /* words_route.c */
extern const struct conf_table table_rule;          /* words_rule.c */
extern const struct conf_table haproxy_sections;    /* haproxy.c */
extern const struct conf_table table_global;        /* words_global.c */
extern const struct conf_table table_proxy;         /* words_proxy.c */
extern const struct conf_table table_bind;          /* words_bind.c */
extern const struct conf_table table_server;        /* words_server.c */

/* ---------------------------------------------------------------- resolve.c, check_*.c */

void resolve_all(struct conf_parser *p);

/* resolve_server.c: whom servers with `track` follow. */
void resolve_servers(struct conf_parser *p);

/* resolve_behaviour.c: what vrrp_* of global_defs mean to each other, once; then an instance whose
 * VIPs, peers and authentication are known. */
void resolve_defaults(struct conf_parser *p);
void resolve_behaviour(struct conf_parser *p, struct conf_instance *instance,
		       const struct instance_draft *draft);

/* resolve_vmac.c: virtual interfaces, once all instances are resolved. */
void resolve_vmacs(struct conf_parser *p);

/* resolve_expr.c: the names that expressions use. */
void resolve_expressions(struct conf_parser *p);

/* resolve_vip.c: the VIPs of an instance whose family is known, in the order they are kept; then the
 * leases of all. */
void resolve_vips(struct conf_parser *p, struct conf_instance *instance);
void resolve_leases(struct conf_parser *p);
/* words_hmac.c: the keys of an instance whose interval and version are known. */
void resolve_hmac(struct conf_parser *p, struct conf_instance *instance);

/* resolve_track.c: which addresses are held, and which backends are tracked unasked. */
void resolve_tracking(struct conf_parser *p);
/* … and, after everything else, which links. */
void resolve_links(struct conf_parser *p);

/* The *n entries of an address among what instances hold; NULL = no instance does. */
const struct conf_held *parser_held(const struct conf_parser *p, const struct ip *ip, size_t *n);

/* resolve_paths.c: routes, rules and static addresses. */
void resolve_paths(struct conf_parser *p);

/* resolve_group.c: who is a member; then, with what is implied, what the group tracks for them. */
void resolve_groups(struct conf_parser *p);
void resolve_group_tracks(struct conf_parser *p);
void check_vrrp(struct conf_parser *p);
void check_proxies(struct conf_parser *p);
