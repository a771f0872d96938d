/*
 * check_external.h - checks by a program (`option external-check`).
 *
 * The worker runs no programs: a check asks for its server's by a queue that the main thread empties
 * (proxy_external_next) and passes to the guardian, which knows the program from the configuration.
 * The end comes back by proxy_external_done.
 */
#pragma once

#include "proxy/check.h"

/* Beyond the program's own limit: whoever runs it does not answer. */
#define CHECK_EXTERNAL_GRACE_MS 3000

/* Begins.  By the check's thread, as are the others here. */
void check_external(struct check *c);

/* Nobody has answered. */
void check_external_late(struct check *c);

/* Has the answer come, if one is waited for? */
void check_external_look(struct check *c);
