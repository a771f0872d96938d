/*
 * regex.c - regular expressions by PCRE2, bounded.  Any thread.
 */
#include "common/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define STEPS_MAX      100000
#define HEAP_MAX_KB    1024
#define PATTERN_LENMAX 4096

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
		room = pcre2_match_data_create(1, NULL);
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
