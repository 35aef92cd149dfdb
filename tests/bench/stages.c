/* stages FOLDER SPECIALISTS THREADS STAGE...: times stages of the program's work on the files that
 * `generate` wrote, one `NAME VALUE UNIT` a line. Every stage starts from opened files. */
#include "analysis/support/memory.h"
#include "merge/merge.h"
#include "render/figures/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EDITS = 500, REPEATS = 3 };

struct bench {
    const char *folder; /* of the checkpoints */
    struct config config;
    struct tensor_table *table;
    struct plan *plan;
    struct pool *pool;
    struct error error;
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void row(const char *name, double value, const char *unit) {
    printf("%s %.6g %s\n", name, value, unit);
    fflush(stdout);
}

static double smaller(double one, double other) {
    return one < other ? one : other;
}

static bool open_files(struct bench *bench, size_t n) {
    char **paths = memory_array(n, sizeof *paths);
    char *base = memory_format("%s/base.safetensors", bench->folder);
    for (size_t s = 0; s < n; s++)
        paths[s] = memory_format("%s/s%zu.safetensors", bench->folder, s + 1);
    config_init(&bench->config);
    double start = now();
    bool good =
        config_set_files(&bench->config, base, (const char *const *)paths, n, &bench->error) &&
        config_open_table(&bench->config, &bench->table, &bench->error) &&
        plan_create(&bench->config, bench->table, &bench->plan, &bench->error);
    row("open", 1e3 * (now() - start), "ms");
    for (size_t s = 0; s < n; s++)
        free(paths[s]);
    free(paths);
    free(base);
    return good;
}

/* Everything the Gram pass reads, in one item a layer. */
struct reading {
    const struct tensor_table *table;
    _Atomic uint64_t bytes, sum;
};

static void read_layer(void *context, size_t l) {
    struct reading *reading = context;
    const struct layer *layer = &reading->table->layers[l];
    uint64_t sum = 0;
    for (size_t s = 0; layer_is_shared(layer) && s <= reading->table->specialist_count; s++) {
        const struct tensor *tensor = s == 0 ? layer->base : layer->specialists[s - 1];
        for (uint64_t b = 0; b + 8 <= tensor->bytes; b += 8) {
            uint64_t word;
            memcpy(&word, tensor->data + b, 8);
            sum += word;
        }
        reading->bytes += tensor->bytes;
    }
    reading->sum += sum; /* used, so the loop stays */
}

static double plain_read(struct bench *bench, uint64_t *bytes) {
    struct reading reading = {.table = bench->table};
    double start = now();
    pool_run(bench->pool, bench->table->layer_count, read_layer, &reading);
    *bytes = reading.bytes;
    return now() - start;
}

static struct analysis *start(struct bench *bench) {
    return analysis_start(bench->table, NULL, bench->pool, &bench->config.settings.real,
                          (struct notifier){0});
}

/* In turn, so that what else the machine does meets both; the first round fills the page cache. */
static bool run_gram(struct bench *bench) {
    double read = 1e9, gram = 1e9;
    uint64_t bytes;
    bool good = true;
    for (int i = 0; i <= REPEATS && good; i++) {
        read = smaller(read, plain_read(bench, &bytes));
        double begin = now();
        struct analysis *analysis = start(bench);
        good = analysis_wait_core(analysis, NULL, NULL, &bench->error);
        gram = smaller(gram, now() - begin);
        analysis_free(analysis);
    }
    row("plain_read", 1e-9 * (double)bytes / read, "GB/s");
    row("Gram_pass", 1e-9 * (double)bytes / gram, "GB/s");
    return good;
}

/* Multiplications and additions of the squares and of their reductions to tridiagonal form. */
static double operations(const struct tensor_table *table) {
    double sum = 0;
    for (size_t l = 0; l < table->layer_count; l++)
        sum += reduction_operations(&table->layers[l]);
    return sum * (double)table->specialist_count;
}

static bool run_spectra(struct bench *bench) {
    struct analysis *analysis = start(bench);
    bool good = analysis_wait_core(analysis, NULL, NULL, &bench->error);
    double begin = now();
    good = good && analysis_wait(analysis, NULL, NULL, &bench->error);
    double seconds = now() - begin;
    row("spectra_pass", seconds, "s");
    row("spectra_speed", 1e-9 * operations(bench->table) / seconds, "GFLOP/s");
    analysis_free(analysis);
    return good;
}

/* One key press: a rank of one layer changes, the preview follows. */
static bool run_preview(struct bench *bench) {
    struct analysis *analysis = start(bench);
    bool good = analysis_wait(analysis, NULL, NULL, &bench->error);
    struct preview *preview = preview_create(bench->table);
    double begin = now();
    for (size_t i = 0; good && i < EDITS; i++) {
        size_t layer = i % bench->table->layer_count;
        struct rank_rule rule = {RANK_RANK, (double)(1 + i % 32)};
        plan_set_rank(bench->plan, (struct plan_scope){&layer, 1, PLAN_ALL}, rule, "bench");
        preview_compute(preview, bench->plan, analysis);
    }
    row("edit_and_preview", 1e3 * (now() - begin) / EDITS, "ms");
    preview_free(preview);
    analysis_free(analysis);
    return good;
}

/* All figures as PNG at the default size and resolution, into figures beside the checkpoints. */
static bool run_figures(struct bench *bench) {
    struct analysis *analysis = start(bench);
    bool good = analysis_wait(analysis, NULL, NULL, &bench->error);
    struct preview *preview = preview_create(bench->table);
    struct figure_source source = {analysis, preview, bench->plan};
    char *folder = memory_format("%s/figures", bench->folder);
    struct figure_files files = {
        .folder = folder, .image = image_options_default(), .overwrite = true};
    size_t count = 0;
    preview_compute(preview, bench->plan, analysis);
    clock_t used = clock();
    double begin = now();
    good = good && figures_write(&source, &files, NULL, &count, &bench->error);
    row("figures", (double)count, "files");
    row("all_figures", now() - begin, "s");
    row("all_figures,_processor", (double)(clock() - used) / CLOCKS_PER_SEC, "s");
    free(folder);
    preview_free(preview);
    analysis_free(analysis);
    return good;
}

static const struct {
    const char *name;
    bool (*run)(struct bench *bench);
} stages[] = {{"gram", run_gram},
              {"spectra", run_spectra},
              {"preview", run_preview},
              {"figures", run_figures}};

static bool run_stage(struct bench *bench, const char *name) {
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        if (strcmp(stages[i].name, name) == 0)
            return stages[i].run(bench);
    return error_set(&bench->error, ERROR_USAGE, "no stage is called %s", name);
}

int main(int argc, char **argv) {
    struct bench bench = {.folder = argv[1]};
    if (argc < 4)
        return 2;
    bool good = open_files(&bench, (size_t)atoi(argv[2]));
    bench.pool = pool_create((unsigned)atoi(argv[3]));
    for (int i = 4; i < argc && good; i++)
        good = run_stage(&bench, argv[i]);
    if (!good)
        fprintf(stderr, "stages: %s\n", bench.error.message);
    plan_free(bench.plan);
    pool_free(bench.pool);
    tensor_table_close(bench.table);
    config_free(&bench.config);
    error_free(&bench.error);
    return !good;
}
