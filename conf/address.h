/*
 * address.h - addresses as HAProxy's dialect writes them.  Pure but for the arena.
 */
#pragma once

#include "common/addr.h"
#include "common/arena.h"

enum conf_address_kind { CONF_ADDRESS_IP, CONF_ADDRESS_NAME, CONF_ADDRESS_UNIX, CONF_ADDRESS_FD };

enum conf_port_kind {
	CONF_PORT_NONE,   /* "addr" */
	CONF_PORT_FIXED,  /* "addr:80", "addr:80-90" */
	CONF_PORT_OFFSET, /* "addr:+1", "addr:-1" */
};

struct conf_address {
	enum conf_address_kind kind;
	const char *host;           /* as written, without prefix, brackets and port */
	struct ip ip;               /* IP: "*" and "" are 0.0.0.0, or :: after "ipv6@".  NAME: only
				     * the family that is asked for, or AF_UNSPEC */
	struct sock_addr unix_path; /* UNIX */
	int fd;                     /* FD */
	enum conf_port_kind port_kind;
	int32_t port, port_to; /* FIXED: equal but for a range; OFFSET: port */
};

/*
 * [PREFIX@]HOST[:PORT], /PATH, unix@PATH, abns@NAME, fd@N.  The last colon separates the port, as
 * HAProxy has it ("::1:80" is ::1, port 80).  NULL, or what is wrong with it.
 */
const char *address_parse(struct arena *arena, const char *text, struct conf_address *address);
