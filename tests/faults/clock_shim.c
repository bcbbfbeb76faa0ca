// Preloaded: the clocks of a program as a file says. ICARUS_CLOCK_FILE names 24 bytes: nanoseconds that are added to
// the wall clock, nanoseconds that are added to the monotonic clocks, and how often the program has looked (written
// here). Moments that a program hands back, to wait until them, are of its clocks and are turned into the real ones.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { kNanoseconds = 1000000000 };

struct Offsets {
  _Atomic int64_t wall;
  _Atomic int64_t monotonic;
  _Atomic uint64_t looks;
};

static struct Offsets none;
static struct Offsets* offsets = &none;
static __typeof__(clock_gettime)* real_clock_gettime;
static __typeof__(pthread_cond_timedwait)* real_timedwait;
static __typeof__(pthread_cond_clockwait)* real_clockwait;

__attribute__((constructor)) static void Open(void) {
  real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  real_timedwait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  real_clockwait = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
  const char* path = getenv("ICARUS_CLOCK_FILE");
  if (path == NULL) return;
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) _exit(99);
  void* mapped = mmap(NULL, sizeof(struct Offsets), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (mapped == MAP_FAILED) _exit(99);
  offsets = mapped;
}

static int64_t OffsetOf(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE: return offsets->wall;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME: return offsets->monotonic;
    default: return 0;
  }
}

static struct timespec Shifted(struct timespec time, int64_t by) {
  const int64_t total = (int64_t)time.tv_sec * kNanoseconds + time.tv_nsec + by;
  if (total < 0) return (struct timespec){0, 0};
  return (struct timespec){total / kNanoseconds, total % kNanoseconds};
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  if (real_clock_gettime == NULL) Open();
  const int result = real_clock_gettime(clock, time);
  if (result != 0) return result;
  offsets->looks++;
  *time = Shifted(*time, OffsetOf(clock));
  return 0;
}

int gettimeofday(struct timeval* restrict time, void* restrict zone) {
  (void)zone;
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return (time_t)-1;
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t* restrict cond, pthread_mutex_t* restrict mutex,
                           const struct timespec* restrict until) {
  const struct timespec real = Shifted(*until, -OffsetOf(CLOCK_REALTIME));  // no condition here waits by another clock
  return real_timedwait(cond, mutex, &real);
}

int pthread_cond_clockwait(pthread_cond_t* restrict cond, pthread_mutex_t* restrict mutex, clockid_t clock,
                           const struct timespec* restrict until) {
  const struct timespec real = Shifted(*until, -OffsetOf(clock));
  return real_clockwait(cond, mutex, clock, &real);
}
