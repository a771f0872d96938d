/*
 * control.c - a control socket: the worker's, which tells, served by its VRRP thread, and the
 * guardian's, which is told, on its loop.
 *
 * Neither thread may ever wait for a client: answers are made in memory and leave as the socket
 * takes them; the number of clients, the length of a line and the time of a connection are bounded.
 * Whoever exceeds a bound is cut off and counted.
 */
#include "daemon/control.h"

#include "common/list.h"
#include "common/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

char control_later[1];

static void
close_client(struct control_client *c)
{
	close(loop_remove(c->control->loop, &c->socket));
	timer_disarm(&c->control->loop->timers, &c->deadline);
	free(c->answer);
	c->answer = NULL;
	c->ticket = 0;
}

static void
refuse_client(struct control_client *c)
{
	c->control->refused++;
	close_client(c);
}

static void
on_deadline(struct timer *t, struct mono now)
{
	refuse_client(CONTAINER_OF(t, struct control_client, deadline));
}

static void
send_answer(struct control_client *c)
{
	while (c->answer_sent < c->answer_len) {
		ssize_t n = send(c->socket.fd, c->answer + c->answer_sent,
				 c->answer_len - c->answer_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (loop_modify(c->control->loop, &c->socket, EPOLLOUT) < 0)
				refuse_client(c);
			return;
		}
		if (n < 0) {
			close_client(c);
			return;
		}
		c->answer_sent += (size_t)n;
	}
	c->control->served++;
	close_client(c);
}

/* The line is complete: `end` is where its newline stood. */
static void
answer_line(struct control_client *c, char *end)
{
	char *answer;

	if (end > c->line && end[-1] == '\r')
		end--;
	*end = '\0';
	c->answer_sent = 0;
	c->answer_len = 0;
	c->ticket = ++c->control->ticket;
	answer = c->control->answer(c->control->ctx, c->line, &c->answer_len);
	if (answer == CONTROL_LATER) {
		if (c->ticket) /* it may have followed already */
			timer_disarm(&c->control->loop->timers, &c->deadline);
		return;
	}
	c->ticket = 0;
	c->answer = answer;
	if (c->answer)
		send_answer(c);
	else
		refuse_client(c);
}

void
control_reply(struct control *control, uint64_t ticket, char *text, size_t len)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct control_client *c = &control->clients[i];

		if (c->socket.fd < 0 || c->ticket != ticket)
			continue;
		c->ticket = 0;
		c->answer = text;
		c->answer_len = len;
		timer_arm(&control->loop->timers, &c->deadline,
			  mono_add_ms(control->loop->now, CONTROL_TIMEOUT_MS));
		send_answer(c);
		return;
	}
	free(text);
}

static void
read_line(struct control_client *c)
{
	/* Who waits for an answer has nothing more to say; what comes is its end. */
	bool waits = c->ticket != 0;
	ssize_t n = recv(c->socket.fd, waits ? c->line : c->line + c->line_len,
			 waits ? sizeof c->line : sizeof c->line - c->line_len, MSG_DONTWAIT);
	char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_client(c);
		return;
	}
	if (waits)
		return;
	end = memchr(c->line + c->line_len, '\n', (size_t)n);
	c->line_len += (size_t)n;
	if (end)
		answer_line(c, end);
	else if (c->line_len == sizeof c->line)
		refuse_client(c);
}

static void
on_client(struct loop_fd *lf, uint32_t events)
{
	struct control_client *c = CONTAINER_OF(lf, struct control_client, socket);

	if (c->answer)
		send_answer(c);
	else
		read_line(c);
}

static struct control_client *
free_client(struct control *control)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (control->clients[i].socket.fd < 0)
			return &control->clients[i];
	return NULL;
}

static void
on_pause_over(struct timer *t, struct mono now)
{
	struct control *control = CONTAINER_OF(t, struct control, pause);

	if (loop_modify(control->loop, &control->listener, EPOLLIN) < 0)
		log_error("control socket: %m");
}

/* With no descriptor free the listener stays readable: a spin, at real-time priority. */
static void
pause_accepting(struct control *control)
{
	if (loop_modify(control->loop, &control->listener, 0) < 0)
		log_error("control socket: %m");
	timer_arm(&control->loop->timers, &control->pause,
		  mono_add_ms(control->loop->now, CONTROL_PAUSE_MS));
}

static void
on_listener(struct loop_fd *lf, uint32_t events)
{
	static const char busy[] = "{\"error\": \"too many clients\"}\n";
	struct control *control = CONTAINER_OF(lf, struct control, listener);
	int fd = accept4(lf->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct control_client *c;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			pause_accepting(control);
		return;
	}
	c = free_client(control);
	if (!c) {
		control->refused++;
		if (send(fd, busy, sizeof busy - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			log_debug("control socket: %m");
		close(fd);
		return;
	}
	c->socket.fd = fd;
	c->line_len = 0;
	if (loop_add(control->loop, &c->socket, EPOLLIN) < 0) {
		c->socket.fd = -1;
		close(fd);
		return;
	}
	timer_arm(&control->loop->timers, &c->deadline,
		  mono_add_ms(control->loop->now, CONTROL_TIMEOUT_MS));
}

int
control_init(struct control *control, struct loop *loop, int fd, control_answer_fn *answer,
	     void *ctx)
{
	int r;

	*control = (struct control){
		.loop = loop,
		.fd = fd,
		.listener = { .fd = fd, .ready = on_listener },
		.pause = { .fire = on_pause_over },
		.answer = answer,
		.ctx = ctx,
	};
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		control->clients[i].control = control;
		control->clients[i].socket.fd = -1;
		control->clients[i].socket.ready = on_client;
		control->clients[i].deadline.fire = on_deadline;
	}
	r = loop_add(loop, &control->listener, EPOLLIN);
	if (r < 0)
		*control = (struct control){ 0 };
	return r;
}

int
control_waiting(const struct control *control, uint64_t ticket)
{
	for (size_t i = 0; ticket && i < CONTROL_CLIENTS_MAX; i++)
		if (control->clients[i].socket.fd >= 0 && control->clients[i].ticket == ticket)
			return control->clients[i].socket.fd;
	return -1;
}

uint64_t
control_resume(struct control *control, int fd)
{
	struct control_client *c = free_client(control);

	if (!c)
		return 0;
	c->socket.fd = fd;
	c->line_len = 0;
	if (loop_add(control->loop, &c->socket, EPOLLIN) < 0) {
		c->socket.fd = -1;
		return 0;
	}
	c->ticket = ++control->ticket;
	return c->ticket;
}

void
control_freeze(struct control *control)
{
	timer_disarm(&control->loop->timers, &control->pause);
	loop_remove(control->loop, &control->listener);
}

int
control_thaw(struct control *control)
{
	control->listener.fd = control->fd;
	return loop_add(control->loop, &control->listener, EPOLLIN);
}

void
control_close(struct control *control)
{
	/* Its duplicates live on in the guardian: close alone would leave it in epoll. */
	control_freeze(control);
	if (control->fd >= 0)
		close(control->fd);
	control->fd = -1;
}

void
control_fini(struct control *control)
{
	if (!control->loop)
		return;
	control_close(control);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		close_client(&control->clients[i]);
	control->loop = NULL;
}
