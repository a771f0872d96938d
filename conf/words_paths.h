/*
 * words_paths.h - what routes and rules have in common, between words_route.c and words_rule.c, and
 * the lists of both for the tables that name them.
 */
#pragma once

#include "conf/parser.h"

/* "ADDR[/LEN]", "default", "all" or "any"; the family of the last three is none. */
int path_prefix(const char *text, struct conf_prefix *prefix);

/* Reads the word behind the keyword as a prefix; the others likewise. */
void path_read_prefix(struct conf_call *call, struct conf_prefix *prefix);
void path_read_table(struct conf_call *call, uint32_t *table);
void path_read_tos(struct conf_call *call, uint8_t *tos);

void path_print_prefix(const struct conf_printer *pr, const struct conf_prefix *prefix);
void path_print_table(const struct conf_printer *pr, uint32_t table);

/* The lists in a vrrp_instance (words_route.c, words_rule.c) … */
void parse_virtual_routes(struct conf_call *call);
void print_virtual_routes(const struct conf_printer *pr, const struct conf_row *row,
			  const void *object);
void parse_virtual_rules(struct conf_call *call);
void print_virtual_rules(const struct conf_printer *pr, const struct conf_row *row,
			 const void *object);

/* … and at the top level, whose object is struct conf. */
void parse_static_routes(struct conf_call *call);
void print_static_routes(const struct conf_printer *pr, const struct conf_row *row,
			 const void *object);
void parse_static_rules(struct conf_call *call);
void print_static_rules(const struct conf_printer *pr, const struct conf_row *row,
			const void *object);
