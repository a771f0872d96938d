/*
 * fuzz_mqtt.c - any bytes as MQTT's first message: texts lie within it, a valid message stays one
 * whatever follows it, and of one that has not come whole nothing is believed.
 */
#include "proxy/mqtt.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mqtt_message m, again;
	/* At the very end of memory of its own, so that nothing can be read behind it unnoticed. */
	char *copy = malloc(size + 1);
	enum mqtt_result r;

	memcpy(copy + 1, data, size);
	r = mqtt_read(copy + 1, size, &m);
	for (size_t i = 0; r == MQTT_VALID && i < CONF_MQTT_VALUES_N; i++) {
		const struct mqtt_value *v = &m.values[i];

		assert(!v->text || (v->set && v->text > copy && v->text <= copy + 1 + size &&
				    v->len <= (size_t)(copy + 1 + size - v->text)));
	}
	for (size_t cut = 0; r == MQTT_VALID && cut < size; cut += size / 8 + 1)
		assert(mqtt_read(data, cut, &again) != MQTT_INVALID);
	free(copy);
	return 0;
}
