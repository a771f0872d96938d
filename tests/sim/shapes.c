/*
 * shapes.c - the configurations of the nodes: text through the real parser, so that every default is
 * the product's; what a plan draws is then written over a copy.
 */
#include "sim.h"

#include "conf/load.h"

#include <string.h>

#define KINDS 4 /* version 2, the same with PASS, version 3, version 3 over IPv6 */

static struct arena *arena;
static const struct conf *shapes[KINDS][2][2][PLAN_NODES_MAX]; /* by kind, hmac, unicast, node */

static void
print_peers(FILE *out, bool v6, unsigned self)
{
	fprintf(out,
		v6 ? "unicast_src_ip fe80::%u\nunicast_peer {\n"
		   : "unicast_src_ip 10.0.0.%u\nunicast_peer {\n",
		11 + self);
	for (unsigned i = 0; i < PLAN_NODES_MAX; i++)
		if (i != self)
			fprintf(out, v6 ? "fe80::%u\n" : "10.0.0.%u\n", 11 + i);
	fprintf(out, "}\n");
}

static void
print_shape(FILE *out, unsigned kind, bool hmac, bool unicast, unsigned self)
{
	bool v6 = kind == 3;

	fprintf(out, "vrrp_script chk {\nscript \"/bin/true\"\nweight -20\n}\n"
		     "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\nadvert_int 1\n");
	fprintf(out, "version %u\n", kind < 2 ? 2 : 3);
	if (kind == 1)
		fprintf(out, "authentication {\nauth_type PASS\nauth_pass secret\n}\n");
	if (hmac)
		fprintf(out, "auth_hmac {\nkey 1 \"thirty-two characters, at least.\"\n}\n");
	if (unicast)
		print_peers(out, v6, self);
	fprintf(out, "virtual_ipaddress {\n%s\n}\n", v6 ? "fe80::10" : "10.0.0.10");
	fprintf(out, "track_script {\nchk\n}\ntrack_backend app\n}\n"
		     "backend app\nserver a 10.0.0.21:80 check\n");
}

static const struct conf *
load(unsigned kind, bool hmac, bool unicast, unsigned self)
{
	static char text[4096];
	FILE *out = fmemopen(text, sizeof text, "w");
	struct conf_source source = { .name = "shape", .text = text };
	struct conf_options options = { .node = "lb" };
	struct conf_report report;
	const struct conf *conf;

	print_shape(out, kind, hmac, unicast, self);
	fclose(out);
	source.len = strlen(text);
	conf = conf_load(arena, &source, 1, &options, &report);
	if (report.errors == 0)
		return conf;
	conf_report_print(stderr, conf, &report, true);
	return NULL;
}

bool
shapes_load(void)
{
	arena = arena_new();
	for (unsigned i = 0; i < KINDS * 4 * PLAN_NODES_MAX; i++) {
		unsigned self = i % PLAN_NODES_MAX, kind = i / PLAN_NODES_MAX / 4;
		bool unicast = i / PLAN_NODES_MAX % 2, hmac = i / PLAN_NODES_MAX / 2 % 2;

		shapes[kind][hmac][unicast][self] = load(kind, hmac, unicast, self);
		if (!shapes[kind][hmac][unicast][self])
			return false;
	}
	return true;
}

void
shapes_free(void)
{
	arena_free(arena);
}

void
shape_node(struct node *node, const struct plan *plan)
{
	const struct plan_node *drawn = &plan->nodes[node->index];
	unsigned kind = plan->family == AF_INET6 ? 3 : plan->version == 3 ? 2 : plan->pass;
	const struct conf *shape = shapes[kind][plan->hmac][plan->unicast][node->index];
	struct conf_instance *instance = &node->instance;
	struct conf_track_list *scripts = &instance->track[CONF_TRACK_SCRIPT];
	char text[IP_STRLEN];

	node->conf = *shape;
	node->conf.instances = instance;
	node->conf.vip_lease_s = plan->lease_s;
	node->conf.watchdog_ms = plan->watchdog_ms;
	node->conf.startup_delay_ms = plan->startup_delay_ms;
	*instance = shape->instances[0];
	instance->priority = drawn->priority;
	instance->advert_int_cs = drawn->advert_int_cs;
	instance->nopreempt = drawn->nopreempt;
	instance->preempt_delay_ms = drawn->preempt_delay_ms;
	instance->down_timer_adverts = plan->down_adverts;
	instance->lower_prio_no_advert = plan->lower_prio_no_advert;
	instance->higher_prio_send_advert = plan->higher_prio_send_advert;
	if (plan->unicast) /* the first ones: all others among so many nodes */
		instance->unicast_peers_n = plan->nodes_n - 1;
	node->track_script = scripts->at[0];
	node->track_script.weight = drawn->weight;
	scripts->at = &node->track_script;
	scripts->n = drawn->track == PLAN_TRACK_SCRIPT;
	node->track_backend = instance->track_backends.at[0];
	node->track_backend.weight = drawn->weight;
	instance->track_backends.at = &node->track_backend;
	instance->track_backends.n = drawn->track == PLAN_TRACK_BACKEND;
	snprintf(text, sizeof text, plan->family == AF_INET6 ? "fe80::%u" : "10.0.0.%u",
		 11 + node->index);
	ip_parse(text, &node->address);
}
