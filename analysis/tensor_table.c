#include "analysis/tensor_table.h"

#include "analysis/table_parts.h"

#include <stdlib.h>
#include <string.h>

/* The name of the file or folder at the end of a path, without its extension. */
static char *path_stem(const char *path) {
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    size_t dot = end;
    while (dot > start && path[dot - 1] != '.')
        dot--;
    if (dot > start + 1)
        end = dot - 1;
    return end > start ? error_quote(path + start, end - start) : memory_string("specialist");
}

static bool name_taken(const struct tensor_table *table, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(table->specialists[i].name, name) == 0)
            return true;
    return false;
}

/* wanted, or wanted-2, wanted-3, ... where an earlier specialist has that name. Takes wanted. */
static char *unique_name(const struct tensor_table *table, size_t count, char *wanted) {
    char *name = memory_string(wanted);
    for (unsigned number = 2; name_taken(table, count, name); number++) {
        free(name);
        name = memory_format("%s-%u", wanted, number);
    }
    free(wanted);
    return name;
}

/* With the first of the state dicts asked for that the file has; where there is none of them, as
 * usual, and a torch file's choice is said. */
static bool open_checkpoint(struct tensor_table *table, const char *path,
                            const struct string_list *state_dicts, struct checkpoint **checkpoint,
                            struct error *error) {
    for (size_t i = 0; i < state_dicts->count; i++) {
        struct error other = {0};
        bool good = checkpoint_open_at(path, state_dicts->items[i], checkpoint, &other);
        error_free(&other);
        if (good)
            return true;
    }
    if (!checkpoint_open(path, checkpoint, error))
        return false;
    if (state_dicts->count > 0 && strncmp(checkpoint_format(*checkpoint), "torch", 5) == 0) {
        char *warning = memory_format("%s: has no state dict %s; its only one is taken", path,
                                      state_dicts->items[0]);
        string_list_add(&table->warnings, warning);
        free(warning);
    }
    return true;
}

/* One file, its own warnings into the table's. */
static struct checkpoint *open_file(struct tensor_table *table, const char *path,
                                    const struct table_keys *keys, struct error *error) {
    struct checkpoint *checkpoint = NULL;
    struct error own = {0};
    if (!open_checkpoint(table, path, &keys->state_dict, &checkpoint, &own)) {
        error_add(error, own.kind, "%s", own.message);
        if (own.hint != NULL)
            error_hint(error, "%s", own.hint);
        error_free(&own);
        return NULL;
    }
    const struct string_list *warnings = checkpoint_warnings(checkpoint);
    for (size_t i = 0; i < warnings->count; i++)
        string_list_add(&table->warnings, warnings->items[i]);
    return checkpoint;
}

static bool open_files(struct tensor_table *table, const char *base_path,
                       const struct specialist_path *specialists, const struct table_keys *keys,
                       struct error *error) {
    table->base = open_file(table, base_path, keys, error);
    if (table->base != NULL && checkpoint_is_adapter(table->base))
        error_add(error, ERROR_INPUT, "%s: is an adapter, and the base must be a whole model",
                  base_path);
    for (size_t i = 0; i < table->specialist_count; i++) {
        const struct specialist_path *from = &specialists[i];
        struct table_specialist *specialist = &table->specialists[i];
        char *wanted = from->name != NULL ? memory_string(from->name) : path_stem(from->path);
        specialist->name = unique_name(table, i, wanted);
        specialist->path = memory_string(from->path);
        specialist->checkpoint = open_file(table, from->path, keys, error);
    }
    return error->kind == ERROR_NONE;
}

/* The name of a file's first tensor, quoted, for the hint. */
static char *first_name(const struct checkpoint *checkpoint) {
    if (checkpoint_weight_count(checkpoint) == 0)
        return memory_string("(no tensors)");
    const struct tensor *tensor = checkpoint_weight(checkpoint, 0);
    return error_quote(tensor->name, tensor->name_length);
}

void hint_at_names(const struct tensor_table *table, size_t specialist, struct error *error) {
    char *base = first_name(table->base);
    char *other = first_name(table->specialists[specialist].checkpoint);
    error_hint(error,
               "the base has names like %s, %s like %s; --strip-prefix and --rename can line "
               "them up",
               base, table->specialists[specialist].name, other);
    free(base);
    free(other);
}

/* Every specialist has something of the base, and all of them something together. */
static void check_common(const struct tensor_table *table, struct error *error) {
    size_t shared = 0;
    size_t *common = memory_array(table->specialist_count, sizeof *common);
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct layer *layer = &table->layers[l];
        shared += layer_is_shared(layer);
        for (size_t i = 0; i < table->specialist_count; i++)
            common[i] += layer->base != NULL && layer->specialists[i] != NULL;
    }
    for (size_t i = 0; i < table->specialist_count; i++) {
        if (common[i] > 0)
            continue;
        error_add(error, ERROR_INPUT, "%s: no tensor in common with the base %s",
                  table->specialists[i].path, checkpoint_path(table->base));
        hint_at_names(table, i, error);
    }
    if (shared == 0 && error->kind == ERROR_NONE)
        error_add(error, ERROR_INPUT,
                  "%s: no floating tensor in common with every one of its specialists",
                  checkpoint_path(table->base));
    free(common);
}

bool tensor_table_open(const char *base_path, const struct specialist_path *specialists,
                       size_t specialist_count, const struct table_keys *keys,
                       struct tensor_table **result, struct error *error) {
    if (specialist_count == 0)
        return error_set(error, ERROR_USAGE, "no specialist given");
    if (specialist_count > SPECIALIST_LIMIT)
        return error_set(error, ERROR_USAGE, "%zu specialists given, at most %d are allowed",
                         specialist_count, SPECIALIST_LIMIT);
    error_free(error);
    if (!table_keys_check(keys, error))
        return false;
    struct tensor_table *table = memory_array(1, sizeof *table);
    table->specialist_count = specialist_count;
    table->specialists = memory_array(specialist_count, sizeof *table->specialists);
    if (open_files(table, base_path, specialists, keys, error)) {
        line_up(table, keys, error);
        if (error->kind == ERROR_NONE || table->layer_count > 0)
            check_common(table, error);
    }
    if (error->kind != ERROR_NONE) {
        tensor_table_close(table);
        return false;
    }
    for (size_t l = 0; l < table->layer_count; l++)
        table->matrix_count += table->layers[l].role == ROLE_MATRIX;
    *result = table;
    return true;
}

void tensor_table_close(struct tensor_table *table) {
    if (table == NULL)
        return;
    for (size_t l = 0; l < table->layer_count; l++)
        layer_release(&table->layers[l]);
    free(table->layers);
    for (size_t i = 0; i < table->specialist_count; i++) {
        free(table->specialists[i].name);
        free(table->specialists[i].path);
        match_release(&table->specialists[i].match);
        checkpoint_close(table->specialists[i].checkpoint);
    }
    free(table->specialists);
    checkpoint_close(table->base);
    string_list_free(&table->warnings);
    arena_free(&table->views);
    free(table);
}

static int compare_name(const void *name, const void *layer) {
    return natural_compare(name, ((const struct layer *)layer)->name);
}

size_t tensor_table_find(const struct tensor_table *table, const char *name) {
    const struct layer *found =
        bsearch(name, table->layers, table->layer_count, sizeof *table->layers, compare_name);
    return found != NULL ? (size_t)(found - table->layers) : table->layer_count;
}

const struct checkpoint *tensor_table_file(const struct tensor_table *table, size_t file) {
    return file == 0 ? table->base : table->specialists[file - 1].checkpoint;
}

bool tensor_table_unchanged(const struct tensor_table *table, struct error *error) {
    bool good = true;
    for (size_t file = 0; file <= table->specialist_count && good; file++)
        good = checkpoint_unchanged(tensor_table_file(table, file), error);
    return good;
}
