/*
 * tls_names.c - see tls_names.h.  Filled while a configuration is loaded; read by all threads.
 */
#include "proxy/tls_names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 255

void
tls_names_add(struct tls_names *names, const char *name, size_t len, uint32_t certificate)
{
	struct tls_name *at = names->at, *new;
	bool excluded = len > 0 && *name == '!';

	/* Capacity doubles at powers of two. */
	if ((names->n & (names->n - 1)) == 0)
		at = reallocarray(names->at, names->n ? 2 * names->n : 1, sizeof *at);
	if (!at)
		abort();
	names->at = at;
	if (excluded) {
		name++;
		len--;
	}
	if (len > 1 && name[0] == '*' && name[1] == '.') {
		name++;
		len--;
	}
	new = &at[names->n];
	*new = (struct tls_name){ strndup(name, len), certificate, (uint32_t)names->n, excluded };
	if (!new->name)
		abort();
	for (char *c = new->name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	names->n++;
}

static int
compare(const void *a, const void *b)
{
	const struct tls_name *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	return (x->order > y->order) - (x->order < y->order);
}

void
tls_names_sort(struct tls_names *names)
{
	if (names->n)
		qsort(names->at, names->n, sizeof *names->at, compare);
}

/* The first of the entries with this name, or NULL. */
static const struct tls_name *
first_of(const struct tls_names *names, const char *name)
{
	size_t low = 0, high = names->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(names->at[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < names->n && strcmp(names->at[low].name, name) == 0 ? &names->at[low] : NULL;
}

static bool
goes_on(const struct tls_names *names, const struct tls_name *at, const char *name)
{
	return at && at < names->at + names->n && strcmp(at->name, name) == 0;
}

static bool
is_excluded(const struct tls_names *names, const char *host, uint32_t certificate)
{
	for (const struct tls_name *at = first_of(names, host); goes_on(names, at, host); at++)
		if (at->excluded && at->certificate == certificate)
			return true;
	return false;
}

uint32_t
tls_names_find(const struct tls_names *names, const char *host)
{
	const struct tls_name *at;
	char lower[HOST_MAX + 1];
	const char *suffix;
	size_t len = strlen(host);

	if (len > 0 && host[len - 1] == '.')
		len--;
	if (len == 0 || len > HOST_MAX || *host == '.')
		return TLS_NAMES_NONE;
	for (size_t i = 0; i < len; i++)
		lower[i] = (char)tolower((unsigned char)host[i]);
	lower[len] = '\0';
	for (at = first_of(names, lower); goes_on(names, at, lower); at++)
		if (!at->excluded)
			return at->certificate;
	suffix = strchr(lower, '.');
	if (!suffix)
		return TLS_NAMES_NONE;
	for (at = first_of(names, suffix); goes_on(names, at, suffix); at++)
		if (!at->excluded && !is_excluded(names, lower, at->certificate))
			return at->certificate;
	return TLS_NAMES_NONE;
}

void
tls_names_fini(struct tls_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->at[i].name);
	free(names->at);
	*names = (struct tls_names){ 0 };
}
