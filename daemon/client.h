/*
 * client.h - `tandem status` and `tandem history`: ask the running instance and show the answer.
 */
#pragma once

#include "common/clock.h"
#include "daemon/client_page.h"
#include "daemon/options.h"

#include <jansson.h>

/* Exit status: 0; 1 nothing is running (or the answer is unusable); 2 no answer within 2 s. */
int client_main(const struct options *options);

/*
 * Asks once and shows the answer on the page, or says on `errors` why there is none.  The exit
 * status.
 */
int client_show(const struct options *options, const struct client_page *page, FILE *errors);

/* client_watch.c: the same again and again, until a signal ends it. */
int client_watch(const struct options *options);

/* The text form of a document.  What is missing in it is left out. */
void client_render(const struct client_page *page, const json_t *status);
void client_render_history(const struct client_page *page, const json_t *history);

/* `tandem reload`, `resign`, `resume`.  Exit status: 0 done; 1 not done, or nothing is running; 2 no
 * answer. */
int client_command(const struct options *options);

/* A socket connected to the one of this name in the run directory, or -errno; -EAGAIN: somebody
 * listens but accepts nothing. */
int client_connect(const char *rundir, const char *name);
/* All that comes until the other side closes, NUL-terminated, from malloc; NULL when the time is up. */
char *client_read(int fd, struct mono until, size_t *len);
