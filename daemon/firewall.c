/*
 * firewall.c - see firewall.h.  Runs on the guardian's loop.
 *
 * Each change is one transaction, which the kernel answers before the send returns: nothing is waited
 * for.
 */
#include "daemon/firewall.h"

#include "common/log.h"
#include "conf/behaviour.h"
#include "daemon/estate.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/ip.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SET      "vips"
#define SET_ID   1
#define PRIORITY (-1) /* before the host's own filter */
#define BUFFER   (64 * 1024)
#define CHUNK    256 /* addresses in a transaction: 28 octets each */

/* What differs between the families; the last two are nft's names of the types, for its listing. */
static const struct family {
	uint8_t af;
	uint32_t nfproto, width, source, destination, type;
} families[IP_FAMILIES] = {
	{ AF_INET, NFPROTO_IPV4, 4, offsetof(struct iphdr, saddr), offsetof(struct iphdr, daddr),
	  7 },
	{ AF_INET6, NFPROTO_IPV6, 16, offsetof(struct ip6_hdr, ip6_src),
	  offsetof(struct ip6_hdr, ip6_dst), 8 },
};

/* ---- one transaction ---- */

struct transaction {
	struct firewall *firewall;
	const struct family *family;
	struct mnl_nlmsg_batch *batch;
	int error;
};

static char buffer[BUFFER + BUFFER / 4];

static void
advance(struct transaction *t)
{
	if (!mnl_nlmsg_batch_next(t->batch))
		t->error = -EMSGSIZE;
}

static void
begin(struct transaction *t, struct firewall *firewall, const struct family *family)
{
	*t = (struct transaction){ .firewall = firewall, .family = family };
	t->batch = mnl_nlmsg_batch_start(buffer, BUFFER);
	if (!t->batch) {
		t->error = -ENOMEM;
		return;
	}
	nftnl_batch_begin(mnl_nlmsg_batch_current(t->batch), firewall->seq++);
	advance(t);
}

static struct nlmsghdr *
message(struct transaction *t, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(t->batch), type,
				     (uint16_t)t->family->nfproto, (uint16_t)(flags | NLM_F_ACK),
				     t->firewall->seq++);
}

/* The kernel's answers to what was sent: 0, or the first error. */
static int
read_answers(struct firewall *firewall)
{
	char answers[8192];
	int error = 0;
	ssize_t n;

	while ((n = recv(mnl_socket_get_fd(firewall->nl), answers, sizeof answers, MSG_DONTWAIT)) >
	       0) {
		const struct nlmsghdr *nlh = (const void *)answers;
		int len = (int)n;

		for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

			if (nlh->nlmsg_type == NLMSG_ERROR && e->error && !error)
				error = e->error;
		}
	}
	return error;
}

static int
commit(struct transaction *t)
{
	struct firewall *firewall = t->firewall;
	int r = t->error;

	if (!t->batch)
		return r;
	if (r == 0) {
		nftnl_batch_end(mnl_nlmsg_batch_current(t->batch), firewall->seq++);
		advance(t);
		r = t->error;
	}
	if (r == 0 && mnl_socket_sendto(firewall->nl, mnl_nlmsg_batch_head(t->batch),
					mnl_nlmsg_batch_size(t->batch)) < 0)
		r = -errno;
	if (r == 0)
		r = read_answers(firewall);
	mnl_nlmsg_batch_stop(t->batch);
	return r;
}

/* ---- the tables ---- */

static void
put_table(struct transaction *t)
{
	struct nftnl_table *table = nftnl_table_alloc();

	if (!table) {
		t->error = -ENOMEM;
		return;
	}
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, t->firewall->table);
	nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);
	nftnl_table_nlmsg_build_payload(message(t, NFT_MSG_NEWTABLE, NLM_F_CREATE), table);
	advance(t);
	nftnl_table_free(table);
}

static void
put_chain(struct transaction *t, const char *name, uint32_t hook)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!chain) {
		t->error = -ENOMEM;
		return;
	}
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, t->firewall->table);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, hook);
	nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, PRIORITY);
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	nftnl_chain_nlmsg_build_payload(message(t, NFT_MSG_NEWCHAIN, NLM_F_CREATE), chain);
	advance(t);
	nftnl_chain_free(chain);
}

static struct nftnl_set *
new_set(const struct firewall *firewall, const struct family *family)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set)
		return NULL;
	nftnl_set_set_str(set, NFTNL_SET_TABLE, firewall->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, SET);
	nftnl_set_set_u32(set, NFTNL_SET_ID, SET_ID);
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, family->nfproto);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, family->type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, family->width);
	return set;
}

static void
put_set(struct transaction *t)
{
	struct nftnl_set *set = new_set(t->firewall, t->family);

	if (!set) {
		t->error = -ENOMEM;
		return;
	}
	nftnl_set_nlmsg_build_payload(message(t, NFT_MSG_NEWSET, NLM_F_CREATE), set);
	advance(t);
	nftnl_set_free(set);
}

static struct nftnl_expr *
add_expr(struct nftnl_rule *rule, const char *kind)
{
	struct nftnl_expr *e = nftnl_expr_alloc(kind);

	if (e)
		nftnl_rule_add_expr(rule, e);
	return e;
}

static bool
load(struct nftnl_rule *rule, uint32_t base, uint32_t offset, uint32_t len)
{
	struct nftnl_expr *e = add_expr(rule, "payload");

	if (!e)
		return false;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	return true;
}

static bool
compare(struct nftnl_rule *rule, uint32_t how, uint8_t value)
{
	struct nftnl_expr *e = add_expr(rule, "cmp");

	if (!e)
		return false;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, how);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, &value, sizeof value);
	return true;
}

static bool
conclude(struct nftnl_rule *rule, uint32_t verdict)
{
	struct nftnl_expr *e = add_expr(rule, "immediate");

	if (!e)
		return false;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, verdict);
	return true;
}

/* "icmpv6 type 135-136 accept": or nobody could find the VIP to route through it. */
static bool
pass_discovery(struct nftnl_rule *rule)
{
	struct nftnl_expr *e = add_expr(rule, "meta");

	if (!e)
		return false;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_L4PROTO);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
	return compare(rule, NFT_CMP_EQ, IPPROTO_ICMPV6) &&
	       load(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1) &&
	       compare(rule, NFT_CMP_GTE, ND_NEIGHBOR_SOLICIT) &&
	       compare(rule, NFT_CMP_LTE, ND_NEIGHBOR_ADVERT) && conclude(rule, NF_ACCEPT);
}

/* "ip daddr @vips drop" */
static bool
drop_vips(struct nftnl_rule *rule, const struct family *family, uint32_t offset)
{
	struct nftnl_expr *e;

	if (!load(rule, NFT_PAYLOAD_NETWORK_HEADER, offset, family->width))
		return false;
	e = add_expr(rule, "lookup");
	if (!e)
		return false;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, SET);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, SET_ID);
	return conclude(rule, NF_DROP);
}

/* discovery: the rule that lets it pass; else the one that drops by the address at `offset`. */
static void
put_rule(struct transaction *t, const char *chain, bool discovery, uint32_t offset)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	bool ok = rule;

	if (ok) {
		nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, t->firewall->table);
		nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
		nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, t->family->nfproto);
		ok = discovery ? pass_discovery(rule) : drop_vips(rule, t->family, offset);
	}
	if (ok) {
		nftnl_rule_nlmsg_build_payload(
			message(t, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND), rule);
		advance(t);
	} else {
		t->error = -ENOMEM;
	}
	nftnl_rule_free(rule);
}

static int
make_table(struct firewall *firewall, const struct family *family)
{
	struct transaction t;

	begin(&t, firewall, family);
	if (t.error == 0) {
		put_table(&t);
		put_set(&t);
		put_chain(&t, "in", NF_INET_LOCAL_IN);
		put_chain(&t, "out", NF_INET_LOCAL_OUT);
		if (family->af == AF_INET6) {
			put_rule(&t, "in", true, 0);
			put_rule(&t, "out", true, 0);
		}
		put_rule(&t, "in", false, family->destination);
		put_rule(&t, "out", false, family->source);
	}
	return commit(&t);
}

/* ---- the addresses ---- */

/* Up to CHUNK of the instance's addresses of a family, from *next on. */
static struct nftnl_set *
elements(const struct firewall *firewall, const struct conf_instance *c,
	 const struct family *family, size_t *next)
{
	struct nftnl_set *set = new_set(firewall, family);
	bool any = false;

	for (size_t n = 0; set && *next < c->vips_n && n < CHUNK; (*next)++) {
		const struct ip *ip = &c->vips[*next].ip;
		struct nftnl_set_elem *e;

		if (ip->family != family->af)
			continue;
		e = nftnl_set_elem_alloc();
		if (!e)
			break;
		nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, ip->bytes, family->width);
		nftnl_set_elem_add(set, e);
		any = true;
		n++;
	}
	if (set && !any) {
		nftnl_set_free(set);
		return NULL;
	}
	return set;
}

static int
change(struct firewall *firewall, uint32_t instance, uint16_t type)
{
	const struct conf_instance *c = &firewall->conf->instances[instance];
	int r = 0;

	for (size_t f = 0; f < IP_FAMILIES; f++) {
		struct nftnl_set *set;
		size_t next = 0;

		while (r == 0 && (set = elements(firewall, c, &families[f], &next))) {
			struct transaction t;

			begin(&t, firewall, &families[f]);
			if (t.error == 0) {
				nftnl_set_elems_nlmsg_build_payload(
					message(&t, type,
						type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0),
					set);
				advance(&t);
			}
			r = commit(&t);
			nftnl_set_free(set);
		}
	}
	return r;
}

static void
complain(int error)
{
	log_error("no_accept: nftables refuses its rules (%s): virtual addresses accept traffic",
		  strerror(-error));
}

void
firewall_close(struct firewall *firewall, uint32_t instance)
{
	int r = 0;

	if (!firewall->nl || firewall->held[instance] ||
	    conf_accepts(&firewall->conf->instances[instance]))
		return;
	firewall->held[instance] = true;
	r = change(firewall, instance, NFT_MSG_NEWSETELEM);
	if (r < 0)
		complain(r);
}

void
firewall_open(struct firewall *firewall, uint32_t instance)
{
	int r = 0;

	if (!firewall->nl || !firewall->held[instance])
		return;
	firewall->held[instance] = false;
	r = change(firewall, instance, NFT_MSG_DELSETELEM);
	if (r < 0)
		log_warning("no_accept: nftables keeps its rules: %s", strerror(-r));
}

/* ---- beginning and end ---- */

static bool
is_wanted(const struct conf *conf)
{
	for (size_t i = 0; i < conf->instances_n; i++)
		if (!conf_accepts(&conf->instances[i]))
			return true;
	return false;
}

static int
open_tables(struct firewall *firewall)
{
	int r = 0;

	firewall->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!firewall->nl || mnl_socket_bind(firewall->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	snprintf(firewall->table, sizeof firewall->table, "tandem-%u",
		 mnl_socket_get_portid(firewall->nl));
	for (size_t f = 0; f < IP_FAMILIES && r == 0; f++)
		r = make_table(firewall, &families[f]);
	return r;
}

static void
close_tables(struct firewall *firewall)
{
	if (firewall->nl)
		mnl_socket_close(firewall->nl);
	firewall->nl = NULL;
}

int
firewall_init(struct firewall *firewall, const struct conf *conf)
{
	int r;

	*firewall = (struct firewall){ .conf = conf, .seq = 1 };
	firewall->held = calloc(conf->instances_n + 1, sizeof *firewall->held);
	if (!firewall->held)
		return -ENOMEM;
	if (!is_wanted(conf))
		return 0;
	r = open_tables(firewall);
	if (r < 0) {
		complain(r);
		close_tables(firewall);
	}
	return 0;
}

void
firewall_fini(struct firewall *firewall)
{
	close_tables(firewall);
	if (firewall->kept_fd > 0)
		close(firewall->kept_fd);
	free(firewall->held);
	*firewall = (struct firewall){ 0 };
}

void
firewall_estate(struct firewall *firewall, struct estate *e)
{
	int fd = firewall->nl ? mnl_socket_get_fd(firewall->nl) : -1;

	estate_section(e, "firewall");
	estate_fd(e, &fd);
	if (!e->writing)
		*firewall = (struct firewall){ .kept_fd = fd < 0 ? 0 : fd };
}
