/*
 * report.h - collecting what is to be said about a configuration.
 *
 * A reporter lives while conf_load runs.  Messages go to the arena in the order they come up and
 * are sorted by position at the end.
 */
#pragma once

#include "conf/load.h"

/* Beyond this many, messages are counted but no longer kept. */
#define CONF_MESSAGES_MAX 1000

struct reporter {
	struct arena *arena;
	const struct conf *conf; /* for the names of sources */
	struct conf_report *report;
	bool kept; /* the last message was kept (conf_hint) */
};

void conf_error(struct reporter *r, struct conf_pos pos, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void conf_warning(struct reporter *r, struct conf_pos pos, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void conf_notice(struct reporter *r, struct conf_pos pos, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds a hint to the message just given. */
void conf_hint(struct reporter *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "did you mean `X`?" with the candidate nearest to `word`, if one is near. */
struct nearest;
void conf_hint_nearest(struct reporter *r, const struct nearest *nearest);

/* "line 7" in the same source, else "other.conf:7"; for sentences like "first defined at …". */
const char *conf_place(struct reporter *r, struct conf_pos here, struct conf_pos there);

/* Orders by source, line and column; messages of one place keep their order. */
void conf_report_sort(struct conf_report *report);
