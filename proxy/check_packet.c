/*
 * check_packet.c - answers of MySQL and LDAP servers.  Pure.
 */
#include "proxy/check_reply.h"

#include <stdio.h>
#include <string.h>

static enum check_outcome
over(struct check_result *result, enum check_status status, const char *info)
{
	result->status = status;
	snprintf(result->info, sizeof result->info, "%s", info);
	return CHECK_OUTCOME_OVER;
}

static void
copy_text(struct check_result *result, const unsigned char *s, size_t len)
{
	if (len >= sizeof result->info)
		len = sizeof result->info - 1;
	memcpy(result->info, s, len);
	result->info[len] = '\0';
}

/*
 * A packet is 3 bytes of length, a number and the payload: 0xff begins an error (code, text), the
 * first packet is otherwise a greeting (protocol, version as text).
 */
enum check_outcome
check_packet_mysql(const void *data, size_t len, bool second, bool last,
		   struct check_result *result)
{
	const unsigned char *p = data;
	size_t packet_len = 0, skip = 0;

	for (int i = 0; i <= second; i++) {
		p += skip;
		len -= skip;
		packet_len = len < 4 ? 0 : p[0] + ((size_t)p[1] << 8) + ((size_t)p[2] << 16);
		if (len < 4 || len - 4 < packet_len)
			return last ? over(result, CHECK_STATUS_L7RSP, "") : CHECK_OUTCOME_MORE;
		skip = 4 + packet_len;
	}
	p += 4;
	if (packet_len >= 3 && p[0] == 0xff) {
		result->status = CHECK_STATUS_L7STS;
		result->code = p[1] + (p[2] << 8);
		copy_text(result, p + 3, packet_len - 3);
		return CHECK_OUTCOME_OVER;
	}
	if (packet_len == 0)
		return over(result, CHECK_STATUS_L7RSP, "");
	result->status = CHECK_STATUS_L7OK;
	if (!second)
		copy_text(result, p + 1, strnlen((const char *)p + 1, packet_len - 1));
	return CHECK_OUTCOME_NEXT;
}

static const char wrong[] = "Not LDAPv3 protocol";

static enum check_outcome
too_short(struct check_result *result, bool last)
{
	return last ? over(result, CHECK_STATUS_L7RSP, wrong) : CHECK_OUTCOME_MORE;
}

/* The bytes a BER length takes beyond its first. */
static size_t
long_length(unsigned char first)
{
	return first & 0x80 ? first & 0x7f : 0;
}

/* RFC 4511 section 4.2.2: a bind response with the message number 1 and result 0. */
enum check_outcome
check_packet_ldap(const void *data, size_t len, bool last, struct check_result *result)
{
	static const unsigned char response[] = { 0x02, 0x01, 0x01, 0x61 },
				   enumerated[] = { 0x0a, 0x01 };
	const unsigned char *p = data;
	size_t at = 2;

	if (len < at)
		return too_short(result, last);
	if (p[0] != 0x30)
		return over(result, CHECK_STATUS_L7RSP, wrong);
	at += long_length(p[1]);
	if (len < at + 5)
		return too_short(result, last);
	if (memcmp(p + at, response, sizeof response) != 0)
		return over(result, CHECK_STATUS_L7RSP, wrong);
	at += 5 + long_length(p[at + 4]);
	if (len < at + 3)
		return too_short(result, last);
	if (memcmp(p + at, enumerated, sizeof enumerated) != 0)
		return over(result, CHECK_STATUS_L7RSP, wrong);
	result->code = p[at + 2];
	if (result->code)
		return over(result, CHECK_STATUS_L7STS,
			    "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9");
	over(result, CHECK_STATUS_L7OK, "Success");
	return CHECK_OUTCOME_NEXT;
}
