#include "analysis/table_parts.h"

#include <stdlib.h>
#include <string.h>

enum { SHAPE_TEXT = 256 };

const char *role_name(enum role role) {
    static const char *const names[ROLE_COUNT] = {"matrix", "vector",  "head",
                                                  "buffer", "carried", "tied"};
    return names[role];
}

bool layer_is_shared(const struct layer *layer) {
    return layer->role == ROLE_MATRIX || layer->role == ROLE_VECTOR;
}

size_t layer_max_rank(const struct layer *layer) {
    if (layer->role != ROLE_MATRIX)
        return 0;
    return layer->rows < layer->cols ? layer->rows : layer->cols;
}

const char *table_path(const struct tensor_table *table, size_t file) {
    return file == 0 ? checkpoint_path(table->base) : table->specialists[file - 1].path;
}

/* Number of specialists that have the tensor. */
static size_t owners(const struct tensor_table *table, const struct layer *layer) {
    size_t count = 0;
    for (size_t i = 0; i < table->specialist_count; i++)
        count += layer->specialists[i] != NULL;
    return count;
}

/* File of layer->like. */
static size_t like_file(const struct layer *layer) {
    size_t file = 0;
    if (layer->like == layer->base)
        return 0;
    while (layer->specialists[file] != layer->like)
        file++;
    return file + 1;
}

static void problem(const struct tensor_table *table, size_t file, const struct layer *layer,
                    struct error *error, const char *reason) {
    error_add(error, ERROR_INPUT, "%s: tensor %s: %s", table_path(table, file), layer->name,
              reason);
}

/* Every tensor of the line is of one kind, floating or integer. */
static bool check_kinds(const struct tensor_table *table, const struct layer *layer,
                        struct error *error) {
    bool good = true;
    for (size_t file = 0; file <= table->specialist_count; file++) {
        const struct tensor *tensor = file == 0 ? layer->base : layer->specialists[file - 1];
        if (tensor == NULL)
            continue;
        enum dtype_class kind = dtype_class(tensor->dtype);
        char *reason = NULL;
        if (kind == DTYPE_CLASS_OPAQUE)
            reason = memory_format("type %s cannot be merged", dtype_name(tensor->dtype));
        else if (kind != dtype_class(layer->like->dtype) &&
                 dtype_class(layer->like->dtype) != DTYPE_CLASS_OPAQUE)
            reason =
                memory_format("type %s where %s has %s", dtype_name(tensor->dtype),
                              table_path(table, like_file(layer)), dtype_name(layer->like->dtype));
        if (reason != NULL)
            problem(table, file, layer, error, reason);
        good = good && reason == NULL;
        free(reason);
    }
    return good;
}

static void check_shapes(const struct tensor_table *table, const struct layer *layer,
                         struct error *error) {
    for (size_t i = 0; i < table->specialist_count; i++) {
        const struct tensor *tensor = layer->specialists[i];
        if (tensor == NULL || tensor_same_shape(tensor, layer->like))
            continue;
        char own[SHAPE_TEXT], like[SHAPE_TEXT];
        size_t file = like_file(layer);
        const char *whose = file == 0 ? "the base" : table->specialists[file - 1].name;
        char *reason = memory_format("shape %s differs from %s's %s",
                                     tensor_shape_text(tensor, own, sizeof own), whose,
                                     tensor_shape_text(layer->like, like, sizeof like));
        problem(table, i + 1, layer, error, reason);
        if (file == 0)
            error_hint(error, "if that is the classification head: --set keys.head=%s",
                       layer->name);
        free(reason);
    }
}

/* A head for other classes than the base's: the specialists' counts. */
static void leave_base_head(const struct tensor_table *table, struct layer *layer) {
    for (size_t i = table->specialist_count; layer->base != NULL && i-- > 0;) {
        const struct tensor *own = layer->specialists[i];
        if (own != NULL && tensor_same_shape(own, layer->base)) {
            layer->like = layer->base;
            return;
        }
        layer->like = own != NULL ? own : layer->like;
    }
}

/* A buffer that the base lacks must be the same in all specialists that have it; one that the
 * base has is the base's, whatever the others hold. */
static void check_buffer(struct tensor_table *table, const struct layer *layer,
                         struct error *error) {
    for (size_t i = 0; i < table->specialist_count; i++) {
        const struct tensor *tensor = layer->specialists[i], *like = layer->like;
        if (tensor == NULL || tensor == like)
            continue;
        bool alike = tensor->dtype == like->dtype && tensor_same_shape(tensor, like);
        if (layer->base == NULL && !tensor_equal(tensor, like)) {
            char *reason = memory_format("differs from %s's, and the base has none",
                                         table->specialists[like_file(layer) - 1].name);
            problem(table, i + 1, layer, error, reason);
            free(reason);
        } else if (!alike) {
            char *warning = memory_format("%s differs in type or shape in %s: the base's is kept",
                                          layer->name, table->specialists[i].name);
            string_list_add(&table->warnings, warning);
            free(warning);
        }
    }
}

static bool is_bias(const struct layer *layer) {
    size_t length = strlen(layer->name);
    return length >= 4 && strcmp(layer->name + length - 4, "bias") == 0;
}

/* A head is averaged over all specialists; only a bias may be missing, it counts as 0. */
static void check_head(const struct tensor_table *table, const struct layer *layer,
                       struct error *error) {
    for (size_t i = 0; i < table->specialist_count && !is_bias(layer); i++)
        if (layer->specialists[i] == NULL)
            problem(table, i + 1, layer, error, "missing, and a head is averaged over all files");
}

static void warn_of_missing(struct tensor_table *table, const struct layer *layer) {
    char *names = NULL;
    for (size_t i = 0; i < table->specialist_count; i++) {
        if (layer->specialists[i] != NULL)
            continue;
        char *longer = memory_format("%s%s%s", names != NULL ? names : "",
                                     names != NULL ? ", " : "", table->specialists[i].name);
        free(names);
        names = longer;
    }
    char *warning = memory_format("%s is missing in %s: the base's is kept", layer->name, names);
    string_list_add(&table->warnings, warning);
    free(warning);
    free(names);
}

/* The layer's tensor as rows x cols, one row when it is no matrix (method.md section 1). */
static void take_view(struct layer *layer, bool excluded) {
    const struct tensor *tensor = layer->like;
    layer->elements = tensor->elements;
    bool matrix = !excluded && tensor->rank >= 2 && tensor->shape[0] >= 2 &&
                  tensor->elements / tensor->shape[0] >= 2;
    layer->rows = matrix ? (size_t)tensor->shape[0] : 1;
    layer->cols = (size_t)tensor->elements / layer->rows;
}

static enum role floating_role(struct tensor_table *table, const struct layer *layer, bool head,
                               struct error *error) {
    check_shapes(table, layer, error);
    if (head) {
        check_head(table, layer, error);
        return ROLE_HEAD;
    }
    if (owners(table, layer) < table->specialist_count) {
        warn_of_missing(table, layer);
        return ROLE_CARRIED;
    }
    return layer->rows > 1 ? ROLE_MATRIX : ROLE_VECTOR;
}

void layer_complete(const struct tensor_table *table, struct layer *layer) {
    for (size_t i = 0; i < table->specialist_count; i++)
        if (layer->specialists[i] == NULL &&
            checkpoint_is_adapter(table->specialists[i].checkpoint))
            layer->specialists[i] = layer->base;
}

/* An update needs a weight to be added to. */
static void check_updates(const struct tensor_table *table, const struct layer *layer,
                          struct error *error) {
    for (size_t i = 0; i < table->specialist_count && layer->base == NULL; i++)
        if (layer->specialists[i] != NULL && layer->specialists[i]->update != NULL)
            problem(table, i + 1, layer, error, "is changed here, and the base has none");
}

static bool is_named(const struct string_list *globs, const struct layer *layer,
                     const char *alias) {
    return globs_match(globs, layer->name) || globs_match(globs, alias);
}

bool layer_take_role(struct tensor_table *table, const struct table_keys *keys, const char *alias,
                     struct layer *layer, struct left_out *left_out, struct error *error) {
    bool integer = dtype_class(layer->like->dtype) == DTYPE_CLASS_INTEGER;
    bool everywhere = owners(table, layer) == table->specialist_count;
    bool head = is_named(&keys->head, layer, alias) ||
                (layer->base == NULL && (everywhere || is_bias(layer)));
    if (head && !integer)
        leave_base_head(table, layer);
    take_view(layer, is_named(&keys->exclude, layer, alias));
    check_updates(table, layer, error);
    if (owners(table, layer) == 0) {
        layer->role = integer ? ROLE_BUFFER : ROLE_CARRIED;
        if (!integer)
            string_list_add(&left_out->base_only, layer->name);
        return true;
    }
    if (layer->base == NULL && !integer && !head) {
        string_list_add(&left_out->some_specialists, layer->name);
        return false;
    }
    layer->role = ROLE_BUFFER;
    if (!check_kinds(table, layer, error))
        return true;
    if (integer)
        check_buffer(table, layer, error);
    else
        layer->role = floating_role(table, layer, head, error);
    return true;
}
