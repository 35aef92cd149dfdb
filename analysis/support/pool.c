#include "analysis/support/pool.h"

#include "analysis/support/limits.h"
#include "analysis/support/memory.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* OpenBLAS's own call; not in every cblas.h. */
void openblas_set_num_threads(int threads);

struct batch {
    struct pool *pool;
    struct batch *next; /* in the pool's list, oldest first */
    batch_work *work;
    void *context;
    struct notifier notifier;
    size_t *order; /* items in the order they will be taken */
    size_t count;  /* length of order */
    size_t taken;  /* order[0..taken) have begun or were cancelled */
    size_t running;
    size_t done;
    void (*cleanup)(void *context); /* of a detached batch */
};

struct pool {
    pthread_mutex_t mutex;
    pthread_cond_t work_ready; /* a batch has items, or the end */
    pthread_cond_t item_ended;
    struct batch *batches;
    pthread_t *threads;
    unsigned thread_count;
    unsigned limit, running; /* items at a time */
    bool ending;
};

static struct batch *batch_with_work(struct pool *pool) {
    if (pool->running >= pool->limit)
        return NULL;
    for (struct batch *batch = pool->batches; batch != NULL; batch = batch->next)
        if (batch->taken < batch->count)
            return batch;
    return NULL;
}

static bool finished(const struct batch *batch) {
    return batch->taken == batch->count && batch->running == 0;
}

/* Takes the batch off the pool's list and frees it; what it worked on is not touched. */
static void release(struct batch *batch) {
    struct batch **link = &batch->pool->batches;
    while (*link != batch)
        link = &(*link)->next;
    *link = batch->next;
    free(batch->order);
    free(batch);
}

static void run_item(struct pool *pool, struct batch *batch) {
    size_t item = batch->order[batch->taken++];
    batch->running++;
    pool->running++;
    pthread_mutex_unlock(&pool->mutex);
    batch->work(batch->context, item);
    pthread_mutex_lock(&pool->mutex);
    struct notifier notifier = batch->notifier; /* the batch may be freed once nothing runs */
    void (*cleanup)(void *) = NULL;
    void *context = batch->context;
    batch->done++;
    batch->running--;
    pool->running--;
    if (batch->cleanup != NULL && finished(batch)) {
        cleanup = batch->cleanup;
        release(batch);
    }
    pthread_cond_broadcast(&pool->item_ended);
    pthread_mutex_unlock(&pool->mutex);
    if (cleanup != NULL)
        cleanup(context);
    if (notifier.call != NULL)
        notifier.call(notifier.context);
    pthread_mutex_lock(&pool->mutex);
}

static void *worker(void *argument) {
    struct pool *pool = argument;
    pthread_mutex_lock(&pool->mutex);
    while (!pool->ending) {
        struct batch *batch = batch_with_work(pool);
        if (batch != NULL)
            run_item(pool, batch);
        else
            pthread_cond_wait(&pool->work_ready, &pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

bool thread_start(pthread_t *thread, void *(*run)(void *), void *context) {
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        sigdelset(&blocked, crashes[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    bool good = pthread_create(thread, NULL, run, context) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}

struct pool *pool_create(unsigned threads) {
    openblas_set_num_threads(1);
    struct pool *pool = memory_array(1, sizeof *pool);
    unsigned wanted = threads > 0 ? threads : limits_processors("");
    pool->threads = memory_array(wanted, sizeof *pool->threads);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->work_ready, &attributes);
    pthread_cond_init(&pool->item_ended, &attributes);
    pthread_condattr_destroy(&attributes);
    while (pool->thread_count < wanted &&
           thread_start(&pool->threads[pool->thread_count], worker, pool))
        pool->thread_count++;
    if (pool->thread_count == 0)
        memory_exhausted(0); /* not one thread: the process is at its limits */
    pool_limit(pool, 0);
    return pool;
}

unsigned pool_threads(const struct pool *pool) {
    return pool->thread_count;
}

void pool_limit(struct pool *pool, unsigned items) {
    pthread_mutex_lock(&pool->mutex);
    pool->limit = items > 0 ? items : pool->thread_count;
    pthread_cond_broadcast(&pool->work_ready);
    pthread_mutex_unlock(&pool->mutex);
}

void pool_free(struct pool *pool) {
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->ending = true;
    pthread_cond_broadcast(&pool->work_ready);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_mutex_destroy(&pool->mutex);
    pthread_cond_destroy(&pool->work_ready);
    pthread_cond_destroy(&pool->item_ended);
    free(pool->threads);
    free(pool);
}

struct batch *batch_start(struct pool *pool, size_t count, batch_work *work, void *context,
                          struct notifier notifier) {
    struct batch *batch = memory_array(1, sizeof *batch);
    *batch = (struct batch){.pool = pool, .work = work, .context = context, .notifier = notifier};
    batch->order = memory_array(count, sizeof *batch->order);
    for (size_t i = 0; i < count; i++)
        batch->order[i] = i;
    batch->count = count;
    pthread_mutex_lock(&pool->mutex);
    struct batch **end = &pool->batches;
    while (*end != NULL)
        end = &(*end)->next;
    *end = batch;
    pthread_cond_broadcast(&pool->work_ready);
    pthread_mutex_unlock(&pool->mutex);
    return batch;
}

void batch_prefer(struct batch *batch, size_t first, size_t count) {
    pthread_mutex_lock(&batch->pool->mutex);
    size_t front = batch->taken;
    for (size_t i = batch->taken; i < batch->count; i++) {
        size_t item = batch->order[i];
        if (item < first || item - first >= count)
            continue;
        memmove(batch->order + front + 1, batch->order + front, (i - front) * sizeof *batch->order);
        batch->order[front++] = item;
    }
    pthread_mutex_unlock(&batch->pool->mutex);
}

void batch_hurry(struct batch *batch) {
    struct pool *pool = batch->pool;
    pthread_mutex_lock(&pool->mutex);
    struct batch **at = &pool->batches;
    while (*at != batch)
        at = &(*at)->next;
    *at = batch->next;
    batch->next = pool->batches;
    pool->batches = batch;
    pthread_mutex_unlock(&pool->mutex);
}

void batch_cancel(struct batch *batch) {
    pthread_mutex_lock(&batch->pool->mutex);
    batch->count = batch->taken;
    pthread_cond_broadcast(&batch->pool->item_ended);
    pthread_mutex_unlock(&batch->pool->mutex);
}

bool batch_finished(struct batch *batch) {
    pthread_mutex_lock(&batch->pool->mutex);
    bool answer = finished(batch);
    pthread_mutex_unlock(&batch->pool->mutex);
    return answer;
}

size_t batch_done(struct batch *batch) {
    pthread_mutex_lock(&batch->pool->mutex);
    size_t done = batch->done;
    pthread_mutex_unlock(&batch->pool->mutex);
    return done;
}

static struct timespec deadline_after(double seconds) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double whole = (double)(time_t)seconds;
    now.tv_sec += (time_t)whole;
    now.tv_nsec += (long)((seconds - whole) * 1e9);
    if (now.tv_nsec >= 1000000000L) {
        now.tv_sec++;
        now.tv_nsec -= 1000000000L;
    }
    return now;
}

bool batch_wait(struct batch *batch, double seconds) {
    struct timespec deadline = deadline_after(seconds > 0 ? seconds : 0);
    int status = 0;
    pthread_mutex_lock(&batch->pool->mutex);
    while (!finished(batch) && status != ETIMEDOUT) {
        if (seconds < 0)
            pthread_cond_wait(&batch->pool->item_ended, &batch->pool->mutex);
        else
            status =
                pthread_cond_timedwait(&batch->pool->item_ended, &batch->pool->mutex, &deadline);
    }
    bool answer = finished(batch);
    pthread_mutex_unlock(&batch->pool->mutex);
    return answer;
}

void batch_free(struct batch *batch) {
    if (batch == NULL)
        return;
    batch_cancel(batch);
    batch_wait(batch, -1);
    struct pool *pool = batch->pool;
    pthread_mutex_lock(&pool->mutex);
    release(batch);
    pthread_mutex_unlock(&pool->mutex);
}

void batch_detach(struct batch *batch, void (*cleanup)(void *context)) {
    struct pool *pool = batch->pool;
    void *context = batch->context;
    pthread_mutex_lock(&pool->mutex);
    batch->count = batch->taken;
    batch->cleanup = cleanup;
    bool idle = finished(batch);
    if (idle)
        release(batch);
    pthread_mutex_unlock(&pool->mutex);
    if (idle)
        cleanup(context);
}

void pool_run(struct pool *pool, size_t count, batch_work *work, void *context) {
    struct batch *batch = batch_start(pool, count, work, context, (struct notifier){0});
    batch_wait(batch, -1);
    batch_free(batch);
}
