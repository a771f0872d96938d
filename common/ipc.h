/*
 * ipc.h - messages between guardian and worker: one SOCK_SEQPACKET pair, one datagram a message,
 * descriptors beside it.  Only framing lives here; what the messages mean is daemon/requests.h.
 *
 * Neither side ever blocks on the other: a send that would block queues the message in memory, in
 * order, until the loop says the socket is writable.
 */
#pragma once

#include "common/loop.h"

#include <stddef.h>

#define IPC_PAYLOAD_MAX 4096
#define IPC_FDS_MAX     64
#define IPC_PENDING_MAX 8192 /* messages queued for a peer that does not read, before it is gone */

struct ipc_message {
	uint32_t type;
	uint32_t len; /* of payload */
	uint32_t fds_n;
	int fds[IPC_FDS_MAX]; /* received: the handler's to keep or close; set to -1 when kept */
	_Alignas(8) unsigned char payload[IPC_PAYLOAD_MAX];
};

struct ipc;
typedef void ipc_message_fn(struct ipc *ipc, struct ipc_message *m);
typedef void ipc_closed_fn(struct ipc *ipc); /* the other side is gone; called once */

struct ipc {
	struct loop *loop;
	struct loop_fd socket;
	ipc_message_fn *on_message;
	ipc_closed_fn *on_closed;
	void *ctx;
	struct ipc_pending *first, **last; /* waiting for the socket to drain */
	uint32_t pending_n;
	struct timer retry; /* the kernel was short of memory: epoll would not tell when to go on */
};

/* Both ends: close-on-exec, non-blocking.  0 or -errno. */
int ipc_pair(int fds[2]);

/* Takes `fd` over and registers it with the loop.  0, or -errno with `fd` still the caller's. */
int ipc_init(struct ipc *ipc, struct loop *loop, int fd, ipc_message_fn *on_message,
	     ipc_closed_fn *on_closed, void *ctx);
/*
 * Allowed from the callbacks; the memory must stay until the turn ends.  Messages that were still
 * queued are lost.  Harmless when repeated, and on a zeroed struct.
 */
void ipc_fini(struct ipc *ipc);

/*
 * Sends a message; `fds` are duplicated by the kernel and stay the caller's (a queued message keeps
 * its own duplicates).  0, or -errno: the other side is gone (-EPIPE; on_closed follows from the
 * loop, never from within), or a message could not be queued (-ENOMEM, -EMFILE, -EMSGSIZE).
 */
int ipc_send(struct ipc *ipc, uint32_t type, const void *payload, size_t len, const int *fds,
	     size_t fds_n);

/*
 * Delivers what has arrived without waiting for the loop: used where the order of messages against
 * other events matters (draining before a decision).
 */
void ipc_drain(struct ipc *ipc);
