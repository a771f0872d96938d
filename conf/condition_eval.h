/*
 * condition_eval.h - the expressions behind HAProxy's .if (section 2.4 of its manual): predicates,
 * !, &&, || and parentheses.  Reads nothing but its text and the environment.
 */
#pragma once

#include "conf/lexer.h"

/* The language level that version_atleast() and version_before() compare with. */
#define CONF_HAPROXY_LEVEL "3.0"

/*
 * Does the expression hold?  An empty one does not.  NULL, or what is wrong with it (then *holds is
 * false).
 */
const char *condition_eval(struct conf_lexer *lx, const char *text, bool *holds);
