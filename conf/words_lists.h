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
#define TRACK_ROWS(type)                                                                                   \
	{ "track_script",                                                                                  \
	  CONF_TYPE_BLOCK,                                                                                 \
	  ROW_FIELD(type, track[CONF_TRACK_SCRIPT]),                                                       \
	  .flags = ROW_REPEATS,                                                                            \
	  .parse = parse_track,                                                                            \
	  .print = print_track,                                                                            \
	  .doc = "the scripts that decide about priority or FAULT: NAME [weight N [reverse]]" },           \
	{                                                                                                  \
		"track_interface", CONF_TYPE_BLOCK, ROW_FIELD(type, track[CONF_TRACK_INTERFACE]),          \
			.flags = ROW_REPEATS, .parse = parse_track, .print = print_track,                  \
			.doc = "interfaces whose links do; without a weight, a link that is down is FAULT" \
	}

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
