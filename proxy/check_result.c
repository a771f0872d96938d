/*
 * check_result.c - the words for check results.  Pure.
 */
#include "proxy/check_result.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *text;
	enum check_grade grade;
} statuses[] = {
	[CHECK_STATUS_UNKNOWN] = { "UNK", "Unknown", CHECK_GRADE_UNKNOWN },
	[CHECK_STATUS_CHECKED] = { "CHECKED", "No status change", CHECK_GRADE_UNKNOWN },
	[CHECK_STATUS_OBSERVED] = { "HANA", "Health analyze", CHECK_GRADE_FAILED },
	[CHECK_STATUS_SOCKERR] = { "SOCKERR", "Socket error", CHECK_GRADE_FAILED },
	[CHECK_STATUS_L4OK] = { "L4OK", "Layer4 check passed", CHECK_GRADE_PASSED },
	[CHECK_STATUS_L4TOUT] = { "L4TOUT", "Layer4 timeout", CHECK_GRADE_FAILED },
	[CHECK_STATUS_L4CON] = { "L4CON", "Layer4 connection problem", CHECK_GRADE_FAILED },
	[CHECK_STATUS_L6OK] = { "L6OK", "Layer6 check passed", CHECK_GRADE_PASSED },
	[CHECK_STATUS_L6TOUT] = { "L6TOUT", "Layer6 timeout", CHECK_GRADE_FAILED },
	[CHECK_STATUS_L6RSP] = { "L6RSP", "Layer6 invalid response", CHECK_GRADE_FAILED },
	[CHECK_STATUS_L7TOUT] = { "L7TOUT", "Layer7 timeout", CHECK_GRADE_FAILED },
	[CHECK_STATUS_L7RSP] = { "L7RSP", "Layer7 invalid response", CHECK_GRADE_FAILED },
	[CHECK_STATUS_L7OK] = { "L7OK", "Layer7 check passed", CHECK_GRADE_PASSED },
	[CHECK_STATUS_L7OKC] = { "L7OKC", "Layer7 check conditionally passed",
				 CHECK_GRADE_CONDITIONAL },
	[CHECK_STATUS_L7STS] = { "L7STS", "Layer7 wrong status", CHECK_GRADE_FAILED },
	[CHECK_STATUS_PROCERR] = { "PROCERR", "External check error", CHECK_GRADE_FAILED },
	[CHECK_STATUS_PROCTOUT] = { "PROCTOUT", "External check timeout", CHECK_GRADE_FAILED },
	[CHECK_STATUS_PROCOK] = { "PROCOK", "External check passed", CHECK_GRADE_PASSED },
};

enum check_grade
check_grade(enum check_status status)
{
	return statuses[status].grade;
}

const char *
check_status_name(enum check_status status)
{
	return statuses[status].name;
}

const char *
check_status_text(enum check_status status)
{
	return statuses[status].text;
}

/* What servers answer must not forge a log line: HAProxy writes "#0A" for a line feed. */
static void
encode(const char *from, char *to, size_t size)
{
	size_t at = 0;

	for (; *from && at + 4 < size; from++) {
		if (*from < 0x20 || *from > 0x7e || *from == '"' || *from == '#')
			at += (size_t)snprintf(to + at, size - at, "#%02X", (unsigned char)*from);
		else
			to[at++] = *from;
	}
	to[at] = '\0';
}

/* A system error comes before the place where it happened: "Connection refused at step 1 …". */
static void
compose(const struct check_result *r, char *text, size_t size)
{
	char reason[64];

	snprintf(text, size, "%s%s", r->error ? strerror_r(r->error, reason, sizeof reason) : "",
		 r->info);
}

void
check_result_describe(const struct check_result *r, char *text, size_t size)
{
	char raw[CHECK_INFO_LEN + 64], info[3 * sizeof raw], code[32] = "", duration[48] = "";

	compose(r, raw, sizeof raw);
	encode(raw, info, sizeof info);
	if (r->status >= CHECK_STATUS_L7OK)
		snprintf(code, sizeof code, ", code: %d", r->code);
	/* Sessions' errors are no check that could have taken time. */
	if (r->status != CHECK_STATUS_OBSERVED)
		snprintf(duration, sizeof duration, ", check duration: %ums", r->duration_ms);
	snprintf(text, size, "reason: %s%s%s%s%s%s", check_status_text(r->status), code,
		 *info ? ", info: \"" : "", info, *info ? "\"" : "", duration);
}

void
check_result_detail(const struct check_result *r, char *text, size_t size)
{
	char raw[CHECK_INFO_LEN + 64], info[3 * sizeof raw];

	compose(r, raw, sizeof raw);
	encode(raw, info, sizeof info);
	snprintf(text, size, "%s", *info ? info : check_status_text(r->status));
}
