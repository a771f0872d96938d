/*
 * words_hmac.c - the block `auth_hmac` of a vrrp_instance: its words, its keys, and whether they fit
 * together.
 *
 * A key stands in the configuration or in a file of its own.  Nothing said here shows any of it.
 */
#include "conf/match.h"
#include "conf/parser.h"
#include "conf/value.h"
#include "conf/words_lists.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Printed for a key, and as long as one must be. */
#define HIDDEN "<hidden><hidden><hidden><hidden>"

#define WINDOW_MIN_S 5

_Static_assert(sizeof HIDDEN - 1 >= CONF_HMAC_KEY_MIN, "what is printed can be read back");

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "hex:" and digits, or the octets themselves.  NULL, or what is wrong with it. */
static const char *
read_key(struct conf_hmac_key *key, const char *text, size_t len)
{
	bool hex = len >= 4 && strncmp(text, "hex:", 4) == 0;
	size_t octets = hex ? (len - 4) / 2 : len;

	if (hex && len % 2 != 0)
		return "has an odd number of hexadecimal digits";
	if (octets < CONF_HMAC_KEY_MIN)
		return "is too short: a key has 32 to 64 octets";
	if (octets > CONF_HMAC_KEY_MAX)
		return "is too long: a key has 32 to 64 octets";
	for (size_t i = 0; i < octets; i++) {
		int high = hex ? hex_digit(text[4 + 2 * i]) : 0;
		int low = hex ? hex_digit(text[5 + 2 * i]) : 0;

		if (high < 0 || low < 0)
			return "has something else than hexadecimal digits after `hex:`";
		key->bytes[i] = hex ? (uint8_t)(high << 4 | low) : (uint8_t)text[i];
	}
	key->len = (uint8_t)octets;
	return NULL;
}

/* "key ID hex:DIGITS", "key ID file:PATH", "key ID CHARACTERS" */
static void
parse_key(struct conf_call *call)
{
	struct conf_hmac *hmac = call->object;
	const struct conf_word *id = call_word(call, 1, "a number from 1 to 255 and a key");
	const struct conf_word *value = id ? call_word(call, 2, "a key after its number") : NULL;
	struct conf_hmac_key key = { .pos = call->pos };
	const char *wrong = NULL;
	int64_t number;

	call->used = 3;
	if (!value)
		return;
	/* What was written there may be the key: it is not repeated. */
	if (value_int(id->text, &number) < 0 || number < 1 || number > 255) {
		conf_error(&call->p->reporter, id->pos,
			   "`key` needs a number from 1 to 255 before the key");
		return;
	}
	key.id = (uint8_t)number;
	if (conf_find_key(hmac, key.id)) {
		conf_error(&call->p->reporter, id->pos, "there is a `key` %u already", key.id);
		return;
	}
	if (strncmp(value->text, "file:", 5) == 0)
		key.path = value->text + 5;
	else
		wrong = read_key(&key, value->text, strlen(value->text));
	if (wrong)
		conf_error(&call->p->reporter, value->pos, "`key` %u %s", key.id, wrong);
	*ARENA_PUSH(call->p->arena, hmac->keys, hmac->keys_n) = key;
}

/* One word: quotes around a part of it would end it in keepalived's dialect. */
static void
print_path(const struct conf_printer *pr, const char *path)
{
	char *word;

	if (asprintf(&word, "file:%s", path) < 0)
		return;
	print_bare(pr, word);
	free(word);
}

static void
print_keys(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_hmac *hmac = object;

	for (size_t i = 0; i < hmac->keys_n; i++) {
		print_name(pr, row->name);
		fprintf(pr->out, " %u ", hmac->keys[i].id);
		if (hmac->keys[i].path)
			print_path(pr, hmac->keys[i].path);
		else
			fputs(HIDDEN, pr->out);
		print_end(pr);
	}
}

static const struct conf_choice replays[] = {
	{ "time", CONF_HMAC_TIME },
	{ "monotonic", CONF_HMAC_MONOTONIC },
	{ NULL },
};

static const struct conf_choice modes[] = {
	{ "enforce", CONF_HMAC_ENFORCE },
	{ "permissive", CONF_HMAC_PERMISSIVE },
	{ "receive-only", CONF_HMAC_RECEIVE_ONLY },
	{ NULL },
};

static const struct conf_row rows[] = {
	{ "key", CONF_TYPE_CALL, .flags = ROW_REPEATS | ROW_SECRET, .parse = parse_key,
	  .print = print_keys,
	  .doc = "`key` NUMBER `hex:`DIGITS, NUMBER `file:`PATH (a file with either of the other "
		 "forms, read at the start) or NUMBER and the key's characters; 32 to 64 octets, the "
		 "same on all nodes.  To change the key without a fail-over: give the new one a "
		 "number of its own on all nodes, then make it their `active_key`, then remove the "
		 "old one" },
	{ "active_key", CONF_TYPE_INT, ROW_FIELD(conf_hmac, active_key), .min = 1, .max = 255,
	  .doc = "the number of the key to sign with; the only key there is.  What comes in may be "
		 "signed with any of them" },
	{ "anti_replay", CONF_TYPE_CHOICE, ROW_FIELD(conf_hmac, anti_replay), .choices = replays,
	  .def = "time",
	  .doc = "each advertisement of a node counts once, and with `time` only while it is fresh, "
		 "for which the nodes' clocks must agree; `monotonic` asks for no clock" },
	{ "time_window", CONF_TYPE_INT, ROW_FIELD(conf_hmac, time_window_s), .min = 1, .max = 300,
	  .doc = "seconds that an advertisement stays fresh and that clocks may differ by; three "
		 "times `advert_int`, at least 5" },
	{ "mode", CONF_TYPE_CHOICE, ROW_FIELD(conf_hmac, mode), .choices = modes, .def = "enforce",
	  .doc = "`enforce` refuses what is not signed; `permissive` signs and takes both; "
		 "`receive-only` takes both and does not sign.  To begin with signatures without a "
		 "fail-over, go through them backwards, on all nodes before the next step; an "
		 "`authentication` block may stay until then.  What is signed wrongly is refused in "
		 "all modes" },
};

const struct conf_table table_hmac = {
	.name = "auth_hmac",
	.dialect = CONF_KEEPALIVED,
	.object_size = sizeof(struct conf_hmac),
	TABLE_ROWS(rows),
};

void
parse_hmac(struct conf_call *call)
{
	struct conf_instance *instance = call->object;

	instance->hmac = arena_alloc(call->p->arena, sizeof *instance->hmac);
	instance->hmac->pos = call->pos;
	table_set_defaults(&table_hmac, instance->hmac);
	keepalived_read_block(call, &table_hmac, instance->hmac);
}

void
print_hmac(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;
	struct conf_printer inner = *pr;
	char indent[8];

	if (!instance->hmac)
		return;
	snprintf(indent, sizeof indent, "%s\t", pr->indent);
	inner.indent = indent;
	fprintf(pr->out, "%s%s {\n", pr->indent, row->name);
	table_print(&inner, &table_hmac, instance->hmac);
	fprintf(pr->out, "%s}\n", pr->indent);
}

/* ------------------------------------------------------------------ once all is read */

/* The end of a line, after a key that was written with an editor, is no part of it. */
static size_t
trimmed_len(const struct conf_key_file *file)
{
	size_t len = file->len;

	while (len > 0 && isspace((unsigned char)file->data[len - 1]))
		len--;
	return len;
}

static void
resolve_key_file(struct conf_parser *p, struct conf_hmac_key *key)
{
	const struct conf_key_file *file;
	const char *wrong;

	if (!key->path || !p->options->key_files)
		return;
	file = conf_key_file(p->arena, p->options->key_files, key->path);
	if (file->error) {
		conf_error(&p->reporter, key->pos, "cannot read `key` %u from %.100s: %s", key->id,
			   key->path, strerror(file->error));
		return;
	}
	wrong = read_key(key, file->data, trimmed_len(file));
	if (wrong)
		conf_error(&p->reporter, key->pos, "`key` %u in %.100s %s", key->id, key->path,
			   wrong);
	else if (file->exposed)
		conf_warning(&p->reporter, key->pos,
			     "%.100s holds a key and may be read by others than its owner: mode "
			     "0600 keeps it secret",
			     key->path);
}

static void
resolve_active_key(struct conf_parser *p, struct conf_hmac *hmac)
{
	if (hmac->keys_n == 0)
		conf_error(&p->reporter, hmac->pos, "`auth_hmac` needs a `key`");
	else if (hmac->active_key == 0 && hmac->keys_n == 1)
		hmac->active_key = hmac->keys[0].id;
	else if (hmac->active_key == 0)
		conf_error(&p->reporter, hmac->pos,
			   "`auth_hmac` has several keys: `active_key` must name the one to sign "
			   "with");
	else if (!conf_find_key(hmac, hmac->active_key))
		conf_error(&p->reporter, hmac->pos, "`active_key` %u: there is no such `key`",
			   hmac->active_key);
}

void
resolve_hmac(struct conf_parser *p, struct conf_instance *instance)
{
	struct conf_hmac *hmac = instance->hmac;
	uint32_t window_s = (3 * instance->advert_int_cs + 99) / 100;

	if (!hmac)
		return;
	resolve_active_key(p, hmac);
	for (size_t i = 0; i < hmac->keys_n; i++)
		resolve_key_file(p, &hmac->keys[i]);
	if (hmac->time_window_s && hmac->anti_replay == CONF_HMAC_MONOTONIC)
		conf_notice(&p->reporter, hmac->pos,
			    "`time_window` has no effect with `anti_replay monotonic`");
	if (!hmac->time_window_s && hmac->anti_replay == CONF_HMAC_TIME)
		hmac->time_window_s = (uint16_t)(window_s < WINDOW_MIN_S ? WINDOW_MIN_S : window_s);
	if (instance->strict_mode && hmac->mode != CONF_HMAC_ENFORCE)
		conf_error(&p->reporter, hmac->pos,
			   "strict mode: `auth_hmac` takes nothing unsigned, its `mode` must be "
			   "`enforce`");
	if (hmac->mode != CONF_HMAC_ENFORCE || instance->auth == CONF_AUTH_NONE)
		return;
	conf_warning(&p->reporter, hmac->pos,
		     "`authentication` has no effect beside `auth_hmac`, which is the better one");
	instance->auth = CONF_AUTH_NONE;
	memset(instance->auth_data, 0, sizeof instance->auth_data);
}
