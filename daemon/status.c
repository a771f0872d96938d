/*
 * status.c - builds the status document.  VRRP thread of the worker; reads views, changes nothing.
 */
#include "daemon/status.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ small things */

/* JSON is UTF-8; names in files need not be. */
static json_t *
text(const char *s)
{
	json_t *value = json_string(s);
	char ascii[256];
	size_t i;

	if (value || !s)
		return value ? value : json_null();
	for (i = 0; s[i] && i < sizeof ascii - 1; i++)
		ascii[i] = (unsigned char)s[i] < 0x80 ? s[i] : '?';
	ascii[i] = '\0';
	return json_string(ascii);
}

static void
put_text(json_t *o, const char *key, const char *s)
{
	json_object_set_new(o, key, text(s));
}

static void
put_int(json_t *o, const char *key, int64_t n)
{
	json_object_set_new(o, key, json_integer(n));
}

static void
put_bool(json_t *o, const char *key, bool yes)
{
	json_object_set_new(o, key, json_boolean(yes));
}

static void
put_ip(json_t *o, const char *key, const struct ip *ip)
{
	char buf[IP_STRLEN];

	if (ip->family == AF_UNSPEC)
		json_object_set_new(o, key, json_null());
	else
		put_text(o, key, ip_format(ip, buf));
}

/* Milliseconds since `then`; null if that never was. */
static void
put_ago(json_t *o, const char *key, struct mono now, struct mono then)
{
	if (then.ns == 0)
		json_object_set_new(o, key, json_null());
	else
		put_int(o, key, mono_since_ms(now, then));
}

/* ------------------------------------------------------------------ instances */

static json_t *
build_peer(const struct vrrp_view *v, struct mono now)
{
	json_t *o;

	if (v->peer.family == AF_UNSPEC)
		return json_null();
	o = json_object();
	put_ip(o, "address", &v->peer);
	put_int(o, "priority", v->peer_priority);
	put_ago(o, "heard_ms_ago", now, v->peer_heard);
	return o;
}

static json_t *
build_peers(const struct conf_instance *conf)
{
	json_t *list = json_array();
	char buf[IP_STRLEN];

	for (size_t i = 0; i < conf->unicast_peers_n; i++)
		json_array_append_new(list, text(ip_format(&conf->unicast_peers[i].ip, buf)));
	return list;
}

static json_t *
build_timers(const struct vrrp_view *v, struct mono now)
{
	json_t *o = json_object();

	put_int(o, "advert_int_ms", v->advert_int_cs * 10LL);
	put_int(o, "master_down_ms", v->down_ns / NS_PER_MS);
	put_int(o, "skew_ms", v->skew_ns / NS_PER_MS);
	if (v->next.ns == 0)
		json_object_set_new(o, "next_ms", json_null());
	else
		put_int(o, "next_ms", mono_since_ms(v->next, now));
	return o;
}

static json_t *
build_vips(const struct conf *conf, const struct vrrp_view *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->conf->vips_n; i++) {
		const struct conf_vip *vip = &v->conf->vips[i];
		char ip[IP_STRLEN], address[IP_STRLEN + 4];
		json_t *o = json_object();

		snprintf(address, sizeof address, "%s/%u", ip_format(&vip->ip, ip),
			 vip->prefix_len);
		put_text(o, "address", address);
		put_text(o, "interface", conf->interfaces[vip->interface].name);
		put_text(o, "label", vip->label);
		put_bool(o, "advertised", !vip->excluded);
		put_bool(o, "held", v->vips_held);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
build_lease(const struct conf *conf, const struct vrrp_view *v, struct mono now)
{
	json_t *o = json_object();

	put_int(o, "seconds", conf_lease_s(conf, v->conf));
	put_ago(o, "renewed_ms_ago", now, v->vips_held ? v->renewed : (struct mono){ 0 });
	return o;
}

static json_t *
build_counters(const struct vrrp_view *v)
{
	json_t *o = json_object();

	put_int(o, "adverts_sent", (int64_t)v->adverts_sent);
	put_int(o, "adverts_received", (int64_t)v->adverts_received);
	put_int(o, "resigns_sent", (int64_t)v->resigns_sent);
	put_int(o, "resigns_received", (int64_t)v->resigns_received);
	put_int(o, "became_master", (int64_t)v->became_master);
	put_int(o, "vips_restored", (int64_t)v->vips_restored);
	put_int(o, "fenced", (int64_t)v->fenced);
	put_int(o, "overdue", (int64_t)v->overdue);
	put_int(o, "list_differs", (int64_t)v->list_differs);
	put_int(o, "interval_differs", (int64_t)v->interval_differs);
	return o;
}

static json_t *
build_drops(const struct vrrp_view *v)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < VRRP_DROP_N; i++)
		put_int(o, vrrp_drop_name((enum vrrp_drop)i), (int64_t)v->drops[i]);
	return o;
}

/* null without auth_hmac; what a peer signs with and when is null until one has. */
static json_t *
build_hmac(const struct vrrp_view *v)
{
	static const char *const modes[] = {
		[CONF_HMAC_ENFORCE] = "enforce",
		[CONF_HMAC_PERMISSIVE] = "permissive",
		[CONF_HMAC_RECEIVE_ONLY] = "receive-only",
	};
	const struct conf_hmac *conf = v->conf->hmac;
	bool heard = v->peer_key != 0;
	json_t *o;

	if (!conf)
		return json_null();
	o = json_object();
	put_text(o, "mode", modes[conf->mode]);
	put_int(o, "active_key", conf->active_key);
	put_text(o, "anti_replay", conf->anti_replay == CONF_HMAC_TIME ? "time" : "monotonic");
	put_int(o, "time_window_s", conf->time_window_s);
	json_object_set_new(o, "peer_key", heard ? json_integer(v->peer_key) : json_null());
	json_object_set_new(o, "peer_clock_ahead_s",
			    heard ? json_integer(v->peer_ahead_s) : json_null());
	put_int(o, "unsigned_taken", (int64_t)v->unsigned_taken);
	return o;
}

/* A tracked interface, once its delays are over. */
static json_t *
build_link(const struct status_source *s, uint32_t index)
{
	const struct vrrp_link *link = vrrp_link_view(s->vrrp, index);
	json_t *o = json_object();

	put_text(o, "name", s->conf->interfaces[index].name);
	put_text(o, "state", !link->present ? "missing" : link->up ? "up" : "down");
	return o;
}

/* The number is null until the file has been read once. */
static json_t *
build_file(const struct status_source *s, uint32_t index)
{
	json_t *o = json_object();
	int32_t value;
	bool known = vrrp_file_view(s->vrrp, index, &value);

	put_text(o, "name", s->conf->track_files[index].name);
	put_text(o, "path", s->conf->track_files[index].path);
	json_object_set_new(o, "value", known ? json_integer(value) : json_null());
	return o;
}

static json_t *
build_process(const struct status_source *s, uint32_t index)
{
	json_t *o = json_object();
	uint32_t running;
	bool enough, known = vrrp_process_view(s->vrrp, index, &running, &enough);

	put_text(o, "name", s->conf->track_processes[index].name);
	json_object_set_new(o, "running", known ? json_integer(running) : json_null());
	put_bool(o, "enough", enough);
	put_text(o, "watched_by", s->process_events ? "events" : "polling");
	return o;
}

static json_t *
build_tracking(const struct status_source *s, const struct conf_instance *conf)
{
	json_t *o = json_object(), *list = json_array();

	put_bool(o, "proxy", !conf->no_track_proxy && conf_has_listener(s->conf));
	for (size_t i = 0; i < conf->track_backends.n; i++) {
		const struct conf_track_backend *t = &conf->track_backends.at[i];
		json_t *b = json_object();

		put_text(b, "name", s->conf->proxies[t->backend].name);
		put_int(b, "min", t->min);
		put_int(b, "weight", t->weight);
		put_bool(b, "implied", t->implied);
		put_int(b, "usable", atomic_load(&s->board->backends[t->backend].usable));
		put_bool(b, "settled", atomic_load(&s->board->backends[t->backend].settled));
		json_array_append_new(list, b);
	}
	json_object_set_new(o, "backends", list);
	list = json_array();
	for (size_t i = 0; i < conf->track[CONF_TRACK_INTERFACE].n; i++)
		json_array_append_new(list,
				      build_link(s, conf->track[CONF_TRACK_INTERFACE].at[i].index));
	json_object_set_new(o, "interfaces", list);
	list = json_array();
	for (size_t i = 0; i < conf->track[CONF_TRACK_FILE].n; i++)
		json_array_append_new(list,
				      build_file(s, conf->track[CONF_TRACK_FILE].at[i].index));
	json_object_set_new(o, "files", list);
	list = json_array();
	for (size_t i = 0; i < conf->track[CONF_TRACK_PROCESS].n; i++)
		json_array_append_new(
			list, build_process(s, conf->track[CONF_TRACK_PROCESS].at[i].index));
	json_object_set_new(o, "processes", list);
	return o;
}

static json_t *
build_group(const struct status_source *s, uint32_t index)
{
	json_t *o = json_object(), *members = json_array();
	struct vrrp_group_view v;

	vrrp_group_view(s->vrrp, index, &v);
	for (size_t i = 0; i < v.conf->members_n; i++)
		json_array_append_new(members, text(s->conf->instances[v.conf->members[i]].name));
	put_text(o, "name", v.conf->name);
	put_text(o, "state", vrrp_state_name(v.state));
	put_ago(o, "since_ms_ago", s->now, v.since);
	json_object_set_new(o, "members", members);
	return o;
}

static json_t *
build_instance(const struct status_source *s, uint32_t index)
{
	const struct conf_instance *conf = &s->conf->instances[index];
	json_t *o = json_object(), *priority = json_object();
	struct vrrp_view v;

	vrrp_view(s->vrrp, index, s->now, &v);
	put_int(priority, "configured", conf->priority);
	put_int(priority, "effective", v.priority);

	put_text(o, "name", conf->name);
	put_text(o, "state", vrrp_state_name(v.state));
	put_text(o, "why", v.why);
	put_ago(o, "since_ms_ago", s->now, v.since);
	put_int(o, "vrid", conf->vrid);
	put_text(o, "interface", s->conf->interfaces[conf->interface].name);
	put_text(o, "vmac", conf->use_vmac ? s->conf->interfaces[conf->vmac].name : NULL);
	put_int(o, "version", conf->version);
	put_text(o, "family", conf->family == AF_INET6 ? "IPv6" : "IPv4");
	json_object_set_new(o, "priority", priority);
	put_bool(o, "preempt", conf->nopreempt == CONF_PREEMPT);
	put_text(o, "transport", conf->unicast_peers_n ? "unicast" : "multicast");
	put_ip(o, "source", &v.source);
	json_object_set_new(o, "peers", build_peers(conf));
	json_object_set_new(o, "peer", build_peer(&v, s->now));
	json_object_set_new(o, "timers", build_timers(&v, s->now));
	json_object_set_new(o, "vips", build_vips(s->conf, &v));
	json_object_set_new(o, "lease", build_lease(s->conf, &v, s->now));
	put_bool(o, "will", v.will_lodged);
	put_bool(o, "resigned", v.yielded == VRRP_YIELD_RESIGNED);
	put_bool(o, "probation", v.yielded == VRRP_YIELD_PROBATION);
	json_object_set_new(o, "auth_hmac", build_hmac(&v));
	json_object_set_new(o, "tracking", build_tracking(s, conf));
	json_object_set_new(o, "counters", build_counters(&v));
	json_object_set_new(o, "drops", build_drops(&v));
	return o;
}

/* Newest first. */
static json_t *
build_transitions(const struct status_source *s, uint32_t max)
{
	json_t *list = json_array();

	for (uint32_t age = 0; age < journal_count(s->journal) && age < max; age++) {
		const struct journal_entry *e = journal_get(s->journal, age);
		json_t *o;

		if (!e)
			continue;
		o = json_object();
		put_int(o, "at_ms", e->at_ms);
		put_ago(o, "ms_ago", s->now, e->mono);
		put_text(o, "instance", e->instance);
		put_text(o, "from", vrrp_state_name(e->from));
		put_text(o, "to", vrrp_state_name(e->to));
		put_text(o, "reason", e->reason);
		put_int(o, "priority", e->priority);
		put_ip(o, "peer", &e->peer);
		put_int(o, "peer_priority", e->peer_priority);
		put_int(o, "took_us", e->took_ns / NS_PER_US);
		json_array_append_new(list, o);
	}
	return list;
}

/* ------------------------------------------------------------------ scripts */

static const char *
script_state_name(const struct status_source *s, uint32_t index)
{
	static const char *const names[SCRIPT_STATE_N] = {
		[SCRIPT_STATE_UNKNOWN] = "unknown",
		[SCRIPT_STATE_OK] = "ok",
		[SCRIPT_STATE_FAILED] = "failed",
		[SCRIPT_STATE_DISABLED] = "disabled",
	};

	return s->conf->scripts[index].replaced ? "replaced" : names[s->scripts[index].state];
}

/* "replaced": the proxy in this process answers.  The rest is null until a run has ended. */
static json_t *
build_script(const struct status_source *s, uint32_t index)
{
	const struct ans_script *a = &s->scripts[index];
	bool ran = a->at.ns != 0;
	json_t *o = json_object();

	put_text(o, "name", s->conf->scripts[index].name);
	put_text(o, "state", script_state_name(s, index));
	json_object_set_new(o, "exit_status",
			    ran && a->status >= 0 ? json_integer(a->status) : json_null());
	json_object_set_new(o, "signal", ran && a->signal ? json_integer(a->signal) : json_null());
	put_bool(o, "timed_out", ran && a->status < 0 && a->signal == 0);
	json_object_set_new(o, "took_ms", ran ? json_integer(a->took_ms) : json_null());
	put_ago(o, "ran_ms_ago", s->now, a->at);
	return o;
}

/* ------------------------------------------------------------------ proxy */

static json_t *
build_proxy(const struct status_source *s)
{
	json_t *o = json_object(), *list = json_array();

	put_text(o, "health",
		 health_proxy_name(health_proxy_state(s->board, s->now, 2 * NS_PER_S)));
	for (uint32_t i = 0; i < s->board->threads_n; i++) {
		const struct health_thread *t = &s->board->threads[i];
		json_t *thread = json_object();

		put_bool(thread, "ready", atomic_load(&t->ready));
		put_int(thread, "listening", atomic_load(&t->listening));
		put_int(thread, "lost", atomic_load(&t->lost));
		put_ago(thread, "beat_ms_ago", s->now, (struct mono){ atomic_load(&t->beat_ns) });
		json_array_append_new(list, thread);
	}
	json_object_set_new(o, "threads", list);
	put_int(o, "sessions", s->proxy ? proxy_sessions(s->proxy) : 0);
	put_int(o, "log_drops", s->proxy ? (int64_t)proxy_log_drops(s->proxy) : 0);
	put_int(o, "usesrc_shortages", s->proxy ? (int64_t)proxy_stock_shortages(s->proxy) : 0);
	return o;
}

static void
put_traffic(json_t *o, const struct proxy_view *v)
{
	put_int(o, "sessions", v->sessions);
	put_int(o, "sessions_total", (int64_t)v->sessions_total);
	put_int(o, "bytes_in", (int64_t)v->bytes_in);
	put_int(o, "bytes_out", (int64_t)v->bytes_out);
}

static void
put_bind(json_t *list, const struct conf_bind *bind)
{
	char shown[512];

	snprintf(shown, sizeof shown, "%s%s", bind->text, bind->tls.on ? " ssl" : "");
	json_array_append_new(list, text(shown));
}

static json_t *
build_frontend(const struct status_source *s, uint32_t index)
{
	const struct conf_proxy *conf = &s->conf->proxies[index];
	json_t *o = json_object(), *binds = json_array();
	struct proxy_view v;

	proxy_view(s->proxy, index, &v);
	for (size_t i = 0; i < conf->binds_n; i++)
		put_bind(binds, &conf->binds[i]);
	put_text(o, "name", conf->name);
	put_text(o, "state", conf->disabled ? "STOP" : "OPEN");
	put_text(o, "mode", conf->mode == CONF_MODE_TCP ? "tcp" : "http");
	json_object_set_new(o, "binds", binds);
	put_text(o, "default_backend",
		 conf->default_backend == CONF_NONE ? NULL
						    : s->conf->proxies[conf->default_backend].name);
	put_traffic(o, &v);
	put_int(o, "denied", (int64_t)v.denied);
	return o;
}

/* The last answer of a server or of its agent; null if nobody asks. */
static void
put_answer(json_t *server, const char *key, const char *status, const char *detail, uint32_t ms,
	   struct mono at, struct mono now)
{
	json_t *o = status ? json_object() : json_null();

	json_object_set_new(server, key, o);
	if (!status)
		return;
	put_text(o, "status", status);
	put_text(o, "detail", detail);
	put_int(o, "ms", ms);
	put_ago(o, "ms_ago", now, at);
}

static json_t *
build_server(const struct status_source *s, uint32_t proxy, uint32_t index)
{
	char address[SOCK_ADDR_STRLEN], health[48];
	json_t *o = json_object();
	struct server_view v;

	proxy_server_view(s->proxy, proxy, index, &v);
	if (v.address.len)
		sock_addr_format(&v.address, address);
	else
		snprintf(address, sizeof address, "%s", v.conf->host ? v.conf->host : "");
	if (v.agent_down && v.state == SERVER_DOWN)
		snprintf(health, sizeof health, "DOWN (agent)");
	else if (v.state == SERVER_DRAIN && v.agent_status)
		snprintf(health, sizeof health, "DRAIN (agent)");
	else if (v.check_status)
		snprintf(health, sizeof health, "%u/%u %s", v.health, v.health_max,
			 server_state_name(v.state));
	else
		snprintf(health, sizeof health, "%s", server_state_name(v.state));
	put_text(o, "name", v.conf->name);
	put_text(o, "address", address);
	put_text(o, "state", server_state_name(v.state));
	put_text(o, "health", health);
	put_bool(o, "backup", v.conf->backup);
	put_int(o, "weight", v.present_weight);
	put_int(o, "sessions", v.sessions);
	put_int(o, "queued", v.queued);
	put_int(o, "sessions_total", (int64_t)v.sessions_total);
	put_int(o, "bytes_in", (int64_t)v.bytes_in);
	put_int(o, "bytes_out", (int64_t)v.bytes_out);
	put_int(o, "connect_errors", (int64_t)v.connect_errors);
	put_int(o, "retries", (int64_t)v.retries);
	put_int(o, "redispatches", (int64_t)v.redispatches);
	put_ago(o, "changed_ms_ago", s->now, v.changed);
	put_answer(o, "check", v.check_status, v.check_detail, v.check_ms, v.checked, s->now);
	put_answer(o, "agent", v.agent_status, v.agent_detail, v.agent_ms, v.agent_asked, s->now);
	return o;
}

static json_t *
build_backend(const struct status_source *s, uint32_t index)
{
	const struct conf_proxy *conf = &s->conf->proxies[index];
	json_t *o = json_object(), *servers = json_array();
	struct proxy_view v;

	proxy_view(s->proxy, index, &v);
	for (uint32_t i = 0; i < conf->servers_n; i++)
		json_array_append_new(servers, build_server(s, index, i));
	put_text(o, "name", conf->name);
	put_text(o, "mode", conf->mode == CONF_MODE_TCP ? "tcp" : "http");
	put_text(o, "balance", conf_balance_name(conf->balance));
	put_int(o, "usable", v.usable);
	put_int(o, "total", v.servers_n);
	put_int(o, "queued", v.queued);
	put_traffic(o, &v);
	json_object_set_new(o, "servers", servers);
	return o;
}

/* ------------------------------------------------------------------ the whole */

static json_t *
build_former(const struct status_source *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->retired_n; i++) {
		json_t *o = json_object();

		put_int(o, "pid", s->retired[i].pid);
		put_int(o, "configuration", s->retired[i].former);
		put_int(o, "sessions", s->retired[i].sessions);
		put_ago(o, "since_ms_ago", s->now, s->retired[i].since);
		json_array_append_new(list, o);
	}
	return list;
}

json_t *
status_build(const struct status_source *s)
{
	json_t *o = json_object(), *instances = json_array(), *groups = json_array(),
	       *scripts = json_array(), *frontends = json_array(), *backends = json_array();

	for (uint32_t i = 0; i < s->conf->instances_n; i++)
		json_array_append_new(instances, build_instance(s, i));
	for (uint32_t i = 0; i < s->conf->groups_n; i++)
		json_array_append_new(groups, build_group(s, i));
	for (uint32_t i = 0; i < s->conf->scripts_n; i++)
		json_array_append_new(scripts, build_script(s, i));
	for (uint32_t i = 0; s->proxy && i < s->conf->proxies_n; i++) {
		if (s->conf->proxies[i].caps & CONF_CAP_FRONT)
			json_array_append_new(frontends, build_frontend(s, i));
		if (s->conf->proxies[i].caps & CONF_CAP_BACK)
			json_array_append_new(backends, build_backend(s, i));
	}

	put_text(o, "node", s->conf->node);
	put_text(o, "version", TANDEM_VERSION);
	put_text(o, "phase", s->phase);
	put_int(o, "guardian_pid", s->guardian_pid);
	put_int(o, "worker_pid", s->worker_pid);
	json_object_set_new(o, "former_workers", build_former(s));
	put_ago(o, "uptime_ms", s->now, s->started);
	put_int(o, "at_ms", s->wall_ms);
	json_object_set_new(o, "instances", instances);
	json_object_set_new(o, "groups", groups);
	json_object_set_new(o, "scripts", scripts);
	json_object_set_new(o, "proxy", s->proxy ? build_proxy(s) : json_null());
	json_object_set_new(o, "frontends", frontends);
	json_object_set_new(o, "backends", backends);
	json_object_set_new(o, "transitions", build_transitions(s, STATUS_TRANSITIONS));
	return o;
}

json_t *
status_history(const struct status_source *s)
{
	json_t *o = json_object();

	put_text(o, "node", s->conf->node);
	put_text(o, "version", TANDEM_VERSION);
	put_int(o, "at_ms", s->wall_ms);
	put_int(o, "total", s->journal ? (int64_t)s->journal->total : 0);
	json_object_set_new(o, "transitions", build_transitions(s, JOURNAL_SIZE));
	return o;
}
