/*
 * match.h - what of one configuration is what of another: by it a reload knows what stays.
 *
 * Pure.  An index of `to`, or CONF_NONE.
 */
#pragma once

#include "conf/model.h"

/* The same virtual router: name, interface, VRID and family. */
uint32_t conf_match_instance(const struct conf *from, uint32_t instance, const struct conf *to);

/* The same address in the same place: interface, prefix, peer, scope, label, broadcast address. */
bool conf_same_vip(const struct conf *a, const struct conf_vip *x, const struct conf *b,
		   const struct conf_vip *y);

/* Is there such a VIP in this instance? */
bool conf_has_vip(const struct conf *conf, const struct conf_instance *instance,
		  const struct conf *of, const struct conf_vip *vip);

/* A script of this name that does the same. */
uint32_t conf_match_script(const struct conf *from, uint32_t script, const struct conf *to);

/* Sockets that were opened for the one serve the other. */
bool conf_same_bind(const struct conf_bind *a, const struct conf_bind *b);

uint32_t conf_find_instance(const struct conf *conf, const char *name);

/* The key of that number; NULL = there is none. */
const struct conf_hmac_key *conf_find_key(const struct conf_hmac *hmac, uint8_t id);

/* A FIFO that is the same to those who read it. */
bool conf_same_fifo(const struct conf_fifo *a, const struct conf_fifo *b);
