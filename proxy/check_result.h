/*
 * check_result.h - how a check ended, and in which words HAProxy tells it.  Pure.
 */
#pragma once

#include "common/clock.h"
#include "conf/health.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECK_INFO_LEN 128

/* What an agent says of its server's health … */
enum agent_verdict { AGENT_VERDICT_NONE, AGENT_VERDICT_UP, AGENT_VERDICT_DOWN };

/* … and how the server is to be used. */
enum agent_mode { AGENT_MODE_NONE, AGENT_MODE_READY, AGENT_MODE_DRAIN, AGENT_MODE_MAINT };

/* What an agent's line asks for; what it does not mention stays. */
struct agent_words {
	enum agent_verdict verdict;
	enum agent_mode mode;
	bool weighs, limits; /* these are given: */
	uint32_t weight, maxconn;
	bool incomplete; /* there was no whole line */
};

struct check_result {
	enum check_status status;
	int error; /* errno behind it, 0 = none */
	int code;  /* the protocol's: HTTP's status, MySQL's error; shown from L7OK on */
	char info[CHECK_INFO_LEN]; /* "" = nothing to add */
	uint32_t duration_ms;
	struct mono at;
	struct agent_words words; /* of CONF_MATCH_AGENT */
};

/* What a result means for the server. */
enum check_grade {
	CHECK_GRADE_UNKNOWN, /* nothing has changed, or nothing is known */
	CHECK_GRADE_FAILED,
	CHECK_GRADE_PASSED,
	CHECK_GRADE_CONDITIONAL, /* alive, but shall get no new connections */
};

enum check_grade check_grade(enum check_status status);

/* "L4OK" and "Layer4 check passed". */
const char *check_status_name(enum check_status status);
const char *check_status_text(enum check_status status);

/* "reason: …, code: …, info: "…", check duration: …ms", as in HAProxy's log. */
void check_result_describe(const struct check_result *r, char *text, size_t size);

/* The same's detail alone: the info, else the status in words. */
void check_result_detail(const struct check_result *r, char *text, size_t size);
