/*
 * compare.c - see compare.h.  Runs in `tandem check`.
 *
 * Virtual routers are the same if their id and address family are: that is all that is on the wire
 * (RFC 3768 5.3, RFC 9568 5.2).  What receivers compare and drop for is an error here, what only
 * decides who becomes master is a warning.
 */
#include "conf/compare.h"

#include "conf/match.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct comparison {
	FILE *out;
	const struct conf *ours, *theirs;
	struct conf_compared result;
};

static const char *
source_name(const struct conf *conf, struct conf_pos pos)
{
	return pos.source < conf->sources_n ? conf->sources[pos.source].name : "?";
}

/* `b` may be NULL: there is nothing on the other side to point at. */
static void __attribute__((format(printf, 5, 6)))
tell(struct comparison *c, bool error, const struct conf_instance *a, const struct conf_instance *b,
     const char *format, ...)
{
	va_list ap;

	if (error)
		c->result.errors++;
	else
		c->result.warnings++;
	fprintf(c->out, "%s:%u: %s: vrrp_instance `%s`: ", source_name(c->ours, a->pos),
		a->pos.line, error ? "error" : "warning", a->name);
	va_start(ap, format);
	vfprintf(c->out, format, ap);
	va_end(ap);
	if (b)
		fprintf(c->out, " (the other is at %s:%u)", source_name(c->theirs, b->pos),
			b->pos.line);
	putc('\n', c->out);
}

static bool
same_router(const struct conf_instance *a, const struct conf_instance *b)
{
	return a->vrid == b->vrid && a->family == b->family;
}

/* The instance of the same router, by its name if several have its id (on several interfaces). */
static const struct conf_instance *
counterpart(const struct conf *conf, const struct conf_instance *instance)
{
	const struct conf_instance *found = NULL;

	for (size_t i = 0; i < conf->instances_n; i++) {
		const struct conf_instance *other = &conf->instances[i];

		if (!same_router(instance, other))
			continue;
		if (strcmp(instance->name, other->name) == 0)
			return other;
		found = found ? found : other;
	}
	return found;
}

static const struct conf_instance *
namesake(const struct conf *conf, const struct conf_instance *instance)
{
	for (size_t i = 0; i < conf->instances_n; i++)
		if (strcmp(conf->instances[i].name, instance->name) == 0)
			return &conf->instances[i];
	return NULL;
}

static const struct conf_vip *
find_vip(const struct conf_instance *instance, const struct conf_vip *vip)
{
	for (size_t i = 0; i < instance->vips_n; i++)
		if (ip_equal(&instance->vips[i].ip, &vip->ip))
			return &instance->vips[i];
	return NULL;
}

static void
compare_vips(struct comparison *c, const struct conf_instance *a, const struct conf_instance *b,
	     bool swapped)
{
	const struct conf_instance *from = swapped ? b : a, *in = swapped ? a : b;
	char buf[IP_STRLEN];

	for (size_t i = 0; i < from->vips_n; i++) {
		const struct conf_vip *vip = &from->vips[i], *other = find_vip(in, vip);

		ip_format(&vip->ip, buf);
		if (!other)
			tell(c, true, a, b, "%s is held %s only", buf, swapped ? "there" : "here");
		else if (swapped)
			continue;
		else if (other->excluded != vip->excluded)
			tell(c, false, a, b, "%s is advertised %s only", buf,
			     vip->excluded ? "there" : "here");
		else if (other->prefix_len != vip->prefix_len)
			tell(c, false, a, b, "%s has the prefix length %u here, %u there", buf,
			     vip->prefix_len, other->prefix_len);
	}
}

static bool
names(const struct conf_instance *instance, const struct ip *ip)
{
	for (size_t i = 0; i < instance->unicast_peers_n; i++)
		if (ip_equal(&instance->unicast_peers[i].ip, ip))
			return true;
	return false;
}

static void
compare_peers(struct comparison *c, const struct conf_instance *a, const struct conf_instance *b)
{
	char buf[IP_STRLEN];

	if ((a->unicast_peers_n == 0) != (b->unicast_peers_n == 0)) {
		tell(c, true, a, b, "%s here, %s there: neither hears the other",
		     a->unicast_peers_n ? "unicast" : "multicast",
		     b->unicast_peers_n ? "unicast" : "multicast");
		return;
	}
	if (a->unicast_peers_n == 0) {
		if (!ip_equal(conf_group(c->ours, a), conf_group(c->theirs, b)))
			tell(c, true, a, b,
			     "the multicast groups (`vrrp_mcast_group%d`, `mcast_dst_ip`) differ: "
			     "neither hears the other",
			     a->family == AF_INET6 ? 6 : 4);
		return;
	}
	if (a->unicast_src.family != AF_UNSPEC && ip_equal(&a->unicast_src, &b->unicast_src))
		tell(c, true, a, b, "both have the `unicast_src_ip` %s",
		     ip_format(&a->unicast_src, buf));
	else if (b->unicast_src.family != AF_UNSPEC && !names(a, &b->unicast_src))
		tell(c, true, a, b, "the other node is %s, which `unicast_peer` here does not name",
		     ip_format(&b->unicast_src, buf));
	if (a->unicast_src.family != AF_UNSPEC && !ip_equal(&a->unicast_src, &b->unicast_src) &&
	    !names(b, &a->unicast_src))
		tell(c, true, a, b, "this node is %s, which `unicast_peer` there does not name",
		     ip_format(&a->unicast_src, buf));
}

static void
compare_packets(struct comparison *c, const struct conf_instance *a, const struct conf_instance *b)
{
	if (a->version != b->version)
		tell(c, true, a, b, "version %u here, %u there", a->version, b->version);
	if (a->advert_int_cs != b->advert_int_cs)
		tell(c, true, a, b, "`advert_int` is %g here, %g there", a->advert_int_cs / 100.0,
		     b->advert_int_cs / 100.0);
	if ((a->auth == CONF_AUTH_NONE) != (b->auth == CONF_AUTH_NONE))
		tell(c, true, a, b, "authentication %s only",
		     a->auth == CONF_AUTH_NONE ? "there" : "here");
	else if (memcmp(a->auth_data, b->auth_data, sizeof a->auth_data) != 0)
		tell(c, true, a, b, "the passwords (`auth_pass`) differ");
	if (a->version == 3 && a->v3_checksum_as_v2 != b->v3_checksum_as_v2)
		tell(c, true, a, b, "`v3_checksum_as_v2` %s only",
		     a->v3_checksum_as_v2 ? "here" : "there");
}

/* Does `b` take what `a` sends?  A key that was not read (it is in a file of another host) may be
 * any. */
static void
compare_signature(struct comparison *c, const struct conf_instance *a,
		  const struct conf_instance *b)
{
	bool signs = a->hmac && a->hmac->mode != CONF_HMAC_RECEIVE_ONLY;
	const struct conf_hmac_key *ours, *theirs;

	if (!signs) {
		if (b->hmac && b->hmac->mode == CONF_HMAC_ENFORCE)
			tell(c, true, a, b,
			     "does not sign what it sends, and the other node (`auth_hmac`, `mode "
			     "enforce`) takes nothing else");
		return;
	}
	if (!b->hmac) {
		tell(c, false, a, b,
		     "signs what it sends (`auth_hmac`), which the other node does not check, and "
		     "keepalived without it refuses");
		return;
	}
	ours = conf_find_key(a->hmac, a->hmac->active_key);
	theirs = conf_find_key(b->hmac, a->hmac->active_key);
	if (!theirs)
		tell(c, true, a, b, "signs with `key` %u, which the other node does not have",
		     a->hmac->active_key);
	else if (ours->len && theirs->len &&
		 (ours->len != theirs->len || memcmp(ours->bytes, theirs->bytes, ours->len) != 0))
		tell(c, true, a, b, "`key` %u of `auth_hmac` differs", a->hmac->active_key);
}

static void
compare_election(struct comparison *c, const struct conf_instance *a, const struct conf_instance *b)
{
	if (a->priority == b->priority && a->priority == 255)
		tell(c, true, a, b, "both own the addresses (priority 255): two masters");
	else if (a->priority == b->priority)
		tell(c, false, a, b,
		     "both have priority %u: the one with the higher address becomes master",
		     a->priority);
	if ((a->nopreempt == CONF_PREEMPT) != (b->nopreempt == CONF_PREEMPT))
		tell(c, false, a, b, "`nopreempt` %s only",
		     a->nopreempt == CONF_PREEMPT ? "there" : "here");
}

/* With all scripts as they should be; keepalived's bounds. */
static int32_t
sound_priority(const struct conf_instance *instance)
{
	const struct conf_track_list *list = &instance->track[CONF_TRACK_SCRIPT];
	int32_t priority = instance->priority;

	for (size_t i = 0; i < list->n && priority < 255; i++)
		if (list->at[i].weight > 0)
			priority += list->at[i].weight;
	return priority > 254 && instance->priority < 255 ? 254 : priority;
}

/* A script that fails on the preferred node should hand over to the other one. */
static void
compare_weights(struct comparison *c, const struct conf_instance *a, const struct conf_instance *b)
{
	const struct conf_track_list *list = &a->track[CONF_TRACK_SCRIPT];
	int32_t ours = sound_priority(a), theirs = sound_priority(b);

	for (size_t i = 0; i < list->n && ours > theirs && ours < 255; i++) {
		int32_t weight = list->at[i].weight;
		int32_t failed = ours - (weight < 0 ? -weight : weight);

		if (weight != 0 && failed > theirs)
			tell(c, false, a, b,
			     "a failure of `%s` lowers the priority from %d to %d, still above %d: "
			     "no fail-over",
			     c->ours->scripts[list->at[i].index].name, ours, failed, theirs);
		else if (weight != 0 && failed == theirs)
			tell(c, false, a, b,
			     "a failure of `%s` lowers the priority to the other node's %d: a tie, "
			     "which is no fail-over",
			     c->ours->scripts[list->at[i].index].name, failed);
	}
}

static void
compare_instance(struct comparison *c, const struct conf_instance *a)
{
	const struct conf_instance *b = counterpart(c->theirs, a), *other;
	struct comparison back;

	if (b) {
		compare_packets(c, a, b);
		compare_signature(c, a, b);
		compare_peers(c, a, b);
		compare_vips(c, a, b, false);
		compare_vips(c, a, b, true);
		compare_election(c, a, b);
		compare_weights(c, a, b);
		back = (struct comparison){ c->out, c->theirs, c->ours, c->result };
		compare_weights(&back, b, a);
		compare_signature(&back, b, a);
		c->result = back.result;
		return;
	}
	other = namesake(c->theirs, a);
	if (other && other->vrid != a->vrid)
		tell(c, true, a, other, "virtual_router_id %u here, %u there", a->vrid,
		     other->vrid);
	else if (other)
		tell(c, true, a, other, "addresses of different families");
	else
		tell(c, true, a, NULL, "the other node has no virtual_router_id %u", a->vrid);
}

/* What the other node has and we do not: told from its side. */
static void
compare_rest(struct comparison *c)
{
	struct comparison back = { c->out, c->theirs, c->ours, c->result };

	for (size_t i = 0; i < c->theirs->instances_n; i++) {
		const struct conf_instance *b = &c->theirs->instances[i];

		if (!counterpart(c->ours, b) && !namesake(c->ours, b))
			tell(&back, true, b, NULL, "the other node has no virtual_router_id %u",
			     b->vrid);
	}
	c->result = back.result;
}

struct conf_compared
conf_compare(FILE *out, const struct conf *ours, const struct conf *theirs)
{
	struct comparison c = { .out = out, .ours = ours, .theirs = theirs };

	for (size_t i = 0; i < ours->instances_n; i++)
		compare_instance(&c, &ours->instances[i]);
	compare_rest(&c);
	return c.result;
}
