/*
 * listeners.c - see listeners.h.  Runs on the guardian's loop; at its start, before anything else is
 * under way, it may wait a moment for ports that a predecessor is just letting go.
 *
 * Each address is bound twice: first a probe without SO_REUSEPORT, so that a port another program
 * owns is an error and not silently shared with it, then the real sockets.  All probes come before
 * all real sockets, or the file's own binds would get in each other's way.
 */
#include "daemon/listeners.h"

#include "common/clock.h"
#include "common/log.h"
#include "conf/match.h"
#include "daemon/estate.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PREDECESSOR_MS  1500 /* how long a port in use is tried again */
#define PREDECESSOR_NAP (20 * NS_PER_MS)
#define BACKLOG_DEFAULT 4096 /* the kernel lowers it to net.core.somaxconn */
#define BACKLOG_LEAST   128
#define FASTOPEN_QUEUE  256 /* fast open requests that may wait */

static int
set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

/* ---- addresses ---- */

static int
set_options(int fd, const struct conf_bind *bind_conf, bool share)
{
	bool v6 = bind_conf->address.any.sa_family == AF_INET6;
	const char *interface = bind_conf->interface;
	int r = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);

	if (r == 0 && share)
		r = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	/* A backup listens on the VIP before it has it. */
	if (r == 0)
		r = v6 ? set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1)
		       : set(fd, IPPROTO_IP, IP_FREEBIND, 1);
	if (r == 0 && v6 && (bind_conf->v6only || bind_conf->v4v6))
		r = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, bind_conf->v6only);
	/* Accepted sockets inherit it: one syscall less for each. */
	if (r == 0)
		r = set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (r == 0 && bind_conf->transparent)
		r = v6 ? set(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
		       : set(fd, IPPROTO_IP, IP_TRANSPARENT, 1);
	if (r == 0 && bind_conf->tcp_ut_ms)
		r = set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)bind_conf->tcp_ut_ms);
	if (r == 0 && bind_conf->mss)
		r = set(fd, IPPROTO_TCP, TCP_MAXSEG, (int)bind_conf->mss);
	if (r == 0 && bind_conf->tfo)
		r = set(fd, IPPROTO_TCP, TCP_FASTOPEN, FASTOPEN_QUEUE);
	if (r == 0 && bind_conf->defer_accept)
		r = set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
	if (r == 0 && interface &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
		       (socklen_t)strlen(interface) + 1) < 0)
		r = -errno;
	return r;
}

/* A bound socket, or -errno. */
static int
bind_address(const struct conf_bind *bind_conf, bool share)
{
	int fd, r;

	fd = socket(bind_conf->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	if (fd < 0)
		return -errno;
	r = set_options(fd, bind_conf, share);
	if (r == 0 && bind(fd, &bind_conf->address.any, bind_conf->address.len) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* Would the address be ours alone?  0 or -errno; waits until `until` for a predecessor to go. */
static int
probe_address(const struct conf_bind *bind_conf, struct mono until)
{
	const struct timespec nap = { .tv_nsec = PREDECESSOR_NAP };

	for (;;) {
		int fd = bind_address(bind_conf, false);

		if (fd >= 0) {
			close(fd);
			return 0;
		}
		if (fd != -EADDRINUSE || !mono_before(mono_now(), until))
			return fd;
		nanosleep(&nap, NULL);
	}
}

/* ---- unix sockets ---- */

static bool
is_unix(const struct conf_bind *bind_conf)
{
	return bind_conf->inherited_fd < 0 && bind_conf->address.any.sa_family == AF_UNIX;
}

static bool
has_path(const struct conf_bind *bind_conf)
{
	return is_unix(bind_conf) && bind_conf->address.un.sun_path[0] != '\0';
}

/* Removes the path of a socket that nobody serves any more; refuses anything else. */
static int
clear_path(const struct sock_addr *address)
{
	struct stat st;
	int fd, r;

	if (lstat(address->un.sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, &address->any, address->len) == 0 ? 0 : -errno;
	close(fd);
	if (r != -ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(address->un.sun_path) < 0 ? -errno : 0;
}

static int
bind_unix(const struct conf_bind *bind_conf)
{
	const char *path = bind_conf->address.un.sun_path;
	uid_t uid = bind_conf->uid < 0 ? (uid_t)-1 : (uid_t)bind_conf->uid;
	gid_t gid = bind_conf->gid < 0 ? (gid_t)-1 : (gid_t)bind_conf->gid;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int r;

	if (fd < 0)
		return -errno;
	/* Born with the wanted mode: nobody slips in before a chmod. */
	mask = umask(bind_conf->mode >= 0 ? ~(mode_t)bind_conf->mode & 0777 : 0);
	r = bind(fd, &bind_conf->address.any, bind_conf->address.len) < 0 ? -errno : 0;
	umask(mask);
	if (r == 0 && has_path(bind_conf) && (uid != (uid_t)-1 || gid != (gid_t)-1) &&
	    chown(path, uid, gid) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* ---- all of them ---- */

/* "cannot bind *:80 for frontend main (haproxy.cfg:12): Address already in use" */
static void
complain(const struct conf *conf, const struct conf_proxy *proxy, const struct conf_bind *bind_conf,
	 int error)
{
	const char *kind = (proxy->caps & CONF_CAP_BACK) ? "listen" : "frontend";

	log_error("cannot bind %s for %s %s (%s:%u): %s", bind_conf->text, kind, proxy->name,
		  conf->sources[bind_conf->pos.source].name, bind_conf->pos.line, strerror(-error));
}

static int
backlog_of(const struct conf *conf, const struct conf_proxy *proxy, const struct conf_bind *b)
{
	uint32_t backlog = b->backlog       ? b->backlog
			   : proxy->backlog ? proxy->backlog
			   : proxy->maxconn ? proxy->maxconn
			   : conf->maxconn  ? conf->maxconn
					    : BACKLOG_DEFAULT;

	if (b->backlog == 0 && proxy->backlog == 0 && backlog < BACKLOG_LEAST)
		backlog = BACKLOG_LEAST;
	return backlog < INT32_MAX ? (int)backlog : INT32_MAX;
}

static int
keep(struct listeners *l, uint32_t proxy, uint32_t bind_index, int fd)
{
	if (l->n == l->size) {
		size_t size = l->size ? l->size * 2 : 16;
		void *more = realloc(l->at, size * sizeof *l->at);

		if (!more) {
			close(fd);
			return -ENOMEM;
		}
		l->at = more;
		l->size = size;
	}
	l->at[l->n++] = (struct listener){ proxy, bind_index, fd };
	return 0;
}

/* The first descriptor of a bind: bound, not listening yet unless it was inherited so. */
static int
open_first(const struct conf_bind *bind_conf)
{
	int fd;

	if (bind_conf->inherited_fd >= 0) {
		fd = fcntl(bind_conf->inherited_fd, F_DUPFD_CLOEXEC, 0);
		if (fd >= 0 && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) {
			close(fd);
			return -errno;
		}
		return fd < 0 ? -errno : fd;
	}
	return is_unix(bind_conf) ? bind_unix(bind_conf) : bind_address(bind_conf, true);
}

static int
open_next(const struct conf_bind *bind_conf, int first)
{
	int fd;

	if (bind_conf->inherited_fd < 0 && !is_unix(bind_conf))
		return bind_address(bind_conf, true);
	fd = fcntl(first, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static int
open_bind(struct listeners *l, uint32_t p, uint32_t b, uint32_t threads)
{
	const struct conf_proxy *proxy = &l->conf->proxies[p];
	const struct conf_bind *bind_conf = &proxy->binds[b];
	int backlog = backlog_of(l->conf, proxy, bind_conf), first = -1;

	for (uint32_t t = 0; t < threads; t++) {
		int fd = t == 0 ? open_first(bind_conf) : open_next(bind_conf, first), r;

		if (fd < 0)
			return fd;
		r = keep(l, p, b, fd);
		if (r < 0)
			return r;
		if (t == 0)
			first = fd;
		if (listen(fd, backlog) < 0)
			return -errno;
	}
	return 0;
}

static const struct conf_bind *
bind_of(const struct listeners *listeners, const struct listener *l)
{
	return &listeners->conf->proxies[l->proxy].binds[l->bind];
}

/* The first socket of that address, of those beside each other; NULL = it has none. */
static const struct listener *
find_same(const struct listeners *listeners, const struct conf_bind *bind_conf)
{
	for (size_t i = 0; listeners && i < listeners->n; i++)
		if (conf_same_bind(bind_of(listeners, &listeners->at[i]), bind_conf))
			return &listeners->at[i];
	return NULL;
}

/* Would a socket of our own be in a probe's way: another address of the same port? */
static bool
is_overlapped(const struct listeners *listeners, const struct conf_bind *bind_conf)
{
	for (size_t i = 0; listeners && i < listeners->n; i++) {
		const struct conf_bind *own = bind_of(listeners, &listeners->at[i]);

		if (own->inherited_fd < 0 && !is_unix(own) &&
		    sock_addr_port(&own->address) == sock_addr_port(&bind_conf->address))
			return true;
	}
	return false;
}

static int
adopt_bind(struct listeners *l, uint32_t p, uint32_t b, const struct listeners *from,
	   const struct listener *same)
{
	const struct conf_proxy *proxy = &l->conf->proxies[p];
	int backlog = backlog_of(l->conf, proxy, &proxy->binds[b]);
	uint32_t from_proxy = same->proxy, from_bind = same->bind;

	for (; same < from->at + from->n && same->proxy == from_proxy && same->bind == from_bind;
	     same++) {
		int fd = fcntl(same->fd, F_DUPFD_CLOEXEC, 0), r;

		if (fd < 0)
			return -errno;
		r = keep(l, p, b, fd);
		if (r < 0)
			return r;
		if (listen(fd, backlog) < 0) /* only its length is new */
			return -errno;
	}
	return 0;
}

static int
probe_bind(const struct conf_bind *bind_conf, const struct listeners *from, struct mono until)
{
	if (find_same(from, bind_conf))
		return 0;
	/* What the number means now is the guardian's own affair. */
	if (bind_conf->inherited_fd >= 0 && from)
		return -EBADF;
	if (bind_conf->inherited_fd >= 0)
		return fcntl(bind_conf->inherited_fd, F_GETFD) < 0 ? -errno : 0;
	if (has_path(bind_conf))
		return clear_path(&bind_conf->address);
	if (is_unix(bind_conf) || is_overlapped(from, bind_conf))
		return 0;
	return probe_address(bind_conf, until);
}

int
listeners_init(struct listeners *listeners, const struct conf *conf, uint32_t threads,
	       const struct listeners *from)
{
	struct mono until = mono_add_ms(mono_now(), from ? 0 : PREDECESSOR_MS);
	int result = 0;

	*listeners = (struct listeners){ .conf = conf };
	/* First every probe, then every socket: pass 0 and 1. */
	for (int pass = 0; pass < 2 && result == 0; pass++)
		for (uint32_t p = 0; p < conf->proxies_n; p++) {
			const struct conf_proxy *proxy = &conf->proxies[p];

			for (uint32_t b = 0; b < proxy->binds_n && !proxy->disabled; b++) {
				const struct listener *same = find_same(from, &proxy->binds[b]);
				int r = pass == 0 ? probe_bind(&proxy->binds[b], from, until)
					: same    ? adopt_bind(listeners, p, b, from, same)
						  : open_bind(listeners, p, b, threads);

				if (r < 0) {
					complain(conf, proxy, &proxy->binds[b], r);
					result = r;
				}
			}
		}
	return result;
}

void
listeners_fini(struct listeners *listeners, const struct listeners *other)
{
	for (size_t i = 0; i < listeners->n; i++) {
		const struct listener *l = &listeners->at[i];
		const struct conf_bind *b = bind_of(listeners, l);

		close(l->fd);
		if (has_path(b) && !find_same(other, b))
			unlink(b->address.un.sun_path);
	}
	free(listeners->at);
	*listeners = (struct listeners){ 0 };
}

static bool
is_bind(const struct conf *conf, const struct listener *l)
{
	return l->proxy < conf->proxies_n && l->bind < conf->proxies[l->proxy].binds_n;
}

void
listeners_estate(struct listeners *listeners, const struct conf *conf, struct estate *e)
{
	uint32_t n = (uint32_t)listeners->n;

	estate_section(e, "listeners");
	estate_u32(e, &n, ESTATE_FD_MAX);
	if (!e->writing)
		*listeners = (struct listeners){ .conf = conf };
	for (uint32_t i = 0; i < n && !estate_failed(e); i++) {
		struct listener l = e->writing ? listeners->at[i] : (struct listener){ .fd = -1 };

		estate_u32(e, &l.proxy, UINT32_MAX);
		estate_u32(e, &l.bind, UINT32_MAX);
		estate_fd(e, &l.fd);
		if (e->writing)
			continue;
		if (l.fd < 0 || !is_bind(conf, &l))
			estate_fail(e, "it has a socket of no bind");
		else if (keep(listeners, l.proxy, l.bind, l.fd) < 0)
			estate_fail(e, "out of memory");
	}
}
