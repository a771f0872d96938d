/*
 * fuzz_conf_keepalived.c - any bytes as a file in keepalived's dialect.
 */
#include "conf_roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct conf_source source = { "keepalived.conf", text, size };

	memcpy(text, data, size);
	text[size] = '\0';
	conf_roundtrip(&source, 1);
	free(text);
	return 0;
}
