/*
 * load.c - conf_load: which dialect reads what, and what is said at the end.  Runs in whichever
 * process loads a configuration; touches nothing but its arena (and reads the environment, for
 * HAProxy's variables).
 */
#include "conf/load.h"

#include "conf/nearest.h"
#include "conf/parser.h"

#include <string.h>
#include <unistd.h>

void
parser_refer(struct conf_parser *p, enum conf_ref_kind kind, const struct conf_word *word,
	     uint32_t owner)
{
	*ARENA_PUSH(p->arena, p->refs, p->refs_n) = (struct conf_ref){
		.kind = kind,
		.name = word->text,
		.pos = word->pos,
		.owner = owner,
	};
}

void
parser_refer_listed(struct conf_call *call, enum conf_ref_kind kind, const struct conf_word *word,
		    size_t slot)
{
	struct conf_parser *p = call->p;
	bool of_group = call->table == &table_group;

	*ARENA_PUSH(p->arena, p->refs, p->refs_n) = (struct conf_ref){
		.kind = kind,
		.of_group = of_group,
		.name = word->text,
		.pos = word->pos,
		.owner = (uint32_t)(of_group ? p->conf->groups_n : p->conf->instances_n),
		.slot = (uint32_t)slot,
	};
}

const struct conf_pos *
parser_given(const struct conf_parser *p, struct conf_range range, const char *name)
{
	for (size_t i = range.from; i < range.to; i++)
		if (strcmp(p->given[i].row->name, name) == 0)
			return &p->given[i].pos;
	return NULL;
}

/* What was read on the way already, by this reading or the guardian's; CONF_NONE = it was not. */
static uint32_t
find_values(const struct conf *conf, const char *name)
{
	for (uint32_t i = 0; i < conf->sources_n; i++)
		if (conf->sources[i].values && strcmp(conf->sources[i].name, name) == 0)
			return i;
	return CONF_NONE;
}

uint32_t
parser_values(struct conf_parser *p, const char *path, struct conf_pos pos)
{
	struct conf *conf = p->conf;
	struct conf_source source = { .name = path, .text = "", .values = true };
	uint32_t known = find_values(conf, path);
	int r;

	if (known != CONF_NONE)
		return known;
	r = p->options->read_values ? p->options->read_values(p->arena, path, &source) : 0;
	if (r < 0) {
		conf_error(&p->reporter, pos, "cannot read `%.200s`: %s", path, strerror(-r));
		return CONF_NONE;
	}
	*ARENA_PUSH(p->arena, conf->sources, conf->sources_n) = source;
	return (uint32_t)conf->sources_n - 1;
}

const char *
parser_look_up(struct conf_parser *p, struct conf_address *address)
{
	struct conf *conf = p->conf;
	/* Kept among the files of values, none of which has such a name. */
	const char *name = arena_printf(p->arena, "host %u %s", address->ip.family, address->host);
	struct conf_source source = { .name = name, .values = true };
	uint32_t known = find_values(conf, name);
	const char *wrong;
	char buf[IP_STRLEN];

	if (known != CONF_NONE)
		return ip_parse(conf->sources[known].text, &address->ip) < 0 ? "it has no address"
									     : NULL;
	if (!p->options->look_up) {
		address->ip = (struct ip){ .family = AF_UNSPEC };
		return NULL;
	}
	wrong = p->options->look_up(address->host, address->ip.family, &address->ip);
	if (wrong)
		return wrong;
	source.text = arena_strdup(p->arena, ip_format(&address->ip, buf));
	source.len = strlen(source.text);
	*ARENA_PUSH(p->arena, conf->sources, conf->sources_n) = source;
	return NULL;
}

uint32_t
parser_interface(struct conf_parser *p, const char *name)
{
	uint32_t index = (uint32_t)p->conf->interfaces_n;
	const struct conf_name *known =
		names_add(&p->names, NAME_INTERFACE, 0, name, index, (struct conf_pos){ 0 });

	if (known)
		return known->index;
	ARENA_PUSH(p->arena, p->conf->interfaces, p->conf->interfaces_n)->name = name;
	return index;
}

/* The section word of either dialect that is nearest to the word. */
static struct nearest
nearest_section(const char *word)
{
	struct nearest nearest = nearest_init(word);

	for (size_t i = 0; i < keepalived_sections.rows_n; i++)
		nearest_offer(&nearest, keepalived_sections.rows[i].name);
	for (size_t i = 0; i < haproxy_sections.rows_n; i++)
		nearest_offer(&nearest, haproxy_sections.rows[i].name);
	return nearest;
}

/* Passes over the lines of a section whose word is not known, up to what looks like the next. */
static void
skip_body(struct conf_parser *p)
{
	const char *word;
	size_t len;

	while (lexer_next_line(&p->lexer)) {
		len = lexer_peek(&p->lexer, &word);
		if (*word == '$' || *word == '.' || keepalived_section(word, len) ||
		    haproxy_section(word, len))
			return;
		if (word == p->lexer.line_start &&
		    nearest_section(arena_strndup(p->arena, word, len)).best)
			return;
		lexer_skip_line(&p->lexer);
	}
}

/* A line that neither dialect begins with, and whatever hangs on it. */
static void
read_unknown(struct conf_parser *p)
{
	struct conf_pos pos = lexer_pos(&p->lexer);
	struct conf_line line;
	struct nearest nearest;
	enum conf_mark mark = keepalived_read_words(&p->lexer, &line);

	if (line.words_n == 0) {
		conf_warning(&p->reporter, pos,
			     mark == CONF_MARK_CLOSE ? "`}` without a block to close"
						     : "a block without a name is ignored");
		if (mark == CONF_MARK_OPEN)
			keepalived_skip_block(p, pos);
		return;
	}
	nearest = nearest_section(line.words[0].text);
	if (mark == CONF_MARK_OPEN || keepalived_read_open(&p->lexer)) {
		/* keepalived passes over blocks it does not know, and so do we. */
		conf_warning(&p->reporter, pos, "unknown block `%.60s` is ignored",
			     line.words[0].text);
		conf_hint_nearest(&p->reporter, &nearest);
		keepalived_skip_block(p, pos);
		return;
	}
	conf_error(&p->reporter, pos, "`%.60s` begins no section of either dialect",
		   line.words[0].text);
	conf_hint_nearest(&p->reporter, &nearest);
	lexer_skip_line(&p->lexer);
	skip_body(p);
}

static void
read_source(struct conf_parser *p, uint32_t index)
{
	struct conf_lexer *lx = &p->lexer;
	const char *word;
	size_t len;

	lexer_open(lx, &p->conf->sources[index], index);
	while (lexer_next_line(lx)) {
		len = lexer_peek(lx, &word);
		if (keepalived_read_definition(lx))
			continue;
		if (*lx->at == '.')
			condition_read(p);
		else if (keepalived_section(word, len))
			keepalived_read(p);
		else if (haproxy_section(word, len))
			haproxy_read(p);
		else
			read_unknown(p);
	}
	condition_end(p);
}

static const char *
host_name(struct arena *arena)
{
	char name[256] = "";

	gethostname(name, sizeof name - 1);
	return arena_strdup(arena, name);
}

struct conf *
conf_load(struct arena *arena, const struct conf_source *sources, size_t sources_n,
	  const struct conf_options *options, struct conf_report *report)
{
	struct conf *conf = arena_alloc(arena, sizeof *conf);
	struct conf_parser *p = arena_alloc(arena, sizeof *p);

	*report = (struct conf_report){ 0 };
	conf->arena = arena;
	for (size_t i = 0; i < sources_n; i++)
		*ARENA_PUSH(arena, conf->sources, conf->sources_n) = sources[i];
	conf->node = options->node ? arena_strdup(arena, options->node) : host_name(arena);

	p->arena = arena;
	p->conf = conf;
	p->options = options;
	p->reporter = (struct reporter){ .arena = arena, .conf = conf, .report = report };
	p->lexer =
		(struct conf_lexer){ .arena = arena, .reporter = &p->reporter, .node = conf->node };
	p->names.arena = arena;

	table_set_defaults(&table_global_defs, conf);
	table_set_defaults(&table_global, conf);
	table_set_defaults(&table_instance, &p->instance_defaults);
	for (uint32_t i = 0; i < sources_n; i++)
		if (!sources[i].include_line && !sources[i].values)
			read_source(p, i);
	if (!conf->router_id)
		conf->router_id = conf->node;
	if (options->maxconn)
		conf->maxconn = options->maxconn;

	p->sound = report->errors == 0;
	resolve_all(p);
	check_vrrp(p);
	check_proxies(p);
	conf_report_sort(report);
	return conf;
}
