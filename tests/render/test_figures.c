/* The figures carry the numbers of the analysis, and their files appear whole. */
#include "render/figures/figures.h"
#include "tests/study.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support.h"

enum { N = 3 };

/* Everything a figure is made from. */
struct fixture {
    struct model model;
    struct tensor_table *table;
    struct pool *pool;
    struct analysis *analysis;
    struct plan *plan;
    struct preview *preview;
};

static int make(void **state) {
    static struct fixture fixture;
    struct model_recipe recipe = model_recipe_default(N);
    struct error error = {0};
    struct config config;
    fixture.model = model_make(&recipe);
    fixture.table = model_open(&fixture.model);
    fixture.pool = pool_create(2);
    config_init(&config);
    const char *paths[N];
    for (size_t i = 0; i < N; i++)
        paths[i] = fixture.model.files[i].path;
    assert_true(config_set_files(&config, fixture.model.base, paths, N, &error));
    assert_true(plan_create(&config, fixture.table, &fixture.plan, &error));
    fixture.analysis = analysis_start(fixture.table, NULL, fixture.pool, &config.settings.real,
                                      (struct notifier){0});
    assert_true(analysis_wait(fixture.analysis, NULL, NULL, &error));
    fixture.preview = preview_create(fixture.table);
    preview_compute(fixture.preview, fixture.plan, fixture.analysis);
    config_free(&config);
    *state = &fixture;
    return 0;
}

static int unmake(void **state) {
    struct fixture *fixture = *state;
    preview_free(fixture->preview);
    analysis_free(fixture->analysis);
    plan_free(fixture->plan);
    pool_free(fixture->pool);
    tensor_table_close(fixture->table);
    model_remove(&fixture->model);
    return 0;
}

static size_t first_matrix(const struct tensor_table *table) {
    size_t l = 0;
    while (table->layers[l].role != ROLE_MATRIX)
        l++;
    return l;
}

static const struct image_options png = {
    .format = IMAGE_PNG, .width_inches = 6.4, .height_inches = 4, .dpi = 300};

static void spectrum_shows_the_singular_values(void **state) {
    const struct fixture *f = *state;
    size_t layer = first_matrix(f->table);
    struct spectrum_view view = spectrum_view_default();
    view.selected = 1;
    view.noise_edges = true;
    struct chart *chart = figure_spectrum(f->analysis, f->preview, layer, &view);
    assert_int_equal(chart->curve_count, N);
    for (size_t i = 0; i < N; i++) {
        const struct spectrum *spectrum = spectra_get(f->analysis->spectra, layer, i);
        assert_int_equal(chart->curves[i].count, spectrum->count);
        assert_memory_equal(chart->curves[i].y, spectrum->sigma, spectrum->count * sizeof(double));
        assert_close(chart->curves[i].x[0], 1, 0);
        assert_close(chart->curves[i].cut, (double)preview_cell_at(f->preview, layer, i)->rank, 0);
        assert_int_equal(chart->curves[i].selected, i == 1);
    }
    assert_int_equal(chart->line_count, 3); /* the selected one's cut and two edges */
    chart_free(chart);
}

static void relative_and_cumulative_follow_from_the_values(void **state) {
    const struct fixture *f = *state;
    size_t layer = first_matrix(f->table);
    const struct spectrum *spectrum = spectra_get(f->analysis->spectra, layer, 1);
    struct spectrum_view view = spectrum_view_default();
    view.noise_edges = view.relative = true;
    view.selected = 1;
    struct chart *chart = figure_spectrum(f->analysis, f->preview, layer, &view);
    for (size_t k = 0; k < spectrum->count; k++)
        assert_close(chart->curves[1].y[k], spectrum->sigma[k] / spectrum->sigma[0], 1e-15);
    assert_close(chart->lines[0].value, spectrum_gavish_donoho(spectrum) / spectrum->sigma[0],
                 1e-12);
    chart_free(chart);
    view.cumulative = true;
    view.cursor = 2;
    chart = figure_spectrum(f->analysis, f->preview, layer, &view);
    for (size_t k = 0; k < spectrum->count; k++)
        assert_close(chart->curves[1].y[k], spectrum_kept(spectrum, k + 1), 1e-15);
    assert_int_equal(chart->y.scale, CHART_LINEAR);
    assert_int_equal(chart->line_count, 2); /* the cut and the cursor; no edges of energy */
    assert_true(chart->lines[1].dotted && chart->lines[1].value == 2);
    chart_free(chart);
}

static void wait_for_raw(struct raw_spectra *raw, size_t layer) {
    raw_spectra_ask(raw, layer);
    while (!raw_spectra_idle(raw))
        ;
}

static void task_vectors_and_base_are_shown_when_they_are_there(void **state) {
    const struct fixture *f = *state;
    size_t layer = first_matrix(f->table);
    struct raw_spectra *raw =
        raw_spectra_create(f->table, NULL, f->analysis->pool, (struct notifier){0});
    struct spectrum_view view = spectrum_view_default();
    view.raw = raw;
    view.of = SPECTRUM_COMPARED;
    view.selected = 0;
    struct chart *chart = figure_spectrum(f->analysis, f->preview, layer, &view);
    assert_int_equal(chart->curve_count, 1); /* the residual; the others are not ready */
    chart_free(chart);
    wait_for_raw(raw, layer);
    chart = figure_spectrum(f->analysis, f->preview, layer, &view);
    assert_int_equal(chart->curve_count, 3);
    assert_close(chart->curves[1].y[0], raw_spectra_task(raw, layer, 0)->sigma[0], 0);
    assert_close(chart->curves[2].y[0], raw_spectra_base(raw, layer)->sigma[0], 0);
    assert_true(chart->curves[0].selected && isinf(chart->curves[1].cut));
    chart_free(chart);
    view.of = SPECTRUM_TASKS;
    chart = figure_spectrum(f->analysis, f->preview, layer, &view);
    assert_int_equal(chart->curve_count, N);
    assert_int_equal(chart->line_count, 0); /* ranks cut residuals only */
    chart_free(chart);
    raw_spectra_free(raw);
}

static void zoom_leaves_the_rest_out(void **state) {
    const struct fixture *f = *state;
    struct spectrum_view view = spectrum_view_default();
    view.zoom_min = 2;
    view.zoom_max = 4;
    struct chart *chart = figure_spectrum(f->analysis, f->preview, first_matrix(f->table), &view);
    assert_int_equal(chart->curves[0].count, 3);
    assert_close(chart->curves[0].x[0], 2, 0);
    chart_free(chart);
}

static void vectors_have_no_spectrum(void **state) {
    const struct fixture *f = *state;
    struct spectrum_view view = spectrum_view_default();
    for (size_t l = 0; l < f->table->layer_count; l++)
        if (f->table->layers[l].role != ROLE_MATRIX)
            assert_null(figure_spectrum(f->analysis, f->preview, l, &view));
}

static void parts_add_up_to_one(void **state) {
    const struct fixture *f = *state;
    struct figure_source source = {f->analysis, f->preview, f->plan};
    struct chart *charts[] = {figure_energy(&source, 0), figure_contributions_before(&source, 0),
                              figure_contributions_after(&source, 0)};
    for (size_t k = 0; k < 3; k++) {
        const struct chart_bars *bars = &charts[k]->bars;
        assert_int_equal(bars->category_count, f->table->matrix_count);
        for (size_t c = 0; c < bars->category_count; c++) {
            double sum = 0;
            for (size_t s = 0; s < bars->series_count; s++)
                sum += bars->values[c * bars->series_count + s];
            assert_close(sum, 1, 1e-9);
            assert_non_null(bars->categories[c]);
        }
        chart_free(charts[k]);
    }
}

static size_t layer_of_column(const struct tensor_table *table, size_t column) {
    size_t l = 0;
    for (;; l++)
        if (table->layers[l].role == ROLE_MATRIX && column-- == 0)
            return l;
}

static void maps_hold_percentages_of_cells(void **state) {
    const struct fixture *f = *state;
    struct figure_source source = {f->analysis, f->preview, f->plan};
    struct chart *share = figure_map_share(&source, 0), *kept = figure_map_kept(&source, 0),
                 *dominance = figure_map_dominance(&source, 0);
    assert_int_equal(share->map.row_count, N);
    assert_int_equal(share->map.column_count, f->table->matrix_count);
    for (size_t c = 0; c < share->map.column_count; c++) {
        size_t layer = layer_of_column(f->table, c), count = share->map.column_count;
        double sum = 0, greatest = -INFINITY;
        for (size_t i = 0; i < N; i++) {
            const struct preview_cell *cell = preview_cell_at(f->preview, layer, i);
            assert_close(share->map.values[i * count + c], 100 * cell->share_after, 1e-12);
            assert_close(kept->map.values[i * count + c], 100 * cell->kept, 1e-12);
            sum += share->map.values[i * count + c];
            greatest = fmax(greatest, dominance->map.values[i * count + c]);
        }
        assert_close(sum, 100, 1e-9);
        assert_close(greatest, 100 * f->preview->dominance[layer], 1e-9);
    }
    assert_true(dominance->map.minimum == -dominance->map.maximum);
    assert_true(share->map.minimum == 0 && kept->map.maximum == 100);
    chart_free(share);
    chart_free(kept);
    chart_free(dominance);
}

static void the_real_core_shows_eigenvalues_and_weights(void **state) {
    const struct fixture *f = *state;
    const struct real_core *core = f->analysis->core;
    struct figure_source source = {f->analysis, f->preview, f->plan};
    struct page *page = figure_real_core(&source, 0);
    assert_int_equal(page->chart_count, 2);
    const struct chart_bars *values = &page->charts[0]->bars, *weights = &page->charts[1]->bars;
    double total = 0;
    for (size_t i = 0; i < N; i++)
        total += core->eigenvalues[i];
    for (size_t i = 0; i < N; i++) {
        double share = core->eigenvalues[i] / total;
        char *name = memory_format("%.3g (%.1f %%)", core->eigenvalues[i], 100 * share);
        assert_string_equal(values->categories[i], name);
        assert_close(values->values[2 * i + (i >= core->settings.rank)], share, 1e-12);
        assert_close(weights->values[2 * i], core->weights[i], 0);
        assert_close(weights->values[2 * i + 1], core->parts[i], 0);
        free(name);
    }
    page_free(page);
}

/* Specialists equal to the base: there is no share, no Real part and nothing to keep. */
static void nothing_is_no_value(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(N);
    for (size_t i = 0; i < N; i++)
        recipe.scales[i] = 0;
    struct study study = study_make(&recipe, NULL, 1);
    struct figure_source source = {study.analysis, study.preview, study.plan};
    struct chart *charts[] = {figure_map_share(&source, 0), figure_map_real(&source, 0),
                              figure_map_kept(&source, 0), figure_map_dominance(&source, 0)};
    for (size_t k = 0; k < 4; k++) {
        for (size_t i = 0; i < N * charts[k]->map.column_count; i++)
            assert_true(isnan(charts[k]->map.values[i]));
        assert_true(isfinite(charts[k]->map.maximum) && charts[k]->map.maximum > 0);
        chart_free(charts[k]);
    }
    study_end(&study);
}

/* The files asked for in the tests below: four figures, two of which have no subject. */
static struct figure_files files_in(const char *folder, const char *layers) {
    return (struct figure_files){.folder = folder,
                                 .image = png,
                                 .figures = "spectrum,energy,contributions-*",
                                 .layers = layers};
}

static void files_are_written_for_the_layers_asked(void **state) {
    const struct fixture *f = *state;
    struct figure_source source = {f->analysis, f->preview, f->plan};
    struct scratch scratch = scratch_make();
    char *folder = scratch_path(&scratch, "figures");
    struct progress progress = {0};
    struct error error = {0};
    size_t count;
    const char *name = f->table->layers[first_matrix(f->table)].name;
    struct figure_files files = files_in(folder, name);
    files.config = "{}";
    assert_true(figures_write(&source, &files, &progress, &count, &error));
    assert_int_equal(count, 1 + N + 2);
    assert_int_equal(atomic_load(&progress.done), count);
    assert_int_equal(atomic_load(&progress.total), count);
    char *path = memory_format("%s/spectrum-%s.png", folder, name);
    assert_int_equal(access(path, R_OK), 0);
    free(path);
    assert_false(figures_write(&source, &files, NULL, &count, &error)); /* they exist */
    assert_int_equal(count, 0);
    error_free(&error);
    files.overwrite = true;
    assert_true(figures_write(&source, &files, NULL, &count, &error));
    progress.cancel = true;
    assert_false(figures_write(&source, &files, &progress, &count, &error));
    assert_int_equal(error.kind, ERROR_CANCELLED);
    error_free(&error);
    scratch_remove(&scratch);
}

static void figures_are_chosen_by_patterns(void **state) {
    const struct fixture *f = *state;
    size_t count, chosen = 0;
    const struct figure *all = figures(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(figure_is_chosen(&all[i], NULL, NULL));
        assert_true(figure_is_chosen(&all[i], NULL, "*"));
        assert_false(figure_is_chosen(&all[i], NULL, "spectr,nergy,*-"));
        chosen += figure_is_chosen(&all[i], NULL, "energy,contrib*");
    }
    assert_int_equal(chosen, 3);
    struct error error = {0};
    assert_true(figures_check(f->table, NULL, &error));
    assert_true(figures_check(f->table, "spectrum,cont*", &error));
    assert_false(figures_check(f->table, "spectrum,enrgy", &error));
    assert_int_equal(error.kind, ERROR_USAGE);
    assert_non_null(strstr(error.message, "enrgy"));
    assert_non_null(strstr(error.hint, "energy"));
    error_free(&error);
    assert_false(figures_check(f->table, "", &error));
    error_free(&error);
}

static void files_are_chosen_by_their_names(void **state) {
    const struct fixture *f = *state;
    struct figure_list list = figure_list_make(f->table);
    struct error error = {0};
    for (size_t i = 0; i < list.count; i++) {
        size_t chosen = 0;
        assert_true(figures_check(f->table, list.files[i].name, &error));
        for (size_t other = 0; other < list.count; other++)
            chosen += figure_is_chosen(list.files[other].figure, list.files[other].name,
                                       list.files[i].name);
        assert_int_equal(chosen, 1);
    }
    assert_true(figures_check(f->table, "energy-*,*mlp*", &error));
    assert_false(figures_check(f->table, "energy-nobody", &error));
    error_free(&error);
    figure_list_free(&list);
}

/* Names of layers that are the same once they are safe as file names; a path out of the folder. */
static void files_of_names_alike_are_kept_apart(void **state) {
    (void)state;
    static const struct model_tensor tensors[] = {
        {.name = "a/b", .rank = 2, .shape = {4, 3}},
        {.name = "a b", .rank = 2, .shape = {4, 3}},
        {.name = "A_b", .rank = 2, .shape = {4, 3}},
        {.name = "../../c", .rank = 2, .shape = {4, 3}},
    };
    struct model_recipe recipe = model_recipe_default(2);
    recipe.tensors = tensors;
    recipe.tensor_count = 4;
    struct study study = study_make(&recipe, NULL, 1);
    struct scratch scratch = scratch_make();
    struct error error = {0};
    size_t count;
    char *folder = scratch_path(&scratch, "figures");
    struct figure_source source = {study.analysis, study.preview, study.plan};
    struct figure_files files = files_in(folder, NULL);
    assert_true(figures_write(&source, &files, NULL, &count, &error));
    assert_int_equal(count, 4 + 2 + 2);
    static const char *const suffixes[] = {"", "-2", "-3"};
    size_t found = 0;
    for (size_t i = 0; i < 3; i++)
        for (int upper = 0; upper <= 1; upper++) {
            char *path =
                memory_format("%s/spectrum-%s_b%s.png", folder, upper ? "A" : "a", suffixes[i]);
            found += access(path, R_OK) == 0;
            free(path);
        }
    assert_int_equal(found, 3);
    scratch_remove(&scratch);
    study_end(&study);
}

static void a_folder_that_cannot_be_is_an_error(void **state) {
    const struct fixture *f = *state;
    struct error error = {0};
    struct figure_source source = {f->analysis, f->preview, f->plan};
    struct figure_files files = files_in("/dev/null/x", NULL);
    assert_false(figures_write(&source, &files, NULL, NULL, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_non_null(strstr(error.message, "/dev/null/x"));
    error_free(&error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spectrum_shows_the_singular_values),
        cmocka_unit_test(relative_and_cumulative_follow_from_the_values),
        cmocka_unit_test(task_vectors_and_base_are_shown_when_they_are_there),
        cmocka_unit_test(zoom_leaves_the_rest_out),
        cmocka_unit_test(vectors_have_no_spectrum),
        cmocka_unit_test(parts_add_up_to_one),
        cmocka_unit_test(maps_hold_percentages_of_cells),
        cmocka_unit_test(the_real_core_shows_eigenvalues_and_weights),
        cmocka_unit_test(nothing_is_no_value),
        cmocka_unit_test(files_are_written_for_the_layers_asked),
        cmocka_unit_test(figures_are_chosen_by_patterns),
        cmocka_unit_test(files_are_chosen_by_their_names),
        cmocka_unit_test(files_of_names_alike_are_kept_apart),
        cmocka_unit_test(a_folder_that_cannot_be_is_an_error),
    };
    return cmocka_run_group_tests_name("figures", tests, make, unmake);
}
