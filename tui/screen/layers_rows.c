#include "tui/screen/layers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add_module(struct layers_rows *rows, const char *name, size_t length, size_t first) {
    struct module *module = &rows->modules[rows->module_count++];
    *module =
        (struct module){.label = layer_module_label(name, length), .first = first, .count = 1};
}

/* A module that was folded stays so. */
static void keep_folds(struct layers_rows *rows, const struct layers_rows *older) {
    for (size_t m = 0; m < rows->module_count; m++)
        for (size_t o = 0; o < older->module_count; o++)
            if (older->modules[o].folded &&
                strcmp(older->modules[o].label, rows->modules[m].label) == 0)
                rows->modules[m].folded = true;
}

void layers_rows_build(struct layers_rows *rows, const struct tensor_table *table, bool vectors,
                       const char *filter) {
    struct layers_rows older = *rows;
    size_t room = table->layer_count;
    *rows = (struct layers_rows){.shown = memory_array(room, sizeof *rows->shown),
                                 .modules = memory_array(room, sizeof *rows->modules),
                                 .rows = memory_array(2 * room, sizeof *rows->rows)};
    const char *before = "";
    size_t before_length = 0;
    for (size_t l = 0; l < table->layer_count; l++) {
        const char *name = table->layers[l].name;
        if (!layer_is_listed(&table->layers[l], vectors, filter))
            continue;
        size_t length = layer_module_length(name), at = rows->shown_count++;
        bool same = at > 0 && length == before_length && strncmp(name, before, length) == 0;
        rows->shown[at] = l;
        if (same && length > 0)
            rows->modules[rows->module_count - 1].count++;
        else
            add_module(rows, name, length, at);
        before = name;
        before_length = length;
    }
    keep_folds(rows, &older);
    layers_rows_free(&older);
    layers_rows_update(rows);
}

void layers_rows_update(struct layers_rows *rows) {
    rows->row_count = 0;
    rows->flat = false;
    for (size_t m = 0; m < rows->module_count; m++) {
        const struct module *module = &rows->modules[m];
        if (module->count > 1)
            rows->rows[rows->row_count++] =
                (struct layers_row){true, m, module->first, module->count};
        for (size_t i = 0; i < module->count && !(module->folded && module->count > 1); i++)
            rows->rows[rows->row_count++] = (struct layers_row){false, m, module->first + i, 1};
    }
}

/* A layer's place in shown[], and the number by which it is put in order. */
struct place {
    double value;
    size_t at, module;
};

/* NAN comes last; equal ones in the order of the model. */
static int compare_places(const void *one, const void *other) {
    const struct place *a = one, *b = other;
    if (isnan(a->value) != isnan(b->value))
        return isnan(a->value) - isnan(b->value);
    if (a->value < b->value || a->value > b->value)
        return a->value < b->value ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

void layers_rows_sort(struct layers_rows *rows, const double *values, bool down) {
    struct place *places = memory_array(rows->shown_count, sizeof *places);
    for (size_t m = 0, at = 0; m < rows->module_count; m++)
        for (size_t i = 0; i < rows->modules[m].count; i++, at++)
            places[at] = (struct place){down ? -values[at] : values[at], at, m};
    qsort(places, rows->shown_count, sizeof *places, compare_places);
    for (size_t i = 0; i < rows->shown_count; i++)
        rows->rows[i] = (struct layers_row){false, places[i].module, places[i].at, 1};
    rows->row_count = rows->shown_count;
    rows->flat = true;
    free(places);
}

void layers_rows_free(struct layers_rows *rows) {
    for (size_t m = 0; m < rows->module_count; m++)
        free(rows->modules[m].label);
    free(rows->modules);
    free(rows->shown);
    free(rows->rows);
    *rows = (struct layers_rows){0};
}

size_t layers_row_of(const struct layers_rows *rows, size_t layer) {
    size_t best = 0;
    for (size_t r = 0; r < rows->row_count; r++) {
        const struct layers_row *row = &rows->rows[r];
        for (size_t i = row->first; i < row->first + row->count; i++)
            if (rows->shown[i] == layer)
                best = r;
    }
    return best;
}

void layers_row_label(const struct layers_rows *rows, const struct tensor_table *table, size_t row,
                      char label[TEXT_ROOM]) {
    const struct layers_row *one = &rows->rows[row];
    const struct module *module = &rows->modules[one->module];
    const char *name = table->layers[rows->shown[one->first]].name;
    if (one->is_module)
        snprintf(label, TEXT_ROOM, "%s (%zu)", module->label, module->count);
    else if (module->count > 1 && !rows->flat)
        layer_kind(name, label);
    else
        layer_label(name, label);
}
