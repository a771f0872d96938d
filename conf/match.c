/*
 * match.c - see match.h.
 */
#include "conf/match.h"

#include <string.h>

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
same_interface(const struct conf *a, uint32_t x, const struct conf *b, uint32_t y)
{
	return strcmp(a->interfaces[x].name, b->interfaces[y].name) == 0;
}

uint32_t
conf_match_instance(const struct conf *from, uint32_t instance, const struct conf *to)
{
	const struct conf_instance *c = &from->instances[instance];
	uint32_t found = conf_find_instance(to, c->name);
	const struct conf_instance *t = found == CONF_NONE ? NULL : &to->instances[found];

	if (t && t->vrid == c->vrid && t->family == c->family &&
	    same_interface(from, c->interface, to, t->interface))
		return found;
	return CONF_NONE;
}

uint32_t
conf_find_instance(const struct conf *conf, const char *name)
{
	for (uint32_t i = 0; i < conf->instances_n; i++)
		if (strcmp(conf->instances[i].name, name) == 0)
			return i;
	return CONF_NONE;
}

const struct conf_hmac_key *
conf_find_key(const struct conf_hmac *hmac, uint8_t id)
{
	for (size_t i = 0; i < hmac->keys_n; i++)
		if (hmac->keys[i].id == id)
			return &hmac->keys[i];
	return NULL;
}

bool
conf_same_vip(const struct conf *a, const struct conf_vip *x, const struct conf *b,
	      const struct conf_vip *y)
{
	return ip_equal(&x->ip, &y->ip) && x->prefix_len == y->prefix_len &&
	       ip_equal(&x->peer, &y->peer) && x->scope == y->scope && x->brd_auto == y->brd_auto &&
	       ip_equal(&x->brd, &y->brd) && same_text(x->label, y->label) &&
	       same_interface(a, x->interface, b, y->interface);
}

bool
conf_has_vip(const struct conf *conf, const struct conf_instance *instance, const struct conf *of,
	     const struct conf_vip *vip)
{
	for (size_t i = 0; i < instance->vips_n; i++)
		if (conf_same_vip(conf, &instance->vips[i], of, vip))
			return true;
	return false;
}

uint32_t
conf_match_script(const struct conf *from, uint32_t script, const struct conf *to)
{
	const struct conf_script *c = &from->scripts[script];

	for (uint32_t i = 0; i < to->scripts_n; i++) {
		const struct conf_script *t = &to->scripts[i];

		if (strcmp(c->name, t->name) == 0)
			return same_text(c->command, t->command) && c->replaced == t->replaced &&
					       same_text(c->user, t->user) &&
					       same_text(c->group, t->group)
				       ? i
				       : CONF_NONE;
	}
	return CONF_NONE;
}

bool
conf_same_bind(const struct conf_bind *a, const struct conf_bind *b)
{
	if (a->inherited_fd >= 0 || b->inherited_fd >= 0)
		return a->inherited_fd == b->inherited_fd;
	return a->address.len == b->address.len &&
	       memcmp(&a->address.any, &b->address.any, a->address.len) == 0 &&
	       same_text(a->interface, b->interface) && a->v6only == b->v6only &&
	       a->v4v6 == b->v4v6;
}

bool
conf_same_fifo(const struct conf_fifo *a, const struct conf_fifo *b)
{
	return same_text(a->path, b->path) && same_text(a->user, b->user) &&
	       same_text(a->group, b->group) && same_text(a->script.line, b->script.line) &&
	       same_text(a->script.user, b->script.user) &&
	       same_text(a->script.group, b->script.group);
}
