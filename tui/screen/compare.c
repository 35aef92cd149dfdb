#include "tui/screen/compare.h"

#include "merge/text.h"
#include "render/short_names.h"
#include "tui/screen/app.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMN_LAYER,
    COLUMN_SPECIALIST,
    COLUMN_RANK_A,
    COLUMN_RANK_B,
    COLUMN_KEPT_A,
    COLUMN_KEPT_B,
    COLUMN_SHARE_A,
    COLUMN_SHARE_B
};

static const struct column columns[] = {
    {"Layer", 16, 0, 90, false, COLUMN_LAYER, 0},   {"of", 8, 1, 0, false, COLUMN_SPECIALIST, 0},
    {"rank A", 6, 0, 0, true, COLUMN_RANK_A, 0},    {"B", 5, 0, 0, true, COLUMN_RANK_B, 0},
    {"kept% A", 7, 2, 0, true, COLUMN_KEPT_A, 0},   {"B", 5, 2, 0, true, COLUMN_KEPT_B, 0},
    {"share% A", 8, 3, 0, true, COLUMN_SHARE_A, 0}, {"B", 5, 3, 0, true, COLUMN_SHARE_B, 0}};

/* Below this shares and kept energies are called equal: it is not seen. */
#define VISIBLE 0.0005

/* The analysis with A's core: the app's own where that is the same. */
static const struct analysis *analysis_of(struct app *app, struct compare *compare) {
    const struct real_settings *real = &compare->plan->effective.real;
    if (real_settings_equal(real, &app->analysis->settings))
        return app->analysis;
    if (compare->analysis == NULL && app->analysis->gram != NULL)
        compare->analysis =
            analysis_start(app->table, app->options->cache, app->pool, real, app_notifier(app));
    if (compare->analysis != NULL)
        analysis_advance(compare->analysis);
    return compare->analysis;
}

static void note(struct compare *compare, const char *name, const char *a, const char *b) {
    if (strcmp(a, b) == 0)
        return;
    char *line = memory_format("%s: %s (A), %s (B)", name, a, b);
    string_list_add(&compare->settings, line);
    free(line);
}

/* Fields of the settings table, the default rank, weights, overrides. */
static void compare_settings(const struct app *app, struct compare *compare) {
    const struct config *one = &compare->plan->config, *other = &app->plan->config;
    char a[FIELD_TEXT], b[FIELD_TEXT];
    size_t count;
    const struct settings_field *fields = settings_fields(&count);
    string_list_free(&compare->settings);
    compare->settings = (struct string_list){0};
    for (size_t i = 0; i < count; i++) {
        settings_field_text(&one->settings, &fields[i], a, sizeof a);
        settings_field_text(&other->settings, &fields[i], b, sizeof b);
        note(compare, fields[i].path, a, b);
    }
    note(compare, "residual.rank", rank_rule_format(one->rank, a, sizeof a),
         rank_rule_format(other->rank, b, sizeof b));
    for (size_t i = 0; i < one->specialist_count; i++) {
        char *name = memory_format("weight of %s", one->specialists[i].name);
        note(compare, name, number_text(one->specialists[i].weight, a),
             number_text(other->specialists[i].weight, b));
        free(name);
    }
    snprintf(a, sizeof a, "%zu", one->override_count);
    snprintf(b, sizeof b, "%zu", other->override_count);
    note(compare, "overrides", a, b);
}

static bool differs(const struct preview_cell *a, const struct preview_cell *b) {
    return a->ready && b->ready &&
           (a->rank != b->rank || fabs(a->kept - b->kept) > VISIBLE ||
            fabs(a->share_after - b->share_after) > VISIBLE);
}

static void compare_layers(const struct app *app, struct compare *compare) {
    size_t n = app->table->specialist_count, count = 0;
    free(compare->rows);
    compare->rows = memory_array(app->table->layer_count * n + 1, sizeof *compare->rows);
    for (size_t l = 0; l < app->table->layer_count; l++)
        for (size_t i = 0; i < n && app->table->layers[l].role == ROLE_MATRIX; i++)
            if (differs(preview_cell_at(compare->preview, l, i),
                        preview_cell_at(app->preview, l, i)))
                compare->rows[count++] = (struct compare_row){l, i};
    list_resize(&compare->list, count);
}

void compare_update(struct app *app) {
    struct compare *compare = app->compare;
    if (compare == NULL)
        return;
    const struct analysis *analysis = analysis_of(app, compare);
    if (analysis != NULL)
        preview_compute(compare->preview, compare->plan, analysis);
    compare_settings(app, compare);
    compare_layers(app, compare);
}

static char **names_of(const struct tensor_table *table) {
    size_t count = 0, *layers = memory_array(table->layer_count, sizeof *layers);
    char **brief = memory_array(table->layer_count, sizeof *brief);
    char **names = memory_array(table->layer_count, sizeof *names);
    for (size_t l = 0; l < table->layer_count; l++)
        if (table->layers[l].role == ROLE_MATRIX)
            layers[count++] = l;
    short_names(table, layers, count, brief);
    for (size_t k = 0; k < count; k++)
        names[layers[k]] = brief[k];
    free(brief);
    free(layers);
    return names;
}

bool compare_open(struct app *app, const char *path, struct error *error) {
    struct config config;
    struct plan *plan = NULL;
    if (!config_read(path, &config, error))
        return false;
    bool good = plan_create(&config, app->table, &plan, error);
    if (good && !plan_fits_table(plan))
        good = error_set(error, ERROR_USAGE, "%s: has other specialists than this plan", path);
    config_free(&config);
    if (!good) {
        plan_free(plan);
        return false;
    }
    compare_close(app);
    app->compare = memory_array(1, sizeof *app->compare);
    *app->compare = (struct compare){.path = memory_string(path), .plan = plan};
    app->compare->preview = preview_create(app->table);
    app->compare->names = names_of(app->table);
    app->compare->layer_count = app->table->layer_count;
    compare_update(app);
    return true;
}

void compare_close(struct app *app) {
    struct compare *compare = app->compare;
    if (compare == NULL)
        return;
    analysis_free(compare->analysis);
    preview_free(compare->preview);
    plan_free(compare->plan);
    string_list_free(&compare->settings);
    for (size_t l = 0; l < compare->layer_count; l++)
        free(compare->names[l]);
    free(compare->names);
    free(compare->rows);
    free(compare->path);
    free(compare);
    app->compare = NULL;
}

bool compare_idle(const struct app *app) {
    const struct analysis *own = app->compare != NULL ? app->compare->analysis : NULL;
    return own == NULL || own->stage == ANALYSIS_DONE || own->stage == ANALYSIS_FAILED;
}

static void fill(void *context, size_t row, int column, int width, struct list_cell *cell) {
    const struct app *app = context;
    const struct compare_row *at = &app->compare->rows[row];
    const struct preview_cell *a =
        preview_cell_at(app->compare->preview, at->layer, at->specialist);
    const struct preview_cell *b = preview_cell_at(app->preview, at->layer, at->specialist);
    const double numbers[] = {
        [COLUMN_RANK_A] = (double)a->rank,       [COLUMN_RANK_B] = (double)b->rank,
        [COLUMN_KEPT_A] = 100 * a->kept,         [COLUMN_KEPT_B] = 100 * b->kept,
        [COLUMN_SHARE_A] = 100 * a->share_after, [COLUMN_SHARE_B] = 100 * b->share_after};
    char cut[TEXT_ROOM];
    if (column == COLUMN_LAYER) {
        const char *name = app->compare->names[at->layer];
        snprintf(cell->text, sizeof cell->text, "%s", text_shorten_name(name, width, cut));
        return;
    }
    cell->style = specialist_style(at->specialist);
    if (column == COLUMN_SPECIALIST) {
        const char *name = app->table->specialists[at->specialist].name;
        snprintf(cell->text, sizeof cell->text, "%s", text_shorten(name, width, cut));
        return;
    }
    bool even = column == COLUMN_RANK_A || column == COLUMN_KEPT_A || column == COLUMN_SHARE_A;
    snprintf(cell->text, sizeof cell->text, column <= COLUMN_RANK_B ? "%.0f" : "%.1f",
             numbers[column]);
    if (!even && numbers[column] != numbers[column - 1])
        cell->style |= STYLE_BOLD;
}

/* Lines of settings, as many as a third of the body has. */
static void draw_settings(const struct compare *compare, struct surface *surface,
                          struct rect *rect) {
    size_t room = (size_t)(rect->height / 3);
    const struct string_list *lines = &compare->settings;
    if (lines->count == 0)
        surface_paragraph(surface, rect, ELEMENT_QUIET, "No setting differs.");
    for (size_t i = 0; i < lines->count && i < room; i++)
        surface_paragraph(surface, rect, ELEMENT_TEXT, lines->items[i]);
    if (lines->count > room) {
        char text[40];
        snprintf(text, sizeof text, "and %zu more", lines->count - room);
        surface_paragraph(surface, rect, ELEMENT_QUIET, text);
    }
}

void compare_draw(struct app *app, struct surface *surface, struct rect body) {
    struct compare *compare = app->compare;
    struct rect rect = {body.row, 1, body.height, body.width - 2};
    char text[TEXT_ROOM], *path = error_quote(compare->path, strlen(compare->path));
    size_t cells = app->table->matrix_count * app->table->specialist_count;
    snprintf(text, sizeof text, "A: %s   B: the plan as it is   (c: back to the settings)", path);
    free(path);
    surface_paragraph(surface, &rect, ELEMENT_HEADER, text);
    draw_settings(compare, surface, &rect);
    rect.row++, rect.height--;
    if (!compare->preview->complete || !app->preview->complete)
        snprintf(text, sizeof text, "Layers follow when their spectra are there.");
    else
        snprintf(text, sizeof text, "%zu of %zu ranks, kept energies or shares differ.",
                 compare->list.count, cells);
    surface_paragraph(surface, &rect, ELEMENT_QUIET, text);
    if (compare->list.count > 0)
        list_draw(&compare->list, surface, rect, columns, sizeof columns / sizeof *columns, true,
                  fill, app);
}
