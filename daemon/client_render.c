/*
 * client_render.c - a status document as text for people: what each instance is and why first, then
 * the proxy, then what happened last.
 */
#include "daemon/client.h"

#include <inttypes.h>
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

/* A cell painted as the state deserves. */
static void
set_state(struct client_table *t, size_t column, const char *state, const char *shown)
{
	client_table_set(t, column, "%s", shown);
	client_table_paint(t, column, client_paint_of(state));
}

/* ------------------------------------------------------------------ instances */

static void
render_transport(const struct client_page *page, const json_t *o)
{
	const json_t *priority = json_object_get(o, "priority"), *peer;
	size_t i;

	fprintf(page->out, "  %s", str(o, "transport"));
	json_array_foreach(json_object_get(o, "peers"), i, peer)
		fprintf(page->out, "%s %s", i ? "," : " to", json_string_value(peer));
	if (has(o, "source"))
		fprintf(page->out, " from %s", str(o, "source"));
	fprintf(page->out, "; priority %" PRId64, num(priority, "effective"));
	if (num(priority, "effective") != num(priority, "configured"))
		fprintf(page->out, " (configured %" PRId64 ")", num(priority, "configured"));
	fprintf(page->out, "%s%s%s\n", yes(o, "preempt") ? "" : ", nopreempt",
		yes(o, "resigned") ? ", resigned until `tandem resume'" : "",
		yes(o, "probation") ? ", on probation: the workers before this one died young"
				    : "");
}

static void
render_peer(const struct client_page *page, const json_t *o)
{
	const json_t *peer = json_object_get(o, "peer");

	if (!json_is_object(peer)) {
		fprintf(page->out, "  no peer has been heard\n");
		return;
	}
	fprintf(page->out, "  peer %s: priority %" PRId64 ", heard %s ago\n", str(peer, "address"),
		num(peer, "priority"), duration(num(peer, "heard_ms_ago")).s);
}

/* A master advertises, anybody else waits for one who does. */
static void
render_timers(const struct client_page *page, const json_t *o)
{
	const json_t *timers = json_object_get(o, "timers");
	struct words every = duration(num(timers, "advert_int_ms"));
	struct words next = duration(num(timers, "next_ms"));
	bool armed = has(timers, "next_ms");

	if (strcmp(str(o, "state"), "MASTER") == 0) {
		fprintf(page->out, "  advertises every %s", every.s);
		if (armed)
			fprintf(page->out, ", next in %s", next.s);
	} else {
		fprintf(page->out,
			"  master down %s (skew %s) after its last advertisement, one every %s",
			duration(num(timers, "master_down_ms")).s,
			duration(num(timers, "skew_ms")).s, every.s);
		if (armed)
			fprintf(page->out, "; timer ends in %s", next.s);
	}
	fputc('\n', page->out);
}

static void
render_vips(const struct client_page *page, const json_t *o)
{
	const json_t *lease = json_object_get(o, "lease"), *vip;
	size_t i;

	json_array_foreach(json_object_get(o, "vips"), i, vip)
	{
		fprintf(page->out, "  VIP %s dev %s", str(vip, "address"), str(vip, "interface"));
		if (has(vip, "label"))
			fprintf(page->out, " label %s", str(vip, "label"));
		if (!yes(vip, "held"))
			fprintf(page->out, ": not here\n");
		else if (num(lease, "seconds") == 0)
			fprintf(page->out, ": held, without a lease\n");
		else if (has(lease, "renewed_ms_ago"))
			fprintf(page->out, ": held, lease %" PRId64 "s, renewed %s ago\n",
				num(lease, "seconds"), duration(num(lease, "renewed_ms_ago")).s);
		else
			fprintf(page->out, ": held, lease %" PRId64 "s\n", num(lease, "seconds"));
	}
}

static void
render_tracking(const struct client_page *page, const json_t *o)
{
	const json_t *tracking = json_object_get(o, "tracking"), *backend, *link;
	size_t i;

	json_array_foreach(json_object_get(tracking, "interfaces"), i, link) fprintf(
		page->out, "  tracks interface %s: %s\n", str(link, "name"), str(link, "state"));
	json_array_foreach(json_object_get(tracking, "files"), i, link)
	{
		fprintf(page->out, "  tracks file %s: ", str(link, "name"));
		if (has(link, "value"))
			fprintf(page->out, "%s says %" PRId64 "\n", str(link, "path"),
				num(link, "value"));
		else
			fprintf(page->out, "%s was not read yet\n", str(link, "path"));
	}
	json_array_foreach(json_object_get(tracking, "processes"), i, link)
		fprintf(page->out, "  tracks process %s: %" PRId64 " running, %s (by %s)\n",
			str(link, "name"), num(link, "running"),
			yes(link, "enough") ? "as it should be" : "not as it should be",
			str(link, "watched_by"));
	json_array_foreach(json_object_get(tracking, "backends"), i, backend)
		fprintf(page->out, "  tracks backend %s: %" PRId64 " usable, needs %" PRId64 "%s\n",
			str(backend, "name"), num(backend, "usable"), num(backend, "min"),
			yes(backend, "settled") ? "" : " (not all checked yet)");
}

static void
render_hmac(const struct client_page *page, const json_t *o)
{
	const json_t *hmac = json_object_get(o, "auth_hmac");
	int64_t ahead_s = num(hmac, "peer_clock_ahead_s");

	if (!json_is_object(hmac))
		return;
	fprintf(page->out, "  auth_hmac %s, key %" PRId64, str(hmac, "mode"),
		num(hmac, "active_key"));
	if (has(hmac, "peer_key"))
		fprintf(page->out, "; the peer signs with key %" PRId64, num(hmac, "peer_key"));
	if (ahead_s != 0)
		fprintf(page->out, ", its clock is %" PRId64 " s %s",
			ahead_s < 0 ? -ahead_s : ahead_s, ahead_s < 0 ? "behind" : "ahead");
	if (num(hmac, "unsigned_taken") > 0)
		fprintf(page->out, "; %" PRId64 " unsigned were taken",
			num(hmac, "unsigned_taken"));
	fputc('\n', page->out);
}

static void
render_drops(const struct client_page *page, const json_t *o)
{
	const char *name, *before = "  refused: ";
	json_t *drops = json_object_get(o, "drops"), *count;

	json_object_foreach(drops, name, count)
	{
		if (json_integer_value(count) == 0)
			continue;
		fprintf(page->out, "%s%" PRId64 " %s", before, (int64_t)json_integer_value(count),
			name);
		before = ", ";
	}
	if (before[0] == ',')
		fputc('\n', page->out);
}

static void
render_instance(const struct client_page *page, const json_t *o)
{
	const json_t *counters = json_object_get(o, "counters");

	fprintf(page->out, "\n%s (%s, VRID %" PRId64 ", v%" PRId64 "%s)  ", str(o, "name"),
		str(o, "interface"), num(o, "vrid"), num(o, "version"),
		strcmp(str(o, "family"), "IPv6") == 0 ? ", IPv6" : "");
	client_print(page, client_paint_of(str(o, "state")), str(o, "state"));
	if (has(o, "since_ms_ago"))
		fprintf(page->out, " for %s", duration(num(o, "since_ms_ago")).s);
	fprintf(page->out, "%s%s\n", str(o, "why")[0] ? ": " : "", str(o, "why"));
	render_transport(page, o);
	render_peer(page, o);
	render_timers(page, o);
	render_vips(page, o);
	render_hmac(page, o);
	render_tracking(page, o);
	if (yes(o, "will"))
		fprintf(page->out, "  last will lodged with the guardian\n");
	fprintf(page->out,
		"  sent %" PRId64 ", received %" PRId64 " advertisements; master %" PRId64
		" time%s\n",
		num(counters, "adverts_sent"), num(counters, "adverts_received"),
		num(counters, "became_master"), plural(num(counters, "became_master")));
	render_drops(page, o);
}

/* ------------------------------------------------------------------ scripts */

static void
render_script_end(struct client_table *t, const json_t *o)
{
	if (!has(o, "took_ms"))
		return;
	if (yes(o, "timed_out"))
		client_table_set(t, 2, "timed out");
	else if (has(o, "signal"))
		client_table_set(t, 2, "signal %" PRId64, num(o, "signal"));
	else
		client_table_set(t, 2, "exit status %" PRId64, num(o, "exit_status"));
	client_table_set(t, 3, "%s", duration(num(o, "took_ms")).s);
	client_table_set(t, 4, "%s ago", duration(num(o, "ran_ms_ago")).s);
}

static void
render_groups(const struct client_page *page, const json_t *list)
{
	const json_t *group, *member;
	size_t i, j;

	json_array_foreach(list, i, group)
	{
		fprintf(page->out, "\ngroup %s (", str(group, "name"));
		json_array_foreach(json_object_get(group, "members"), j, member)
			fprintf(page->out, "%s%s", j ? ", " : "", json_string_value(member));
		fprintf(page->out, ")  ");
		client_print(page, client_paint_of(str(group, "state")), str(group, "state"));
		if (has(group, "since_ms_ago"))
			fprintf(page->out, " for %s", duration(num(group, "since_ms_ago")).s);
		fputc('\n', page->out);
	}
}

static void
render_scripts(const struct client_page *page, const json_t *list)
{
	static const char *const head[] = { "SCRIPT", "STATE", "LAST RUN", "TOOK", "ENDED", NULL };
	struct client_table t = { 0 };
	const json_t *o;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	fputc('\n', page->out);
	client_table_head(&t, head);
	json_array_foreach(list, i, o)
	{
		client_table_add(&t);
		client_table_set(&t, 0, "%s", str(o, "name"));
		set_state(&t, 1, str(o, "state"), str(o, "state"));
		render_script_end(&t, o);
	}
	client_table_print(page, &t);
}

/* ------------------------------------------------------------------ proxy */

static void
render_frontends(const struct client_page *page, const json_t *list)
{
	static const char *const head[] = { "FRONTEND", "LISTENS ON",      "STATE", "SESSIONS",
					    "TOTAL",    "DEFAULT BACKEND", NULL };
	struct client_table t = { 0 };
	const json_t *o, *bind;
	size_t i, b;

	if (json_array_size(list) == 0)
		return;
	fputc('\n', page->out);
	client_table_head(&t, head);
	json_array_foreach(list, i, o)
	{
		char binds[CLIENT_CELL] = "";

		json_array_foreach(json_object_get(o, "binds"), b, bind)
		{
			size_t n = strlen(binds);

			snprintf(binds + n, sizeof binds - n, "%s%s", b ? " " : "",
				 json_string_value(bind));
		}
		client_table_add(&t);
		client_table_set(&t, 0, "%s", str(o, "name"));
		client_table_set(&t, 1, "%s", binds);
		set_state(&t, 2, str(o, "state"), str(o, "state"));
		client_table_set(&t, 3, "%" PRId64, num(o, "sessions"));
		client_table_set(&t, 4, "%" PRId64, num(o, "sessions_total"));
		client_table_set(&t, 5, "%s", str(o, "default_backend"));
	}
	client_table_print(page, &t);
}

static void
set_check(struct client_table *t, size_t column, const json_t *server)
{
	/* Whoever has taken it down has something to say. */
	bool by_agent = strcmp(str(server, "health"), "DOWN (agent)") == 0;
	const json_t *check = json_object_get(server, by_agent ? "agent" : "check");
	const char *status = str(check, "status"), *detail = str(check, "detail");
	size_t len = strlen(status);

	/* "L4OK" says it all. */
	if (len >= 2 && strcmp(status + len - 2, "OK") == 0)
		detail = "";
	if (!json_is_object(check))
		client_table_set(t, column, "-");
	else if (!has(check, "ms_ago"))
		client_table_set(t, column, "none yet");
	else
		client_table_set(t, column, "%s in %" PRId64 "ms, %s ago%s%s", status,
				 num(check, "ms"), duration(num(check, "ms_ago")).s,
				 detail[0] ? ": " : "", detail);
}

static void
render_backend(const struct client_page *page, const json_t *o)
{
	static const char *const head[] = { "SERVER",   "ADDRESS", "STATE",      "FOR",
					    "SESSIONS", "TOTAL",   "LAST CHECK", NULL };
	struct client_table t = { 0 };
	const json_t *server;
	size_t i;

	fprintf(page->out, "\nbackend %s (balance %s): %" PRId64 " of %" PRId64 " server%s usable",
		str(o, "name"), str(o, "balance"), num(o, "usable"), num(o, "total"),
		plural(num(o, "total")));
	if (num(o, "queued"))
		fprintf(page->out, ", %" PRId64 " waiting", num(o, "queued"));
	fputc('\n', page->out);
	if (json_array_size(json_object_get(o, "servers")) == 0)
		return;
	client_table_head(&t, head);
	json_array_foreach(json_object_get(o, "servers"), i, server)
	{
		client_table_add(&t);
		client_table_set(&t, 0, "%s%s", str(server, "name"),
				 yes(server, "backup") ? " (backup)" : "");
		client_table_set(&t, 1, "%s", str(server, "address"));
		set_state(&t, 2, str(server, "state"), str(server, "health"));
		client_table_set(&t, 3, "%s",
				 has(server, "changed_ms_ago")
					 ? duration(num(server, "changed_ms_ago")).s
					 : "-");
		client_table_set(&t, 4, "%" PRId64, num(server, "sessions"));
		client_table_set(&t, 5, "%" PRId64, num(server, "sessions_total"));
		set_check(&t, 6, server);
	}
	client_table_print(page, &t);
}

static void
render_proxy(const struct client_page *page, const json_t *status)
{
	const json_t *proxy = json_object_get(status, "proxy"), *backend;
	size_t threads_n = json_array_size(json_object_get(proxy, "threads")), i;

	if (!json_is_object(proxy))
		return;
	fprintf(page->out, "\nproxy: ");
	client_print(page, client_paint_of(str(proxy, "health")), str(proxy, "health"));
	fprintf(page->out, ", %zu thread%s, %" PRId64 " session%s", threads_n,
		plural((int64_t)threads_n), num(proxy, "sessions"), plural(num(proxy, "sessions")));
	if (num(proxy, "log_drops") > 0)
		fprintf(page->out, ", %" PRId64 " log line%s dropped", num(proxy, "log_drops"),
			plural(num(proxy, "log_drops")));
	if (num(proxy, "usesrc_shortages") > 0)
		fprintf(page->out, ", %" PRId64 " waited for a socket (`usesrc`)",
			num(proxy, "usesrc_shortages"));
	fputc('\n', page->out);
	render_frontends(page, json_object_get(status, "frontends"));
	json_array_foreach(json_object_get(status, "backends"), i, backend)
		render_backend(page, backend);
}

/* ------------------------------------------------------------------ the whole */

/* When, who, from where to where. */
static void
set_transition(struct client_table *t, const json_t *o)
{
	int64_t at_ms = num(o, "at_ms");
	time_t at = (time_t)(at_ms / 1000);
	char when[32] = "";
	struct tm tm;

	if (localtime_r(&at, &tm))
		strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
	client_table_set(t, 0, "%s.%03d", when, (int)(at_ms % 1000));
	client_table_set(t, 1, "%s", str(o, "instance"));
	client_table_set(t, 2, "%s -> %s", str(o, "from"), str(o, "to"));
	client_table_paint(t, 2, client_paint_of(str(o, "to")));
}

static void
render_transitions(const struct client_page *page, const json_t *list)
{
	struct client_table t = { 0 };
	const json_t *o;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	fprintf(page->out, "\nlast transitions, newest first\n");
	json_array_foreach(list, i, o)
	{
		client_table_add(&t);
		set_transition(&t, o);
		client_table_set(&t, 3, "%s", str(o, "reason"));
	}
	client_table_print(page, &t);
}

void
client_render(const struct client_page *page, const json_t *status)
{
	const json_t *instance, *former;
	size_t i;

	if (has(status, "error")) {
		fprintf(page->out, "tandem: %s\n", str(status, "error"));
		return;
	}
	fprintf(page->out, "%s  tandem %s, %s, up %s, guardian %" PRId64 ", worker %" PRId64 "\n",
		str(status, "node"), str(status, "version"), str(status, "phase"),
		duration(num(status, "uptime_ms")).s, num(status, "guardian_pid"),
		num(status, "worker_pid"));
	json_array_foreach(json_object_get(status, "former_workers"), i, former) fprintf(
		page->out, "former worker %" PRId64 ", for %s: %" PRId64 " session%s to finish\n",
		num(former, "pid"), duration(num(former, "since_ms_ago")).s,
		num(former, "sessions"), num(former, "sessions") == 1 ? "" : "s");
	json_array_foreach(json_object_get(status, "instances"), i, instance)
		render_instance(page, instance);
	render_groups(page, json_object_get(status, "groups"));
	render_scripts(page, json_object_get(status, "scripts"));
	render_proxy(page, status);
	render_transitions(page, json_object_get(status, "transitions"));
}

/* How long it took: a tenth of a millisecond is worth showing. */
static void
set_took(struct client_table *t, size_t column, int64_t us)
{
	if (us < 100000)
		client_table_set(t, column, "%" PRId64 ".%" PRId64 "ms", us / 1000,
				 us % 1000 / 100);
	else
		client_table_set(t, column, "%s", duration(us / 1000).s);
}

void
client_render_history(const struct client_page *page, const json_t *history)
{
	static const char *const head[] = { "WHEN",     "INSTANCE", "TRANSITION", "TOOK",
					    "PRIORITY", "PEER",     "REASON",     NULL };
	const json_t *list = json_object_get(history, "transitions"), *o;
	struct client_table t = { 0 };
	size_t i;

	if (has(history, "error")) {
		fprintf(page->out, "tandem: %s\n", str(history, "error"));
		return;
	}
	if (json_array_size(list) == 0) {
		fprintf(page->out, "no transition yet\n");
		return;
	}
	client_table_head(&t, head);
	json_array_foreach(list, i, o)
	{
		client_table_add(&t);
		set_transition(&t, o);
		set_took(&t, 3, num(o, "took_us"));
		client_table_set(&t, 4, "%" PRId64, num(o, "priority"));
		if (has(o, "peer"))
			client_table_set(&t, 5, "%s (%" PRId64 ")", str(o, "peer"),
					 num(o, "peer_priority"));
		else
			client_table_set(&t, 5, "-");
		client_table_set(&t, 6, "%s", str(o, "reason"));
	}
	client_table_print(page, &t);
	if (num(history, "total") > (int64_t)json_array_size(list))
		fprintf(page->out, "(%" PRId64 " before these are forgotten)\n",
			num(history, "total") - (int64_t)json_array_size(list));
}
