/*
 * health_protocols.c - `option httpchk`, `option mysql-check` and their kin as lists of steps.  Runs
 * in whichever thread loads a configuration.
 *
 * What is sent, what counts as an answer and which status a wrong one has are HAProxy 2.6's,
 * observed on the wire and in its log.
 */
#include "conf/words_health.h"

#include "conf/model.h"

#include <string.h>
#include <strings.h>

struct list_maker {
	struct arena *arena;
	const struct conf_health *health;
	struct conf_step *steps;
	size_t steps_n;
};

static struct conf_step *
add(struct list_maker *m, enum conf_step_kind kind)
{
	struct conf_step *step = ARENA_PUSH(m->arena, m->steps, m->steps_n);

	step->kind = kind;
	step->min_recv = -1;
	return step;
}

static void
add_connect(struct list_maker *m, bool implied)
{
	struct conf_step *step = add(m, CONF_STEP_CONNECT);

	step->implied = implied;
	/* A conversation that ends well ends with FIN. */
	step->linger = !implied;
}

static void
add_send(struct list_maker *m, const void *data, size_t len)
{
	struct conf_step *step = add(m, CONF_STEP_SEND);
	char *copy = arena_alloc(m->arena, len + 1);

	memcpy(copy, data, len);
	step->data = copy;
	step->data_len = len;
}

static struct conf_step *
add_expect(struct list_maker *m, enum conf_match match, const char *pattern,
	   enum check_status error)
{
	struct conf_step *step = add(m, CONF_STEP_EXPECT);

	step->match = match;
	step->pattern = step->data = pattern;
	step->data_len = pattern ? strlen(pattern) : 0;
	step->error = error;
	return step;
}

/* ------------------------------------------------------------------ HTTP */

struct request {
	const char *method, *uri, *version, *body;
	const char *headers; /* lines as they are sent */
	bool connection;     /* there is such a header */
};

static void
add_header(struct arena *arena, struct request *q, const char *name, const char *value)
{
	char *lower = arena_strdup(arena, name);

	/* The length is told by the body that is there. */
	if (strcasecmp(name, "content-length") == 0 || strcasecmp(name, "transfer-encoding") == 0)
		return;
	q->connection |= strcasecmp(name, "connection") == 0;
	for (char *c = lower; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c |= 0x20;
	q->headers = arena_printf(arena, "%s%s: %s\r\n", q->headers, lower, value);
}

/* The old trick: headers, and maybe a body, behind the version ("HTTP/1.1\r\nHost:\ www"). */
static void
add_hidden_headers(struct arena *arena, struct request *q, const char *version)
{
	const char *line = strpbrk(version, "\r\n");

	q->version = line ? arena_strndup(arena, version, (size_t)(line - version)) : version;
	while (line && *line) {
		size_t len;
		const char *colon, *value;

		line += *line == '\r';
		line += *line == '\n';
		len = strcspn(line, "\r\n");
		if (len == 0) {
			line += *line == '\r';
			line += *line == '\n';
			q->body = *line ? line : q->body;
			return;
		}
		colon = memchr(line, ':', len);
		if (colon) {
			value = colon + 1 + strspn(colon + 1, " \t");
			add_header(arena, q, arena_strndup(arena, line, (size_t)(colon - line)),
				   arena_strndup(arena, value, (size_t)(line + len - value)));
		}
		line += len;
	}
}

/* "option httpchk [[METHOD] URI [VERSION]]" */
static void
read_option(struct arena *arena, const struct conf_health *health, struct request *q)
{
	if (health->words_n == 1)
		q->uri = health->words[0];
	if (health->words_n >= 2) {
		q->method = health->words[0];
		q->uri = health->words[1];
	}
	if (health->words_n >= 3)
		add_hidden_headers(arena, q, health->words[2]);
}

/* "%%" is a per cent sign; expressions have been refused. */
static const char *
plain(struct arena *arena, const char *format)
{
	char *text = arena_strdup(arena, format), *out = text;

	for (const char *s = format; *s; s++) {
		s += *s == '%' && s[1] == '%';
		*out++ = *s;
	}
	*out = '\0';
	return text;
}

/* "send meth M uri U ver V hdr N V … body B" */
static void
read_send(struct arena *arena, const struct conf_step *step, struct request *q)
{
	for (size_t i = 1; i + 1 < step->words_n; i += 2) {
		const char *name = step->words[i], *value = step->words[i + 1];

		if (strcmp(name, "meth") == 0) {
			q->method = value;
		} else if (strcmp(name, "uri") == 0) {
			q->uri = value;
		} else if (strcmp(name, "ver") == 0) {
			q->version = value;
		} else if (strcmp(name, "body") == 0) {
			q->body = plain(arena, value);
		} else if (strcmp(name, "hdr") == 0 && i + 2 < step->words_n) {
			add_header(arena, q, value, plain(arena, step->words[i + 2]));
			i++;
		}
	}
}

/* `option` is NULL except for the first request, `step` NULL where no `http-check send` stands. */
static void
add_request(struct list_maker *m, const struct conf_health *option, const struct conf_step *step)
{
	struct request q = {
		.method = "OPTIONS", .uri = "/", .version = "HTTP/1.0", .headers = ""
	};
	const char *length = "", *text;

	if (option)
		read_option(m->arena, option, &q);
	if (step)
		read_send(m->arena, step, &q);
	if (q.body)
		length = arena_printf(m->arena, "content-length: %zu\r\n", strlen(q.body));
	text = arena_printf(
		m->arena, "%s %s %s\r\n%s%s%s\r\n%s", q.method, q.uri, q.version, q.headers, length,
		strcmp(q.version, "HTTP/1.0") == 0 || q.connection ? "" : "connection: close\r\n",
		q.body ? q.body : "");
	add_send(m, text, strlen(text));
	if (step)
		m->steps[m->steps_n - 1].comment = step->comment;
}

/* Without an `http-check expect`, 2xx and 3xx are good. */
static void
add_good_status(struct list_maker *m)
{
	static const struct conf_status_range good = { 200, 399 };
	struct conf_step *step = add(m, CONF_STEP_EXPECT);

	step->match = CONF_MATCH_STATUS;
	step->ranges = &good;
	step->ranges_n = 1;
}

/* A comment is for the step that is written next, whatever is implied before that one. */
static void
add_comment(struct list_maker *m, const struct conf_step **comment)
{
	if (*comment)
		*ARENA_PUSH(m->arena, m->steps, m->steps_n) = **comment;
	*comment = NULL;
}

static void
compile_http(struct list_maker *m)
{
	const struct conf_health *health = m->health;
	const struct conf_step *comment = NULL;
	bool sent = false, asked = false, connected = false;

	for (size_t i = 0; i < health->http_n; i++) {
		const struct conf_step *step = &health->http[i];

		if (step->kind == CONF_STEP_COMMENT) {
			comment = step;
			continue;
		}
		if (step->kind != CONF_STEP_CONNECT && !connected)
			add_connect(m, true);
		connected = true;
		if (step->kind == CONF_STEP_EXPECT && !sent) {
			add_request(m, health, NULL);
			sent = true;
		}
		add_comment(m, &comment);
		if (step->kind == CONF_STEP_SEND)
			add_request(m, sent ? NULL : health, step);
		else
			*ARENA_PUSH(m->arena, m->steps, m->steps_n) = *step;
		sent |= step->kind == CONF_STEP_SEND;
		asked = step->kind == CONF_STEP_SEND;
	}
	if (!connected)
		add_connect(m, true);
	if (!sent)
		add_request(m, health, NULL);
	if (!sent || asked)
		add_good_status(m);
}

static void
compile_tcp(struct list_maker *m)
{
	const struct conf_step *comment = NULL;
	bool connected = false;

	for (size_t i = 0; i < m->health->tcp_n; i++) {
		const struct conf_step *step = &m->health->tcp[i];

		if (step->kind == CONF_STEP_COMMENT) {
			comment = step;
			continue;
		}
		if (step->kind != CONF_STEP_CONNECT && !connected)
			add_connect(m, true);
		connected = true;
		add_comment(m, &comment);
		*ARENA_PUSH(m->arena, m->steps, m->steps_n) = *step;
	}
	if (!connected)
		add_connect(m, true);
}

/* ------------------------------------------------------------------ other protocols */

/* An old ClientHello without extensions: any answer by a TLS server, an alert too, will do. */
static void
compile_ssl_hello(struct list_maker *m)
{
	static const unsigned char hello[] = {
		0x16, 0x03, 0x01, 0x00, 0x39, /* handshake, TLS 1.0, 57 bytes */
		0x01, 0x00, 0x00, 0x35,       /* ClientHello, 53 bytes */
		0x03, 0x03,                   /* TLS 1.2 */
		't',  'a',  'n',  'd',  'e',  'm',  ' ',  'a',  's',  'k',  's',
		' ',  'w',  'h',  'e',  't',  'h',  'e',  'r',  ' ',  't',  'h',
		'i',  's',  ' ',  'i',  's',  ' ',  'T',  'L',  'S',  '?', /* its random */
		0x00,                                                      /* no session */
		0x00, 0x0e,                                                /* seven cipher suites */
		0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0x00, 0x9c, 0x00,
		0x2f, 0x00, 0x35, 0x01, 0x00, /* no compression */
	};
	struct conf_step *step;

	add_connect(m, true);
	add_send(m, hello, sizeof hello);
	step = add_expect(m, CONF_MATCH_BINARY_REGEX, "^1[56]", CHECK_STATUS_L6RSP);
	step->min_recv = 5;
	step->ok = CHECK_STATUS_L6OK;
	step->timeout = CHECK_STATUS_L6TOUT;
}

/*
 * A greeting; with a user's name an authentication without a password, its answer, and QUIT.  The
 * capabilities are those of protocol 4.1 (or before it): CLIENT_LONG_PASSWORD, CLIENT_PROTOCOL_41,
 * CLIENT_SECURE_CONNECTION.
 */
static void
compile_mysql(struct list_maker *m)
{
	static const unsigned char post_41[] = { 0x00, 0x82, 0, 0, 0x00, 0x80, 0x00, 0x01, 0x21 };
	static const unsigned char pre_41[] = { 0x00, 0x80, 0x00, 0x00, 0x01 };
	static const unsigned char quit[] = { 1, 0, 0, 0, 1 };
	bool old = m->health->words_n == 3 && strcmp(m->health->words[2], "pre-41") == 0;
	unsigned char packet[160] = { 0 };
	size_t at = 4, user_len;

	add_connect(m, false);
	if (m->health->words_n >= 2) {
		memcpy(packet + at, old ? pre_41 : post_41, old ? sizeof pre_41 : sizeof post_41);
		at += old ? sizeof pre_41 : sizeof post_41 + 23;
		user_len = strlen(m->health->words[1]);
		memcpy(packet + at, m->health->words[1], user_len);
		at += user_len + 2; /* its end, and an empty password */
		packet[0] = (unsigned char)(at - 4);
		packet[3] = 1;
		memcpy(packet + at, quit, sizeof quit);
		add_send(m, packet, at + sizeof quit);
	}
	add_expect(m, CONF_MATCH_MYSQL_GREETING, NULL, CHECK_STATUS_UNKNOWN);
	if (m->health->words_n >= 2)
		add_expect(m, CONF_MATCH_MYSQL_OK, NULL, CHECK_STATUS_UNKNOWN);
}

/* A start-up message of protocol 3.0; any request for authentication is an answer. */
static void
compile_pgsql(struct list_maker *m)
{
	unsigned char packet[128] = { 0, 0, 0, 0, 0, 3, 0, 0 };
	size_t at = 8;
	struct conf_step *step;

	memcpy(packet + at, "user", 5);
	at += 5;
	memcpy(packet + at, m->health->words[1], strlen(m->health->words[1]));
	at += strlen(m->health->words[1]) + 2;
	packet[3] = (unsigned char)at;
	add_connect(m, false);
	add_send(m, packet, at);
	step = add_expect(m, CONF_MATCH_REGEX, "^E", CHECK_STATUS_L7RSP);
	step->negated = true;
	step->min_recv = 5;
	step->error_excerpt = CONF_EXCERPT_POSTGRES;
	step = add_expect(m, CONF_MATCH_BINARY_REGEX,
			  "^52000000[A-Z0-9]{2}000000(00|02|03|04|05|06|0A)", CHECK_STATUS_L7STS);
	step->min_recv = 9;
	step->on_ok = "PostgreSQL server is ok";
	step->on_error = "PostgreSQL unknown error";
}

static void
compile_redis(struct list_maker *m)
{
	struct conf_step *step;

	add_connect(m, true);
	add_send(m, "PING\r\n", 6);
	step = add_expect(m, CONF_MATCH_STRING, "+PONG\r\n", CHECK_STATUS_L7STS);
	step->on_ok = "Redis server is ok";
}

/* An anonymous bind, RFC 4511 section 4.2. */
static void
compile_ldap(struct list_maker *m)
{
	static const unsigned char bind[] = { 0x30, 0x0c, 0x02, 0x01, 0x01, 0x60, 0x07,
					      0x02, 0x01, 0x03, 0x04, 0x00, 0x80, 0x00 };
	struct conf_step *step;

	add_connect(m, true);
	add_send(m, bind, sizeof bind);
	step = add_expect(m, CONF_MATCH_BINARY_REGEX, "^30", CHECK_STATUS_L7RSP);
	step->min_recv = 14;
	step->on_error = "Not LDAPv3 protocol";
	add_expect(m, CONF_MATCH_LDAP, NULL, CHECK_STATUS_UNKNOWN);
}

static void
add_smtp_reply(struct list_maker *m, const char *pattern, enum check_status error)
{
	struct conf_step *step = add_expect(m, CONF_MATCH_REGEX, pattern, error);

	step->min_recv = 4;
	step->smtp_code = true;
	step->error_excerpt = error == CHECK_STATUS_L7RSP ? CONF_EXCERPT_REPLY : CONF_EXCERPT_SMTP;
	step->ok_excerpt = CONF_EXCERPT_SMTP;
}

/* "option smtpchk [HELLO DOMAIN]" */
static void
compile_smtp(struct list_maker *m)
{
	const char *verb = "HELO", *domain = "localhost", *hello;

	if (m->health->words_n == 2) {
		verb = strcasecmp(m->health->words[0], "EHLO") == 0 ? "EHLO" : "HELO";
		domain = m->health->words[1];
	}
	hello = arena_printf(m->arena, "%s %s\r\n", verb, domain);
	add_connect(m, false);
	add_smtp_reply(m, "^[0-9]{3}[ \r]", CHECK_STATUS_L7RSP);
	add_smtp_reply(m, "^2[0-9]{2}[ \r]", CHECK_STATUS_L7STS);
	add_send(m, hello, strlen(hello));
	add_smtp_reply(m, "^2[0-9]{2}[- \r]", CHECK_STATUS_L7STS);
	add_send(m, "QUIT\r\n", 6);
	add_smtp_reply(m, "^2[0-9]{2}[- \r]", CHECK_STATUS_L7STS);
}

void
health_compile(struct arena *arena, struct conf_health *health)
{
	struct list_maker m = { .arena = arena, .health = health };

	switch (health->type) {
	case CONF_HEALTH_CONNECT:
		add_connect(&m, true);
		break;
	case CONF_HEALTH_TCP:
		compile_tcp(&m);
		break;
	case CONF_HEALTH_HTTP:
		compile_http(&m);
		break;
	case CONF_HEALTH_SSL_HELLO:
		compile_ssl_hello(&m);
		break;
	case CONF_HEALTH_MYSQL:
		compile_mysql(&m);
		break;
	case CONF_HEALTH_PGSQL:
		compile_pgsql(&m);
		break;
	case CONF_HEALTH_REDIS:
		compile_redis(&m);
		break;
	case CONF_HEALTH_LDAP:
		compile_ldap(&m);
		break;
	case CONF_HEALTH_SMTP:
		compile_smtp(&m);
		break;
	case CONF_HEALTH_AGENT:
	case CONF_HEALTH_EXTERNAL:
		break;
	}
	health->steps = m.steps;
	health->steps_n = m.steps_n;
}

void
health_compile_agent(struct arena *arena, struct conf_server *server)
{
	struct list_maker m = { .arena = arena };
	struct conf_health *health;

	if (!server->agent_check)
		return;
	add_connect(&m, false);
	if (server->agent_send)
		add_send(&m, server->agent_send, strlen(server->agent_send));
	add(&m, CONF_STEP_EXPECT)->match = CONF_MATCH_AGENT;
	health = arena_alloc(arena, sizeof *health);
	health->type = CONF_HEALTH_AGENT;
	health->steps = m.steps;
	health->steps_n = m.steps_n;
	server->agent = health;
}
