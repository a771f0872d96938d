/*
 * words_lists.h - the lists inside a vrrp_instance or vrrp_sync_group, between the tables that name
 * them (words_instance.c, words_group.c) and the files that read and print them.
 */
#pragma once

#include "conf/table.h"

/* Of addresses and routes: the names of RT_SCOPE_*. */
extern const struct conf_choice scope_choices[];

/* An interface's name; false after an error. */
bool parse_interface_name(struct conf_call *call, const struct conf_word *word);

/* What instances and groups track alike; for `type`. */
/* clang-format off */
#define TRACK_ROW(type, word, kind, text)                                                          \
	{ word, CONF_TYPE_BLOCK, ROW_FIELD(type, track[kind]), .flags = ROW_REPEATS,               \
	  .parse = parse_track, .print = print_track, .doc = text }
#define TRACK_ROWS(type)                                                                           \
	TRACK_ROW(type, "track_script", CONF_TRACK_SCRIPT,                                         \
		  "the scripts that decide about priority or FAULT: NAME [weight N [reverse]]"),   \
	TRACK_ROW(type, "track_interface", CONF_TRACK_INTERFACE,                                   \
		  "interfaces whose links do; without a weight, a link that is down is FAULT"),    \
	TRACK_ROW(type, "track_file", CONF_TRACK_FILE, "files whose numbers do"),                  \
	TRACK_ROW(type, "track_process", CONF_TRACK_PROCESS, "processes that do by running")
/* clang-format on */

/* words_vip.c */
void parse_unicast_peer(struct conf_call *call);
void print_unicast_peer(const struct conf_printer *pr, const struct conf_row *row,
			const void *object);
void parse_vips(struct conf_call *call);
void print_vips(const struct conf_printer *pr, const struct conf_row *row, const void *object);
void parse_vips_excluded(struct conf_call *call);
void print_vips_excluded(const struct conf_printer *pr, const struct conf_row *row,
			 const void *object);
void parse_static_vips(struct conf_call *call);
void print_static_vips(const struct conf_printer *pr, const struct conf_row *row,
		       const void *object);

/* words_vmac.c */
void parse_use_vmac(struct conf_call *call);
void print_use_vmac(const struct conf_printer *pr, const struct conf_row *row, const void *object);

/* words_track.c */
void parse_link_delays(struct conf_call *call);
void print_link_delays(const struct conf_printer *pr);
/* The row's field is a list, its name says of what. */
void parse_track(struct conf_call *call);
void print_track(const struct conf_printer *pr, const struct conf_row *row, const void *object);
void parse_track_proxy(struct conf_call *call);
void parse_track_backend(struct conf_call *call);
void print_track_backend(const struct conf_printer *pr, const struct conf_row *row,
			 const void *object);

/* words_hmac.c */
void parse_hmac(struct conf_call *call);
void print_hmac(const struct conf_printer *pr, const struct conf_row *row, const void *object);
