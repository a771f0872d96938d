/*
 * saved.c - health and counts, as bytes for the proxy of the next worker.  Run by the thread that
 * owns struct proxy; proxy_restore_* before proxy_open, when no other thread counts or checks.
 *
 * The bytes come from a process that clients could have taken over: numbers are brought within
 * bounds, texts end.
 */
#include "proxy/runtime.h"

#include "common/fingerprint.h"

#include <stdio.h>
#include <string.h>

struct saved_tally {
	uint64_t sessions, bytes_in, bytes_out, connect_errors, retries, redispatches, denied;
};

struct saved_server {
	struct saved_tally tally;
	uint32_t health, rise, fall;
	uint32_t judged, stopping, resolved;
	char host[256]; /* as in the file: whom the health is about */
	struct sock_addr address;
	uint32_t status;
	int32_t error, code;
	char info[CHECK_INFO_LEN];
	uint32_t duration_ms;
	struct mono at, changed;
	/* What its agent has made of it, and what the file had. */
	uint32_t agent, agent_down, agent_mode;
	uint32_t weight, maxconn, file_weight, file_maxconn;
};

struct saved_proxy {
	struct saved_tally front, back;
	uint32_t usable; /* servers, when it was saved */
};

_Static_assert(sizeof(struct saved_server) <= PROXY_SAVED_MAX &&
		       sizeof(struct saved_proxy) <= PROXY_SAVED_MAX,
	       "there is room for what is saved");

uint64_t
proxy_saved_layout(void)
{
	uint64_t layout = fingerprint_number(FINGERPRINT_NONE, sizeof(struct saved_server));

	return fingerprint_number(layout, sizeof(struct saved_proxy));
}

/* ---- counts ---- */

static void
add_tally(struct saved_tally *sum, const struct tally *t)
{
	sum->sessions += counter_get(&t->sessions);
	sum->bytes_in += counter_get(&t->bytes_in);
	sum->bytes_out += counter_get(&t->bytes_out);
	sum->connect_errors += counter_get(&t->connect_errors);
	sum->retries += counter_get(&t->retries);
	sum->redispatches += counter_get(&t->redispatches);
	sum->denied += counter_get(&t->denied);
}

/* Sessions that have not ended are the former worker's: here they count as past. */
static void
put_tally(struct tally *t, const struct saved_tally *sum)
{
	counter_add(&t->sessions, sum->sessions);
	counter_add(&t->ended, sum->sessions);
	counter_add(&t->bytes_in, sum->bytes_in);
	counter_add(&t->bytes_out, sum->bytes_out);
	counter_add(&t->connect_errors, sum->connect_errors);
	counter_add(&t->retries, sum->retries);
	counter_add(&t->redispatches, sum->redispatches);
	counter_add(&t->denied, sum->denied);
}

/* ---- a frontend or a backend ---- */

size_t
proxy_save(const struct proxy *proxy, uint32_t index, void *saved)
{
	struct saved_proxy s = { .usable = atomic_load(&proxy->board->backends[index].usable) };

	for (uint32_t i = 0; i < proxy->threads_n; i++) {
		add_tally(&s.front, &proxy->threads[i].fronts[index]);
		add_tally(&s.back, &proxy->threads[i].backs[index]);
	}
	memcpy(saved, &s, sizeof s);
	return sizeof s;
}

bool
proxy_restore(struct proxy *proxy, uint32_t index, const void *saved, size_t len)
{
	struct saved_proxy s;

	if (len != sizeof s)
		return false;
	memcpy(&s, saved, sizeof s);
	put_tally(&proxy->threads[0].fronts[index], &s.front);
	put_tally(&proxy->threads[0].backs[index], &s.back);
	backend_inherit(&proxy->backends[index], s.usable > 0);
	return true;
}

/* ---- a server ---- */

/* Whom a server's health is about: the address as written, and the port. */
static void
name_target(const struct conf_server *conf, char *host, size_t size)
{
	snprintf(host, size, "%s:%u%+d", conf->host ? conf->host : "", conf->port,
		 conf->port_offset);
}

size_t
proxy_save_server(const struct proxy *proxy, uint32_t index, uint32_t server, void *saved)
{
	struct backend *be = &proxy->backends[index];
	struct server *from = &be->servers[server];
	struct saved_server s;

	memset(&s, 0, sizeof s);
	for (uint32_t i = 0; i < proxy->threads_n; i++)
		add_tally(&s.tally, &proxy->threads[i].servers[from->number]);
	name_target(from->conf, s.host, sizeof s.host);
	pthread_mutex_lock(&be->lock);
	s.health = from->window.health;
	s.rise = from->window.rise;
	s.fall = from->window.fall;
	s.judged = from->judged;
	s.stopping = from->stopping;
	s.resolved = atomic_load(&from->resolved);
	if (s.resolved)
		s.address = from->address;
	s.status = from->last.status;
	s.error = from->last.error;
	s.code = from->last.code;
	memcpy(s.info, from->last.info, sizeof s.info);
	s.duration_ms = from->last.duration_ms;
	s.at = from->last.at;
	s.changed = from->changed;
	s.agent = from->agent.program != NULL;
	s.agent_down = from->agent.down;
	s.agent_mode = from->agent.mode;
	s.weight = atomic_load(&from->lb.present_weight);
	s.maxconn = atomic_load(&from->lb.maxconn);
	s.file_weight = from->conf->weight;
	s.file_maxconn = from->conf->maxconn;
	pthread_mutex_unlock(&be->lock);
	memcpy(saved, &s, sizeof s);
	return sizeof s;
}

/* What a name is resolved to is one of these. */
static bool
is_address(const struct sock_addr *a)
{
	return (a->len == sizeof a->in && a->any.sa_family == AF_INET) ||
	       (a->len == sizeof a->in6 && a->any.sa_family == AF_INET6);
}

/* The place in the new window that means the same: up stays up, and surely so if it was. */
static uint32_t
translate_health(const struct saved_server *s, const struct check_window *w)
{
	uint32_t top = w->rise + w->fall - 1;

	if (s->rise == w->rise && s->fall == w->fall)
		return s->health < top ? s->health : top;
	if (s->health >= s->rise)
		return s->health >= s->rise + s->fall - 1 ? top : w->rise;
	return 0;
}

/* What the agent said holds on, but for numbers that were about other ones in the file. */
static void
restore_agent(const struct saved_server *s, const struct server *to, struct server_health *health)
{
	health->agent = s->agent != 0;
	health->agent_down = s->agent_down != 0;
	health->agent_mode = s->agent_mode <= AGENT_MODE_MAINT ? (enum agent_mode)s->agent_mode
							       : AGENT_MODE_NONE;
	health->weight = to->conf->weight;
	if (s->file_weight == health->weight && s->weight <= 256 &&
	    (s->weight == 0 || !lb_is_static(to->backend->conf)))
		health->weight = s->weight;
	health->maxconn = to->conf->maxconn;
	if (s->file_maxconn == health->maxconn && s->maxconn <= INT32_MAX)
		health->maxconn = s->maxconn;
}

bool
proxy_restore_server(struct proxy *proxy, uint32_t index, uint32_t server, const void *saved,
		     size_t len)
{
	struct server *to = &proxy->backends[index].servers[server];
	struct server_health health;
	struct saved_server s;
	char host[sizeof s.host];

	if (len != sizeof s)
		return false;
	memcpy(&s, saved, sizeof s);
	s.host[sizeof s.host - 1] = s.info[sizeof s.info - 1] = '\0';
	put_tally(&proxy->threads[0].servers[to->number], &s.tally);
	name_target(to->conf, host, sizeof host);
	if (strcmp(host, s.host) != 0)
		return false;
	health = (struct server_health){
		.health = translate_health(&s, &to->window),
		.judged = s.judged != 0,
		.stopping = s.stopping != 0,
		.changed = s.changed,
		.last = { .status = s.status < CHECK_STATUS_N ? (enum check_status)s.status
							      : CHECK_STATUS_UNKNOWN,
			  .error = s.error,
			  .code = s.code,
			  .duration_ms = s.duration_ms,
			  .at = s.at },
	};
	memcpy(health.last.info, s.info, sizeof s.info);
	restore_agent(&s, to, &health);
	if (s.resolved && is_address(&s.address))
		health.address = s.address;
	server_inherit(to, &health);
	return true;
}
