/*
 * handover.c - see handover.h.  Runs on the guardian's loop.
 */
#include "daemon/handover.h"

#include "common/log.h"
#include "daemon/memfd.h"
#include "daemon/requests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
handover_init(struct handover *handover)
{
	handover->told = calloc(handover->conf->interfaces_n + 1, sizeof *handover->told);
	return handover->told ? 0 : -ENOMEM;
}

void
handover_fini(struct handover *handover)
{
	free(handover->told);
	handover->told = NULL;
}

static int
send_none(struct handover *handover, struct ipc *ipc, enum request what, const int *fd)
{
	struct req_none none = { .generation = handover->generation };

	return ipc_send(ipc, what, &none, sizeof none, fd, fd ? 1 : 0);
}

static int
send_listeners(struct handover *handover, struct ipc *ipc)
{
	int r = 0;

	for (size_t i = 0; i < handover->listeners->n && r == 0; i++) {
		const struct listener *l = &handover->listeners->at[i];
		struct ans_listener a = { handover->generation, l->proxy, l->bind };

		r = ipc_send(ipc, REQUEST_LISTENER, &a, sizeof a, &l->fd, 1);
	}
	return r;
}

static int
send_tls_files(struct handover *handover, struct ipc *ipc)
{
	int fd, r;

	if (!handover->tls_files)
		return 0;
	fd = memfd_sealed("tandem-tls", handover->tls_files, handover->tls_files_len);
	if (fd < 0)
		return fd;
	r = send_none(handover, ipc, REQUEST_TLS_FILES, &fd);
	close(fd);
	return r;
}

static int
send_log_sockets(struct handover *handover, struct ipc *ipc)
{
	int r = 0;

	for (uint32_t i = 0; i < handover->logs->n && r == 0; i++) {
		struct ans_log_socket a = { handover->generation, i };
		int fd = handover->logs->at[i].fd;

		if (fd >= 0)
			r = ipc_send(ipc, REQUEST_LOG_SOCKET, &a, sizeof a, &fd, 1);
	}
	return r;
}

static int
send_journal(struct handover *handover, struct ipc *ipc)
{
	return send_none(handover, ipc, REQUEST_JOURNAL, &handover->journal_fd);
}

static int
send_vrrp_socket(struct handover *handover, struct ipc *ipc, uint32_t interface, uint8_t family)
{
	struct ans_vrrp_socket a = { handover->generation, interface, family };
	int fd = vrrp_socket(handover->sockets, interface, family)->fd;

	return fd < 0 ? 0 : ipc_send(ipc, REQUEST_VRRP_SOCKET, &a, sizeof a, &fd, 1);
}

static int
send_link(struct handover *handover, struct ipc *ipc, uint32_t interface)
{
	const struct netwatch_link *link = netwatch_link(handover->watch, interface);
	struct ans_link a;

	memset(&a, 0, sizeof a);
	a.generation = handover->generation;
	a.interface = interface;
	a.present = link->present;
	a.up = link->up;
	a.mtu = link->mtu;
	a.primary = link->primary;
	a.primary6 = link->primary6;
	a.sources_lost = link->sources_lost;
	memcpy(a.mac, link->mac, sizeof a.mac);
	handover->told[interface] = *link;
	return ipc_send(ipc, REQUEST_LINK, &a, sizeof a, NULL, 0);
}

int
handover_begin(struct handover *handover, struct ipc *ipc)
{
	uint32_t n = (uint32_t)handover->conf->interfaces_n;
	int r;

	r = send_none(handover, ipc, REQUEST_CONTROL, &handover->control_fd);
	if (r == 0)
		r = send_journal(handover, ipc);
	if (r == 0)
		r = send_log_sockets(handover, ipc);
	if (r == 0)
		r = send_listeners(handover, ipc);
	if (r == 0)
		r = send_tls_files(handover, ipc);
	if (r == 0 && handover->ledger->fd >= 0)
		r = send_none(handover, ipc, REQUEST_LEDGER, &handover->ledger->fd);
	for (uint32_t i = 0; i < n && r == 0; i++)
		r = send_vrrp_socket(handover, ipc, i, AF_INET);
	for (uint32_t i = 0; i < n && r == 0; i++)
		r = send_vrrp_socket(handover, ipc, i, AF_INET6);
	for (uint32_t i = 0; i < n && r == 0; i++)
		r = send_link(handover, ipc, i);
	return r == 0 ? send_none(handover, ipc, REQUEST_START, NULL) : r;
}

static bool
differs(const struct netwatch_link *a, const struct netwatch_link *b)
{
	return a->present != b->present || a->up != b->up || a->mtu != b->mtu ||
	       a->sources_lost != b->sources_lost || !ip_equal(&a->primary, &b->primary) ||
	       !ip_equal(&a->primary6, &b->primary6) || memcmp(a->mac, b->mac, sizeof a->mac) != 0;
}

static void
log_link(const struct handover *handover, uint32_t interface, const struct netwatch_link *link)
{
	const char *name = handover->conf->interfaces[interface].name;
	bool both = link->primary6.family != AF_UNSPEC;
	char text[IP_STRLEN], text6[IP_STRLEN];

	if (!link->present)
		log_warning("interface %s is gone", name);
	else
		log_notice("interface %s is %s, address %s%s%s", name, link->up ? "up" : "down",
			   ip_format(&link->primary, text), both ? " and " : "",
			   both ? ip_format(&link->primary6, text6) : "");
}

void
handover_links(struct handover *handover, struct ipc *ipc)
{
	for (uint32_t i = 0; i < handover->conf->interfaces_n; i++) {
		const struct netwatch_link *link = netwatch_link(handover->watch, i);

		if (vrrp_sockets_refresh(handover->sockets, i, AF_INET) && ipc)
			send_vrrp_socket(handover, ipc, i, AF_INET);
		if (vrrp_sockets_refresh(handover->sockets, i, AF_INET6) && ipc)
			send_vrrp_socket(handover, ipc, i, AF_INET6);
		if (!differs(link, &handover->told[i]))
			continue;
		log_link(handover, i, link);
		handover->told[i] = *link;
		if (ipc)
			send_link(handover, ipc, i);
	}
}

void
handover_repeat(struct handover *handover, struct ipc *ipc, const struct vrrp_sockets *from)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };

	for (uint32_t i = 0; i < handover->conf->interfaces_n; i++) {
		for (size_t f = 0; f < sizeof families; f++)
			if (vrrp_socket(handover->sockets, i, families[f])->ifindex !=
			    from->at[i][ip_family_index(families[f])].ifindex)
				send_vrrp_socket(handover, ipc, i, families[f]);
		send_link(handover, ipc, i);
	}
}
