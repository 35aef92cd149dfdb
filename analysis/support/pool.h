/* The worker pool: threads that take items from batches of independent work.
 *
 * A batch is `count` items with one function. Workers take items of the oldest batch first, in
 * the order of the items unless some are preferred. Which worker takes which item must not
 * matter: an item writes only to its own place, so results are the same for any thread count.
 * Make the pool before anything calls BLAS: it makes OpenBLAS single-threaded. */
#ifndef R2M_ANALYSIS_SUPPORT_POOL_H
#define R2M_ANALYSIS_SUPPORT_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct pool;
struct batch;

/* Called by a worker for one item. */
typedef void batch_work(void *context, size_t item);

/* Called by a worker after each finished item, without any lock held: keep it short (write to an
 * eventfd). Its context must outlive the pool. Zero-initialised: nobody is told. */
struct notifier {
    void (*call)(void *context);
    void *context;
};

/* Starts a thread in which all signals are blocked but those of crashes (a blocked one would pass
 * by the program's handler). false when the process is at its limits. */
bool thread_start(pthread_t *thread, void *(*run)(void *), void *context);

/* Starts threads workers (0: limits_processors), as thread_start does. */
struct pool *pool_create(unsigned threads);

/* Number of workers. */
unsigned pool_threads(const struct pool *pool);

/* From now on at most so many items (0: as many as there are workers) run at a time, those of all
 * batches counted; items that run already end normally. */
void pool_limit(struct pool *pool, unsigned items);

/* Ends the workers, after the items they run. Every batch must have been freed or detached. NULL
 * is accepted. */
void pool_free(struct pool *pool);

/* Hands work to the pool and returns at once. context and its contents must live until
 * batch_free. */
struct batch *batch_start(struct pool *pool, size_t count, batch_work *work, void *context,
                          struct notifier notifier);

/* Items [first, first + count) are taken before all others that have not begun. */
void batch_prefer(struct batch *batch, size_t first, size_t count);

/* The batch's items are taken before those of all other batches. */
void batch_hurry(struct batch *batch);

/* No further item begins; running ones end normally. */
void batch_cancel(struct batch *batch);

/* True when every item has ended (or was cancelled before it began). */
bool batch_finished(struct batch *batch);

/* Number of ended items. */
size_t batch_done(struct batch *batch);

/* Waits until the batch is finished, at most seconds (negative: for ever); true when finished. */
bool batch_wait(struct batch *batch, double seconds);

/* Cancels, waits for running items and releases the batch. NULL is accepted. */
void batch_free(struct batch *batch);

/* Cancels without waiting: the batch is released as soon as its running items have ended, and
 * cleanup(context) is then called once, by a worker or, if nothing runs, at once. batch must not
 * be used afterwards. */
void batch_detach(struct batch *batch, void (*cleanup)(void *context));

/* Starts a batch, waits for it and frees it. */
void pool_run(struct pool *pool, size_t count, batch_work *work, void *context);

#endif
