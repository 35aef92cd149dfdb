#include "analysis/checkpoint/torch/torch_file.h"

#include <stdlib.h>
#include <string.h>

/* Names and shapes may take as many bytes as the file and these; tensors may be listed often. */
static const uint64_t TEXT_LIMIT = 32 << 20;

enum { TENSOR_LIMIT = 250000 };
enum { CLASH_LIMIT = 64, KIND_LIMIT = 64, NAMED_LIMIT = 5 };

const char *const torch_endings[] = {".pth", ".pt", ".bin", ".ckpt", NULL};

/* Collects tensors while walking. */
struct loading {
    struct torch_file *file;
    struct walk walk;
    size_t capacity;    /* of the checkpoint's tensors */
    uint64_t text;      /* bytes of names and shapes so far */
    size_t unsupported; /* tensors that cannot be read */
    char *named;        /* the first few of them, for the warning; NULL for none */
    size_t outside;     /* tensors elsewhere in the file */
};

bool torch_pickle_fail(const struct torch_file *file) {
    return checkpoint_fail(file->checkpoint, file->error, "%s: %s", file->where,
                           file->pickle.problem);
}

bool torch_walk_end(const struct torch_file *file, struct walk *walk) {
    bool exhausted = walk->exhausted;
    walk_end(walk);
    return !exhausted ||
           checkpoint_fail(file->checkpoint, file->error,
                           "%s: its containers are nested too deeply or too often", file->where);
}

static struct tensor *add_tensor(struct loading *loading) {
    struct checkpoint *checkpoint = loading->file->checkpoint;
    if (checkpoint->count == loading->capacity) {
        loading->capacity = 2 * loading->capacity + 64;
        checkpoint->tensors =
            memory_resize(checkpoint->tensors, loading->capacity, sizeof *checkpoint->tensors);
    }
    struct tensor *tensor = &checkpoint->tensors[checkpoint->count++];
    const struct walk *walk = &loading->walk;
    size_t length = walk->path_length <= TENSOR_NAME_LIMIT ? walk->path_length : 40;
    char *name = arena_take(&checkpoint->arena, length + 1);
    memcpy(name, walk->path, length);
    name[length] = '\0';
    *tensor = (struct tensor){.name = name, .name_length = length};
    return tensor;
}

static void leave_out(struct loading *loading, const struct tensor *tensor, const char *kind) {
    char *what = memory_format("unsupported tensors (%s)", kind);
    checkpoint_skip(loading->file->checkpoint, what, 1);
    free(what);
    if (loading->unsupported++ >= NAMED_LIMIT)
        return;
    char *name = error_quote(tensor->name, tensor->name_length), *named = loading->named;
    loading->named = named == NULL ? memory_format("%s (%s)", name, kind)
                                   : memory_format("%s, %s (%s)", named, name, kind);
    free(named);
    free(name);
}

static bool load_tensor(struct loading *loading) {
    struct torch_file *file = loading->file;
    struct tensor *tensor = add_tensor(loading);
    const char *unsupported;
    walk_found(&loading->walk);
    if (loading->walk.path_length > TENSOR_NAME_LIMIT)
        return tensor_fail(file->checkpoint, tensor, file->error,
                           "... is a name of more than %d bytes", TENSOR_NAME_LIMIT);
    const char *problem = torch_tensor_read(file, loading->walk.node, tensor, &unsupported);
    if (problem != NULL) {
        if (file->error->kind == ERROR_NONE)
            tensor_fail(file->checkpoint, tensor, file->error, "%s", problem);
        return false;
    }
    loading->text += tensor->name_length + 2 * tensor->rank * sizeof *tensor->shape;
    if (file->checkpoint->count > TENSOR_LIMIT ||
        loading->text > TEXT_LIMIT + file->checkpoint->file.size)
        return checkpoint_fail(file->checkpoint, file->error,
                               "too many tensors, or of too long names");
    if (unsupported != NULL) {
        leave_out(loading, tensor, unsupported);
        file->checkpoint->count--;
    }
    return true;
}

/* Counts a value that is no tensor. */
static void skip_value(const struct torch_file *file, uint32_t node) {
    const struct pickle *pickle = &file->pickle;
    const struct node *value = &pickle->nodes[node];
    if (value->kind == NODE_NONE)
        return;
    bool opaque = value->kind == NODE_OBJECT && pickle_globals[value->global].role == ROLE_OBJECT;
    if (!opaque || file->checkpoint->skipped_count >= KIND_LIMIT) {
        checkpoint_skip(file->checkpoint, opaque ? "objects of other classes" : "values", 1);
        return;
    }
    char *class = pickle_global_name(pickle, node);
    char *what = memory_format("objects of %s", class);
    checkpoint_skip(file->checkpoint, what, 1);
    free(what);
    free(class);
}

static bool finish_walk(struct loading *loading) {
    const struct torch_file *file = loading->file;
    if (loading->walk.unnamed > 0)
        checkpoint_skip(file->checkpoint, "values whose keys make no name", loading->walk.unnamed);
    return torch_walk_end(file, &loading->walk) && file->error->kind == ERROR_NONE;
}

/* The tensors of the state dict, in its order. */
static bool load_tensors(struct loading *loading, uint32_t state_dict) {
    struct torch_file *file = loading->file;
    struct walk *walk = &loading->walk;
    for (walk_begin(walk, &file->pickle, state_dict); walk_next(walk);) {
        bool tensor = file->pickle.nodes[walk->node].kind == NODE_TENSOR;
        if (tensor && !load_tensor(loading))
            break;
        if (!tensor && !walk_enter(walk) && !pickle_is_container(&file->pickle, walk->node))
            skip_value(file, walk->node);
    }
    return finish_walk(loading);
}

/* What else is in the file. */
static bool survey_rest(struct loading *loading, uint32_t state_dict) {
    struct torch_file *file = loading->file;
    struct walk *walk = &loading->walk;
    if (state_dict == file->pickle.root)
        return true;
    for (walk_begin(walk, &file->pickle, file->pickle.root); walk_next(walk);) {
        if (walk->node == state_dict)
            continue;
        if (file->pickle.nodes[walk->node].kind == NODE_TENSOR)
            loading->outside++;
        else if (!walk_enter(walk) && !pickle_is_container(&file->pickle, walk->node))
            skip_value(file, walk->node);
    }
    if (loading->outside > 0)
        checkpoint_skip(file->checkpoint, "tensors outside the state dict", loading->outside);
    return finish_walk(loading);
}

/* Names are built from keys, so that {"a.b": x, "a": {"b": y}} has one twice; the first stays. */
static bool index_names(struct torch_file *file) {
    struct checkpoint *checkpoint = file->checkpoint;
    for (int clash = 0; clash <= CLASH_LIMIT; clash++) {
        name_index_free(&checkpoint->index);
        size_t twice = name_index_build(&checkpoint->index, checkpoint->tensors, checkpoint->count);
        if (twice == checkpoint->count)
            return true;
        struct tensor *tensor = &checkpoint->tensors[twice];
        char *name = error_quote(tensor->name, tensor->name_length);
        checkpoint_warn(checkpoint, "two tensors have the name %s; the first one counts", name);
        checkpoint_skip(checkpoint, "tensors whose name is taken", 1);
        free(name);
        checkpoint->count--;
        memmove(tensor, tensor + 1, (checkpoint->count - twice) * sizeof *tensor);
    }
    return checkpoint_fail(checkpoint, file->error, "more than %d names occur twice", CLASH_LIMIT);
}

static int compare_words(const uint64_t *one, const uint64_t *other, size_t count) {
    if (one == NULL || other == NULL)
        return (one != NULL) - (other != NULL);
    return memcmp(one, other, count * sizeof *one);
}

struct placed {
    const struct tensor *tensor;
    size_t index;
};

/* By the elements of the file they are made of. */
static int compare_places(const struct tensor *a, const struct tensor *b) {
    int order = (a->data > b->data) - (a->data < b->data);
    if (order == 0)
        order = (a->dtype > b->dtype) - (a->dtype < b->dtype);
    if (order == 0)
        order = (a->rank > b->rank) - (a->rank < b->rank);
    if (order == 0 && a->rank > 0)
        order = compare_words(a->shape, b->shape, a->rank);
    if (order == 0 && a->rank > 0)
        order = compare_words(a->strides, b->strides, a->rank);
    return order;
}

static int compare_placed(const void *one, const void *other) {
    const struct placed *a = one, *b = other;
    int order = compare_places(a->tensor, b->tensor);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static void find_ties(struct checkpoint *checkpoint) {
    struct placed *sorted = memory_array(checkpoint->count, sizeof *sorted);
    size_t *tied = memory_array(checkpoint->count, sizeof *tied);
    for (size_t i = 0; i < checkpoint->count; i++) {
        sorted[i] = (struct placed){&checkpoint->tensors[i], i};
        tied[i] = i;
    }
    qsort(sorted, checkpoint->count, sizeof *sorted, compare_placed);
    for (size_t i = 1; i < checkpoint->count; i++) {
        const struct placed *before = &sorted[i - 1], *own = &sorted[i];
        if (own->tensor->elements > 0 && compare_places(before->tensor, own->tensor) == 0)
            tied[own->index] = tied[before->index];
    }
    checkpoint->tied = tied;
    free(sorted);
}

/* The version of a module, if that is what the cell holds. */
static void load_module(struct loading *loading, const struct cell *cell) {
    const struct pickle *pickle = &loading->file->pickle;
    struct checkpoint *checkpoint = loading->file->checkpoint;
    const struct node *version = &pickle->nodes[pickle_value(pickle, cell->value, "version")];
    size_t length = pickle->nodes[cell->key].count;
    if (pickle->nodes[cell->key].kind != NODE_TEXT || version->kind != NODE_INTEGER ||
        version->integer < 0 || length > TENSOR_NAME_LIMIT ||
        loading->text + length > TEXT_LIMIT + checkpoint->file.size)
        return;
    char *module = arena_take(&checkpoint->arena, length + 1);
    memcpy(module, pickle_text(pickle, cell->key), length);
    checkpoint->modules[checkpoint->module_count++] =
        (struct module_version){module, length, version->integer};
    loading->text += length;
}

/* {'_metadata': {'backbone': {'version': 1}, ...}}, the state of the state dict. */
static void load_modules(struct loading *loading, uint32_t state_dict) {
    const struct pickle *pickle = &loading->file->pickle;
    struct checkpoint *checkpoint = loading->file->checkpoint;
    uint32_t versions = pickle_value(pickle, pickle_state(pickle, state_dict), "_metadata");
    if (pickle->nodes[versions].kind != NODE_DICT)
        return;
    checkpoint->modules =
        arena_take(&checkpoint->arena, pickle->nodes[versions].count * sizeof *checkpoint->modules);
    uint32_t cell = pickle->nodes[versions].first;
    for (; cell != 0; cell = pickle->cells[cell].next)
        load_module(loading, &pickle->cells[cell]);
}

static void warn(const struct loading *loading) {
    struct checkpoint *checkpoint = loading->file->checkpoint;
    size_t more = loading->unsupported > NAMED_LIMIT ? loading->unsupported - NAMED_LIMIT : 0;
    if (more > 0)
        checkpoint_warn(checkpoint, "unsupported tensors are left out: %s and %zu more",
                        loading->named, more);
    else if (loading->unsupported > 0)
        checkpoint_warn(checkpoint, "unsupported tensors are left out: %s", loading->named);
    char *path = error_quote(checkpoint->state_dict, strlen(checkpoint->state_dict));
    if (loading->outside > 0)
        checkpoint_warn(checkpoint, "%zu tensors outside the state dict %s are left out",
                        loading->outside, path);
    free(path);
}

static void warn_overwritten(struct torch_file *file) {
    uint32_t key = NODE_AT_NONE;
    size_t count = pickle_drop_overwritten(&file->pickle, &key);
    if (count == 0)
        return;
    const struct node *node = &file->pickle.nodes[key];
    char *name = node->kind == NODE_TEXT ? error_quote(pickle_text(&file->pickle, key),
                                                       node->count < 80 ? node->count : 80)
                                         : memory_format("%lld", (long long)node->integer);
    checkpoint_warn(file->checkpoint,
                    "keys that occur twice in a dictionary: %zu (%s); the last value counts", count,
                    name);
    free(name);
}

bool torch_file_load(struct torch_file *file) {
    struct loading loading = {.file = file};
    struct checkpoint *checkpoint = file->checkpoint;
    uint32_t state_dict;
    warn_overwritten(file);
    if (!torch_state_dict_find(file, &state_dict))
        return false;
    checkpoint->tensors = memory_array(1, sizeof *checkpoint->tensors);
    loading.capacity = 1;
    bool good = load_tensors(&loading, state_dict) && survey_rest(&loading, state_dict) &&
                index_names(file);
    if (good) {
        load_modules(&loading, state_dict);
        warn(&loading);
    }
    free(loading.named);
    if (good && checkpoint->count == 0)
        return checkpoint_fail(checkpoint, file->error, "holds no tensors that can be read");
    if (good)
        find_ties(checkpoint);
    return good;
}

void torch_file_free(struct torch_file *file) {
    pickle_free(&file->pickle);
    free(file->storages);
}
