/*
 * vrrp_io.c - moves advertisements between raw sockets and the engine, on the worker's VRRP thread.
 *
 * The guardian opens the sockets (protocol 112, bound to one interface, TTL 255, group joined); the
 * worker owns them from then on.  They stay usable after the privileges are gone.  Instances on one
 * interface share its socket.
 */
#include "daemon/vrrp_io.h"

#include "common/list.h"
#include "common/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH       16
#define PACKET_MAX  2048 /* an IPv4 header with options and the longest PDU, with room */
#define DRAIN_MAX   256  /* batches per socket: a flood must not hold the thread for ever */
#define LOG_PAUSE_S 10

struct vrrp_io_socket {
	struct loop_fd socket;
	struct vrrp_io *io;
	uint32_t interface;
};

/* The thread's own; one receive runs at a time (io->receiving). */
static unsigned char packets[BATCH][PACKET_MAX];

static void
log_paced(struct vrrp_io *io, const char *what, uint32_t interface, int error)
{
	int64_t now_ns = io->loop->now.ns;

	if (io->error_logged_ns && now_ns - io->error_logged_ns < LOG_PAUSE_S * NS_PER_S)
		return;
	io->error_logged_ns = now_ns;
	log_warning("%s: %s: %s", io->conf->interfaces[interface].name, what, strerror(error));
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
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(s->socket.fd, messages, BATCH, MSG_DONTWAIT, NULL);
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
		vrrp_receive(io->vrrp, s->interface, packets[i], messages[i].msg_len,
			     io->loop->now);
	return n == BATCH;
}

static void
receive_all(struct vrrp_io_socket *s, unsigned batches)
{
	while (batches-- && s->socket.fd >= 0 && receive_batch(s))
		;
}

static void
on_readable(struct loop_fd *lf, uint32_t events)
{
	struct vrrp_io_socket *s = CONTAINER_OF(lf, struct vrrp_io_socket, socket);

	s->io->receiving = true;
	receive_all(s, 4); /* what is left makes epoll report again */
	s->io->receiving = false;
}

void
vrrp_io_drain(struct vrrp_io *io)
{
	if (io->receiving) /* the packets are on their way already */
		return;
	io->receiving = true;
	for (size_t i = 0; i < io->conf->interfaces_n; i++)
		receive_all(&io->sockets[i], DRAIN_MAX);
	io->receiving = false;
}

void
vrrp_io_send(struct vrrp_io *io, uint32_t instance, const struct ip *source, const struct ip *to,
	     const void *pdu, size_t len)
{
	uint32_t interface = io->conf->instances[instance].interface;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = to->v4 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)pdu, .iov_len = len };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
	struct msghdr message = { .msg_name = &address,
				  .msg_namelen = sizeof address,
				  .msg_iov = &iov,
				  .msg_iovlen = 1 };

	if (source->family == AF_INET) {
		/* The interface is the one the socket is bound to; only the source is chosen. */
		struct in_pktinfo info = { .ipi_spec_dst = source->v4 };
		struct cmsghdr *cmsg;

		memset(&control, 0, sizeof control);
		message.msg_control = &control;
		message.msg_controllen = sizeof control;
		cmsg = CMSG_FIRSTHDR(&message);
		cmsg->cmsg_level = IPPROTO_IP;
		cmsg->cmsg_type = IP_PKTINFO;
		cmsg->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(cmsg), &info, sizeof info);
	}
	if (io->sockets[interface].socket.fd >= 0 &&
	    sendmsg(io->sockets[interface].socket.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		io->sent++;
		return;
	}
	io->send_errors++;
	if (io->sockets[interface].socket.fd < 0)
		log_paced(io, "cannot send advertisements", interface, ENODEV);
	else if (errno != ENETDOWN)
		log_paced(io, "cannot send advertisements", interface, errno);
}

/* The guardian has a duplicate: close alone would leave it in epoll. */
static void
close_socket(struct vrrp_io_socket *s)
{
	int fd = loop_remove(s->io->loop, &s->socket);

	if (fd >= 0)
		close(fd);
}

int
vrrp_io_add(struct vrrp_io *io, uint32_t interface, int fd)
{
	struct vrrp_io_socket *s = &io->sockets[interface];
	int r;

	close_socket(s);
	s->socket.fd = fd;
	r = loop_add(io->loop, &s->socket, EPOLLIN);
	if (r < 0)
		s->socket.fd = -1;
	return r;
}

int
vrrp_io_init(struct vrrp_io *io, struct loop *loop, const struct conf *conf, struct vrrp *vrrp)
{
	*io = (struct vrrp_io){ .loop = loop, .conf = conf, .vrrp = vrrp };
	io->sockets = calloc(conf->interfaces_n + 1, sizeof *io->sockets);
	if (!io->sockets)
		return -ENOMEM;
	for (size_t i = 0; i < conf->interfaces_n; i++)
		io->sockets[i] = (struct vrrp_io_socket){
			.socket = { .fd = -1, .ready = on_readable },
			.io = io,
			.interface = (uint32_t)i,
		};
	return 0;
}

void
vrrp_io_fini(struct vrrp_io *io)
{
	if (!io->sockets)
		return;
	for (size_t i = 0; i < io->conf->interfaces_n; i++)
		close_socket(&io->sockets[i]);
	free(io->sockets);
	io->sockets = NULL;
}
