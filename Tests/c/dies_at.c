/*
 * Loaded ahead of libc (LD_PRELOAD), kills the process right before one of its steps on the disk: the one whose number is
 * in DIES_AT. Steps are writes at a place, waits for the disk, cuts, renames and removals, as the journal makes them.
 *
 * Built by Tests/python/test_journal_dir_crash.py. The calls are made by syscall(2), so that nothing of libc is needed to
 * find them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static void step(void)
{
    static int count;
    const char *last = getenv("DIES_AT");

    if (last != NULL && __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST) == atoi(last))
        kill(getpid(), SIGKILL);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t place)
{
    step();
    return syscall(SYS_pwrite64, descriptor, bytes, count, place);
}

int fdatasync(int descriptor)
{
    step();
    return (int)syscall(SYS_fdatasync, descriptor);
}

int fsync(int descriptor)
{
    step();
    return (int)syscall(SYS_fsync, descriptor);
}

int ftruncate(int descriptor, off_t length)
{
    step();
    return (int)syscall(SYS_ftruncate, descriptor, length);
}

int rename(const char *old, const char *new)
{
    step();
    return (int)syscall(SYS_renameat, AT_FDCWD, old, AT_FDCWD, new);
}

int unlink(const char *path)
{
    step();
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
