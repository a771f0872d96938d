/*
 * dump.c - conf_dump: the canonical form, made by the same tables that read it.
 *
 * keepalived's side first, then HAProxy's.  @node lines and the values of `defaults` are resolved,
 * their rules stand before the proxies that have them; what is implied is not printed, secrets are
 * <hidden>.
 */
#include "conf/parser.h"
#include "conf/words_lists.h"

#include <stdlib.h>

/* A block or section that may turn out to be empty: then it is not printed at all. */
static void
print_section(FILE *out, const struct conf *conf, const struct conf_table *table,
	      const char *indent, const char *head, const char *tail)
{
	char *body = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&body, &len);
	struct conf_printer pr = {
		.out = memory, .conf = conf, .dialect = table->dialect, .indent = indent
	};

	if (!memory)
		return;
	table_print(&pr, table, conf);
	fclose(memory);
	if (len > 0)
		fprintf(out, "%s%s%s\n", head, body, tail);
	free(body);
}

static void
print_script(const struct conf_printer *pr, const struct conf_script *script)
{
	fputs("vrrp_script", pr->out);
	print_word(pr, script->name);
	fputs(" {\n", pr->out);
	table_print(pr, &table_script, script);
	fputs("}\n\n", pr->out);
}

static void
print_track_file(const struct conf_printer *pr, const struct conf_track_file *file)
{
	fputs("track_file", pr->out);
	print_word(pr, file->name);
	fputs(" {\n", pr->out);
	table_print(pr, &table_track_file, file);
	fputs("}\n\n", pr->out);
}

static void
print_track_process(const struct conf_printer *pr, const struct conf_track_process *process)
{
	fputs("vrrp_track_process", pr->out);
	print_word(pr, process->name);
	fputs(" {\n", pr->out);
	table_print(pr, &table_track_process, process);
	fputs("}\n\n", pr->out);
}

static void
print_group(const struct conf_printer *pr, const struct conf_group *group)
{
	if (group->members_n == 0)
		return;
	fputs("vrrp_sync_group", pr->out);
	print_word(pr, group->name);
	fputs(" {\n", pr->out);
	table_print(pr, &table_group, group);
	fputs("}\n\n", pr->out);
}

static void
print_instance(const struct conf_printer *pr, const struct conf_instance *instance)
{
	fputs("vrrp_instance", pr->out);
	print_word(pr, instance->name);
	fputs(" {\n", pr->out);
	table_print(pr, &table_instance, instance);
	fputs("}\n\n", pr->out);
}

static void
print_proxy(const struct conf_printer *pr, const struct conf_proxy *proxy)
{
	static const char *const kinds[] = { "defaults", "frontend", "backend", "listen" };
	struct conf_printer inner = *pr;

	inner.caps = proxy->caps ? proxy->caps : CONF_CAP_FRONT | CONF_CAP_BACK;
	fputs(kinds[proxy->caps & (CONF_CAP_FRONT | CONF_CAP_BACK)], pr->out);
	print_word(pr, proxy->name);
	putc('\n', pr->out);
	table_print(&inner, &table_proxy, proxy);
	putc('\n', pr->out);
}

static void
print_proxies(const struct conf_printer *pr)
{
	const struct conf_proxy *defaults = NULL;

	for (size_t i = 0; i < pr->conf->proxies_n; i++) {
		const struct conf_proxy *proxy = &pr->conf->proxies[i];

		if (proxy->defaults && proxy->defaults != defaults)
			print_proxy(pr, proxy->defaults);
		else if (proxy->defaults != defaults)
			fputs("defaults\n\n", pr->out);
		defaults = proxy->defaults;
		print_proxy(pr, proxy);
	}
}

void
conf_dump(FILE *out, const struct conf *conf)
{
	struct conf_printer pr = {
		.out = out, .conf = conf, .dialect = CONF_KEEPALIVED, .indent = "\t"
	};

	print_section(out, conf, &table_global_defs, "\t", "global_defs {\n", "}\n");
	print_section(out, conf, &keepalived_sections, "", "", "");
	for (size_t i = 0; i < conf->scripts_n; i++)
		print_script(&pr, &conf->scripts[i]);
	for (size_t i = 0; i < conf->track_files_n; i++)
		print_track_file(&pr, &conf->track_files[i]);
	for (size_t i = 0; i < conf->track_processes_n; i++)
		print_track_process(&pr, &conf->track_processes[i]);
	print_link_delays(&pr);
	for (size_t i = 0; i < conf->groups_n; i++)
		print_group(&pr, &conf->groups[i]);
	for (size_t i = 0; i < conf->instances_n; i++)
		print_instance(&pr, &conf->instances[i]);

	pr.dialect = CONF_HAPROXY;
	print_section(out, conf, &table_global, "\t", "global\n", "");
	print_proxies(&pr);
}
