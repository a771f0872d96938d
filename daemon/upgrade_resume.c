/*
 * upgrade_resume.c - the guardian begins in the place of another one (upgrade.h): from an estate to
 * where it was.  Runs before the loop turns.
 *
 * First everything is read and opened, and nothing that the former one had is touched, so that it can
 * be executed again if anything is missing.  What follows is a reload from the generation in the estate
 * to an equal one, but for the worker, which stays.
 */
#include "common/log.h"
#include "daemon/guardian_state.h"
#include "daemon/memfd.h"
#include "daemon/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

bool
upgrade_is_meant(struct upgrade_estate *estate)
{
	const char *fds = getenv(UPGRADE_ENV), *reason = getenv(UPGRADE_REASON_ENV);
	char *end = NULL;
	long fd, former_fd;

	if (!fds)
		return false;
	fd = strtol(fds, &end, 10);
	former_fd = *end == ':' ? strtol(end + 1, &end, 10) : -1;
	*estate = (struct upgrade_estate){ .fd = (int)fd, .former_fd = (int)former_fd };
	if (reason)
		estate->reason = strdup(reason);
	unsetenv(UPGRADE_ENV);
	unsetenv(UPGRADE_REASON_ENV);
	return *end == '\0' && fd > 2 && former_fd > 2;
}

/* ---- reading ---- */

struct resumption {
	struct guardian *g;
	struct upgrade_luggage luggage;
	struct generation *former; /* of the estate */
	struct generation *next;   /* equal, and what is to live */
};

static bool
are_open(const struct estate *e)
{
	for (size_t i = 0; i < e->fds_n; i++)
		if (fcntl(e->fds[i], F_GETFD) < 0)
			return false;
	return true;
}

/* NULL, or why not. */
static const char *
read_estate(struct resumption *r, int fd)
{
	struct guardian *g = r->g;
	const char *failure;
	struct estate e;
	size_t len;
	void *data = memfd_read(fd, &len);

	g->current = r->former = calloc(1, sizeof *r->former);
	if (!data || !r->former)
		return "out of memory";
	r->former->of = (struct generation_setup){
		.setup = g->setup, .loop = &g->loop, .ops = &guardian_ops, .ctx = g
	};
	estate_read(&e, data, len, upgrade_fingerprint());
	upgrade_estate(g, &r->luggage, &e);
	failure = e.failure;
	if (!failure && r->luggage.pid != getpid())
		failure = "it is another process's";
	if (!failure && !are_open(&e))
		failure = "it names a descriptor that is not open";
	estate_fini(&e);
	free(data);
	return failure;
}

/* ---- opening ---- */

static void *
copy_of(const void *data, size_t len)
{
	void *copy = data ? malloc(len + 1) : NULL;

	if (copy)
		memcpy(copy, data, len);
	return copy;
}

static int
make_next(struct resumption *r)
{
	const struct generation *from = r->former;
	struct generation *n = calloc(1, sizeof *n);

	if (!n)
		return -ENOMEM;
	r->next = n;
	n->of = from->of;
	n->number = from->number;
	n->arena = arena_new();
	n->packed = copy_of(from->packed, from->packed_len);
	n->packed_len = from->packed_len;
	n->tls_files = copy_of(from->tls_files, from->tls_files_len);
	n->tls_files_len = from->tls_files_len;
	if (!n->packed || (from->tls_files && !n->tls_files))
		return -ENOMEM;
	return generation_load(n);
}

/* The very pages that the worker writes to. */
static int
keep_ledger(struct resumption *r)
{
	struct ledger *ledger = &r->next->res.ledger, *from = &r->former->res.ledger;
	int error;

	if (from->fd < 0)
		return 0;
	ledger_fini(ledger);
	error = ledger_keep(ledger, r->next->conf, from->fd);
	if (error == 0)
		from->fd = -1;
	return error;
}

static int
take_worker(struct generation *next, struct generation *former)
{
	struct child *child = &next->child;

	child->pid = former->child.pid;
	child->gone = former->child.gone;
	child->born = former->child.born;
	child->process.fd = former->child.process.fd;
	child->ipc.socket.fd = former->child.ipc.socket.fd;
	child->pulse_fd = former->child.pulse_fd;
	former->child.pid = 0;
	former->child.process.fd = former->child.ipc.socket.fd = former->child.pulse_fd = -1;
	next->gate.turn = former->gate.turn;
	next->stopped = former->stopped;
	next->backoff = former->backoff;
	return child_resume(child);
}

static int
resume_formers(struct guardian *g)
{
	int r = 0;

	for (struct list *at = g->former.next; at != &g->former && r == 0; at = at->next)
		r = child_resume(&CONTAINER_OF(at, struct generation, link)->child);
	return r;
}

/* NULL, or why not: nothing has been changed then. */
static const char *
open_all(struct resumption *r)
{
	struct guardian *g = r->g;
	int error = make_next(r);

	if (error == 0) {
		generation_init(r->next);
		g->current = r->next;
		/* What is wrong is logged. */
		error = generation_open(r->next, r->former) ? 0 : -EIO;
	}
	if (error == 0)
		error = keep_ledger(r);
	if (error == 0)
		error = take_worker(r->next, r->former);
	if (error == 0)
		error = resume_formers(g);
	if (error == 0)
		error = notifier_resume(&r->former->notifier);
	if (error == 0)
		error = command_init(g);
	if (error == 0)
		error = guardian_catch_signals(g);
	return error < 0 ? strerror(-error) : NULL;
}

/* ---- going on ---- */

static void
take_over(struct resumption *r)
{
	struct guardian *g = r->g;
	struct generation *next = r->next, *former = r->former;
	size_t interfaces = next->conf->interfaces_n;

	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	log_sockets_keep(&next->logs, &former->logs);
	/* Routes are compared with the links they were made for. */
	memcpy(former->res.watch.links, next->res.watch.links,
	       interfaces * sizeof *next->res.watch.links);
	next->handover.control_fd = g->rundir.control_fd;
	next->handover.journal_fd = g->journal_fd;
	resources_adopt(&next->res, &former->res, g->loop.now);
	handover_repeat(&next->handover, &next->child.ipc, &former->res.sockets);
	if (generation_begin_scripts(next, former, guardian_on_told, g) < 0)
		log_alert("no memory for scripts: none will run");
	external_checks_repeat(&next->external, &former->external);
	list_append(&g->former, &former->link);
	generation_retire(former, next);
	reload_bury(g, former);
	if (r->luggage.client_fd >= 0)
		g->upgrade.ticket = control_resume(&g->command, r->luggage.client_fd);
}

const char *
upgrade_resume(struct guardian *g, const struct upgrade_estate *estate)
{
	struct resumption r = { .g = g };
	const char *failure;

	prctl(PR_SET_NAME, "tandem"); /* it was executed as a descriptor */
	g->loop.now = mono_now();
	failure = read_estate(&r, estate->fd);
	if (!failure && g->setup->configured)
		g->setup->configured(g->setup->ctx, r.former->conf);
	if (!failure && r.luggage.log_fd >= 0)
		log_adopt_socket(r.luggage.log_fd);
	if (!failure)
		failure = open_all(&r);
	if (failure)
		return failure;
	take_over(&r);
	alarm(0);
	close(estate->fd);
	if (r.luggage.log_fd >= 0)
		close(r.luggage.log_fd);
	g->started = true;
	log_notice("version " TANDEM_VERSION " has taken over, worker pid %d goes on",
		   (int)r.next->child.pid);
	return NULL;
}
