// Stands between a server under test and its disk and clock (LD_PRELOAD). Nothing of it is part of
// the product.
//
//   SHIM_DIR     only files below this directory are looked at
//   SHIM_RECORD  a file that is given every change to them, in order: see `struct record`
//   SHIM_FAIL    CALL:ERRNO:FROM:COUNT   the FROM-th such call and COUNT - 1 after it fail
//   SHIM_DELAY   CALL:MICROSECONDS       such a call takes longer by that
//   SHIM_SWITCH  a file of 64 bytes, a `struct turn`: what fails from now on, or takes longer, and
//                how many calls have failed
//   SHIM_CLOCK   a file of 8 bytes: what the wall clock is ahead by, in microseconds
//
// Calls are named open, openw (an open for writing), pwrite, write, ftruncate, fsync, fdatasync,
// unlink, rename and mkdir.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, SYNC, SYNC_DIRECTORY, RENAME, UNLINK, MKDIR };

// Followed by the path and `length` bytes: what was written, or a new name.
struct record {
    uint32_t kind;
    uint32_t path_length;
    int64_t offset;
    uint64_t length;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *directory;
static int record_fd = -1;
static const volatile int64_t *clock_ahead;
static char *paths[65536];

static struct fault {
    char call[16];
    int error;
    long from, count;
    long seen;
} fault;
static struct {
    char call[16];
    long micros;
} delay;

// Changed by the test while the server runs, `count` last; but `failed` is ours.
struct turn {
    char calls[40];  // each in commas: ",fsync,fdatasync,"
    int32_t error;   // 0: none
    int32_t micros;  // longer by that
    int64_t count;   // how many still fail
    int64_t failed;  // of these and SHIM_FAIL's
};
static struct turn *turn;

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
    directory = getenv("SHIM_DIR");
    const char *text = getenv("SHIM_FAIL");
    if (text) sscanf(text, "%15[^:]:%d:%ld:%ld", fault.call, &fault.error, &fault.from, &fault.count);
    text = getenv("SHIM_DELAY");
    if (text) sscanf(text, "%15[^:]:%ld", delay.call, &delay.micros);
    text = getenv("SHIM_RECORD");
    if (text) {
        REAL(open);
        record_fd = real(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    text = getenv("SHIM_SWITCH");
    if (text) {
        REAL(open);
        int fd = real(text, O_RDWR | O_CLOEXEC);
        void *mapped =
            fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *turn, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (mapped != MAP_FAILED) turn = mapped;
    }
    text = getenv("SHIM_CLOCK");
    if (text) {
        REAL(open);
        int fd = real(text, O_RDONLY | O_CLOEXEC);
        void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);
        if (mapped != MAP_FAILED) clock_ahead = mapped;
    }
}

static int is_ours(const char *path) {
    if (!directory || !path) return 0;
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static const char *path_of(int fd) {
    return fd >= 0 && fd < 65536 ? paths[fd] : NULL;
}

static int fail_with(int error) {
    if (turn) __atomic_add_fetch(&turn->failed, 1, __ATOMIC_RELAXED);
    errno = error;
    return 1;
}

static int fails_in_turn(const char *call) {
    char name[20];
    snprintf(name, sizeof name, ",%s,", call);
    if (!turn || !strstr(turn->calls, name)) return 0;
    if (turn->micros) usleep(turn->micros);
    if (!turn->error || __atomic_fetch_sub(&turn->count, 1, __ATOMIC_ACQUIRE) <= 0) return 0;
    return fail_with(turn->error);
}

// Whether the call is to fail: then errno is set.
static int fails(const char *call) {
    if (fails_in_turn(call)) return 1;
    if (delay.micros && strcmp(call, delay.call) == 0) usleep(delay.micros);
    if (!fault.from || strcmp(call, fault.call) != 0) return 0;
    long number = __atomic_add_fetch(&fault.seen, 1, __ATOMIC_RELAXED);
    if (number < fault.from || number >= fault.from + fault.count) return 0;
    return fail_with(fault.error);
}

static void record(int kind, const char *path, int64_t offset, const void *bytes, uint64_t length) {
    if (record_fd < 0) return;
    int saved = errno;
    struct record head = { kind, strlen(path), offset, length };
    struct iovec parts[3] = {
        { &head, sizeof head }, { (void *)path, head.path_length }, { (void *)bytes, length },
    };
    pthread_mutex_lock(&lock);
    // A record that is cut short would be no recording at all.
    if (writev(record_fd, parts, 3) != (ssize_t)(sizeof head + head.path_length + length)) abort();
    pthread_mutex_unlock(&lock);
    errno = saved;
}

static int opened(int fd, const char *path, int flags, int was_there) {
    if (fd < 0 || fd >= 65536) return fd;
    free(paths[fd]);
    paths[fd] = strdup(path);
    if ((flags & O_CREAT) && !was_there) record(CREATE, path, 0, NULL, 0);
    if ((flags & O_TRUNC) && was_there) record(TRUNCATE, path, 0, NULL, 0);
    return fd;
}

static int writes(int flags) {
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        if (!is_ours(path)) return real(path, flags, mode); \
        if (fails("open") || (writes(flags) && fails("openw"))) return -1; \
        int was_there = access(path, F_OK) == 0; \
        return opened(real(path, flags, mode), path, flags, was_there); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int at, const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        if (!is_ours(path)) return real(at, path, flags, mode); \
        if (fails("open") || (writes(flags) && fails("openw"))) return -1; \
        int was_there = access(path, F_OK) == 0; \
        return opened(real(at, path, flags, mode), path, flags, was_there); \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    REAL(close);
    if (path_of(fd)) {
        free(paths[fd]);
        paths[fd] = NULL;
    }
    return real(fd);
}

#define PWRITE(name, offset_type) \
    ssize_t name(int fd, const void *bytes, size_t count, offset_type offset) { \
        REAL(name); \
        const char *path = path_of(fd); \
        if (!path) return real(fd, bytes, count, offset); \
        if (fails("pwrite")) return -1; \
        record(WRITE, path, offset, bytes, count); \
        return real(fd, bytes, count, offset); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(write);
    const char *path = path_of(fd);
    if (!path) return real(fd, bytes, count);
    if (fails("write")) return -1;
    record(WRITE, path, lseek(fd, 0, SEEK_CUR), bytes, count);
    return real(fd, bytes, count);
}

#define FTRUNCATE(name, offset_type) \
    int name(int fd, offset_type length) { \
        REAL(name); \
        const char *path = path_of(fd); \
        if (!path) return real(fd, length); \
        if (fails("ftruncate")) return -1; \
        record(TRUNCATE, path, length, NULL, 0); \
        return real(fd, length); \
    }
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)

// Recorded once it is done: what was acknowledged after it must be there.
static int synced(int result, const char *path) {
    struct stat information;
    if (result == 0) {
        int saved = errno;
        int is_directory = stat(path, &information) == 0 && S_ISDIR(information.st_mode);
        errno = saved;
        record(is_directory ? SYNC_DIRECTORY : SYNC, path, 0, NULL, 0);
    }
    return result;
}

#define FSYNC(name) \
    int name(int fd) { \
        REAL(name); \
        const char *path = path_of(fd); \
        if (!path) return real(fd); \
        if (fails(#name)) return -1; \
        return synced(real(fd), path); \
    }
FSYNC(fsync)
FSYNC(fdatasync)

int unlink(const char *path) {
    REAL(unlink);
    if (!is_ours(path)) return real(path);
    if (fails("unlink")) return -1;
    int result = real(path);
    if (result == 0) record(UNLINK, path, 0, NULL, 0);
    return result;
}

int rename(const char *path, const char *target) {
    REAL(rename);
    if (!is_ours(path)) return real(path, target);
    if (fails("rename")) return -1;
    int result = real(path, target);
    if (result == 0) record(RENAME, path, 0, target, strlen(target));
    return result;
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    if (!is_ours(path)) return real(path, mode);
    if (fails("mkdir")) return -1;
    int result = real(path, mode);
    if (result == 0) record(MKDIR, path, 0, NULL, 0);
    return result;
}

int clock_gettime(clockid_t which, struct timespec *time) {
    REAL(clock_gettime);
    int result = real(which, time);
    if (result == 0 && which == CLOCK_REALTIME && clock_ahead) {
        int64_t nanos = time->tv_nsec + (*clock_ahead % 1000000) * 1000;
        time->tv_sec += *clock_ahead / 1000000;
        while (nanos < 0) nanos += 1000000000, time->tv_sec -= 1;
        while (nanos >= 1000000000) nanos -= 1000000000, time->tv_sec += 1;
        time->tv_nsec = nanos;
    }
    return result;
}
