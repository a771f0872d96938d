/*
 * regex.h - regular expressions (PCRE2's), as HAProxy's users write them.
 *
 * A compiled expression never changes: any thread may match with it.  Matching is bounded in steps
 * and memory, since what is matched comes from outside; beyond the bound nothing has matched.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct regex;

#define REGEX_ERRORLEN 128

/* NULL with a reason in `error` if it is none (or memory is out).  Free with regex_free. */
struct regex *regex_new(const char *pattern, char error[REGEX_ERRORLEN]);
void regex_free(struct regex *re); /* NULL is fine */

/* Is it found anywhere in the bytes?  They need no NUL at the end and may contain any. */
bool regex_match(const struct regex *re, const void *data, size_t len);

/*
 * The text with what matches (`all`: each match, else the first) replaced by `by`, in which \0 is the
 * match, \1 to \9 are its groups, \x41 is that octet, and a backslash takes any other character as it
 * is.  The length in `out`; -1 if `size` does not do.
 */
ssize_t regex_substitute(const struct regex *re, const char *data, size_t len, const char *by,
			 bool all, char *out, size_t size);

/* What `by` comes to for the first match, and nothing else of the text.  Its length; -1 if there is no
 * match, or `size` does not do. */
ssize_t regex_expand(const struct regex *re, const char *data, size_t len, const char *by,
		     char *out, size_t size);
