/*
 * Loaded ahead of libc (LD_PRELOAD), makes the disk under one file fail, fill up, fall short or hang, on demand.
 *
 *     DISK_FAULTS_PATH       the file. Meant are all whose path begins so (the copies beside it), and the directory it is in
 *     DISK_FAULTS_CONTROL    while this file is there its lines say what is wrong; it is read anew at each such call
 *     DISK_FAULTS_LOG        the operation of each fault that was met is added here: a test that met none tested nothing
 *
 * A line is an operation (open, opened, lock, write, truncate, rename, link, sync, syncdir) and
 * what it meets:
 *
 *     sync errno 5           fails so; an open that only reads never does
 *     sync hang              comes back when the line is gone, and then does what it should
 *     sync slow 100          takes so many milliseconds longer; with lock and opened they pass when it is done
 *     write room 1000        the file cannot grow beyond 1000 bytes: what fits is written, then the disk is full
 *     write short            one byte less than asked for is written, if it is more than one
 *
 * Built by Tests/campaigns/disk.py. The calls are made by syscall(2), so that nothing of libc is needed to find them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_HANG_MS = 60000, STEP_MS = 2 };

struct fault {
    char kind[16];
    long value;
};

/* ---- Whether a file is meant ---- */

static int is_journal(const char *path)
{
    const char *journal = getenv("DISK_FAULTS_PATH");

    return journal != NULL && strncmp(path, journal, strlen(journal)) == 0;
}

static int is_directory(const char *path)
{
    const char *journal = getenv("DISK_FAULTS_PATH"), *end = journal == NULL ? NULL : strrchr(journal, '/');

    return end != NULL && strlen(path) == (size_t)(end - journal) && strncmp(path, journal, strlen(path)) == 0;
}

static void path_of(int descriptor, char path[PATH_MAX])
{
    char link[64];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = '\0';
}

/* As one path, because openat and renameat take two things. */
static void join(int directory, const char *name, char path[PATH_MAX])
{
    size_t length = 0;

    if (name[0] != '/' && directory != AT_FDCWD) {
        path_of(directory, path);
        length = strlen(path);
        if (length + 1 < PATH_MAX)
            path[length++] = '/';
    }
    snprintf(path + length, PATH_MAX - length, "%s", name);
}

/* ---- What is wrong at the moment ---- */

static int look_up(const char *operation, struct fault *fault)
{
    const char *control = getenv("DISK_FAULTS_CONTROL");
    char text[1024], *line, *rest = text;
    size_t length = strlen(operation);
    ssize_t count;
    int file;

    if (control == NULL || (file = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC)) < 0)
        return 0;
    count = syscall(SYS_read, file, text, sizeof text - 1);
    close(file);
    text[count < 0 ? 0 : count] = '\0';
    while ((line = strsep(&rest, "\n")) != NULL) {
        fault->value = 0;
        if (strncmp(line, operation, length) == 0 && line[length] == ' '
            && sscanf(line + length, " %15s %ld", fault->kind, &fault->value) >= 1)
            return 1;
    }
    return 0;
}

static void note(const char *operation)
{
    const char *log = getenv("DISK_FAULTS_LOG");
    char line[32];
    int file, length = snprintf(line, sizeof line, "%s\n", operation);

    if (log == NULL)
        return;
    file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file >= 0) {
        syscall(SYS_write, file, line, (size_t)length);
        close(file);
    }
}

static int is_kind(const struct fault *fault, const char *kind)
{
    return strcmp(fault->kind, kind) == 0;
}

/* Waits, or sets errno and gives -1. What is left for the caller to do is in `fault`, whose kind is empty otherwise. */
static int suffer(const char *operation, struct fault *fault)
{
    const struct timespec step = { 0, STEP_MS * 1000000L };
    struct timespec pause;
    int waited;

    fault->kind[0] = '\0';
    if (!look_up(operation, fault))
        return 0;
    note(operation);
    for (waited = 0; is_kind(fault, "hang") && waited < LONGEST_HANG_MS; waited += STEP_MS) {
        nanosleep(&step, NULL);
        fault->kind[0] = '\0';
        look_up(operation, fault);
    }
    if (is_kind(fault, "slow")) {
        pause.tv_sec = fault->value / 1000;
        pause.tv_nsec = fault->value % 1000 * 1000000;
        nanosleep(&pause, NULL);
    }
    if (!is_kind(fault, "errno"))
        return 0;
    errno = (int)fault->value;
    return -1;
}

static int suffer_path(const char *operation, const char *path)
{
    struct fault fault;

    return is_journal(path) ? suffer(operation, &fault) : 0;
}

static int suffer_file(const char *operation, int descriptor)
{
    struct fault fault;
    char path[PATH_MAX];
    int errno_before = errno, result;

    path_of(descriptor, path);
    result = is_journal(path) ? suffer(operation, &fault) : 0;
    if (result == 0)
        errno = errno_before;
    return result;
}

/* How much of `count` bytes at `start` is written: -1 none at all, with errno. `start` -1: at the end. */
static ssize_t suffer_write(int descriptor, off_t start, size_t count)
{
    struct fault fault;
    struct stat status;
    char path[PATH_MAX];
    off_t room;

    path_of(descriptor, path);
    if (!is_journal(path))
        return (ssize_t)count;
    if (suffer("write", &fault) != 0)
        return -1;
    if (is_kind(&fault, "short") && count > 1)
        return (ssize_t)count - 1;
    if (!is_kind(&fault, "room") || fstat(descriptor, &status) != 0)
        return (ssize_t)count;
    room = fault.value - (start < 0 ? status.st_size : start);
    if (room <= 0) {
        errno = ENOSPC;
        return -1;
    }
    return (size_t)room < count ? (ssize_t)room : (ssize_t)count;
}

/* ---- In place of libc's ---- */

static int open_file(int directory, const char *name, int flags, mode_t mode)
{
    char path[PATH_MAX];
    int descriptor;

    join(directory, name, path);
    if (((flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0) && suffer_path("open", path) != 0)
        return -1;
    descriptor = (int)syscall(SYS_openat, directory, name, flags, mode);
    if (descriptor >= 0)
        suffer_path("opened", path);
    return descriptor;
}

/* The mode is there only when a file may be made. */
#define MODE(last)                                                                          \
    va_list arguments;                                                                      \
    mode_t mode = 0;                                                                        \
    va_start(arguments, last);                                                              \
    if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE)                         \
        mode = va_arg(arguments, mode_t);                                                   \
    va_end(arguments)

int open(const char *name, int flags, ...)
{
    MODE(flags);
    return open_file(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
    MODE(flags);
    return open_file(AT_FDCWD, name, flags, mode);
}

int openat(int directory, const char *name, int flags, ...)
{
    MODE(flags);
    return open_file(directory, name, flags, mode);
}

int openat64(int directory, const char *name, int flags, ...)
{
    MODE(flags);
    return open_file(directory, name, flags, mode);
}

ssize_t write(int descriptor, const void *bytes, size_t count)
{
    ssize_t length = suffer_write(descriptor, -1, count);

    return length < 0 ? -1 : syscall(SYS_write, descriptor, bytes, (size_t)length);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t start)
{
    ssize_t length = suffer_write(descriptor, start, count);

    return length < 0 ? -1 : syscall(SYS_pwrite64, descriptor, bytes, (size_t)length, start);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t start)
{
    return pwrite(descriptor, bytes, count, start);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count)
{
    size_t length = 0;
    ssize_t allowed;
    int part;

    for (part = 0; part < count; part++)
        length += parts[part].iov_len;
    allowed = suffer_write(descriptor, -1, length);
    if (allowed < 0)
        return -1;
    if ((size_t)allowed == length)
        return syscall(SYS_writev, descriptor, parts, count);
    length = parts[0].iov_len;
    return syscall(SYS_write, descriptor, parts[0].iov_base, (size_t)allowed < length ? (size_t)allowed : length);
}

static int suffer_sync(int descriptor)
{
    struct fault fault;
    char path[PATH_MAX];

    path_of(descriptor, path);
    return is_directory(path) ? suffer("syncdir", &fault) : suffer_file("sync", descriptor);
}

int fsync(int descriptor)
{
    return suffer_sync(descriptor) != 0 ? -1 : (int)syscall(SYS_fsync, descriptor);
}

int fdatasync(int descriptor)
{
    return suffer_sync(descriptor) != 0 ? -1 : (int)syscall(SYS_fdatasync, descriptor);
}

int flock(int descriptor, int operation)
{
    return syscall(SYS_flock, descriptor, operation) != 0 ? -1 : suffer_file("lock", descriptor);
}

int ftruncate(int descriptor, off_t length)
{
    return suffer_file("truncate", descriptor) != 0 ? -1 : (int)syscall(SYS_ftruncate, descriptor, length);
}

int ftruncate64(int descriptor, off64_t length)
{
    return ftruncate(descriptor, length);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    char path[PATH_MAX];

    join(to_directory, to, path);
    if (suffer_path("rename", path) != 0)
        return -1;
    return (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags)
{
    char path[PATH_MAX];

    join(to_directory, to, path);
    if (suffer_path("link", path) != 0)
        return -1;
    return (int)syscall(SYS_linkat, from_directory, from, to_directory, to, flags);
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}
