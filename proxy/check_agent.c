/*
 * check_agent.c - what an agent says about its server, as HAProxy's manual has it (`agent-check`).
 * Pure.
 *
 * One line, ended by CR or LF: words between blanks, tabs and commas, in any order and of any case;
 * of each kind the last one counts.  "#" begins a description of a state of health.
 */
#include "proxy/check_reply.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WEIGHT_MAX 256

/* A part of the line. */
struct span {
	const char *at;
	size_t len;
};

/* What the line has told so far. */
struct reading {
	const struct check_program *program;
	struct agent_words *words;
	struct span verdict, weight, maxconn; /* len 0 = none */
	struct span odd;                      /* the first word that means nothing */
	const char *warning;                  /* the first number that cannot be; NULL = none */
};

static bool
is(struct span word, const char *text)
{
	return word.len == strlen(text) && strncasecmp(word.at, text, word.len) == 0;
}

static bool
starts(struct span word, const char *text, size_t len)
{
	return word.len >= len && strncasecmp(word.at, text, len) == 0;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The number a span begins with, at most INT32_MAX; *rest is what follows. */
static uint32_t
take_number(struct span word, struct span *rest)
{
	uint64_t n = 0;

	while (word.len && is_digit(*word.at)) {
		n = n * 10 + (uint64_t)(*word.at - '0');
		n = n < INT32_MAX ? n : INT32_MAX;
		word.at++;
		word.len--;
	}
	*rest = word;
	return (uint32_t)n;
}

static void
warn(struct reading *r, const char *text)
{
	if (!r->warning)
		r->warning = text;
}

/* "75%" of the file's weight */
static void
read_weight(struct reading *r)
{
	uint64_t percent, weight;
	struct span rest;

	if (!r->weight.len)
		return;
	percent = take_number(r->weight, &rest);
	if (!is(rest, "%")) {
		warn(r, percent > WEIGHT_MAX
				? "Absolute weight can only be between 0 and 256 inclusive."
				: "Trailing garbage in weight string");
		return;
	}
	weight = r->program->weight * percent / 100;
	weight = weight < WEIGHT_MAX ? weight : WEIGHT_MAX;
	if (r->program->fixed_weight && weight != 0 && weight != r->program->weight) {
		warn(r, "Backend is using a static LB algorithm and only accepts weights '0%' and "
			"'100%'.");
		return;
	}
	r->words->weighs = true;
	r->words->weight = (uint32_t)weight;
}

/* "maxconn:30" */
static void
read_maxconn(struct reading *r)
{
	const size_t name_len = strlen("maxconn:");
	struct span value, rest;
	uint32_t maxconn;

	if (!r->maxconn.len)
		return;
	value = (struct span){ r->maxconn.at + name_len, r->maxconn.len - name_len };
	maxconn = take_number(value, &rest);
	if (value.len == 0) {
		warn(r, "Require <maxconn>.");
	} else if (rest.len == value.len) {
		warn(r, "maxconn string empty or preceded by garbage");
	} else if (rest.len) {
		warn(r, "Trailing garbage in maxconn string");
	} else {
		r->words->limits = true;
		r->words->maxconn = maxconn;
	}
}

static void
read_word(struct reading *r, struct span word)
{
	if (is(word, "up")) {
		r->words->verdict = AGENT_VERDICT_UP;
		r->verdict = word;
	} else if (is(word, "down") || is(word, "fail") || is(word, "stopped")) {
		r->words->verdict = AGENT_VERDICT_DOWN;
		r->verdict = word;
	} else if (is(word, "ready")) {
		r->words->mode = AGENT_MODE_READY;
	} else if (is(word, "drain")) {
		r->words->mode = AGENT_MODE_DRAIN;
	} else if (is(word, "maint")) {
		r->words->mode = AGENT_MODE_MAINT;
	} else if (is_digit(*word.at) && memchr(word.at, '%', word.len)) {
		r->weight = word;
	} else if (starts(word, "maxconn:", strlen("maxconn:"))) {
		r->maxconn = word;
	} else if (!r->odd.len) {
		r->odd = word;
	}
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

/* Returns the description. */
static struct span
read_line(struct reading *r, struct span line)
{
	struct span description = { "", 0 };
	size_t at = 0, from;

	while (at < line.len && line.at[at] != '#') {
		for (from = at; at < line.len && !is_blank(line.at[at]);)
			at++;
		if (at > from)
			read_word(r, (struct span){ line.at + from, at - from });
		while (at < line.len && is_blank(line.at[at]))
			at++;
	}
	if (at == line.len)
		return description;
	for (at++; at < line.len && (line.at[at] == ' ' || line.at[at] == '\t');)
		at++;
	return (struct span){ line.at + at, line.len - at };
}

/* What the log and the status have of it. */
static void
tell(const struct reading *r, struct span description, struct check_result *result)
{
	struct span warning = { r->warning, r->warning ? strlen(r->warning) : 0 };
	struct span why = r->odd.len ? r->odd : warning;

	switch (r->words->verdict) {
	case AGENT_VERDICT_NONE:
		result->status = CHECK_STATUS_CHECKED;
		if (why.len)
			snprintf(result->info, sizeof result->info, "%s : %.*s",
				 r->odd.len ? "agent reports an error" : "agent warns",
				 (int)why.len, why.at);
		return;
	case AGENT_VERDICT_UP:
		result->status = CHECK_STATUS_L7OK;
		break;
	case AGENT_VERDICT_DOWN:
		result->status = CHECK_STATUS_L7STS;
		break;
	}
	/* Why a server is down matters more than what is odd in the line. */
	if (description.len && (r->words->verdict == AGENT_VERDICT_DOWN || !why.len))
		why = description;
	snprintf(result->info, sizeof result->info, "via agent : %.*s%s%.*s%s", (int)r->verdict.len,
		 r->verdict.at, why.len ? " (" : "", (int)why.len, why.len ? why.at : "",
		 why.len ? ")" : "");
}

enum check_outcome
check_agent_read(const struct check_program *program, const char *data, size_t len, bool last,
		 struct check_result *result)
{
	struct reading r = { .program = program, .words = &result->words };
	struct span line = { data, 0 };

	while (line.len < len && !strchr("\r\n", data[line.len]))
		line.len++; /* strchr finds NUL, too: no line goes on behind it */
	*r.words = (struct agent_words){ 0 };
	result->info[0] = '\0';
	if (line.len == len || data[line.len] == '\0') {
		if (!last)
			return CHECK_OUTCOME_MORE;
		r.words->incomplete = true;
		result->status = CHECK_STATUS_CHECKED;
		snprintf(result->info, sizeof result->info, "Ignoring incomplete line from agent");
		return CHECK_OUTCOME_OVER;
	}
	line = read_line(&r, line);
	read_weight(&r);
	read_maxconn(&r);
	tell(&r, line, result);
	return CHECK_OUTCOME_OVER;
}
