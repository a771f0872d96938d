/*
 * words_command.h - commands of scripts, and the user they run as, wherever the language has them.
 */
#pragma once

#include "conf/model.h"
#include "conf/table.h"

enum command_form {
	COMMAND_PLAIN, /* more words without quotes are arguments */
	COMMAND_OWNED, /* the second word is a user, if there is such a user */
};

/*
 * From the word after the keyword: "COMMAND ARGUMENTS" [USER [GROUP]], or without quotes.  Sets
 * call->used; false after an error.
 */
bool parse_command(struct conf_call *call, enum command_form form, struct conf_command *command);

/* "USER [GROUP]" from the word at `index`; sets call->used. */
void parse_user_group(struct conf_call *call, size_t index, const char **user, const char **group);

/* A whole line, or nothing if there is no user. */
void print_user_group(const struct conf_printer *pr, const struct conf_row *row, const char *user,
		      const char *group);

/* ------------------------------------------------------------------ for rows */

/* The field is a struct conf_command. */
void parse_notify(struct conf_call *call);
void print_notify(const struct conf_printer *pr, const struct conf_row *row, const void *object);

/* Of instances and groups, for `type`. */
/* clang-format off */
#define NOTIFY_ROW(type, word, member, text)                                                       \
	{ word, CONF_TYPE_CALL, ROW_FIELD(type, notify.member), .parse = parse_notify,             \
	  .print = print_notify, .doc = text }
/* clang-format on */

/* The same, or alone: then only `notify` is told.  Of an instance. */
void parse_notify_deleted(struct conf_call *call);
void print_notify_deleted(const struct conf_printer *pr, const struct conf_row *row,
			  const void *object);

/* The field is a struct conf_fifo: its path and owner. */
void parse_fifo(struct conf_call *call);
void print_fifo(const struct conf_printer *pr, const struct conf_row *row, const void *object);
