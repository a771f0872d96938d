/*
 * will.h - the priority-0 advertisement of an instance whose worker can no longer send it.
 */
#pragma once

#include "daemon/ledger.h"

#include <stddef.h>

/* Sends "I resign" (RFC 9568 section 6.4.3) from `source` through an instance's raw socket: one to
 * each unicast peer, or one to the group, signed if the instance signs.  Returns how many left; what fails is logged. */
size_t will_send(const struct conf *conf, uint32_t instance, int fd, uint32_t ifindex,
		 const struct ip *source, struct ledger *ledger);
