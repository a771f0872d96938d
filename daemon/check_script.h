/*
 * check_script.h - the schedule of the vrrp_scripts that instances track, and what they found.
 *
 * A script runs every `interval`; a run that is not over by then is not doubled.  Exit status 0 is a
 * success, everything else a failure, and so is a run longer than `timeout`, from that moment on.
 * As in keepalived the first result counts at once, later ones when `rise` or `fall` of them have
 * come in a row; with init_fail a script begins as failed.
 */
#pragma once

#include "daemon/requests.h"
#include "daemon/script.h"

/* ------------------------------------------------------------------ rise and fall: pure */

struct script_health {
	enum script_state state;
	uint32_t streak; /* results in a row that contradict the state */
};

struct script_health script_health_init(const struct conf_script *conf);

/* One more result.  True if the state is another now. */
bool script_health_add(struct script_health *health, const struct conf_script *conf, bool success);

/* ------------------------------------------------------------------ the schedule */

struct estate;

struct check_script {
	struct check_scripts *all;
	const struct conf_script *conf;
	struct script_program program;
	struct script_run run;
	struct timer next;
	struct script_health health;
	int last_status; /* as it was logged last */
	struct ans_script result;
};

/* Called with every result, also those that change nothing. */
typedef void check_script_tell_fn(void *ctx, const struct ans_script *result);

struct check_scripts {
	struct loop *loop;
	const struct conf *conf;
	check_script_tell_fn *tell;
	void *ctx;
	struct check_script *at; /* one for each of conf->scripts */
};

/*
 * Begins with the first runs at once.  A script that cannot be run, or not safely, is disabled, as
 * in keepalived: it has no effect on any instance (logged as an error).  A script that `from` (NULL =
 * none) has as well goes on from the state it has there, in the same cadence.  0 or -ENOMEM.
 */
int check_scripts_init(struct check_scripts *checks, struct loop *loop, const struct conf *conf,
		       const struct check_scripts *from, check_script_tell_fn *tell, void *ctx);
void check_scripts_fini(struct check_scripts *checks);

/* Tells all that is known: to a worker that is new. */
void check_scripts_retell(struct check_scripts *checks);

/* Both ways (estate.h).  Read, they are good as `from` of check_scripts_init. */
void check_scripts_estate(struct check_scripts *checks, struct loop *loop, const struct conf *conf,
			  struct estate *e);
