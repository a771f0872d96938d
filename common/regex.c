/*
 * regex.c - regular expressions by PCRE2, bounded.  Any thread.
 */
#include "common/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <pcre2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX      100000
#define HEAP_MAX_KB    1024
#define PATTERN_LENMAX 4096
#define GROUPS_N       10

struct regex {
	pcre2_code *code;
	pcre2_match_context *bounds;
};

struct regex *
regex_new(const char *pattern, char error[REGEX_ERRORLEN])
{
	struct regex *re = calloc(1, sizeof *re);
	pcre2_compile_context *limits = pcre2_compile_context_create(NULL);
	PCRE2_SIZE at = 0;
	int number = 0;

	snprintf(error, REGEX_ERRORLEN, "no memory");
	if (re && limits) {
		pcre2_set_max_pattern_length(limits, PATTERN_LENMAX);
		re->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &number,
					 &at, limits);
		re->bounds = pcre2_match_context_create(NULL);
		if (!re->code)
			pcre2_get_error_message(number, (PCRE2_UCHAR *)error, REGEX_ERRORLEN);
	}
	pcre2_compile_context_free(limits);
	if (!re || !re->code || !re->bounds) {
		regex_free(re);
		return NULL;
	}
	pcre2_set_match_limit(re->bounds, STEPS_MAX);
	pcre2_set_depth_limit(re->bounds, STEPS_MAX);
	pcre2_set_heap_limit(re->bounds, HEAP_MAX_KB);
	return re;
}

void
regex_free(struct regex *re)
{
	if (!re)
		return;
	pcre2_match_context_free(re->bounds);
	pcre2_code_free(re->code);
	free(re);
}

/* Each thread has room of its own for a match, made with its first one. */
static pthread_key_t room_key;

static void
free_room(void *room)
{
	pcre2_match_data_free(room);
}

static void
make_key(void)
{
	if (pthread_key_create(&room_key, free_room) != 0)
		abort();
}

static pcre2_match_data *
room_of_thread(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pcre2_match_data *room;

	pthread_once(&once, make_key);
	room = pthread_getspecific(room_key);
	if (!room) {
		room = pcre2_match_data_create(GROUPS_N, NULL);
		if (room && pthread_setspecific(room_key, room) != 0) {
			pcre2_match_data_free(room);
			room = NULL;
		}
	}
	return room;
}

bool
regex_match(const struct regex *re, const void *data, size_t len)
{
	pcre2_match_data *found = room_of_thread();

	return found && pcre2_match(re->code, data, len, 0, 0, found, re->bounds) >= 0;
}

struct output {
	char *at, *end;
	bool full;
};

static void
put(struct output *out, const char *data, size_t len)
{
	if (len > (size_t)(out->end - out->at)) {
		out->full = true;
		return;
	}
	memcpy(out->at, data, len);
	out->at += len;
}

static void
put_replacement(struct output *out, const char *by, const char *data, const PCRE2_SIZE *groups,
		int groups_n)
{
	for (; *by; by++) {
		int group = by[0] == '\\' && by[1] >= '0' && by[1] <= '9' ? by[1] - '0' : -1;

		if (by[0] == '\\' && by[1] == 'x' && isxdigit((unsigned char)by[2]) &&
		    isxdigit((unsigned char)by[3])) {
			const char digits[] = { by[2], by[3], '\0' };
			char c = (char)strtoul(digits, NULL, 16);

			put(out, &c, 1);
			by += 3;
			continue;
		}
		by += by[0] == '\\' && by[1];
		if (group < 0)
			put(out, by, 1);
		else if (group < groups_n && groups[2 * group] != PCRE2_UNSET)
			put(out, data + groups[2 * group],
			    groups[2 * group + 1] - groups[2 * group]);
	}
}

ssize_t
regex_substitute(const struct regex *re, const char *data, size_t len, const char *by, bool all,
		 char *out, size_t size)
{
	pcre2_match_data *found = room_of_thread();
	struct output o = { out, out + size, found == NULL };
	size_t from = 0;

	while (!o.full && from <= len) {
		int n = pcre2_match(re->code, (PCRE2_SPTR)data, len, from, 0, found, re->bounds);
		const PCRE2_SIZE *groups = pcre2_get_ovector_pointer(found);
		size_t begin, end;

		if (n < 0)
			break;
		begin = groups[0] < from ? from : groups[0];
		end = groups[1] < begin ? begin : groups[1];
		put(&o, data + from, begin - from);
		/* 0: there are more groups than fit. */
		put_replacement(&o, by, data, groups, n ? n : GROUPS_N);
		from = end;
		/* An empty match must not be found again. */
		if (begin == end && from < len)
			put(&o, data + from, 1);
		from += begin == end;
		if (!all)
			break;
	}
	if (from < len)
		put(&o, data + from, len - from);
	return o.full ? -1 : o.at - out;
}

ssize_t
regex_expand(const struct regex *re, const char *data, size_t len, const char *by, char *out,
	     size_t size)
{
	pcre2_match_data *found = room_of_thread();
	struct output o = { .at = out, .end = out + size };
	int n;

	if (!found)
		return -1;
	n = pcre2_match(re->code, (PCRE2_SPTR)data, len, 0, 0, found, re->bounds);
	if (n < 0)
		return -1;
	put_replacement(&o, by, data, pcre2_get_ovector_pointer(found), n ? n : GROUPS_N);
	return o.full ? -1 : o.at - out;
}
