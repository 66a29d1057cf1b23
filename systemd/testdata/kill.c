// A library to preload: it counts the calls of a program, and of those that it starts, that
// change the file system, and kills at one of them, before it is done. KILL_COUNTER names a
// file with two 32-bit numbers: how many there were, and at which to kill. KILL_WHAT is "all"
// for the process group, as a power cut does, or "one" for the process that calls.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned *counter;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("KILL_COUNTER");
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int fd = name ? real(name, O_RDWR) : -1;
    if (fd < 0) return;
    void *m = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (m != MAP_FAILED) counter = m;
}

static void step(void) {
    if (!counter || __atomic_add_fetch(&counter[0], 1, __ATOMIC_SEQ_CST) != counter[1]) return;
    const char *what = getenv("KILL_WHAT");
    kill(what && !strcmp(what, "one") ? getpid() : 0, SIGKILL);
}

#define CALL(type, name, params, ...) \
    type name params { \
        static type(*real) params; \
        if (!real) real = dlsym(RTLD_NEXT, #name); \
        step(); \
        return real(__VA_ARGS__); \
    }
CALL(int, rename, (const char *a, const char *b), a, b)
CALL(int, renameat, (int c, const char *a, int d, const char *b), c, a, d, b)
CALL(int, renameat2, (int c, const char *a, int d, const char *b, unsigned f), c, a, d, b, f)
CALL(int, link, (const char *a, const char *b), a, b)
CALL(int, linkat, (int c, const char *a, int d, const char *b, int f), c, a, d, b, f)
CALL(int, symlink, (const char *a, const char *b), a, b)
CALL(int, symlinkat, (const char *a, int d, const char *b), a, d, b)
CALL(int, unlink, (const char *a), a)
CALL(int, unlinkat, (int d, const char *a, int f), d, a, f)
CALL(int, rmdir, (const char *a), a)
CALL(int, mkdir, (const char *a, mode_t m), a, m)
CALL(int, mkdirat, (int d, const char *a, mode_t m), d, a, m)
CALL(int, chmod, (const char *a, mode_t m), a, m)
CALL(int, fchmodat, (int d, const char *a, mode_t m, int f), d, a, m, f)
CALL(int, fchownat, (int d, const char *a, uid_t u, gid_t g, int f), d, a, u, g, f)

#define OPEN(name, params, ...) \
    int name params { \
        static int(*real)(); \
        if (!real) real = dlsym(RTLD_NEXT, #name); \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { \
            va_list more; \
            va_start(more, flags); \
            mode = va_arg(more, mode_t); \
            va_end(more); \
        } \
        if ((flags & O_ACCMODE) != O_RDONLY) step(); \
        return real(__VA_ARGS__, mode); \
    }
OPEN(open, (const char *a, int flags, ...), a, flags)
OPEN(open64, (const char *a, int flags, ...), a, flags)
OPEN(openat, (int d, const char *a, int flags, ...), d, a, flags)
OPEN(openat64, (int d, const char *a, int flags, ...), d, a, flags)
