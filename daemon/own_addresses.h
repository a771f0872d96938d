/*
 * own_addresses.h - this host's addresses, for what a check says about those of a configuration.
 *
 * A snapshot of the whole process: conf_options has plain functions.  Guardian's start and checks
 * only, one thread.
 */
#pragma once

#include "common/addr.h"

/* Takes the snapshot; without one nothing is known and nobody is warned.  0 or -errno. */
int own_addresses_open(void);
void own_addresses_close(void);

/* conf_options.is_local: also true if nothing is known. */
bool own_addresses_has(const struct ip *ip);

/*
 * conf_options.is_foreign: the interface has addresses of this family, and the address is in none
 * of their networks.
 */
bool own_addresses_foreign(const char *interface, const struct ip *ip);
