#include "analysis/layer_kinds.h"

#include "analysis/layer_names.h"
#include "analysis/support/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which layers ---- */

static struct layer_kind *kind_of(struct layer_kinds *kinds, const struct tensor_table *table,
                                  const char *name) {
    for (size_t k = 0; k < kinds->count; k++)
        if (layer_same_kind(table->layers[kinds->kinds[k].layers[0]].name, name))
            return &kinds->kinds[k];
    kinds->kinds = memory_resize(kinds->kinds, kinds->count + 1, sizeof *kinds->kinds);
    kinds->kinds[kinds->count] = (struct layer_kind){0};
    return &kinds->kinds[kinds->count++];
}

static void collect(struct layer_kinds *kinds, const struct tensor_table *table) {
    for (size_t l = 0; l < table->layer_count; l++)
        if (table->layers[l].role == ROLE_MATRIX) {
            struct layer_kind *kind = kind_of(kinds, table, table->layers[l].name);
            kind->layers = memory_resize(kind->layers, kind->count + 1, sizeof *kind->layers);
            kind->layers[kind->count++] = l;
        }
}

/* ---- what their names differ in ---- */

/* Part number index of a dotted name and its length; NULL behind the last. */
static const char *part_at(const char *name, size_t index, size_t *length) {
    for (;; name += *length + 1) {
        *length = strcspn(name, ".");
        if (index-- == 0)
            return name;
        if (name[*length] == '\0')
            return NULL;
    }
}

/* Whether the layers' names differ in that part; of one kind they differ in numbers only. */
static bool part_varies(const struct layer_kind *kind, const struct tensor_table *table,
                        size_t index) {
    size_t length, other_length;
    const char *part = part_at(table->layers[kind->layers[0]].name, index, &length);
    for (size_t i = 1; i < kind->count; i++) {
        const char *other = part_at(table->layers[kind->layers[i]].name, index, &other_length);
        if (other_length != length || memcmp(part, other, length) != 0)
            return true;
    }
    return false;
}

/* How many parts vary; *last is the last of them. */
static size_t varying_parts(const struct layer_kind *kind, const struct tensor_table *table,
                            size_t *last) {
    size_t varying = 0, length;
    for (size_t p = 0; part_at(table->layers[kind->layers[0]].name, p, &length) != NULL; p++)
        if (part_varies(kind, table, p)) {
            varying++;
            *last = p;
        }
    return varying;
}

static void set_depths(struct layer_kind *kind, const struct tensor_table *table) {
    size_t number = 0, length;
    kind->numbered = varying_parts(kind, table, &number) == 1;
    kind->depths = memory_array(kind->count, sizeof *kind->depths);
    for (size_t i = 0; i < kind->count; i++)
        kind->depths[i] =
            kind->numbered
                ? strtod(part_at(table->layers[kind->layers[i]].name, number, &length), NULL)
                : (double)i;
}

/* ---- what they are called ---- */

/* "encoder.layers.*.mlp.fc1" */
static void full_name(const struct layer_kind *kind, const struct tensor_table *table,
                      char name[LAYER_NAME_ROOM]) {
    const char *first = table->layers[kind->layers[0]].name, *part;
    size_t length, used = 0;
    for (size_t p = 0; (part = part_at(first, p, &length)) != NULL && used < LAYER_NAME_ROOM; p++)
        used += (size_t)snprintf(name + used, LAYER_NAME_ROOM - used, "%s%.*s", p > 0 ? "." : "",
                                 part_varies(kind, table, p) ? 1 : (int)length,
                                 part_varies(kind, table, p) ? "*" : part);
    layer_drop_ending(name);
}

/* "mlp.fc1": what follows the last number that varies. */
static char *short_name(const struct layer_kind *kind, const struct tensor_table *table) {
    const char *first = table->layers[kind->layers[0]].name, *part = NULL;
    char name[LAYER_NAME_ROOM];
    size_t last = 0, length = 0;
    if (varying_parts(kind, table, &last) > 0)
        part = part_at(first, last + 1, &length);
    if (part == NULL || part[length] == '\0') /* no more than "weight" */
        full_name(kind, table, name);
    else
        snprintf(name, sizeof name, "%s", part);
    layer_drop_ending(name);
    return memory_string(name);
}

static bool is_shared(const struct layer_kinds *kinds, size_t k) {
    for (size_t other = 0; other < kinds->count; other++)
        if (other != k && strcmp(kinds->kinds[other].name, kinds->kinds[k].name) == 0)
            return true;
    return false;
}

static void tell_apart(struct layer_kinds *kinds, const struct tensor_table *table) {
    bool *shared = memory_array(kinds->count, sizeof *shared);
    char name[LAYER_NAME_ROOM];
    for (size_t k = 0; k < kinds->count; k++)
        shared[k] = is_shared(kinds, k);
    for (size_t k = 0; k < kinds->count; k++)
        if (shared[k]) {
            full_name(&kinds->kinds[k], table, name);
            free(kinds->kinds[k].name);
            kinds->kinds[k].name = memory_string(name);
        }
    free(shared);
}

struct layer_kinds *layer_kinds_create(const struct tensor_table *table) {
    struct layer_kinds *kinds = memory_array(1, sizeof *kinds);
    collect(kinds, table);
    for (size_t k = 0; k < kinds->count; k++) {
        set_depths(&kinds->kinds[k], table);
        kinds->kinds[k].name = short_name(&kinds->kinds[k], table);
    }
    tell_apart(kinds, table);
    return kinds;
}

static void kind_release(struct layer_kind *kind) {
    free(kind->name);
    free(kind->layers);
    free(kind->depths);
}

static void add_all_matrices(struct layer_kinds *kinds, const struct tensor_table *table) {
    struct layer_kind all = {.name = memory_string("all matrices"),
                             .layers = memory_array(table->matrix_count, sizeof *all.layers),
                             .depths = memory_array(table->matrix_count, sizeof *all.depths)};
    for (size_t l = 0; l < table->layer_count; l++)
        if (table->layers[l].role == ROLE_MATRIX) {
            all.depths[all.count] = (double)all.count;
            all.layers[all.count++] = l;
        }
    kinds->kinds = memory_resize(kinds->kinds, 1, sizeof *kinds->kinds);
    kinds->kinds[0] = all;
    kinds->count = 1;
    kinds->lone = 0;
}

struct layer_kinds *layer_kinds_with_depth(const struct tensor_table *table) {
    struct layer_kinds *kinds = layer_kinds_create(table);
    size_t kept = 0;
    for (size_t k = 0; k < kinds->count; k++)
        if (kinds->kinds[k].count > 1)
            kinds->kinds[kept++] = kinds->kinds[k];
        else
            kind_release(&kinds->kinds[k]);
    kinds->lone = kinds->count - kept;
    kinds->count = kept;
    if (kept == 0)
        add_all_matrices(kinds, table);
    return kinds;
}

void layer_kinds_free(struct layer_kinds *kinds) {
    if (kinds == NULL)
        return;
    for (size_t k = 0; k < kinds->count; k++)
        kind_release(&kinds->kinds[k]);
    free(kinds->kinds);
    free(kinds);
}
