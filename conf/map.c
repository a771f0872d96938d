/*
 * map.c - converters called map…: a file of keys and values, made ready to be searched.  Runs in
 * whichever thread loads a configuration.
 *
 * A line is a key, blanks and a value; "#" at its beginning makes a comment of it.  Keys that are
 * compared as a whole, as beginnings or as networks are sorted, and each knows the nearest one that
 * holds it: the last key that is not above a sample, or one of those around it, is the closest match.
 * Other keys are tried in the order of the file.
 */
#include "conf/expr_reader.h"
#include "conf/value.h"

#include <stdlib.h>
#include <string.h>

static bool
is_regm(const char *name, size_t len)
{
	return len == 8 && memcmp(name, "map_regm", 8) == 0;
}

/* map, map_METHOD, map_METHOD_TYPE, map_regm; false = it is called otherwise. */
static bool
read_name(const char *name, size_t len, enum conf_method *method, enum sample_type *gives)
{
	static const struct {
		const char *name;
		enum sample_type type;
	} types[] = { { "_str", SAMPLE_STR }, { "_int", SAMPLE_INT }, { "_ip", SAMPLE_IP } };
	static const enum conf_method methods[] = {
		CONF_METHOD_STR, CONF_METHOD_BEG, CONF_METHOD_END, CONF_METHOD_SUB, CONF_METHOD_DIR,
		CONF_METHOD_DOM, CONF_METHOD_REG, CONF_METHOD_INT, CONF_METHOD_IP,
	};

	*method = CONF_METHOD_STR;
	*gives = SAMPLE_STR;
	if (is_regm(name, len)) {
		*method = CONF_METHOD_REG;
		return true;
	}
	if (len < 3 || memcmp(name, "map", 3) != 0)
		return false;
	name += 3;
	len -= 3;
	if (len == 0)
		return true;
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		const char *word = pattern_method_name(methods[i]);
		size_t word_len = strlen(word);

		if (len <= word_len || *name != '_' || memcmp(name + 1, word, word_len) != 0)
			continue;
		*method = methods[i];
		if (len == 1 + word_len)
			return true;
		for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
			*gives = types[k].type;
			if (len - 1 - word_len == strlen(types[k].name) &&
			    memcmp(name + 1 + word_len, types[k].name, len - 1 - word_len) == 0)
				return true;
		}
	}
	return false;
}

bool
map_is_name(const char *name, size_t len)
{
	enum conf_method method;
	enum sample_type gives;

	return read_name(name, len, &method, &gives);
}

/* NULL, or what is wrong. */
static const char *
read_value(struct conf_arg *value, enum sample_type type)
{
	value->given = true;
	if (type == SAMPLE_INT && value_int(value->text.data, &value->number) < 0)
		return "is no number";
	if (type == SAMPLE_IP && ip_parse(value->text.data, &value->ip) < 0)
		return "is no address";
	return NULL;
}

/* ------------------------------------------------------------------ the order */

static const struct conf_ip_range *
range_of(const struct conf_map_entry *entry)
{
	return entry->key.ip4_n ? entry->key.ip4 : entry->key.ip6;
}

/* What holds others stands before them; of equal ones the first in the file. */
static int
compare(const void *a, const void *b)
{
	const struct conf_map_entry *x = a, *y = b;
	int order;

	if (x->key.texts_n) {
		const struct conf_bytes *s = x->key.texts, *t = y->key.texts;

		order = memcmp(s->data, t->data, s->len < t->len ? s->len : t->len);
		order = order ? order : (s->len > t->len) - (s->len < t->len);
	} else {
		const struct conf_ip_range *r = range_of(x), *s = range_of(y);

		order = (r->from.family > s->from.family) - (r->from.family < s->from.family);
		order = order ? order : ip_cmp(&r->from, &s->from);
		order = order ? order : -ip_cmp(&r->to, &s->to);
	}
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static bool
holds(const struct conf_map_entry *outer, const struct conf_map_entry *inner)
{
	if (outer->key.texts_n) {
		const struct conf_bytes *s = outer->key.texts, *t = inner->key.texts;

		return s->len <= t->len && memcmp(s->data, t->data, s->len) == 0;
	}
	return range_of(outer)->from.family == range_of(inner)->from.family &&
	       ip_cmp(&range_of(outer)->to, &range_of(inner)->from) >= 0;
}

static bool
is_same(const struct conf_map_entry *a, const struct conf_map_entry *b)
{
	return holds(a, b) &&
	       (a->key.texts_n ? a->key.texts->len == b->key.texts->len
			       : ip_equal(&range_of(a)->from, &range_of(b)->from) &&
					 ip_equal(&range_of(a)->to, &range_of(b)->to));
}

/* Sorted, of equal keys the first one only, each with the nearest that holds it. */
static void
sort_entries(struct conf_map *map)
{
	struct conf_map_entry *all = map->entries;
	size_t kept = 0;

	qsort(all, map->n, sizeof *all, compare);
	for (size_t i = 0; i < map->n; i++) {
		uint32_t outer;

		if (kept > 0 && is_same(&all[kept - 1], &all[i]))
			continue;
		outer = kept ? (uint32_t)kept - 1 : CONF_NONE;
		while (outer != CONF_NONE && !holds(&all[outer], &all[i]))
			outer = all[outer].outer;
		all[kept] = all[i];
		all[kept++].outer = outer;
	}
	map->n = kept;
}

/* ------------------------------------------------------------------ the file */

/* One line, without blanks before it and its end.  NULL, or what is wrong. */
static const char *
add_entry(struct conf_parser *p, struct conf_map *map, const char *line, uint32_t number)
{
	size_t key_len = strcspn(line, " \t");
	const char *key = arena_strndup(p->arena, line, key_len), *wrong;
	const char *text = line + key_len + strspn(line + key_len, " \t");
	struct conf_map_entry entry = {
		.key.method = map->method,
		.line = number,
		.outer = CONF_NONE,
		.value.text = { text, strlen(text) },
	};

	wrong = pattern_add(p, &entry.key, key, PATTERN_EQ, false);
	if (!wrong)
		wrong = read_value(&entry.value, map->gives);
	if (!wrong)
		*ARENA_PUSH(p->arena, map->entries, map->n) = entry;
	return wrong;
}

static bool
read_entries(struct conf_call *call, struct conf_map *map, struct conf_pos pos)
{
	const struct conf_source *source = &call->p->conf->sources[pos.source];
	const char *text = source->text, *end = text + source->len;

	for (pos.line = 1; text < end; pos.line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text)), *from = text;
		const char *last = stop ? stop : end, *line, *wrong;

		while (from < last && (*from == ' ' || *from == '\t'))
			from++;
		while (last > from && last[-1] == '\r')
			last--;
		if (last > from && *text != '#') {
			line = arena_strndup(call->p->arena, from, (size_t)(last - from));
			pos.column = (uint32_t)(from - text) + 1;
			wrong = add_entry(call->p, map, line, pos.line);
			if (wrong) {
				call_refuse(call, pos, "`%.60s` %s", line, wrong);
				return false;
			}
		}
		text = stop ? stop + 1 : end;
	}
	return true;
}

bool
map_read(struct conf_call *call, struct conf_pos pos, const char *name, size_t len,
	 struct conf_convert *convert)
{
	struct conf_parser *p = call->p;
	struct conf_map *map = arena_alloc(p->arena, sizeof *map);
	struct conf_arg *otherwise = &convert->args[1];
	const char *wrong;

	read_name(name, len, &map->method, &map->gives);
	map->expands = is_regm(name, len);
	convert->takes = map->method == CONF_METHOD_INT  ? SAMPLE_INT
			 : map->method == CONF_METHOD_IP ? SAMPLE_IP
							 : SAMPLE_STR;
	convert->gives = map->gives;
	convert->map = map;
	wrong = otherwise->given ? read_value(otherwise, map->gives) : NULL;
	if (wrong) {
		call_refuse(call, pos, "`%.60s` %s", otherwise->text.data, wrong);
		return false;
	}
	pos.source = parser_values(p, convert->args[0].text.data, pos);
	if (pos.source == CONF_NONE || !read_entries(call, map, pos))
		return false;
	map->sorted = map->method == CONF_METHOD_STR || map->method == CONF_METHOD_BEG ||
		      map->method == CONF_METHOD_IP;
	if (map->sorted && map->n > 0)
		sort_entries(map);
	return true;
}
