/*
 * net.h - what the three bench tools share: addresses, sockets, limits.  Single threaded; whatever
 * fails ends the program with one sentence, since a measurement cannot go on without it.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <sys/epoll.h>

#define NET_EVENTS_N 256 /* taken from epoll at once */

/* Prints "NAME: what: errno" and exits with 1. */
void __attribute__((noreturn)) net_fail(const char *what);

/* "127.0.0.1:8080"; only 127.0.0.0/8 is accepted: a bench never leaves the machine. */
struct sockaddr_in net_address(const char *text);

/* A non-blocking listening socket with the backlog the kernel allows. */
int net_listen(const char *text);

/* A non-blocking socket, connecting or connected; -1 with errno. */
int net_connect(const struct sockaddr_in *to);

/* Soft limit of descriptors = hard limit. */
void net_raise_file_limit(void);

/* SIGTERM when the parent dies: an interrupted bench leaves nothing behind. */
void net_die_with_parent(void);

int net_epoll(void);
void net_watch(int epoll_fd, int fd, uint32_t events, void *owner);
uint64_t net_now_ns(void);
