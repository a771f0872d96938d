/*
 * log.c - the daemon's own messages.  Any thread, without a lock: a line is built on the caller's
 * stack and leaves in one system call.  The setup is written by log_init before threads start and
 * only read afterwards.
 *
 * A log socket is created once and never replaced: when syslogd restarts, the same descriptor is
 * connected again.  So no thread can send into a descriptor that another has just closed and that
 * somebody else has got meanwhile.
 */
#include "common/log.h"

#include "common/clock.h"
#include "common/log_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOG_LINE_MAX     2048 /* below PIPE_BUF: a line in a pipe is not torn */
#define LOG_RECONNECT_NS NS_PER_S

static struct {
	char ident[32];
	char role[32];
	bool to_stderr, to_syslog;
	int facility, level;
	int fd; /* towards syslogd; -1 = none */
	struct sock_addr syslog_addr;
} config = {
	.ident = "tandem",
	.to_stderr = true,
	.facility = LOG_DAEMON,
	.level = LOG_INFO,
	.fd = -1,
};

static _Atomic uint64_t dropped;
static _Atomic int64_t last_connect_ns;

static void
copy_name(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static _Thread_local struct {
	void (*tap)(void *ctx, int level, const char *message);
	void *ctx;
} tapped;

void
log_init(const struct log_setup *setup)
{
	copy_name(config.ident, sizeof config.ident, setup->ident ? setup->ident : "tandem");
	config.to_stderr = setup->to_stderr;
	config.to_syslog = setup->to_syslog;
	config.facility = setup->facility;
	config.level = setup->level;

	log_streams_open();
	tzset(); /* the file is out of reach after chroot */
	if (!setup->to_syslog)
		return;
	config.syslog_addr = sock_addr_unix(setup->syslog_path ? setup->syslog_path : "/dev/log");
	if (config.fd < 0)
		config.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* If nobody listens yet, the first line tries again. */
	if (config.fd >= 0)
		connect(config.fd, &config.syslog_addr.any, config.syslog_addr.len);
	atomic_store(&last_connect_ns, 0);
}

int
log_socket(const struct sock_addr **address)
{
	*address = &config.syslog_addr;
	return config.to_syslog ? config.fd : -1;
}

void
log_adopt_socket(int fd)
{
	if (config.fd >= 0)
		dup3(fd, config.fd, O_CLOEXEC);
}

void
log_set_role(const char *role)
{
	copy_name(config.role, sizeof config.role, role);
}

void
log_tap(void (*tap)(void *ctx, int level, const char *message), void *ctx)
{
	tapped.tap = tap;
	tapped.ctx = ctx;
}

uint64_t
log_dropped(void)
{
	return atomic_load_explicit(&dropped, memory_order_relaxed);
}

static void
drop(void)
{
	atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
}

/* "Nov 20 23:53:23"; kept per thread for a second, since localtime_r takes a lock within libc.
 * Not strftime: syslog wants English months in any locale. */
static const char *
time_stamp(time_t now)
{
	static const char month[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	static _Thread_local time_t stamp_time;
	static _Thread_local char stamp[32];
	struct tm tm;

	if (now != stamp_time || !stamp[0]) {
		memset(&tm, 0, sizeof tm);
		localtime_r(&now, &tm);
		snprintf(stamp, sizeof stamp, "%s %2d %02d:%02d:%02d", month[tm.tm_mon % 12],
			 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		stamp_time = now;
	}
	return stamp;
}

/* What peers and files put into a message must not move a cursor or forge a line. */
static void
sanitise(char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '\t')
			s[i] = ' ';
		else if (c < 0x20 || c == 0x7f)
			s[i] = '?';
	}
}

static void
send_stderr(const struct timespec *now, const char *message)
{
	const char *role = config.role;
	char line[LOG_LINE_MAX + 128];
	int len;

	len = snprintf(line, sizeof line, "%s.%03ld %s%s%s%s: %s\n", time_stamp(now->tv_sec),
		       now->tv_nsec / 1000000, config.ident, role[0] ? "[" : "", role,
		       role[0] ? "]" : "", message);
	if (!log_stream_write(STDERR_FILENO, line, (size_t)len))
		drop();
}

static bool
send_datagram(const char *line, int len)
{
	return send(config.fd, line, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) == len;
}

/* One thread, once a second. */
static bool
reconnect(void)
{
	int64_t last_ns = atomic_load(&last_connect_ns), now_ns = mono_now().ns;

	if (last_ns && now_ns - last_ns < LOG_RECONNECT_NS)
		return false;
	if (!atomic_compare_exchange_strong(&last_connect_ns, &last_ns, now_ns))
		return false;
	return connect(config.fd, &config.syslog_addr.any, config.syslog_addr.len) == 0;
}

static void
send_syslog(const struct timespec *now, int level, const char *message)
{
	char line[LOG_LINE_MAX + 128];
	int len;

	if (config.fd < 0) {
		drop();
		return;
	}
	/* RFC 3164 as syslog(3) speaks it on a local socket: no host name.  No role either: log tools
	 * look for keepalived's and HAProxy's words right behind the process id. */
	len = snprintf(line, sizeof line, "<%d>%s %s[%d]: %s", config.facility | level,
		       time_stamp(now->tv_sec), config.ident, (int)getpid(), message);
	if (send_datagram(line, len))
		return;
	/* A full queue is no reason to reconnect. */
	if (errno == EAGAIN || errno == ENOBUFS || !reconnect() || !send_datagram(line, len))
		drop();
}

void
log_at(int level, const char *format, ...)
{
	char message[LOG_LINE_MAX];
	struct timespec now;
	int saved = errno;
	va_list ap;
	size_t len;
	int r;

	if (level > config.level)
		return;

	clock_gettime(CLOCK_REALTIME, &now);
	errno = saved; /* for %m */
	va_start(ap, format);
	r = vsnprintf(message, sizeof message, format, ap);
	va_end(ap);
	if (r < 0)
		snprintf(message, sizeof message, "(message that cannot be formatted)");
	else if ((size_t)r >= sizeof message)
		strcpy(message + sizeof message - 4, "...");

	len = strlen(message);
	while (len && message[len - 1] == '\n')
		message[--len] = '\0';
	sanitise(message, len);

	if (tapped.tap)
		tapped.tap(tapped.ctx, level, message);
	if (config.to_stderr)
		send_stderr(&now, message);
	if (config.to_syslog)
		send_syslog(&now, level, message);
	errno = saved;
}
