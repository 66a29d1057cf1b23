/* Plays a slow SD card to a program that it is preloaded into: while /run/slow-disk is
   there, each fsync and fdatasync takes 200 ms longer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

static void dawdle(void) {
	struct timespec t = {0, 200 * 1000 * 1000};
	if (access("/run/slow-disk", F_OK) == 0)
		nanosleep(&t, 0);
}

int fsync(int fd) {
	dawdle();
	return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd) {
	dawdle();
	return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
