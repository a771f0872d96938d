/*
 * health_steps.c - reads one `http-check` or `tcp-check` line.  Runs in whichever thread loads a
 * configuration.
 *
 * HAProxy lets many texts be log-format expressions; here they are plain texts ("%%" is a per cent
 * sign), and an expression is refused where it stands.
 */
#include "conf/health_reader.h"
#include "conf/words_health.h"

#include "conf/alpn.h"
#include "conf/model.h"
#include "conf/nearest.h"
#include "conf/parser.h"
#include "conf/value.h"

#include <string.h>

const char step_no_format[] = "log-format expressions come with a later version";

void
step_fail(struct step_reader *r, const struct conf_word *word, const char *problem)
{
	conf_error(&r->call->p->reporter, word ? word->pos : r->call->end, "`%.60s`: %s",
		   word ? word->text : r->call->row->name, problem);
	r->failed = true;
}

/* The next word, or NULL after an error. */
const struct conf_word *
step_take(struct step_reader *r, const char *what)
{
	if (r->at < r->call->words_n)
		return &r->call->words[r->at++];
	conf_error(&r->call->p->reporter, r->call->end, "`%s` needs %s",
		   r->call->words[r->at - 1].text, what);
	r->failed = true;
	return NULL;
}

/* A text that could be an expression: NULL after an error. */
const char *
step_take_format(struct step_reader *r, const char *what)
{
	const struct conf_word *word = step_take(r, what);
	char *plain, *out;

	if (!word || !strchr(word->text, '%'))
		return word ? word->text : NULL;
	plain = out = arena_strdup(r->call->p->arena, word->text);
	for (const char *s = word->text; *s; s++) {
		if (*s == '%' && *++s != '%') {
			step_fail(r, word, step_no_format);
			return NULL;
		}
		*out++ = *s;
	}
	*out = '\0';
	return plain;
}

void
step_read_words(struct step_reader *r, const struct step_word *words)
{
	while (r->at < r->call->words_n && !r->failed) {
		const struct conf_word *word = &r->call->words[r->at++];
		const struct step_word *found = words;
		const char *name = word->text;

		if (r->step->kind == CONF_STEP_EXPECT && *name == '!' && name[1]) {
			r->step->negated = !r->step->negated;
			name++;
		}
		while (found->name && strcmp(found->name, name) != 0)
			found++;
		if (found->name && !found->refused) {
			found->read(r);
			continue;
		}
		if (found->name) {
			step_fail(r, word, found->refused);
			return;
		}
		step_fail(r, word, "no word that could stand here");
		if (r->call->p->reporter.kept) {
			struct nearest nearest = nearest_init(word->text);

			for (found = words; found->name; found++)
				if (found->name[1])
					nearest_offer(&nearest, found->name);
			conf_hint_nearest(&r->call->p->reporter, &nearest);
		}
	}
}

int64_t
step_take_number(struct step_reader *r, int64_t min, int64_t max)
{
	const struct conf_word *word = step_take(r, "a number");
	int64_t value;

	if (!word)
		return min;
	if (value_int(word->text, &value) == 0 && value >= min && value <= max)
		return value;
	step_fail(r, word, "no number that could stand here");
	return min;
}

void
step_read_comment(struct step_reader *r)
{
	const struct conf_word *word = step_take(r, "a text");

	r->step->comment = word ? word->text : NULL;
}

/* ------------------------------------------------------------------ connect */

static void
read_default(struct step_reader *r)
{
	r->step->plain = false;
}

static void
read_ssl(struct step_reader *r)
{
	r->step->ssl = true;
}

static void
read_send_proxy(struct step_reader *r)
{
	r->step->send_proxy = true;
}

static void
read_sni(struct step_reader *r)
{
	const struct conf_word *word = step_take(r, "a host");

	if (word && (!*word->text || strlen(word->text) > 255))
		step_fail(r, word, "no host's name");
	r->step->sni = word ? word->text : NULL;
}

static void
read_alpn(struct step_reader *r)
{
	const struct conf_word *word = step_take(r, "protocols such as h2,http/1.1");
	unsigned char wire[ALPN_WIRE_MAX];

	if (word && alpn_wire(word->text, wire, sizeof wire) < 0)
		step_fail(r, word, "no list of protocols such as h2,http/1.1");
	r->step->alpn = word ? word->text : NULL;
}

static void
read_port(struct step_reader *r)
{
	r->step->port = (uint16_t)step_take_number(r, 1, 65535);
}

static void
read_addr(struct step_reader *r)
{
	const struct conf_word *word = step_take(r, "an address");

	if (word && ip_parse(word->text, &r->step->addr) < 0)
		step_fail(r, word, "no IP address");
}

static void
read_linger(struct step_reader *r)
{
	r->step->linger = true;
}

static const char later[] = "comes with a later version";

static const struct step_word connect_words[] = {
	{ "default", read_default, NULL },
	{ "port", read_port, NULL },
	{ "addr", read_addr, NULL },
	{ "linger", read_linger, NULL },
	{ "comment", step_read_comment, NULL },
	{ "ssl", read_ssl, NULL },
	{ "sni", read_sni, NULL },
	{ "alpn", read_alpn, NULL },
	{ "send-proxy", read_send_proxy, NULL },
	{ "via-socks4", NULL, "servers are not reached through SOCKS" },
	{ "proto", NULL, "checks speak HTTP/1" },
	{ NULL, NULL, NULL },
};

/* ------------------------------------------------------------------ send */

static void
read_text(struct step_reader *r)
{
	step_take(r, "a value");
}

static void
read_format(struct step_reader *r)
{
	step_take_format(r, "a value");
}

static void
read_header(struct step_reader *r)
{
	const struct conf_word *name = step_take(r, "a header's name");

	if (name && (!*name->text || strpbrk(name->text, " \t\r\n:")))
		step_fail(r, name, "no header's name");
	else if (name)
		step_take_format(r, "a header's value");
}

/* Read here for their form; health_protocols.c makes the request of them. */
static const struct step_word http_send_words[] = {
	{ "meth", read_text, NULL },
	{ "uri", read_text, NULL },
	{ "ver", read_text, NULL },
	{ "hdr", read_header, NULL },
	{ "body", read_format, NULL },
	{ "comment", step_read_comment, NULL },
	{ "uri-lf", NULL, step_no_format },
	{ "body-lf", NULL, step_no_format },
	{ NULL, NULL, NULL },
};

static const struct step_word tcp_send_words[] = {
	{ "comment", step_read_comment, NULL },
	{ NULL, NULL, NULL },
};

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
step_take_hex(struct step_reader *r)
{
	const struct conf_word *word = step_take(r, "hexadecimal digits");
	size_t len = word ? strlen(word->text) : 0;
	char *data = arena_alloc(r->call->p->arena, len / 2 + 1);

	if (!word)
		return;
	for (size_t i = 0; i < len; i++)
		if (hex_digit(word->text[i]) < 0 || len % 2) {
			step_fail(r, word, "needs an even number of hexadecimal digits");
			return;
		}
	for (size_t i = 0; i < len / 2; i++)
		data[i] = (char)(hex_digit(word->text[2 * i]) << 4 |
				 hex_digit(word->text[2 * i + 1]));
	r->step->data = data;
	r->step->data_len = len / 2;
}

void
step_take_string(struct step_reader *r)
{
	const struct conf_word *word = step_take(r, "a text");

	if (!word)
		return;
	r->step->pattern = r->step->data = word->text;
	r->step->data_len = strlen(word->text);
}

/* ------------------------------------------------------------------ the line */

bool
health_read_step(struct conf_call *call, bool http, struct conf_step *step)
{
	struct step_reader r = { .call = call, .step = step, .at = 2, .http = http };
	const struct conf_word *word = &call->words[1];
	const char *name = word->text;

	if (strcmp(name, "connect") == 0) {
		step->kind = CONF_STEP_CONNECT;
		step->plain = true;
		step_read_words(&r, connect_words);
	} else if (strcmp(name, "comment") == 0) {
		step->kind = CONF_STEP_COMMENT;
		step_read_comment(&r);
	} else if (strcmp(name, "expect") == 0) {
		step->kind = CONF_STEP_EXPECT;
		step_read_expect(&r);
	} else if (strcmp(name, "send") == 0 && http) {
		step->kind = CONF_STEP_SEND;
		step_read_words(&r, http_send_words);
	} else if (strcmp(name, "send") == 0) {
		step->kind = CONF_STEP_SEND;
		step_take_string(&r);
		step_read_words(&r, tcp_send_words);
	} else if (strcmp(name, "send-binary") == 0 && !http) {
		step->kind = CONF_STEP_SEND;
		step_take_hex(&r);
		step_read_words(&r, tcp_send_words);
	} else if (strncmp(name, "send-", 5) == 0 || strncmp(name, "set-var", 7) == 0 ||
		   strncmp(name, "unset-var", 9) == 0) {
		step_fail(&r, word, later);
	} else {
		step_fail(&r, word, "is no step of a check");
	}
	call->used = r.failed ? call->words_n : r.at;
	return !r.failed;
}
