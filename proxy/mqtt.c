/*
 * mqtt.c - see mqtt.h.
 */
#include "proxy/mqtt.h"

#include <string.h>
#include <strings.h>

/* What is left of the message; nothing is read any more once something was bad. */
struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static const uint8_t *
take(struct reader *r, size_t n)
{
	const uint8_t *at = r->at;

	r->bad |= n > (size_t)(r->end - at);
	if (r->bad)
		return NULL;
	r->at += n;
	return at;
}

static uint32_t
read_number(struct reader *r, size_t octets)
{
	const uint8_t *at = take(r, octets);
	uint32_t number = 0;

	for (size_t i = 0; at && i < octets; i++)
		number = number << 8 | at[i];
	return number;
}

/* Section 1.5.5 of MQTT 5.0: seven bits in each octet, four octets at most. */
static uint32_t
read_varied(struct reader *r)
{
	uint32_t number = 0;

	for (unsigned shift = 0; shift < 28; shift += 7) {
		uint32_t octet = read_number(r, 1);

		number |= (octet & 0x7f) << shift;
		if (r->bad || !(octet & 0x80))
			return number;
	}
	r->bad = true;
	return 0;
}

static void
read_text(struct reader *r, struct mqtt_value *value)
{
	uint32_t len = read_number(r, 2);
	const uint8_t *at = take(r, len);

	if (at)
		*value = (struct mqtt_value){ .set = true, .text = (const char *)at, .len = len };
}

static void
set_number(struct mqtt_value *value, uint32_t number)
{
	*value = (struct mqtt_value){ .set = true, .number = number };
}

/* ------------------------------------------------------------------ properties */

enum {
	ASSIGNED_CLIENT = 18,
	AUTHENTICATION_METHOD = 21,
	AUTHENTICATION_DATA = 22,
	USER_PROPERTY = 38,
};

/* Octets of the number that a property is; 0 = it is a text. */
static size_t
octets_of(uint32_t property)
{
	switch (property) {
	case 1:  /* payload format */
	case 23: /* request problem information */
	case 25: /* request response information */
	case 36: /* maximum QoS */
	case 37: /* retain available */
	case 40: /* wildcard subscription available */
	case 41: /* subscription identifiers available */
	case 42: /* shared subscription available */
		return 1;
	case 19: /* server keep alive */
	case 33: /* receive maximum */
	case 34: /* topic alias maximum */
		return 2;
	case 2:  /* message expiry interval */
	case 17: /* session expiry interval */
	case 24: /* will delay interval */
	case 39: /* maximum packet size */
		return 4;
	}
	return 0;
}

/* Each of those that are allowed, once; a user's as often as he likes.  As with HAProxy, numbers that
 * are not there are 0. */
static void
read_properties(struct reader *r, const char *allowed, struct mqtt_message *m)
{
	uint32_t len = read_varied(r);
	const uint8_t *at = take(r, len);
	struct reader inner = { at, at ? at + len : NULL, at == NULL };

	while (!inner.bad && inner.at < inner.end) {
		uint32_t property = read_number(&inner, 1);
		struct mqtt_value *value, ignored;

		if (property == USER_PROPERTY) {
			read_text(&inner, &ignored);
			read_text(&inner, &ignored);
			continue;
		}
		if (property == 0 || property > 0x7f || !strchr(allowed, (int)property))
			break;
		value = &m->values[property];
		if (value->set)
			break;
		if (octets_of(property))
			set_number(value, read_number(&inner, octets_of(property)));
		else
			read_text(&inner, value);
		/* All of one octet are yes or no. */
		inner.bad |= octets_of(property) == 1 && value->number > 1;
	}
	r->bad |= inner.bad || inner.at < inner.end;
	for (; *allowed; allowed++)
		if (octets_of((uint8_t)*allowed) && !m->values[(uint8_t)*allowed].set)
			set_number(&m->values[(uint8_t)*allowed], 0);
}

/* ------------------------------------------------------------------ messages */

static bool
is_text(const struct mqtt_value *value, const char *text)
{
	return value->len == strlen(text) && strncasecmp(value->text, text, value->len) == 0;
}

/* Either name with any version, as HAProxy takes it. */
static bool
is_known(const struct mqtt_value *name, uint32_t version)
{
	return version >= 3 && version <= 5 && (is_text(name, "MQTT") || is_text(name, "MQIsdp"));
}

static void
read_connect(struct reader *r, struct mqtt_message *m)
{
	static const char properties[] = { 17, 21, 22, 23, 25, 33, 34, 39, 0 },
			  of_will[] = { 1, 2, 3, 8, 9, 24, 0 };
	struct mqtt_value *v = m->values;
	uint32_t version, flags;
	bool will, user, password;

	read_text(r, &v[CONF_MQTT_PROTOCOL_NAME]);
	version = read_number(r, 1);
	flags = read_number(r, 1);
	will = flags & 0x04;
	password = flags & 0x40;
	user = flags & 0x80;
	r->bad |= !v[CONF_MQTT_PROTOCOL_NAME].set ||
		  !is_known(&v[CONF_MQTT_PROTOCOL_NAME], version) || (flags & 0x01);
	set_number(&v[CONF_MQTT_PROTOCOL_VERSION], version);
	set_number(&v[CONF_MQTT_FLAGS], flags);
	set_number(&v[CONF_MQTT_KEEPALIVE], read_number(r, 2));
	if (version == 5)
		read_properties(r, properties, m);
	r->bad |= v[AUTHENTICATION_DATA].len > 0 && v[AUTHENTICATION_METHOD].len == 0;
	read_text(r, &v[CONF_MQTT_CLIENT_IDENTIFIER]);
	if (will && version == 5)
		read_properties(r, of_will, m);
	if (will) {
		read_text(r, &v[CONF_MQTT_WILL_TOPIC]);
		read_text(r, &v[CONF_MQTT_WILL_PAYLOAD]);
	}
	if (user)
		read_text(r, &v[CONF_MQTT_USERNAME]);
	if (password)
		read_text(r, &v[CONF_MQTT_PASSWORD]);
}

static void
read_connack(struct reader *r, struct mqtt_message *m)
{
	static const char properties[] = { 17, 18, 19, 21, 22, 26, 28, 31, 33,
					   34, 36, 37, 39, 40, 41, 42, 0 };
	struct mqtt_value *v = m->values;
	uint32_t flags = read_number(r, 1);
	uint32_t version = 4;

	r->bad |= (flags & ~1u) != 0;
	set_number(&v[CONF_MQTT_FLAGS], flags);
	set_number(&v[CONF_MQTT_REASON_CODE], read_number(r, 1));
	if (!r->bad && r->at < r->end) {
		version = 5;
		read_properties(r, properties, m);
		r->bad |= v[ASSIGNED_CLIENT].set && v[ASSIGNED_CLIENT].len == 0;
	}
	set_number(&v[CONF_MQTT_PROTOCOL_VERSION], version);
}

enum mqtt_result
mqtt_read(const void *data, size_t len, struct mqtt_message *message)
{
	const uint8_t *octets = data;
	struct reader r = { octets, octets + len, false };
	uint32_t first, rest;

	*message = (struct mqtt_message){ 0 };
	if (len < 2)
		return MQTT_MORE;
	first = read_number(&r, 1);
	message->type = first >> 4;
	if ((first & 0x0f) ||
	    (message->type != CONF_MQTT_CONNECT && message->type != CONF_MQTT_CONNACK))
		return MQTT_INVALID;
	rest = read_varied(&r);
	if (r.bad)
		return len < 5 ? MQTT_MORE : MQTT_INVALID;
	if (rest > (size_t)(r.end - r.at))
		return MQTT_MORE;
	r.end = r.at + rest;
	if (message->type == CONF_MQTT_CONNECT)
		read_connect(&r, message);
	else
		read_connack(&r, message);
	return r.bad || r.at < r.end ? MQTT_INVALID : MQTT_VALID;
}
