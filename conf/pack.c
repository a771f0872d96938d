/*
 * pack.c - sources and options as one block of bytes: what the guardian read and the worker parses
 * again.  Both are the same binary on the same host, so numbers are in the host's order.
 */
#include "conf/load.h"

#include <errno.h>
#include <string.h>

#define PACK_MAGIC   UINT64_C(0x32666e6f43646e54)
#define PACK_NO_NODE UINT64_MAX

/* magic, sources, key files, maxconn, node's length | node | per source: name's and text's length,
 * both | per key file: error, path's and content's length, both */
struct head {
	uint64_t magic, sources_n, key_files_n, maxconn, node_len;
};
struct source_head {
	uint64_t name_len, text_len, includer, include_line, values;
};

struct key_file_head {
	uint64_t error, exposed, path_len, len;
};

static void
put(char **at, const void *data, size_t len)
{
	memcpy(*at, data, len);
	*at += len;
}

void *
conf_pack(struct arena *arena, const struct conf_source *sources, size_t sources_n,
	  const struct conf_options *options, size_t *len)
{
	static const struct conf_key_files none;
	const struct conf_key_files *keys = options->key_files ? options->key_files : &none;
	size_t node_len = options->node ? strlen(options->node) : 0, size;
	struct head head = { PACK_MAGIC, sources_n, keys->n, options->maxconn,
			     options->node ? node_len : PACK_NO_NODE };
	char *block, *at;

	size = sizeof head + node_len;
	for (size_t i = 0; i < sources_n; i++)
		size += sizeof(struct source_head) + strlen(sources[i].name) + sources[i].len;
	for (size_t i = 0; i < keys->n; i++)
		size += sizeof(struct key_file_head) + strlen(keys->list[i].path) +
			keys->list[i].len;
	block = at = arena_alloc(arena, size);
	put(&at, &head, sizeof head);
	put(&at, options->node ? options->node : "", node_len);
	for (size_t i = 0; i < sources_n; i++) {
		struct source_head sh = { strlen(sources[i].name), sources[i].len,
					  sources[i].includer, sources[i].include_line,
					  sources[i].values };

		put(&at, &sh, sizeof sh);
		put(&at, sources[i].name, sh.name_len);
		put(&at, sources[i].text, sh.text_len);
	}
	for (size_t i = 0; i < keys->n; i++) {
		const struct conf_key_file *file = &keys->list[i];
		struct key_file_head kh = { (uint64_t)file->error, file->exposed,
					    strlen(file->path), file->len };

		put(&at, &kh, sizeof kh);
		put(&at, file->path, kh.path_len);
		put(&at, file->data ? file->data : "", kh.len);
	}
	*len = size;
	return block;
}

/* What is left of a block. */
struct reader {
	struct arena *arena;
	const char *at;
	size_t left;
};

static int
get(struct reader *r, void *data, size_t len)
{
	if (len > r->left)
		return -EBADMSG;
	memcpy(data, r->at, len);
	r->at += len;
	r->left -= len;
	return 0;
}

static char *
get_text(struct reader *r, uint64_t len)
{
	char *text;

	if (len > r->left)
		return NULL;
	/* Not as a string: a source may hold NUL bytes. */
	text = arena_alloc(r->arena, len + 1);
	memcpy(text, r->at, len);
	r->at += len;
	r->left -= len;
	return text;
}

/* NULL: not such a list. */
static struct conf_key_files *
get_key_files(struct reader *r, uint64_t n)
{
	struct conf_key_files *files = arena_alloc(r->arena, sizeof *files);
	struct key_file_head kh;

	if (n > r->left / sizeof kh)
		return NULL;
	while (files->n < n) {
		struct conf_key_file *file = ARENA_PUSH(r->arena, files->list, files->n);

		if (get(r, &kh, sizeof kh) < 0)
			return NULL;
		file->error = (int)kh.error;
		file->exposed = kh.exposed != 0;
		file->path = get_text(r, kh.path_len);
		file->data = file->path ? get_text(r, kh.len) : NULL;
		file->len = kh.len;
		if (!file->data)
			return NULL;
	}
	return files;
}

int
conf_unpack(struct arena *arena, const void *block, size_t len, struct conf_source **sources,
	    size_t *sources_n, struct conf_options *options)
{
	struct reader r = { arena, block, len };
	struct conf_options unpacked = { 0 };
	struct conf_source *list;
	struct head head;

	if (get(&r, &head, sizeof head) < 0 || head.magic != PACK_MAGIC ||
	    head.maxconn > UINT32_MAX || head.sources_n > r.left / sizeof(struct source_head))
		return -EBADMSG;
	unpacked.maxconn = (uint32_t)head.maxconn;
	if (head.node_len != PACK_NO_NODE) {
		unpacked.node = get_text(&r, head.node_len);
		if (!unpacked.node)
			return -EBADMSG;
	}
	list = arena_alloc(arena, head.sources_n * sizeof *list);
	for (size_t i = 0; i < head.sources_n; i++) {
		struct source_head sh;

		if (get(&r, &sh, sizeof sh) < 0)
			return -EBADMSG;
		list[i].name = get_text(&r, sh.name_len);
		list[i].text = list[i].name ? get_text(&r, sh.text_len) : NULL;
		list[i].len = sh.text_len;
		list[i].includer = (uint32_t)sh.includer;
		list[i].include_line = (uint32_t)sh.include_line;
		list[i].values = sh.values != 0;
		if (!list[i].text)
			return -EBADMSG;
	}
	unpacked.key_files = get_key_files(&r, head.key_files_n);
	if (!unpacked.key_files || r.left != 0)
		return -EBADMSG;
	*sources = list;
	*sources_n = head.sources_n;
	*options = unpacked;
	return 0;
}
