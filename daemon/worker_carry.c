/*
 * worker_carry.c - the worker's share in a reload: standing still, writing down what it knows, and
 * going on from what another has written down.  VRRP thread.
 *
 * From FREEZE on nothing is sent, received or answered here: advertisements and questions wait in
 * sockets that the next worker has, too.  Either THAW follows, and everything goes on as if nothing
 * had been, or RETIRE: then the proxy's sessions are all that is left, and the process ends with
 * the last of them.  Or the guardian dies: then nobody may know who has the token, and it thaws to
 * resign.  If the next worker has it, both do, and that harms nobody.
 */
#include "daemon/worker_state.h"

#include "common/list.h"
#include "common/log.h"
#include "conf/match.h"
#include "daemon/carry.h"
#include "daemon/memfd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define REMAINING_MS 1000
#define SHUT_LOOK_MS 10 /* threads are about to close their doors */

/* ------------------------------------------------------------------ writing */

static const char *
server_name(const struct conf_proxy *proxy, const struct conf_server *server, char *name,
	    size_t size)
{
	snprintf(name, size, "%s/%s", proxy->name, server->name);
	return name;
}

static void
save_vrrp(const struct worker *w, struct carry *carry)
{
	unsigned char saved[VRRP_SAVED_MAX];

	for (uint32_t i = 0; i < w->conf->scripts_n; i++)
		carry_add(carry, CARRY_SCRIPT, w->conf->scripts[i].name, saved,
			  vrrp_save_script(w->vrrp, i, saved));
	for (uint32_t i = 0; i < w->conf->instances_n; i++)
		carry_add(carry, CARRY_INSTANCE, w->conf->instances[i].name, saved,
			  vrrp_save(w->vrrp, i, saved));
}

static void
save_proxy(const struct worker *w, struct carry *carry)
{
	unsigned char saved[PROXY_SAVED_MAX];
	char name[1024];

	for (uint32_t i = 0; w->proxy && i < w->conf->proxies_n; i++) {
		const struct conf_proxy *px = &w->conf->proxies[i];
		size_t servers_n = px->caps & CONF_CAP_BACK ? px->servers_n : 0;

		for (uint32_t k = 0; k < servers_n; k++)
			carry_add(carry, CARRY_SERVER,
				  server_name(px, &px->servers[k], name, sizeof name), saved,
				  proxy_save_server(w->proxy, i, k, saved));
		carry_add(carry, CARRY_PROXY, px->name, saved, proxy_save(w->proxy, i, saved));
	}
}

/* 0 or -errno. */
static int
save(const struct worker *w, int fd)
{
	const struct carry_worker self = { w->started };
	struct carry carry;
	int r;

	carry_init(&carry, carry_layout());
	carry_add(&carry, CARRY_WORKER, "", &self, sizeof self);
	save_vrrp(w, &carry);
	save_proxy(w, &carry);
	r = carry_write(&carry, fd);
	carry_fini(&carry);
	return r;
}

/* ------------------------------------------------------------------ reading */

/* Names come in the order of the former file, mostly that of the new one: the search begins behind
 * the last hit. */
struct cursor {
	uint32_t proxy, server;
};

static uint32_t
find_proxy(const struct conf *conf, uint32_t from, const char *name, size_t len)
{
	for (uint32_t i = 0; i < conf->proxies_n; i++) {
		uint32_t at = (from + i) % (uint32_t)conf->proxies_n;

		if (strncmp(conf->proxies[at].name, name, len) == 0 &&
		    conf->proxies[at].name[len] == '\0')
			return at;
	}
	return CONF_NONE;
}

static void
take_server(struct worker *w, struct cursor *at, const struct carry_record *r)
{
	const char *slash = strchr(r->name, '/');
	const struct conf_proxy *px;
	uint32_t found;

	if (!slash)
		return;
	found = find_proxy(w->conf, at->proxy, r->name, (size_t)(slash - r->name));
	if (found == CONF_NONE)
		return;
	px = &w->conf->proxies[found];
	if (found != at->proxy)
		at->server = 0;
	at->proxy = found;
	for (uint32_t i = 0; (px->caps & CONF_CAP_BACK) && i < px->servers_n; i++) {
		uint32_t k = (at->server + i) % (uint32_t)px->servers_n;

		if (strcmp(px->servers[k].name, slash + 1) != 0)
			continue;
		at->server = k + 1;
		proxy_restore_server(w->proxy, found, k, r->data, r->len);
		return;
	}
}

static void
take_script(struct worker *w, const struct carry_record *r)
{
	for (uint32_t i = 0; i < w->conf->scripts_n; i++)
		if (w->conf->scripts[i].replaced && strcmp(w->conf->scripts[i].name, r->name) == 0)
			vrrp_restore_script(w->vrrp, i, r->data, r->len);
}

/* False: an instance whose addresses the guardian may hold is not known. */
static bool
take(struct worker *w, struct cursor *at, const struct carry_record *r)
{
	struct carry_worker self;
	uint32_t found;

	switch (r->kind) {
	case CARRY_WORKER:
		if (r->len == sizeof self) {
			memcpy(&self, r->data, sizeof self);
			w->started = self.started;
		}
		break;
	case CARRY_SCRIPT:
		take_script(w, r);
		break;
	case CARRY_INSTANCE:
		found = conf_find_instance(w->conf, r->name);
		return found == CONF_NONE || vrrp_restore(w->vrrp, found, r->data, r->len);
	case CARRY_SERVER:
		if (w->proxy)
			take_server(w, at, r);
		break;
	case CARRY_PROXY:
		found = find_proxy(w->conf, at->proxy, r->name, strlen(r->name));
		if (w->proxy && found != CONF_NONE)
			proxy_restore(w->proxy, found, r->data, r->len);
		break;
	case CARRY_N:
		break;
	}
	return true;
}

int
worker_adopt(struct worker *w, int fd)
{
	struct cursor at = { 0 };
	struct carry_record record;
	struct stat st;
	size_t len, place = 0;
	void *block;
	int r;

	if (fstat(fd, &st) < 0 || st.st_size > CARRY_MAX)
		return -EBADMSG;
	block = memfd_read(fd, &len);
	if (!block)
		return -ENOMEM;
	while ((r = carry_next(block, len, carry_layout(), &place, &record)) > 0)
		if (!take(w, &at, &record)) {
			r = -EBADMSG;
			break;
		}
	free(block);
	return r;
}

/* ------------------------------------------------------------------ standing still, and the end */

const char *
worker_freeze(struct worker *w, int fd)
{
	struct req_frozen answer = { w->generation, 0 };

	if (w->phase != WORKER_RUNNING)
		return "nothing to freeze";
	w->phase = WORKER_FROZEN;
	vrrp_io_end(&w->io);
	control_freeze(&w->control);
	vrrp_freeze(w->vrrp);
	answer.error = save(w, fd);
	worker_frozen(w, &answer);
	return NULL;
}

const char *
worker_thaw(struct worker *w)
{
	int r;

	if (w->phase != WORKER_FROZEN)
		return "not frozen";
	w->phase = WORKER_RUNNING;
	r = vrrp_io_begin(&w->io);
	if (r == 0)
		r = control_thaw(&w->control);
	if (r < 0)
		log_error("cannot listen again: %s", strerror(-r));
	vrrp_thaw(w->vrrp, w->loop.now);
	return NULL;
}

/* Tells how much is left; the loop ends with the last session. */
static void
on_remaining(struct timer *t, struct mono now)
{
	struct worker *w = CONTAINER_OF(t, struct worker, remaining);
	uint32_t sessions = w->proxy ? proxy_sessions(w->proxy) : 0;

	if (w->hard_stop.ns && !mono_before(now, w->hard_stop)) {
		log_notice("ending %u session%s: hard-stop-after", sessions,
			   sessions == 1 ? "" : "s");
		w->loop.stop = true;
		return;
	}
	if (!w->proxy || proxy_drained(w->proxy)) {
		w->loop.stop = true;
		return;
	}
	if (sessions > 0)
		worker_remain(w, sessions);
	timer_arm(&w->loop.timers, t, mono_add_ms(now, sessions ? REMAINING_MS : SHUT_LOOK_MS));
}

const char *
worker_retire(struct worker *w)
{
	struct mono now = w->loop.now;

	if (w->phase != WORKER_FROZEN && w->phase != WORKER_READY)
		return "not frozen";
	w->phase = WORKER_RETIRED;
	timer_disarm(&w->loop.timers, &w->health_look);
	control_close(&w->control);
	vrrp_io_fini(&w->io);
	if (w->proxy)
		proxy_close(w->proxy);
	if (w->conf->hard_stop_after_ms)
		w->hard_stop = mono_add_ms(now, w->conf->hard_stop_after_ms);
	w->remaining.fire = on_remaining;
	timer_arm(&w->loop.timers, &w->remaining, now);
	return NULL;
}
