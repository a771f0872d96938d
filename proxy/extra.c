/*
 * extra.c - see extra.h.  Run by the session's thread.
 */
#include "proxy/extra.h"

#include "proxy/dial.h"

#include <stdlib.h>
#include <string.h>

struct session_extra *
extra_of(struct session *s)
{
	size_t n = s->thread->proxy->conf->variables_n;

	if (!s->extra)
		s->extra = calloc(1, sizeof *s->extra + n * sizeof *s->extra->values);
	return s->extra;
}

static void
drop(struct extra_value *v)
{
	if (v->set && (v->value.type == SAMPLE_STR || v->value.type == SAMPLE_BIN))
		free((void *)(uintptr_t)v->value.data);
	*v = (struct extra_value){ 0 };
}

void
extra_free(struct session *s)
{
	for (size_t i = 0; s->extra && i < s->thread->proxy->conf->variables_n; i++)
		drop(&s->extra->values[i]);
	if (s->extra) {
		free((void *)(uintptr_t)s->extra->authority.data);
		free((void *)(uintptr_t)s->extra->unique_id.data);
	}
	free(s->extra);
	s->extra = NULL;
}

void
extra_set(struct session *s, uint32_t variable, const struct sample *sample)
{
	struct session_extra *extra = extra_of(s);
	struct extra_value v = { .set = true, .exists = true };
	char *copy;

	if (!extra)
		return;
	if (!sample) {
		drop(&extra->values[variable]);
		return;
	}
	v.value = *sample;
	if (sample->type == SAMPLE_STR || sample->type == SAMPLE_BIN) {
		copy = malloc(sample->len + 1);
		if (!copy)
			return;
		memcpy(copy, sample->data, sample->len);
		copy[sample->len] = '\0';
		v.value.data = copy;
	}
	/* Only now: it may have been made from its former value. */
	drop(&extra->values[variable]);
	extra->values[variable] = v;
}

bool
extra_may_set(bool exists, const struct sample *old, const struct sample *sample, unsigned when)
{
	bool empty = (sample->type == SAMPLE_STR || sample->type == SAMPLE_BIN) && sample->len == 0;
	bool numbers = old && old->type == SAMPLE_INT && sample->type == SAMPLE_INT;

	if (when &
	    ((exists ? CONF_IF_NOT_EXISTS : CONF_IF_EXISTS) |
	     (old ? CONF_IF_NOT_SET : CONF_IF_SET) | (empty ? CONF_IF_NOT_EMPTY : CONF_IF_EMPTY)))
		return false;
	return !numbers || ((!(when & CONF_IF_GREATER) || old->number > sample->number) &&
			    (!(when & CONF_IF_LESS) || old->number < sample->number));
}

bool
extra_set_if(struct session *s, uint32_t variable, const struct sample *sample, unsigned when)
{
	struct session_extra *extra = extra_of(s);
	struct extra_value *v;

	if (!extra)
		return false;
	v = &extra->values[variable];
	if (when && !extra_may_set(v->exists, v->set ? &v->value : NULL, sample, when)) {
		/* As in HAProxy: only the first two conditions leave it as it was. */
		v->exists |= !(when & CONF_IF_EXISTS);
		return false;
	}
	extra_set(s, variable, sample);
	return true;
}

bool
extra_get(const struct session *s, uint32_t variable, struct sample *sample)
{
	if (!s->extra || !s->extra->values[variable].set)
		return false;
	*sample = s->extra->values[variable].value;
	sample->may_change = false;
	return true;
}

struct session_peer
extra_destination(const struct session *s)
{
	const struct conf_bind *bind = &s->frontend->conf->binds[s->bind];
	struct sock_addr self = { .len = sizeof self.storage };
	struct ip ip = sock_addr_ip(&bind->address);

	if (s->extra && s->extra->destination.ip.family != AF_UNSPEC)
		return s->extra->destination;
	/* A listener on one address says it without asking the kernel. */
	if (ip.family != AF_UNSPEC && !ip_is_any(&ip) && bind->inherited_fd < 0)
		return (struct session_peer){ ip, sock_addr_port(&bind->address) };
	if (getsockname(s->client.lf.fd, &self.any, &self.len) < 0)
		return (struct session_peer){ .port = 0 };
	return (struct session_peer){ sock_addr_ip(&self), sock_addr_port(&self) };
}

struct sock_addr
extra_server_address(const struct session *s, bool ours)
{
	struct sock_addr address = { .len = sizeof address.storage };

	if (!conn_open(&s->server))
		return (struct sock_addr){ 0 };
	if (!ours)
		return dial_destination(s);
	if (getsockname(s->server.lf.fd, &address.any, &address.len) < 0)
		return (struct sock_addr){ 0 };
	return address;
}
