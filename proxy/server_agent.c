/*
 * server_agent.c - does what a server's agent says.  Run by the thread that runs the server's checks;
 * weight and limit also before the threads start, when a former worker's agent had its say.
 *
 * A failure to ask an agent means nothing: the server's own check tells whether it can be reached.
 */
#include "proxy/server_log.h"
#include "proxy/server_state.h"
#include "proxy/slowstart.h"

void
server_agent_weigh(struct server *s, uint32_t weight, struct mono now)
{
	struct backend_sums share = server_share(s);

	if (atomic_load(&s->lb.present_weight) == weight)
		return;
	lb_weigh(&s->lb, weight);
	slowstart_adapt(s, now);
	server_republish(s, share);
}

void
server_agent_limit(struct server *s, uint32_t maxconn, struct mono now)
{
	if (atomic_exchange(&s->lb.maxconn, maxconn) != maxconn)
		slowstart_adapt(s, now);
}

static void
take_verdict(struct server *s, const struct agent_words *words)
{
	if (words->verdict != AGENT_VERDICT_NONE)
		s->agent.down = words->verdict == AGENT_VERDICT_DOWN;
}

/* Lets go of the server, and tells those who follow it. */
static void
unlock_and_lead(struct server *s, struct mono now)
{
	struct standing standing = server_stand(s);

	pthread_mutex_unlock(&s->backend->lock);
	server_tell_followers(s, &standing, true, now);
}

/* READY, DRAIN or MAINT. */
static void
change_mode(struct server *s, const struct check_result *result)
{
	const struct agent_words *words = &result->words;
	struct server_stance before;

	if (words->mode == AGENT_MODE_NONE || words->mode == s->agent.mode)
		return;
	pthread_mutex_lock(&s->backend->lock);
	before = server_stance(s);
	if (s->agent.mode == AGENT_MODE_MAINT) {
		/* Checks have not been made meanwhile: the first failure takes it down. */
		s->window.health = s->window.rise;
		take_verdict(s, words);
	}
	s->agent.mode = words->mode;
	server_settle(s, &before, result->at);
	server_announce(s, &before, result);
	unlock_and_lead(s, result->at);
}

/* Keeps the answer, and tells it if it is another than the last. */
static void
keep(struct server *s, const struct check_result *result)
{
	enum check_status before = s->agent.last.status;

	s->agent.last = *result;
	s->agent.said = true;
	if (result->words.incomplete && before != CHECK_STATUS_UNKNOWN)
		s->agent.last.status = before;
	if (s->backend->conf->log_health_checks && s->agent.last.status != before &&
	    check_grade(s->agent.last.status) != CHECK_GRADE_UNKNOWN)
		server_log_agent(s);
}

void
server_heed(struct server *s, const struct check_result *result)
{
	const struct agent_words *words = &result->words;
	struct server_stance before;

	change_mode(s, result);
	pthread_mutex_lock(&s->backend->lock);
	if (words->weighs)
		server_agent_weigh(s, words->weight, result->at);
	if (words->limits)
		server_agent_limit(s, words->maxconn, result->at);
	before = server_stance(s);
	take_verdict(s, words);
	keep(s, result);
	server_settle(s, &before, result->at);
	server_announce(s, &before, result);
	unlock_and_lead(s, result->at);
}
