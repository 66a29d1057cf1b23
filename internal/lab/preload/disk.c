//go:build ignore

/* Plays a bad disk to a program that it is preloaded into. It catches what C code reads,
   writes and syncs, which in the daemon is SQLite, and nothing of Go's own. The file named by LAB_DISK
   says what to do, as int32 in the order of struct orders; disk.go writes it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct order {
	int32_t error;   /* errno; -1: the process kills itself instead */
	int32_t after;   /* so many calls go well first */
	int32_t times;   /* then so many fail; -1: all */
	int32_t calls;   /* counted here */
};

struct orders {
	int32_t stall;   /* milliseconds that each sync takes longer */
	struct order write, sync, read;
};

static struct orders *orders(void) {
	static struct orders *o;
	const char *name = getenv("LAB_DISK");
	struct orders *now = __atomic_load_n(&o, __ATOMIC_ACQUIRE);
	if (now || !name)
		return now;
	int fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	now = mmap(NULL, sizeof *now, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (now == MAP_FAILED)
		abort();
	close(fd);
	__atomic_store_n(&o, now, __ATOMIC_RELEASE);
	return now;
}

/* fails says whether this call must, and sets errno. */
static int fails(struct order *o) {
	int32_t n = __atomic_fetch_add(&o->calls, 1, __ATOMIC_SEQ_CST);
	if (!o->error || n < o->after || (o->times >= 0 && n >= o->after + o->times))
		return 0;
	if (o->error < 0) {
		kill(getpid(), SIGKILL);
		for (;;)
			pause();
	}
	errno = o->error;
	return 1;
}

static int bad_sync(void) {
	struct orders *o = orders();
	if (!o)
		return 0;
	if (o->stall > 0) {
		struct timespec t = {o->stall / 1000, o->stall % 1000 * 1000000L};
		while (nanosleep(&t, &t) < 0 && errno == EINTR) /* by the signals of Go's runtime */
			;
	}
	return fails(&o->sync);
}

#define NEXT(name, type) ((type)dlsym(RTLD_NEXT, name))

int fsync(int fd) { return bad_sync() ? -1 : NEXT("fsync", int (*)(int))(fd); }

int fdatasync(int fd) { return bad_sync() ? -1 : NEXT("fdatasync", int (*)(int))(fd); }

static int bad_write(void) {
	struct orders *o = orders();
	return o && fails(&o->write);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
	return bad_write() ? -1 : NEXT("pwrite", ssize_t (*)(int, const void *, size_t, off_t))(fd, data, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) {
	return bad_write() ? -1 : NEXT("pwrite64", ssize_t (*)(int, const void *, size_t, off64_t))(fd, data, n, at);
}

static int bad_read(void) {
	struct orders *o = orders();
	return o && fails(&o->read);
}

ssize_t pread(int fd, void *data, size_t n, off_t at) {
	return bad_read() ? -1 : NEXT("pread", ssize_t (*)(int, void *, size_t, off_t))(fd, data, n, at);
}

ssize_t pread64(int fd, void *data, size_t n, off64_t at) {
	return bad_read() ? -1 : NEXT("pread64", ssize_t (*)(int, void *, size_t, off64_t))(fd, data, n, at);
}
