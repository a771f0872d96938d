/*
 * requests.h - every message between guardian and worker, in one list.
 *
 * A privileged request carries indexes into the configuration both sides hold and that
 * configuration's generation, never an address, a name or a command.  The receiver checks the
 * exact length, the direction, the generation and each index before the handler sees it; what does
 * not pass is dropped, counted and logged.
 */
#pragma once

#include "common/addr.h"
#include "common/clock.h"

#include <stdint.h>

/* Descriptors the worker finds open when it starts; the rest comes in messages. */
enum {
	WORKER_FD_IPC = 3,   /* its end of the socket pair */
	WORKER_FD_CONF = 4,  /* sealed memfd: conf_pack's block */
	WORKER_FD_PULSE = 5, /* memfd: struct pulse */
};

struct req_none {
	uint32_t generation;
};

struct req_instance {
	uint32_t generation;
	uint32_t instance;
};

struct req_lodged {
	uint32_t generation;
	uint32_t instance;
	uint32_t lodged; /* 0 or 1 */
};

struct req_confirm {
	uint32_t generation;
	uint32_t instance;
	uint32_t master; /* 0 or 1 */
};

struct req_frozen {
	uint32_t generation;
	int32_t error; /* -errno: it could not be written down */
};

struct req_remaining {
	uint32_t generation;
	uint32_t sessions;
};

struct req_external {
	uint32_t generation;
	uint32_t proxy; /* with `option external-check` */
	uint32_t server;
	uint32_t sessions; /* it has now, only to be told */
};

struct req_foreign {
	uint32_t generation;
	uint32_t family; /* 0: IPv4, 1: IPv6 */
};

/* What scripts and FIFOs are told; the names are keepalived's. */
enum notify_event {
	NOTIFY_EVENT_MASTER,
	NOTIFY_EVENT_BACKUP,
	NOTIFY_EVENT_FAULT,
	NOTIFY_EVENT_DELETED,
	NOTIFY_EVENT_STOP, /* up to here: states */
	NOTIFY_EVENT_MASTER_RX_LOWER_PRI,
	NOTIFY_EVENT_MASTER_PRIORITY,
	NOTIFY_EVENT_BACKUP_PRIORITY,
	NOTIFY_EVENT_N,
};

struct req_notify {
	uint32_t generation;
	uint32_t instance;
	uint16_t event;    /* enum notify_event */
	uint16_t priority; /* 0…255: the effective one, only to be shown */
};

enum resign_how {
	RESIGN_NOT,       /* takes part as ever */
	RESIGN_YIELD,     /* hands over and stays as a backup: `tandem resign` */
	RESIGN_PROBATION, /* the same, after workers that died young */
	RESIGN_LEAVE,     /* hands over for good: the next configuration does not have it */
	RESIGN_N,
};

struct ans_resign {
	uint32_t generation;
	uint32_t instance;
	uint32_t how; /* enum resign_how */
};

/* A former worker that still has sessions. */
struct ans_retired {
	uint32_t generation;
	uint32_t former; /* its generation */
	int32_t pid;
	uint32_t sessions; /* 0 = it is gone */
	struct mono since; /* of its retirement */
};

struct ans_instance {
	uint32_t generation;
	uint32_t instance;
	int32_t error;   /* 0 or -errno */
	uint32_t vips_n; /* how many VIPs it was about */
	struct mono at;  /* when the kernel had them */
};

struct ans_link {
	uint32_t generation;
	uint32_t interface;
	uint32_t present, up; /* 0 or 1 */
	uint32_t mtu;
	struct ip primary;     /* first IPv4 address that is no VIP of the file; AF_UNSPEC = none */
	struct ip primary6;    /* first link-local one likewise */
	uint64_t sources_lost; /* conf_instance_bit of those here whose unicast_src is missing */
	uint8_t mac[6];
};

struct ans_listener {
	uint32_t generation;
	uint32_t proxy, bind; /* one descriptor beside it */
};

struct ans_log_socket {
	uint32_t generation;
	uint32_t index; /* log_sockets.h; one descriptor beside it */
};

struct ans_vrrp_socket {
	uint32_t generation;
	/* One descriptor beside it: raw, protocol 112, bound to the interface. */
	uint32_t interface;
	uint32_t family; /* AF_INET, AF_INET6 */
};

enum script_state {
	SCRIPT_STATE_UNKNOWN, /* no result yet */
	SCRIPT_STATE_OK,
	SCRIPT_STATE_FAILED,
	SCRIPT_STATE_DISABLED, /* it cannot be run: it has no effect */
	SCRIPT_STATE_N,
};

struct ans_script {
	uint32_t generation;
	uint32_t script;
	uint32_t state;   /* enum script_state, rise and fall applied */
	int32_t status;   /* of the last run's exit; -1: it was ended by a signal … */
	uint32_t signal;  /* … this one, or by its timeout (0) */
	uint32_t took_ms; /* the last run */
	struct mono at;   /* its end; 0 = none yet */
};

struct ans_external {
	uint32_t generation;
	uint32_t proxy, server;
	int32_t status;     /* of its exit; -1: a signal ended it */
	uint32_t timed_out; /* 0 or 1: it has been told to end */
};

struct ans_foreign {
	uint32_t generation;
	uint32_t family; /* as it was asked; the descriptors beside it are what could be had */
};

struct ans_watched {
	uint32_t generation;
	uint32_t kind;   /* WATCH_KIND_FILE or WATCH_KIND_PROCESS (daemon/watcher.h) */
	uint32_t index;  /* in track_files or track_processes */
	int32_t value;   /* the number in the file; how many run */
	uint32_t events; /* 0 or 1: the kernel tells of processes */
};

/* clang-format off */
/*   name           payload                  sender    meaning */
#define REQUEST_LIST(X)                                                                            \
	X(READY,        struct req_none,         WORKER)   /* waits for the token */                   \
	X(CLAIM,        struct req_instance,     WORKER)   /* add the VIPs, lease them, announce */    \
	X(RELEASE,      struct req_instance,     WORKER)   /* remove the VIPs, end their lease */      \
	X(ANNOUNCE,     struct req_instance,     WORKER)   /* one round of announcements */            \
	X(WILL,         struct req_lodged,       WORKER)   /* from now on, or no longer */             \
	X(CONFIRM,      struct req_confirm,      WORKER)   /* answers ASK_CONFIRM */                   \
	X(NOTIFY,       struct req_notify,       WORKER)   /* tell scripts and FIFOs */                \
	X(NOTIFY_GROUP, struct req_notify,       WORKER)   /* likewise; `instance` is a group's index */ \
	X(EXTERNAL_CHECK, struct req_external,   WORKER)   /* run a server's check program */          \
	X(FOREIGN,      struct req_foreign,      WORKER)   /* sockets for `usesrc` */                  \
	X(FROZEN,       struct req_frozen,       WORKER)   /* answers FREEZE */                        \
	X(REMAINING,    struct req_remaining,    WORKER)   /* after RETIRE: sessions left */           \
	X(STOPPED,      struct req_none,         WORKER)   /* nothing is held any more: may exit */    \
	X(CONTROL,      struct req_none,         GUARDIAN) /* + descriptor: the control socket */      \
	X(LISTENER,     struct ans_listener,     GUARDIAN)                                             \
	X(TLS_FILES,    struct req_none,         GUARDIAN) /* + descriptor: tls_files_pack's block */  \
	X(LEDGER,       struct req_none,         GUARDIAN) /* + descriptor: marks of auth_hmac */      \
	X(LOG_SOCKET,   struct ans_log_socket,   GUARDIAN)                                             \
	X(JOURNAL,      struct req_none,         GUARDIAN) /* + descriptor: the journal */             \
	X(VRRP_SOCKET,  struct ans_vrrp_socket,  GUARDIAN)                                             \
	X(LINK,         struct ans_link,         GUARDIAN) /* at start for each, then on change */     \
	X(SCRIPT_RESULT, struct ans_script,      GUARDIAN) /* before START what is known, then each */ \
	X(WATCHED,      struct ans_watched,      GUARDIAN) /* likewise of files and processes */       \
	X(EXTERNAL_DONE, struct ans_external,    GUARDIAN) /* it has ended, or its time is over */     \
	X(FOREIGN_SOCKETS, struct ans_foreign,   GUARDIAN) /* + descriptors: they have IP_TRANSPARENT */ \
	X(START,        struct req_none,         GUARDIAN) /* everything was handed over: get ready */ \
	X(TOKEN,        struct req_none,         GUARDIAN) /* (+ descriptor: go on from there) begin */\
	X(RESIGN,       struct ans_resign,       GUARDIAN) /* an instance, make before break */        \
	X(FREEZE,       struct req_none,         GUARDIAN) /* + descriptor: write it all down there */ \
	X(THAW,         struct req_none,         GUARDIAN) /* go on */                                 \
	X(RETIRE,       struct req_none,         GUARDIAN) /* finish the sessions, then exit */        \
	X(RETIRED,      struct ans_retired,      GUARDIAN) /* a former worker, for the status */       \
	X(CLAIMED,      struct ans_instance,     GUARDIAN)                                             \
	X(RELEASED,     struct ans_instance,     GUARDIAN)                                             \
	X(RENEWED,      struct ans_instance,     GUARDIAN)                                             \
	X(RESTORED,     struct ans_instance,     GUARDIAN) /* VIPs had vanished and are back */        \
	X(ASK_CONFIRM,  struct req_instance,     GUARDIAN) /* the guardian was late: still master? */  \
	X(STOP,         struct req_none,         GUARDIAN) /* resign, make before break */
/* clang-format on */

enum request {
#define X(name, payload, sender) REQUEST_##name,
	REQUEST_LIST(X) REQUEST_N
#undef X
};
