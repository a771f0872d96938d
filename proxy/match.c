/*
 * match.c - see match.h.  Run by the session's thread.  What conf/pattern.c has sorted is searched by
 * halving: numbers and addresses among ranges, whole texts, beginnings and (backwards) ends among
 * texts none of which begins with another, so that the nearest one below is the only candidate.
 */
#include "proxy/match.h"

#include <ctype.h>
#include <string.h>

static bool
match_number(const struct conf_patterns *patterns, int64_t number)
{
	size_t low = 0, high = patterns->numbers_n;

	while (low < high) {
		size_t at = low + (high - low) / 2;

		if (number < patterns->numbers[at].from)
			high = at;
		else if (number > patterns->numbers[at].to)
			low = at + 1;
		else
			return true;
	}
	return false;
}

static bool
in_ranges(const struct conf_ip_range *ranges, size_t n, const struct ip *ip)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t at = low + (high - low) / 2;

		if (ip_cmp(ip, &ranges[at].from) < 0)
			high = at;
		else if (ip_cmp(ip, &ranges[at].to) > 0)
			low = at + 1;
		else
			return true;
	}
	return false;
}

/* An IPv4 address and the same one mapped into IPv6 are equal. */
static bool
match_ip(const struct conf_patterns *patterns, const struct ip *ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ip other = { .family = AF_INET };

	if (ip->family == AF_INET) {
		if (in_ranges(patterns->ip4, patterns->ip4_n, ip))
			return true;
		other.family = AF_INET6;
		memcpy(other.bytes, mapped, sizeof mapped);
		memcpy(other.bytes + sizeof mapped, ip->bytes, 4);
		return in_ranges(patterns->ip6, patterns->ip6_n, &other);
	}
	if (in_ranges(patterns->ip6, patterns->ip6_n, ip))
		return true;
	if (memcmp(ip->bytes, mapped, sizeof mapped) != 0)
		return false;
	memcpy(other.bytes, ip->bytes + sizeof mapped, 4);
	return in_ranges(patterns->ip4, patterns->ip4_n, &other);
}

/* As conf/pattern.c sorts. */
static int
compare(const struct conf_bytes *pattern, const char *data, size_t len)
{
	int order = memcmp(pattern->data, data, pattern->len < len ? pattern->len : len);

	return order ? order : (pattern->len > len) - (pattern->len < len);
}

/* The last pattern that is not above the text; NULL = all are. */
static const struct conf_bytes *
nearest_below(const struct conf_patterns *patterns, const char *data, size_t len)
{
	size_t low = 0, high = patterns->texts_n;

	while (low < high) {
		size_t at = low + (high - low) / 2;

		if (compare(&patterns->texts[at], data, len) > 0)
			high = at;
		else
			low = at + 1;
	}
	return low ? &patterns->texts[low - 1] : NULL;
}

static bool
match_whole(const struct conf_patterns *patterns, const char *data, size_t len)
{
	const struct conf_bytes *found = nearest_below(patterns, data, len);

	return found && found->len == len && memcmp(found->data, data, len) == 0;
}

static bool
match_beginning(const struct conf_patterns *patterns, const char *data, size_t len)
{
	const struct conf_bytes *found = nearest_below(patterns, data, len);

	return found && found->len <= len && memcmp(found->data, data, found->len) == 0;
}

static bool
match_sub(const struct conf_patterns *patterns, const char *data, size_t len)
{
	for (size_t i = 0; i < patterns->texts_n; i++)
		if (memmem(data, len, patterns->texts[i].data, patterns->texts[i].len))
			return true;
	return false;
}

/* Between delimiters, or the text's ends; those that the pattern itself begins or ends with do not
 * count. */
static bool
match_part(const struct conf_bytes *pattern, const char *data, size_t len, const char *delimiters)
{
	const char *p = pattern->data, *end = data + len;
	size_t p_len = pattern->len;

	while (p_len && strchr(delimiters, *p)) {
		p++;
		p_len--;
	}
	while (p_len && strchr(delimiters, p[p_len - 1]))
		p_len--;
	if (p_len == 0)
		return false;
	for (const char *at = data; (at = memmem(at, (size_t)(end - at), p, p_len)); at++)
		if ((at == data || strchr(delimiters, at[-1])) &&
		    (at + p_len == end || strchr(delimiters, at[p_len])))
			return true;
	return false;
}

static bool
match_parts(const struct conf_patterns *patterns, const char *data, size_t len,
	    const char *delimiters)
{
	for (size_t i = 0; i < patterns->texts_n; i++)
		if (match_part(&patterns->texts[i], data, len, delimiters))
			return true;
	return false;
}

static bool
match_regexes(const struct conf_patterns *patterns, struct regex *const *regexes, const char *data,
	      size_t len)
{
	for (size_t i = 0; i < patterns->regexes_n; i++)
		if (regex_match(regexes[patterns->regexes[i]], data, len))
			return true;
	return false;
}

/* Texts as the patterns are: lower case, backwards. */
static bool
match_text(const struct conf_patterns *patterns, struct regex *const *regexes, struct sample *text,
	   struct sample_room *room)
{
	bool backwards = patterns->method == CONF_METHOD_END;
	const char *data = text->data;
	size_t len = text->len;

	if (patterns->method == CONF_METHOD_REG)
		return match_regexes(patterns, regexes, data, len);
	if (patterns->ignore_case || backwards) {
		char *copy = sample_room(room);

		if (len > SAMPLE_ROOM) {
			data += backwards ? len - SAMPLE_ROOM : 0;
			len = SAMPLE_ROOM;
		}
		for (size_t i = 0; i < len; i++) {
			char c = data[backwards ? len - 1 - i : i];

			copy[i] = (char)(patterns->ignore_case ? tolower((unsigned char)c) : c);
		}
		data = copy;
	}
	switch (patterns->method) {
	case CONF_METHOD_STR:
	case CONF_METHOD_BIN:
		return match_whole(patterns, data, len);
	case CONF_METHOD_BEG:
	case CONF_METHOD_END:
		return match_beginning(patterns, data, len);
	case CONF_METHOD_SUB:
		return match_sub(patterns, data, len);
	case CONF_METHOD_DIR:
		return match_parts(patterns, data, len, "/?");
	case CONF_METHOD_DOM:
		return match_parts(patterns, data, len, "/?.:");
	case CONF_METHOD_FOUND:
	case CONF_METHOD_BOOL:
	case CONF_METHOD_INT:
	case CONF_METHOD_IP:
	case CONF_METHOD_LEN:
	case CONF_METHOD_REG:
		break;
	}
	return false;
}

bool
match_patterns(const struct conf_patterns *patterns, struct regex *const *regexes,
	       const struct sample *sample, struct sample_room *room)
{
	struct sample cast = *sample;

	switch (patterns->method) {
	case CONF_METHOD_FOUND:
		return true;
	case CONF_METHOD_BOOL:
		return sample_cast(&cast, SAMPLE_INT, room) && cast.number != 0;
	case CONF_METHOD_INT:
		return sample_cast(&cast, SAMPLE_INT, room) && match_number(patterns, cast.number);
	case CONF_METHOD_IP:
		return sample_cast(&cast, SAMPLE_IP, room) && match_ip(patterns, &cast.ip);
	case CONF_METHOD_LEN:
		return sample_cast(&cast, SAMPLE_STR, room) &&
		       match_number(patterns, (int64_t)cast.len);
	case CONF_METHOD_BIN:
		return sample_cast(&cast, SAMPLE_BIN, room) &&
		       match_text(patterns, regexes, &cast, room);
	case CONF_METHOD_STR:
	case CONF_METHOD_BEG:
	case CONF_METHOD_END:
	case CONF_METHOD_SUB:
	case CONF_METHOD_DIR:
	case CONF_METHOD_DOM:
	case CONF_METHOD_REG:
		break;
	}
	return sample_cast(&cast, SAMPLE_STR, room) && match_text(patterns, regexes, &cast, room);
}
