/*
 * lb_rota.h - in which order the servers of a crew get their turns, of which only those count whose
 * server is in play.
 *
 * A rota is made of all servers, in play or not, and belongs to one thread.  Who comes or goes takes
 * his places along, and the order of the others is as if it had been made without him: so that the
 * n-th place that counts is found, and one server's places are shown or hidden, in O(log n).
 *
 * Two things make a new one necessary.  Where the algorithm is HAProxy's map of uneven weights, any server that
 * goes or comes: the places of the others move.  And another weight of a server: for that a rota of many servers takes
 * its time, since a part of a round shows nothing of a weight.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lb_crew;
struct lb_farm;
struct lb_server;

enum lb_rota_kind {
	LB_ROTA_NONE,  /* there are no servers, or the algorithm has no use for it */
	LB_ROTA_ALIKE, /* one place for each, in the crew's order */
	LB_ROTA_TURNS, /* effective weights, interleaved */
	LB_ROTA_MAP,   /* HAProxy's map of the file's weights */
	LB_ROTA_RING, /* hash-type consistent: points on a circle, as many as the effective weight */
};

struct lb_rota {
	const struct lb_farm *farm;
	const struct lb_crew *crew;
	enum lb_rota_kind kind;
	bool uneven;       /* a map, of different weights */
	bool stale;        /* is to be made anew … */
	bool aged;         /* … before long, for a weight has changed: */
	uint32_t patience; /* so often it may still be asked first */
	uint32_t n;        /* places in all … */
	uint32_t count;    /* … and those that count */
	uint16_t *order;   /* whose they are: a place in the crew */
	uint32_t *circle;  /* where they are on the circle, of a ring */
	uint32_t room;     /* a power of two, more than there are places: length of … */
	uint32_t *before;  /* [i], from 1: how many count of the i & -i places that end there */
	uint32_t *first;   /* a server's places are own[first[s]] … own[first[s + 1] - 1] */
	uint32_t *own;     /* … in the order in which they are shown */
	uint32_t *shown;   /* how many of these count */
	uint32_t *weights; /* that turns were made with */
	/* Servers with a place that counts, by their bit in a `tried` mask; and the bits that have any. */
	uint16_t sharers[64];
	uint64_t bits;
};

/* The caller's memory, zeroed.  0 or -ENOMEM. */
int lb_rota_init(struct lb_rota *rota, const struct lb_farm *farm, const struct lb_crew *crew,
		 enum lb_rota_kind kind);
void lb_rota_fini(struct lb_rota *rota);

/* The server has come, gone, or changed its weight.  Sets `stale` or `aged` where that is more than it
 * can follow. */
void lb_rota_follow(struct lb_rota *rota, const struct lb_server *server);

/* The server of the `nth` place that counts, 0 … count - 1. */
struct lb_server *lb_rota_server(const struct lb_rota *rota, uint32_t nth);

/* Of a ring that has places that count: which of these is closest to the hash. */
uint32_t lb_rota_closest(const struct lb_rota *rota, uint32_t hash);
