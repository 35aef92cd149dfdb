/* stages FOLDER SPECIALISTS [OUT]: times the stages of the program's work on the files that
 * `generate` wrote, one `NAME VALUE UNIT` a line: a plain read of the same files, opening, Gram
 * pass, spectra pass, an edit with its preview, and (with OUT) the merge. */
#include "analysis/support/memory.h"
#include "merge/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EDITS = 500 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void row(const char *name, double value, const char *unit) {
    printf("%s %.6g %s\n", name, value, unit);
    fflush(stdout);
}

static int fail(const struct error *error) {
    fprintf(stderr, "stages: %s\n", error->message);
    return 1;
}

/* Reads every file once through a mapping, as the Gram pass does, on one thread. */
static double plain_read(const struct tensor_table *table, uint64_t *bytes) {
    double start = now();
    uint64_t sum = 0;
    for (size_t l = 0; l < table->layer_count; l++)
        for (size_t s = 0; s <= table->specialist_count; s++) {
            const struct tensor *tensor =
                s == 0 ? table->layers[l].base : table->layers[l].specialists[s - 1];
            if (tensor == NULL)
                continue;
            for (uint64_t b = 0; b + 8 <= tensor->bytes; b += 8) {
                uint64_t word;
                __builtin_memcpy(&word, tensor->data + b, 8);
                sum += word;
            }
            *bytes += tensor->bytes;
        }
    double seconds = now() - start;
    return sum == 1 ? 0 : seconds; /* the sum is used, so the loop stays */
}

/* One key press: a rank of one layer changes, the preview follows. */
static double edit_and_preview(struct plan *plan, const struct analysis *analysis) {
    struct preview *preview = preview_create(plan->table);
    double start = now();
    for (size_t i = 0; i < EDITS; i++) {
        size_t layer = i % plan->table->layer_count;
        struct rank_rule rule = {RANK_RANK, (double)(1 + i % 32)};
        plan_set_rank(plan, (struct plan_scope){&layer, 1, PLAN_ALL}, rule, "bench");
        preview_compute(preview, plan, analysis);
    }
    double seconds = (now() - start) / EDITS;
    preview_free(preview);
    return seconds;
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 2;
    struct error error = {0};
    struct config config;
    struct tensor_table *table;
    struct plan *plan;
    size_t n = (size_t)atoi(argv[2]);
    char **paths = memory_array(n, sizeof *paths);
    for (size_t s = 0; s < n; s++)
        paths[s] = memory_format("%s/s%zu.safetensors", argv[1], s + 1);
    config_init(&config);
    char *base = memory_format("%s/base.safetensors", argv[1]);
    struct pool *pool = pool_create(0);
    double start = now();
    if (!config_set_files(&config, base, (const char *const *)paths, n, &error) ||
        !config_open_table(&config, &table, &error) || !plan_create(&config, table, &plan, &error))
        return fail(&error);
    row("open", 1e3 * (now() - start), "ms");

    uint64_t bytes = 0;
    plain_read(table, &bytes); /* into the page cache */
    bytes = 0;
    double seconds = plain_read(table, &bytes);
    row("plain_read_one_thread", 1e-9 * (double)bytes / seconds, "GB/s");

    start = now();
    struct analysis *analysis =
        analysis_start(table, pool, &config.settings.real, (struct notifier){0});
    if (!analysis_wait_core(analysis, NULL, NULL, &error))
        return fail(&error);
    row("gram_pass", 1e-9 * (double)bytes / (now() - start), "GB/s");
    start = now();
    if (!analysis_wait(analysis, NULL, NULL, &error))
        return fail(&error);
    row("spectra_pass", now() - start, "s");
    row("edit_and_preview", 1e3 * edit_and_preview(plan, analysis), "ms");
    if (argc > 3) {
        plan_preset(plan, "r2m", &error);
        struct merge_result result;
        if (!merge_write(plan, analysis, pool, argv[3], true, NULL, &result, &error))
            return fail(&error);
        row("merge_ratio_0.1", result.seconds, "s");
        remove(argv[3]);
    }
    analysis_free(analysis);
    plan_free(plan);
    pool_free(pool);
    tensor_table_close(table);
    config_free(&config);
    for (size_t s = 0; s < n; s++)
        free(paths[s]);
    free(paths);
    free(base);
    return 0;
}
