#include "render/short_names.h"

#include "analysis/support/memory.h"

#include <stdlib.h>
#include <string.h>

static const char *layer_name(const struct tensor_table *table, const size_t *layers, size_t i) {
    return table->layers[layers[i]].name;
}

/* Bytes up to and with the last dot that all names share from the start. */
static size_t shared_start(const struct tensor_table *table, const size_t *layers, size_t count) {
    const char *first = layer_name(table, layers, 0);
    size_t shared = strlen(first);
    for (size_t i = 1; i < count; i++) {
        const char *name = layer_name(table, layers, i);
        size_t same = 0;
        while (same < shared && name[same] == first[same])
            same++;
        shared = same;
    }
    while (shared > 0 && first[shared - 1] != '.')
        shared--;
    return shared;
}

/* Bytes from and with the last part's dot, when all names end in the same part. */
static size_t shared_end(const struct tensor_table *table, const size_t *layers, size_t count) {
    const char *dot = strrchr(layer_name(table, layers, 0), '.');
    for (size_t i = 1; i < count && dot != NULL; i++) {
        const char *other = strrchr(layer_name(table, layers, i), '.');
        if (other == NULL || strcmp(dot, other) != 0)
            return 0;
    }
    return dot != NULL ? strlen(dot) : 0;
}

/* From the number of the layer on, "3.mlp.fc1" of "encoder.layers.3.mlp.fc1"; the last part where
 * there is no number. */
static const char *telling_part(const char *name) {
    const char *part = name, *dot;
    for (; (dot = strchr(part, '.')) != NULL; part = dot + 1)
        if (dot > part && strspn(part, "0123456789") == (size_t)(dot - part))
            return part;
    return part;
}

static int compare_names(const void *one, const void *other) {
    return strcmp(*(char *const *)one, *(char *const *)other);
}

static bool all_different(char *const *names, size_t count) {
    char **sorted = memory_array(count, sizeof *sorted);
    memcpy(sorted, names, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_names);
    bool different = true;
    for (size_t i = 1; i < count && different; i++)
        different = strcmp(sorted[i - 1], sorted[i]) != 0;
    free(sorted);
    return different;
}

/* Replaces names by their telling parts where that keeps them apart. */
static void tell_apart(char **names, size_t count) {
    char **told = memory_array(count, sizeof *told);
    for (size_t i = 0; i < count; i++)
        told[i] = memory_string(telling_part(names[i]));
    bool better = all_different(told, count);
    for (size_t i = 0; i < count; i++) {
        free(better ? names[i] : told[i]);
        if (better)
            names[i] = told[i];
    }
    free(told);
}

void short_names(const struct tensor_table *table, const size_t *layers, size_t count,
                 char **names) {
    size_t start = count > 1 ? shared_start(table, layers, count) : 0;
    size_t end = count > 1 ? shared_end(table, layers, count) : 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = layer_name(table, layers, i);
        size_t length = strlen(name);
        bool room = length > start + end;
        names[i] = room ? memory_text(name + start, length - start - end) : memory_string(name);
    }
    tell_apart(names, count);
}
