/*
 * import.h - one tandem.conf out of what keepalived and HAProxy were configured with.
 */
#pragma once

#include "daemon/options.h"

#define IMPORT_KEEPALIVED "/etc/keepalived/keepalived.conf"
#define IMPORT_HAPROXY    "/etc/haproxy/haproxy.cfg"

/* Exit status of `tandem import`. */
enum import_status {
	IMPORT_DONE = 0,    /* written, and it loads */
	IMPORT_FAILED = 1,  /* nothing was written; stderr says why */
	IMPORT_TO_EDIT = 2, /* written, but it has errors to be changed by hand */
};

/* `tandem import`: writes the file and says what is read differently here. */
int import_main(const struct options *options);
