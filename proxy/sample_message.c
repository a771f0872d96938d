/*
 * sample_message.c - converters that look into messages of protocols above TCP.  Run by the session's
 * thread.
 */
#include "proxy/sample.h"

#include "proxy/mqtt.h"

#include "conf/expr_words.h"

#include <stdio.h>

bool
sample_from_mqtt(const struct conf_convert *convert, struct sample *sample, char *out)
{
	const struct conf_arg *args = convert->args;
	struct mqtt_message message;
	enum mqtt_result r = mqtt_read(sample->data, sample->len, &message);
	const struct mqtt_value *value;

	if (r == MQTT_MORE)
		return false;
	if (convert->id == CONF_CONVERT_MQTT_IS_VALID)
		return set_number(sample, SAMPLE_BOOL, r == MQTT_VALID);
	value = &message.values[args[1].number];
	if (r != MQTT_VALID || message.type != args[0].number || !value->set)
		return false;
	if (value->text)
		return set_text(sample, SAMPLE_BIN, value->text, value->len);
	return set_text(sample, SAMPLE_BIN, out,
			(size_t)snprintf(out, SAMPLE_ROOM, "%u", value->number));
}
