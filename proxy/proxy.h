/*
 * proxy.h - the proxy as a whole: what the daemon sees of this folder.
 *
 * proxy_start makes one thread a loop ("proxy/N"); each owns its listening sockets, sessions,
 * buffers and timers.  Backends, server states and weights are shared, written by whichever thread
 * runs a server's check, read by all.  What matters to VRRP goes to the health board.
 */
#pragma once

#include "common/health.h"
#include "conf/model.h"

struct proxy;
struct tls;

/* One listening socket, opened by the guardian: bind number `bind` of proxy number `proxy`. */
struct proxy_listener {
	uint32_t proxy, bind;
	int fd;
};

/*
 * `conf` and `board` outlive the proxy; the descriptors become its own.  There are several sockets
 * of one address (SO_REUSEPORT) when there are several threads: they are dealt out in order.
 * `tls` (NULL = none) stays the caller's until proxy_new has succeeded.  Returns NULL with errno.
 */
struct proxy *proxy_new(const struct conf *conf, uint32_t threads_n,
			const struct proxy_listener *listeners, size_t listeners_n,
			struct health_board *board, struct tls *tls);

/* Connected sockets for targets of the log, to be used instead of own ones; before proxy_start.  The
 * list outlives the proxy. */
struct log_target_socket;
void proxy_log_sockets(struct proxy *proxy, const struct log_target_socket *list, size_t n);

/* Starts the threads, which neither accept nor check yet; host names begin to be resolved.  0 or
 * -errno. */
int proxy_start(struct proxy *proxy);

/* Begins to accept and to check servers. */
void proxy_open(struct proxy *proxy);

/* Ceases to, for good: the listening sockets are closed here, sessions go on.  proxy_drained: every
 * thread has done so, and the last session has ended. */
void proxy_close(struct proxy *proxy);
bool proxy_drained(const struct proxy *proxy);

/* Stops accepting at once, closes sessions, joins the threads, frees everything.  NULL is fine. */
void proxy_stop(struct proxy *proxy);

/*
 * From one proxy to the next, on a reload: a frontend's or backend's counts, a server's counts and
 * health, as bytes for whoever has the same proxy_saved_layout, a fingerprint.  Restored between
 * proxy_start and proxy_open, the servers of a backend before itself.  Returns how many bytes, at most
 * PROXY_SAVED_MAX; or whether they mean something here.
 */
#define PROXY_SAVED_MAX 1024
uint64_t proxy_saved_layout(void);
size_t proxy_save(const struct proxy *proxy, uint32_t index, void *saved);
bool proxy_restore(struct proxy *proxy, uint32_t index, const void *saved, size_t len);
size_t proxy_save_server(const struct proxy *proxy, uint32_t index, uint32_t server, void *saved);
bool proxy_restore_server(struct proxy *proxy, uint32_t index, uint32_t server, const void *saved,
			  size_t len);

/* ------------------------------------------------------------------ `option external-check` */

/* A server whose program is to be run. */
struct proxy_external {
	uint32_t proxy, server;
	uint32_t sessions; /* it has now */
};

struct proxy_external_end {
	int status; /* of its exit; -1: a signal ended it */
	bool timed_out;
};

/* The next one; false if there is none.  The health board is rung when there is one.  By the thread
 * that owns the proxy. */
bool proxy_external_next(struct proxy *proxy, struct proxy_external *wanted);

/* It has ended, or its time is over.  By that thread, too. */
void proxy_external_done(struct proxy *proxy, uint32_t index, uint32_t server,
			 const struct proxy_external_end *end);

/* ------------------------------------------------------------------ `source … usesrc` */

/* Sockets with IP_TRANSPARENT of which family (0: IPv4, 1: IPv6) are to be asked for?  False: of none,
 * or they are already.  The health board is rung when there are.  By the thread that owns the proxy. */
bool proxy_stock_wanted(struct proxy *proxy, uint32_t *family);

/* They have come, or none at all: they become the proxy's own.  By that thread, too. */
void proxy_stock_add(struct proxy *proxy, uint32_t family, const int *fds, size_t n);

/* ------------------------------------------------------------------ for status; any thread */

enum server_state {
	SERVER_DOWN,
	SERVER_UP,
	SERVER_NOCHECK,
	SERVER_DISABLED,
	SERVER_UNRESOLVED,
	SERVER_STOPPING, /* up, but gets no new connections: its check says so … */
	SERVER_DRAIN,    /* … or its agent */
};

/* "DOWN", "UP", "no check", "MAINT", "UNRESOLVED", "NOLB", "DRAIN" */
const char *server_state_name(enum server_state state);

struct server_view {
	const struct conf_server *conf;
	enum server_state state;
	uint32_t health, health_max; /* as in "2/3 UP" */
	struct sock_addr address;
	uint32_t sessions, queued;
	uint32_t limit;          /* sessions it may have at the moment; UINT32_MAX = any */
	uint32_t weight;         /* at the moment, in sixteenths of the file's unit … */
	uint32_t present_weight; /* … and without `slowstart`, in whole ones */
	uint64_t sessions_total, bytes_in, bytes_out, connect_errors, retries, redispatches;
	struct mono changed;      /* last change of state */
	const char *check_status; /* "L4OK", "L4CON" … HAProxy's names; NULL = it has no check */
	char check_detail[64];    /* "Connection refused" */
	uint32_t check_ms;
	struct mono checked;      /* 0 = never */
	bool agent_down;          /* its agent says so */
	const char *agent_status; /* as for checks; NULL = it has no agent */
	char agent_detail[64];
	uint32_t agent_ms;
	struct mono agent_asked; /* 0 = never */
};

struct proxy_view {
	const struct conf_proxy *conf;
	uint32_t sessions, queued; /* now; queued: waiting for a server */
	uint64_t sessions_total, bytes_in, bytes_out, denied;
	uint32_t servers_n, usable;
};

void proxy_view(const struct proxy *proxy, uint32_t index, struct proxy_view *view);
void proxy_server_view(const struct proxy *proxy, uint32_t index, uint32_t server,
		       struct server_view *view);
/* Sessions of all frontends now. */
uint32_t proxy_sessions(const struct proxy *proxy);

/* Lines of the traffic log that a target did not take at once, ever. */
uint64_t proxy_log_drops(const struct proxy *proxy);

/* How often a session found no socket with IP_TRANSPARENT at hand, ever. */
uint64_t proxy_stock_shortages(const struct proxy *proxy);
