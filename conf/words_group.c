/*
 * words_group.c - the directives of a vrrp_sync_group block.  Runs in whichever process loads a
 * configuration.
 */
#include "conf/parser.h"
#include "conf/words_command.h"
#include "conf/words_idle.h"
#include "conf/words_lists.h"

/* Names of instances, on a line each or several on one. */
static void
read_members(struct conf_call *call, const struct conf_line *line)
{
	struct conf_group *group = call->object;

	for (size_t i = 0; i < line->words_n; i++) {
		parser_refer_listed(call, CONF_REF_MEMBER, &line->words[i], group->members_n);
		*ARENA_PUSH(call->p->arena, group->members, group->members_n) = CONF_NONE;
	}
}

static void
parse_members(struct conf_call *call)
{
	keepalived_read_list(call, read_members);
}

static void
print_members(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_group *group = object;

	if (group->members_n == 0)
		return;
	fprintf(pr->out, "%s%s {\n", pr->indent, row->name);
	for (size_t i = 0; i < group->members_n; i++) {
		fprintf(pr->out, "%s\t", pr->indent);
		print_bare(pr, pr->conf->instances[group->members[i]].name);
		fputc('\n', pr->out);
	}
	fprintf(pr->out, "%s}\n", pr->indent);
}

static const struct conf_row rows[] = {
	{ "group", CONF_TYPE_BLOCK, .flags = ROW_REPEATS, .parse = parse_members,
	  .print = print_members, .doc = "the instances: all are master, or none is" },
	TRACK_ROWS(conf_group),
	{ "track_backend", CONF_TYPE_CALL, ROW_FIELD(conf_group, track_backends),
	  .flags = ROW_REPEATS, .parse = parse_track_backend, .print = print_track_backend,
	  .doc = "too few usable servers lower every member's priority: NAME [weight N] [min N]" },
	{ "sync_group_tracking_weight", CONF_TYPE_FLAG, ROW_FIELD(conf_group, own_weights),
	  .doc = "members may track scripts, interfaces, files and processes by weights of their "
		 "own, which the group may not follow" },
	{ "global_tracking", CONF_TYPE_FLAG, ROW_FIELD(conf_group, own_weights), .flags = ROW_OLD,
	  .doc = "sync_group_tracking_weight" },
	NOTIFY_ROW(conf_group, "notify_master", master, "run when all members have become master"),
	NOTIFY_ROW(conf_group, "notify_backup", backup, "run when they have become backup"),
	NOTIFY_ROW(conf_group, "notify_fault", fault, "run on FAULT"),
	NOTIFY_ROW(conf_group, "notify_stop", stop,
		   "run on stopping, which waits at most 5 seconds for it"),
	NOTIFY_ROW(conf_group, "notify", any,
		   "run after these, with GROUP, the name, the state and 0 as arguments"),
	{ "notify_priority_changes", CONF_TYPE_FLAG, ROW_FIELD(conf_group, notify.priority_changes),
	  .doc = "notify_priority_changes for every member" },
	GROUP_IDLE_ROWS,
};

const struct conf_table table_group = {
	.name = "a vrrp_sync_group",
	.dialect = CONF_KEEPALIVED,
	.object_size = sizeof(struct conf_group),
	TABLE_ROWS(rows),
};
