/*
 * guardian_command.c - the guardian's command socket: what an administrator tells the daemon to do.
 * Runs on the guardian's loop.
 *
 * The socket is root's alone, and a line is compared with what there is, not parsed.  It is the
 * guardian's so that a broken worker can be replaced, too.
 */
#include "common/log.h"
#include "conf/match.h"
#include "daemon/guardian_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESIGN_MS 3000 /* make before break takes one second */

void
command_reply(struct guardian *g, uint64_t ticket, int status, const char *text)
{
	size_t size = strlen(text) + 8;
	char *reply = malloc(size);
	int len = reply ? snprintf(reply, size, "%d\n%s", status, text) : 0;

	if (reply)
		control_reply(&g->command, ticket, reply, (size_t)len);
}

/* Is this one of those that the line names?  A sync group goes as one: whoever names a member means
 * them all. */
static bool
is_meant(const struct guardian *g, uint32_t instance, const char *name)
{
	const struct conf *conf = g->current->conf;
	const struct conf_group *group = conf->instances[instance].group;
	bool meant = !*name || strcmp(conf->instances[instance].name, name) == 0;

	for (size_t i = 0; !meant && group && i < group->members_n; i++)
		meant = strcmp(conf->instances[group->members[i]].name, name) == 0;
	return meant;
}

static void
set_yielded(struct guardian *g, const char *name, bool yielded)
{
	struct generation *n = g->current;

	for (uint32_t i = 0; i < n->conf->instances_n; i++) {
		if (!is_meant(g, i, name) || n->res.leases.at[i].yielded == yielded)
			continue;
		n->res.leases.at[i].yielded = yielded;
		log_notice("(%s) %s", n->conf->instances[i].name,
			   yielded ? "resigns, as it was told to" : "resumes, as it was told to");
		if (n->gate.turn == PRIVILEGED_TURN_HOLDS)
			generation_tell_resign(n, i, yielded ? RESIGN_YIELD : RESIGN_NOT);
	}
}

/* The first that has resigned and still holds its addresses, or CONF_NONE. */
static uint32_t
find_unheeded(const struct guardian *g)
{
	const struct leases *leases = &g->current->res.leases;

	for (uint32_t i = 0; i < g->current->conf->instances_n; i++)
		if (leases->at[i].yielded && leases->at[i].claimed)
			return i;
	return CONF_NONE;
}

void
command_look(struct guardian *g)
{
	struct resignation *r = &g->resignation;
	uint32_t left;
	char text[512];

	if (!r->ticket)
		return;
	left = find_unheeded(g);
	if (left != CONF_NONE && mono_before(g->loop.now, r->until))
		return;
	if (left == CONF_NONE)
		snprintf(text, sizeof text, "%s", "");
	else
		snprintf(text, sizeof text,
			 "tandem: (%s) is still MASTER, with the least priority there is: nobody "
			 "has taken over\n",
			 g->current->conf->instances[left].name);
	command_reply(g, r->ticket, left != CONF_NONE, text);
	r->ticket = 0;
}

static bool
is_busy(const struct guardian *g)
{
	return g->reload.state != SUCCESSION_STEADY || g->upgrade.stage != UPGRADE_NONE;
}

static void
on_resign(struct guardian *g, const char *name, uint64_t ticket)
{
	if (is_busy(g) || g->resignation.ticket) {
		command_reply(g, ticket, 1,
			      "tandem: a reload, an upgrade or a resignation is under way\n");
		return;
	}
	set_yielded(g, name, true);
	g->resignation = (struct resignation){ ticket, mono_add_ms(g->loop.now, RESIGN_MS) };
	command_look(g);
}

static void
on_resume(struct guardian *g, const char *name, uint64_t ticket)
{
	if (is_busy(g)) {
		command_reply(g, ticket, 1, "tandem: a reload or an upgrade is under way\n");
		return;
	}
	set_yielded(g, name, false);
	guardian_end_probation(g);
	command_reply(g, ticket, 0, "");
}

/* For whoever has asked a worker that does not answer. */
static void
tell_worker(struct guardian *g, uint64_t ticket)
{
	const struct generation *n = g->current;
	char text[256];

	if (n->child.pid && generation_beating(n))
		snprintf(text, sizeof text, "tandem: worker %d runs", (int)n->child.pid);
	else if (n->child.pid)
		snprintf(text, sizeof text, "tandem: worker %d %s", (int)n->child.pid,
			 n->watched ? "is silent" : "is starting");
	else
		snprintf(
			text, sizeof text,
			"tandem: there is no worker: %u in a row died young (the last %s), another "
			"is started in %.1f s",
			n->backoff.deaths, g->last_end,
			(double)mono_since(g->restart.when, g->loop.now) / (double)NS_PER_S);
	command_reply(g, ticket, 0, text);
}

/* The rest of the line behind the word, without the space; NULL = it begins otherwise. */
static const char *
behind(const char *line, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(line, word, len) != 0 || (line[len] && line[len] != ' '))
		return NULL;
	return line[len] ? line + len + 1 : line + len;
}

static char *
on_line(void *ctx, const char *line, size_t *len)
{
	struct guardian *g = ctx;
	uint64_t ticket = g->command.ticket;
	const char *resign = behind(line, "resign"), *resume = behind(line, "resume");
	const char *name = resign ? resign : resume;

	if (strcmp(line, "reload") == 0)
		reload_ask(g, ticket);
	else if (strcmp(line, "upgrade") == 0)
		upgrade_ask(g, ticket);
	else if (strcmp(line, "worker") == 0)
		tell_worker(g, ticket);
	else if (name && *name && conf_find_instance(g->current->conf, name) == CONF_NONE)
		command_reply(g, ticket, 1, "tandem: there is no vrrp_instance of this name\n");
	else if (resign)
		on_resign(g, resign, ticket);
	else if (resume)
		on_resume(g, resume, ticket);
	else
		command_reply(g, ticket, 1, "tandem: the daemon does not know this command\n");
	return CONTROL_LATER;
}

int
command_init(struct guardian *g)
{
	int r = control_init(&g->command, &g->loop, g->rundir.command_fd, on_line, g);

	if (r == 0)
		g->rundir.command_fd = -1;
	else
		log_error("cannot listen for commands: %s", strerror(-r));
	return r;
}
