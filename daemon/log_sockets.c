/*
 * log_sockets.c - see log_sockets.h.  Runs on the guardian's loop.
 */
#include "daemon/log_sockets.h"

#include "common/log.h"
#include "daemon/estate.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_MS 1000

/* A path: an abstract name is reached from anywhere. */
static bool
is_path(const struct sock_addr *address)
{
	return address->len && address->any.sa_family == AF_UNIX && address->un.sun_path[0];
}

static void
add(struct sock_addr *list, size_t *n, const struct conf_log *logs, size_t logs_n)
{
	for (size_t i = 0; i < logs_n; i++) {
		bool known = logs[i].global || !is_path(&logs[i].address);

		for (size_t j = 1; j < *n && !known; j++)
			known = sock_addr_equal(&list[j], &logs[i].address);
		if (!known && *n < LOG_SOCKETS_MAX)
			list[(*n)++] = logs[i].address;
	}
}

size_t
log_sockets_list(const struct conf *conf, struct sock_addr list[LOG_SOCKETS_MAX])
{
	size_t n = 1;

	list[LOG_SOCKET_OWN] = (struct sock_addr){ 0 };
	add(list, &n, conf->logs, conf->logs_n);
	for (size_t i = 0; i < conf->proxies_n; i++)
		add(list, &n, conf->proxies[i].logs, conf->proxies[i].logs_n);
	return n;
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void
connect_again(struct log_socket_kept *kept)
{
	struct stat now;

	if (kept->fd < 0 || !is_path(&kept->address))
		return;
	if (stat(kept->address.un.sun_path, &now) < 0 || same(&now, &kept->peer))
		return;
	if (connect(kept->fd, &kept->address.any, kept->address.len) < 0)
		return;
	kept->peer = now;
}

void
log_sockets_init(struct log_sockets *sockets, const struct conf *conf, int own_fd,
		 const struct sock_addr *own)
{
	struct sock_addr list[LOG_SOCKETS_MAX];

	*sockets = (struct log_sockets){ .n = log_sockets_list(conf, list) };
	for (size_t i = 0; i < sockets->n; i++) {
		struct log_socket_kept *kept = &sockets->at[i];

		kept->address = list[i];
		kept->fd = i == LOG_SOCKET_OWN
				   ? -1
				   : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (i != LOG_SOCKET_OWN && kept->fd < 0)
			log_warning("socket for the log: %s", strerror(errno));
	}
	if (own_fd >= 0) {
		sockets->at[LOG_SOCKET_OWN].fd = own_fd;
		sockets->at[LOG_SOCKET_OWN].address = *own;
	}
	for (size_t i = 0; i < sockets->n; i++)
		connect_again(&sockets->at[i]);
}

void
log_sockets_fini(struct log_sockets *sockets)
{
	/* The first is log.c's. */
	for (size_t i = 1; i < sockets->n; i++)
		if (sockets->at[i].fd >= 0)
			close(sockets->at[i].fd);
	sockets->n = 0;
}

void
log_sockets_refresh(struct log_sockets *sockets, struct mono now)
{
	if (mono_since_ms(now, sockets->looked) < LOOK_MS)
		return;
	sockets->looked = now;
	for (size_t i = 0; i < sockets->n; i++)
		connect_again(&sockets->at[i]);
}

void
log_sockets_estate(struct log_sockets *sockets, const struct conf *conf, struct estate *e)
{
	struct sock_addr list[LOG_SOCKETS_MAX];

	estate_section(e, "log sockets");
	if (!e->writing) {
		*sockets = (struct log_sockets){ .n = log_sockets_list(conf, list) };
		sockets->at[LOG_SOCKET_OWN].fd = -1;
	}
	estate_expect(e, sockets->n);
	for (size_t i = 1; i < sockets->n; i++)
		estate_fd(e, &sockets->at[i].fd);
}

void
log_sockets_keep(struct log_sockets *sockets, struct log_sockets *from)
{
	for (size_t i = 1; i < sockets->n && i < from->n; i++) {
		int fd = sockets->at[i].fd;

		sockets->at[i].fd = from->at[i].fd;
		from->at[i].fd = fd;
		/* Whom it is connected to is not known. */
		sockets->at[i].peer = (struct stat){ 0 };
		connect_again(&sockets->at[i]);
	}
}
