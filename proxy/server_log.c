/*
 * server_log.c - what the log says of servers and their checks, in HAProxy's words.  Under the backend's lock.
 */
#include "proxy/server_log.h"

#include "proxy/log_target.h"
#include "proxy/runtime.h"

#include "common/log.h"

#include <stdio.h>
#include <string.h>

/* The counts behind a change of state, and why it happened. */
void
server_log_change(struct server *s, enum server_state state)
{
	struct backend *be = s->backend;
	const char *prefix = s->lb.backup ? "Backup " : "", *on_backup;
	uint32_t active = be->sums.active, backups = be->sums.backups;
	uint32_t queued = atomic_load(&be->farm.queued);
	char check[512] = "";

	on_backup = active == 0 && backups ? " Running on backup." : "";
	/* With `option log-health-checks` the line before has said why. */
	if (s->tracked) {
		snprintf(check, sizeof check, " via %s/%s", s->tracked->backend->conf->name,
			 s->tracked->conf->name);
	} else if (!be->conf->log_health_checks) {
		memcpy(check, ", ", 3);
		check_result_describe(&s->last, check + 2, sizeof check - 2);
	}
	if (state != SERVER_DOWN)
		log_target_notify(
			be->proxy, be->conf, LOG_NOTICE,
			"%sServer %s/%s is %s%s. %u active and %u backup servers online.%s"
			" 0 sessions requeued, %u total in queue.",
			prefix, be->conf->name, s->conf->name,
			state == SERVER_STOPPING ? "stopping" : "UP", check, active, backups,
			on_backup, queued);
	else
		log_target_notify(
			be->proxy, be->conf, LOG_ALERT,
			"%sServer %s/%s is DOWN%s. %u active and %u backup servers left.%s"
			" %u sessions active, 0 requeued, %u remaining in queue.",
			prefix, be->conf->name, s->conf->name, check, active, backups, on_backup,
			atomic_load(&s->lb.served), queued);
	if (state != SERVER_UP && active + backups == 0)
		log_target_notify(be->proxy, be->conf, LOG_EMERG, "%s %s has no server available!",
				  be->conf->caps & CONF_CAP_FRONT ? "proxy" : "backend",
				  be->conf->name);
}

void
server_log_health(struct server *s, enum check_grade grade)
{
	uint32_t have, of;
	char check[512];

	check_window_score(&s->window, &have, &of);
	check_result_describe(&s->last, check, sizeof check);
	log_target_notify(s->backend->proxy, s->backend->conf, LOG_NOTICE,
			  "Health check for %sserver %s/%s %s%s, %s, status: %u/%u %s.",
			  s->lb.backup ? "backup " : "", s->backend->conf->name, s->conf->name,
			  grade == CHECK_GRADE_CONDITIONAL ? "conditionally " : "",
			  grade == CHECK_GRADE_FAILED ? "failed" : "succeeded", check, have, of,
			  check_window_up(&s->window) ? "UP" : "DOWN");
}
