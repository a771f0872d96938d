/*
 * vrrp_io.h - raw sockets on one side, the VRRP engine on the other.
 */
#pragma once

#include "common/loop.h"
#include "vrrpd/vrrp.h"

struct vrrp_io_socket;

struct vrrp_io {
	struct loop *loop;
	const struct conf *conf;
	struct vrrp *vrrp;
	struct vrrp_io_socket *sockets; /* one for each interface of the configuration and family */
	bool begun;                     /* sockets are listened to */
	bool receiving;
	uint64_t received, sent, send_errors, receive_errors;
	int64_t error_logged_ns; /* monotonic; 0 = never */
};

/* Sockets are collected until vrrp_io_begin.  0 or -errno. */
int vrrp_io_init(struct vrrp_io *io, struct loop *loop, const struct conf *conf, struct vrrp *vrrp);
void vrrp_io_fini(struct vrrp_io *io);

/* Begins to listen.  0 or -errno. */
int vrrp_io_begin(struct vrrp_io *io);

/* Listens no more: what comes waits in the sockets. */
void vrrp_io_end(struct vrrp_io *io);

/* Takes over a raw socket that the guardian bound to this interface; it replaces an older one of
 * the same interface and family.  0 or -errno: `fd` is still the caller's then. */
int vrrp_io_add(struct vrrp_io *io, uint32_t interface, uint8_t family, int fd);

/* struct vrrp_ops' send.  Reads the clock: if this thread was interrupted in the middle of a turn for
 * longer than the instance's down interval, nothing leaves, and the next turn fences. */
void vrrp_io_send(struct vrrp_io *io, uint32_t instance, const struct ip *source,
		  const struct ip *to, const void *pdu, size_t len);

/* struct vrrp_ops' drain: delivers all that has arrived on any socket. */
void vrrp_io_drain(struct vrrp_io *io);
