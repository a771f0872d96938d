/*
 * paths.c - see paths.h.  Runs on the guardian's loop.
 */
#include "daemon/paths.h"

#include "common/list.h"
#include "common/log.h"
#include "daemon/estate.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK 12
#endif
#define EVENTS_TURN_MAX 4096 /* datagrams looked at in one turn */

/* ---- writing ---- */

enum purpose { PUT, PUT_BACK, TAKE };

struct writing {
	struct path_keeper *keeper;
	const struct path_group *group;
	enum purpose purpose;
	struct netlink_batch batch;
	const struct conf_pos *of[NETLINK_BATCH_MAX]; /* what each message is about */
	bool is_rule[NETLINK_BATCH_MAX];
	uint32_t added, failed;
};

static bool
is_failure(enum purpose purpose, int error)
{
	if (purpose == TAKE)
		return error < 0 && error != -ESRCH && error != -ENOENT && error != -ENODEV;
	return error < 0 && error != -EEXIST;
}

static void
note_failure(struct writing *w, size_t i, int error)
{
	w->failed++;
	if (w->group->failing && w->purpose != TAKE)
		return;
	log_error("(%s) cannot %s the %s of line %u: %s", w->group->name,
		  w->purpose == TAKE ? "remove" : "add", w->is_rule[i] ? "rule" : "route",
		  w->of[i]->line, strerror(-error));
}

static void
flush(struct writing *w)
{
	int errors[NETLINK_BATCH_MAX];
	size_t n = w->batch.n;

	netlink_batch_send(&w->batch, errors);
	for (size_t i = 0; i < n; i++) {
		if (is_failure(w->purpose, errors[i]))
			note_failure(w, i, errors[i]);
		else
			w->added += errors[i] == 0;
	}
}

/* Where the next message goes; what fills the batch goes first. */
static void *
room(struct writing *w, const struct conf_pos *pos, bool is_rule)
{
	if (!netlink_batch_room(&w->batch, NETLINK_PATH_SIZE))
		flush(w);
	w->of[w->batch.n] = pos;
	w->is_rule[w->batch.n] = is_rule;
	return netlink_batch_room(&w->batch, NETLINK_PATH_SIZE);
}

/* The interfaces of the hops; false if one is not there now. */
static bool
find_interfaces(const struct netwatch *watch, const struct conf_route *route, uint32_t *ifindexes)
{
	for (size_t i = 0; i < route->hops_n; i++) {
		const struct conf_hop *hop = &route->hops[i];
		const struct netwatch_link *link =
			hop->interface == CONF_NONE ? NULL : netwatch_link(watch, hop->interface);

		if (link && !link->present)
			return false;
		ifindexes[i] = link ? link->ifindex : 0;
	}
	return true;
}

static void
write_route(struct writing *w, const struct conf_route *route)
{
	uint32_t ifindexes[CONF_HOPS_MAX] = { 0 };
	uint32_t lease_s = route->no_track ? 0 : w->group->lease_s;
	void *buffer = room(w, &route->pos, false);

	/* With its interface a route has gone; it returns with it. */
	if (!find_interfaces(w->keeper->watch, route, ifindexes))
		return;
	netlink_batch_add(&w->batch,
			  netlink_encode_route(buffer,
					       w->purpose == TAKE ? NETLINK_REMOVE : NETLINK_CREATE,
					       route, ifindexes, lease_s));
}

static void
write_rule(struct writing *w, const struct conf_rule *rule)
{
	void *buffer = room(w, &rule->pos, true);

	netlink_batch_add(&w->batch,
			  netlink_encode_rule(buffer,
					      w->purpose == TAKE ? NETLINK_REMOVE : NETLINK_CREATE,
					      rule));
}

/* How many were added, and how many could not be. */
static void
write_group(struct path_keeper *keeper, struct path_group *group, enum purpose purpose,
	    uint32_t *added, uint32_t *failed)
{
	const struct conf_paths *paths = group->paths;
	struct writing w = { .keeper = keeper, .group = group, .purpose = purpose };

	netlink_batch_init(&w.batch, &keeper->writer);
	/* A rule may point at a table that the routes fill. */
	for (size_t i = 0; i < paths->routes_n; i++)
		if (purpose != PUT_BACK || !paths->routes[i].no_track)
			write_route(&w, &paths->routes[i]);
	for (size_t i = 0; i < paths->rules_n; i++)
		if (purpose != PUT_BACK || !paths->rules[i].no_track)
			write_rule(&w, &paths->rules[i]);
	flush(&w);
	*added = w.added;
	*failed = w.failed;
}

static bool
is_empty(const struct path_group *group)
{
	return group->paths->routes_n + group->paths->rules_n == 0;
}

/* Adds what is not there.  The first time that is everything; later somebody else removed it. */
static void
put(struct path_keeper *keeper, struct path_group *group)
{
	enum purpose purpose = group->held ? PUT_BACK : PUT;
	bool was_failing = group->failing;
	uint32_t added, failed;

	write_group(keeper, group, purpose, &added, &failed);
	group->failing = failed > 0;
	group->lost = false;
	if (purpose == PUT_BACK && added > 0 && !was_failing)
		log_warning("(%s) %u of its routes and rules had been removed by someone else: "
			    "put back",
			    group->name, added);
	group->held = true;
}

static void
take(struct path_keeper *keeper, struct path_group *group)
{
	uint32_t removed, failed;

	if (!group->held)
		return;
	group->held = group->lost = group->failing = false;
	write_group(keeper, group, TAKE, &removed, &failed);
}

void
paths_put(struct path_keeper *keeper, uint32_t instance)
{
	if (!is_empty(&keeper->groups[instance]))
		put(keeper, &keeper->groups[instance]);
}

void
paths_take(struct path_keeper *keeper, uint32_t instance)
{
	if (!is_empty(&keeper->groups[instance]))
		take(keeper, &keeper->groups[instance]);
}

/* ---- what a predecessor left ---- */

static void
remove_found(struct netlink_batch *batch, const struct nlmsghdr *found, unsigned *n)
{
	int errors[NETLINK_BATCH_MAX];
	struct nlmsghdr *nlh;

	if (!netlink_batch_room(batch, NETLINK_PATH_SIZE))
		netlink_batch_send(batch, errors);
	nlh = netlink_encode_removal(netlink_batch_room(batch, NETLINK_PATH_SIZE),
				     NETLINK_PATH_SIZE, found);
	if (!nlh)
		return;
	netlink_batch_add(batch, nlh);
	(*n)++;
}

/* Reads what there is and removes what is ours.  The kernel makes the answers while they are read:
 * nothing waits.  0 or -errno. */
static int
sweep(struct mnl_socket *socket, struct netlink_writer *writer, uint16_t type, uint8_t family,
      unsigned *n)
{
	_Alignas(struct nlmsghdr) char buffer[32768];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);
	struct netlink_batch batch;
	int errors[NETLINK_BATCH_MAX];

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	rtm->rtm_family = family;
	if (type == RTM_GETROUTE)
		rtm->rtm_protocol = NETLINK_PROTO; /* newer kernels answer with these only */
	if (mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	netlink_batch_init(&batch, writer);
	for (;;) {
		ssize_t got = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
		int left = (int)got;

		if (got < 0)
			return -errno;
		for (nlh = (void *)buffer; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR) {
				netlink_batch_send(&batch, errors);
				return 0;
			}
			remove_found(&batch, nlh, n);
		}
	}
}

void
paths_sweep(void)
{
	static const struct {
		uint16_t type;
		uint8_t family;
	} kinds[] = { { RTM_GETRULE, AF_INET },
		      { RTM_GETRULE, AF_INET6 },
		      { RTM_GETROUTE, AF_INET },
		      { RTM_GETROUTE, AF_INET6 } };
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct netlink_writer writer = { 0 };
	unsigned n = 0;
	int one = 1, r = socket ? netlink_writer_init(&writer) : -errno;

	if (r == 0 && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		r = -errno;
	if (r == 0)
		mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &one, sizeof one);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && r == 0; i++)
		r = sweep(socket, &writer, kinds[i].type, kinds[i].family, &n);
	netlink_writer_fini(&writer);
	if (socket)
		mnl_socket_close(socket);
	if (r < 0)
		log_warning("cannot look for routes and rules that were left here: %s",
			    strerror(-r));
	if (n > 0)
		log_notice("removed %u routes and rules that a predecessor left", n);
}

/* ---- events ---- */

void
paths_suspect(struct path_keeper *keeper)
{
	for (size_t i = 0; i < keeper->groups_n; i++)
		keeper->groups[i].lost = keeper->groups[i].held;
}

static bool
tells_of_loss(const void *buffer, int len)
{
	bool lost = false;

	for (const struct nlmsghdr *nlh = buffer; mnl_nlmsg_ok(nlh, len);
	     nlh = mnl_nlmsg_next(nlh, &len))
		lost |= netlink_path_lost(nlh);
	return lost;
}

static void
on_ready(struct loop_fd *lf, uint32_t events)
{
	struct path_keeper *keeper = CONTAINER_OF(lf, struct path_keeper, ready);
	_Alignas(struct nlmsghdr) char buffer[32768];
	bool lost = false;

	for (unsigned i = 0; i < EVENTS_TURN_MAX; i++) {
		ssize_t got = mnl_socket_recvfrom(keeper->events, buffer, sizeof buffer);

		if (got < 0 && errno == EAGAIN)
			break;
		/* An overrun, above all: what was lost is unknown. */
		lost |= got < 0 || tells_of_loss(buffer, (int)got);
	}
	if (lost)
		paths_suspect(keeper);
}

void
paths_restore(struct path_keeper *keeper, bool (*may)(void *ctx, uint32_t instance), void *ctx,
	      struct mono now)
{
	if (keeper->restored.ns && mono_since_ms(now, keeper->restored) < PATHS_RESTORE_PAUSE_MS)
		return;
	for (size_t i = 0; i < keeper->groups_n; i++) {
		struct path_group *group = &keeper->groups[i];

		if (!group->lost || is_empty(group))
			continue;
		if (i + 1 < keeper->groups_n && !may(ctx, (uint32_t)i))
			continue;
		keeper->restored = now;
		put(keeper, group);
	}
}

static int
subscribe(struct path_keeper *keeper)
{
	static const int kinds[] = { RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,
				     RTNLGRP_IPV6_RULE };

	keeper->events = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!keeper->events || mnl_socket_bind(keeper->events, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (mnl_socket_setsockopt(keeper->events, NETLINK_ADD_MEMBERSHIP, (void *)&kinds[i],
					  sizeof kinds[i]) < 0)
			return -errno;
	keeper->ready.fd = mnl_socket_get_fd(keeper->events);
	keeper->ready.ready = on_ready;
	return loop_add(keeper->loop, &keeper->ready, EPOLLIN);
}

/* ---- life ---- */

static int
make_groups(struct path_keeper *keeper, const struct conf *conf)
{
	keeper->groups = calloc(conf->instances_n + 1, sizeof *keeper->groups);
	if (!keeper->groups)
		return -ENOMEM;
	keeper->groups_n = conf->instances_n + 1;
	for (size_t i = 0; i <= conf->instances_n; i++) {
		bool stays = i == conf->instances_n;
		const struct conf_instance *c = &conf->instances[i];
		struct path_group *group = &keeper->groups[i];

		group->paths = stays ? &conf->static_paths : &c->paths;
		group->name = stays ? "static" : c->name;
		group->lease_s = stays ? 0 : conf_lease_s(conf, c);
		keeper->paths_n += group->paths->routes_n + group->paths->rules_n;
	}
	return 0;
}

int
paths_init(struct path_keeper *keeper, struct loop *loop, const struct conf *conf,
	   const struct netwatch *watch)
{
	int r;

	*keeper = (struct path_keeper){ .watch = watch, .loop = loop, .ready = { .fd = -1 } };
	r = make_groups(keeper, conf);
	if (r == 0)
		r = netlink_writer_init(&keeper->writer);
	if (r < 0)
		return r;
	if (keeper->paths_n == 0)
		return 0;
	return subscribe(keeper);
}

static struct path_group *
static_group(struct path_keeper *keeper)
{
	return &keeper->groups[keeper->groups_n - 1];
}

void
paths_begin(struct path_keeper *keeper)
{
	if (!is_empty(static_group(keeper)))
		put(keeper, static_group(keeper));
}

/* ---- from one configuration to the next ---- */

static bool
same_message(const struct nlmsghdr *a, const struct nlmsghdr *b)
{
	return a->nlmsg_len == b->nlmsg_len && memcmp(a, b, a->nlmsg_len) == 0;
}

static bool
same_route(const struct path_keeper *keeper, const struct conf_route *a,
	   const struct path_keeper *from, const struct conf_route *b)
{
	_Alignas(struct nlmsghdr) char x[NETLINK_PATH_SIZE], y[NETLINK_PATH_SIZE];
	uint32_t hops_x[CONF_HOPS_MAX] = { 0 }, hops_y[CONF_HOPS_MAX] = { 0 };

	return a->no_track == b->no_track && find_interfaces(keeper->watch, a, hops_x) &&
	       find_interfaces(from->watch, b, hops_y) &&
	       same_message(netlink_encode_route(x, NETLINK_CREATE, a, hops_x, 0),
			    netlink_encode_route(y, NETLINK_CREATE, b, hops_y, 0));
}

static bool
same_rule(const struct conf_rule *a, const struct conf_rule *b)
{
	_Alignas(struct nlmsghdr) char x[NETLINK_PATH_SIZE], y[NETLINK_PATH_SIZE];

	return a->no_track == b->no_track &&
	       same_message(netlink_encode_rule(x, NETLINK_CREATE, a),
			    netlink_encode_rule(y, NETLINK_CREATE, b));
}

/* Would the kernel be told the same of both? */
static bool
same_group(const struct path_keeper *keeper, const struct path_group *group,
	   const struct path_keeper *from, const struct path_group *old)
{
	const struct conf_paths *a = group->paths, *b = old->paths;

	if (group->lease_s != old->lease_s || a->routes_n != b->routes_n ||
	    a->rules_n != b->rules_n)
		return false;
	for (size_t i = 0; i < a->routes_n; i++)
		if (!same_route(keeper, &a->routes[i], from, &b->routes[i]))
			return false;
	for (size_t i = 0; i < a->rules_n; i++)
		if (!same_rule(&a->rules[i], &b->rules[i]))
			return false;
	return true;
}

static void
adopt_group(struct path_keeper *keeper, struct path_group *group, struct path_keeper *from,
	    struct path_group *old)
{
	if (!old->held)
		return;
	if (same_group(keeper, group, from, old)) {
		group->held = true;
		group->lost = old->lost;
		group->failing = old->failing;
		old->held = false;
		return;
	}
	take(from, old);
	if (!is_empty(group))
		put(keeper, group);
}

void
paths_adopt(struct path_keeper *keeper, struct path_keeper *from,
	    uint32_t (*to)(void *ctx, uint32_t instance), void *ctx)
{
	for (size_t i = 0; i + 1 < from->groups_n; i++) {
		uint32_t instance = to(ctx, (uint32_t)i);

		if (instance != CONF_NONE)
			adopt_group(keeper, &keeper->groups[instance], from, &from->groups[i]);
	}
	adopt_group(keeper, static_group(keeper), from, static_group(from));
	if (!static_group(keeper)->held)
		paths_begin(keeper);
}

void
paths_fini(struct path_keeper *keeper)
{
	for (size_t i = 0; i < keeper->groups_n; i++)
		take(keeper, &keeper->groups[i]);
	if (keeper->loop)
		loop_remove(keeper->loop, &keeper->ready);
	if (keeper->events)
		mnl_socket_close(keeper->events);
	netlink_writer_fini(&keeper->writer);
	free(keeper->groups);
	*keeper = (struct path_keeper){ .ready = { .fd = -1 } };
}

void
paths_estate(struct path_keeper *keeper, const struct conf *conf, const struct netwatch *watch,
	     struct estate *e)
{
	estate_section(e, "routes");
	if (!e->writing) {
		*keeper = (struct path_keeper){ .watch = watch, .ready = { .fd = -1 } };
		if (make_groups(keeper, conf) < 0)
			estate_fail(e, "out of memory");
	}
	estate_expect(e, keeper->groups_n);
	for (size_t i = 0; i < keeper->groups_n; i++) {
		estate_bool(e, &keeper->groups[i].held);
		estate_bool(e, &keeper->groups[i].failing);
	}
}
