/*
 * check_talk.c - a check's conversation with its server: connect, send, expect.  Run by the server's
 * check thread.
 *
 * It reads and writes through conn->ops, as sessions do, so that TLS may stand between, and waits on
 * edges.  A buffer is held only
 * once something has come.
 */
#include "proxy/check.h"
#include "proxy/check_reply.h"
#include "proxy/outbound.h"
#include "proxy/preface.h"
#include "proxy/runtime.h"
#include "proxy/tls_conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static void advance(struct check *c);

static const struct conf_step *
step_of(const struct check *c)
{
	return c->program->steps[c->step].conf;
}

/* " at step 2 of tcp-check (expect string 'x') comment: 'y'": only `option tcp-check` says it. */
static void
tell_step(const struct check *c, char *text, size_t size)
{
	const struct check_step *step = &c->program->steps[c->step];
	const struct conf_step *conf = step->conf;
	char what[96] = "";

	text[0] = '\0';
	if (c->program->type != CONF_HEALTH_TCP)
		return;
	if (step->number == 0) {
		snprintf(text, size, " at initial connection step of tcp-check");
		return;
	}
	if (conf->kind == CONF_STEP_CONNECT && conf->port)
		snprintf(what, sizeof what, " (connect port %u)", conf->port);
	else if (conf->kind == CONF_STEP_CONNECT)
		snprintf(what, sizeof what, " (connect)");
	else if (conf->kind == CONF_STEP_SEND)
		snprintf(what, sizeof what, " (send)");
	else
		check_reply_wish(conf, what, sizeof what);
	snprintf(text, size, " at step %u of tcp-check%s%s%s%s", step->number, what,
		 step->comment ? " comment: '" : "", step->comment ? step->comment : "",
		 step->comment ? "'" : "");
}

static void
end(struct check *c, enum check_status status, int error)
{
	struct check_result result = { .status = status, .error = error };

	const char *reason = outbound_reason(c->server, error);

	tell_step(c, result.info, sizeof result.info);
	if (reason)
		snprintf(result.info, sizeof result.info, "%s", reason);
	check_ended(c, &result);
}

/* Is it this host that lacks something, rather than the server that refuses? */
static bool
own_fault(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
	       error == EADDRNOTAVAIL || error == EADDRINUSE || error == ENODEV;
}

void
check_talk_forget(struct check *c)
{
	SSL_SESSION_free(c->session);
	c->session = NULL;
}

void
check_talk_stop(struct check *c)
{
	timer_disarm(&c->thread->loop.timers, &c->limit);
	/* What a server did not answer to is not said again. */
	if (c->conn.layer && !c->connected)
		check_talk_forget(c);
	/* With RST: a check every second must not leave a TIME_WAIT every second. */
	conn_close(&c->conn, &c->thread->loop, !c->linger);
	if (c->reply)
		pool_put(&c->thread->store.buffers, c->reply);
	c->reply = NULL;
	c->accepted = c->connected = false;
}

static uint32_t
inter_ms(const struct check *c)
{
	uint32_t ms = c->agent ? c->server->conf->agent_inter_ms : c->server->conf->inter_ms;

	return ms ? ms : 2000;
}

/* HAProxy: with `timeout check` connecting may take min(timeout connect, inter), else inter. */
static uint32_t
connect_limit_ms(const struct check *c)
{
	const struct conf_proxy *be = c->server->backend->conf;

	if (be->timeout_check_ms && be->timeout_connect_ms && be->timeout_connect_ms < inter_ms(c))
		return be->timeout_connect_ms;
	return inter_ms(c);
}

static struct sock_addr
address_of(const struct check *c, const struct conf_step *conf)
{
	const struct conf_server *server = c->server->conf;
	const struct sock_addr *own = c->agent ? &server->agent_address : &server->check_address;
	uint16_t port = c->agent ? server->agent_port : server->check_port;
	struct sock_addr to = own->len ? *own : c->server->address;

	if (conf->addr.family != AF_UNSPEC)
		to = sock_addr_from_ip(&conf->addr, 0);
	if (to.any.sa_family == AF_UNIX)
		return to;
	if (conf->port)
		sock_addr_set_port(&to, conf->port);
	else
		sock_addr_set_port(&to, port ? port : server->port);
	return to;
}

/* A server that expects the PROXY protocol gets it from checks too, unless they go elsewhere. */
static bool
sends_header(const struct check *c)
{
	const struct conf_server *conf = c->server->conf;

	if (c->agent || step_of(c)->plain)
		return step_of(c)->send_proxy;
	return step_of(c)->send_proxy || conf->check_send_proxy ||
	       (preface_wanted(c->server) && !conf->check_port && !conf->check_address.len);
}

/* A server with TLS is checked through it, unless the check goes elsewhere. */
static bool
uses_tls(const struct check *c)
{
	const struct conf_server *conf = c->server->conf;

	if (c->agent || step_of(c)->plain || step_of(c)->ssl)
		return step_of(c)->ssl;
	if (!c->server->check_tls || conf->no_check_ssl)
		return false;
	return conf->check_ssl || (conf->tls.on && !conf->check_port && !conf->check_address.len);
}

static void
connected(struct check *c)
{
	uint32_t check_ms = c->server->backend->conf->timeout_check_ms;
	struct loop *loop = &c->thread->loop;

	c->connected = true;
	if (check_ms)
		timer_arm(&loop->timers, &c->limit, mono_add_ms(loop->now, check_ms));
	c->result = (struct check_result){
		.status = c->conn.layer ? CHECK_STATUS_L6OK : CHECK_STATUS_L4OK,
	};
	c->step++;
	advance(c);
}

/* What this step's handshake resumes, and where it keeps what the next one can; NULL = neither. */
static SSL_SESSION **
session_of_step(struct check *c)
{
	struct mono now = c->thread->loop.now;

	if (c->server->conf->tls.no_reuse)
		return NULL;
	if (!check_may_resume(c, now)) {
		check_talk_forget(c);
		c->session_step = c->step;
		c->session_since = now;
	}
	return &c->session;
}

/* Goes on with the handshake. */
static void
secure(struct check *c)
{
	const struct conf_server *conf = c->server->conf;
	const struct conf_step *step = step_of(c);
	struct tls_asked asked = { .sni = step->sni, .alpn = step->alpn };
	struct check_result result = { .status = CHECK_STATUS_L6RSP };
	char where[CHECK_INFO_LEN / 2];
	int r = 0;

	if (!asked.sni && !step->plain)
		asked.sni = conf->check_sni;
	if (!asked.alpn && !step->plain)
		asked.alpn = conf->check_alpn;
	asked.verify = asked.sni ? asked.sni : conf->tls.verifyhost;
	if (!c->conn.layer) {
		asked.session = session_of_step(c);
		r = tls_connect(&c->conn, c->server->check_tls, &asked);
	}
	if (r == 0)
		r = tls_handshake(&c->conn);
	if (r > 0) {
		connected(c);
	} else if (r < 0) {
		tell_step(c, where, sizeof where);
		snprintf(result.info, sizeof result.info, "%s%s",
			 r == -EPROTO ? "SSL handshake failure"
				      : "Connection closed during SSL handshake",
			 where);
		check_ended(c, &result);
	}
}

static void
accepted(struct check *c)
{
	int error = sends_header(c) ? preface_write_check(&c->conn, c->server) : 0;

	c->accepted = true;
	if (error)
		end(c, CHECK_STATUS_SOCKERR, error);
	else if (uses_tls(c))
		secure(c);
	else
		connected(c);
}

static void
on_ready(struct loop_fd *lf, uint32_t events)
{
	struct check *c = CONTAINER_OF(lf, struct check, conn.lf);
	int error;

	conn_note_events(&c->conn, events);
	if (c->connected) {
		advance(c);
		return;
	}
	if (c->accepted) {
		secure(c);
		return;
	}
	error = events & (EPOLLERR | EPOLLHUP) ? conn_error(&c->conn) : 0;
	if (error)
		end(c, CHECK_STATUS_L4CON, error);
	else if (events & (EPOLLOUT | EPOLLIN | EPOLLHUP))
		accepted(c);
}

/*
 * A thread that was held up, or has more events than it takes in at a time, may find the limit
 * passed before the event that came in time.  true: the check has gone on.
 */
static bool
catch_up(struct check *c)
{
	struct pollfd fd = { .fd = c->conn.lf.fd, .events = POLLIN | POLLOUT | POLLRDHUP };

	if (poll(&fd, 1, 0) <= 0)
		return false;
	on_ready(&c->conn.lf, (uint32_t)(unsigned short)fd.revents);
	return !c->asking || timer_armed(&c->limit);
}

void
check_talk_limit(struct check *c)
{
	const struct conf_step *conf;

	if (catch_up(c))
		return;
	conf = step_of(c);
	if (!c->accepted)
		end(c, CHECK_STATUS_L4TOUT, 0);
	else if (!c->connected)
		end(c, CHECK_STATUS_L6TOUT, 0);
	else
		end(c, conf->timeout ? conf->timeout : CHECK_STATUS_L7TOUT, 0);
}

/* May the server's program speak next, once it has accepted? */
static bool
is_greeted(const struct check *c)
{
	const struct check_program *program = c->program;
	uint32_t next = c->step + 1;

	/* An agent may say its word and leave, whatever it is sent. */
	if (c->agent)
		return true;
	while (next < program->steps_n && program->steps[next].conf->kind == CONF_STEP_COMMENT)
		next++;
	return next < program->steps_n && program->steps[next].conf->kind == CONF_STEP_EXPECT;
}

static void
begin_connection(struct check *c, const struct conf_step *conf)
{
	struct sock_addr to = address_of(c, conf);
	struct loop *loop = &c->thread->loop;
	const struct outbound_ask ask = { .random = proxy_random(c->thread),
					  .patient = !is_greeted(c) };
	int fd, r;

	check_talk_stop(c);
	c->linger = conf->linger;
	fd = outbound_connect(c->server, &to, &ask);
	if (fd < 0) {
		end(c, own_fault(-fd) ? CHECK_STATUS_SOCKERR : CHECK_STATUS_L4CON, -fd);
		return;
	}
	conn_init(&c->conn, fd, on_ready, to.any.sa_family);
	r = loop_add(loop, &c->conn.lf, CONN_EVENTS);
	if (r < 0) {
		end(c, CHECK_STATUS_SOCKERR, -r);
		return;
	}
	timer_arm(&loop->timers, &c->limit, mono_add_ms(loop->now, connect_limit_ms(c)));
}

/* true: all is sent. */
static bool
send_data(struct check *c, const struct conf_step *conf)
{
	ssize_t n;

	/* What is said now is not answered by what came before. */
	if (c->reply && c->sent == 0)
		c->reply->end = 0;
	while (c->sent < conf->data_len && (c->conn.flags & CONN_CAN_WRITE)) {
		n = c->conn.ops->write(&c->conn, conf->data + c->sent, conf->data_len - c->sent,
				       false);
		if (n < 0) {
			end(c, CHECK_STATUS_SOCKERR, (int)-n);
			return false;
		}
		c->sent += (uint32_t)n;
	}
	if (c->sent < conf->data_len)
		return false;
	c->sent = 0;
	c->result = (struct check_result){ .status = CHECK_STATUS_L7OK };
	if (c->program->type == CONF_HEALTH_TCP)
		snprintf(c->result.info, sizeof c->result.info, "(tcp-check)");
	return true;
}

/* Takes in what has come; false: the check has ended with an error. */
static bool
receive(struct check *c)
{
	ssize_t n;

	if (!c->reply) {
		c->reply = pool_get(&c->thread->store.buffers);
		if (!c->reply) {
			end(c, CHECK_STATUS_SOCKERR, ENOMEM);
			return false;
		}
		c->reply->begin = c->reply->end = 0;
	}
	while ((c->conn.flags & (CONN_CAN_READ | CONN_EOF)) == CONN_CAN_READ &&
	       c->reply->end < CHECK_REPLY_MAX) {
		n = c->conn.ops->read(&c->conn, c->reply->data + c->reply->end,
				      CHECK_REPLY_MAX - c->reply->end);
		if (n < 0) {
			/* What came before a reset is an answer all the same. */
			c->conn.flags |= CONN_EOF;
			if (c->reply->end > 0)
				break;
			end(c, CHECK_STATUS_SOCKERR, (int)-n);
			return false;
		}
		if (n == 0)
			break;
		c->reply->end += (uint32_t)n;
	}
	return true;
}

/* true: on to the next step. */
static bool
judge(struct check *c)
{
	struct check_result result = c->result;
	bool last;

	result.info[0] = '\0';
	if (!receive(c))
		return false;
	last = (c->conn.flags & CONN_EOF) || c->reply->end == CHECK_REPLY_MAX;
	if (c->reply->end == 0 && !last)
		return false;
	switch (check_reply_judge(c->program, c->step, c->reply->data, c->reply->end, last,
				  server_state_get(c->server) != SERVER_DOWN, &result)) {
	case CHECK_OUTCOME_MORE:
		return false;
	case CHECK_OUTCOME_NEXT:
		c->result = result;
		return true;
	case CHECK_OUTCOME_OVER:
		check_ended(c, &result);
		break;
	}
	return false;
}

/* Takes steps until one has to wait. */
static void
advance(struct check *c)
{
	const struct check_program *program = c->program;

	for (; c->step < program->steps_n; c->step++) {
		const struct conf_step *conf = program->steps[c->step].conf;

		switch (conf->kind) {
		case CONF_STEP_COMMENT:
			break;
		case CONF_STEP_CONNECT:
			begin_connection(c, conf);
			return;
		case CONF_STEP_SEND:
			if (!send_data(c, conf))
				return;
			break;
		case CONF_STEP_EXPECT:
			if (!judge(c))
				return;
			break;
		}
	}
	check_ended(c, &c->result);
}

void
check_talk(struct check *c)
{
	c->step = c->sent = 0;
	advance(c);
}
