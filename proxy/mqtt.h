/*
 * mqtt.h - the first message of an MQTT client (CONNECT) or server (CONNACK): MQTT 3.1, 3.1.1 and 5.0,
 * sections 3.1 and 3.2.  Pure; these are anybody's bytes.
 */
#pragma once

#include "conf/expr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mqtt_result {
	MQTT_VALID,
	MQTT_MORE, /* it has not come whole */
	MQTT_INVALID,
};

struct mqtt_value {
	bool set;
	const char *text; /* within the message; NULL = a number */
	uint32_t len, number;
};

struct mqtt_message {
	unsigned type; /* of its packet */
	struct mqtt_value
		values[CONF_MQTT_VALUES_N]; /* properties by their identifiers, and more */
};

/* The message is what was read only if it is valid; its texts are where `data` is. */
enum mqtt_result mqtt_read(const void *data, size_t len, struct mqtt_message *message);
