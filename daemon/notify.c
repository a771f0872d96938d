/*
 * notify.c - see notify.h.  Runs on the guardian's loop.
 */
#include "daemon/notify.h"

#include "common/list.h"
#include "common/log.h"
#include "conf/match.h"
#include "daemon/estate.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what keepalived says, as data ---- */

const char *
notify_event_name(enum notify_event event)
{
	static const char *const names[NOTIFY_EVENT_N] = {
		[NOTIFY_EVENT_MASTER] = "MASTER",
		[NOTIFY_EVENT_BACKUP] = "BACKUP",
		[NOTIFY_EVENT_FAULT] = "FAULT",
		[NOTIFY_EVENT_DELETED] = "DELETED",
		[NOTIFY_EVENT_STOP] = "STOP",
		[NOTIFY_EVENT_MASTER_RX_LOWER_PRI] = "MASTER_RX_LOWER_PRI",
		[NOTIFY_EVENT_MASTER_PRIORITY] = "MASTER_PRIORITY",
		[NOTIFY_EVENT_BACKUP_PRIORITY] = "BACKUP_PRIORITY",
	};

	return names[event];
}

/* `notify` is about states only. */
size_t
notify_commands(const struct conf_notify *conf, enum notify_event event,
		const struct conf_command *commands[2])
{
	const struct conf_command *own = NULL, *any = &conf->any;
	size_t n = 0;

	switch (event) {
	case NOTIFY_EVENT_MASTER:
		own = &conf->master;
		break;
	case NOTIFY_EVENT_BACKUP:
		own = &conf->backup;
		break;
	case NOTIFY_EVENT_FAULT:
		own = &conf->fault;
		break;
	case NOTIFY_EVENT_DELETED:
		own = &conf->deleted;
		break;
	case NOTIFY_EVENT_STOP:
		own = &conf->stop;
		break;
	case NOTIFY_EVENT_MASTER_RX_LOWER_PRI:
		own = &conf->master_rx_lower_pri;
		any = NULL;
		break;
	case NOTIFY_EVENT_MASTER_PRIORITY:
	case NOTIFY_EVENT_BACKUP_PRIORITY:
		any = NULL;
		break;
	case NOTIFY_EVENT_N:
		return 0;
	}
	if (own && own->line)
		commands[n++] = own;
	if (any && any->line)
		commands[n++] = any;
	return n;
}

void
notify_line(char *line, size_t size, const char *kind, const char *name, enum notify_event event,
	    unsigned priority)
{
	snprintf(line, size, "%s \"%s\" %s %u\n", kind, name, notify_event_name(event), priority);
}

/* ---- lanes ---- */

/* As many programs as struct conf_notify has commands, in its order. */
#define PROGRAMS_N (offsetof(struct conf_notify, priority_changes) / sizeof(struct conf_command))

struct notify_lane {
	struct notifier *notifier;
	const char *kind, *name; /* "INSTANCE" or "GROUP" */
	const struct conf_notify *conf;
	struct script_program programs[PROGRAMS_N];
	struct script_run run;
	struct notify_waiting queue[NOTIFY_QUEUE]; /* [0] is the one at work */
	size_t queue_n, step;                      /* step: its next command */
	enum notify_event state; /* the last one told; NOTIFY_EVENT_N = none yet */
	unsigned priority;       /* with it */
	uint64_t dropped;
};

static struct script_program *
program_of(struct notify_lane *lane, const struct conf_command *command)
{
	size_t offset = (size_t)((const char *)command - (const char *)lane->conf);

	return &lane->programs[offset / sizeof *command];
}

static void
start_program(struct notify_lane *lane, const struct script_program *program, bool any)
{
	const struct notify_waiting *w = &lane->queue[0];
	char priority[16];
	const char *const more[] = { lane->kind, lane->name, notify_event_name(w->event), priority,
				     NULL };
	int r;

	snprintf(priority, sizeof priority, "%u", w->priority);
	r = script_start(&lane->run, program, any ? more : NULL, 0, false);
	if (r < 0)
		log_error("(%s) cannot start %s: %s", lane->name, program->path, strerror(-r));
	else if (lane->notifier->stop_limit_ms)
		script_limit(&lane->run, lane->notifier->stop_limit_ms);
	else if (lane->queue_n > 1)
		script_limit(&lane->run, NOTIFY_PATIENCE_MS);
}

bool
notifier_idle(const struct notifier *notifier)
{
	for (size_t i = 0; i < notifier->lanes_n; i++)
		if (script_running(&notifier->lanes[i].run))
			return false;
	for (size_t i = 0; i < 2; i++)
		if (notifier->fifos[i] && script_running(&notifier->fifos[i]->run))
			return false;
	return true;
}

static void
look_for_end(void *ctx)
{
	struct notifier *notifier = ctx;

	if (notifier->stop_limit_ms && notifier_idle(notifier))
		notifier->idle(notifier->ctx);
}

/* Runs what is next, unless something runs. */
static void
advance(struct notify_lane *lane)
{
	while (!script_running(&lane->run) && lane->queue_n > 0) {
		const struct conf_command *commands[2];
		size_t n = notify_commands(lane->conf, lane->queue[0].event, commands);

		if (lane->step < n) {
			const struct conf_command *command = commands[lane->step++];
			const struct script_program *program = program_of(lane, command);

			if (program->words)
				start_program(lane, program, command == &lane->conf->any);
			continue;
		}
		lane->step = 0;
		lane->queue_n--;
		memmove(&lane->queue[0], &lane->queue[1], lane->queue_n * sizeof lane->queue[0]);
	}
}

static void
on_done(struct script_run *run, const struct script_end *end)
{
	struct notify_lane *lane = run->ctx;
	const char *name = lane->name;

	if (end->timed_out)
		log_warning("(%s) a notify script was ended after %" PRId64
			    " ms: others waited for it",
			    name, end->took_ms);
	else if (end->signal)
		log_warning("(%s) a notify script was ended by signal %d", name, end->signal);
	else if (end->status == 126 || end->status == 127)
		log_warning("(%s) a notify script could not be executed", name);
	advance(lane);
	look_for_end(lane->notifier);
}

/* The newest always gets in: the last state is what matters. */
static void
enqueue(struct notify_lane *lane, enum notify_event event, unsigned priority)
{
	const struct conf_command *commands[2];
	size_t last = lane->queue_n - 1;

	if (notify_commands(lane->conf, event, commands) == 0)
		return;
	if (event == NOTIFY_EVENT_MASTER_RX_LOWER_PRI && lane->queue_n > 1 &&
	    lane->queue[last].event == event)
		return;
	if (lane->queue_n == NOTIFY_QUEUE) {
		lane->dropped++;
		log_warning("(%s) notify scripts are too slow: %s is left out (%" PRIu64 " so far)",
			    lane->name, notify_event_name(lane->queue[1].event), lane->dropped);
		lane->queue_n--;
		memmove(&lane->queue[1], &lane->queue[2],
			(lane->queue_n - 1) * sizeof lane->queue[0]);
	}
	lane->queue[lane->queue_n++] = (struct notify_waiting){ event, priority };
	if (lane->queue_n > 1)
		script_limit(&lane->run, NOTIFY_PATIENCE_MS);
	advance(lane);
}

/* ---- for the guardian ---- */

static void
tell(struct notify_lane *lane, enum notify_event event, unsigned priority)
{
	char line[1024];

	if (event <= NOTIFY_EVENT_STOP)
		lane->state = event;
	lane->priority = priority;
	notify_line(line, sizeof line, lane->kind, lane->name, event, priority);
	for (size_t i = 0; i < 2; i++)
		if (lane->notifier->fifos[i])
			notify_fifo_write(lane->notifier->fifos[i], line);
	enqueue(lane, event, priority);
}

void
notifier_tell(struct notifier *notifier, uint32_t instance, enum notify_event event,
	      unsigned priority)
{
	assert(instance < notifier->conf->instances_n && event < NOTIFY_EVENT_N);
	if (notifier->lanes)
		tell(&notifier->lanes[instance], event, priority);
}

/* Groups' lanes are behind those of instances. */
void
notifier_tell_group(struct notifier *notifier, uint32_t group, enum notify_event event)
{
	assert(group < notifier->conf->groups_n && event <= NOTIFY_EVENT_STOP);
	if (notifier->lanes)
		tell(&notifier->lanes[notifier->conf->instances_n + group], event, 0);
}

void
notifier_delete(struct notifier *notifier, uint32_t instance)
{
	const struct conf_notify *conf = &notifier->conf->instances[instance].notify;

	if (notifier->lanes && notifier->lanes[instance].state != NOTIFY_EVENT_N)
		notifier_tell(notifier, instance,
			      conf->tell_deleted ? NOTIFY_EVENT_DELETED : NOTIFY_EVENT_FAULT,
			      notifier->lanes[instance].priority);
}

void
notifier_retire(struct notifier *notifier, void (*idle)(void *ctx), void *ctx)
{
	notifier->idle = idle;
	notifier->ctx = ctx;
	notifier->stop_limit_ms = NOTIFY_PATIENCE_MS;
	for (size_t i = 0; i < notifier->lanes_n; i++)
		script_limit(&notifier->lanes[i].run, NOTIFY_PATIENCE_MS);
	for (size_t i = 0; i < 2; i++)
		if (notifier->fifos[i])
			notify_fifo_close(notifier->fifos[i], NOTIFY_PATIENCE_MS);
}

void
notifier_orphan(struct notifier *notifier)
{
	for (size_t i = 0; i < notifier->lanes_n; i++)
		if (notifier->lanes[i].state == NOTIFY_EVENT_MASTER)
			tell(&notifier->lanes[i], NOTIFY_EVENT_FAULT, notifier->lanes[i].priority);
}

bool
notifier_stop(struct notifier *notifier, int64_t limit_ms)
{
	notifier->stop_limit_ms = limit_ms / 2;
	for (size_t i = 0; i < notifier->lanes_n; i++) {
		struct notify_lane *lane = &notifier->lanes[i];

		if (lane->state < NOTIFY_EVENT_STOP)
			tell(lane, NOTIFY_EVENT_STOP, lane->priority);
		/* Half for what runs, the rest for what waits behind it. */
		script_limit(&lane->run, lane->queue_n > 1 ? limit_ms / 2 : limit_ms);
	}
	for (size_t i = 0; i < 2; i++)
		if (notifier->fifos[i])
			notify_fifo_close(notifier->fifos[i], limit_ms / 2);
	return notifier_idle(notifier);
}

/* ---- begin and end ---- */

static void
prepare(struct notify_lane *lane, const struct conf_command *command,
	const struct script_owner *owner)
{
	const struct conf *conf = lane->notifier->conf;
	struct script_program *program = program_of(lane, command);
	char error[256];

	if (script_program_init(program, command, owner, error, sizeof error) < 0) {
		log_error("(%s) notify script disabled: %s", lane->name, error);
		return;
	}
	if (!script_program_permitted(program, conf->enable_script_security, "notify script"))
		script_program_fini(program);
}

static void
prepare_all(struct notify_lane *lane, const struct script_owner *owner)
{
	const char *commands = (const void *)lane->conf;

	for (size_t i = 0; i < PROGRAMS_N; i++)
		prepare(lane, (const void *)(commands + i * sizeof(struct conf_command)), owner);
}

static void
name_lane(struct notify_lane *lane, struct notifier *notifier, const char *kind, const char *name,
	  const struct conf_notify *conf)
{
	lane->notifier = notifier;
	lane->kind = kind;
	lane->name = name;
	lane->conf = conf;
	lane->state = NOTIFY_EVENT_N;
	script_run_init(&lane->run, notifier->loop, on_done, lane);
}

static int
make_lanes(struct notifier *notifier)
{
	const struct conf *conf = notifier->conf;

	notifier->lanes = calloc(conf->instances_n + conf->groups_n + 1, sizeof *notifier->lanes);
	if (!notifier->lanes)
		return -ENOMEM;
	notifier->lanes_n = conf->instances_n + conf->groups_n;
	for (size_t i = 0; i < conf->instances_n; i++)
		name_lane(&notifier->lanes[i], notifier, "INSTANCE", conf->instances[i].name,
			  &conf->instances[i].notify);
	for (size_t i = 0; i < conf->groups_n; i++)
		name_lane(&notifier->lanes[conf->instances_n + i], notifier, "GROUP",
			  conf->groups[i].name, &conf->groups[i].notify);
	return 0;
}

/* Whose scripts are that name nobody; NULL = nobody's that is known, which is logged. */
static const struct script_owner *
find_owner(const struct conf *conf, struct script_owner *owner)
{
	char error[256];

	if (script_owner_default(conf, owner, error, sizeof error) == 0)
		return owner;
	log_error("scripts run as nobody that is known: %s", error);
	return NULL;
}

/* Whose reader goes on reading, and finds no gap. */
static struct notify_fifo *
take_fifo(struct notifier *from, const struct conf_fifo *conf)
{
	for (size_t i = 0; from && i < 2; i++) {
		struct notify_fifo *fifo = from->fifos[i];

		if (!fifo || !conf_same_fifo(fifo->conf, conf))
			continue;
		from->fifos[i] = NULL;
		return fifo;
	}
	return NULL;
}

static int
begin_fifo(struct notifier *notifier, size_t i, const struct conf_fifo *conf, struct notifier *from,
	   const struct script_owner *owner)
{
	if (!conf->path)
		return 0;
	notifier->fifos[i] = take_fifo(from, conf);
	if (notifier->fifos[i]) {
		notifier->fifos[i]->conf = conf;
		notifier->fifos[i]->ctx = notifier;
		return 0;
	}
	notifier->fifos[i] = calloc(1, sizeof *notifier->fifos[i]);
	if (!notifier->fifos[i])
		return -ENOMEM;
	notify_fifo_init(notifier->fifos[i], notifier->loop, conf, owner,
			 notifier->conf->enable_script_security, look_for_end, notifier);
	return 0;
}

static void
take_state(struct notify_lane *lane, const struct notify_lane *from)
{
	lane->state = from->state;
	lane->priority = from->priority;
}

/* What scripts were told last, they need not be told again. */
static void
take_states(struct notifier *notifier, const struct notifier *from)
{
	for (uint32_t i = 0; from && from->lanes && i < from->conf->instances_n; i++) {
		uint32_t to = conf_match_instance(from->conf, i, notifier->conf);

		if (to == CONF_NONE)
			continue;
		take_state(&notifier->lanes[to], &from->lanes[i]);
	}
	for (uint32_t i = 0; from && from->lanes && i < from->conf->groups_n; i++)
		for (uint32_t k = 0; k < notifier->conf->groups_n; k++)
			if (strcmp(from->conf->groups[i].name, notifier->conf->groups[k].name) == 0)
				take_state(&notifier->lanes[notifier->conf->instances_n + k],
					   &from->lanes[from->conf->instances_n + i]);
}

int
notifier_init(struct notifier *notifier, struct loop *loop, const struct conf *conf,
	      struct notifier *from, void (*idle)(void *ctx), void *ctx)
{
	struct script_owner owner;
	const struct script_owner *known;

	*notifier = (struct notifier){ .loop = loop, .conf = conf, .idle = idle, .ctx = ctx };
	if (make_lanes(notifier) < 0)
		return -ENOMEM;
	known = find_owner(conf, &owner);
	for (size_t i = 0; i < notifier->lanes_n; i++)
		prepare_all(&notifier->lanes[i], known);
	take_states(notifier, from);
	if (begin_fifo(notifier, 0, &conf->notify_fifo, from, known) < 0 ||
	    begin_fifo(notifier, 1, &conf->vrrp_notify_fifo, from, known) < 0)
		return -ENOMEM;
	return 0;
}

void
notifier_fini(struct notifier *notifier)
{
	for (size_t i = 0; i < 2; i++) {
		if (notifier->fifos[i])
			notify_fifo_fini(notifier->fifos[i]);
		free(notifier->fifos[i]);
		notifier->fifos[i] = NULL;
	}
	for (size_t i = 0; notifier->lanes && i < notifier->lanes_n; i++) {
		script_run_fini(&notifier->lanes[i].run);
		for (size_t j = 0; j < PROGRAMS_N; j++)
			script_program_fini(&notifier->lanes[i].programs[j]);
	}
	free(notifier->lanes);
	notifier->lanes = NULL;
}

/* ---- to another binary ---- */

static void
lane_estate(struct notify_lane *lane, struct estate *e)
{
	uint32_t state = lane->state, queue_n = (uint32_t)lane->queue_n;
	uint32_t step = (uint32_t)lane->step;

	estate_u32(e, &state, NOTIFY_EVENT_N);
	estate_u32(e, &lane->priority, UINT8_MAX);
	estate_u32(e, &queue_n, NOTIFY_QUEUE);
	estate_u32(e, &step, 2);
	lane->state = (enum notify_event)state;
	lane->queue_n = queue_n;
	lane->step = step;
	for (uint32_t i = 0; i < queue_n; i++) {
		uint32_t event = lane->queue[i].event;

		estate_u32(e, &event, NOTIFY_EVENT_N - 1);
		estate_u32(e, &lane->queue[i].priority, UINT8_MAX);
		lane->queue[i].event = (enum notify_event)event;
	}
	script_run_estate(&lane->run, e);
}

static void
fifo_estate(struct notifier *notifier, size_t i, const struct conf_fifo *conf, struct estate *e)
{
	bool present = notifier->fifos[i] != NULL;

	estate_bool(e, &present);
	if (!present)
		return;
	if (!e->writing) {
		notifier->fifos[i] = conf->path ? calloc(1, sizeof *notifier->fifos[i]) : NULL;
		if (!notifier->fifos[i]) {
			estate_fail(e, "it has a FIFO that is not configured");
			return;
		}
	}
	notify_fifo_estate(notifier->fifos[i], notifier->loop, conf, e);
}

void
notifier_estate(struct notifier *notifier, struct loop *loop, const struct conf *conf,
		struct estate *e)
{
	estate_section(e, "notify scripts");
	if (!e->writing) {
		*notifier = (struct notifier){ .loop = loop, .conf = conf };
		if (make_lanes(notifier) < 0)
			estate_fail(e, "out of memory");
	}
	estate_expect(e, notifier->lanes_n);
	for (size_t i = 0; i < notifier->lanes_n; i++)
		lane_estate(&notifier->lanes[i], e);
	fifo_estate(notifier, 0, &conf->notify_fifo, e);
	fifo_estate(notifier, 1, &conf->vrrp_notify_fifo, e);
}

int
notifier_resume(struct notifier *notifier)
{
	struct script_owner owner;
	const struct script_owner *known = NULL;
	bool asked = false;
	int r = 0;

	for (size_t i = 0; i < notifier->lanes_n && r == 0; i++) {
		struct notify_lane *lane = &notifier->lanes[i];

		if (lane->queue_n == 0)
			continue;
		if (!asked)
			known = find_owner(notifier->conf, &owner);
		asked = true;
		prepare_all(lane, known);
		r = script_run_resume(&lane->run);
	}
	for (size_t i = 0; i < 2 && r == 0; i++) {
		if (!notifier->fifos[i])
			continue;
		if (!asked)
			known = find_owner(notifier->conf, &owner);
		asked = true;
		r = notify_fifo_resume(notifier->fifos[i], known,
				       notifier->conf->enable_script_security, look_for_end,
				       notifier);
	}
	return r;
}
