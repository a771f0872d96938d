/*
 * worker_requests.c - the worker's end of the socket pair: what the guardian tells it, and what the
 * VRRP engine asks of the guardian.  VRRP thread.
 *
 * The guardian is trusted, but a message may be late: one of another generation, or for an index
 * this configuration does not have, is dropped, counted and logged, as on the other side.
 */
#include "daemon/worker_state.h"

#include "common/log.h"
#include "daemon/memfd.h"
#include "daemon/watcher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAPSE_MS 500 /* so much later than its time may the kernel drop an address */

enum sender { SENDER_WORKER, SENDER_GUARDIAN };

static const struct {
	const char *name;
	size_t len;
	enum sender sender;
} requests[REQUEST_N] = {
#define X(name, payload, sender) [REQUEST_##name] = { #name, sizeof(payload), SENDER_##sender },
	REQUEST_LIST(X)
#undef X
};

/* ------------------------------------------------------------------ to the guardian */

void
worker_send(struct worker *w, enum request request, const void *payload, size_t len)
{
	int r = ipc_send(&w->ipc, request, payload, len, NULL, 0);

	/* A guardian that is gone is handled where its end of the pair is seen to be closed. */
	if (r < 0 && r != -EPIPE)
		log_error("cannot send %s to the guardian: %s", requests[request].name,
			  strerror(-r));
}

void
worker_tell(struct worker *w, enum request request)
{
	const struct req_none none = { w->generation };

	worker_send(w, request, &none, sizeof none);
}

static void
tell_instance(struct worker *w, enum request request, uint32_t instance)
{
	const struct req_instance payload = { w->generation, instance };

	worker_send(w, request, &payload, sizeof payload);
}

void
worker_claim(void *ctx, uint32_t instance)
{
	tell_instance(ctx, REQUEST_CLAIM, instance);
}

void
worker_release(void *ctx, uint32_t instance)
{
	tell_instance(ctx, REQUEST_RELEASE, instance);
}

void
worker_announce(void *ctx, uint32_t instance)
{
	tell_instance(ctx, REQUEST_ANNOUNCE, instance);
}

void
worker_lodge_will(void *ctx, uint32_t instance, bool lodged)
{
	struct worker *w = ctx;
	const struct req_lodged payload = { w->generation, instance, lodged };

	worker_send(w, REQUEST_WILL, &payload, sizeof payload);
}

void
worker_notify(void *ctx, uint32_t instance, enum notify_event event, uint8_t priority)
{
	struct worker *w = ctx;
	const struct req_notify payload = { w->generation, instance, (uint16_t)event, priority };

	worker_send(w, REQUEST_NOTIFY, &payload, sizeof payload);
}

void
worker_notify_group(void *ctx, uint32_t group, enum notify_event event)
{
	struct worker *w = ctx;
	const struct req_notify payload = { w->generation, group, (uint16_t)event, 0 };

	worker_send(w, REQUEST_NOTIFY_GROUP, &payload, sizeof payload);
}

void
worker_frozen(struct worker *w, const struct req_frozen *answer)
{
	worker_send(w, REQUEST_FROZEN, answer, sizeof *answer);
}

void
worker_remain(struct worker *w, uint32_t sessions)
{
	const struct req_remaining payload = { w->generation, sessions };

	worker_send(w, REQUEST_REMAINING, &payload, sizeof payload);
}

/* ------------------------------------------------------------------ from the guardian */

/* The message's only descriptor becomes the caller's. */
static int
take_fd(struct ipc_message *m)
{
	int fd = m->fds[0];

	m->fds[0] = -1;
	return fd;
}

/* These handlers return NULL, or why the message is refused. */

static const char *
on_control(struct worker *w, struct ipc_message *m)
{
	if (m->fds_n != 1)
		return "one descriptor expected";
	if (w->phase != WORKER_COLLECTING || w->control_fd >= 0)
		return "there is a control socket already";
	w->control_fd = take_fd(m);
	return NULL;
}

static const char *
on_listener(struct worker *w, struct ipc_message *m)
{
	const struct ans_listener *a = (const void *)m->payload;
	struct proxy_listener *more;

	if (m->fds_n != 1)
		return "one descriptor expected";
	if (w->phase != WORKER_COLLECTING)
		return "start-up is over";
	if (a->proxy >= w->conf->proxies_n || a->bind >= w->conf->proxies[a->proxy].binds_n)
		return "no such bind";
	more = reallocarray(w->listeners, w->listeners_n + 1, sizeof *more);
	if (!more)
		return "out of memory";
	w->listeners = more;
	more[w->listeners_n++] = (struct proxy_listener){ a->proxy, a->bind, take_fd(m) };
	return NULL;
}

static const char *
on_tls_files(struct worker *w, struct ipc_message *m)
{
	void *block;
	size_t len;
	int fd;

	if (m->fds_n != 1)
		return "one descriptor expected";
	if (w->phase != WORKER_COLLECTING || w->tls_files)
		return "they were handed over already";
	fd = take_fd(m);
	block = memfd_read(fd, &len);
	close(fd);
	if (!block)
		return strerror(errno);
	w->tls_files = tls_files_unpack(block, len);
	tls_files_wipe(block, len);
	return w->tls_files ? NULL : "not a block of files";
}

static const char *
on_ledger(struct worker *w, struct ipc_message *m)
{
	int fd, r;

	if (m->fds_n != 1)
		return "one descriptor expected";
	if (w->phase != WORKER_COLLECTING || w->ledger.marks)
		return "it was handed over already";
	fd = take_fd(m);
	r = ledger_adopt(&w->ledger, w->conf, fd);
	close(fd);
	if (r < 0)
		return strerror(-r);
	vrrp_keep_marks(w->vrrp, w->ledger.marks);
	return NULL;
}

static const char *
on_log_socket(struct worker *w, struct ipc_message *m)
{
	const struct ans_log_socket *a = (const void *)m->payload;
	struct sock_addr list[LOG_SOCKETS_MAX];

	if (m->fds_n != 1)
		return "one descriptor expected";
	if (w->phase != WORKER_COLLECTING)
		return "start-up is over";
	if (a->index >= log_sockets_list(w->conf, list) || w->log_sockets_n == LOG_SOCKETS_MAX)
		return "no such log";
	if (a->index == LOG_SOCKET_OWN)
		log_adopt_socket(m->fds[0]);
	else
		w->log_sockets[w->log_sockets_n++] =
			(struct log_target_socket){ list[a->index], take_fd(m) };
	return NULL;
}

static const char *
on_journal(struct worker *w, struct ipc_message *m)
{
	int r;

	if (m->fds_n != 1)
		return "one descriptor expected";
	if (w->journal)
		return "there is a journal already";
	r = journal_adopt(m->fds[0], &w->journal);
	return r < 0 ? strerror(-r) : NULL;
}

static const char *
on_vrrp_socket(struct worker *w, struct ipc_message *m)
{
	const struct ans_vrrp_socket *a = (const void *)m->payload;
	int fd, r;

	if (m->fds_n != 1)
		return "one descriptor expected";
	if (a->interface >= w->conf->interfaces_n)
		return "no such interface";
	if (a->family != AF_INET && a->family != AF_INET6)
		return "no such family";
	fd = take_fd(m);
	r = vrrp_io_add(&w->io, a->interface, (uint8_t)a->family, fd);
	if (r < 0) {
		close(fd);
		return strerror(-r);
	}
	return NULL;
}

static const char *
on_link(struct worker *w, const struct ipc_message *m)
{
	const struct ans_link *a = (const void *)m->payload;
	struct vrrp_link link = {
		.present = a->present,
		.up = a->up,
		.primary = a->primary,
		.primary6 = a->primary6,
		.sources_lost = a->sources_lost,
		.mtu = a->mtu,
	};

	if (a->interface >= w->conf->interfaces_n)
		return "no such interface";
	memcpy(link.mac, a->mac, sizeof link.mac);
	vrrp_link(w->vrrp, a->interface, &link, w->loop.now);
	return NULL;
}

/* Every run is told, for the status; the engine hears of changes. */
static const char *
on_script_result(struct worker *w, const struct ipc_message *m)
{
	const struct ans_script *a = (const void *)m->payload;
	uint32_t before;

	if (a->script >= w->conf->scripts_n)
		return "no such script";
	if (a->state >= SCRIPT_STATE_N)
		return "no such state";
	before = w->scripts[a->script].state;
	w->scripts[a->script] = *a;
	if (a->state == before)
		return NULL;
	switch ((enum script_state)a->state) {
	case SCRIPT_STATE_OK:
	case SCRIPT_STATE_FAILED:
		vrrp_script_result(w->vrrp, a->script, a->state == SCRIPT_STATE_OK, w->loop.now);
		break;
	case SCRIPT_STATE_DISABLED:
		vrrp_script_disabled(w->vrrp, a->script, w->loop.now);
		break;
	case SCRIPT_STATE_UNKNOWN:
	case SCRIPT_STATE_N:
		break;
	}
	return NULL;
}

static void
end_if_failed(struct worker *w, int r)
{
	if (r == 0)
		return;
	log_error("cannot start: %s", strerror(-r));
	w->status = 1;
	w->loop.stop = true;
}

static const char *
on_watched(struct worker *w, const struct ipc_message *m)
{
	const struct ans_watched *a = (const void *)m->payload;

	if (a->kind == WATCH_KIND_FILE && a->index < w->conf->track_files_n) {
		vrrp_file_value(w->vrrp, a->index, a->value, w->loop.now);
		return NULL;
	}
	if (a->kind != WATCH_KIND_PROCESS || a->index >= w->conf->track_processes_n || a->value < 0)
		return "no such file or process";
	w->process_events = a->events;
	vrrp_process_count(w->vrrp, a->index, (uint32_t)a->value, w->loop.now);
	return NULL;
}

static const char *
on_start(struct worker *w)
{
	if (w->phase != WORKER_COLLECTING)
		return "started already";
	if (!w->journal)
		return "there is no journal";
	end_if_failed(w, worker_prepare(w));
	return NULL;
}

static const char *
on_token(struct worker *w, const struct ipc_message *m)
{
	if (w->phase != WORKER_READY)
		return "not ready for it";
	if (m->fds_n > 1)
		return "one descriptor at most expected";
	end_if_failed(w, worker_begin(w, m->fds_n ? m->fds[0] : -1));
	return NULL;
}

static const char *
on_resign(struct worker *w, const struct ipc_message *m)
{
	static const enum vrrp_yield yields[RESIGN_N] = {
		[RESIGN_YIELD] = VRRP_YIELD_RESIGNED,
		[RESIGN_PROBATION] = VRRP_YIELD_PROBATION,
	};
	const struct ans_resign *a = (const void *)m->payload;

	if (a->instance >= w->conf->instances_n)
		return "no such instance";
	if (a->how >= RESIGN_N)
		return "no such way to resign";
	vrrp_leave(w->vrrp, a->instance, a->how == RESIGN_LEAVE, w->loop.now);
	if (a->how != RESIGN_LEAVE)
		vrrp_yield(w->vrrp, a->instance, yields[a->how], w->loop.now);
	return NULL;
}

static const char *
on_freeze(struct worker *w, const struct ipc_message *m)
{
	return m->fds_n == 1 ? worker_freeze(w, m->fds[0]) : "one descriptor expected";
}

/* One for each of them, and the latest word counts. */
static const char *
on_retired(struct worker *w, const struct ipc_message *m)
{
	const struct ans_retired *a = (const void *)m->payload;
	struct ans_retired *more;
	size_t i = 0;

	while (i < w->retired_n && w->retired[i].former != a->former)
		i++;
	if (a->sessions == 0) {
		if (i < w->retired_n)
			w->retired[i] = w->retired[--w->retired_n];
		return NULL;
	}
	if (i == w->retired_n) {
		more = reallocarray(w->retired, i + 1, sizeof *more);
		if (!more)
			return "out of memory";
		w->retired = more;
		w->retired_n++;
	}
	w->retired[i] = *a;
	return NULL;
}

static const char *
on_answer(struct worker *w, enum request request, const struct ipc_message *m)
{
	const struct ans_instance *a = (const void *)m->payload;

	if (a->instance >= w->conf->instances_n)
		return "no such instance";
	if (a->error)
		log_warning("(%s) %s: %s", w->conf->instances[a->instance].name,
			    request == REQUEST_CLAIMED   ? "cannot add the VIPs"
			    : request == REQUEST_RENEWED ? "cannot renew the VIPs"
							 : "cannot change the VIPs",
			    strerror(-a->error));
	if (request == REQUEST_CLAIMED)
		vrrp_claimed(w->vrrp, a->instance, a->error, w->loop.now);
	else if (request == REQUEST_RELEASED)
		vrrp_released(w->vrrp, a->instance, w->loop.now);
	else if (request == REQUEST_RENEWED && a->error == 0)
		vrrp_renewed(w->vrrp, a->instance, a->at);
	else if (request == REQUEST_RESTORED && a->error == 0)
		vrrp_restored(w->vrrp, a->instance, a->vips_n, w->loop.now);
	return NULL;
}

static const char *
on_ask_confirm(struct worker *w, const struct ipc_message *m)
{
	const struct req_instance *q = (const void *)m->payload;
	struct req_confirm answer = { w->generation, q->instance, 0 };

	if (q->instance >= w->conf->instances_n)
		return "no such instance";
	if (w->phase == WORKER_FROZEN) /* asked again when it is over */
		return NULL;
	/* What a peer said meanwhile counts: its advertisements first, then the answer. */
	vrrp_io_drain(&w->io);
	answer.master = vrrp_confirm(w->vrrp, q->instance, w->loop.now);
	worker_send(w, REQUEST_CONFIRM, &answer, sizeof answer);
	return NULL;
}

static const char *
dispatch(struct worker *w, enum request request, struct ipc_message *m)
{
	switch (request) {
	case REQUEST_CONTROL:
		return on_control(w, m);
	case REQUEST_LISTENER:
		return on_listener(w, m);
	case REQUEST_TLS_FILES:
		return on_tls_files(w, m);
	case REQUEST_LEDGER:
		return on_ledger(w, m);
	case REQUEST_LOG_SOCKET:
		return on_log_socket(w, m);
	case REQUEST_JOURNAL:
		return on_journal(w, m);
	case REQUEST_VRRP_SOCKET:
		return on_vrrp_socket(w, m);
	case REQUEST_LINK:
		return on_link(w, m);
	case REQUEST_SCRIPT_RESULT:
		return on_script_result(w, m);
	case REQUEST_WATCHED:
		return on_watched(w, m);
	case REQUEST_EXTERNAL_DONE:
		return worker_on_external_done(w, m);
	case REQUEST_FOREIGN_SOCKETS:
		return worker_on_foreign_sockets(w, m);
	case REQUEST_START:
		return on_start(w);
	case REQUEST_TOKEN:
		return on_token(w, m);
	case REQUEST_RESIGN:
		return on_resign(w, m);
	case REQUEST_FREEZE:
		return on_freeze(w, m);
	case REQUEST_THAW:
		return worker_thaw(w);
	case REQUEST_RETIRE:
		return worker_retire(w);
	case REQUEST_RETIRED:
		return on_retired(w, m);
	case REQUEST_CLAIMED:
	case REQUEST_RELEASED:
	case REQUEST_RENEWED:
	case REQUEST_RESTORED:
		return on_answer(w, request, m);
	case REQUEST_ASK_CONFIRM:
		return on_ask_confirm(w, m);
	case REQUEST_STOP:
		worker_stop(w, "stopped by the administrator");
		return NULL;
	case REQUEST_READY:
	case REQUEST_CLAIM:
	case REQUEST_RELEASE:
	case REQUEST_ANNOUNCE:
	case REQUEST_WILL:
	case REQUEST_CONFIRM:
	case REQUEST_NOTIFY:
	case REQUEST_NOTIFY_GROUP:
	case REQUEST_EXTERNAL_CHECK:
	case REQUEST_FOREIGN:
	case REQUEST_FROZEN:
	case REQUEST_REMAINING:
	case REQUEST_STOPPED:
	case REQUEST_N:
		break;
	}
	return "not the guardian's to send";
}

void
worker_on_message(struct ipc *ipc, struct ipc_message *m)
{
	struct worker *w = ipc->ctx;
	const char *why;
	uint32_t generation;

	if (m->type >= REQUEST_N) {
		w->requests_refused++;
		log_warning("refused message %u of the guardian: unknown", m->type);
		return;
	}
	/* Every payload begins with the generation. */
	memcpy(&generation, m->payload, sizeof generation);
	if (m->len != requests[m->type].len)
		why = "wrong length";
	else if (generation != w->generation)
		why = "of another generation";
	else
		why = dispatch(w, (enum request)m->type, m);
	if (why) {
		w->requests_refused++;
		log_warning("refused %s of the guardian: %s", requests[m->type].name, why);
	}
}

void
worker_on_guardian_gone(struct ipc *ipc)
{
	struct worker *w = ipc->ctx;

	log_error("the guardian is gone");
	w->status = 1;
	if (w->phase == WORKER_FROZEN)
		worker_thaw(w);
	/* Nobody else can remove the VIPs: while they are here, whoever still comes is served. */
	if (w->phase != WORKER_COLLECTING)
		w->serve_until = mono_add_ms(vrrp_lapse(w->vrrp), LAPSE_MS);
	worker_stop(w, "the guardian is gone");
}
