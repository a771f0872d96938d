/*
 * map.c - see map.h.  Run by the session's thread.  What conf/map.c has sorted is searched by halving.
 */
#include "proxy/map.h"

#include "conf/model.h"

#include <string.h>

static int
compare_ip(const struct conf_map_entry *entry, const struct ip *ip)
{
	const struct conf_ip_range *range = entry->key.ip4_n ? entry->key.ip4 : entry->key.ip6;

	if (range->from.family != ip->family)
		return range->from.family > ip->family ? 1 : -1;
	return ip_cmp(&range->from, ip);
}

static int
compare_text(const struct conf_map_entry *entry, const struct sample *sample)
{
	const struct conf_bytes *key = entry->key.texts;
	int order =
		memcmp(key->data, sample->data, key->len < sample->len ? key->len : sample->len);

	return order ? order : (key->len > sample->len) - (key->len < sample->len);
}

/* Is the sample in what the key, which is not above it, stands for? */
static bool
holds(const struct conf_map *map, const struct conf_map_entry *entry, const struct sample *sample)
{
	const struct conf_bytes *key = entry->key.texts;

	if (map->method == CONF_METHOD_IP) {
		const struct conf_ip_range *r = entry->key.ip4_n ? entry->key.ip4 : entry->key.ip6;

		return r->to.family == sample->ip.family && ip_cmp(&r->to, &sample->ip) >= 0;
	}
	if (map->method == CONF_METHOD_STR && key->len != sample->len)
		return false;
	return key->len <= sample->len && memcmp(key->data, sample->data, key->len) == 0;
}

/* The last key that is not above the sample, or the nearest around it. */
static const struct conf_arg *
find_sorted(const struct conf_map *map, const struct sample *sample)
{
	size_t low = 0, high = map->n;
	uint32_t at;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct conf_map_entry *entry = &map->entries[middle];
		int order = map->method == CONF_METHOD_IP ? compare_ip(entry, &sample->ip)
							  : compare_text(entry, sample);

		if (order > 0)
			high = middle;
		else
			low = middle + 1;
	}
	at = low ? (uint32_t)low - 1 : CONF_NONE;
	while (at != CONF_NONE && !holds(map, &map->entries[at], sample))
		at = map->entries[at].outer;
	return at == CONF_NONE ? NULL : &map->entries[at].value;
}

/* An IPv4 address that is mapped into IPv6 is that IPv4 address. */
static bool
unmap(struct ip *ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct ip inner = { .family = AF_INET };

	if (ip->family != AF_INET6 || memcmp(ip->bytes, mapped, sizeof mapped) != 0)
		return false;
	memcpy(inner.bytes, ip->bytes + sizeof mapped, 4);
	*ip = inner;
	return true;
}

const struct conf_arg *
map_find(const struct conf_map *map, struct regex *const *regexes, const struct sample *sample,
	 struct sample_room *room)
{
	struct sample inner = *sample;

	if (map->sorted) {
		const struct conf_arg *value = find_sorted(map, sample);

		if (!value && map->method == CONF_METHOD_IP && unmap(&inner.ip))
			value = find_sorted(map, &inner);
		return value;
	}
	for (size_t i = 0; i < map->n; i++)
		if (match_patterns(&map->entries[i].key, regexes, sample, room))
			return &map->entries[i].value;
	return NULL;
}
