#define _GNU_SOURCE
#include "SimulatedMachine.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int is_active;
static uint64_t random_state;

// SplitMix64 (Steele, Lea and Flood, 2014).
static uint64_t random_next(void) {
    random_state += 0x9e3779b97f4a7c15;
    uint64_t mixed = random_state;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

static long random_below(long bound) { return (long)(random_next() % (uint64_t)bound); }

static void *check(void *memory) {
    if (!memory) abort();
    return memory;
}

// MARK: Clocks

static uint64_t elapsed_nanos, monotonic_nanos;
static int64_t wall_nanos;

uint64_t machine_elapsed_nanos(void) { return elapsed_nanos; }
uint64_t machine_monotonic_nanos(void) { return monotonic_nanos; }
int64_t machine_wall_micros(void) { return wall_nanos / 1000; }
void machine_set_wall(int64_t micros) { wall_nanos = micros * 1000; }
void machine_set_monotonic(uint64_t nanos) { monotonic_nanos = nanos; }

void machine_advance(uint64_t nanos) {
    elapsed_nanos += nanos;
    monotonic_nanos += nanos;
    wall_nanos += (int64_t)nanos;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (!is_active) return (int)syscall(SYS_clock_gettime, clock, time);
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        time->tv_sec = wall_nanos / 1000000000;
        time->tv_nsec = wall_nanos % 1000000000;
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
        time->tv_sec = (time_t)(monotonic_nanos / 1000000000);
        time->tv_nsec = (long)(monotonic_nanos % 1000000000);
        return 0;
    default: return (int)syscall(SYS_clock_gettime, clock, time);
    }
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *kept) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (kept) *kept = now.tv_sec;
    return now.tv_sec;
}

// Nobody else runs meanwhile, so it is over at once.
int usleep(useconds_t micros) {
    if (is_active) {
        machine_advance((uint64_t)micros * 1000);
        return 0;
    }
    struct timespec pause = { micros / 1000000, micros % 1000000 * 1000 };
    return (int)syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL);
}

// MARK: The disk

enum { files_max = 256, names_max = 4096, descriptors_max = 65536 };

struct change {
    // Of a truncation `bytes` is null and `offset` the length.
    int64_t offset;
    size_t length;
    uint8_t *bytes;
};

struct file {
    // Null when it has none any more.
    char *name;
    uint8_t *synced;
    size_t length, capacity;
    struct change *pending;
    size_t pending_count, pending_capacity;
    // A sync of it has failed: it may read otherwise than it lies on the disk.
    int is_torn;
};

// The name of a file as the disk has it, or its change. A removed one has no file.
struct name {
    char *path;
    int file;
};

static char root[PATH_MAX];
static size_t root_length;
static struct file files[files_max];
static int file_count;
static struct name synced_names[files_max];
static int synced_name_count;
static struct name pending_names[names_max];
static int pending_name_count;
// The number of the file, from 1; -1 for a directory.
static int file_of[descriptors_max];
static int open_count;

static long change_count, death_in, fail_from, fail_to;
static int death_is_made, is_dead, fail_error, sync_lies;

static int is_ours(const char *path) {
    return is_active && path && strncmp(path, root, root_length) == 0
        && (path[root_length] == '/' || path[root_length] == 0);
}

// The index of a log is no data: it is shared memory, made anew.
static int is_memory(const char *path) {
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, "-shm") == 0;
}

static int find(const char *path) {
    for (int index = 0; index < file_count; index++)
        if (files[index].name && strcmp(files[index].name, path) == 0) return index;
    return -1;
}

static int add_file(const char *path) {
    if (file_count == files_max) abort();
    struct file *file = &files[file_count];
    memset(file, 0, sizeof *file);
    file->name = check(strdup(path));
    return file_count++;
}

static void reserve(struct file *file, size_t length) {
    if (length <= file->capacity) return;
    size_t capacity = length * 2;
    file->synced = check(realloc(file->synced, capacity));
    file->capacity = capacity;
}

static void set_length(struct file *file, size_t length) {
    reserve(file, length);
    if (length > file->length) memset(file->synced + file->length, 0, length - file->length);
    file->length = length;
}

static void apply(struct file *file, int64_t offset, const uint8_t *bytes, size_t length) {
    if (!bytes) {
        set_length(file, (size_t)offset);
        return;
    }
    if ((size_t)offset + length > file->length) set_length(file, (size_t)offset + length);
    memcpy(file->synced + offset, bytes, length);
}

static void forget_changes(struct file *file) {
    for (size_t index = 0; index < file->pending_count; index++) free(file->pending[index].bytes);
    file->pending_count = 0;
}

static void note_change(struct file *file, int64_t offset, const void *bytes, size_t length) {
    if (file->pending_count == file->pending_capacity) {
        file->pending_capacity = file->pending_capacity * 2 + 16;
        file->pending = check(
            realloc(file->pending, file->pending_capacity * sizeof *file->pending));
    }
    uint8_t *copy = NULL;
    if (bytes) copy = memcpy(check(malloc(length + 1)), bytes, length);
    file->pending[file->pending_count++] = (struct change) { offset, length, copy };
}

static void note_name(const char *path, int file) {
    if (pending_name_count == names_max) abort();
    pending_names[pending_name_count++] = (struct name) { check(strdup(path)), file };
}

static void apply_name(struct name change) {
    int index = 0;
    while (index < synced_name_count && strcmp(synced_names[index].path, change.path) != 0) index++;
    if (index == synced_name_count) {
        if (change.file < 0) {
            free(change.path);
            return;
        }
        if (synced_name_count == files_max) abort();
        synced_names[synced_name_count++] = change;
    } else {
        free(synced_names[index].path);
        synced_names[index] = change.file < 0 ? synced_names[--synced_name_count] : change;
        if (change.file < 0) free(change.path);
    }
}

static int lies_in(const char *path, const char *directory) {
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && path[length] == '/'
        && !strchr(path + length + 1, '/');
}

static void sync_names(const char *directory) {
    int kept = 0;
    for (int index = 0; index < pending_name_count; index++) {
        if (lies_in(pending_names[index].path, directory))
            apply_name(pending_names[index]);
        else
            pending_names[kept++] = pending_names[index];
    }
    pending_name_count = kept;
}

static void sync_file(struct file *file) {
    for (size_t index = 0; index < file->pending_count; index++) {
        struct change *change = &file->pending[index];
        apply(file, change->offset, change->bytes, change->length);
    }
    forget_changes(file);
}

// Whether the next change is made. If not, `errno` is set.
static int begin_change(void) {
    if (is_dead) {
        errno = EIO;
        return 0;
    }
    change_count++;
    if (fail_from) {
        fail_from--;
        if (fail_to) fail_to--;
        if (!fail_from && fail_to) {
            fail_from = 1;
            errno = fail_error;
            return 0;
        }
    }
    if (!death_in || --death_in) return 1;
    is_dead = 1;
    errno = EIO;
    return death_is_made;
}

// The process does not learn of what was made as it died.
static int ended(int result) {
    if (!is_dead) return result;
    errno = EIO;
    return -1;
}

static void opened(int descriptor, int file) {
    if (descriptor >= descriptors_max) abort();
    file_of[descriptor] = file;
    open_count++;
}

static int open_file(int at, const char *path, int flags, mode_t mode) {
    if (!is_ours(path)) return (int)syscall(SYS_openat, at, path, flags, mode);
    int file = find(path);
    int changes = file < 0 ? flags & O_CREAT : flags & O_TRUNC;
    if (is_memory(path)) changes = 0;
    if (changes && !begin_change()) return -1;
    int descriptor = (int)syscall(SYS_openat, at, path, flags, mode);
    if (descriptor < 0) return -1;
    if (changes && file >= 0) note_change(&files[file], 0, NULL, 0);
    if (changes && file < 0) {
        file = add_file(path);
        note_name(path, file);
    }
    if (is_dead && changes) {
        syscall(SYS_close, descriptor);
        return ended(-1);
    }
    struct stat status;
    if (file >= 0)
        opened(descriptor, file + 1);
    else if (fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode))
        opened(descriptor, -1);
    return descriptor;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return open_file(AT_FDCWD, path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

int close(int descriptor) {
    if (descriptor >= 0 && descriptor < descriptors_max && file_of[descriptor]) {
        file_of[descriptor] = 0;
        open_count--;
    }
    return (int)syscall(SYS_close, descriptor);
}

static struct file *written(int descriptor) {
    if (!is_active || descriptor < 0 || descriptor >= descriptors_max) return NULL;
    return file_of[descriptor] > 0 ? &files[file_of[descriptor] - 1] : NULL;
}

enum { page_size = 4096 };

// Of a torn file whole pages are written: with what is changed goes what is only read back.
static void note_pages(struct file *file, int descriptor, int64_t offset, size_t length) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    int reading = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
    if (reading < 0) abort();
    int64_t start = offset - offset % page_size;
    size_t most = ((size_t)(offset - start) + length + page_size - 1) / page_size * page_size;
    uint8_t *pages = check(malloc(most));
    ssize_t count = syscall(SYS_pread64, reading, pages, most, start);
    if (count < 0) abort();
    note_change(file, start, pages, (size_t)count);
    free(pages);
    syscall(SYS_close, reading);
}

static ssize_t write_at(int descriptor, const void *bytes, size_t length, int64_t offset) {
    struct file *file = written(descriptor);
    if (file && !begin_change()) return -1;
    ssize_t count = syscall(SYS_pwrite64, descriptor, bytes, length, offset);
    if (file && count > 0 && file->is_torn)
        note_pages(file, descriptor, offset, (size_t)count);
    else if (file && count > 0)
        note_change(file, offset, bytes, (size_t)count);
    return file ? ended((int)count) : count;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset) {
    return write_at(descriptor, bytes, length, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t offset) {
    return write_at(descriptor, bytes, length, offset);
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
    if (!written(descriptor)) return syscall(SYS_write, descriptor, bytes, length);
    int64_t offset = syscall(SYS_lseek, descriptor, 0, SEEK_CUR);
    ssize_t count = write_at(descriptor, bytes, length, offset);
    if (count > 0) syscall(SYS_lseek, descriptor, offset + count, SEEK_SET);
    return count;
}

static int truncate_to(int descriptor, int64_t length) {
    struct file *file = written(descriptor);
    if (file && !begin_change()) return -1;
    int result = (int)syscall(SYS_ftruncate, descriptor, length);
    if (file && result == 0) note_change(file, length, NULL, 0);
    return file ? ended(result) : result;
}

int ftruncate(int descriptor, off_t length) { return truncate_to(descriptor, length); }
int ftruncate64(int descriptor, off64_t length) { return truncate_to(descriptor, length); }

static void tear(struct file *file, struct change *change);

// As Linux has it: what could not be written counts as written. It is read back as it should be, and
// no later sync writes it, unless its page is changed again.
static void lose_changes(struct file *file) {
    for (size_t index = 0; index < file->pending_count; index++) {
        struct change *change = &file->pending[index];
        // Lengths are the file system's own, which has a journal.
        if (change->bytes)
            tear(file, change);
        else
            apply(file, change->offset, NULL, 0);
    }
    forget_changes(file);
    file->is_torn = 1;
}

static int sync_descriptor(int descriptor, long call) {
    if (!is_active || descriptor < 0 || descriptor >= descriptors_max || !file_of[descriptor])
        return (int)syscall(call, descriptor);
    if (!begin_change()) {
        int error = errno;
        if (!is_dead && file_of[descriptor] > 0) lose_changes(&files[file_of[descriptor] - 1]);
        errno = error;
        return -1;
    }
    if (sync_lies == 1 || (sync_lies == 2 && file_of[descriptor] < 0)) return ended(0);
    if (file_of[descriptor] > 0) {
        sync_file(&files[file_of[descriptor] - 1]);
    } else {
        char link[64], path[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        ssize_t length = readlink(link, path, sizeof path - 1);
        if (length < 0) abort();
        path[length] = 0;
        sync_names(path);
    }
    return ended(0);
}

int fsync(int descriptor) { return sync_descriptor(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return sync_descriptor(descriptor, SYS_fdatasync); }

int unlink(const char *path) {
    int file = is_ours(path) ? find(path) : -1;
    if (file >= 0 && !begin_change()) return -1;
    int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (file < 0 || result != 0) return result;
    free(files[file].name);
    files[file].name = NULL;
    note_name(path, -1);
    return ended(0);
}

int rename(const char *path, const char *target) {
    int file = is_ours(path) ? find(path) : -1;
    if (file >= 0 && !begin_change()) return -1;
    int result = (int)syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, target, 0);
    if (file < 0 || result != 0) return result;
    int replaced = find(target);
    if (replaced >= 0) {
        free(files[replaced].name);
        files[replaced].name = NULL;
    }
    free(files[file].name);
    files[file].name = check(strdup(target));
    note_name(target, file);
    note_name(path, -1);
    return ended(0);
}

long machine_change_count(void) { return change_count; }

void machine_die_at(long count, int is_made) {
    death_in = count;
    death_is_made = is_made;
}

void machine_let_sync_lie(int names_only) { sync_lies = names_only ? 2 : 1; }
void machine_die(void) { is_dead = 1; }
int machine_is_dead(void) { return is_dead; }
int machine_open_count(void) { return open_count; }

void machine_fail(long from, long count, int error) {
    fail_from = from;
    fail_to = from ? from + count : 0;
    fail_error = error;
}

void machine_start_again(void) {
    is_dead = 0;
    death_in = 0;
    fail_from = fail_to = 0;
}

static void tear(struct file *file, struct change *change) {
    if (!change->bytes) {
        if (random_below(2)) apply(file, change->offset, NULL, 0);
        return;
    }
    switch (random_below(4)) {
    case 0: return;
    case 1:
    case 2: apply(file, change->offset, change->bytes, change->length); return;
    default:
        for (size_t start = 0; start < change->length; start += 512) {
            size_t length = change->length - start < 512 ? change->length - start : 512;
            if (random_below(2))
                apply(file, change->offset + (int64_t)start, change->bytes + start, length);
        }
    }
}

static void lay(const char *path, const struct file *file) {
    int descriptor = (int)syscall(
        SYS_openat, AT_FDCWD, path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (descriptor < 0) abort();
    if (file->length > 0
        && syscall(SYS_pwrite64, descriptor, file->synced, file->length, 0) != (long)file->length)
        abort();
    syscall(SYS_close, descriptor);
}

void machine_cut_power(void) {
    machine_start_again();
    // Nothing, everything, or anything of what was not synced.
    long fate = random_below(4);
    for (int index = 0; index < file_count; index++) {
        struct file *file = &files[index];
        for (size_t change = 0; change < file->pending_count; change++) {
            if (fate == 1)
                apply(file, file->pending[change].offset, file->pending[change].bytes,
                      file->pending[change].length);
            else if (fate > 1)
                tear(file, &file->pending[change]);
        }
        forget_changes(file);
        file->is_torn = 0;
        if (!file->name) continue;
        syscall(SYS_unlinkat, AT_FDCWD, file->name, 0);
        char memory[PATH_MAX];
        snprintf(memory, sizeof memory, "%s-shm", file->name);
        syscall(SYS_unlinkat, AT_FDCWD, memory, 0);
        free(file->name);
        file->name = NULL;
    }
    int survived = fate == 0 ? 0 : pending_name_count;
    if (fate == 2) survived = (int)random_below(pending_name_count + 1);
    for (int index = 0; index < pending_name_count; index++) {
        if (index < survived)
            apply_name(pending_names[index]);
        else
            free(pending_names[index].path);
    }
    pending_name_count = 0;
    for (int index = 0; index < synced_name_count; index++) {
        struct file *file = &files[synced_names[index].file];
        file->name = check(strdup(synced_names[index].path));
        lay(file->name, file);
    }
}

static void take(const char *directory) {
    DIR *list = opendir(directory);
    if (!list) abort();
    struct dirent *entry;
    while ((entry = readdir(list))) {
        if (entry->d_name[0] == '.') continue;
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (entry->d_type == DT_DIR) {
            take(path);
            continue;
        }
        struct file *file = &files[add_file(path)];
        apply_name((struct name) { check(strdup(path)), file_count - 1 });
        struct stat status;
        int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
        if (descriptor < 0 || fstat(descriptor, &status) != 0) abort();
        set_length(file, (size_t)status.st_size);
        if (status.st_size > 0
            && syscall(SYS_pread64, descriptor, file->synced, file->length, 0)
                != (long)file->length)
            abort();
        syscall(SYS_close, descriptor);
    }
    closedir(list);
}

void machine_begin(const char *path, uint64_t seed) {
    root_length = strlen(path);
    if (root_length >= sizeof root || is_active) abort();
    memcpy(root, path, root_length + 1);
    random_state = seed;
    elapsed_nanos = 0;
    monotonic_nanos = 1000000000;
    change_count = death_in = fail_from = fail_to = 0;
    is_dead = 0;
    take(root);
    is_active = 1;
}

void machine_end(void) {
    is_active = 0;
    is_dead = 0;
    sync_lies = 0;
    for (int index = 0; index < file_count; index++) {
        forget_changes(&files[index]);
        free(files[index].pending);
        free(files[index].synced);
        free(files[index].name);
    }
    file_count = 0;
    for (int index = 0; index < synced_name_count; index++) free(synced_names[index].path);
    synced_name_count = 0;
    for (int index = 0; index < pending_name_count; index++) free(pending_names[index].path);
    pending_name_count = 0;
}

// MARK: The network

static int (*network)(void *context, uint32_t ipv4, int peer);
static void *network_context;

void machine_set_network(int (*connecting)(void *context, uint32_t ipv4, int peer), void *context) {
    network = connecting;
    network_context = context;
}

static int become(int descriptor, int other) {
    if (syscall(SYS_dup3, other, descriptor, O_CLOEXEC) < 0) abort();
    syscall(SYS_close, other);
    return 0;
}

int connect(int descriptor, const struct sockaddr *address, socklen_t length) {
    if (!is_active || address->sa_family == AF_UNIX)
        return (int)syscall(SYS_connect, descriptor, address, length);
    const struct sockaddr_in *target = (const struct sockaddr_in *)address;
    // A pair of local sockets is as good, and what one end sends the other has at once.
    int pair[2];
    if (address->sa_family != AF_INET || !network
        || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        abort();
    int answer = network(network_context, ntohl(target->sin_addr.s_addr), pair[1]);
    if (answer == machine_connects) return become(descriptor, pair[0]);
    syscall(SYS_close, pair[0]);
    syscall(SYS_close, pair[1]);
    if (answer == machine_hangs) {
        // A full counter, which never becomes writable.
        int silent = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        uint64_t most = UINT64_MAX - 1;
        if (silent < 0 || syscall(SYS_write, silent, &most, 8) != 8) abort();
        become(descriptor, silent);
        errno = EINPROGRESS;
        return -1;
    }
    errno = answer;
    return -1;
}
