/*
 * client_render.c - a status document as text for people: what each instance is and why first, then
 * the proxy, then what happened last.
 */
#include "daemon/client.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ------------------------------------------------------------------ reading the document */

static const char *
str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static int64_t
num(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static bool
has(const json_t *o, const char *key)
{
	const json_t *value = json_object_get(o, key);

	return value && !json_is_null(value);
}

static bool
yes(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

/* ------------------------------------------------------------------ words */

struct words {
	char s[48];
};

/* "35ms", "3.61s", "3m12s", "2h5m", "4d3h": two digits of meaning are enough. */
static struct words
duration(int64_t ms)
{
	struct words w;
	int64_t s = ms / 1000;

	if (ms < 0)
		snprintf(w.s, sizeof w.s, "0ms");
	else if (ms < 1000)
		snprintf(w.s, sizeof w.s, "%" PRId64 "ms", ms);
	else if (ms < 10000 && ms % 1000)
		snprintf(w.s, sizeof w.s, "%" PRId64 ".%02" PRId64 "s", (ms + 5) / 1000,
			 (ms + 5) % 1000 / 10);
	else if (s < 60)
		snprintf(w.s, sizeof w.s, "%" PRId64 "s", s);
	else if (s < 3600)
		snprintf(w.s, sizeof w.s, "%" PRId64 "m%" PRId64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(w.s, sizeof w.s, "%" PRId64 "h%" PRId64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(w.s, sizeof w.s, "%" PRId64 "d%" PRId64 "h", s / 86400, s / 3600 % 24);
	return w;
}

static const char *
plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

/* ------------------------------------------------------------------ aligned columns */

#define TABLE_COLUMNS 8
#define TABLE_CELL    160

struct table {
	char (*cells)[TABLE_COLUMNS][TABLE_CELL];
	size_t rows_n;
};

static void
add_row(struct table *t)
{
	char(*more)[TABLE_COLUMNS][TABLE_CELL] =
		reallocarray(t->cells, t->rows_n + 1, sizeof *t->cells);

	if (!more) {
		fprintf(stderr, "tandem: out of memory\n");
		exit(1);
	}
	t->cells = more;
	memset(t->cells[t->rows_n++], 0, sizeof *t->cells);
}

static void __attribute__((format(printf, 3, 4)))
set_cell(struct table *t, size_t column, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(t->cells[t->rows_n - 1][column], TABLE_CELL, format, ap);
	va_end(ap);
}

/* Two spaces between columns, nothing behind the last. */
static void
print_table(FILE *out, struct table *t)
{
	int width[TABLE_COLUMNS] = { 0 };

	for (size_t r = 0; r < t->rows_n; r++)
		for (size_t c = 0; c < TABLE_COLUMNS; c++)
			if ((int)strlen(t->cells[r][c]) > width[c])
				width[c] = (int)strlen(t->cells[r][c]);
	for (size_t r = 0; r < t->rows_n; r++) {
		size_t last = TABLE_COLUMNS;

		while (last > 1 && !t->cells[r][last - 1][0])
			last--;
		for (size_t c = 0; c < last; c++)
			fprintf(out, "  %-*s", c + 1 < last ? width[c] : 0, t->cells[r][c]);
		fputc('\n', out);
	}
	free(t->cells);
}

/* ------------------------------------------------------------------ instances */

static void
render_transport(FILE *out, const json_t *o)
{
	const json_t *priority = json_object_get(o, "priority"), *peer;
	size_t i;

	fprintf(out, "  %s", str(o, "transport"));
	json_array_foreach(json_object_get(o, "peers"), i, peer)
		fprintf(out, "%s %s", i ? "," : " to", json_string_value(peer));
	if (has(o, "source"))
		fprintf(out, " from %s", str(o, "source"));
	fprintf(out, "; priority %" PRId64, num(priority, "effective"));
	if (num(priority, "effective") != num(priority, "configured"))
		fprintf(out, " (configured %" PRId64 ")", num(priority, "configured"));
	fprintf(out, "%s\n", yes(o, "preempt") ? "" : ", nopreempt");
}

static void
render_peer(FILE *out, const json_t *o)
{
	const json_t *peer = json_object_get(o, "peer");

	if (!json_is_object(peer)) {
		fprintf(out, "  no peer has been heard\n");
		return;
	}
	fprintf(out, "  peer %s: priority %" PRId64 ", heard %s ago\n", str(peer, "address"),
		num(peer, "priority"), duration(num(peer, "heard_ms_ago")).s);
}

/* A master advertises, anybody else waits for one who does. */
static void
render_timers(FILE *out, const json_t *o)
{
	const json_t *timers = json_object_get(o, "timers");
	struct words every = duration(num(timers, "advert_int_ms"));
	struct words next = duration(num(timers, "next_ms"));
	bool armed = has(timers, "next_ms");

	if (strcmp(str(o, "state"), "MASTER") == 0) {
		fprintf(out, "  advertises every %s", every.s);
		if (armed)
			fprintf(out, ", next in %s", next.s);
	} else {
		fprintf(out,
			"  master down %s (skew %s) after its last advertisement, one every %s",
			duration(num(timers, "master_down_ms")).s,
			duration(num(timers, "skew_ms")).s, every.s);
		if (armed)
			fprintf(out, "; timer ends in %s", next.s);
	}
	fputc('\n', out);
}

static void
render_vips(FILE *out, const json_t *o)
{
	const json_t *lease = json_object_get(o, "lease"), *vip;
	size_t i;

	json_array_foreach(json_object_get(o, "vips"), i, vip)
	{
		fprintf(out, "  VIP %s dev %s", str(vip, "address"), str(vip, "interface"));
		if (has(vip, "label"))
			fprintf(out, " label %s", str(vip, "label"));
		if (!yes(vip, "held"))
			fprintf(out, ": not here\n");
		else if (num(lease, "seconds") == 0)
			fprintf(out, ": held, without a lease\n");
		else if (has(lease, "renewed_ms_ago"))
			fprintf(out, ": held, lease %" PRId64 "s, renewed %s ago\n",
				num(lease, "seconds"), duration(num(lease, "renewed_ms_ago")).s);
		else
			fprintf(out, ": held, lease %" PRId64 "s\n", num(lease, "seconds"));
	}
}

static void
render_tracking(FILE *out, const json_t *o)
{
	const json_t *tracking = json_object_get(o, "tracking"), *backend, *link;
	size_t i;

	json_array_foreach(json_object_get(tracking, "interfaces"), i, link)
		fprintf(out, "  tracks interface %s: %s\n", str(link, "name"), str(link, "state"));
	json_array_foreach(json_object_get(tracking, "backends"), i, backend)
		fprintf(out, "  tracks backend %s: %" PRId64 " usable, needs %" PRId64 "%s\n",
			str(backend, "name"), num(backend, "usable"), num(backend, "min"),
			yes(backend, "settled") ? "" : " (not all checked yet)");
}

static void
render_hmac(FILE *out, const json_t *o)
{
	const json_t *hmac = json_object_get(o, "auth_hmac");
	int64_t ahead_s = num(hmac, "peer_clock_ahead_s");

	if (!json_is_object(hmac))
		return;
	fprintf(out, "  auth_hmac %s, key %" PRId64, str(hmac, "mode"), num(hmac, "active_key"));
	if (has(hmac, "peer_key"))
		fprintf(out, "; the peer signs with key %" PRId64, num(hmac, "peer_key"));
	if (ahead_s != 0)
		fprintf(out, ", its clock is %" PRId64 " s %s", ahead_s < 0 ? -ahead_s : ahead_s,
			ahead_s < 0 ? "behind" : "ahead");
	if (num(hmac, "unsigned_taken") > 0)
		fprintf(out, "; %" PRId64 " unsigned were taken", num(hmac, "unsigned_taken"));
	fputc('\n', out);
}

static void
render_drops(FILE *out, const json_t *o)
{
	const char *name, *before = "  refused: ";
	json_t *drops = json_object_get(o, "drops"), *count;

	json_object_foreach(drops, name, count)
	{
		if (json_integer_value(count) == 0)
			continue;
		fprintf(out, "%s%" PRId64 " %s", before, (int64_t)json_integer_value(count), name);
		before = ", ";
	}
	if (before[0] == ',')
		fputc('\n', out);
}

static void
render_instance(FILE *out, const json_t *o)
{
	const json_t *counters = json_object_get(o, "counters");

	fprintf(out, "\n%s (%s, VRID %" PRId64 ", v%" PRId64 "%s)  %s", str(o, "name"),
		str(o, "interface"), num(o, "vrid"), num(o, "version"),
		strcmp(str(o, "family"), "IPv6") == 0 ? ", IPv6" : "", str(o, "state"));
	if (has(o, "since_ms_ago"))
		fprintf(out, " for %s", duration(num(o, "since_ms_ago")).s);
	fprintf(out, "%s%s\n", str(o, "why")[0] ? ": " : "", str(o, "why"));
	render_transport(out, o);
	render_peer(out, o);
	render_timers(out, o);
	render_vips(out, o);
	render_hmac(out, o);
	render_tracking(out, o);
	if (yes(o, "will"))
		fprintf(out, "  last will lodged with the guardian\n");
	fprintf(out,
		"  sent %" PRId64 ", received %" PRId64 " advertisements; master %" PRId64
		" time%s\n",
		num(counters, "adverts_sent"), num(counters, "adverts_received"),
		num(counters, "became_master"), plural(num(counters, "became_master")));
	render_drops(out, o);
}

/* ------------------------------------------------------------------ scripts */

static void
render_script_end(struct table *t, const json_t *o)
{
	if (!has(o, "took_ms"))
		return;
	if (yes(o, "timed_out"))
		set_cell(t, 2, "timed out");
	else if (has(o, "signal"))
		set_cell(t, 2, "signal %" PRId64, num(o, "signal"));
	else
		set_cell(t, 2, "exit status %" PRId64, num(o, "exit_status"));
	set_cell(t, 3, "%s", duration(num(o, "took_ms")).s);
	set_cell(t, 4, "%s ago", duration(num(o, "ran_ms_ago")).s);
}

static void
render_groups(FILE *out, const json_t *list)
{
	const json_t *group, *member;
	size_t i, j;

	json_array_foreach(list, i, group)
	{
		fprintf(out, "\ngroup %s (", str(group, "name"));
		json_array_foreach(json_object_get(group, "members"), j, member)
			fprintf(out, "%s%s", j ? ", " : "", json_string_value(member));
		fprintf(out, ")  %s", str(group, "state"));
		if (has(group, "since_ms_ago"))
			fprintf(out, " for %s", duration(num(group, "since_ms_ago")).s);
		fputc('\n', out);
	}
}

static void
render_scripts(FILE *out, const json_t *list)
{
	struct table t = { 0 };
	const json_t *o;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	fputc('\n', out);
	add_row(&t);
	set_cell(&t, 0, "SCRIPT");
	set_cell(&t, 1, "STATE");
	set_cell(&t, 2, "LAST RUN");
	set_cell(&t, 3, "TOOK");
	set_cell(&t, 4, "ENDED");
	json_array_foreach(list, i, o)
	{
		add_row(&t);
		set_cell(&t, 0, "%s", str(o, "name"));
		set_cell(&t, 1, "%s", str(o, "state"));
		render_script_end(&t, o);
	}
	print_table(out, &t);
}

/* ------------------------------------------------------------------ proxy */

static void
render_frontends(FILE *out, const json_t *list)
{
	struct table t = { 0 };
	const json_t *o, *bind;
	size_t i, b;

	if (json_array_size(list) == 0)
		return;
	fputc('\n', out);
	add_row(&t);
	set_cell(&t, 0, "FRONTEND");
	set_cell(&t, 1, "LISTENS ON");
	set_cell(&t, 2, "STATE");
	set_cell(&t, 3, "SESSIONS");
	set_cell(&t, 4, "TOTAL");
	set_cell(&t, 5, "DEFAULT BACKEND");
	json_array_foreach(list, i, o)
	{
		char binds[TABLE_CELL] = "";

		json_array_foreach(json_object_get(o, "binds"), b, bind)
		{
			size_t n = strlen(binds);

			snprintf(binds + n, sizeof binds - n, "%s%s", b ? " " : "",
				 json_string_value(bind));
		}
		add_row(&t);
		set_cell(&t, 0, "%s", str(o, "name"));
		set_cell(&t, 1, "%s", binds);
		set_cell(&t, 2, "%s", str(o, "state"));
		set_cell(&t, 3, "%" PRId64, num(o, "sessions"));
		set_cell(&t, 4, "%" PRId64, num(o, "sessions_total"));
		set_cell(&t, 5, "%s", str(o, "default_backend"));
	}
	print_table(out, &t);
}

static void
set_check(struct table *t, size_t column, const json_t *server)
{
	const json_t *check = json_object_get(server, "check");
	const char *status = str(check, "status"), *detail = str(check, "detail");
	size_t len = strlen(status);

	/* "L4OK" says it all. */
	if (len >= 2 && strcmp(status + len - 2, "OK") == 0)
		detail = "";
	if (!json_is_object(check))
		set_cell(t, column, "-");
	else if (!has(check, "ms_ago"))
		set_cell(t, column, "none yet");
	else
		set_cell(t, column, "%s in %" PRId64 "ms, %s ago%s%s", status, num(check, "ms"),
			 duration(num(check, "ms_ago")).s, detail[0] ? ": " : "", detail);
}

static void
render_backend(FILE *out, const json_t *o)
{
	struct table t = { 0 };
	const json_t *server;
	size_t i;

	fprintf(out, "\nbackend %s (balance %s): %" PRId64 " of %" PRId64 " server%s usable",
		str(o, "name"), str(o, "balance"), num(o, "usable"), num(o, "total"),
		plural(num(o, "total")));
	if (num(o, "queued"))
		fprintf(out, ", %" PRId64 " waiting", num(o, "queued"));
	fputc('\n', out);
	if (json_array_size(json_object_get(o, "servers")) == 0)
		return;
	add_row(&t);
	set_cell(&t, 0, "SERVER");
	set_cell(&t, 1, "ADDRESS");
	set_cell(&t, 2, "STATE");
	set_cell(&t, 3, "FOR");
	set_cell(&t, 4, "SESSIONS");
	set_cell(&t, 5, "TOTAL");
	set_cell(&t, 6, "LAST CHECK");
	json_array_foreach(json_object_get(o, "servers"), i, server)
	{
		add_row(&t);
		set_cell(&t, 0, "%s%s", str(server, "name"),
			 yes(server, "backup") ? " (backup)" : "");
		set_cell(&t, 1, "%s", str(server, "address"));
		set_cell(&t, 2, "%s", str(server, "health"));
		set_cell(&t, 3, "%s",
			 has(server, "changed_ms_ago") ? duration(num(server, "changed_ms_ago")).s
						       : "-");
		set_cell(&t, 4, "%" PRId64, num(server, "sessions"));
		set_cell(&t, 5, "%" PRId64, num(server, "sessions_total"));
		set_check(&t, 6, server);
	}
	print_table(out, &t);
}

static void
render_proxy(FILE *out, const json_t *status)
{
	const json_t *proxy = json_object_get(status, "proxy"), *backend;
	size_t threads_n = json_array_size(json_object_get(proxy, "threads")), i;

	if (!json_is_object(proxy))
		return;
	fprintf(out, "\nproxy: %s, %zu thread%s, %" PRId64 " session%s\n", str(proxy, "health"),
		threads_n, plural((int64_t)threads_n), num(proxy, "sessions"),
		plural(num(proxy, "sessions")));
	render_frontends(out, json_object_get(status, "frontends"));
	json_array_foreach(json_object_get(status, "backends"), i, backend)
		render_backend(out, backend);
}

/* ------------------------------------------------------------------ the whole */

static void
render_transitions(FILE *out, const json_t *list)
{
	struct table t = { 0 };
	const json_t *o;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	fprintf(out, "\nlast transitions, newest first\n");
	json_array_foreach(list, i, o)
	{
		int64_t at_ms = num(o, "at_ms");
		time_t at = (time_t)(at_ms / 1000);
		char when[32] = "";
		struct tm tm;

		if (localtime_r(&at, &tm))
			strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
		add_row(&t);
		set_cell(&t, 0, "%s.%03d", when, (int)(at_ms % 1000));
		set_cell(&t, 1, "%s", str(o, "instance"));
		set_cell(&t, 2, "%s -> %s", str(o, "from"), str(o, "to"));
		set_cell(&t, 3, "%s", str(o, "reason"));
	}
	print_table(out, &t);
}

void
client_render(FILE *out, const json_t *status)
{
	const json_t *instance;
	size_t i;

	if (has(status, "error")) {
		fprintf(out, "tandem: %s\n", str(status, "error"));
		return;
	}
	fprintf(out, "%s  tandem %s, %s, up %s, guardian %" PRId64 ", worker %" PRId64 "\n",
		str(status, "node"), str(status, "version"), str(status, "phase"),
		duration(num(status, "uptime_ms")).s, num(status, "guardian_pid"),
		num(status, "worker_pid"));
	json_array_foreach(json_object_get(status, "instances"), i, instance)
		render_instance(out, instance);
	render_groups(out, json_object_get(status, "groups"));
	render_scripts(out, json_object_get(status, "scripts"));
	render_proxy(out, status);
	render_transitions(out, json_object_get(status, "transitions"));
}
