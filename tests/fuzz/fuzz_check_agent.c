/*
 * fuzz_check_agent.c - any bytes as what an agent says.  The first byte chooses the server's weight and
 * algorithm.
 */
#include "proxy/check_reply.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct check_program program = { .type = CONF_HEALTH_AGENT };
	struct check_result result = { 0 }, early;
	const struct agent_words *words = &result.words;
	enum check_outcome outcome;
	char *line, text[1024];

	if (size < 1)
		return 0;
	program.weight = data[0] / 2;
	program.fixed_weight = data[0] % 2;
	data++;
	size--;
	/* Of its very size, so that a read beyond it shows. */
	line = malloc(size + !size);
	if (!line)
		return 0;
	memcpy(line, data, size);
	assert(check_agent_read(&program, line, size, true, &result) == CHECK_OUTCOME_OVER);
	outcome = check_agent_read(&program, line, size, false, &early);
	free(line);

	/* What a whole line says does not depend on what might come after it. */
	assert((outcome == CHECK_OUTCOME_MORE) == words->incomplete);
	if (outcome == CHECK_OUTCOME_OVER)
		assert(early.status == result.status && strcmp(early.info, result.info) == 0);
	assert(memchr(result.info, 0, sizeof result.info));
	check_result_describe(&result, text, sizeof text);
	for (const char *c = text; *c; c++)
		assert(*c >= 0x20 && *c < 0x7f);

	assert(!words->weighs || words->weight <= 256);
	assert(!words->weighs || !program.fixed_weight || words->weight == 0 ||
	       words->weight == program.weight);
	assert(!words->limits || words->maxconn <= INT32_MAX);
	assert((words->verdict == AGENT_VERDICT_UP) == (result.status == CHECK_STATUS_L7OK));
	assert((words->verdict == AGENT_VERDICT_DOWN) == (result.status == CHECK_STATUS_L7STS));
	assert(!words->incomplete ||
	       (!words->weighs && !words->limits && words->mode == AGENT_MODE_NONE &&
		words->verdict == AGENT_VERDICT_NONE));
	return 0;
}
