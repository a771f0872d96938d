/*
 * vrrp_io.c - moves advertisements between raw sockets and the engine, on the worker's VRRP thread.
 *
 * The guardian opens the sockets (protocol 112, bound to one interface, TTL 255, group joined); the
 * worker owns them from then on.  They stay usable after the privileges are gone.  Instances of one
 * family on one interface share a socket.
 */
#include "daemon/vrrp_io.h"

#include "common/list.h"
#include "common/log.h"
#include "conf/behaviour.h"
#include "daemon/vrrp_send.h"
#include "vrrpd/packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH       16
#define HEADER_MAX  60 /* IPv4, with options */
#define TRAILER_MAX 64 /* what may follow the addresses */
#define PACKET_MAX  (HEADER_MAX + VRRP_PDU_RECEIVED_MAX + TRAILER_MAX)
#define DRAIN_MAX   256 /* batches per socket: a flood must not hold the thread for ever */
#define LOG_PAUSE_S 10

struct vrrp_io_socket {
	int fd;               /* -1 = none */
	struct loop_fd event; /* registered while it is listened to */
	struct vrrp_io *io;
	uint32_t interface;
	uint8_t family;
};

/* What an IPv6 socket tells beside each message. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

/* The thread's own; one receive runs at a time (io->receiving). */
static unsigned char packets[BATCH][PACKET_MAX];
static struct sockaddr_in6 sources[BATCH];
static union control controls[BATCH];

static struct vrrp_io_socket *
socket_of(struct vrrp_io *io, uint32_t interface, uint8_t family)
{
	return &io->sockets[interface * IP_FAMILIES + ip_family_index(family)];
}

static void
log_paced(struct vrrp_io *io, const char *what, uint32_t interface, int error)
{
	int64_t now_ns = io->loop->now.ns;

	if (io->error_logged_ns && now_ns - io->error_logged_ns < LOG_PAUSE_S * NS_PER_S)
		return;
	io->error_logged_ns = now_ns;
	log_warning("%s: %s: %s", io->conf->interfaces[interface].name, what, strerror(error));
}

/* What the headers said, from beside the message. */
static void
read_control(struct msghdr *msg, struct vrrp_datagram *d)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct in6_pktinfo info;
		int hops;

		if (c->cmsg_level != IPPROTO_IPV6)
			continue;
		if (c->cmsg_type == IPV6_PKTINFO && c->cmsg_len == CMSG_LEN(sizeof info)) {
			memcpy(&info, CMSG_DATA(c), sizeof info);
			d->destination.family = AF_INET6;
			d->destination.v6 = info.ipi6_addr;
		} else if (c->cmsg_type == IPV6_HOPLIMIT && c->cmsg_len == CMSG_LEN(sizeof hops)) {
			memcpy(&hops, CMSG_DATA(c), sizeof hops);
			d->hop_limit = (uint8_t)hops;
		}
	}
}

static void
deliver(struct vrrp_io_socket *s, struct mmsghdr *m)
{
	const struct sockaddr_in6 *source = m->msg_hdr.msg_name;
	struct vrrp_datagram d = { .pdu = m->msg_hdr.msg_iov->iov_base, .pdu_len = m->msg_len };

	if (s->family == AF_INET) {
		vrrp_receive(s->io->vrrp, s->interface, d.pdu, d.pdu_len, s->io->loop->now);
		return;
	}
	if (m->msg_hdr.msg_namelen >= sizeof *source && source->sin6_family == AF_INET6) {
		d.source.family = AF_INET6;
		d.source.v6 = source->sin6_addr;
	}
	read_control(&m->msg_hdr, &d);
	vrrp_receive6(s->io->vrrp, s->interface, &d, s->io->loop->now);
}

/* One batch; false when the queue is empty. */
static bool
receive_batch(struct vrrp_io_socket *s)
{
	struct vrrp_io *io = s->io;
	struct iovec iov[BATCH];
	struct mmsghdr messages[BATCH];
	int n;

	memset(messages, 0, sizeof messages);
	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ packets[i], PACKET_MAX };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &sources[i],
			.msg_namelen = sizeof sources[i],
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
			.msg_control = &controls[i],
			.msg_controllen = sizeof controls[i],
		};
	}
	n = recvmmsg(s->fd, messages, BATCH, MSG_DONTWAIT, NULL);
	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return errno == EINTR;
		/* A link that went down is reported once and clears itself. */
		io->receive_errors++;
		if (errno != ENETDOWN && errno != ENETUNREACH)
			log_paced(io, "cannot receive advertisements", s->interface, errno);
		return false;
	}
	io->received += (uint64_t)n;
	for (int i = 0; i < n; i++)
		deliver(s, &messages[i]);
	return n == BATCH;
}

static void
receive_all(struct vrrp_io_socket *s, unsigned batches)
{
	while (batches-- && s->fd >= 0 && receive_batch(s))
		;
}

static void
on_readable(struct loop_fd *lf, uint32_t events)
{
	struct vrrp_io_socket *s = CONTAINER_OF(lf, struct vrrp_io_socket, event);

	s->io->receiving = true;
	receive_all(s, 4); /* what is left makes epoll report again */
	s->io->receiving = false;
}

void
vrrp_io_drain(struct vrrp_io *io)
{
	if (io->receiving || !io->begun) /* on their way already, or not ours to read */
		return;
	io->receiving = true;
	for (size_t i = 0; i < io->conf->interfaces_n * IP_FAMILIES; i++)
		receive_all(&io->sockets[i], DRAIN_MAX);
	io->receiving = false;
}

void
vrrp_io_send(struct vrrp_io *io, uint32_t instance, const struct ip *source, const struct ip *to,
	     const void *pdu, size_t len)
{
	const struct conf_instance *conf = &io->conf->instances[instance];
	uint32_t interface = conf_xmit(conf);
	int fd = socket_of(io, interface, to->family)->fd, r;

	/* A turn that was interrupted for so long must not end with a word from the past. */
	if (vrrp_overdue(io->vrrp, instance, mono_now()))
		return;
	r = fd < 0 ? -ENODEV : vrrp_send(fd, 0, source, to, conf_ttl(conf), pdu, len);
	if (r == 0) {
		io->sent++;
		return;
	}
	io->send_errors++;
	if (r != -ENETDOWN)
		log_paced(io, "cannot send advertisements", interface, -r);
}

static int
listen_to(struct vrrp_io_socket *s)
{
	int r;

	s->event.fd = s->fd;
	r = loop_add(s->io->loop, &s->event, EPOLLIN);
	if (r < 0)
		s->event.fd = -1;
	return r;
}

/* The guardian has a duplicate: close alone would leave it in epoll. */
static void
close_socket(struct vrrp_io_socket *s)
{
	loop_remove(s->io->loop, &s->event);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int
vrrp_io_add(struct vrrp_io *io, uint32_t interface, uint8_t family, int fd)
{
	struct vrrp_io_socket *s = socket_of(io, interface, family);
	int r = 0;

	close_socket(s);
	s->fd = fd;
	if (io->begun)
		r = listen_to(s);
	if (r < 0)
		s->fd = -1;
	return r;
}

int
vrrp_io_begin(struct vrrp_io *io)
{
	int r = 0;

	io->begun = true;
	for (size_t i = 0; i < io->conf->interfaces_n * IP_FAMILIES && r == 0; i++)
		if (io->sockets[i].fd >= 0)
			r = listen_to(&io->sockets[i]);
	return r;
}

void
vrrp_io_end(struct vrrp_io *io)
{
	io->begun = false;
	for (size_t i = 0; i < io->conf->interfaces_n * IP_FAMILIES; i++)
		loop_remove(io->loop, &io->sockets[i].event);
}

int
vrrp_io_init(struct vrrp_io *io, struct loop *loop, const struct conf *conf, struct vrrp *vrrp)
{
	*io = (struct vrrp_io){ .loop = loop, .conf = conf, .vrrp = vrrp };
	io->sockets = calloc((conf->interfaces_n + 1) * IP_FAMILIES, sizeof *io->sockets);
	if (!io->sockets)
		return -ENOMEM;
	for (size_t i = 0; i < conf->interfaces_n * IP_FAMILIES; i++)
		io->sockets[i] = (struct vrrp_io_socket){
			.fd = -1,
			.event = { .fd = -1, .ready = on_readable },
			.io = io,
			.interface = (uint32_t)(i / IP_FAMILIES),
			.family = i % IP_FAMILIES ? AF_INET6 : AF_INET,
		};
	return 0;
}

void
vrrp_io_fini(struct vrrp_io *io)
{
	if (!io->sockets)
		return;
	for (size_t i = 0; i < io->conf->interfaces_n * IP_FAMILIES; i++)
		close_socket(&io->sockets[i]);
	free(io->sockets);
	io->sockets = NULL;
}
