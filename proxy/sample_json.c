/*
 * sample_json.c - text as the inside of a JSON string (RFC 8259 section 7), as HAProxy's `json` writes
 * it: characters that are not printable ASCII as \uXXXX, and none above U+FFFF.  Pure.
 */
#include "proxy/sample.h"

#include "conf/expr_words.h"

enum utf8_fault {
	FAULT_BROKEN = 1,    /* no sequence */
	FAULT_FORBIDDEN = 2, /* no character has that number, or none that can be written */
	FAULT_OVERLONG = 4,  /* more bytes than it takes */
};

/* One sequence of `len` > 0 bytes; how many it took.  Up to six bytes, as UTF-8 once had it. */
static size_t
decode(const unsigned char *s, size_t len, uint32_t *c, unsigned *faults)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000, 0x200000, 0x4000000 };
	size_t n = s[0] == 0xff ? 8 : (size_t)__builtin_clz(~((uint32_t)s[0] << 24));

	*faults = 0;
	*c = s[0];
	if (n == 0)
		return 1;
	if (n == 1 || n > 6 || n > len) {
		*faults = FAULT_BROKEN;
		return 1;
	}
	*c &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			*faults = FAULT_BROKEN;
			return i;
		}
		*c = *c << 6 | (s[i] & 0x3f);
	}
	if (*c < least[n])
		*faults |= FAULT_OVERLONG;
	if ((*c >= 0xd800 && *c <= 0xdfff) || *c >= 0xfffe)
		*faults |= FAULT_FORBIDDEN;
	return n;
}

/* Six bytes of room; how many it took. */
static size_t
write_character(uint32_t c, char *out)
{
	static const char digits[] = "0123456789abcdef", plain[] = "\"\\/\b\f\n\r\t",
			  letters[] = "\"\\/bfnrt";

	for (size_t i = 0; i < sizeof plain - 1; i++)
		if (c == (unsigned char)plain[i]) {
			out[0] = '\\';
			out[1] = letters[i];
			return 2;
		}
	if (c >= 0x20 && c < 0x7f) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'u';
	for (int i = 0; i < 4; i++)
		out[2 + i] = digits[c >> (12 - 4 * i) & 15];
	return 6;
}

bool
sample_to_json(struct sample *sample, enum conf_json mode, char *out)
{
	bool permissive = mode == CONF_JSON_UTF8P || mode == CONF_JSON_UTF8PS;
	bool silent = mode == CONF_JSON_UTF8S || mode == CONF_JSON_UTF8PS;
	unsigned wrong = FAULT_BROKEN | FAULT_FORBIDDEN | (permissive ? 0u : FAULT_OVERLONG);
	const unsigned char *s = (const unsigned char *)sample->data;
	size_t written = 0;

	for (size_t at = 0, n; at < sample->len; at += n) {
		uint32_t c = s[at];
		unsigned faults = 0;

		n = mode == CONF_JSON_ASCII ? 1 : decode(s + at, sample->len - at, &c, &faults);
		if ((faults & wrong) && !silent)
			return false;
		if (faults & wrong)
			continue;
		if (SAMPLE_ROOM - written < 6)
			return false;
		written += write_character(c, out + written);
	}
	return set_text(sample, SAMPLE_STR, out, written);
}
