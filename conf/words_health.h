/*
 * words_health.h - the directives of health checks, between words_proxy.c, whose table names them,
 * and the files that read, print and compile them.
 */
#pragma once

#include "conf/table.h"

/* words_health.c: `option httpchk` and its kin, by the row's name */
void parse_health_option(struct conf_call *call);
void print_health_option(const struct conf_printer *pr, const struct conf_row *row,
			 const void *object);

/* words_health.c: `http-check …` and `tcp-check …` lines */
void parse_http_check(struct conf_call *call);
void parse_tcp_check(struct conf_call *call);
void print_health_steps(const struct conf_printer *pr, const struct conf_row *row,
			const void *object);

/* words_health.c: `external-check command|path …` */
void parse_external_check(struct conf_call *call);
void print_external_check(const struct conf_printer *pr, const struct conf_row *row,
			  const void *object);

/* health_steps.c: reads one step; true if it is sound.  `call->words[1]` names it. */
struct conf_step;
bool health_read_step(struct conf_call *call, bool http, struct conf_step *step);

/* health_protocols.c: from what is written to the steps that are run. */
struct conf_health;
void health_compile(struct arena *arena, struct conf_health *health);

/* … and those of `agent-check`, where it stands. */
struct conf_server;
void health_compile_agent(struct arena *arena, struct conf_server *server);
