/*
 * keepalived.c - the block structure of the keepalived dialect: top-level words, { … } and what to
 * do when a brace is missing.
 *
 * A block whose "}" is missing would swallow the rest of the file.  It is taken to end where a
 * section begins that cannot stand inside: then one message is about the brace, and the rest of the
 * file is still read for what it says.
 */
#include "conf/parser.h"
#include "conf/words_lists.h"
#include "conf/words_paths.h"

#include <string.h>

#define PROCESS_NAME_MAX 15 /* what the kernel keeps of it */

static void
read_global_defs(struct conf_call *call)
{
	struct conf_parser *p = call->p;
	size_t from = p->given_n;

	/* A second block adds to the first. */
	p->given_from = p->global_defs_given.to ? p->global_defs_given.from : from;
	keepalived_read_block(call, &table_global_defs, p->conf);
	p->global_defs_given = (struct conf_range){ p->given_from, p->given_n };
}

static void
read_script(struct conf_call *call)
{
	struct conf_parser *p = call->p;
	const struct conf_word *name = call_word(call, 1, "a name");
	struct conf_script script = { .pos = name ? name->pos : call->words[0].pos,
				      .name = name ? name->text : "" };
	const struct conf_name *first;

	table_set_defaults(&table_script, &script);
	p->given_from = p->given_n;
	keepalived_read_block(call, &table_script, &script);
	if (!name)
		return;
	if (!script.command)
		conf_warning(&p->reporter, script.pos,
			     "vrrp_script `%s` has no `script` line: it has no effect, as with "
			     "keepalived",
			     script.name);
	first = names_add(&p->names, NAME_SCRIPT, 0, script.name, (uint32_t)p->conf->scripts_n,
			  script.pos);
	if (first)
		conf_error(&p->reporter, script.pos, "there is a vrrp_script `%s` already, at %s",
			   script.name, conf_place(&p->reporter, script.pos, first->pos));
	*ARENA_PUSH(p->arena, p->conf->scripts, p->conf->scripts_n) = script;
}

static void
read_instance(struct conf_call *call)
{
	struct conf_parser *p = call->p;
	const struct conf_word *name = call_word(call, 1, "a name");
	struct conf_instance instance = { .pos = name ? name->pos : call->words[0].pos,
					  .name = name ? name->text : "",
					  .interface = CONF_NONE };
	struct instance_draft *draft = ARENA_PUSH(p->arena, p->instances, p->instances_n);
	const struct conf_name *first;

	draft->advert_int_us = 1000000;
	table_set_defaults(&table_instance, &instance);
	p->given_from = draft->given.from = p->given_n;
	keepalived_read_block(call, &table_instance, &instance);
	draft->given.to = p->given_n;
	first = names_add(&p->names, NAME_INSTANCE, 0, instance.name,
			  (uint32_t)p->conf->instances_n, instance.pos);
	if (first && name)
		conf_error(&p->reporter, instance.pos,
			   "there is a vrrp_instance `%s` already, at %s", instance.name,
			   conf_place(&p->reporter, instance.pos, first->pos));
	*ARENA_PUSH(p->arena, p->conf->instances, p->conf->instances_n) = instance;
}

static void
read_group(struct conf_call *call)
{
	struct conf_parser *p = call->p;
	const struct conf_word *name = call_word(call, 1, "a name");
	struct conf_group group = { .pos = name ? name->pos : call->words[0].pos,
				    .name = name ? name->text : "" };
	const struct conf_name *first;

	table_set_defaults(&table_group, &group);
	p->given_from = p->given_n;
	keepalived_read_block(call, &table_group, &group);
	first = names_add(&p->names, NAME_GROUP, 0, group.name, (uint32_t)p->conf->groups_n,
			  group.pos);
	if (first && name)
		conf_error(&p->reporter, group.pos,
			   "there is a vrrp_sync_group `%s` already, at %s", group.name,
			   conf_place(&p->reporter, group.pos, first->pos));
	*ARENA_PUSH(p->arena, p->conf->groups, p->conf->groups_n) = group;
}

static void
read_track_file(struct conf_call *call)
{
	struct conf_parser *p = call->p;
	const struct conf_word *name = call_word(call, 1, "a name");
	struct conf_track_file file = { .pos = name ? name->pos : call->words[0].pos,
					.name = name ? name->text : "",
					.weight = 1 };
	const struct conf_name *first;

	p->given_from = p->given_n;
	keepalived_read_block(call, &table_track_file, &file);
	if (!name)
		return;
	if (!file.path)
		conf_error(&p->reporter, file.pos, "track_file `%s` has no `file` line", file.name);
	first = names_add(&p->names, NAME_TRACK_FILE, 0, file.name,
			  (uint32_t)p->conf->track_files_n, file.pos);
	if (first)
		conf_error(&p->reporter, file.pos, "there is a track_file `%s` already, at %s",
			   file.name, conf_place(&p->reporter, file.pos, first->pos));
	*ARENA_PUSH(p->arena, p->conf->track_files, p->conf->track_files_n) = file;
}

static void
check_process(struct conf_parser *p, struct conf_track_process *process)
{
	bool by_name = process->words_n == 1 && !process->full_command &&
		       process->match == CONF_PARAM_EXACT;

	if (process->words_n == 0)
		conf_error(&p->reporter, process->pos,
			   "vrrp_track_process `%s` has no `process` line", process->name);
	else if (by_name && strlen(process->words[0]) > PROCESS_NAME_MAX)
		conf_warning(&p->reporter, process->pos,
			     "a process' name has at most %d characters: `%.40s` matches none "
			     "(`full_command` goes by the command line)",
			     PROCESS_NAME_MAX, process->words[0]);
	if (process->quorum_max == 0)
		process->quorum = 0;
	if (process->quorum > process->quorum_max)
		conf_error(&p->reporter, process->pos,
			   "vrrp_track_process `%s`: `quorum` %u is more than `quorum_max` %u",
			   process->name, process->quorum, process->quorum_max);
}

static void
read_track_process(struct conf_call *call)
{
	struct conf_parser *p = call->p;
	const struct conf_word *name = call_word(call, 1, "a name");
	struct conf_track_process process = { .pos = name ? name->pos : call->words[0].pos,
					      .name = name ? name->text : "" };
	const struct conf_name *first;

	table_set_defaults(&table_track_process, &process);
	process.weight = 1;
	p->given_from = p->given_n;
	keepalived_read_block(call, &table_track_process, &process);
	if (!name)
		return;
	check_process(p, &process);
	first = names_add(&p->names, NAME_TRACK_PROCESS, 0, process.name,
			  (uint32_t)p->conf->track_processes_n, process.pos);
	if (first)
		conf_error(&p->reporter, process.pos,
			   "there is a vrrp_track_process `%s` already, at %s", process.name,
			   conf_place(&p->reporter, process.pos, first->pos));
	*ARENA_PUSH(p->arena, p->conf->track_processes, p->conf->track_processes_n) = process;
}

static const char no_ipvs[] =
	"IPVS is not used, and nothing answers for this service: write a `listen` section, which "
	"balances in this process";

#define NOTICE(word, reason)                          \
	{                                             \
		word, CONF_TYPE_NOTICE, .doc = reason \
	}
#define WARNED(word, reason)                                             \
	{                                                                \
		word, CONF_TYPE_NOTICE, .flags = ROW_LOUD, .doc = reason \
	}

static const struct conf_row rows[] = {
	{ "global_defs", CONF_TYPE_BLOCK, .inside = &table_global_defs, .parse = read_global_defs,
	  .flags = ROW_REPEATS, .doc = "settings of the VRRP side" },
	{ "vrrp_instance", CONF_TYPE_BLOCK, .inside = &table_instance, .parse = read_instance,
	  .flags = ROW_REPEATS,
	  .doc = "a virtual router: its addresses and how it elects their holder" },
	{ "vrrp_script", CONF_TYPE_BLOCK, .inside = &table_script, .parse = read_script,
	  .flags = ROW_REPEATS, .doc = "a command whose success instances track" },
	{ "vrrp_sync_group", CONF_TYPE_BLOCK, .inside = &table_group, .parse = read_group,
	  .flags = ROW_REPEATS, .doc = "instances that change their states together" },
	{ "track_file", CONF_TYPE_BLOCK, .inside = &table_track_file, .parse = read_track_file,
	  .flags = ROW_REPEATS, .doc = "a file whose number instances track" },
	{ "vrrp_track_file", CONF_TYPE_BLOCK, .inside = &table_track_file, .parse = read_track_file,
	  .flags = ROW_REPEATS | ROW_OLD, .doc = "track_file" },
	{ "vrrp_track_process", CONF_TYPE_BLOCK, .inside = &table_track_process,
	  .parse = read_track_process, .flags = ROW_REPEATS,
	  .doc = "processes that instances track" },
	WARNED("bfd_instance", "there is no BFD: its sessions are not opened"),
	WARNED("virtual_server", no_ipvs),
	WARNED("virtual_server_group", no_ipvs),
	{ "static_ipaddress", CONF_TYPE_BLOCK, .flags = ROW_REPEATS, .inside = &table_vip,
	  .parse = parse_static_vips, .print = print_static_vips,
	  .doc = "addresses that this host has while the daemon runs" },
	{ "static_routes", CONF_TYPE_BLOCK, .flags = ROW_REPEATS, .inside = &table_route,
	  .parse = parse_static_routes, .print = print_static_routes,
	  .doc = "routes that this host has while the daemon runs" },
	{ "static_rules", CONF_TYPE_BLOCK, .flags = ROW_REPEATS, .inside = &table_rule,
	  .parse = parse_static_rules, .print = print_static_rules,
	  .doc = "rules of routing that this host has while the daemon runs" },
	NOTICE("track_group", "static addresses, routes and rules that somebody removes are put "
			      "back at once"),
	NOTICE("ssl_context", "it concerns keepalived's checks of real servers only"),
	NOTICE("SSL", "it concerns keepalived's checks of real servers only"),
	NOTICE("garp_group", "pauses are those of `vrrp_garp_interval`, on each interface"),
	NOTICE("linkbeat_interfaces", "the kernel reports link changes"),
	NOTICE("linkbeat_use_polling", "the kernel reports link changes"),
	{ "interface_up_down_delays", CONF_TYPE_BLOCK, .parse = parse_link_delays,
	  .flags = ROW_REPEATS,
	  .doc = "how long links must be down, and up, before that counts: NAME SECONDS [SECONDS]" },
	{ "net_namespace", CONF_TYPE_REFUSED,
	  .doc = "start the whole daemon in the namespace (`NetworkNamespacePath` of its service, or "
		 "`ip netns exec`)" },
	NOTICE("net_namespace_ipvs", "IPVS is not used"),
	NOTICE("namespace_with_ipsets", "no ipsets are used"),
	NOTICE("use_pid_dir", "the run directory is -R DIR"),
	NOTICE("instance", "the run directory is -R DIR"),
	NOTICE("config_id", "the node's name is -i NAME"),
	NOTICE("child_wait_time", "stopping has a time limit of its own"),
	NOTICE("umask", "scripts run with the mask 0177, which is keepalived's own"),
	NOTICE("random_seed", "it belongs into `global_defs`"),
};

const struct conf_table keepalived_sections = {
	.name = "the top level",
	.dialect = CONF_KEEPALIVED,
	.object_size = sizeof(struct conf),
	TABLE_ROWS(rows),
};

const struct conf_row *
keepalived_section(const char *word, size_t len)
{
	for (size_t i = 0; i < keepalived_sections.rows_n; i++) {
		const struct conf_row *row = &keepalived_sections.rows[i];

		if (strlen(row->name) == len && memcmp(row->name, word, len) == 0)
			return row;
	}
	return NULL;
}

void
keepalived_read(struct conf_parser *p)
{
	struct conf_line line;
	enum conf_mark mark = keepalived_read_words(&p->lexer, &line);
	const struct conf_row *row;
	bool open = mark == CONF_MARK_OPEN || keepalived_read_open(&p->lexer);

	row = keepalived_section(line.words[0].text, strlen(line.words[0].text));
	table_read(p, &keepalived_sections, p->conf, line.words, line.words_n, line.end, open);
	/* What would have been the block's is not read, or each line would be an error. */
	if (!open && row && row->type == CONF_TYPE_BLOCK)
		haproxy_skip_section(p);
}

/*
 * At the first word of a line inside a block: does something begin that cannot stand here?  `table`
 * is the block's own (NULL: a list), `outer` that of the block around it (NULL: none).
 */
static bool
section_begins(struct conf_parser *p, const struct conf_table *table,
	       const struct conf_table *outer)
{
	const char *text;
	size_t len = lexer_peek(&p->lexer, &text), matched;
	struct conf_word word = { .text = arena_strndup(p->arena, text, len) };
	const struct conf_row *row;
	bool ours;

	if (len == 0 || (table && table_find(table, &word, 1, &matched)))
		return false;
	row = outer ? table_find(outer, &word, 1, &matched) : NULL;
	if (row && row->type == CONF_TYPE_BLOCK)
		return true;
	ours = keepalived_section(text, len) != NULL;
	if (text == p->lexer.line_start)
		return ours || haproxy_section(text, len);
	return ours &&
	       (strncmp(word.text, "vrrp_", 5) == 0 || strcmp(word.text, "global_defs") == 0 ||
		strncmp(word.text, "virtual_server", 14) == 0);
}

/* Reads on to the next line of a block.  false: the block is over, one way or the other. */
static bool
next_line(struct conf_call *call, const struct conf_table *table, struct conf_line *line,
	  enum conf_mark *mark)
{
	struct conf_parser *p = call->p;

	for (;;) {
		if (!lexer_next_line(&p->lexer) || section_begins(p, table, call->table)) {
			conf_error(&p->reporter, call->pos,
				   "the block that begins here is not closed: "
				   "`}` is missing");
			return false;
		}
		if (keepalived_read_definition(&p->lexer))
			continue;
		*mark = keepalived_read_words(&p->lexer, line);
		if (*mark == CONF_MARK_CLOSE)
			return false;
		if (line->words_n > 0)
			return true;
		if (*mark == CONF_MARK_OPEN) {
			conf_warning(&p->reporter, line->end, "a block without a name is ignored");
			keepalived_skip_block(p, line->end);
		}
	}
}

void
keepalived_skip_block(struct conf_parser *p, struct conf_pos open)
{
	struct conf_line line;
	size_t depth = 1;

	while (depth > 0) {
		if (!lexer_next_line(&p->lexer) || section_begins(p, NULL, NULL)) {
			conf_error(&p->reporter, open,
				   "the block that begins here is not closed: "
				   "`}` is missing");
			return;
		}
		switch (keepalived_read_words(&p->lexer, &line)) {
		case CONF_MARK_OPEN:
			depth++;
			break;
		case CONF_MARK_CLOSE:
			depth--;
			break;
		case CONF_MARK_LINE:
		case CONF_MARK_END:
			break;
		}
	}
}

void
keepalived_read_block(struct conf_call *call, const struct conf_table *table, void *object)
{
	struct conf_parser *p = call->p;
	struct conf_line line;
	enum conf_mark mark;

	if (p->depth == CONF_DEPTH_MAX) {
		conf_error(&p->reporter, call->pos, "blocks are nested too deeply");
		keepalived_skip_block(p, call->pos);
		return;
	}
	p->depth++;
	while (next_line(call, table, &line, &mark))
		table_read(p, table, object, line.words, line.words_n, line.end,
			   mark == CONF_MARK_OPEN);
	p->depth--;
}

void
keepalived_read_list(struct conf_call *call,
		     void (*item)(struct conf_call *call, const struct conf_line *line))
{
	struct conf_parser *p = call->p;
	struct conf_line line;
	enum conf_mark mark;

	while (next_line(call, NULL, &line, &mark)) {
		item(call, &line);
		if (mark == CONF_MARK_OPEN) {
			conf_warning(&p->reporter, line.end, "`%s` has no blocks in it",
				     call->row->name);
			keepalived_skip_block(p, line.end);
		}
	}
}
