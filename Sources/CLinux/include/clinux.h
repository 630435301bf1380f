#pragma once
// What Swift's Glibc module leaves out.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/// accept4 with the flags every connection of ours has: non-blocking, closed on exec.
int clickrelay_accept(int listener, struct sockaddr *address, socklen_t *length);
