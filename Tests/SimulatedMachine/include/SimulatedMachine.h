// A machine for one process that is simulated: its clocks, its disk and its network, in place of
// the C library's calls. Everything above these calls is the real thing.
//
// For one thread, and for executables of which nothing else is asked: whoever links it has its
// calls replaced. Outside `machine_begin` and `machine_end` they do what they always do.
#pragma once
#include <stdint.h>

/// From now on the clocks stand, files below `root` lie on the simulated disk, and all IPv4 and
/// IPv6 connections are made to the simulated network. What lies below `root` is safe on the disk.
void machine_begin(const char *root, uint64_t seed);
void machine_end(void);

// The clocks. They stand still until somebody moves them.

/// Nanoseconds since `machine_begin`, whatever the clocks say.
uint64_t machine_elapsed_nanos(void);
/// CLOCK_REALTIME, in microseconds since 1970.
int64_t machine_wall_micros(void);
/// CLOCK_MONOTONIC.
uint64_t machine_monotonic_nanos(void);
/// Time passes.
void machine_advance(uint64_t nanos);
/// Somebody sets the clock.
void machine_set_wall(int64_t micros);
/// CLOCK_MONOTONIC begins anew, as after a start of the machine.
void machine_set_monotonic(uint64_t nanos);

// The disk. A change is a write, a truncation, a sync, or a name made or removed.

/// Changes since `machine_begin`.
long machine_change_count(void);
/// At the `count`-th change from now on (from 1) the process dies; that change is made or not, as
/// `is_made` says. 0: it does not die. A process that is dead changes nothing any more: its calls
/// fail with EIO.
void machine_die_at(long count, int is_made);
void machine_die(void);
int machine_is_dead(void);
/// The `count` changes from the `from`-th on (from 1) fail with `error`. 0, 0: none. What a sync that
/// fails was to write is written by no later one, though it's read back.
void machine_fail(long from, long count, int error);
/// Files below `root` that are open.
int machine_open_count(void);
/// What was written stays, for the kernel has it. The next process may begin.
void machine_start_again(void);
/// As above, but the power failed, too: of what was not synced any part is lost, each 512 bytes of
/// a write by themselves; names are lost from some change of them on.
void machine_cut_power(void);

/// From now on the disk says that it has synced and has not: everything, or names only.
void machine_let_sync_lie(int names_only);

// The network.

enum { machine_connects = 0, machine_hangs = -1 };

/// `connecting` is asked for each connection and answers one of the above or an error of connect(2).
/// `peer` is the other end of one that is made, and the asked one's to close.
void machine_set_network(int (*connecting)(void *context, uint32_t ipv4, int peer), void *context);
