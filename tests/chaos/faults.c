/* Stands before the C library (LD_PRELOAD): the FAULT_AT-th call that writes, syncs, links or renames something below
   FAULT_UNDER fails with FAULT_ERRNO; with FAULT_STAYS so do all that follow. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int calls;

static int below(const char *path) {
    const char *under = getenv("FAULT_UNDER");
    return under && path && strncmp(path, under, strlen(under)) == 0;
}

static int open_below(int fd) {
    char name[64], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

static int fails(int concerned) {
    if (!concerned) return 0;
    int at = atoi(getenv("FAULT_AT") ? getenv("FAULT_AT") : "0");
    int call = __sync_add_and_fetch(&calls, 1);
    if (call == at || (call > at && getenv("FAULT_STAYS"))) {
        errno = atoi(getenv("FAULT_ERRNO") ? getenv("FAULT_ERRNO") : "5");
        return 1;
    }
    return 0;
}

#define REAL(type, name, ...)                                   \
    static type (*real)(__VA_ARGS__);                           \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *bytes, size_t length) {
    REAL(ssize_t, write, int, const void *, size_t);
    return fails(open_below(fd)) ? -1 : real(fd, bytes, length);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return fails(open_below(fd)) ? -1 : real(fd, parts, count);
}

int fsync(int fd) {
    REAL(int, fsync, int);
    return fails(open_below(fd)) ? -1 : real(fd);
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    return fails(below(to)) ? -1 : real(from, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    REAL(int, linkat, int, const char *, int, const char *, int);
    return fails(below(to)) ? -1 : real(from_folder, from, to_folder, to, flags);
}

int symlink(const char *target, const char *place) {
    REAL(int, symlink, const char *, const char *);
    return fails(below(place)) ? -1 : real(target, place);
}

int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    return fails(below(path)) ? -1 : real(path, mode);
}
