/*
 * test_conf_model.c - what configurations mean: the fields of the model.
 */
#include "conf/load.h"

#include "cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct conf_report report;

static const struct conf *
load_as(const char *node, const char *text)
{
	const struct conf_source source = { "test", text, strlen(text) };
	const struct conf_options options = { .node = node };

	return conf_load(arena, &source, 1, &options, &report);
}

static const struct conf *
load(const char *text)
{
	const struct conf *conf = load_as("lb1", text);

	if (report.errors) {
		conf_report_print(stderr, conf, &report, false);
		fail();
	}
	return conf;
}

static void
is_ip(const struct ip *ip, const char *text)
{
	char buf[IP_STRLEN];

	assert_string_equal(ip_format(ip, buf), text);
}

#define PROXY                                                 \
	"frontend main\n\tbind *:80\n\tdefault_backend app\n" \
	"backend app\n\tbalance roundrobin\n"                 \
	"\tserver app1 10.0.0.21:80 check\n\tserver app2 10.0.0.22:80 check\n"

/* The shape of a French course on a web cluster: multicast, brd and scope, a script. */
static void
web_cluster(void **state)
{
	const struct conf *conf = load("vrrp_script reload_haproxy {\n"
				       "        script \"killall -0 haproxy\"\n"
				       "        interval 1\n"
				       "}\n"
				       "vrrp_instance VI_1 {\n"
				       "   virtual_router_id 100\n"
				       "   state MASTER\n"
				       "   priority 100\n"
				       "   advert_int 1\n"
				       "   lvs_sync_daemon_interface eth1\n"
				       "   interface eth1\n"
				       "   authentication {\n"
				       "        auth_type PASS\n"
				       "        auth_pass secret\n"
				       "   }\n"
				       "   virtual_ipaddress {\n"
				       "        10.0.0.10/32 brd 10.0.0.255 scope global\n"
				       "   }\n"
				       "   track_script { \n"
				       "       reload_haproxy \n"
				       "   }\n"
				       "}\n" PROXY);
	const struct conf_instance *instance = &conf->instances[0];
	const struct conf_proxy *main_ = &conf->proxies[0], *app = &conf->proxies[1];

	assert_int_equal(report.warnings, 0);
	assert_int_equal(report.notices, 2);
	assert_int_equal(conf->vip_lease_s, 3);
	assert_int_equal(conf->watchdog_ms, 500);
	assert_string_equal(conf->router_id, "lb1");
	is_ip(&conf->mcast_group4, "224.0.0.18");

	assert_int_equal(conf->scripts_n, 1);
	assert_true(conf->scripts[0].replaced);
	assert_int_equal(conf->scripts[0].interval_ms, 1000);
	assert_int_equal(conf->scripts[0].rise, 1);
	assert_int_equal(conf->scripts[0].fall, 1);

	assert_int_equal(conf->instances_n, 1);
	assert_string_equal(instance->name, "VI_1");
	assert_int_equal(instance->state, CONF_STATE_MASTER);
	assert_string_equal(conf->interfaces[instance->interface].name, "eth1");
	assert_int_equal(instance->vrid, 100);
	assert_int_equal(instance->priority, 100);
	assert_int_equal(instance->version, 2);
	assert_int_equal(instance->advert_int_cs, 100);
	assert_int_equal(instance->nopreempt, CONF_PREEMPT);
	assert_int_equal(instance->auth, CONF_AUTH_PASS);
	assert_memory_equal(instance->auth_data, "secret\0", 8);
	assert_int_equal(instance->unicast_peers_n, 0);
	assert_int_equal(instance->garp_master_delay_ms, 5000);
	assert_int_equal(instance->garp_master_repeat, 5);
	assert_int_equal(instance->vips_n, 1);
	is_ip(&instance->vips[0].ip, "10.0.0.10");
	assert_int_equal(instance->vips[0].prefix_len, 32);
	assert_true(instance->vips[0].prefix_given);
	is_ip(&instance->vips[0].brd, "10.0.0.255");
	assert_int_equal(instance->vips[0].interface, instance->interface);
	assert_int_equal(instance->track[CONF_TRACK_SCRIPT].n, 1);
	assert_int_equal(instance->track[CONF_TRACK_SCRIPT].at[0].index, 0);
	assert_int_equal(instance->track_backends.n, 1);
	assert_int_equal(instance->track_backends.at[0].backend, 1);
	assert_int_equal(instance->track_backends.at[0].min, 1);
	assert_true(instance->track_backends.at[0].implied);

	assert_int_equal(conf->proxies_n, 2);
	assert_int_equal(main_->caps, CONF_CAP_FRONT);
	assert_int_equal(main_->binds_n, 1);
	assert_string_equal(main_->binds[0].text, "*:80");
	assert_int_equal(main_->binds[0].inherited_fd, -1);
	assert_int_equal(sock_addr_port(&main_->binds[0].address), 80);
	assert_int_equal(main_->default_backend, 1);
	assert_int_equal(app->caps, CONF_CAP_BACK);
	assert_int_equal(app->default_backend, CONF_NONE);
	assert_int_equal(app->retries, 3);
	assert_int_equal(app->servers_n, 2);
	assert_string_equal(app->servers[1].name, "app2");
	assert_true(app->servers[1].check);
	assert_int_equal(app->servers[1].id, 2);
	assert_int_equal(app->servers[1].port, 80);
	assert_int_equal(app->servers[1].inter_ms, 2000);
	assert_int_equal(app->servers[1].rise, 2);
	assert_int_equal(app->servers[1].fall, 3);
	assert_int_equal(app->servers[1].weight, 1);
}

/* Links of other interfaces that addresses and paths are on: each once, and none by a weight alone. */
static void
links_that_are_needed(void **state)
{
	const struct conf *conf = load(
		"vrrp_instance V {\n interface eth0\n virtual_router_id 1\n"
		" virtual_ipaddress {\n  10.0.0.10\n  10.0.1.10 dev eth1\n  10.0.1.11 dev eth1\n"
		"  10.0.2.10 dev eth2 no_track\n  10.0.3.10 dev eth3\n }\n"
		" virtual_routes {\n  10.1.0.0/24 dev eth4\n  10.2.0.0/24 dev eth5 no_track\n"
		"  10.3.0.0/24 nexthop via 10.0.0.1 dev eth6 nexthop via 10.0.0.2 dev eth7\n"
		"  10.4.0.0/24 via 10.0.0.1\n }\n"
		" virtual_rules {\n  iif eth8 oif eth9 table 7 preference 7\n"
		"  iif eth10 table 7 preference 8 no_track\n }\n"
		" track_interface {\n  eth1\n  eth3 weight -10\n }\n}\n");
	static const char *const names[] = { "eth1", "eth3", "eth3", "eth4", "eth8", "eth9" };
	const struct conf_track_list *list = &conf->instances[0].track[CONF_TRACK_INTERFACE];

	assert_int_equal(list->n, 6);
	for (size_t i = 0; i < list->n; i++) {
		assert_string_equal(conf->interfaces[list->at[i].index].name, names[i]);
		assert_int_equal(list->at[i].implied, i >= 2);
		assert_int_equal(list->at[i].weight, i == 1 ? -10 : 0);
	}
	assert_true(conf->instances[0].vips[3].no_track);
}

/* What a frontend may lead to counts, once; what it makes a name for, and what has no server, not. */
/* The ACL that the condition of a rule asks first. */
static const struct conf_acl *
asked(const struct conf_proxy *proxy, const struct conf_tcp_rule *rule)
{
	return &proxy->acls[rule->condition->any[0].terms[0].acl];
}

/* Before a section's own, with ACLs that it does not see; values are copied. */
static void
rules_of_defaults(void **state)
{
	const struct conf *conf = load(
		"defaults d\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"
		" acl a src 10.0.0.1\n tcp-request inspect-delay 3s\n"
		" tcp-request connection reject if a\n"
		" tcp-request content capture src len 4\n"
		" tcp-request content silent-drop if { dst 10.0.0.2 }\n"
		"frontend f from d\n bind *:1\n acl a dst_port 7\n"
		" tcp-request connection accept if a\n tcp-request content capture dst len 5\n"
		"frontend g from d\n bind *:2\n"
		"defaults e\n timeout connect 1s\n timeout server 1s\n tcp-response content reject\n"
		"backend b from e\n tcp-response content accept\n"
		"defaults\n timeout connect 1s\n timeout server 1s\nbackend c\n");
	const struct conf_proxy *f = &conf->proxies[0], *g = &conf->proxies[1];
	const struct conf_proxy *b = &conf->proxies[2], *c = &conf->proxies[3];
	const struct conf_tcp_rule *rules = f->connection_rules.list;

	assert_int_equal(f->connection_rules.n, 2);
	assert_int_equal(rules[0].action, CONF_ACTION_REJECT);
	assert_int_equal(asked(f, &rules[0])->lines[0].patterns.ip4_n, 1);
	assert_int_equal(rules[1].action, CONF_ACTION_ACCEPT);
	assert_int_equal(asked(f, &rules[1])->lines[0].patterns.numbers_n, 1);
	assert_string_equal(asked(f, &rules[1])->name, "a");
	rules = f->request_rules.list;
	assert_int_equal(f->request_rules.n, 3);
	assert_int_equal(rules[0].level, 4);
	assert_int_equal(rules[1].action, CONF_ACTION_SILENT_DROP);
	assert_int_equal(asked(f, &rules[1])->lines[0].patterns.ip4_n, 1);
	assert_int_equal(rules[2].level, 5);
	assert_true(rules[0].variable != rules[2].variable);

	assert_int_equal(g->connection_rules.n, 1);
	assert_int_equal(g->request_rules.n, 2);
	assert_int_equal(g->inspect_request_ms, 3000);
	assert_ptr_equal(g->defaults, f->defaults);
	assert_int_equal(b->request_rules.n, 0);
	assert_int_equal(b->response_rules.n, 2);
	assert_int_equal(b->response_rules.list[0].action, CONF_ACTION_REJECT);
	assert_string_equal(b->defaults->name, "e");
	assert_null(c->defaults);
	assert_int_equal(c->acls_n + c->response_rules.n, 0);
}

static void
backends_that_are_tracked(void **state)
{
	const struct conf *conf =
		load("vrrp_instance V {\n interface eth0\n virtual_router_id 1\n"
		     " virtual_ipaddress {\n  10.0.0.10\n }\n}\n"
		     "defaults\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"
		     "frontend f\n bind 10.0.0.10:80\n use_backend b if { src 10.0.0.1 }\n"
		     " use_backend b if { src 10.0.0.2 }\n use_backend none if { src 10.0.0.3 }\n"
		     " use_backend %[fe_name]\n default_backend a\n"
		     "frontend elsewhere\n bind 10.0.0.11:80\n use_backend c\n"
		     "backend a\n server s 10.0.1.1:80\nbackend b\n server s 10.0.1.2:80\n"
		     "backend c\n server s 10.0.1.3:80\nbackend none\n");
	const struct conf_instance *instance = &conf->instances[0];

	assert_int_equal(instance->track_backends.n, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct conf_track_backend *at = &instance->track_backends.at[i];

		assert_string_equal(conf->proxies[at->backend].name, i ? "b" : "a");
		assert_true(at->implied);
	}
}

/* … and a virtual interface is as much up as the one it is on. */
static void
links_below_virtual_interfaces(void **state)
{
	const struct conf *conf =
		load("vrrp_instance V {\n interface eth0\n virtual_router_id 1\n use_vmac\n"
		     " virtual_ipaddress {\n  10.0.0.10\n  10.0.1.10 dev eth1 use_vmac\n }\n}\n");
	const struct conf_track_list *list = &conf->instances[0].track[CONF_TRACK_INTERFACE];

	assert_int_equal(list->n, 1);
	assert_string_equal(conf->interfaces[list->at[0].index].name, "eth1");
}

/* The shape of one pair of several regions: weights and notify scripts, a long password. */
static void
region_pair(void **state)
{
	const struct conf *conf = load("vrrp_script chk_haproxy {\n"
				       "    script \"killall -0 haproxy\"\n"
				       "    interval 2\n    weight 2\n    fall 2\n    rise 2\n}\n"
				       "vrrp_instance VI_1 {\n"
				       "    state MASTER          # comment\n"
				       "    interface eth0\n"
				       "    virtual_router_id 51  # comment\n"
				       "    priority 101\n\n"
				       "    advert_int 1\n"
				       "    authentication {\n"
				       "        auth_type PASS\n"
				       "        auth_pass secretpassword\n    }\n\n"
				       "    virtual_ipaddress {\n"
				       "        10.0.1.100/24     # comment\n    }\n"
				       "    track_script {\n        chk_haproxy\n    }\n"
				       "    notify_master \"/etc/keepalived/master.sh\"\n"
				       "    notify_backup \"/etc/keepalived/backup.sh\"\n"
				       "    notify_fault \"/etc/keepalived/fault.sh\"\n"
				       "}\n");
	const struct conf_instance *instance = &conf->instances[0];

	/* Without a listener the script asks for a real haproxy. */
	assert_false(conf->scripts[0].replaced);
	assert_int_equal(conf->scripts[0].weight, 2);
	assert_int_equal(conf->scripts[0].rise, 2);
	assert_int_equal(conf->scripts[0].fall, 2);
	assert_int_equal(conf->scripts[0].interval_ms, 2000);
	assert_memory_equal(instance->auth_data, "secretpa", 8);
	assert_int_equal(report.warnings, 1);
	assert_int_equal(instance->vips[0].prefix_len, 24);
	assert_string_equal(instance->notify.master.line, "/etc/keepalived/master.sh");
	assert_string_equal(instance->notify.backup.line, "/etc/keepalived/backup.sh");
	assert_string_equal(instance->notify.fault.line, "/etc/keepalived/fault.sh");
	assert_null(instance->notify.stop.line);
	assert_int_equal(instance->track_backends.n, 0);
}

/* The shape of a pair without multicast; its three quotes make no password. */
static void
unicast_pair(void **state)
{
	const struct conf *conf = load("vrrp_script chk_haproxy {\n"
				       "    script 'killall -0 haproxy' # faster than pidof\n"
				       "    interval 2\n}\n"
				       "vrrp_instance VI_1 {\n"
				       "  state BACKUP\n  interface eth0\n"
				       "  virtual_router_id 55\n  priority 150\n  advert_int 1\n"
				       "  unicast_src_ip 192.0.2.11\n"
				       "  unicast_peer {\n    192.0.2.12\n  }\n"
				       "  authentication {\n    auth_type PASS\n"
				       "    auth_pass \"\"\"INSERT PASSWORD HERE\"\"\"\n  }\n"
				       "  virtual_ipaddress {\n    192.0.2.10\n  }\n"
				       "  track_script {\n    chk_haproxy\n  }\n}\n" PROXY);
	const struct conf_instance *instance = &conf->instances[0];

	assert_string_equal(conf->scripts[0].command, "killall -0 haproxy");
	assert_true(conf->scripts[0].replaced);
	is_ip(&instance->unicast_src, "192.0.2.11");
	assert_int_equal(instance->unicast_peers_n, 1);
	is_ip(&instance->unicast_peers[0].ip, "192.0.2.12");
	assert_int_equal(instance->auth, CONF_AUTH_NONE);
	assert_int_equal(instance->vips[0].prefix_len, 32);
	assert_false(instance->vips[0].prefix_given);
}

/* One file for both nodes. */
static void
both_nodes(void **state)
{
	static const char text[] = "vrrp_instance VI_1 {\n  interface eth0\n"
				   "  virtual_router_id 55\n"
				   "  @lb1 priority 150\n  @lb2 priority 100\n"
				   "  virtual_ipaddress { 10.0.0.10 }\n}\n";

	assert_int_equal(load_as("lb1", text)->instances[0].priority, 150);
	assert_int_equal(load_as("lb2", text)->instances[0].priority, 100);
	assert_int_equal(load_as("lb3", text)->instances[0].priority, 100);
}

static void
versions(void **state)
{
	const struct conf *conf = load("vrrp_instance A {\n interface e\n virtual_router_id 1\n"
				       " advert_int 0.01\n}\n"
				       "vrrp_instance B {\n interface e\n virtual_router_id 2\n"
				       " version 2\n advert_int 1.6\n}\n"
				       "vrrp_instance C {\n interface e\n virtual_router_id 3\n"
				       " version 2\n advert_int 0.2\n}\n"
				       "global_defs {\n vrrp_version 3\n watchdog 10\n"
				       " vrrp_garp_master_repeat 9\n}\n");

	assert_int_equal(conf->instances[0].version, 3);
	assert_int_equal(conf->instances[0].advert_int_cs, 1);
	assert_int_equal(conf->instances[0].garp_master_repeat, 9);
	assert_int_equal(conf->instances[1].version, 2);
	assert_int_equal(conf->instances[1].advert_int_cs, 200);
	assert_int_equal(conf->instances[2].advert_int_cs, 100);
}

/* An advertisement's count of addresses is one octet. */
static void
many_addresses(void **state)
{
	char text[20000] = "vrrp_instance A {\n interface e\n virtual_router_id 1\n"
			   " virtual_ipaddress_excluded { 10.9.9.9 }\n virtual_ipaddress {\n";
	const struct conf_instance *instance;

	for (int i = 0; i < 300; i++)
		sprintf(text + strlen(text), "10.1.%d.%d\n", i / 200, i % 200 + 1);
	strcat(text, "}\n}\n");
	instance = &load(text)->instances[0];
	assert_int_equal(instance->vips_n, 301);
	assert_false(instance->vips[254].excluded);
	assert_true(instance->vips[255].excluded);
	is_ip(&instance->vips[255].ip, "10.9.9.9");
	is_ip(&instance->vips[256].ip, "10.1.1.56");
}

static void
defaults_and_servers(void **state)
{
	const struct conf *conf = load("defaults\n timeout client 1m\n timeout server 2m\n"
				       " retries 5\n option tcplog\n default-server inter 1s\n"
				       "listen a\n bind 10.0.0.1:80-82,[::1]:83\n"
				       " server s1 web:+10 weight 0 id 2\n server s2 10.0.0.2\n"
				       " server s3 /run/s\n"
				       "defaults\n retries 6\n"
				       "backend b\n server s1 10.0.0.3:1 inter 3s\n");
	const struct conf_proxy *a = &conf->proxies[0], *b = &conf->proxies[1];

	assert_int_equal(a->binds_n, 4);
	assert_string_equal(a->binds[2].text, "10.0.0.1:82");
	assert_int_equal(sock_addr_port(&a->binds[3].address), 83);
	assert_int_equal(a->default_backend, 0);
	assert_int_equal(a->timeout_client_ms, 60000);
	assert_int_equal(a->timeout_server_ms, 120000);
	assert_int_equal(a->retries, 5);
	assert_true(a->tcplog);
	assert_int_equal(a->servers[0].inter_ms, 1000);
	assert_int_equal(a->servers[0].weight, 0);
	assert_int_equal(a->servers[0].id, 2);
	assert_int_equal(a->servers[1].id, 4);
	assert_int_equal(a->servers[2].id, 3);
	assert_int_equal(a->servers[0].address.len, 0);
	assert_string_equal(a->servers[0].host, "web");
	assert_true(a->servers[0].port_relative);
	assert_int_equal(a->servers[0].port_offset, 10);
	assert_true(a->servers[1].port_relative);
	assert_int_equal(a->servers[2].address.any.sa_family, AF_UNIX);
	assert_int_equal(b->timeout_server_ms, 0);
	assert_int_equal(b->retries, 6);
	assert_int_equal(b->servers[0].inter_ms, 3000);
}

static bool
local(const struct ip *ip)
{
	char buf[IP_STRLEN];

	return strcmp(ip_format(ip, buf), "10.0.0.11") == 0;
}

/* A bind address that is neither local nor virtual is probably a typing error. */
static void
strange_bind(void **state)
{
	static const char text[] = "vrrp_instance A {\n interface e\n virtual_router_id 1\n"
				   " virtual_ipaddress { 10.0.0.10 }\n}\n"
				   "listen a\n bind 10.0.0.10:80\n bind 10.0.0.11:80\n bind *:81\n"
				   " bind 10.0.0.12:80\n server s 10.0.0.21:80\n";
	const struct conf_source source = { "test", text, sizeof text - 1 };
	const struct conf_options options = { .node = "lb1", .is_local = local };

	conf_load(arena, &source, 1, &options, &report);
	assert_int_equal(report.errors, 0);
	assert_int_equal(report.warnings, 1);
	assert_int_equal(report.messages[0].pos.line, 10);
	assert_int_equal(report.messages[0].pos.column, 7);
}

/* Only 10.0.0.0/24 is on "e". */
static bool
foreign(const char *interface, const struct ip *ip)
{
	char buf[IP_STRLEN];

	return strcmp(interface, "e") == 0 && strncmp(ip_format(ip, buf), "10.0.0.", 7) != 0;
}

/* An address nobody on the wire asks for; one that brings its network along is fine. */
static void
strange_addresses(void **state)
{
	static const char text[] = "vrrp_instance A {\n interface e\n virtual_router_id 1\n"
				   " unicast_peer {\n  10.0.0.11\n }\n"
				   " virtual_ipaddress {\n  10.0.0.10\n  10.1.0.10\n"
				   "  10.1.0.11/24\n  10.1.0.12 dev f\n }\n}\n";
	const struct conf_source source = { "test", text, sizeof text - 1 };
	const struct conf_options options = { .node = "lb1",
					      .is_local = local,
					      .is_foreign = foreign };

	conf_load(arena, &source, 1, &options, &report);
	assert_int_equal(report.errors, 0);
	assert_int_equal(report.warnings, 2);
	assert_int_equal(report.messages[0].pos.line, 4);
	assert_int_equal(report.messages[1].pos.line, 9);
}

static void
no_sources(void **state)
{
	const struct conf_options options = { .maxconn = 7 };
	const struct conf *conf = conf_load(arena, NULL, 0, &options, &report);

	assert_int_equal(report.messages_n, 0);
	assert_int_equal(conf->maxconn, 7);
	assert_non_null(conf->node);
	assert_false(conf_has_listener(conf));
}

/* Everything is said, and in order. */
static void
messages_in_order(void **state)
{
	const struct conf_source sources[] = {
		{ "a", "backend x\n server s 10.0.0.1:x\n bogus\n", 38 },
		{ "b", "vrrp_instance V {\n track_script { none }\n}\nbogus\n", 48 },
	};
	const struct conf_options options = { .node = "lb1" };

	conf_load(arena, sources, 2, &options, &report);
	assert_true(report.errors >= 5);
	for (size_t i = 1; i < report.messages_n; i++) {
		struct conf_pos a = report.messages[i - 1].pos, b = report.messages[i].pos;

		assert_true(a.source < b.source || (a.source == b.source && a.line <= b.line));
	}
}

static int
setup(void **state)
{
	arena = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	arena_free(arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(web_cluster),
		cmocka_unit_test(links_that_are_needed),
		cmocka_unit_test(links_below_virtual_interfaces),
		cmocka_unit_test(region_pair),
		cmocka_unit_test(unicast_pair),
		cmocka_unit_test(both_nodes),
		cmocka_unit_test(versions),
		cmocka_unit_test(many_addresses),
		cmocka_unit_test(defaults_and_servers),
		cmocka_unit_test(rules_of_defaults),
		cmocka_unit_test(backends_that_are_tracked),
		cmocka_unit_test(strange_bind),
		cmocka_unit_test(strange_addresses),
		cmocka_unit_test(no_sources),
		cmocka_unit_test(messages_in_order),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
