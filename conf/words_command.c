/*
 * words_command.c - commands of scripts, and the user they run as.  Runs in whichever thread loads a
 * configuration; asks the host whether a user exists, never who that is.
 *
 * keepalived takes the word after an unquoted command for a user's name; many who write so mean an
 * argument.  It is a user if this host has one of that name.
 */
#include "conf/words_command.h"

#include "conf/parser.h"

#include <pwd.h>
#include <string.h>

/* Another directive on the same line? */
static bool
is_keyword(const struct conf_call *call, size_t index)
{
	size_t matched;

	return table_find(call->table, &call->words[index], call->words_n - index, &matched) !=
	       NULL;
}

void
parse_user_group(struct conf_call *call, size_t index, const char **user, const char **group)
{
	const struct conf_word *word = call_word(call, index, "a user's name");

	call->used = index + (word != NULL);
	if (!word)
		return;
	*user = word->text;
	*group = NULL;
	if (call->used < call->words_n && !is_keyword(call, call->used))
		*group = call->words[call->used++].text;
}

void
print_user_group(const struct conf_printer *pr, const struct conf_row *row, const char *user,
		 const char *group)
{
	if (!user)
		return;
	print_name(pr, row->name);
	print_word(pr, user);
	if (group)
		print_word(pr, group);
	print_end(pr);
}

bool
parse_command(struct conf_call *call, enum command_form form, struct conf_command *command)
{
	const struct conf_word *first = call_word(call, 1, "a command"), *second;

	call->used = call->words_n < 2 ? call->words_n : 2;
	if (!first)
		return false;
	*command = (struct conf_command){ .line = first->text };
	if (call->words_n == 2 || is_keyword(call, 2))
		return true;
	second = &call->words[2];
	if (first->quoted || (form == COMMAND_OWNED && getpwnam(second->text))) {
		parse_user_group(call, 2, &command->user, &command->group);
		return true;
	}
	if (form == COMMAND_OWNED)
		conf_warning(&call->p->reporter, second->pos,
			     "keepalived takes `%.60s` for a user's name, here it is an argument: "
			     "quote the command",
			     second->text);
	command->line = call_command(call, 1);
	call->used = call->words_n;
	return true;
}

/* In quotes, so that what follows is read as a user again. */
static void
print_quoted(const struct conf_printer *pr, const char *line)
{
	if (line[strcspn(line, " \t\v\f\r\n\"'\\#!{}$@")])
		print_word(pr, line);
	else
		fprintf(pr->out, " \"%s\"", line);
}

void
parse_notify(struct conf_call *call)
{
	struct conf_command command;

	if (parse_command(call, COMMAND_OWNED, &command))
		memcpy((char *)call->object + call->row->offset, &command, sizeof command);
}

void
print_notify(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	struct conf_command command;

	memcpy(&command, (const char *)object + row->offset, sizeof command);
	if (!command.line)
		return;
	print_name(pr, row->name);
	if (command.user)
		print_quoted(pr, command.line);
	else
		print_word(pr, command.line);
	if (command.user)
		print_word(pr, command.user);
	if (command.group)
		print_word(pr, command.group);
	print_end(pr);
}

void
parse_notify_deleted(struct conf_call *call)
{
	struct conf_instance *instance = call->object;

	instance->notify.tell_deleted = true;
	call->used = 1;
	if (call->words_n > 1 && !is_keyword(call, 1))
		parse_notify(call);
}

void
print_notify_deleted(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;

	if (instance->notify.deleted.line) {
		print_notify(pr, row, object);
	} else if (instance->notify.tell_deleted) {
		print_name(pr, row->name);
		print_end(pr);
	}
}

void
parse_fifo(struct conf_call *call)
{
	struct conf_fifo *fifo = (void *)((char *)call->object + call->row->offset);
	const struct conf_word *path = call_word(call, 1, "a path");

	call->used = call->words_n < 2 ? call->words_n : 2;
	if (!path)
		return;
	if (path->text[0] != '/')
		conf_error(&call->p->reporter, path->pos, "`%s` needs a path that begins with `/`",
			   call->row->name);
	fifo->path = path->text;
	if (call->words_n > 2 && !is_keyword(call, 2))
		parse_user_group(call, 2, &fifo->user, &fifo->group);
}

void
print_fifo(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_fifo *fifo = (const void *)((const char *)object + row->offset);

	if (!fifo->path)
		return;
	print_name(pr, row->name);
	print_word(pr, fifo->path);
	if (fifo->user)
		print_word(pr, fifo->user);
	if (fifo->group)
		print_word(pr, fifo->group);
	print_end(pr);
}
