/*
 * check.c - the TCP connect check.  Run by the server's check thread.
 */
#include "proxy/check.h"

#include "proxy/runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
finish(struct check *c, enum check_status status, int error)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };
	struct check_result result = { .status = status,
				       .error = error,
				       .at = c->thread->loop.now };

	if (c->lf.fd >= 0) {
		/* With RST: a check every second must not leave a TIME_WAIT every second. */
		setsockopt(c->lf.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
		loop_close(&c->thread->loop, &c->lf);
	}
	timer_disarm(&c->thread->loop.timers, &c->limit);
	result.duration_ms = (uint32_t)mono_since_ms(mono_now(), c->began);
	server_report(c->server, &result);
	if (c->overdue)
		timer_arm(&c->thread->loop.timers, &c->next, c->thread->loop.now);
	c->overdue = false;
}

static void
on_ready(struct loop_fd *lf, uint32_t events)
{
	struct check *c = CONTAINER_OF(lf, struct check, lf);
	int error = 0;
	socklen_t len = sizeof error;

	if (events & (EPOLLERR | EPOLLHUP))
		getsockopt(lf->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	finish(c, error ? CHECK_STATUS_L4CON : CHECK_STATUS_L4OK, error);
}

static void
on_limit(struct timer *timer, struct mono now)
{
	finish(CONTAINER_OF(timer, struct check, limit), CHECK_STATUS_L4TOUT, 0);
}

/* HAProxy: with `timeout check` connecting may take min(timeout connect, inter), else inter. */
static uint32_t
limit_ms(const struct check *c)
{
	const struct conf_proxy *be = c->server->backend->conf;
	uint32_t inter_ms = c->server->conf->inter_ms ? c->server->conf->inter_ms : 2000;

	if (be->timeout_check_ms && be->timeout_connect_ms && be->timeout_connect_ms < inter_ms)
		return be->timeout_connect_ms;
	return inter_ms;
}

static struct sock_addr
check_address(const struct server *s)
{
	const struct conf_server *conf = s->conf;
	struct sock_addr to = conf->check_address.len ? conf->check_address : s->address;

	if (to.any.sa_family == AF_UNIX)
		return to;
	sock_addr_set_port(&to, conf->check_port ? conf->check_port : conf->port);
	return to;
}

static void
ask(struct check *c)
{
	struct sock_addr to = check_address(c->server);
	int fd, error;

	c->began = mono_now();
	fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		finish(c, CHECK_STATUS_SOCKERR, errno);
		return;
	}
	c->lf.fd = fd;
	if (connect(fd, &to.any, to.len) < 0 && errno != EINPROGRESS) {
		finish(c, CHECK_STATUS_L4CON, errno);
		return;
	}
	error = -loop_add(&c->thread->loop, &c->lf, EPOLLOUT);
	if (error)
		finish(c, CHECK_STATUS_SOCKERR, error);
	else
		timer_arm(&c->thread->loop.timers, &c->limit, mono_add_ms(c->beat, limit_ms(c)));
}

/* When the next one is due, `began` being the beat just made. */
static int64_t
next_ns(struct check *c)
{
	int64_t inter_ns = server_check_interval_ms(c->server) * NS_PER_MS;
	uint32_t percent = c->thread->proxy->conf->spread_checks;

	if (!c->spread) {
		/* From the bunch of first checks to this one's own place in the interval. */
		c->spread = true;
		return inter_ns * (c->place + 1) / c->of;
	}
	if (percent)
		inter_ns +=
			inter_ns * percent / 100 * ((int)(rand_r(&c->random) % 201) - 100) / 100;
	return inter_ns;
}

static void
on_next(struct timer *timer, struct mono now)
{
	struct check *c = CONTAINER_OF(timer, struct check, next);
	struct mono beat = timer->when;

	if (c->lf.fd >= 0) {
		/* fastinter is shorter than what a check may take: at once after this one's end. */
		c->overdue = true;
		return;
	}
	if (!atomic_load(&c->server->resolved)) {
		timer_arm(&c->thread->loop.timers, &c->next, mono_add_ms(now, CHECK_FIRST_MS));
		return;
	}
	/* A thread that was held up does not make up for lost beats. */
	c->beat = mono_since_ms(now, beat) > CHECK_FIRST_MS ? now : beat;
	/* The limit is armed first: where both are due it ends this check before the next. */
	ask(c);
	timer_arm(&c->thread->loop.timers, &c->next, mono_add_ns(c->beat, next_ns(c)));
}

void
check_start(struct check *c, struct proxy_thread *t, struct server *server, uint32_t place,
	    uint32_t of)
{
	uint32_t inter_ms = server_check_interval_ms(server);
	uint32_t window_ms = inter_ms < CHECK_FIRST_MS ? inter_ms : CHECK_FIRST_MS;

	*c = (struct check){
		.server = server,
		.thread = t,
		.lf = { .fd = -1, .ready = on_ready },
		.next = { .fire = on_next },
		.limit = { .fire = on_limit },
		.place = place,
		.of = of,
		.random = server->number + 1,
	};
	timer_arm(&t->loop.timers, &c->next,
		  mono_add_ns(t->loop.now, window_ms * NS_PER_MS * place / of));
}

void
check_stop(struct check *c)
{
	timer_disarm(&c->thread->loop.timers, &c->next);
	timer_disarm(&c->thread->loop.timers, &c->limit);
	loop_close(&c->thread->loop, &c->lf);
}
