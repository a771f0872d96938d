/*
 * script_words.h - a command line as words, the way keepalived splits it.  Pure.
 */
#pragma once

#define SCRIPT_WORDS_MAX 64

/*
 * Words are separated by blanks.  Quotes of either kind may begin anywhere and keep blanks; a
 * backslash stands before \a \b \E \f \n \r \t \v, up to three octal digits, xHEX, cC (control-C)
 * or the character itself, in quotes and outside.  The result is one allocation, ends with NULL and
 * is released with free().  NULL: no memory, no word at all, or more than SCRIPT_WORDS_MAX.
 */
char **script_words(const char *line);
