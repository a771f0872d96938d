/*
 * watchers.c - see watchers.h.  Runs on the guardian's loop.
 */
#include "daemon/watchers.h"

#include "common/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
keep(struct watchers *watchers, struct ans_watched *at, const struct watch_report *report)
{
	*at = (struct ans_watched){
		.kind = report->kind,
		.index = report->index,
		.value = report->value,
		.events = watchers->events,
	};
	watchers->tell(watchers->ctx, at);
}

static void
complain(const struct watchers *watchers, const struct watch_report *report)
{
	const struct conf_track_file *file = &watchers->conf->track_files[report->index];

	if (report->value == ERANGE)
		log_warning("track_file %s: the number in %s is too large: the last one holds",
			    file->name, file->path);
	else if (report->value)
		log_warning("track_file %s: %s: %s", file->name, file->path,
			    strerror(report->value));
}

/* The child may have come to grief: an index is believed only if there is one. */
static void
on_report(void *ctx, const struct watch_report *report)
{
	struct watchers *watchers = ctx;
	const struct conf *conf = watchers->conf;

	if (report->kind == WATCH_KIND_FILE && report->index < conf->track_files_n)
		keep(watchers, &watchers->told_files[report->index], report);
	else if (report->kind == WATCH_KIND_PROCESS && report->index < conf->track_processes_n)
		keep(watchers, &watchers->told_processes[report->index], report);
	else if (report->kind == WATCH_KIND_TROUBLE && report->index < conf->track_files_n)
		complain(watchers, report);
	else if (report->kind == WATCH_KIND_EVENTS)
		watchers->events = report->value;
}

static bool
any_tracked(const struct conf *conf, enum conf_track_kind kind, size_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (watch_is_tracked(conf, kind, i))
			return true;
	return false;
}

int
watchers_init(struct watchers *watchers, struct loop *loop, const struct conf *conf, bool again,
	      watchers_tell_fn *tell, void *ctx)
{
	*watchers = (struct watchers){ .conf = conf, .tell = tell, .ctx = ctx };
	watchers->told_files = calloc(conf->track_files_n + 1, sizeof *watchers->told_files);
	watchers->told_processes =
		calloc(conf->track_processes_n + 1, sizeof *watchers->told_processes);
	if (!watchers->told_files || !watchers->told_processes)
		return -ENOMEM;
	for (size_t i = 0; i < conf->track_files_n; i++)
		watchers->told_files[i].kind = WATCH_KIND_N;
	for (size_t i = 0; i < conf->track_processes_n; i++)
		watchers->told_processes[i].kind = WATCH_KIND_N;
	if (any_tracked(conf, CONF_TRACK_FILE, conf->track_files_n))
		watcher_init(&watchers->files, loop, conf, watch_files, again, on_report, watchers);
	if (any_tracked(conf, CONF_TRACK_PROCESS, conf->track_processes_n))
		watcher_init(&watchers->processes, loop, conf, watch_processes, again, on_report,
			     watchers);
	return 0;
}

void
watchers_fini(struct watchers *watchers)
{
	watcher_fini(&watchers->files);
	watcher_fini(&watchers->processes);
	free(watchers->told_files);
	free(watchers->told_processes);
	watchers->told_files = watchers->told_processes = NULL;
}

void
watchers_retell(struct watchers *watchers)
{
	for (size_t i = 0; i < watchers->conf->track_files_n; i++)
		if (watchers->told_files[i].kind != WATCH_KIND_N)
			watchers->tell(watchers->ctx, &watchers->told_files[i]);
	for (size_t i = 0; i < watchers->conf->track_processes_n; i++)
		if (watchers->told_processes[i].kind != WATCH_KIND_N)
			watchers->tell(watchers->ctx, &watchers->told_processes[i]);
}
