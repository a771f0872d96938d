/*
 * words_conditional.h - the directives of rules, between the table that names them (words_proxy.c) and the
 * files that read and print them.
 */
#pragma once

#include "conf/model.h"
#include "conf/table.h"

/* The words [from, to) as they will be printed, in the arena. */
const char *const *rule_keep_words(struct conf_call *call, size_t from, size_t to, size_t *words_n);
/* The rest of a line begun with print_name. */
void rule_print_words(const struct conf_printer *pr, const char *const *words, size_t words_n);

/* One that was written in the section printed. */
void rule_print(const struct conf_printer *pr, const struct conf_row *row,
		const struct conf_tcp_rule *rule);

/* words_capture.c */
void parse_declare_capture(struct conf_call *call);
void print_declared_responses(const struct conf_printer *pr, const struct conf_row *row,
			      const void *object);
/* "len LENGTH" of a rule that captures, at words[*at]; *at = behind it.  false after an error. */
bool capture_read(struct conf_call *call, struct conf_tcp_rule *rule, size_t *at);
/* The rules of requests, with what is declared where their order needs it. */
void capture_print_rules(const struct conf_printer *pr, const struct conf_row *row,
			 const struct conf_proxy *proxy);

/* acl.c */
void parse_acl(struct conf_call *call);
void print_acls(const struct conf_printer *pr, const struct conf_row *row, const void *object);

/* words_conditional.c */
void parse_use_backend(struct conf_call *call);
void print_use_backends(const struct conf_printer *pr, const struct conf_row *row,
			const void *object);
void parse_use_server(struct conf_call *call);
void print_use_servers(const struct conf_printer *pr, const struct conf_row *row,
		       const void *object);
void parse_tcp_request(struct conf_call *call);
void parse_monitor_net(struct conf_call *call);
void print_tcp_request(const struct conf_printer *pr, const struct conf_row *row,
		       const void *object);
void parse_tcp_response(struct conf_call *call);
void print_tcp_response(const struct conf_printer *pr, const struct conf_row *row,
			const void *object);

/* log_format.c */
void parse_tcplog(struct conf_call *call);
void print_tcplog(const struct conf_printer *pr, const struct conf_row *row, const void *object);
void parse_log_format(struct conf_call *call);
void print_log_format(const struct conf_printer *pr, const struct conf_row *row,
		      const void *object);
void print_log_format(const struct conf_printer *pr, const struct conf_row *row,
		      const void *object);
