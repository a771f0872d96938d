/*
 * resolve_group.c - sync groups: who is a member, and what the group tracks becomes what each of its
 * members tracks.
 *
 * Members must agree about their priority, or the node that wins by one loses by another and the
 * group stays where it is.  So keepalived passes over what a member tracks by a weight, unless
 * sync_group_tracking_weight asks for it, and so do we.  A backend is tracked by all if one member
 * tracks it.
 */
#include "conf/parser.h"

/* ------------------------------------------------------------------ members */

/* Members that cannot be are left out. */
static void
join(struct conf_parser *p, struct conf_group *group)
{
	size_t kept = 0;

	for (size_t i = 0; i < group->members_n; i++) {
		struct conf_instance *instance;

		if (group->members[i] == CONF_NONE)
			continue;
		instance = &p->conf->instances[group->members[i]];
		if (instance->group) {
			conf_error(&p->reporter, group->pos,
				   "vrrp_instance `%.60s` is in vrrp_sync_group `%.60s` already",
				   instance->name, instance->group->name);
			continue;
		}
		instance->group = group;
		instance->notify.priority_changes |= group->notify.priority_changes;
		group->members[kept++] = group->members[i];
	}
	group->members_n = kept;
	if (kept == 0 && p->sound)
		conf_warning(&p->reporter, group->pos,
			     "vrrp_sync_group `%.60s` has no `group { … }` with members",
			     group->name);
	else if (kept == 1 && p->sound)
		conf_warning(&p->reporter, group->pos,
			     "vrrp_sync_group `%.60s` has one member only: there is nothing to "
			     "keep in step",
			     group->name);
}

void
resolve_groups(struct conf_parser *p)
{
	for (size_t i = 0; i < p->conf->groups_n; i++)
		join(p, &p->conf->groups[i]);
}

/* ------------------------------------------------------------------ what they track */

static const char *const words[CONF_TRACK_N] = {
	[CONF_TRACK_SCRIPT] = "track_script",
	[CONF_TRACK_INTERFACE] = "track_interface",
	[CONF_TRACK_FILE] = "track_file",
	[CONF_TRACK_PROCESS] = "track_process",
};

/* An interface's link is then a matter of FAULT; what else has a weight is passed over. */
static void
drop_weights(struct conf_parser *p, struct conf_instance *instance, enum conf_track_kind kind)
{
	struct conf_track_list *list = &instance->track[kind];
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct conf_track *track = &list->at[i];
		bool interface = kind == CONF_TRACK_INTERFACE;

		if (track->weight && track->index != CONF_NONE)
			conf_warning(&p->reporter, track->pos,
				     "a member of vrrp_sync_group `%.60s` cannot track by a weight "
				     "of its own: %s, as with keepalived; write `%s` in the group",
				     instance->group->name,
				     interface ? "that link down is FAULT" : "this is ignored",
				     words[kind]);
		if (track->weight && !interface)
			continue;
		if (track->weight)
			track->weight = 0, track->reverse = false;
		list->at[kept++] = *track;
	}
	list->n = kept;
}

static bool
has_owner(const struct conf *conf, const struct conf_group *group)
{
	for (size_t i = 0; i < group->members_n; i++)
		if (conf->instances[group->members[i]].priority == 255)
			return true;
	return false;
}

static struct conf_track *
find(struct conf_track_list *list, uint32_t index)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->at[i].index == index)
			return &list->at[i];
	return NULL;
}

/* What both track has the group's weight, unless it has none in the member. */
static void
give(struct conf_parser *p, const struct conf_track *track, struct conf_instance *instance,
     enum conf_track_kind kind)
{
	struct conf_track_list *list = &instance->track[kind];
	struct conf_track *own = find(list, track->index);

	if (!own) {
		own = ARENA_PUSH(p->arena, list->at, list->n);
		*own = *track;
		own->implied = true;
		return;
	}
	conf_warning(&p->reporter, own->pos,
		     "`%.60s` is tracked by vrrp_sync_group `%.60s`, too: one of the two is enough",
		     conf_track_name(p->conf, kind, track->index), instance->group->name);
	if (own->weight == 0)
		return;
	own->weight = track->weight;
	own->reverse = track->reverse;
}

static void
spread(struct conf_parser *p, struct conf_group *group, enum conf_track_kind kind)
{
	bool owner = has_owner(p->conf, group);

	for (size_t i = 0; i < group->track[kind].n; i++) {
		struct conf_track *track = &group->track[kind].at[i];

		if (track->index == CONF_NONE)
			continue;
		if (owner && track->weight) {
			conf_warning(&p->reporter, track->pos,
				     "with a member of priority 255 nothing can be tracked by a "
				     "weight: without one, its failure is FAULT");
			track->weight = 0;
		}
		for (size_t j = 0; j < group->members_n; j++)
			give(p, track, &p->conf->instances[group->members[j]], kind);
	}
}

static void
give_backend(struct conf_parser *p, const struct conf_track_backend *track,
	     struct conf_instance *instance)
{
	struct conf_track_backend *own;

	if (track->backend == CONF_NONE)
		return;
	for (size_t i = 0; i < instance->track_backends.n; i++)
		if (instance->track_backends.at[i].backend == track->backend)
			return;
	own = ARENA_PUSH(p->arena, instance->track_backends.at, instance->track_backends.n);
	*own = *track;
	own->implied = true;
}

/* The group's own, then each member's for the others. */
static void
spread_backends(struct conf_parser *p, const struct conf_group *group)
{
	struct conf *conf = p->conf;
	size_t *own_n = arena_alloc(p->arena, group->members_n * sizeof *own_n);

	for (size_t i = 0; i < group->members_n; i++)
		own_n[i] = conf->instances[group->members[i]].track_backends.n;
	for (size_t i = 0; i < group->members_n; i++) {
		struct conf_instance *instance = &conf->instances[group->members[i]];

		for (size_t k = 0; k < group->track_backends.n; k++)
			give_backend(p, &group->track_backends.at[k], instance);
		for (size_t j = 0; j < group->members_n; j++)
			for (size_t k = 0; k < own_n[j]; k++)
				give_backend(
					p, &conf->instances[group->members[j]].track_backends.at[k],
					instance);
	}
}

void
resolve_group_tracks(struct conf_parser *p)
{
	for (size_t i = 0; i < p->conf->groups_n; i++) {
		struct conf_group *group = &p->conf->groups[i];

		for (int kind = 0; kind < CONF_TRACK_N; kind++) {
			for (size_t j = 0; j < group->members_n && !group->own_weights; j++)
				drop_weights(p, &p->conf->instances[group->members[j]],
					     (enum conf_track_kind)kind);
			spread(p, group, (enum conf_track_kind)kind);
		}
		spread_backends(p, group);
	}
}
