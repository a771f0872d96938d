/*
 * watch_processes.c - the watcher of tracked processes.  A process of its own (watcher.h): reading a
 * command line may wait for that process' memory.
 *
 * It looks through /proc once, and from then on the kernel's process events connector tells it of
 * forks, execs, new names and ends.  Events come to the initial network namespace only, and only to
 * somebody in the initial namespaces of users and processes: without them, and after events were
 * lost, it looks through /proc, once a second.
 */
#include "daemon/process_match.h"
#include "daemon/watcher.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_MS        1000
#define ANSWER_MS      500 /* in which the kernel confirms that it will send events */
#define RECEIVE_BUFFER (1024 * 1024)
#define LINE_MAX_LEN   4096
#define NAME_SIZE      64

/* A process that matches number `index`. */
struct match {
	pid_t pid;
	uint32_t index;
};

struct watch {
	const struct conf *conf;
	int out, events;
	bool lines;    /* some need command lines */
	bool *tracked; /* by index */
	int64_t *told; /* what was reported; -1 = nothing yet */
	uint32_t *running;
	struct match *matches;
	size_t matches_n, matches_size;
};

/* ---- one process ---- */

static ssize_t
read_file(pid_t pid, const char *what, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, buf, size);
	close(fd);
	return n;
}

/* Its name, if it runs; a zombie does not.  "PID (NAME) STATE …": the name may hold anything. */
static bool
read_name(pid_t pid, char name[NAME_SIZE])
{
	char stat[512];
	ssize_t n = read_file(pid, "stat", stat, sizeof stat - 1);
	char *begin, *end;

	if (n <= 0)
		return false;
	stat[n] = '\0';
	begin = strchr(stat, '(');
	end = strrchr(stat, ')');
	if (!begin || !end || end < begin || end[1] != ' ' || end[2] == 'Z' || end[2] == 'X')
		return false;
	snprintf(name, NAME_SIZE, "%.*s", (int)(end - begin - 1), begin + 1);
	return true;
}

static void
add_match(struct watch *w, pid_t pid, uint32_t index)
{
	if (w->matches_n == w->matches_size) {
		w->matches_size = w->matches_size ? w->matches_size * 2 : 64;
		w->matches = realloc(w->matches, w->matches_size * sizeof *w->matches);
		if (!w->matches)
			_exit(1);
	}
	w->matches[w->matches_n++] = (struct match){ pid, index };
	w->running[index]++;
}

static void
forget(struct watch *w, pid_t pid)
{
	for (size_t i = w->matches_n; i-- > 0;)
		if (w->matches[i].pid == pid) {
			w->running[w->matches[i].index]--;
			w->matches[i] = w->matches[--w->matches_n];
		}
}

static void
examine(struct watch *w, pid_t pid)
{
	char name[NAME_SIZE], line[LINE_MAX_LEN];
	ssize_t len = 0;

	if (pid == getpid() || !read_name(pid, name))
		return;
	if (w->lines)
		len = read_file(pid, "cmdline", line, sizeof line);
	for (uint32_t i = 0; i < w->conf->track_processes_n; i++)
		if (w->tracked[i] && process_match(&w->conf->track_processes[i], name, line,
						   len > 0 ? (size_t)len : 0))
			add_match(w, pid, i);
}

/* ---- all of them ---- */

static void
look(struct watch *w)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		_exit(1);
	w->matches_n = 0;
	memset(w->running, 0, w->conf->track_processes_n * sizeof *w->running);
	while ((entry = readdir(proc)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			examine(w, atoi(entry->d_name));
	closedir(proc);
}

static void
report(struct watch *w)
{
	for (uint32_t i = 0; i < w->conf->track_processes_n; i++) {
		if (!w->tracked[i] || w->told[i] == w->running[i])
			continue;
		w->told[i] = w->running[i];
		watcher_report(w->out, WATCH_KIND_PROCESS, i, (int32_t)w->running[i]);
	}
}

/* ---- events ---- */

static void
on_event(struct watch *w, const struct proc_event *event)
{
	pid_t pid = 0;

	switch ((unsigned)event->what) {
	case PROC_EVENT_FORK:
		if (event->event_data.fork.child_pid == event->event_data.fork.child_tgid)
			pid = event->event_data.fork.child_tgid;
		break;
	case PROC_EVENT_EXEC:
		pid = event->event_data.exec.process_tgid;
		break;
	case PROC_EVENT_COMM:
		if (event->event_data.comm.process_pid == event->event_data.comm.process_tgid)
			pid = event->event_data.comm.process_tgid;
		break;
	case PROC_EVENT_EXIT:
		if (event->event_data.exit.process_pid == event->event_data.exit.process_tgid)
			forget(w, event->event_data.exit.process_tgid);
		break;
	}
	if (pid == 0)
		return;
	forget(w, pid);
	examine(w, pid);
}

union datagram {
	struct nlmsghdr head;
	char bytes[8192];
};

/* The event of a message, or NULL. */
static const struct proc_event *
event_of(const struct nlmsghdr *head)
{
	const struct cn_msg *message = NLMSG_DATA(head);

	if (head->nlmsg_type == NLMSG_ERROR || head->nlmsg_type == NLMSG_NOOP ||
	    head->nlmsg_len < NLMSG_LENGTH(sizeof *message + sizeof(struct proc_event)) ||
	    message->id.idx != CN_IDX_PROC || message->id.val != CN_VAL_PROC)
		return NULL;
	return (const struct proc_event *)message->data;
}

/* Everything that waits.  False: some of it was lost. */
static bool
take_events(struct watch *w)
{
	union datagram d;
	struct sockaddr_nl from;

	for (;;) {
		socklen_t from_len = sizeof from;
		ssize_t n = recvfrom(w->events, &d, sizeof d, MSG_DONTWAIT,
				     (struct sockaddr *)&from, &from_len);
		unsigned left = n > 0 ? (unsigned)n : 0;

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (from.nl_pid != 0) /* not the kernel */
			continue;
		for (struct nlmsghdr *h = &d.head; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			const struct proc_event *event = event_of(h);

			if (event)
				on_event(w, event);
		}
	}
}

static bool
ask(int fd)
{
	const enum proc_cn_mcast_op op = PROC_CN_MCAST_LISTEN;
	union {
		struct nlmsghdr head;
		char bytes[NLMSG_LENGTH(sizeof(struct cn_msg) + sizeof op)];
	} request = {
		.head = { .nlmsg_len = sizeof request.bytes, .nlmsg_type = NLMSG_DONE },
	};
	struct cn_msg *message = NLMSG_DATA(&request.head);

	message->id = (struct cb_id){ CN_IDX_PROC, CN_VAL_PROC };
	message->len = sizeof op;
	memcpy(message->data, &op, sizeof op);
	return send(fd, &request, sizeof request.bytes, 0) == sizeof request.bytes;
}

/* Whoever is in other namespaces of users or processes is simply not answered. */
static bool
is_answered(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	union datagram d;

	while (poll(&p, 1, ANSWER_MS) > 0) {
		ssize_t n = recv(fd, &d, sizeof d, MSG_DONTWAIT);
		const struct proc_event *event;

		if (n < (ssize_t)sizeof d.head || !NLMSG_OK(&d.head, (unsigned)n))
			return false;
		event = event_of(&d.head);
		if (event)
			return (unsigned)event->what != PROC_EVENT_NONE ||
			       event->event_data.ack.err == 0;
	}
	return false;
}

/* -1: there are none to be had in the present network namespace. */
static int
subscribe(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);
	int size = RECEIVE_BUFFER;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && ask(fd) &&
	    is_answered(fd))
		return fd;
	close(fd);
	return -1;
}

/* This process alone moves to the network namespace of the first one. */
static bool
go_to_initial_network(void)
{
	int fd = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && setns(fd, CLONE_NEWNET) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static void
prepare(struct watch *w, const struct conf *conf)
{
	size_t n = conf->track_processes_n + 1;

	w->tracked = calloc(n, sizeof *w->tracked);
	w->told = calloc(n, sizeof *w->told);
	w->running = calloc(n, sizeof *w->running);
	if (!w->tracked || !w->told || !w->running)
		_exit(1);
	for (uint32_t i = 0; i < conf->track_processes_n; i++) {
		w->tracked[i] = watch_is_tracked(conf, CONF_TRACK_PROCESS, i);
		w->told[i] = -1;
		w->lines |= w->tracked[i] && process_match_needs_line(&conf->track_processes[i]);
	}
}

void
watch_processes(const struct conf *conf, bool again, int out)
{
	struct watch w = { .conf = conf, .out = out, .events = subscribe() };
	struct pollfd p;
	bool whole = false;

	prepare(&w, conf);
	if (w.events < 0 && go_to_initial_network())
		w.events = subscribe();
	watcher_report(out, WATCH_KIND_EVENTS, 0, w.events >= 0);
	p = (struct pollfd){ .fd = w.events, .events = POLLIN };
	for (;;) {
		/* The socket is there before the look: nothing can slip between them. */
		if (!whole)
			look(&w);
		report(&w);
		poll(&p, 1, w.events >= 0 ? -1 : LOOK_MS);
		whole = w.events >= 0 && take_events(&w);
	}
}
