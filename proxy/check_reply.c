/*
 * check_reply.c - judges answers to checks.  Pure.
 *
 * A pattern that has not been found may still come: without `min-recv` only the end of the answer
 * makes its absence sure, for negated patterns, too.
 */
#include "proxy/check_reply.h"

#include "proxy/check_http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct judge {
	const struct check_program *program;
	const struct check_step *step;
	const char *data;
	size_t len;
	bool last, up;
	struct check_result *result;
};

static void
set_info(struct check_result *result, const char *text, size_t len)
{
	if (len >= sizeof result->info)
		len = sizeof result->info - 1;
	memcpy(result->info, text, len);
	result->info[len] = '\0';
}

static void
add_info(struct check_result *result, const char *text)
{
	size_t have = strlen(result->info);

	snprintf(result->info + have, sizeof result->info - have, "%s", text);
}

static void
add_comment(struct judge *j, const char *quote)
{
	if (!j->step->comment)
		return;
	add_info(j->result, " comment: ");
	add_info(j->result, quote);
	add_info(j->result, j->step->comment);
	add_info(j->result, quote);
}

static void
take_excerpt(struct judge *j, enum conf_excerpt excerpt)
{
	size_t from = 0, len;

	switch (excerpt) {
	case CONF_EXCERPT_NONE:
		return;
	case CONF_EXCERPT_REPLY:
		break;
	case CONF_EXCERPT_SMTP:
		for (from = 4; from < j->len && j->data[from] == ' ';)
			from++;
		break;
	case CONF_EXCERPT_POSTGRES:
		from = 6;
		break;
	}
	for (len = from; len < j->len && j->data[len] && !strchr("\r\n", j->data[len]);)
		len++;
	if (from < j->len)
		set_info(j->result, j->data + from, len - from);
}

/* The number a reply of SMTP begins with. */
static void
take_code(struct judge *j)
{
	int code = 0;

	if (!j->step->conf->smtp_code)
		return;
	for (size_t i = 0; i < 3 && i < j->len && j->data[i] >= '0' && j->data[i] <= '9'; i++)
		code = code * 10 + (j->data[i] - '0');
	j->result->code = code;
}

/* Bytes as HAProxy shows them: "<AA>" for what cannot be printed. */
static void
show_bytes(const char *data, size_t len, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < len && at + 5 < size; i++)
		at += (size_t)snprintf(text + at, size - at,
				       data[i] >= 0x20 && data[i] <= 0x7e ? "%c" : "<%02X>",
				       (unsigned char)data[i]);
}

void
check_reply_wish(const struct conf_step *conf, char *text, size_t size)
{
	char bytes[64];

	text[0] = '\0';
	if (conf->match == CONF_MATCH_STRING) {
		snprintf(text, size, " (expect string '%.60s')", conf->pattern);
	} else if (conf->match == CONF_MATCH_BINARY) {
		show_bytes(conf->data, conf->data_len, bytes, sizeof bytes);
		snprintf(text, size, " (expect binary '%s')", bytes);
	} else if (conf->match == CONF_MATCH_REGEX) {
		snprintf(text, size, " (expect regex)");
	} else if (conf->match == CONF_MATCH_BINARY_REGEX) {
		snprintf(text, size, " (expect binary regex)");
	}
}

/* What `option tcp-check` says where the file has no text of its own. */
static void
explain_mismatch(struct judge *j)
{
	const struct conf_step *conf = j->step->conf;
	const char *what =
		conf->negated ? "TCPCHK matched unwanted content" : "TCPCHK did not match content";
	char text[CHECK_INFO_LEN];

	switch (conf->match) {
	case CONF_MATCH_STRING:
		snprintf(text, sizeof text, "%s '%.60s' at step %u", what, conf->pattern,
			 j->step->number);
		break;
	case CONF_MATCH_BINARY:
		snprintf(text, sizeof text, "%s (binary) at step %u", what, j->step->number);
		break;
	case CONF_MATCH_REGEX:
		snprintf(text, sizeof text, "%s (regex) at step %u", what, j->step->number);
		break;
	case CONF_MATCH_BINARY_REGEX:
		snprintf(text, sizeof text, "%s (binary regex) at step %u", what, j->step->number);
		break;
	case CONF_MATCH_STATUS:
	case CONF_MATCH_STATUS_REGEX:
	case CONF_MATCH_HEADER:
	case CONF_MATCH_FULL_HEADER:
	case CONF_MATCH_BODY:
	case CONF_MATCH_BODY_REGEX:
	case CONF_MATCH_MYSQL_GREETING:
	case CONF_MATCH_MYSQL_OK:
	case CONF_MATCH_LDAP:
	case CONF_MATCH_AGENT:
		return;
	}
	set_info(j->result, text, strlen(text));
}

/* `reason`: what HTTP has to say, NULL otherwise. */
static enum check_outcome
mismatch(struct judge *j, enum check_status usual, const char *reason, size_t reason_len)
{
	const struct conf_step *conf = j->step->conf;

	j->result->status = conf->error ? conf->error : usual;
	j->result->info[0] = '\0';
	take_code(j);
	if (conf->on_error)
		set_info(j->result, conf->on_error, strlen(conf->on_error));
	else if (conf->error_excerpt)
		take_excerpt(j, conf->error_excerpt);
	else if (reason)
		set_info(j->result, reason, reason_len);
	else if (j->program->type == CONF_HEALTH_TCP)
		explain_mismatch(j);
	add_comment(j, "");
	return CHECK_OUTCOME_OVER;
}

static enum check_outcome
met(struct judge *j)
{
	const struct conf_step *conf = j->step->conf;

	j->result->status = conf->ok ? conf->ok : CHECK_STATUS_L7OK;
	j->result->info[0] = '\0';
	take_code(j);
	if (conf->on_ok)
		set_info(j->result, conf->on_ok, strlen(conf->on_ok));
	else if (conf->ok_excerpt)
		take_excerpt(j, conf->ok_excerpt);
	else if (j->program->type == CONF_HEALTH_TCP)
		set_info(j->result, "(tcp-check)", 11);
	return CHECK_OUTCOME_NEXT;
}

/* ------------------------------------------------------------------ HTTP */

static bool
compare(const char *s, size_t len, const char *pattern, enum conf_compare how,
	const struct regex *re, bool fold)
{
	size_t n = strlen(pattern);
	int (*same)(const char *, const char *, size_t) = fold ? strncasecmp : strncmp;

	switch (how) {
	case CONF_COMPARE_EXACT:
		return len == n && same(s, pattern, n) == 0;
	case CONF_COMPARE_BEGIN:
		return len >= n && same(s, pattern, n) == 0;
	case CONF_COMPARE_END:
		return len >= n && same(s + len - n, pattern, n) == 0;
	case CONF_COMPARE_SUB:
		for (size_t i = 0; i + n <= len; i++)
			if (same(s + i, pattern, n) == 0)
				return true;
		return false;
	case CONF_COMPARE_REGEX:
		return regex_match(re, s, len);
	}
	return false;
}

/* One of the values between commas, or the whole. */
static bool
compare_value(const struct check_step *step, const char *value, size_t len)
{
	const struct conf_step *conf = step->conf;
	size_t from = 0;

	if (conf->match == CONF_MATCH_FULL_HEADER)
		return compare(value, len, conf->value, conf->value_compare, step->value, false);
	for (size_t i = 0; i <= len; i++) {
		size_t to = i;

		if (i < len && value[i] != ',')
			continue;
		while (from < to && (value[from] == ' ' || value[from] == '\t'))
			from++;
		while (to > from && (value[to - 1] == ' ' || value[to - 1] == '\t'))
			to--;
		if (compare(value + from, to - from, conf->value, conf->value_compare, step->value,
			    false))
			return true;
		from = i + 1;
	}
	return false;
}

static bool
match_header(const struct check_step *step, const struct check_http *http)
{
	const struct conf_step *conf = step->conf;
	const char *name, *value;
	size_t at = 0, name_len, value_len;

	while (check_http_header(http, &at, &name, &name_len, &value, &value_len))
		if (compare(name, name_len, conf->header, conf->header_compare, step->header,
			    true) &&
		    (!conf->value || compare_value(step, value, value_len)))
			return true;
	return false;
}

static bool
match_status(const struct check_step *step, const struct check_http *http)
{
	const struct conf_step *conf = step->conf;
	char text[16];

	if (conf->match == CONF_MATCH_STATUS_REGEX)
		return regex_match(step->pattern, text,
				   (size_t)snprintf(text, sizeof text, "%d", http->status));
	for (size_t i = 0; i < conf->ranges_n; i++)
		if ((uint32_t)http->status >= conf->ranges[i].from &&
		    (uint32_t)http->status <= conf->ranges[i].to)
			return true;
	return false;
}

static enum check_outcome
judge_body(struct judge *j, const struct check_http *http)
{
	static const char none[] = "HTTP content check could not find a response body";
	static const char unwanted[] = "HTTP check matched unwanted content";
	static const char absent[] = "HTTP content check did not match";
	const struct conf_step *conf = j->step->conf;
	char body[CHECK_REPLY_MAX];
	bool whole = false, found;
	long len =
		http->body_len <= sizeof body ? check_http_body(http, j->last, body, &whole) : -1;

	if (len < 0) {
		j->result->status = CHECK_STATUS_L7RSP;
		return CHECK_OUTCOME_OVER;
	}
	if (len == 0 && whole)
		return mismatch(j, CHECK_STATUS_L7RSP, none, sizeof none - 1);
	if (conf->min_recv > 0 && len < conf->min_recv && !whole)
		return CHECK_OUTCOME_MORE;
	if (conf->match == CONF_MATCH_BODY_REGEX)
		found = regex_match(j->step->pattern, body, (size_t)len);
	else
		found = memmem(body, (size_t)len, conf->data, conf->data_len) != NULL;
	if (!found && !whole && conf->min_recv < 0)
		return CHECK_OUTCOME_MORE;
	if (found != conf->negated)
		return met(j);
	if (conf->negated)
		return mismatch(j, CHECK_STATUS_L7RSP, unwanted, sizeof unwanted - 1);
	return mismatch(j, CHECK_STATUS_L7RSP, absent, sizeof absent - 1);
}

static enum check_outcome
judge_http(struct judge *j)
{
	const struct conf_step *conf = j->step->conf;
	struct check_http http;
	bool found;

	switch (check_http_parse(j->data, j->len, &http)) {
	case CHECK_HTTP_MORE:
		if (!j->last)
			return CHECK_OUTCOME_MORE;
		j->result->status = CHECK_STATUS_L7RSP;
		return CHECK_OUTCOME_OVER;
	case CHECK_HTTP_BAD:
		j->result->status = CHECK_STATUS_L7RSP;
		return CHECK_OUTCOME_OVER;
	case CHECK_HTTP_HEAD:
		break;
	}
	j->result->code = http.status;
	if (http.status == 404 && j->up && j->program->disable_on_404) {
		j->result->status = CHECK_STATUS_L7OKC;
		return CHECK_OUTCOME_OVER;
	}
	if (conf->match == CONF_MATCH_BODY || conf->match == CONF_MATCH_BODY_REGEX)
		return judge_body(j, &http);
	if (conf->match == CONF_MATCH_HEADER || conf->match == CONF_MATCH_FULL_HEADER)
		found = match_header(j->step, &http);
	else
		found = match_status(j->step, &http);
	return found != conf->negated
		       ? met(j)
		       : mismatch(j, CHECK_STATUS_L7STS, http.reason, http.reason_len);
}

/* ------------------------------------------------------------------ bytes */

static bool
match_hex(const struct regex *re, const char *data, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	char hex[2 * CHECK_REPLY_MAX];

	if (len > CHECK_REPLY_MAX)
		len = CHECK_REPLY_MAX;
	for (size_t i = 0; i < len; i++) {
		hex[2 * i] = digits[(unsigned char)data[i] >> 4];
		hex[2 * i + 1] = digits[data[i] & 15];
	}
	return regex_match(re, hex, 2 * len);
}

static enum check_outcome
judge_bytes(struct judge *j)
{
	const struct conf_step *conf = j->step->conf;
	int64_t need = conf->min_recv;
	bool found, exact = conf->match == CONF_MATCH_STRING || conf->match == CONF_MATCH_BINARY;

	if (exact && (need < 0 || need > (int64_t)conf->data_len))
		need = (int64_t)conf->data_len;
	if (need > 0 && (int64_t)j->len < need && !j->last)
		return CHECK_OUTCOME_MORE;
	if (exact)
		found = memmem(j->data, j->len, conf->data, conf->data_len) != NULL;
	else if (conf->match == CONF_MATCH_REGEX)
		found = regex_match(j->step->pattern, j->data, j->len);
	else
		found = match_hex(j->step->pattern, j->data, j->len);
	if (!found && !j->last && conf->min_recv < 0)
		return CHECK_OUTCOME_MORE;
	return found != conf->negated ? met(j) : mismatch(j, CHECK_STATUS_L7RSP, NULL, 0);
}

enum check_outcome
check_reply_judge(const struct check_program *program, uint32_t at, const void *data, size_t len,
		  bool last, bool up, struct check_result *result)
{
	struct judge j = { .program = program,
			   .step = &program->steps[at],
			   .data = data,
			   .len = len,
			   .last = last,
			   .up = up,
			   .result = result };
	enum conf_match match = j.step->conf->match;

	if (len == 0 && last && program->type != CONF_HEALTH_HTTP) {
		result->status = j.step->conf->error ? j.step->conf->error : CHECK_STATUS_L7RSP;
		snprintf(result->info, sizeof result->info,
			 "TCPCHK got an empty response at step %u", j.step->number);
		add_comment(&j, "'");
		return CHECK_OUTCOME_OVER;
	}
	switch (match) {
	case CONF_MATCH_STRING:
	case CONF_MATCH_BINARY:
	case CONF_MATCH_REGEX:
	case CONF_MATCH_BINARY_REGEX:
		return judge_bytes(&j);
	case CONF_MATCH_STATUS:
	case CONF_MATCH_STATUS_REGEX:
	case CONF_MATCH_HEADER:
	case CONF_MATCH_FULL_HEADER:
	case CONF_MATCH_BODY:
	case CONF_MATCH_BODY_REGEX:
		return judge_http(&j);
	case CONF_MATCH_MYSQL_GREETING:
	case CONF_MATCH_MYSQL_OK:
		return check_packet_mysql(data, len, match == CONF_MATCH_MYSQL_OK, last, result);
	case CONF_MATCH_LDAP:
		return check_packet_ldap(data, len, last, result);
	case CONF_MATCH_AGENT:
		return check_agent_read(program, data, len, last, result);
	}
	return CHECK_OUTCOME_MORE;
}
