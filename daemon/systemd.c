/*
 * systemd.c - see systemd.h.  Runs on the guardian's loop.  Not sd_notify itself, because that waits
 * when the manager's socket is full, and the guardian never does.
 */
#include "daemon/systemd.h"

#include "common/addr.h"
#include "common/log.h"
#include "daemon/estate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int64_t
watchdog_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && strtol(pid, NULL, 10) != getpid()))
		return 0;
	return strtoll(usec, NULL, 10) * NS_PER_US / 2;
}

void
systemd_init(struct systemd *systemd)
{
	const char *path = getenv("NOTIFY_SOCKET");

	*systemd = (struct systemd){ .fd = -1 };
	if (path && path[0]) {
		struct sock_addr address = sock_addr_unix(path);

		systemd->watchdog_ns = watchdog_ns();
		systemd->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (systemd->fd < 0 || connect(systemd->fd, &address.any, address.len) < 0) {
			log_warning("cannot notify the service manager at %s: %s", path,
				    strerror(errno));
			systemd_fini(systemd);
		}
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void
systemd_fini(struct systemd *systemd)
{
	if (systemd->fd >= 0)
		close(systemd->fd);
	*systemd = (struct systemd){ .fd = -1 };
}

void
systemd_notify(struct systemd *systemd, const char *state)
{
	if (systemd->fd >= 0 && send(systemd->fd, state, strlen(state), MSG_NOSIGNAL) < 0)
		log_debug("service manager not told %s: %s", state, strerror(errno));
}

void
systemd_reloading(struct systemd *systemd)
{
	char state[64];

	snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)(mono_now().ns / NS_PER_US));
	systemd_notify(systemd, state);
}

void
systemd_tick(struct systemd *systemd, struct mono now)
{
	if (systemd->watchdog_ns == 0 || mono_before(now, systemd->next))
		return;
	systemd->next = mono_add_ns(now, systemd->watchdog_ns);
	systemd_notify(systemd, "WATCHDOG=1");
}

void
systemd_estate(struct systemd *systemd, struct estate *e)
{
	estate_section(e, "service manager");
	estate_fd(e, &systemd->fd);
	estate_i64(e, &systemd->watchdog_ns, 0, INT64_MAX);
	estate_mono(e, &systemd->next);
}
