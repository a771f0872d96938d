/*
 * worker.h - the unprivileged process: VRRP engine, proxy, control socket.
 *
 * The guardian executes the binary again as
 *
 *     tandem --worker GENERATION [WORD…]
 *
 * with the descriptors of requests.h open; the words are guardian_setup's worker_args, made by
 * main.c and passed on unchanged: "stderr" and "syslog" (where to log), "facility=N" and "ident=NAME" (as
 * whom), "debug" (-d) and "detach" (let go of the terminal when start-up is finished).  Everything else comes over the socket pair.
 */
#pragma once

#include "conf/model.h"

#include <stdint.h>

/* The main function of the worker; argc/argv begin after "--worker".  The exit status. */
int worker_main(int argc, char **argv);

/*
 * Proxy threads for this configuration: `nbthread`, else one per CPU the process may use; 0 if the
 * file has no proxy section.  The guardian opens as many sockets for each bind.
 */
uint32_t worker_threads(const struct conf *conf);
