#pragma once
// What Swift's Glibc module leaves out.
// Not with _GNU_SOURCE: the types of <sys/types.h> must be the same here as in Glibc's module.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/// accept4 with the flags every connection of ours has: non-blocking, closed on exec.
int clickrelay_accept(int listener, struct sockaddr *address, socklen_t *length);

/// The bytes that a stream socket has not sent yet (SIOCOUTQNSD of tcp(7)); 0 where nobody can say.
int clickrelay_unsent_bytes(int descriptor);

/// pthread_setname_np for the calling thread; at most 15 bytes of name are kept.
void clickrelay_name_thread(const char *name);
