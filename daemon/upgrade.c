/*
 * upgrade.c - see upgrade.h: from the question to the execve, and what is said at the end.  Runs on the
 * guardian's loop.  How the executed binary begins is upgrade_resume.c.
 */
#include "daemon/upgrade.h"
#include "common/log.h"
#include "daemon/guardian_state.h"
#include "daemon/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define TRY_MS     10000 /* for the trial */
#define LEAVE_MS   45000 /* a script of a former configuration has 30 s, and 2 more */
#define ARRIVE_S   10    /* from execve until the next one holds everything */
#define REASON_MAX 65536 /* of a string of the environment 128 KiB are allowed */

/* ---- the path ---- */

void
upgrade_find_self(char path[PATH_MAX])
{
	const char *self = (const char *)getauxval(AT_EXECFN);
	char directory[PATH_MAX] = "";

	if (!self || (self[0] != '/' && !getcwd(directory, sizeof directory)))
		self = "";
	if (snprintf(path, PATH_MAX, "%s%s%s", directory, directory[0] ? "/" : "", self) >=
	    PATH_MAX)
		path[0] = '\0';
}

/* ---- its end ---- */

static void
close_binary(struct upgrade *u)
{
	if (u->binary_fd >= 0)
		close(u->binary_fd);
	u->binary_fd = -1;
}

static void
finish(struct guardian *g, int status, const char *text)
{
	struct upgrade *u = &g->upgrade;

	timer_disarm(&g->loop.timers, &u->deadline);
	/* In the very turn at whose end it was to be. */
	if (u->leap)
		g->loop.stop = u->leap = false;
	close_binary(u);
	u->stage = UPGRADE_NONE;
	systemd_notify(&g->systemd, "READY=1");
	if (u->ticket)
		command_reply(g, u->ticket, status, text);
	u->ticket = 0;
	free(u->reason);
	u->reason = NULL;
	if (g->reload.again && !g->stopping)
		reload_ask(g, 0);
}

static void
log_lines(const char *text)
{
	while (*text) {
		int len = (int)strcspn(text, "\n");

		if (len > 0)
			log_error("%.*s", len, text);
		text += len + (text[len] == '\n');
	}
}

/* `text` are whole lines. */
static void
fail(struct guardian *g, const char *text)
{
	char reply[REASON_MAX + 128];

	snprintf(reply, sizeof reply,
		 "%standem: not upgraded: version " TANDEM_VERSION " goes on\n", text);
	log_lines(text);
	log_error("not upgraded: version " TANDEM_VERSION " goes on");
	finish(g, 1, reply);
}

static void
fail_because(struct guardian *g, const char *what, const char *why)
{
	char text[PATH_MAX + 512];

	snprintf(text, sizeof text, "tandem: %s: %s\n", what, why);
	fail(g, text);
}

/* ---- the trial ---- */

/* A memfd with what there is, or -errno.  *fds (from malloc) are the descriptors in it. */
static int
write_estate(struct guardian *g, int **fds, size_t *fds_n)
{
	const struct sock_addr *address;
	struct upgrade_luggage luggage = {
		.pid = getpid(),
		.nonce = g->upgrade.nonce,
		.log_fd = log_socket(&address),
		.client_fd = control_waiting(&g->command, g->upgrade.ticket),
	};
	struct estate e;
	int fd;

	estate_write(&e, upgrade_fingerprint());
	upgrade_estate(g, &luggage, &e);
	fd = estate_failed(&e) ? -ENOMEM : memfd_sealed("tandem-estate", e.data, e.len);
	if (fd >= 0 && fds) {
		*fds = e.fds;
		*fds_n = e.fds_n;
		e.fds = NULL;
	}
	estate_fini(&e);
	return fd;
}

/* Above the places of a loader's descriptors; closes `fd`. */
static int
lift(int fd)
{
	int lifted = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, LOADER_FD_STATE + 1);

	if (fd < 0)
		return fd;
	if (lifted < 0)
		lifted = -errno;
	close(fd);
	return lifted;
}

static int
begin_trial(struct guardian *g)
{
	struct upgrade *u = &g->upgrade;
	char executable[64];
	struct loader_job job = { .executable = executable,
				  .word = "--try",
				  .args = g->setup->load_args };
	int r;

	snprintf(executable, sizeof executable, "/proc/self/fd/%d", u->binary_fd);
	job.state_fd = lift(write_estate(g, NULL, NULL));
	if (job.state_fd < 0)
		return job.state_fd;
	r = loader_start(&u->trial, &job);
	close(job.state_fd);
	return r;
}

static bool
has_answered(struct upgrade *u)
{
	uint64_t answer = 0;

	return pread(u->trial.conf_fd, &answer, sizeof answer, 0) == sizeof answer &&
	       answer == u->nonce;
}

static void
leave(struct guardian *g, enum upgrade_stage stage)
{
	g->upgrade.stage = stage;
	timer_arm(&g->loop.timers, &g->upgrade.deadline, mono_add_ms(g->loop.now, LEAVE_MS));
	upgrade_look(g);
}

static void
on_tried(void *ctx, bool done)
{
	struct guardian *g = ctx;
	struct upgrade *u = &g->upgrade;
	bool answered = has_answered(u);
	char text[REASON_MAX];

	loader_abort(&u->trial); /* only its descriptors are left */
	if (done && answered) {
		log_notice("%s takes over", u->path);
		leave(g, UPGRADE_LEAVING);
		return;
	}
	snprintf(text, sizeof text, "%.*standem: %s does not take over\n", REASON_MAX / 2,
		 done ? "" : u->trial.text, u->path);
	fail(g, text);
}

/* ---- when to go ---- */

static bool
is_ready_to_go(const struct generation *n)
{
	return child_running(&n->child) && !n->child.ipc.first;
}

/* Is there nothing under way that the next one could not be told of? */
static bool
may_go(const struct guardian *g)
{
	const struct generation *n = g->current;

	if (g->stopping || g->reload.state != SUCCESSION_STEADY || !is_ready_to_go(n) ||
	    n->gate.turn != PRIVILEGED_TURN_HOLDS)
		return false;
	for (struct list *at = g->former.next; at != &g->former; at = at->next) {
		n = CONTAINER_OF(at, struct generation, link);
		if (n->dead || !is_ready_to_go(n) || !generation_idle(n))
			return false;
	}
	return true;
}

void
upgrade_look(struct guardian *g)
{
	enum upgrade_stage stage = g->upgrade.stage;

	if ((stage != UPGRADE_LEAVING && stage != UPGRADE_RETURNING) || !may_go(g))
		return;
	/* At the end of this turn, when nothing is half done. */
	g->upgrade.leap = true;
	g->loop.stop = true;
}

static void
on_deadline(struct timer *t, struct mono now)
{
	struct upgrade *u = CONTAINER_OF(t, struct upgrade, deadline);
	struct guardian *g = CONTAINER_OF(u, struct guardian, upgrade);

	if (u->stage == UPGRADE_TRYING) {
		loader_abort(&u->trial);
		fail_because(g, u->path, "it does not answer");
	} else {
		fail(g, u->reason ? u->reason
				  : "tandem: scripts of a former configuration still run, or a "
				    "worker does not listen\n");
	}
}

/* ---- going ---- */

/* Of all descriptors, these two and the estate's outlive the execve. */
static void
keep_descriptors(const int *fds, size_t n, int estate_fd, int former_fd)
{
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	for (size_t i = 0; i < n; i++)
		fcntl(fds[i], F_SETFD, 0);
	fcntl(estate_fd, F_SETFD, 0);
	fcntl(former_fd, F_SETFD, 0);
}

int
upgrade_execute(int binary_fd, int estate_fd, int former_fd, const char *reason,
		const char *const *argv)
{
	char executable[64], fds[64];
	int r;

	snprintf(executable, sizeof executable, "/proc/self/fd/%d", binary_fd);
	snprintf(fds, sizeof fds, "%d:%d", estate_fd, former_fd);
	if (setenv(UPGRADE_ENV, fds, 1) == 0 &&
	    (!reason || setenv(UPGRADE_REASON_ENV, reason, 1) == 0)) {
		signal(SIGALRM, SIG_DFL);
		alarm(ARRIVE_S);
		execv(executable, (char *const *)(uintptr_t)argv);
	}
	r = -errno;
	alarm(0);
	unsetenv(UPGRADE_ENV);
	unsetenv(UPGRADE_REASON_ENV);
	return r;
}

/* What would be nobody's child in the next one. */
static void
end_helpers(struct guardian *g)
{
	watchers_fini(&g->current->watchers);
	state_dump_fini(&g->dump);
}

void
upgrade_leap(struct guardian *g)
{
	struct upgrade *u = &g->upgrade;
	int *fds = NULL, former_fd, estate_fd, r;
	char text[REASON_MAX];
	size_t fds_n = 0;

	u->leap = g->loop.stop = false;
	if (!may_go(g)) /* something has happened in the rest of the turn: on a later tick */
		return;
	former_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	estate_fd = former_fd < 0 ? -errno : write_estate(g, &fds, &fds_n);
	r = estate_fd;
	if (estate_fd >= 0) {
		end_helpers(g);
		keep_descriptors(fds, fds_n, estate_fd, former_fd);
		r = upgrade_execute(u->binary_fd, estate_fd, former_fd, u->reason, g->setup->argv);
		close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		generation_begin_watching(g->current);
		close(estate_fd);
	}
	if (former_fd >= 0)
		close(former_fd);
	free(fds);
	snprintf(text, sizeof text, "%.*standem: cannot execute another binary: %s\n",
		 REASON_MAX / 2, u->reason ? u->reason : "", strerror(-r));
	fail(g, text);
}

/* ---- asked, and answered ---- */

static const char *
find_hindrance(const struct guardian *g)
{
	if (g->stopping)
		return "the daemon stops";
	if (!g->started || !child_running(&g->current->child) ||
	    g->current->gate.turn != PRIVILEGED_TURN_HOLDS)
		return "the worker is starting";
	if (g->upgrade.stage != UPGRADE_NONE)
		return "an upgrade is under way already";
	if (g->reload.state != SUCCESSION_STEADY || g->resignation.ticket)
		return "a reload or a resignation is under way";
	return g->upgrade.path[0] ? NULL : "it is not known where it was started from";
}

void
upgrade_ask(struct guardian *g, uint64_t ticket)
{
	struct upgrade *u = &g->upgrade;
	const char *hindrance = find_hindrance(g);
	char text[256];
	int r;

	if (hindrance) {
		log_warning("not upgraded: %s", hindrance);
		snprintf(text, sizeof text, "tandem: not upgraded: %s\n", hindrance);
		if (ticket)
			command_reply(g, ticket, 1, text);
		return;
	}
	log_notice("upgrading: trying %s", u->path);
	u->stage = UPGRADE_TRYING;
	u->ticket = ticket;
	u->asked = mono_now();
	u->nonce = (uint64_t)u->asked.ns;
	systemd_reloading(&g->systemd);
	timer_arm(&g->loop.timers, &u->deadline, mono_add_ms(g->loop.now, TRY_MS));
	u->binary_fd = lift(open(u->path, O_RDONLY | O_CLOEXEC));
	r = u->binary_fd < 0 ? -errno : access(u->path, X_OK) < 0 ? -errno : begin_trial(g);
	if (r < 0)
		fail_because(g, u->path, strerror(-r));
}

void
upgrade_reloaded(struct guardian *g, bool done, const char *text)
{
	struct upgrade *u = &g->upgrade;

	if (done) {
		log_notice("upgraded to version " TANDEM_VERSION " in %lld ms",
			   (long long)mono_since_ms(mono_now(), u->asked));
		finish(g, 0, text);
	} else if (g->stopping) {
		fail(g, text);
	} else {
		log_error("version " TANDEM_VERSION " gives back to the former");
		u->reason = strndup(text, REASON_MAX - 1);
		leave(g, UPGRADE_RETURNING);
	}
}

void
upgrade_returned(struct guardian *g, const char *reason)
{
	fail(g, reason);
}

void
upgrade_stop(struct guardian *g)
{
	if (g->upgrade.stage == UPGRADE_NONE || g->upgrade.stage == UPGRADE_ARRIVED)
		return; /* a reload tells of its end */
	loader_abort(&g->upgrade.trial);
	fail(g, "tandem: the daemon stops\n");
}

void
upgrade_init(struct guardian *g)
{
	struct upgrade *u = &g->upgrade;

	u->binary_fd = -1;
	u->deadline.fire = on_deadline;
	loader_init(&u->trial, &g->loop, on_tried, g);
}

void
upgrade_fini(struct guardian *g)
{
	loader_fini(&g->upgrade.trial);
	close_binary(&g->upgrade);
	free(g->upgrade.reason);
	g->upgrade.reason = NULL;
}
