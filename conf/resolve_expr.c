/*
 * resolve_expr.c - the proxies and servers that expressions name.  Runs once all sources have been
 * read.
 */
#include "conf/expr_reader.h"

#include <string.h>

/* Is it one of a `defaults` section, which is nobody's own? */
static bool
is_shared(const struct conf_arg_ref *ref)
{
	return ref->scope >= CONF_SCOPE_DEFAULTS;
}

static void
tell(struct conf_parser *p, const struct conf_arg_ref *ref, const char *what)
{
	/* In mode http it is the mode that is refused. */
	if (is_shared(ref) || p->conf->proxies[ref->scope].mode != CONF_MODE_HTTP)
		conf_error(&p->reporter, ref->pos, "there is no %s `%.60s`", what, ref->name);
}

static void
tell_unnamed(struct conf_parser *p, const struct conf_arg_ref *ref, const char *what)
{
	conf_error(&p->reporter, ref->pos, "a `defaults` section is no %s itself: name one", what);
}

static void
resolve_proxy(struct conf_parser *p, const struct conf_arg_ref *ref, uint32_t side,
	      const char *what)
{
	const struct conf_name *found;

	if (!ref->name && is_shared(ref)) {
		tell_unnamed(p, ref, what);
		return;
	}
	if (!ref->name) {
		ref->arg->number = ref->scope;
		return;
	}
	found = names_find(&p->names, NAME_PROXY, side, ref->name);
	if (found)
		ref->arg->number = found->index;
	else
		tell(p, ref, what);
}

/* "backend/server", or a server of the section's own. */
static void
resolve_server(struct conf_parser *p, const struct conf_arg_ref *ref)
{
	const char *slash = strchr(ref->name, '/'), *server = slash ? slash + 1 : ref->name;
	const struct conf_name *found;

	if (!slash && is_shared(ref)) {
		tell_unnamed(p, ref, "backend");
		return;
	}
	ref->arg->number = ref->scope;
	if (slash) {
		found = names_find(&p->names, NAME_PROXY, CONF_CAP_BACK,
				   arena_strndup(p->arena, ref->name, (size_t)(slash - ref->name)));
		if (!found) {
			tell(p, ref, "backend and server");
			return;
		}
		ref->arg->number = found->index;
	}
	found = names_find(&p->names, NAME_SERVER, (uint32_t)ref->arg->number, server);
	if (found)
		ref->arg->server = found->index;
	else
		tell(p, ref, "server");
}

void
resolve_expressions(struct conf_parser *p)
{
	for (size_t i = 0; i < p->arg_refs_n; i++) {
		const struct conf_arg_ref *ref = &p->arg_refs[i];

		switch (ref->kind) {
		case 'b':
		case 'B':
			resolve_proxy(p, ref, CONF_CAP_BACK, "backend");
			break;
		case 'f':
		case 'F':
			resolve_proxy(p, ref, CONF_CAP_FRONT, "frontend");
			break;
		case 'r':
			resolve_server(p, ref);
			break;
		}
	}
}
