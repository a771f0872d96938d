/*
 * process_vars.c - see process_vars.h.  Run by every proxy thread; made and freed by the owner of
 * the proxy.
 *
 * A thread writes a value into one of two pages of its own for that variable and then says, in one
 * word, which page is the current one.  It never writes the page that it named last, so nobody waits
 * for anybody: a reader copies the current page and begins again if by then another one was named.
 * No two names are ever the same, for each counts its thread's writes.  What is stored in a page is
 * released and what is loaded is acquired, word by word: who sees a later byte sees the later name.
 */
#include "proxy/process_vars.h"

#include "proxy/extra.h"

#include "conf/model.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_WORDS (SAMPLE_ROOM / sizeof(uint64_t))
#define IP_WORDS   ((sizeof(struct ip) + sizeof(uint64_t) - 1) / sizeof(uint64_t))

/* A value as words. */
struct page {
	_Atomic uint64_t type, number, len;
	_Atomic uint64_t ip[IP_WORDS], text[TEXT_WORDS];
};

/* Of one thread and variable, made with its first write. */
struct pages {
	uint64_t writes;
	uint64_t named; /* the page that was named last */
	struct page *page[2];
};

/* Current: 0 = there is no value; else count, thread and page. */
#define NAME_THREAD_BITS 16

struct process_var {
	_Atomic uint64_t current;
	struct pages *pages; /* by thread; NULL: none of the process */
};

struct process_vars {
	uint32_t threads_n;
	size_t n;
	struct process_var vars[]; /* by index in conf->variables */
};

void
process_vars_free(struct process_vars *vars)
{
	for (size_t i = 0; vars && i < vars->n; i++) {
		for (uint32_t t = 0; vars->vars[i].pages && t < vars->threads_n; t++) {
			free(vars->vars[i].pages[t].page[0]);
			free(vars->vars[i].pages[t].page[1]);
		}
		free(vars->vars[i].pages);
	}
	free(vars);
}

struct process_vars *
process_vars_new(const struct conf *conf, uint32_t threads_n)
{
	struct process_vars *vars =
		calloc(1, sizeof *vars + conf->variables_n * sizeof *vars->vars);

	if (!vars)
		return NULL;
	vars->threads_n = threads_n;
	vars->n = conf->variables_n;
	for (size_t i = 0; i < vars->n; i++) {
		if (!conf->variables[i].process)
			continue;
		vars->vars[i].pages = calloc(threads_n, sizeof *vars->vars[i].pages);
		if (!vars->vars[i].pages) {
			process_vars_free(vars);
			return NULL;
		}
	}
	return vars;
}

/* ------------------------------------------------------------------ pages */

static void
store_words(_Atomic uint64_t *words, const void *data, size_t len)
{
	for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
		uint64_t word = 0;
		size_t n = len - at < sizeof word ? len - at : sizeof word;

		memcpy(&word, (const char *)data + at, n);
		atomic_store_explicit(&words[at / sizeof word], word, memory_order_release);
	}
}

static void
load_words(const _Atomic uint64_t *words, void *data, size_t len)
{
	for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
		uint64_t word =
			atomic_load_explicit(&words[at / sizeof word], memory_order_acquire);
		size_t n = len - at < sizeof word ? len - at : sizeof word;

		memcpy((char *)data + at, &word, n);
	}
}

static void
store(struct page *page, const struct sample *sample)
{
	bool text = sample->type == SAMPLE_STR || sample->type == SAMPLE_BIN;
	size_t len = text ? sample->len : 0;

	if (len > SAMPLE_ROOM)
		len = SAMPLE_ROOM;
	atomic_store_explicit(&page->type, sample->type, memory_order_release);
	atomic_store_explicit(&page->number, (uint64_t)sample->number, memory_order_release);
	atomic_store_explicit(&page->len, len, memory_order_release);
	if (sample->type == SAMPLE_IP)
		store_words(page->ip, &sample->ip, sizeof sample->ip);
	store_words(page->text, sample->data, len);
}

/* It may be torn: who calls looks whether the page is still the current one. */
static void
load(const struct page *page, struct sample *sample, char *text)
{
	sample->may_change = false;
	sample->type = (enum sample_type)atomic_load_explicit(&page->type, memory_order_acquire);
	sample->number = (int64_t)atomic_load_explicit(&page->number, memory_order_acquire);
	sample->len = atomic_load_explicit(&page->len, memory_order_acquire);
	sample->data = text;
	if (sample->type == SAMPLE_IP)
		load_words(page->ip, &sample->ip, sizeof sample->ip);
	if (text)
		load_words(page->text, text, sample->len);
}

static const struct page *
page_named(const struct process_var *var, uint64_t name)
{
	return var->pages[name >> 1 & ((1 << NAME_THREAD_BITS) - 1)].page[name & 1];
}

/* The value and its name; 0 = there is none.  Without room for its text that is left out. */
static uint64_t
current_of(const struct process_var *var, struct sample *sample, char *text)
{
	uint64_t name = atomic_load_explicit(&var->current, memory_order_acquire), before;

	do {
		before = name;
		if (name != 0)
			load(page_named(var, name), sample, text);
		name = atomic_load_explicit(&var->current, memory_order_acquire);
	} while (name != before);
	return name;
}

bool
process_vars_get(const struct process_vars *vars, uint32_t variable, struct sample *sample,
		 char *text)
{
	return current_of(&vars->vars[variable], sample, text) != 0;
}

/* ------------------------------------------------------------------ setting it */

/* Fills the page that was not named last; what would name it, or 0 when out of memory. */
static uint64_t
write_page(struct pages *pages, uint32_t thread, const struct sample *sample)
{
	uint64_t half = !pages->named;

	if (!pages->page[half])
		pages->page[half] = calloc(1, sizeof *pages->page[half]);
	if (!pages->page[half])
		return 0;
	store(pages->page[half], sample);
	pages->writes++;
	return pages->writes << (NAME_THREAD_BITS + 1) | (uint64_t)thread << 1 | half;
}

bool
process_vars_set(struct process_vars *vars, uint32_t thread, uint32_t variable,
		 const struct sample *sample, unsigned when)
{
	struct process_var *var = &vars->vars[variable];
	uint64_t name, before;
	struct sample old;

	if (!sample) {
		atomic_store_explicit(&var->current, 0, memory_order_release);
		return true;
	}
	name = 0;
	do {
		before = current_of(var, &old, NULL);
		/* It is there from the start. */
		if (!extra_may_set(true, before ? &old : NULL, sample, when))
			return false;
		if (!name)
			name = write_page(&var->pages[thread], thread, sample);
		if (!name)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&var->current, &before, name, memory_order_acq_rel, memory_order_acquire));
	var->pages[thread].named = name & 1;
	return true;
}
