/*
 * fuzz_conf_haproxy.c - any bytes as a file in HAProxy's dialect, beside a sound instance that
 * tracks what they declare.
 */
#include "conf_roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char instance[] = "vrrp_script chk { script \"pidof haproxy\" }\n"
			       "vrrp_instance VI_1 {\n"
			       "	interface eth0\n"
			       "	virtual_router_id 51\n"
			       "	virtual_ipaddress { 10.0.0.10 }\n"
			       "	track_script { chk }\n"
			       "}\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct conf_source sources[] = {
		{ "keepalived.conf", instance, sizeof instance - 1 },
		{ "haproxy.cfg", text, size },
	};

	memcpy(text, data, size);
	text[size] = '\0';
	conf_roundtrip(sources, 2);
	free(text);
	return 0;
}
