/* The pool: every item runs exactly once, preferred items first, cancelled ones never. */
#include "analysis/support/pool.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ITEMS = 1000 };

struct record {
    _Atomic int runs[ITEMS];
    size_t order[ITEMS];
    _Atomic size_t next;
    _Atomic bool gate; /* item 0 waits here */
};

static void note(void *context, size_t item) {
    struct record *record = context;
    atomic_fetch_add(&record->runs[item], 1);
    record->order[atomic_fetch_add(&record->next, 1)] = item;
    while (item == 0 && atomic_load(&record->gate))
        ;
}

static void every_item_runs_once(void **state) {
    (void)state;
    for (unsigned threads = 1; threads <= 8; threads *= 2) {
        static struct record record;
        record = (struct record){0};
        struct pool *pool = pool_create(threads);
        assert_int_equal(pool_threads(pool), threads);
        pool_run(pool, ITEMS, note, &record);
        for (size_t i = 0; i < ITEMS; i++)
            assert_int_equal(record.runs[i], 1);
        pool_free(pool);
    }
}

static void preferred_items_come_first(void **state) {
    (void)state;
    static struct record record;
    record = (struct record){.gate = true};
    struct pool *pool = pool_create(1);
    struct batch *batch = batch_start(pool, 10, note, &record, (struct notifier){0});
    while (atomic_load(&record.next) == 0)
        ; /* item 0 has begun and waits */
    batch_prefer(batch, 6, 2);
    atomic_store(&record.gate, false);
    assert_true(batch_wait(batch, -1));
    size_t expected[] = {0, 6, 7, 1, 2, 3, 4, 5, 8, 9};
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(record.order[i], expected[i]);
    batch_free(batch);
    pool_free(pool);
}

static void a_hurried_batch_comes_before_older_ones(void **state) {
    (void)state;
    static struct record record;
    record = (struct record){.gate = true};
    struct pool *pool = pool_create(1);
    struct batch *older = batch_start(pool, 5, note, &record, (struct notifier){0});
    while (atomic_load(&record.next) == 0)
        ; /* item 0 has begun and waits */
    struct batch *newer = batch_start(pool, 3, note, &record, (struct notifier){0});
    batch_hurry(newer);
    batch_prefer(older, 4, 1); /* among its own only */
    atomic_store(&record.gate, false);
    assert_true(batch_wait(older, -1));
    size_t expected[] = {0, 0, 1, 2, 4, 1, 2, 3};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_int_equal(record.order[i], expected[i]);
    batch_free(older);
    batch_free(newer);
    pool_free(pool);
}

/* How many items run at a time. */
struct crowd {
    _Atomic int running, most;
};

static void join_crowd(void *context, size_t item) {
    struct crowd *crowd = context;
    int now = atomic_fetch_add(&crowd->running, 1) + 1, most = atomic_load(&crowd->most);
    while (now > most && !atomic_compare_exchange_weak(&crowd->most, &most, now))
        ;
    sched_yield();
    atomic_fetch_sub(&crowd->running, 1);
    (void)item;
}

static void a_limit_counts_the_items_of_all_batches(void **state) {
    (void)state;
    struct crowd crowd = {0};
    struct pool *pool = pool_create(8);
    for (unsigned limit = 1; limit <= 3; limit++) {
        atomic_store(&crowd.most, 0);
        pool_limit(pool, limit);
        struct batch *one = batch_start(pool, ITEMS, join_crowd, &crowd, (struct notifier){0});
        struct batch *other = batch_start(pool, ITEMS, join_crowd, &crowd, (struct notifier){0});
        batch_hurry(other);
        assert_true(batch_wait(one, -1) && batch_wait(other, -1));
        assert_in_range(crowd.most, 1, limit);
        batch_free(one);
        batch_free(other);
    }
    pool_free(pool);
}

static void meet(void *context, size_t item) {
    struct crowd *crowd = context;
    atomic_fetch_add(&crowd->running, 1);
    while (atomic_load(&crowd->running) < 4)
        sched_yield();
    (void)item;
}

static void a_lifted_limit_lets_all_workers_run(void **state) {
    (void)state;
    struct crowd crowd = {0};
    struct pool *pool = pool_create(4);
    pool_limit(pool, 1);
    struct batch *batch = batch_start(pool, 4, meet, &crowd, (struct notifier){0});
    while (atomic_load(&crowd.running) == 0)
        sched_yield();
    pool_limit(pool, 0); /* ends only when four run at a time */
    assert_true(batch_wait(batch, -1));
    batch_free(batch);
    pool_free(pool);
}

static void cancelled_items_do_not_run(void **state) {
    (void)state;
    static struct record record;
    record = (struct record){.gate = true};
    struct pool *pool = pool_create(1);
    struct batch *batch = batch_start(pool, 10, note, &record, (struct notifier){0});
    while (atomic_load(&record.next) == 0)
        ;
    assert_false(batch_wait(batch, 0.01));
    batch_cancel(batch);
    assert_false(batch_finished(batch));
    atomic_store(&record.gate, false);
    assert_true(batch_wait(batch, -1));
    assert_int_equal(batch_done(batch), 1);
    batch_free(batch);
    pool_free(pool);
}

static void count_ends(void *context) {
    atomic_fetch_add((_Atomic int *)context, 1);
}

static void notifier_hears_of_every_item(void **state) {
    (void)state;
    static struct record record;
    record = (struct record){0};
    _Atomic int heard = 0;
    struct pool *pool = pool_create(3);
    struct batch *batch =
        batch_start(pool, ITEMS, note, &record, (struct notifier){count_ends, &heard});
    batch_wait(batch, -1);
    batch_free(batch);
    pool_free(pool); /* joins: every notification has been made */
    assert_int_equal(heard, ITEMS);
}

static void an_empty_batch_is_finished(void **state) {
    (void)state;
    struct pool *pool = pool_create(2);
    struct batch *batch = batch_start(pool, 0, note, NULL, (struct notifier){0});
    assert_true(batch_finished(batch));
    assert_true(batch_wait(batch, -1));
    batch_free(batch);
    pool_free(pool);
}

static void note_cleanup(void *context) {
    struct record *record = context;
    assert_int_equal(atomic_load(&record->next), 1); /* item 0 has run, no other */
    atomic_fetch_add(&record->runs[1], 100);
}

static void detached_batches_clean_up_once(void **state) {
    (void)state;
    static struct record record;
    for (int running = 0; running <= 1; running++) {
        record = (struct record){.gate = running};
        struct pool *pool = pool_create(1);
        struct batch *batch =
            batch_start(pool, running ? 10 : 1, note, &record, (struct notifier){0});
        while (atomic_load(&record.next) == 0)
            ;
        if (!running)
            batch_wait(batch, -1);
        batch_detach(batch, note_cleanup);
        if (running)
            assert_int_equal(record.runs[1], 0); /* it did not wait: item 0 is still running */
        atomic_store(&record.gate, false);
        pool_free(pool);
        assert_int_equal(record.runs[1], 100);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_runs_once),
        cmocka_unit_test(preferred_items_come_first),
        cmocka_unit_test(a_hurried_batch_comes_before_older_ones),
        cmocka_unit_test(a_limit_counts_the_items_of_all_batches),
        cmocka_unit_test(a_lifted_limit_lets_all_workers_run),
        cmocka_unit_test(cancelled_items_do_not_run),
        cmocka_unit_test(notifier_hears_of_every_item),
        cmocka_unit_test(an_empty_batch_is_finished),
        cmocka_unit_test(detached_batches_clean_up_once),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
