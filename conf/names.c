/*
 * names.c - a hash table with chains.  Grows by doubling; what it outgrows stays in the arena.
 */
#include "conf/names.h"

#include <string.h>

static size_t
hash(enum name_space space, uint32_t scope, const char *name)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ ((uint64_t)space << 32 | scope);

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return (size_t)(h ^ h >> 32);
}

static void
grow(struct conf_names *names)
{
	size_t buckets_n = names->buckets_n ? names->buckets_n * 2 : 64;
	struct conf_name **buckets = arena_alloc(names->arena, buckets_n * sizeof(void *));

	for (size_t i = 0; i < names->buckets_n; i++) {
		struct conf_name *next;

		for (struct conf_name *n = names->buckets[i]; n; n = next) {
			size_t at = hash(n->space, n->scope, n->name) & (buckets_n - 1);

			next = n->next;
			n->next = buckets[at];
			buckets[at] = n;
		}
	}
	names->buckets = buckets;
	names->buckets_n = buckets_n;
}

const struct conf_name *
names_find(const struct conf_names *names, enum name_space space, uint32_t scope, const char *name)
{
	if (names->buckets_n == 0)
		return NULL;
	for (const struct conf_name *n =
		     names->buckets[hash(space, scope, name) & (names->buckets_n - 1)];
	     n; n = n->next)
		if (n->space == space && n->scope == scope && strcmp(n->name, name) == 0)
			return n;
	return NULL;
}

const struct conf_name *
names_add(struct conf_names *names, enum name_space space, uint32_t scope, const char *name,
	  uint32_t index, struct conf_pos pos)
{
	const struct conf_name *owner = names_find(names, space, scope, name);
	struct conf_name *n;
	size_t at;

	if (owner)
		return owner;
	if (names->names_n >= names->buckets_n)
		grow(names);
	n = arena_alloc(names->arena, sizeof *n);
	*n = (struct conf_name){ space, scope, name, index, pos, NULL };
	at = hash(space, scope, name) & (names->buckets_n - 1);
	n->next = names->buckets[at];
	names->buckets[at] = n;
	names->names_n++;
	return NULL;
}
