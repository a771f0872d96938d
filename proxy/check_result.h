/*
 * check_result.h - how a check ended, and in which words HAProxy tells it.  Pure.
 */
#pragma once

#include "common/clock.h"
#include "conf/health.h"

#include <stdbool.h>
#include <stddef.h>

#define CHECK_INFO_LEN 128

struct check_result {
	enum check_status status;
	int error; /* errno behind it, 0 = none */
	int code;  /* the protocol's: HTTP's status, MySQL's error; shown from L7OK on */
	char info[CHECK_INFO_LEN]; /* "" = nothing to add */
	uint32_t duration_ms;
	struct mono at;
};

/* What a result means for the server. */
enum check_grade {
	CHECK_GRADE_UNKNOWN,
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
