/*
 * upgrade_estate.c - all that a guardian leaves to itself, in one list for both directions, and the
 * child that tries whether this binary could take it over (upgrade.h).
 */
#include "common/fingerprint.h"
#include "common/log.h"
#include "daemon/carry.h"
#include "daemon/guardian_state.h"
#include "daemon/journal.h"
#include "daemon/ledger.h"
#include "daemon/memfd.h"
#include "daemon/upgrade.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what both must agree on, besides the estate itself ---- */

#define X(name, payload, sender) #name " " #sender " "
static const char language[] = REQUEST_LIST(X);
#undef X

uint64_t
upgrade_fingerprint(void)
{
	static const uint64_t sizes[] = {
#define X(name, payload, sender) sizeof(payload),
		REQUEST_LIST(X)
#undef X
			RESIGN_N,
		NOTIFY_EVENT_N,
		SCRIPT_STATE_N,
		sizeof(struct pulse),
		sizeof(struct journal),
		sizeof(struct vrrp_hmac_mark),
	};
	uint64_t fingerprint = fingerprint_add(carry_layout(), language, sizeof language);

	return fingerprint_add(fingerprint, sizes, sizeof sizes);
}

/* ---- the list ---- */

static void
formers_estate(struct guardian *g, struct estate *e)
{
	uint32_t n = 0;

	for (struct list *at = g->former.next; at != &g->former; at = at->next)
		n++;
	estate_section(e, "former workers");
	estate_u32(e, &n, UINT16_MAX);
	if (e->writing) {
		for (struct list *at = g->former.next; at != &g->former; at = at->next)
			generation_former_estate(CONTAINER_OF(at, struct generation, link), e);
		return;
	}
	for (uint32_t i = 0; i < n && !estate_failed(e); i++) {
		struct generation *former = calloc(1, sizeof *former);

		if (!former) {
			estate_fail(e, "out of memory");
			return;
		}
		former->of = g->current->of;
		list_append(&g->former, &former->link);
		generation_former_estate(former, e);
	}
}

void
upgrade_estate(struct guardian *g, struct upgrade_luggage *luggage, struct estate *e)
{
	struct upgrade *u = &g->upgrade;

	estate_section(e, "guardian");
	estate_int(e, &luggage->pid, 1, INT_MAX);
	estate_u64(e, &luggage->nonce);
	estate_fd(e, &luggage->log_fd);
	estate_fd(e, &luggage->client_fd);
	estate_fd(e, &g->journal_fd);
	estate_text(e, u->path, sizeof u->path);
	estate_mono(e, &u->asked);
	estate_mono(e, &g->woken);
	estate_u32(e, &g->reload.numbers, UINT32_MAX);
	estate_bool(e, &g->reload.again);
	estate_timer(e, &g->loop.timers, &g->probation);
	script_limits_estate(e);
	rundir_estate(&g->rundir, g->command.fd, e);
	systemd_estate(&g->systemd, e);
	formers_estate(g, e);
	generation_estate(g->current, e);
	estate_end(e);
}

/* ---- the trial ---- */

/* It ends with the process. */
static struct guardian *tried;

/* NULL, or what is wrong with it. */
static const char *
read_estate(struct upgrade_luggage *luggage)
{
	struct estate e;
	const char *failure;
	size_t len;
	void *data = memfd_read(LOADER_FD_STATE, &len);

	tried = calloc(1, sizeof *tried);
	if (!data || !tried || !(tried->current = calloc(1, sizeof *tried->current)))
		return strerror(errno);
	list_init(&tried->former);
	tried->current->of.loop = &tried->loop;
	estate_read(&e, data, len, upgrade_fingerprint());
	upgrade_estate(tried, luggage, &e);
	failure = e.failure;
	if (failure)
		fprintf(stderr, "tandem: the state of the running daemon (%s): %s\n", e.section,
			failure);
	estate_fini(&e);
	free(data);
	return failure;
}

int
upgrade_try(const struct options *o)
{
	const struct log_setup log = {
		.ident = "tandem", .to_stderr = true, .facility = LOG_DAEMON, .level = LOG_INFO
	};
	struct upgrade_luggage luggage;
	uint64_t answer;

	log_init(&log);
	log_set_role("try");
	if (read_estate(&luggage) || loader_check(o) < 0)
		return 1;
	answer = luggage.nonce;
	return write(LOADER_FD_CONF, &answer, sizeof answer) != sizeof answer;
}
