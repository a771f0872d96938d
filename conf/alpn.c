/*
 * alpn.c - see alpn.h.  Pure.
 */
#include "conf/alpn.h"

#include <string.h>

int
alpn_wire(const char *text, unsigned char *wire, size_t size)
{
	size_t used = 0;

	for (;;) {
		size_t len = strcspn(text, ",");

		if (len == 0 || len > 255 || used + 1 + len > size)
			return -1;
		wire[used++] = (unsigned char)len;
		memcpy(wire + used, text, len);
		used += len;
		if (!text[len])
			return (int)used;
		text += len + 1;
	}
}
