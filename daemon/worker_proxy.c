/*
 * worker_proxy.c - what the proxy needs of the guardian while it runs: check programs, and sockets for
 * `usesrc`.  VRRP thread, woken by the health board.
 */
#include "daemon/worker_state.h"

#include "daemon/foreign.h"

void
worker_run_externals(struct worker *w)
{
	struct proxy_external wanted;

	while (w->proxy && proxy_external_next(w->proxy, &wanted)) {
		const struct req_external payload = { w->generation, wanted.proxy, wanted.server,
						      wanted.sessions };

		worker_send(w, REQUEST_EXTERNAL_CHECK, &payload, sizeof payload);
	}
}

void
worker_ask_foreign(struct worker *w)
{
	struct req_foreign payload = { w->generation, 0 };

	while (w->proxy && proxy_stock_wanted(w->proxy, &payload.family))
		worker_send(w, REQUEST_FOREIGN, &payload, sizeof payload);
}

const char *
worker_on_external_done(struct worker *w, const struct ipc_message *m)
{
	const struct ans_external *a = (const void *)m->payload;
	const struct proxy_external_end end = { a->status, a->timed_out != 0 };

	if (a->proxy >= w->conf->proxies_n || a->server >= w->conf->proxies[a->proxy].servers_n)
		return "no such server";
	if (w->proxy)
		proxy_external_done(w->proxy, a->proxy, a->server, &end);
	return NULL;
}

/* What stays with the message is closed with it. */
const char *
worker_on_foreign_sockets(struct worker *w, struct ipc_message *m)
{
	const struct ans_foreign *a = (const void *)m->payload;

	if (a->family >= FOREIGN_FAMILIES)
		return "no such family";
	if (!w->proxy)
		return NULL;
	proxy_stock_add(w->proxy, a->family, m->fds, m->fds_n);
	for (uint32_t i = 0; i < m->fds_n; i++)
		m->fds[i] = -1;
	if (m->fds_n)
		worker_ask_foreign(w);
	return NULL;
}
