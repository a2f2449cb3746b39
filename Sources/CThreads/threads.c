// The threads and locks of C11 on top of POSIX, only in a program built for the thread sanitizer.
//
// librdkafka starts its threads with thrd_create. The sanitizer knows pthread_create alone: a thread that it has not
// seen start has no state of the sanitizer's, and its first malloc is a segmentation fault. Nor would it see what
// mtx_lock orders. These definitions in the program go before those of glibc, whose types are laid out alike.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "mtx_t is glibc's lock");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "cnd_t is glibc's condition");

static int outcome(int code) {
    switch (code) {
    case 0: return thrd_success;
    case ETIMEDOUT: return thrd_timedout;
    case EBUSY: return thrd_busy;
    case ENOMEM: return thrd_nomem;
    default: return thrd_error;
    }
}

struct life {
    thrd_start_t body;
    void *argument;
};

static void *live(void *given) {
    struct life life = *(struct life *)given;
    free(given);
    return (void *)(intptr_t)life.body(life.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t body, void *argument) {
    struct life *life = malloc(sizeof *life);
    if (!life) return thrd_nomem;
    *life = (struct life){body, argument};
    int code = pthread_create(thread, NULL, live, life);
    if (code != 0) free(life);
    return outcome(code);
}

int thrd_join(thrd_t thread, int *result) {
    void *returned = NULL;
    int code = pthread_join(thread, &returned);
    if (result) *result = (int)(intptr_t)returned;
    return outcome(code);
}

int mtx_init(mtx_t *lock, int type) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(
        &attributes, (type & mtx_recursive) ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    int code = pthread_mutex_init((pthread_mutex_t *)lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return outcome(code);
}

void mtx_destroy(mtx_t *lock) { pthread_mutex_destroy((pthread_mutex_t *)lock); }
int mtx_lock(mtx_t *lock) { return outcome(pthread_mutex_lock((pthread_mutex_t *)lock)); }
int mtx_trylock(mtx_t *lock) { return outcome(pthread_mutex_trylock((pthread_mutex_t *)lock)); }
int mtx_unlock(mtx_t *lock) { return outcome(pthread_mutex_unlock((pthread_mutex_t *)lock)); }

int cnd_init(cnd_t *condition) { return outcome(pthread_cond_init((pthread_cond_t *)condition, NULL)); }
void cnd_destroy(cnd_t *condition) { pthread_cond_destroy((pthread_cond_t *)condition); }
int cnd_signal(cnd_t *condition) { return outcome(pthread_cond_signal((pthread_cond_t *)condition)); }
int cnd_broadcast(cnd_t *condition) { return outcome(pthread_cond_broadcast((pthread_cond_t *)condition)); }

int cnd_wait(cnd_t *condition, mtx_t *lock) {
    return outcome(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)lock));
}

int cnd_timedwait(cnd_t *condition, mtx_t *lock, const struct timespec *deadline) {
    return outcome(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)lock, deadline));
}

#endif
#endif
