/*
 * privileged.c - see privileged.h.  Runs on the guardian's loop.
 *
 * The worker may have been taken over by a client.  What it can ask for at worst is what the
 * configuration lets it do anyway: hold its VIPs, or let them go.
 */
#include "daemon/privileged.h"

#include "common/log.h"
#include "daemon/foreign.h"

#include <inttypes.h>
#include <string.h>

enum sender { SENDER_WORKER, SENDER_GUARDIAN };

static const struct {
	const char *name;
	size_t len;
	enum sender sender;
} requests[REQUEST_N] = {
#define X(request, payload, from) \
	[REQUEST_##request] = { #request, sizeof(payload), SENDER_##from },
	REQUEST_LIST(X)
#undef X
};

/* How payloads begin: generation, then an instance if there is one. */
_Static_assert(
	offsetof(struct req_instance, instance) == offsetof(struct req_lodged, instance) &&
		offsetof(struct req_instance, instance) == offsetof(struct req_confirm, instance) &&
		offsetof(struct req_instance, instance) == offsetof(struct req_notify, instance) &&
		offsetof(struct req_instance, instance) == offsetof(struct req_external, proxy) &&
		offsetof(struct req_instance, instance) == offsetof(struct req_foreign, family),
	"the requests of the worker begin alike");

const char *
privileged_reject_name(enum privileged_reject reject)
{
	static const char *const names[PRIVILEGED_N] = {
		[PRIVILEGED_ACCEPTED] = "accepted",
		[PRIVILEGED_UNKNOWN] = "unknown request",
		[PRIVILEGED_DIRECTION] = "not the worker's to send",
		[PRIVILEGED_LENGTH] = "wrong length",
		[PRIVILEGED_DESCRIPTORS] = "unexpected descriptors",
		[PRIVILEGED_GENERATION] = "another configuration's",
		[PRIVILEGED_INSTANCE] = "no such instance",
		[PRIVILEGED_VALUE] = "no such value",
		[PRIVILEGED_TURN] = "not its turn",
	};

	return names[reject];
}

const char *
privileged_request_name(uint32_t type)
{
	return type < REQUEST_N ? requests[type].name : "?";
}

/* A server whose program there is to run. */
static bool
is_external(const struct conf *conf, const struct req_external *r)
{
	const struct conf_proxy *proxy = &conf->proxies[r->proxy];

	return r->server < proxy->servers_n &&
	       conf_server_is_external(proxy, &proxy->servers[r->server]);
}

static bool
has_value(const struct conf *conf, enum request request, const union privileged_payload *p)
{
	if (request == REQUEST_EXTERNAL_CHECK)
		return is_external(conf, &p->external);
	if (request == REQUEST_WILL)
		return p->lodged.lodged <= 1;
	if (request == REQUEST_CONFIRM)
		return p->confirm.master <= 1;
	if (request == REQUEST_NOTIFY)
		return p->notify.event < NOTIFY_EVENT_N && p->notify.priority <= UINT8_MAX;
	if (request == REQUEST_NOTIFY_GROUP)
		return p->notify.event <= NOTIFY_EVENT_STOP && p->notify.priority == 0;
	return true;
}

/* How many there are of what a request's index counts. */
static size_t
indexes_n(const struct conf *conf, uint32_t request)
{
	if (request == REQUEST_EXTERNAL_CHECK)
		return conf->proxies_n;
	if (request == REQUEST_FOREIGN)
		return conf->uses_usesrc ? FOREIGN_FAMILIES : 0;
	return request == REQUEST_NOTIFY_GROUP ? conf->groups_n : conf->instances_n;
}

static bool
has_index(enum request request)
{
	return requests[request].len >= sizeof(struct req_instance) && request != REQUEST_FROZEN &&
	       request != REQUEST_REMAINING;
}

/* Only the holder of the token speaks about addresses and wills. */
static bool
has_turn(enum request request, enum privileged_turn turn)
{
	/* The last sessions of a former worker may still look for a server. */
	if (request == REQUEST_STOPPED || request == REQUEST_FOREIGN)
		return true;
	if (request == REQUEST_READY)
		return turn == PRIVILEGED_TURN_WAITS;
	if (request == REQUEST_REMAINING)
		return turn == PRIVILEGED_TURN_OVER;
	return turn == PRIVILEGED_TURN_HOLDS;
}

enum privileged_reject
privileged_check(const struct privileged *gate, const struct ipc_message *m)
{
	union privileged_payload p = { 0 };

	if (m->type >= REQUEST_N)
		return PRIVILEGED_UNKNOWN;
	if (requests[m->type].sender != SENDER_WORKER)
		return PRIVILEGED_DIRECTION;
	if (m->len != requests[m->type].len || m->len > sizeof p)
		return PRIVILEGED_LENGTH;
	if (m->fds_n != 0)
		return PRIVILEGED_DESCRIPTORS;
	memcpy(&p, m->payload, m->len);
	if (p.none.generation != gate->generation)
		return PRIVILEGED_GENERATION;
	if (has_index((enum request)m->type) &&
	    p.instance.instance >= indexes_n(gate->conf, m->type))
		return PRIVILEGED_INSTANCE;
	if (!has_value(gate->conf, (enum request)m->type, &p))
		return PRIVILEGED_VALUE;
	return has_turn((enum request)m->type, gate->turn) ? PRIVILEGED_ACCEPTED : PRIVILEGED_TURN;
}

/* The first of a kind and then ever fewer of them: a hostile worker must not fill the log. */
static bool
is_worth_a_line(uint64_t count)
{
	return (count & (count - 1)) == 0;
}

void
privileged_dispatch(struct privileged *p, const struct ipc_message *m)
{
	enum privileged_reject reject = privileged_check(p, m);
	union privileged_payload payload = { 0 };

	if (reject != PRIVILEGED_ACCEPTED) {
		p->rejected[reject]++;
		if (is_worth_a_line(p->rejected[reject]))
			log_warning("refused a request of the worker (%s, type %u): %s; %" PRIu64
				    " so far",
				    privileged_request_name(m->type), m->type,
				    privileged_reject_name(reject), p->rejected[reject]);
		return;
	}
	memcpy(&payload, m->payload, m->len);
	p->act(p->ctx, (enum request)m->type, &payload);
}
