/*
 * check_reply.h - does what a server has answered meet an expectation?  Pure: bytes in, verdict out.
 */
#pragma once

#include "proxy/check_program.h"
#include "proxy/check_result.h"

#define CHECK_REPLY_MAX 16384 /* as HAProxy's tune.bufsize */

enum check_outcome {
	CHECK_OUTCOME_MORE, /* wait for more bytes */
	CHECK_OUTCOME_NEXT, /* met: on to the next step */
	CHECK_OUTCOME_OVER, /* the check has ended, *result says how */
};

/*
 * Judges step `at` of the program by all that has come on this connection; `last`: no more will
 * come, or fits; `up`: the server is, so that `disable-on-404` may spare it.  With NEXT, *result has what the check ends with if this is the last step.
 */
enum check_outcome check_reply_judge(const struct check_program *program, uint32_t at,
				     const void *data, size_t len, bool last, bool up,
				     struct check_result *result);

/* What a step waits for: " (expect string 'x')". */
void check_reply_wish(const struct conf_step *conf, char *text, size_t size);

/* A line of an agent's: check_agent.c.  Always over once the line, or all there is, has come. */
enum check_outcome check_agent_read(const struct check_program *program, const char *data,
				    size_t len, bool last, struct check_result *result);

/* MySQL and LDAP: check_packet.c */
enum check_outcome check_packet_mysql(const void *data, size_t len, bool second, bool last,
				      struct check_result *result);
enum check_outcome check_packet_ldap(const void *data, size_t len, bool last,
				     struct check_result *result);
