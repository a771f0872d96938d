/*
 * preflight.h - what is missing before the guardian can begin: all of it, each in one line.
 */
#pragma once

#include "conf/model.h"
#include "daemon/netwatch.h"

/* Rights, user and group.  The number of errors logged. */
unsigned preflight_rights(const struct conf *conf);

/*
 * Interfaces that do not exist, and VIPs that are this host's own address although the instance is
 * not their owner (priority 255).  Not its own are those that we put there for a former
 * configuration, which `from` watches (NULL = none).  The number of errors logged.
 */
unsigned preflight_network(const struct conf *conf, const struct netwatch *watch,
			   const struct netwatch *from);
