/*
 * model.h - a configuration: plain structs, immutable once loaded, all in one arena.
 *
 * Guardian and worker hold equal copies, made from the same bytes (conf_load from a conf_source
 * list), so that an index means the same to both.  Nothing in here is state: what runs is in
 * vrrpd/, proxy/ and daemon/.  Zero is "not set" unless a field says otherwise.
 */
#pragma once

#include "common/addr.h"
#include "common/arena.h"
#include "conf/expr.h"
#include "conf/health.h"
#include "conf/pos.h"
#include "conf/route.h"
#include "conf/server.h"
#include "conf/tls.h"
#include "conf/vip.h"

#include <stddef.h>

/* ------------------------------------------------------------------ keepalived's side */

/* Every interface name the file uses, once; privileged requests name interfaces by this index. */
struct conf_interface {
	const char *name;
	/* How long the link must be down or up before it counts; 0 = at once. */
	uint32_t down_delay_ms, up_delay_ms;
	/* One that the guardian makes: a macvlan with this MAC on the interface `base` (index). */
	bool vmac;
	uint32_t base;
	uint8_t mac[6];
};

/* A directive that may be on, off, or not there. */
enum conf_switch { CONF_UNSET, CONF_ON, CONF_OFF };

enum conf_auth { CONF_AUTH_NONE, CONF_AUTH_PASS };

/* How long a key of auth_hmac may be, in octets. */
#define CONF_HMAC_KEY_MIN 32
#define CONF_HMAC_KEY_MAX 64

struct conf_hmac_key {
	struct conf_pos pos;
	uint8_t id;                       /* 1…255 */
	uint8_t len;                      /* 0: its file was not read */
	uint8_t bytes[CONF_HMAC_KEY_MAX]; /* a secret: never printed */
	const char *path;                 /* "file:PATH"; NULL = it stands in the configuration */
};

enum conf_hmac_replay { CONF_HMAC_TIME, CONF_HMAC_MONOTONIC };

enum conf_hmac_mode {
	CONF_HMAC_ENFORCE,      /* signs, and takes what is signed only */
	CONF_HMAC_PERMISSIVE,   /* signs, and takes what is not signed as well */
	CONF_HMAC_RECEIVE_ONLY, /* does not sign yet */
};

/* auth_hmac: advertisements with a signature (draft-cassen-vrrp-auth-hmac). */
struct conf_hmac {
	struct conf_pos pos;
	struct conf_hmac_key *keys;
	size_t keys_n;
	uint8_t active_key; /* the id of the one to sign with */
	enum conf_hmac_replay anti_replay;
	uint16_t time_window_s; /* 1…300; 3 intervals, at least 5 s */
	enum conf_hmac_mode mode;
};

enum conf_vrrp_state { CONF_STATE_BACKUP, CONF_STATE_MASTER };

enum conf_nopreempt {
	CONF_PREEMPT,          /* default */
	CONF_NOPREEMPT,        /* but a master whose own priority fell is replaced */
	CONF_NOPREEMPT_STRICT, /* keepalived's letter */
};

/* How many addresses an advertisement lists at most. */
#define CONF_ADVERTISED_MAX         255
#define CONF_ADVERTISED6_MAX        90 /* (1500 - 40 octets of IPv6 header - 8 of VRRP's) / 16 */
#define CONF_ADVERTISED6_SIGNED_MAX 89 /* … with the 28 octets of auth_hmac */

/* A node that advertisements go to, and come from. */
struct conf_peer {
	struct ip ip;
	uint8_t min_ttl, max_ttl; /* of what arrives from it; max_ttl 0 = no limit */
};

struct conf_script {
	struct conf_pos pos;
	const char *name;
	const char *command;  /* as written, one line */
	uint32_t interval_ms; /* default 1000 */
	uint32_t timeout_ms;  /* 0 = interval */
	int32_t weight;       /* -253…253; 0 = failure is FAULT */
	bool reverse;
	uint32_t rise, fall; /* default 1 */
	bool init_fail;
	const char *user, *group; /* NULL = script_user; NULL = the user's */
	/* The command only asks whether haproxy runs: the in-process tracker answers instead. */
	bool replaced;
};

/* What can be tracked by its name, beside backends. */
enum conf_track_kind {
	CONF_TRACK_SCRIPT,
	CONF_TRACK_INTERFACE,
	CONF_TRACK_FILE,
	CONF_TRACK_PROCESS,
	CONF_TRACK_N
};

/* A number in a file, times the weight, is added to the priority. */
struct conf_track_file {
	struct conf_pos pos;
	const char *name;
	const char *path;
	int32_t weight; /* 1; 0 = anything but 0 is FAULT */
	bool reverse;
	bool init;      /* write init_value at the start, if there is no such file … */
	bool overwrite; /* … or whatever it says */
	int32_t init_value;
};

enum conf_param_match {
	CONF_PARAM_EXACT,
	CONF_PARAM_PARTIAL, /* the first parameters */
	CONF_PARAM_INITIAL, /* … and of the last one only how it begins */
};

/* Processes of one name, and maybe with certain parameters. */
struct conf_track_process {
	struct conf_pos pos;
	const char *name;
	const char **words; /* the process' name, then its parameters; NULL-terminated */
	size_t words_n;
	bool full_command; /* by its command line, whatever the parameters */
	enum conf_param_match match;
	int32_t weight; /* 1; 0 = too few or too many are FAULT */
	bool reverse;
	uint32_t quorum, quorum_max; /* how many there must be, and may be; 1, UINT32_MAX */
	uint32_t fork_delay_ms, terminate_delay_ms; /* before enough, and not enough, counts */
};

struct conf_track {
	struct conf_pos pos;
	uint32_t index; /* in scripts, interfaces, track_files, track_processes */
	int32_t weight; /* 0 = its failure is FAULT */
	bool reverse;
	bool weight_given; /* here; else it is the script's, file's, process' own */
	bool implied; /* written in the group for each of its members, or in an address or path */
};

struct conf_track_list {
	struct conf_track *at;
	size_t n;
};

struct conf_track_backend {
	struct conf_pos pos;
	uint32_t backend; /* index in proxies */
	int32_t weight;   /* 0 = priority falls to 1 + (priority - 1) / 16 */
	uint32_t min;     /* usable servers needed; 1 */
	bool implied;     /* by default or by its group, not written in the instance */
};

struct conf_track_backend_list {
	struct conf_track_backend *at;
	size_t n;
};

/* A command as written, and who runs it. */
struct conf_command {
	const char *line;         /* NULL = none */
	const char *user, *group; /* NULL = script_user; NULL = the user's */
};

struct conf_notify {
	struct conf_command master, backup, fault, stop, any, master_rx_lower_pri, deleted;
	bool priority_changes; /* told on the FIFOs */
	bool tell_deleted;     /* DELETED, not FAULT, to an instance that a reload removes */
};

/* A FIFO that is told of every change, and the program that reads it. */
struct conf_fifo {
	const char *path; /* NULL = none */
	const char *user, *group;
	struct conf_command script;
};

/* Instances that change their states together. */
struct conf_group {
	struct conf_pos pos;
	const char *name;
	uint32_t *members; /* indexes, in the file's order */
	size_t members_n;
	/* For every member: resolving spreads them. */
	struct conf_track_list track[CONF_TRACK_N];
	struct conf_track_backend_list track_backends;
	bool own_weights; /* weights that members give to what they track hold */
	struct conf_notify notify;
};

/* Now and then one announcement on each interface that advertisements do not leave from. */
struct conf_garp_extra {
	uint32_t interval_ms; /* 0 = none */
	bool all;             /* else on virtual interfaces only */
};

struct conf_instance {
	struct conf_pos pos;
	const char *name;
	enum conf_vrrp_state state;
	uint32_t interface;     /* index */
	uint8_t vrid;           /* 1…255 */
	bool use_vmac;          /* the addresses live on … */
	uint32_t vmac;          /* … this interface, index; where use_vmac is set */
	const char *vmac_name;  /* as written; NULL = made up */
	uint8_t vmac_mac[6];    /* as written … */
	uint8_t vmac_mac_n;     /* … so many octets of it, the VRID is the last then */
	bool vmac_xmit_base;    /* advertisements leave from `interface` all the same */
	bool use_vmac_addr;     /* addresses elsewhere have virtual interfaces, too */
	uint8_t priority;       /* 1…255; 100 */
	uint8_t family;         /* AF_INET or AF_INET6: the one of what it advertises */
	uint8_t version;        /* 2 or 3, resolved against vrrp_version; IPv6: always 3 */
	uint32_t advert_int_cs; /* centiseconds; v2: whole seconds, 100…25500; v3: 1…4095 */
	enum conf_nopreempt nopreempt;
	uint32_t preempt_delay_ms;
	enum conf_auth auth;
	uint8_t auth_data[8];   /* PASS: zero-padded.  A secret: never printed */
	struct conf_hmac *hmac; /* auth_hmac; NULL = none */
	struct ip unicast_src;  /* AF_UNSPEC = the interface's first address (IPv6: link-local) */
	struct conf_peer *unicast_peers;
	size_t unicast_peers_n;     /* 0 = multicast … */
	struct ip mcast_group;      /* … to here; AF_UNSPEC = vrrp_mcast_group4 or 6 */
	uint8_t down_timer_adverts; /* 0 = 3, as the RFCs have it */
	enum conf_switch lower_prio_no_advert, higher_prio_send_advert;
	enum conf_switch accept; /* of traffic to the VIPs; CONF_OFF = no_accept */
	bool strict_mode;
	bool skip_check_adv_addr;
	bool owner_ignore_adverts;
	uint8_t unicast_ttl; /* of what is sent to them; 0 = 255 */
	struct conf_vip *vips;
	size_t vips_n;    /* advertised ones first (of these the link-local), in the file's order */
	uint32_t lease_s; /* 0 = vip_lease; longer where renewing it so often costs too much */
	struct conf_paths paths;        /* virtual_routes, virtual_rules */
	const struct conf_group *group; /* NULL = none */
	struct conf_track_list track[CONF_TRACK_N];
	bool dont_track_primary; /* its own link may be down */
	bool no_track_proxy;
	struct conf_track_backend_list track_backends;
	uint32_t garp_master_delay_ms;       /* 5000 */
	uint32_t garp_master_repeat;         /* 5 */
	uint32_t garp_master_refresh_ms;     /* 0 = never */
	uint32_t garp_master_refresh_repeat; /* 1 */
	struct conf_garp_extra garp_extra_if;
	uint32_t garp_lower_prio_delay_ms;     /* vrrp_garp_master_delay */
	uint32_t garp_lower_prio_repeat;       /* vrrp_garp_master_repeat; 0 = none */
	enum conf_switch old_unicast_checksum; /* CONF_OFF = not even accepted */
	bool v3_checksum_as_v2;                /* message only, without the pseudo-header */
	struct conf_notify notify;
};

/* ------------------------------------------------------------------ HAProxy's side */

enum conf_mode { CONF_MODE_TCP, CONF_MODE_HTTP };

enum conf_balance {
	CONF_BALANCE_ROUNDROBIN,
	CONF_BALANCE_STATIC_RR,
	CONF_BALANCE_LEASTCONN,
	CONF_BALANCE_FIRST,
	CONF_BALANCE_SOURCE,
	CONF_BALANCE_RANDOM,
	CONF_BALANCE_P2C_EWMA,
	CONF_BALANCE_RDP_COOKIE,
	CONF_BALANCE_HASH,
};

/* The function of `hash-type`. */
enum conf_hash {
	CONF_HASH_SDBM,
	CONF_HASH_DJB2,
	CONF_HASH_WT6,
	CONF_HASH_CRC32,
	CONF_HASH_NONE, /* the key is a number */
};

struct conf_bind {
	struct conf_pos pos;
	const char *text;         /* as written: "*:80" */
	struct sock_addr address; /* len 0 with inherited_fd >= 0 */
	int inherited_fd;         /* "fd@N"; -1 = none */
	uint32_t backlog;         /* 0 = frontend's */
	uint32_t maxconn;         /* 0 = no own limit */
	bool v6only;              /* "v6only"; ":::80" with v4v6 serves both */
	bool v4v6;
	const char *interface; /* "interface NAME" */
	const char *name;
	int32_t mode, uid, gid; /* unix sockets; -1 = not given */
	bool tfo, defer_accept, transparent;
	bool accept_proxy;  /* the PROXY protocol is spoken first */
	uint32_t tcp_ut_ms; /* 0 = the kernel's */
	uint32_t mss;       /* 0 = the kernel's */
	struct conf_tls tls;
};

enum conf_log_format {
	CONF_LOG_RAW,
	CONF_LOG_RFC3164,
	CONF_LOG_RFC5424,
	CONF_LOG_SHORT,
	CONF_LOG_TIMED
};

struct conf_log {
	struct conf_pos pos;
	const char *text;         /* the target as written, variables expanded */
	bool global;              /* "log global": the targets of the global section */
	struct sock_addr address; /* udp or unix; len 0 with fd >= 0 */
	int fd;                   /* 1 = stdout, 2 = stderr, -1 = address */
	enum conf_log_format format;
	uint32_t length;                /* 1024 */
	int facility, level, min_level; /* syslog numbers; level = the most verbose let through */
};

enum { CONF_CAP_FRONT = 1, CONF_CAP_BACK = 2 };

/* A frontend, a backend, or both (`listen`); `defaults` sections are merged in while parsing. */
struct conf_proxy {
	struct conf_pos pos;
	const char *name;
	const struct conf_proxy *defaults; /* whose rules come before its own; NULL = none */
	uint8_t caps;                      /* CONF_CAP_* */
	enum conf_mode mode;
	bool disabled;
	uint32_t maxconn;    /* frontend; 0 = the global one */
	uint32_t backlog;    /* 0 = maxconn */
	uint32_t rate_limit; /* new sessions within a second; 0 = any */
	struct conf_bind *binds;
	size_t binds_n;
	uint32_t default_backend; /* index; a listen section's is itself; CONF_NONE */
	enum conf_balance balance;
	uint32_t balance_draws;         /* of balance random; 2 */
	const char *balance_argument;   /* of rdp-cookie (NULL = mstshash) and hash, as written */
	struct conf_expr *balance_expr; /* what they hash */
	enum conf_hash hash_function;
	bool hash_consistent, hash_avalanche;
	uint32_t hash_balance_factor; /* percent; 0 = none */
	uint32_t fullconn;            /* 0 = a tenth of what the frontends take */
	bool allbackups;
	bool redispatch;
	uint32_t retries; /* 3 */
	struct conf_outbound outbound;
	struct conf_server *servers;
	size_t servers_n;
	struct conf_health health; /* how servers with `check` are checked */
	struct conf_acl *acls;
	size_t acls_n;
	struct conf_rules connection_rules, session_rules, request_rules, response_rules;
	struct conf_captures request_captures, response_captures;
	uint32_t inspect_request_ms, inspect_response_ms; /* 0 = nothing is waited for */
	struct conf_use *use_backends;
	size_t use_backends_n;
	struct conf_use *use_servers;
	size_t use_servers_n;
	struct conf_log *logs;
	size_t logs_n;
	bool tcplog, dontlognull, dontlog_normal, log_health_checks, logasap, log_separate_errors;
	/* As written, and compiled (frontends only); NULL = none.  `log_format` is tcplog's, too. */
	const char *log_format_text, *log_format_sd_text, *error_log_format_text,
		*unique_id_format_text;
	const struct conf_format *log_format, *log_format_sd, *error_log_format, *unique_id_format;
	bool tcpka_client, tcpka_server, nolinger, abortonclose, splice_auto;
	const char *log_tag;
	/* 0 = none */
	uint32_t timeout_connect_ms, timeout_client_ms, timeout_server_ms, timeout_queue_ms,
		timeout_check_ms, timeout_tunnel_ms, timeout_client_fin_ms, timeout_server_fin_ms;
};

/* Does a program say how the server is? */
static inline bool
conf_server_is_external(const struct conf_proxy *proxy, const struct conf_server *server)
{
	return server->check && proxy->health.type == CONF_HEALTH_EXTERNAL;
}

/* How long it may take: as HAProxy has it, no longer than to the next one. */
static inline uint32_t
conf_external_limit_ms(const struct conf_proxy *proxy, const struct conf_server *server)
{
	uint32_t inter_ms = server->inter_ms ? server->inter_ms : 2000;

	if (proxy->timeout_check_ms && proxy->timeout_connect_ms &&
	    proxy->timeout_connect_ms < inter_ms)
		return proxy->timeout_connect_ms;
	return inter_ms;
}

/* Is TLS spoken to the server, if only by its checks? */
static inline bool
conf_server_wants_tls(const struct conf_proxy *proxy, const struct conf_server *server)
{
	return server->tls.on || server->check_ssl ||
	       (server->check && conf_health_wants_tls(&proxy->health));
}

/* ------------------------------------------------------------------ the whole */

struct conf_source {
	const char *name; /* path as given */
	const char *text; /* NUL-terminated */
	size_t len;
	/* Read because of an `include` there; line 0: named by who started us. */
	uint32_t includer, include_line;
	bool values; /* read on the way: what `-f` of an acl names, or the address of a host */
};

struct conf {
	struct arena *arena;
	struct conf_source *sources;
	size_t sources_n;
	const char *node; /* what @node lines compare with */

	/* global_defs */
	const char *router_id;                      /* default: the host's name */
	uint8_t vrrp_version;                       /* 2 */
	uint32_t vip_lease_s;                       /* 3; 0 = permanent */
	uint32_t watchdog_ms;                       /* 500 */
	uint32_t startup_delay_ms;                  /* vrrp_startup_delay */
	uint32_t boot_delay_ms;                     /* vrrp_delay_after_boot */
	uint32_t garp_interval_us, gna_interval_us; /* 0 = no pauses */
	uint8_t rt_priority;                        /* of the VRRP thread; 20 */
	bool no_swap;                               /* the worker's memory is locked, too */
	uint16_t *cpus;                             /* the VRRP thread runs on these only … */
	size_t cpus_n;                              /* … if any */
	const char *vmac_prefix;                    /* "vrrp" */
	const char *vmac_addr_prefix;               /* NULL = vmac_prefix */
	bool min_garp;                              /* one announcement, never repeated */
	struct ip mcast_group4;                     /* 224.0.0.18 */
	struct ip mcast_group6;                     /* ff02::12 */
	const char *script_user, *script_group;     /* NULL: keepalived_script, else root */
	bool enable_script_security;
	struct conf_fifo notify_fifo, vrrp_notify_fifo; /* here both are told the same */
	bool notify_priority_changes;

	const char *default_interface; /* of static addresses; NULL = eth0 */
	struct conf_vip *static_vips;  /* static_ipaddress: permanent, none of them is a VIP */
	size_t static_vips_n;
	struct conf_paths static_paths; /* static_routes, static_rules */

	struct conf_interface *interfaces;
	size_t interfaces_n;
	struct conf_script *scripts;
	size_t scripts_n;
	struct conf_track_file *track_files;
	size_t track_files_n;
	struct conf_track_process *track_processes;
	size_t track_processes_n;
	struct conf_group *groups;
	size_t groups_n;
	struct conf_instance *instances;
	size_t instances_n;

	/* global */
	uint32_t nbthread;        /* 0 = as many as the CPUs this process may use */
	uint32_t maxconn;         /* 0 = derived from the limit of descriptors */
	const char *user, *group; /* NULL = default user, else nobody */
	bool daemon;
	const char *chroot; /* the worker's root directory; NULL = the host's */
	const char *pidfile;
	const char *log_tag;
	const char *log_send_hostname; /* NULL = no; "" = this host */
	struct conf_log *logs;
	size_t logs_n;
	uint32_t spread_checks;               /* percent */
	uint32_t hard_stop_after_ms;          /* for a worker that another follows; 0 = never */
	struct conf_tls tls_bind, tls_server; /* ssl-default-* */
	const char *ca_base, *crt_base;       /* NULL = the working directory */
	uint32_t tls_cache_n;                 /* sessions; 20000 */
	uint32_t tls_lifetime_s;              /* 0 = 300 */

	struct conf_proxy *proxies;
	size_t proxies_n;
	struct conf_regex *regexes; /* of all ACLs */
	size_t regexes_n;
	struct conf_variable_name *variables; /* of set-var, as they are in a session */
	size_t variables_n;
	struct conf_process_set *process_sets;
	size_t process_sets_n;
	bool external_check; /* `option external-check` may run programs */
	bool uses_rates;     /* an expression asks for sessions a second */
	bool uses_usesrc;    /* a `source` has it */
};

/* An instance's place in a set of 64: the 65th shares that of the first. */
static inline uint64_t
conf_instance_bit(const struct conf *conf, const struct conf_instance *instance)
{
	return UINT64_C(1) << ((size_t)(instance - conf->instances) % 64);
}

/* How a tracked thing is called in the file. */
static inline const char *
conf_track_name(const struct conf *conf, enum conf_track_kind kind, uint32_t index)
{
	switch (kind) {
	case CONF_TRACK_SCRIPT:
		return conf->scripts[index].name;
	case CONF_TRACK_INTERFACE:
		return conf->interfaces[index].name;
	case CONF_TRACK_FILE:
		return conf->track_files[index].name;
	case CONF_TRACK_PROCESS:
		return conf->track_processes[index].name;
	case CONF_TRACK_N:
		break;
	}
	return "";
}

/* Has the file anything that listens?  (Decides about script replacement and track_proxy.) */
static inline bool
conf_has_listener(const struct conf *conf)
{
	for (size_t i = 0; i < conf->proxies_n; i++)
		if (conf->proxies[i].binds_n > 0 && !conf->proxies[i].disabled)
			return true;
	return false;
}

/* Kernel lifetime of the VIPs of an instance in seconds; 0 = permanent. */
static inline uint32_t
conf_lease_s(const struct conf *conf, const struct conf_instance *instance)
{
	return instance->lease_s ? instance->lease_s : conf->vip_lease_s;
}

/* Where a multicast instance sends to. */
static inline const struct ip *
conf_group(const struct conf *conf, const struct conf_instance *instance)
{
	if (instance->mcast_group.family != AF_UNSPEC)
		return &instance->mcast_group;
	return instance->family == AF_INET6 ? &conf->mcast_group6 : &conf->mcast_group4;
}

const char *conf_balance_name(enum conf_balance balance);
