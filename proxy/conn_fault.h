/*
 * conn_fault.h - why a connection came to nothing, by HAProxy's numbers and in its words: those of its
 * list that there are here.
 */
#pragma once

#include <stdbool.h>

/* FAULT(id, number, words) */
#define CONN_FAULTS(FAULT)                                                                        \
	FAULT(NONE, 0, "Success")                                                                 \
	FAULT(PROCESS_SOCKETS, 2, "Too many sockets on the process")                              \
	FAULT(SYSTEM_SOCKETS, 3, "Too many sockets on the system")                                \
	FAULT(BUFFERS, 4, "Out of system buffers")                                                \
	FAULT(PORT_RANGE, 7, "Source port range exhausted")                                       \
	FAULT(SOURCE, 8, "Can't bind to source address")                                          \
	FAULT(HEADER_CLOSED, 11, "Connection closed while waiting for PROXY protocol header")     \
	FAULT(HEADER_ERROR, 12, "Connection error while waiting for PROXY protocol header")       \
	FAULT(HEADER_SILENCE, 13, "Timeout while waiting for PROXY protocol header")              \
	FAULT(HEADER_TRUNCATED, 14, "Truncated PROXY protocol header received")                   \
	FAULT(HEADER_NONE, 15,                                                                    \
	      "Received something which does not look like a PROXY protocol header")              \
	FAULT(HEADER_INVALID, 16, "Received an invalid PROXY protocol header")                    \
	FAULT(HEADER_PROTOCOL, 17, "Received an unhandled protocol in the PROXY protocol header") \
	FAULT(TLS_CLOSED, 24, "Connection closed during SSL handshake")                           \
	FAULT(TLS_SILENCE, 26, "Timeout during SSL handshake")                                    \
	FAULT(TLS_FAILED, 34, "SSL handshake failure")

enum conn_fault {
#define FAULT(id, number, words) CONN_FAULT_##id = number,
	CONN_FAULTS(FAULT)
#undef FAULT
};

const char *conn_fault_words(enum conn_fault fault);

/* What an errno of connecting to a server is, while its TLS handshake is on or not; NONE = HAProxy has
 * no number for it. */
enum conn_fault conn_fault_of(int error, bool tls);
