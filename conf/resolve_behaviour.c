/*
 * resolve_behaviour.c - what vrrp_* of global_defs and strict_mode leave of an instance's directives.
 */
#include "conf/behaviour.h"
#include "conf/parser.h"

#include <string.h>

static bool
is_given_globally(const struct conf_parser *p, const char *name)
{
	return parser_given(p, p->global_defs_given, name) != NULL;
}

/* keepalived's: vrrp_garp_lower_prio_* follow vrrp_garp_master_*, both what vrrp_min_garp says. */
void
resolve_defaults(struct conf_parser *p)
{
	struct conf_instance *defaults = &p->instance_defaults;

	if (p->conf->min_garp && !is_given_globally(p, "vrrp_garp_master_delay"))
		defaults->garp_master_delay_ms = 0;
	if (p->conf->min_garp && !is_given_globally(p, "vrrp_garp_master_repeat"))
		defaults->garp_master_repeat = 1;
	if (!is_given_globally(p, "vrrp_garp_lower_prio_delay"))
		defaults->garp_lower_prio_delay_ms = defaults->garp_master_delay_ms;
	if (!is_given_globally(p, "vrrp_garp_lower_prio_repeat"))
		defaults->garp_lower_prio_repeat = defaults->garp_master_repeat;
}

static void
take_defaults(struct conf_parser *p, struct conf_instance *instance,
	      const struct instance_draft *draft)
{
	for (size_t i = 0; i < table_instance.rows_n; i++) {
		const struct conf_row *row = &table_instance.rows[i];

		if (row->flags & ROW_GLOBAL && !parser_given(p, draft->given, row->name))
			memcpy((char *)instance + row->offset,
			       (char *)&p->instance_defaults + row->offset, row->size);
	}
}

static void
warn_strict(struct conf_parser *p, const struct conf_instance *instance,
	    const struct instance_draft *draft, const char *word, const char *what)
{
	const struct conf_pos *pos = parser_given(p, draft->given, word);

	conf_warning(&p->reporter, pos ? *pos : instance->pos, "strict mode: %s", what);
}

/* A frontend that serves at one of the addresses, or NULL. */
static const struct conf_proxy *
find_frontend(const struct conf *conf, const struct conf_instance *instance)
{
	for (size_t i = 0; i < conf->proxies_n; i++)
		for (size_t b = 0; b < conf->proxies[i].binds_n && !conf->proxies[i].disabled;
		     b++) {
			struct ip ip = sock_addr_ip(&conf->proxies[i].binds[b].address);

			if (ip_is_any(&ip) && instance->vips_n > 0)
				return &conf->proxies[i];
			for (size_t v = 0; ip.family != AF_UNSPEC && v < instance->vips_n; v++)
				if (ip_equal(&ip, &instance->vips[v].ip))
					return &conf->proxies[i];
		}
	return NULL;
}

/* A proxy needs the traffic: what strict_mode implies does not take it away, what is written does. */
static void
resolve_accept(struct conf_parser *p, struct conf_instance *instance,
	       const struct instance_draft *draft)
{
	const struct conf_pos *pos = parser_given(p, draft->given, "no_accept");
	const struct conf_proxy *frontend;

	/* The search asks every listener, which is long for a large file. */
	if (instance->accept != CONF_OFF && !instance->strict_mode)
		return;
	frontend = find_frontend(p->conf, instance);
	if (instance->accept == CONF_OFF && instance->priority == 255)
		conf_notice(&p->reporter, pos ? *pos : instance->pos,
			    "the owner of the addresses (priority 255) always accepts traffic");
	else if (instance->accept == CONF_OFF && frontend)
		conf_warning(&p->reporter, pos ? *pos : instance->pos,
			     "`no_accept` drops what clients send to `%.60s`: it cannot serve here",
			     frontend->name);
	if (!instance->strict_mode || instance->priority == 255)
		return;
	if (instance->accept == CONF_ON && instance->version == 2) {
		warn_strict(p, instance, draft, "accept",
			    "version 2 has no accept mode: `accept` is reset");
		instance->accept = CONF_UNSET;
	}
	if (instance->accept != CONF_UNSET)
		return;
	if (frontend)
		conf_warning(&p->reporter, instance->pos,
			     "strict mode would drop traffic to the virtual addresses, where "
			     "`%.60s` serves: it is accepted",
			     frontend->name);
	else
		instance->accept = CONF_OFF;
}

/*
 * What keepalived resets beside strict_mode is reset here, with the same result on the wire.  What it
 * refuses to start with is an error.
 */
static void
enforce_strictness(struct conf_parser *p, struct conf_instance *instance,
		   const struct instance_draft *draft)
{
	if (instance->vips_n == 0)
		conf_error(&p->reporter, instance->pos,
			   "strict mode: vrrp_instance `%.60s` needs a virtual address",
			   instance->name);
	else if (instance->family == AF_INET6 && !ip_is_link_local(&instance->vips[0].ip))
		conf_error(&p->reporter, instance->vips[0].pos,
			   "strict mode: the first IPv6 address must be link-local");
	if (instance->state == CONF_STATE_MASTER && instance->priority != 255)
		warn_strict(p, instance, draft, "state",
			    "`state MASTER` is for the owner of the addresses (priority 255)");
	if (instance->unicast_peers_n > 0)
		warn_strict(p, instance, draft, "unicast_peer",
			    "the RFCs know no unicast; it is used all the same, as by keepalived");
	if (instance->auth != CONF_AUTH_NONE)
		warn_strict(p, instance, draft, "authentication",
			    "no authentication: it is ignored, as by keepalived");
	instance->auth = CONF_AUTH_NONE;
	memset(instance->auth_data, 0, sizeof instance->auth_data);
	if (instance->preempt_delay_ms)
		warn_strict(p, instance, draft, "preempt_delay", "no `preempt_delay`: it is reset");
	instance->preempt_delay_ms = 0;
	if (conf_down_adverts(instance) != 3)
		warn_strict(p, instance, draft, "down_timer_adverts",
			    "three intervals: `down_timer_adverts` is reset");
	instance->down_timer_adverts = 3;
	if (instance->lower_prio_no_advert == CONF_OFF)
		warn_strict(p, instance, draft, "lower_prio_no_advert",
			    "a lower priority is not answered: `lower_prio_no_advert` is reset");
	instance->lower_prio_no_advert = CONF_ON;
	if (instance->higher_prio_send_advert == CONF_ON)
		warn_strict(
			p, instance, draft, "higher_prio_send_advert",
			"a higher priority is not answered: `higher_prio_send_advert` is reset");
	instance->higher_prio_send_advert = CONF_OFF;
	instance->owner_ignore_adverts = true;
	if (parser_given(p, draft->given, "garp_lower_prio_repeat") &&
	    instance->garp_lower_prio_repeat)
		warn_strict(p, instance, draft, "garp_lower_prio_repeat",
			    "no announcements on a lower priority: it is reset");
	instance->garp_lower_prio_repeat = 0;
	if (instance->vmac_xmit_base)
		warn_strict(p, instance, draft, "vmac_xmit_base",
			    "advertisements leave from the virtual MAC: `vmac_xmit_base` is reset");
	instance->vmac_xmit_base = false;
}

void
resolve_behaviour(struct conf_parser *p, struct conf_instance *instance,
		  const struct instance_draft *draft)
{
	take_defaults(p, instance, draft);
	resolve_accept(p, instance, draft);
	if (instance->strict_mode)
		enforce_strictness(p, instance, draft);
}
