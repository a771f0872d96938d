/*
 * haproxy_defaults.c - `defaults` sections: which one a section follows, and what it has of it.
 * Runs in whichever thread loads a configuration.
 *
 * Values are copied.  Rules are treated as HAProxy 2.6 treats them: only a section with a name has
 * any.  They are read once, where they stand, with ACLs that nobody else sees; each section that
 * follows has them before its own.  Frontends and backends cannot share them, a listen section and
 * other `defaults` cannot have them at all.
 */
#include "conf/parser.h"

#include "conf/nearest.h"

/* ------------------------------------------------------------------ which one */

struct proxy_draft *
defaults_find(struct conf_parser *p, const struct conf_word *name)
{
	const struct conf_name *known = names_find(&p->names, NAME_DEFAULTS, 0, name->text);
	const struct proxy_draft *first, *second;
	struct nearest nearest;

	if (known) {
		first = p->named_defaults[known->index];
		second = first->users.namesake;
		haproxy_check_name(p, name);
		if (second)
			conf_error(&p->reporter, name->pos,
				   "`defaults %.60s` could be the one at %s or that at %s",
				   name->text,
				   conf_place(&p->reporter, name->pos, first->proxy.pos),
				   conf_place(&p->reporter, name->pos, second->proxy.pos));
		return p->named_defaults[known->index];
	}
	conf_error(&p->reporter, name->pos, "there is no `defaults` section called `%.60s` above",
		   name->text);
	if (!p->reporter.kept)
		return NULL;
	nearest = nearest_init(name->text);
	for (size_t i = 0; i < p->named_defaults_n; i++)
		nearest_offer(&nearest, p->named_defaults[i]->proxy.name);
	conf_hint_nearest(&p->reporter, &nearest);
	return NULL;
}

void
defaults_name(struct conf_parser *p, struct proxy_draft *draft)
{
	const struct conf_name *first = names_add(&p->names, NAME_DEFAULTS, 0, draft->proxy.name,
						  (uint32_t)p->named_defaults_n, draft->proxy.pos);

	if (first && !p->named_defaults[first->index]->users.namesake)
		p->named_defaults[first->index]->users.namesake = draft;
	*ARENA_PUSH(p->arena, p->named_defaults, p->named_defaults_n) = draft;
}

/* "line 3", seen from the section's own line. */
static const char *
place_of(struct conf_parser *p, const struct proxy_draft *draft, const struct proxy_draft *from)
{
	return conf_place(&p->reporter, draft->proxy.pos, from->proxy.pos);
}

/* A section that some name with `from` should not also be the one that happens to stand above. */
static void
note_user(struct conf_parser *p, const struct proxy_draft *draft, struct proxy_draft *from,
	  bool by_name)
{
	bool mixed = by_name ? from->users.unasked : from->users.by_name;

	if (mixed && !from->users.mix_told) {
		conf_warning(&p->reporter, draft->proxy.pos,
			     "`defaults %s` at %s is named with `from` by one section and used by "
			     "another because it stands above: let all name it, or end with a "
			     "`defaults` for the others",
			     from->proxy.name, place_of(p, draft, from));
		from->users.mix_told = true;
	}
	from->users.by_name |= by_name;
	from->users.unasked |= !by_name;
}

/* ------------------------------------------------------------------ its rules */

/* ACLs alone concern nobody else. */
static bool
has_rules(const struct conf_proxy *proxy)
{
	return proxy->connection_rules.n || proxy->session_rules.n || proxy->request_rules.n ||
	       proxy->response_rules.n;
}

/* Why a section with these sides cannot have the rules; NULL = it can. */
static const char *
why_not(const struct conf_proxy *from, uint8_t caps)
{
	switch (caps) {
	case CONF_CAP_FRONT | CONF_CAP_BACK:
		return "rules are for frontends or for backends, and it is both";
	case CONF_CAP_FRONT:
		return from->response_rules.n ? "only backends have `tcp-response content` rules"
					      : NULL;
	case CONF_CAP_BACK:
		if (from->connection_rules.n || from->session_rules.n)
			return "only frontends have `tcp-request connection` and `session` rules";
		return from->request_captures.n ? "only frontends capture" : NULL;
	}
	return "rules are not handed on from one to the next";
}

/* May the section have them?  They are for one kind only: that of the first that follows. */
static bool
may_have_rules(struct conf_parser *p, const struct proxy_draft *draft,
	       const struct proxy_draft *from)
{
	const struct proxy_draft *first = from->users.of_rules;
	const char *wrong = why_not(&from->proxy, draft->proxy.caps);

	if (!wrong && first && first->proxy.caps != draft->proxy.caps)
		wrong = arena_printf(p->arena, "they are those of %s `%.60s` at %s", first->kind,
				     first->proxy.name, place_of(p, draft, first));
	if (wrong)
		conf_error(&p->reporter, draft->proxy.pos,
			   "a `%s` section cannot have the rules of `defaults %.60s` at %s: %s",
			   draft->kind, from->proxy.name, place_of(p, draft, from), wrong);
	return !wrong;
}

/* Copies, since the section's own are added to them; they are printed where they were written. */
static void
take_list(struct conf_parser *p, struct conf_rules *rules, const struct conf_rules *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct conf_tcp_rule *rule = ARENA_PUSH(p->arena, rules->list, rules->n);

		*rule = from->list[i];
		rule->words = NULL;
		rule->words_n = 0;
	}
}

/* What is printed of the section: its values stand in those that follow it. */
static const struct conf_proxy *
only_rules(struct conf_parser *p, const struct conf_proxy *from)
{
	struct conf_proxy *rules = arena_alloc(p->arena, sizeof *rules);

	table_set_defaults(&table_proxy, rules);
	rules->pos = from->pos;
	rules->name = from->name;
	rules->default_backend = CONF_NONE;
	rules->acls = from->acls;
	rules->acls_n = from->acls_n;
	rules->connection_rules = from->connection_rules;
	rules->session_rules = from->session_rules;
	rules->request_rules = from->request_rules;
	rules->response_rules = from->response_rules;
	rules->request_captures = from->request_captures;
	return rules;
}

static void
take_rules(struct conf_parser *p, struct proxy_draft *draft, struct proxy_draft *from)
{
	struct conf_proxy *proxy = &draft->proxy;

	if (!may_have_rules(p, draft, from))
		return;
	if (!from->users.of_rules) {
		from->users.of_rules = draft;
		from->users.rules = only_rules(p, &from->proxy);
	}
	proxy->defaults = from->users.rules;
	/* Conditions know ACLs by their place.  Without a name they are none of the section's own. */
	for (size_t i = 0; i < from->proxy.acls_n; i++) {
		struct conf_acl *acl = ARENA_PUSH(p->arena, proxy->acls, proxy->acls_n);

		*acl = from->proxy.acls[i];
		acl->name = NULL;
	}
	for (size_t i = 0; i < from->proxy.request_captures.n; i++)
		*ARENA_PUSH(p->arena, proxy->request_captures.list, proxy->request_captures.n) =
			from->proxy.request_captures.list[i];
	take_list(p, &proxy->connection_rules, &from->proxy.connection_rules);
	take_list(p, &proxy->session_rules, &from->proxy.session_rules);
	take_list(p, &proxy->request_rules, &from->proxy.request_rules);
	take_list(p, &proxy->response_rules, &from->proxy.response_rules);
}

/* ------------------------------------------------------------------ following it */

struct proxy_draft *
defaults_draft(struct conf_parser *p, const struct proxy_draft *from)
{
	static const struct conf_rules none;
	struct proxy_draft *draft = arena_alloc(p->arena, sizeof *draft);

	if (!from) {
		table_set_defaults(&table_proxy, &draft->proxy);
		table_set_defaults(&table_server, &draft->server);
		draft->proxy.default_backend = CONF_NONE;
		return draft;
	}
	*draft = *from;
	draft->from = from;
	draft->users = (struct defaults_users){ 0 };
	draft->logs_shared = true;
	draft->http_steps_shared = draft->tcp_steps_shared = true;
	draft->proxy.acls = NULL;
	draft->proxy.acls_n = 0;
	draft->proxy.connection_rules = draft->proxy.session_rules = none;
	draft->proxy.request_rules = draft->proxy.response_rules = none;
	draft->proxy.request_captures = (struct conf_captures){ 0 };
	return draft;
}

void
defaults_follow(struct conf_parser *p, struct proxy_draft *draft, struct proxy_draft *from,
		bool by_name)
{
	if (!from || !from->proxy.name)
		return;
	note_user(p, draft, from, by_name);
	if (has_rules(&from->proxy))
		take_rules(p, draft, from);
}
