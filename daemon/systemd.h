/*
 * systemd.h - telling a service manager how we are: the datagrams of sd_notify(3).
 */
#pragma once

#include "common/clock.h"

struct estate;

struct systemd {
	int fd;              /* connected datagram socket; -1 = nobody asked */
	int64_t watchdog_ns; /* half of WATCHDOG_USEC; 0 = nobody asked */
	struct mono next;
};

/* Looks at NOTIFY_SOCKET and WATCHDOG_USEC, and removes them from the environment: they are not the
 * worker's. */
void systemd_init(struct systemd *systemd);
void systemd_fini(struct systemd *systemd);

/* "READY=1", "STOPPING=1".  Never waits. */
void systemd_notify(struct systemd *systemd, const char *state);

/* "RELOADING=1" with the time; READY=1 says that it is over. */
void systemd_reloading(struct systemd *systemd);

/* Sends WATCHDOG=1 when it is due. */
void systemd_tick(struct systemd *systemd, struct mono now);

/* Both ways (estate.h), instead of systemd_init. */
void systemd_estate(struct systemd *systemd, struct estate *e);
