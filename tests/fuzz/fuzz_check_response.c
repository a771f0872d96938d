/*
 * fuzz_check_response.c - any bytes as a server's answer to a check.  The first byte chooses how the
 * server is checked, the second into how many pieces the rest comes.
 */
#include "tests/unit/proxy/check_conf.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const checks[] = {
	"\toption httpchk",
	"\toption httpchk\n\thttp-check expect string hello",
	"\toption httpchk\n\thttp-check expect ! rstring ^hel+o\n\thttp-check disable-on-404",
	"\toption httpchk\n\thttp-check expect hdr name -m beg x value -m sub lead",
	"\toption httpchk\n\thttp-check expect rstatus ^2 comment it",
	"\toption tcp-check\n\ttcp-check expect string +PONG\n\ttcp-check expect ! binary 00ff",
	"\toption tcp-check\n\ttcp-check expect rbinary ^2B50 comment it",
	"\toption ssl-hello-chk",
	"\toption mysql-check user u",
	"\toption pgsql-check user u",
	"\toption ldap-check",
	"\toption smtpchk",
	"\toption redis-check",
};
#define CHECKS_N (sizeof checks / sizeof checks[0])

static struct check_program *programs[CHECKS_N];

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	const struct check_program *program;
	enum check_outcome outcome = CHECK_OUTCOME_MORE;
	struct check_result result = { 0 };
	size_t step;

	if (size < 2)
		return 0;
	if (!arena) {
		arena = arena_new();
		for (size_t i = 0; i < CHECKS_N; i++)
			programs[i] = check_program_new(check_conf(arena, checks[i]));
	}
	program = programs[data[0] % CHECKS_N];
	step = 1 + (size - 2) / (1 + data[1] % 8);
	data += 2;
	size -= 2;
	if (size > CHECK_REPLY_MAX)
		size = CHECK_REPLY_MAX;
	for (size_t len = step; outcome == CHECK_OUTCOME_MORE; len += step) {
		bool last = len >= size;
		/* Of its very size, so that a read beyond it shows. */
		size_t piece_len = last ? size : len;
		char *piece = malloc(piece_len + !piece_len), text[1024];

		memcpy(piece, data, piece_len);
		memset(&result, 0, sizeof result);
		outcome = check_judge_all(program, piece, piece_len, last, true, &result);
		free(piece);
		assert(memchr(result.info, 0, sizeof result.info));
		check_result_describe(&result, text, sizeof text);
		for (const char *c = text; *c; c++)
			assert(*c >= 0x20 && *c < 0x7f);
		if (last)
			break;
	}
	/* With all there is, there is a verdict. */
	assert(outcome != CHECK_OUTCOME_MORE);
	assert(outcome != CHECK_OUTCOME_OVER || result.status != CHECK_STATUS_UNKNOWN);
	return 0;
}
