/* What there are figures of, and how their files are called. */
#include "analysis/layer_kinds.h"
#include "analysis/support/memory.h"
#include "render/figures/figures.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_LIMIT = 150 }; /* characters of a layer's name in a file name */

/* Tensors and their kinds, one of which a figure may be about. */
struct subjects {
    const struct tensor_table *table;
    struct layer_kinds *kinds;
};

static size_t subject_count(const struct subjects *subjects, enum figure_scope scope) {
    const struct tensor_table *table = subjects->table;
    const size_t counts[] = {[FIGURE_WHOLE] = 1,
                             [FIGURE_SPECIALIST] = table->specialist_count,
                             [FIGURE_KIND] = subjects->kinds->count,
                             [FIGURE_LAYER] = table->layer_count};
    return table->matrix_count > 0 ? counts[scope] : 0;
}

static const char *subject_name(const struct subjects *subjects, enum figure_scope scope,
                                size_t subject) {
    const struct tensor_table *table = subjects->table;
    return scope == FIGURE_WHOLE        ? NULL
           : scope == FIGURE_KIND       ? subjects->kinds->kinds[subject].name
           : scope == FIGURE_SPECIALIST ? table->specialists[subject].name
                                        : table->layers[subject].name;
}

static bool has_figure(const struct subjects *subjects, enum figure_scope scope, size_t subject) {
    return scope != FIGURE_LAYER || subjects->table->layers[subject].role == ROLE_MATRIX;
}

/* A name from a file is not to be trusted as a path. */
static char *safe_name(const char *name) {
    char *safe = memory_text(name, strnlen(name, NAME_LIMIT));
    for (char *c = safe; *c != '\0'; c++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *c) == NULL)
            *c = '_';
    if (safe[0] == '.')
        safe[0] = '_';
    return safe;
}

/* No other file may have the name, not even where case does not count. */
static bool is_new(const struct figure_list *list, const char *name) {
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->files[i].name, name) == 0)
            return false;
    return true;
}

/* FIGURE-SUBJECT; different subjects that look alike as files get a number. */
static char *file_name(const struct figure_list *list, const char *figure, const char *subject) {
    if (subject == NULL)
        return memory_string(figure);
    char *safe = safe_name(subject), *name = memory_format("%s-%s", figure, safe);
    for (size_t number = 2; !is_new(list, name); number++) {
        free(name);
        name = memory_format("%s-%s-%zu", figure, safe, number);
    }
    free(safe);
    return name;
}

static void add(struct figure_list *list, const struct figure *figure, size_t subject,
                const char *subject_name) {
    char *name = file_name(list, figure->name, subject_name);
    list->files = memory_resize(list->files, list->count + 1, sizeof *list->files);
    list->files[list->count++] = (struct figure_file){figure, subject, name};
}

struct figure_list figure_list_make(const struct tensor_table *table) {
    const struct subjects subjects = {table, layer_kinds_with_depth(table)};
    struct figure_list list = {0};
    size_t count;
    const struct figure *all = figures(&count);
    for (size_t f = 0; f < count; f++)
        for (size_t s = 0; s < subject_count(&subjects, all[f].scope); s++)
            if (has_figure(&subjects, all[f].scope, s))
                add(&list, &all[f], s, subject_name(&subjects, all[f].scope, s));
    layer_kinds_free(subjects.kinds);
    return list;
}

void figure_list_free(struct figure_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->files[i].name);
    free(list->files);
    *list = (struct figure_list){0};
}
