/*
 * words_proxies.h - the directives of a proxy with a file of their own, between the table that
 * names them (words_proxy.c, words_global.c) and the files that read and print them.
 */
#pragma once

#include "conf/table.h"

/* words_bind.c */
void parse_bind(struct conf_call *call);
void print_binds(const struct conf_printer *pr, const struct conf_row *row, const void *object);

/* words_server.c */
void parse_server(struct conf_call *call);
void parse_server_template(struct conf_call *call);
void parse_default_server(struct conf_call *call);
void print_servers(const struct conf_printer *pr, const struct conf_row *row, const void *object);

/* words_send_proxy.c */
void parse_send_proxy(struct conf_call *call);
void print_send_proxy(const struct conf_printer *pr, const struct conf_row *row,
		      const void *object);
void parse_proxy_options(struct conf_call *call);
void print_proxy_options(const struct conf_printer *pr, const struct conf_row *row,
			 const void *object);

/* words_source.c */
void parse_source(struct conf_call *call);
void print_source(const struct conf_printer *pr, const struct conf_row *row, const void *object);
void parse_outbound_interface(struct conf_call *call);
void print_outbound_interface(const struct conf_printer *pr, const struct conf_row *row,
			      const void *object);

/* words_balance.c */
void parse_balance(struct conf_call *call);
void print_balance(const struct conf_printer *pr, const struct conf_row *row, const void *object);
void parse_balance_factor(struct conf_call *call);
void print_balance_factor(const struct conf_printer *pr, const struct conf_row *row,
			  const void *object);
void parse_hash_type(struct conf_call *call);
void print_hash_type(const struct conf_printer *pr, const struct conf_row *row, const void *object);

/* words_log.c: `log` of a proxy and of the global section */
void parse_proxy_log(struct conf_call *call);
void print_proxy_logs(const struct conf_printer *pr, const struct conf_row *row,
		      const void *object);
void parse_global_log(struct conf_call *call);
void print_global_logs(const struct conf_printer *pr, const struct conf_row *row,
		       const void *object);

/* words_process.c: variables of the whole process */
void parse_process_set(struct conf_call *call);
void print_process_sets(const struct conf_printer *pr, const struct conf_row *row,
			const void *object);

/* words_environment.c: variables of the environment, for the rest of the configuration */
void parse_setenv(struct conf_call *call);
void parse_unsetenv(struct conf_call *call);
void parse_resetenv(struct conf_call *call);
