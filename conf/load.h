/*
 * load.h - from files to a configuration.
 *
 *     read (conf_read_files) -> parse (both dialects) -> resolve and cross-check -> struct conf
 *
 * Reading is separate from parsing, so that the guardian can hand the very bytes it read to the
 * worker, which parses them again into an equal configuration.
 */
#pragma once

#include "conf/model.h"

#include <stdio.h>

enum conf_severity { CONF_ERROR, CONF_WARNING, CONF_NOTICE };

struct conf_message {
	enum conf_severity severity;
	struct conf_pos pos; /* line 0: about a whole source, or about nothing in a file */
	const char *text;    /* one sentence, in the arena */
	const char *hint;    /* "did you mean `priority`?" or NULL */
};

struct conf_report {
	struct conf_message *messages;
	size_t messages_n;
	size_t errors, warnings, notices;
};

/* What became of a word. */
enum conf_class {
	CONF_CLASS_WORKS,
	CONF_CLASS_OLD,     /* works, with a warning that shows the modern form */
	CONF_CLASS_NOTICED, /* nothing to do here */
	CONF_CLASS_WARNED,  /* without effect, which shows from outside */
	CONF_CLASS_REFUSED,
	CONF_CLASS_UNKNOWN
};

/* A file that holds a key (auth_hmac). */
struct conf_key_file {
	const char *path;
	int error;    /* errno of reading it; 0 = it is there */
	bool exposed; /* others than its owner may read it */
	const char *data;
	size_t len;
};

/* What was read of them.  `reads`: a file that is not in the list is read when it is asked for; else
 * it is ENOENT, which is how the worker knows the guardian's. */
struct conf_key_files {
	bool reads;
	struct conf_key_file *list;
	size_t n;
};

struct conf_options {
	const char *node; /* -i, else -L, else the host's name */
	uint32_t maxconn; /* -n; 0 = not given */
	/* Is the address one of this host's?  NULL = not known, then nobody is warned.  Not packed. */
	bool (*is_local)(const struct ip *ip);
	/* Is the address in none of the interface's networks?  NULL = not known.  Not packed. */
	bool (*is_foreign)(const char *interface, const struct ip *ip);
	/* NULL = not known, then keys in files are taken to be in order and stay empty. */
	struct conf_key_files *key_files;
	/*
	 * Reads a file of values (`-f` of an acl) into `arena`: 0 or -errno.  NULL = only those
	 * among the sources are known, others are taken to be empty.  Not packed.
	 */
	int (*read_values)(struct arena *arena, const char *path, struct conf_source *source);
	/*
	 * Looks up a host that `bind` or `log` names, in a family or (AF_UNSPEC) any; may block.
	 * NULL or what is wrong.  No function = only those among the sources are known, others have
	 * no address.  Not packed.
	 */
	const char *(*look_up)(const char *host, uint8_t family, struct ip *ip);
	/* Told of each word as it is read; NULL = nobody asks.  Not packed. */
	void (*tell_class)(void *ctx, enum conf_class class, const char *table, const char *word,
			   struct conf_pos pos);
	void *tell_ctx;
};

/*
 * Reads files (a directory means its *.cfg and *.conf in alphabetical order; "-" is standard
 * input), and what their `include` lines name.  On success *sources lives in `arena`.  0, or
 * -errno with *failed = the path.
 */
int conf_read_files(struct arena *arena, const char *const *paths, size_t paths_n,
		    struct conf_source **sources, size_t *sources_n, const char **failed);

/* What is in a key's file; never NULL, lives in `arena`.  Only regular files of up to 4 KiB. */
const struct conf_key_file *conf_key_file(struct arena *arena, struct conf_key_files *files,
					  const char *path);

/* conf_options.read_values of who may open files. */
int conf_read_values(struct arena *arena, const char *path, struct conf_source *source);

/*
 * Parses and checks.  Always returns a configuration in `arena`; it may be used only if
 * report->errors is 0.  Blocks only in options->look_up, reads no file but those of
 * options->key_files and by options->read_values, logs nothing: what is to be said is in *report, in
 * order of position, all errors of all sources.  What was read is at the end of conf->sources, which
 * is what to pack.
 */
struct conf *conf_load(struct arena *arena, const struct conf_source *sources, size_t sources_n,
		       const struct conf_options *options, struct conf_report *report);

/*
 * Prints messages as "FILE:LINE:COLUMN: error: TEXT (hint)", the line and a caret below it.
 * quiet = errors only.
 */
void conf_report_print(FILE *out, const struct conf *conf, const struct conf_report *report,
		       bool quiet);

/* The canonical form: re-parses to an equal configuration, but for secrets, which are printed as
 * "<hidden>". */
void conf_dump(FILE *out, const struct conf *conf);

/*
 * Sources, options and key files as one block of bytes, and back: how the worker gets what the
 * guardian read.  There may be secrets in it.
 * conf_unpack returns -EBADMSG for a block that conf_pack did not make.
 */
void *conf_pack(struct arena *arena, const struct conf_source *sources, size_t sources_n,
		const struct conf_options *options, size_t *len);
int conf_unpack(struct arena *arena, const void *block, size_t len, struct conf_source **sources,
		size_t *sources_n, struct conf_options *options);
