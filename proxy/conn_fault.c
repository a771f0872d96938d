/*
 * conn_fault.c - see conn_fault.h.  Pure.
 */
#include "proxy/conn_fault.h"

#include <errno.h>

const char *
conn_fault_words(enum conn_fault fault)
{
	switch (fault) {
#define FAULT(id, number, words) \
	case CONN_FAULT_##id:    \
		return words;
		CONN_FAULTS(FAULT)
#undef FAULT
	}
	return "";
}

enum conn_fault
conn_fault_of(int error, bool tls)
{
	switch (error) {
	case ETIMEDOUT:
	case ECONNABORTED: /* ended by us */
		return CONN_FAULT_NONE;
	case EMFILE:
		return CONN_FAULT_PROCESS_SOCKETS;
	case ENFILE:
		return CONN_FAULT_SYSTEM_SOCKETS;
	case ENOBUFS:
	case ENOMEM:
		return CONN_FAULT_BUFFERS;
	case EADDRINUSE:
		return CONN_FAULT_PORT_RANGE;
	case EADDRNOTAVAIL:
	case EACCES:
	case EAFNOSUPPORT:
		return CONN_FAULT_SOURCE;
	}
	return tls ? CONN_FAULT_TLS_FAILED : CONN_FAULT_NONE;
}
