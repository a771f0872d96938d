/*
 * expr_args.c - arguments of converters that are names: what they stand for.  Runs in whichever thread
 * loads a configuration.
 */
#include "conf/expr_reader.h"

#include <string.h>

const char *
expr_read_json(struct conf_arg *arg)
{
	static const char *const modes[] = {
		[CONF_JSON_ASCII] = "ascii",   [CONF_JSON_UTF8] = "utf8",
		[CONF_JSON_UTF8S] = "utf8s",   [CONF_JSON_UTF8P] = "utf8p",
		[CONF_JSON_UTF8PS] = "utf8ps",
	};

	arg->number = CONF_JSON_ASCII;
	if (!arg->given)
		return NULL;
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp(modes[i], arg->text.data) == 0) {
			arg->number = (int64_t)i;
			return NULL;
		}
	return "`json` reads ascii, utf8, utf8s, utf8p or utf8ps";
}
