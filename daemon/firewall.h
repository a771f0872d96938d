/*
 * firewall.h - no_accept: what is sent to a VIP, or from it, is dropped (Accept_Mode, RFC 9568
 * section 6.1), by nftables.
 *
 * Two tables, called tandem-N, hold a set of addresses and the rules; an instance's VIPs are in the
 * set while it holds them.  The tables are owned by a socket of the guardian's: nobody else can
 * change them, and with the guardian they are gone.
 */
#pragma once

#include "conf/model.h"

struct estate;
struct mnl_socket;

struct firewall {
	const struct conf *conf;
	struct mnl_socket *nl; /* NULL = no instance needs it, or it cannot be had */
	char table[32];
	uint32_t seq;
	bool *held;  /* by instance: its VIPs are in the set */
	int kept_fd; /* read from an estate: the socket that owns the tables; 0 = none */
};

/* 0 or -ENOMEM.  What nftables refuses is an error of the log only. */
int firewall_init(struct firewall *firewall, const struct conf *conf);
void firewall_fini(struct firewall *firewall);

/* Before the VIPs are added, and after they are removed.  Nothing happens to an instance that
 * accepts. */
void firewall_close(struct firewall *firewall, uint32_t instance);
void firewall_open(struct firewall *firewall, uint32_t instance);

/* Both ways (estate.h).  Read, it can be closed, and the tables are gone. */
void firewall_estate(struct firewall *firewall, struct estate *e);
