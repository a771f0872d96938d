/*
 * handover.h - what a worker is given: at its start everything, later what has changed.
 */
#pragma once

#include "common/ipc.h"
#include "daemon/ledger.h"
#include "daemon/listeners.h"
#include "daemon/log_sockets.h"
#include "daemon/netwatch.h"
#include "daemon/vrrp_sockets.h"

struct handover {
	const struct conf *conf;
	uint32_t generation;
	int control_fd, journal_fd;
	const struct listeners *listeners;
	const void *tls_files; /* as in guardian_setup */
	size_t tls_files_len;
	const struct ledger *ledger;
	const struct log_sockets *logs;
	struct vrrp_sockets *sockets;
	const struct netwatch *watch;
	struct netwatch_link *told; /* by interface: what the worker knows */
};

/* 0 or -ENOMEM; the fields above `told` are the caller's to set before. */
int handover_init(struct handover *handover);
void handover_fini(struct handover *handover);

/* CONTROL, JOURNAL, LOG_SOCKET…, LISTENER…, TLS_FILES, LEDGER, VRRP_SOCKET…, LINK…, START.  0 or -errno: then the
 * worker is of no use. */
int handover_begin(struct handover *handover, struct ipc *ipc);

/* Links were read anew: the worker learns what differs from what it was told, with a new socket for
 * an interface that came back. */
void handover_links(struct handover *handover, struct ipc *ipc);

/* After links were read by another binary than the one that told the worker: everything again, and a
 * socket where it is not bound to what `from` had. */
void handover_repeat(struct handover *handover, struct ipc *ipc, const struct vrrp_sockets *from);
