/*
 * track_file.c - see track_file.h.
 */
#include "daemon/track_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 63

int
track_file_value(const char *text, size_t len, int32_t *value)
{
	char copy[TEXT_MAX + 1];
	long number;

	if (len > TEXT_MAX)
		len = TEXT_MAX;
	memcpy(copy, text, len);
	copy[len] = '\0';
	errno = 0;
	number = strtol(copy, NULL, 0);
	if (errno == ERANGE || number < INT32_MIN || number > INT32_MAX)
		return -ERANGE;
	*value = (int32_t)number;
	return 0;
}
