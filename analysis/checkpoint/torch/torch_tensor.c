/* Storages and tensors of torch, from the arguments that would rebuild them. */
#include "analysis/checkpoint/torch/torch_file.h"

#include <string.h>

enum { KEY_LIMIT = 64 };

/* Beyond this many bytes a tensor may be at most 4 times its storage. */
static const uint64_t EXPANDED_LIMIT = 1 << 20;

static const struct node *node_at(const struct torch_file *file, uint32_t node) {
    return &file->pickle.nodes[node];
}

static const struct node *argument(const struct torch_file *file, uint32_t tuple, size_t index) {
    return node_at(file, pickle_item(&file->pickle, tuple, index));
}

static bool is_key(const char *key, size_t length) {
    if (length == 0 || length > KEY_LIMIT)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!(key[i] >= '0' && key[i] <= '9') && !(key[i] >= 'A' && key[i] <= 'Z') &&
            !(key[i] >= 'a' && key[i] <= 'z') && key[i] != '_')
            return false;
    return true;
}

/* ('storage', class, key, location, elements), in old files also None. NULL, or what is wrong. */
static const char *check_id(const struct torch_file *file, uint32_t id) {
    const struct pickle *pickle = &file->pickle;
    uint32_t class = pickle_item(pickle, id, 1), key = pickle_item(pickle, id, 2);
    const struct node *elements = argument(file, id, 4);
    if (node_at(file, id)->count != (pickle->old ? 6 : 5) ||
        !pickle_is_text(pickle, pickle_item(pickle, id, 0), "storage"))
        return "is not that of a storage";
    if (pickle->old && argument(file, id, 5)->kind != NODE_NONE)
        return "is a view of another storage, which is not supported";
    if (node_at(file, class)->kind != NODE_GLOBAL ||
        pickle_globals[node_at(file, class)->global].role != ROLE_STORAGE)
        return "has an unknown class of storage";
    if (node_at(file, key)->kind != NODE_TEXT ||
        !is_key(pickle_text(pickle, key), node_at(file, key)->count))
        return "has a key that is none";
    if (elements->kind != NODE_INTEGER || elements->integer < 0 ||
        elements->integer > INT64_MAX / pickle_globals[node_at(file, class)->global].bytes)
        return "has an impossible number of elements";
    return NULL;
}

/* The storage of an id that check_id passed; false when others say something else of it. */
static bool mark(struct torch_file *file, uint32_t node) {
    const struct pickle *pickle = &file->pickle;
    uint32_t id = node_at(file, node)->content, key = pickle_item(pickle, id, 2);
    const struct global *class = &pickle_globals[argument(file, id, 1)->global];
    uint64_t elements = (uint64_t)argument(file, id, 4)->integer;
    size_t index;
    if (!file->find(file, pickle_text(pickle, key), node_at(file, key)->count, &index))
        return true;
    struct torch_storage *storage = &file->storages[index];
    if (storage->class != NULL && (storage->class != class || storage->elements != elements))
        return false;
    *storage = (struct torch_storage){class, elements, elements * class->bytes, NULL};
    file->pickle.nodes[node].callee = (uint32_t)index + 1;
    return true;
}

bool torch_storages_mark(struct torch_file *file) {
    for (uint32_t node = 0; node < file->pickle.node_count; node++) {
        if (node_at(file, node)->kind != NODE_STORAGE)
            continue;
        const char *problem = check_id(file, node_at(file, node)->content);
        if (problem == NULL && !mark(file, node))
            problem = "says something else of its storage than another id";
        if (problem != NULL)
            return checkpoint_fail(file->checkpoint, file->error, "%s: a persistent id %s",
                                   file->where, problem);
    }
    return true;
}

/* A tuple of sizes or steps, no more than TENSOR_RANK_LIMIT. */
static bool read_sizes(const struct torch_file *file, uint32_t tuple, uint64_t *sizes) {
    const struct pickle *pickle = &file->pickle;
    const struct node *node = node_at(file, tuple);
    if (node->kind != NODE_TUPLE || node->count > TENSOR_RANK_LIMIT)
        return false;
    for (uint32_t cell = node->first; cell != 0; cell = pickle->cells[cell].next) {
        const struct node *size = node_at(file, pickle->cells[cell].value);
        if (size->kind != NODE_INTEGER || size->integer < 0)
            return false;
        *sizes++ = (uint64_t)size->integer;
    }
    return true;
}

static const uint64_t *keep(struct torch_file *file, const uint64_t *sizes, size_t rank) {
    uint64_t *kept = arena_take(&file->checkpoint->arena, rank * sizeof *kept);
    memcpy(kept, sizes, rank * sizeof *kept);
    return kept;
}

/* Row-major without gaps; the steps of dimensions of size 1 do not matter. */
static bool is_contiguous(const struct tensor *tensor, const uint64_t *strides) {
    uint64_t step = 1;
    for (size_t d = tensor->rank; d-- > 0;) {
        if (tensor->shape[d] > 1 && strides[d] != step)
            return false;
        step *= tensor->shape[d];
    }
    return true;
}

/* Number of elements of the storage that a tensor not empty reaches: offset + 1 + sum of
 * (size - 1) * stride. False when that overflows. */
static bool find_reach(const struct tensor *tensor, const uint64_t *strides, uint64_t offset,
                       uint64_t *reach) {
    *reach = offset + 1;
    for (size_t d = 0; d < tensor->rank; d++) {
        uint64_t span;
        if (__builtin_mul_overflow(tensor->shape[d] - 1, strides[d], &span) ||
            __builtin_add_overflow(*reach, span, reach))
            return false;
    }
    return true;
}

/* Arguments of the function that rebuilds the tensor: how many, and which mean what. */
static const struct rebuild {
    enum global_role role;
    uint32_t least, most; /* arguments */
    size_t metadata;      /* index of {'conj': True} and the like, 0 for none */
} rebuilds[] = {{ROLE_TENSOR_V1, 4, 4, 0}, {ROLE_TENSOR_V2, 6, 7, 6}, {ROLE_TENSOR_V3, 7, 8, 7}};

static const struct rebuild *find_rebuild(enum global_role role) {
    for (size_t i = 0; i < sizeof rebuilds / sizeof rebuilds[0]; i++)
        if (rebuilds[i].role == role)
            return &rebuilds[i];
    return NULL;
}

/* Element type: of the storage, or for v3 an argument. */
static const struct global *find_type(const struct torch_file *file, enum global_role role,
                                      uint32_t arguments, const struct torch_storage *storage) {
    if (role != ROLE_TENSOR_V3)
        return storage->class;
    const struct node *type = argument(file, arguments, 6);
    const struct global *row = &pickle_globals[type->global];
    return type->kind == NODE_GLOBAL && row->role == ROLE_DTYPE ? row : NULL;
}

/* Shape and strides from the arguments. reach: elements of the storage that it takes. */
static const char *read_layout(struct torch_file *file, uint32_t arguments, uint64_t offset,
                               struct tensor *tensor, uint64_t *reach) {
    uint64_t shape[TENSOR_RANK_LIMIT] = {0}, strides[TENSOR_RANK_LIMIT] = {0};
    uint32_t sizes = pickle_item(&file->pickle, arguments, 2);
    uint32_t steps = pickle_item(&file->pickle, arguments, 3);
    *reach = 0;
    if (!read_sizes(file, sizes, shape) || !read_sizes(file, steps, strides))
        return "its sizes or strides are not whole numbers from 0, or more than 64";
    tensor->rank = node_at(file, sizes)->count;
    if (tensor->rank != node_at(file, steps)->count)
        return "it has not as many strides as sizes";
    tensor->shape = keep(file, shape, tensor->rank);
    const char *problem = tensor_measure(tensor);
    if (problem != NULL || tensor->elements == 0)
        return problem;
    if (!find_reach(tensor, strides, offset, reach))
        return "its strides overflow";
    if (!is_contiguous(tensor, strides))
        tensor->strides = keep(file, strides, tensor->rank);
    return NULL;
}

/* The data of the tensor's storage, read when the first tensor needs it. */
static const char *read_storage(struct torch_file *file, struct torch_storage *storage) {
    const char *problem = "";
    if (storage->data == NULL)
        storage->data = file->read(file, (size_t)(storage - file->storages), &problem);
    return storage->data != NULL ? NULL : problem;
}

/* Lays the tensor over its storage. */
static const char *place(struct torch_file *file, struct tensor *tensor, uint64_t offset,
                         struct torch_storage *storage, const char **unsupported) {
    size_t width = dtype_bits(tensor->dtype) / 8;
    const char *problem = read_storage(file, storage);
    if (problem != NULL)
        return problem;
    if (tensor->bytes > EXPANDED_LIMIT && tensor->bytes / 4 > storage->bytes)
        *unsupported = "expanded to many times its storage";
    tensor->swapped = file->swapped && width > 1;
    tensor->data = storage->data + (tensor->elements > 0 ? offset * width : 0);
    return NULL;
}

const char *torch_tensor_read(struct torch_file *file, uint32_t node, struct tensor *tensor,
                              const char **unsupported) {
    const struct node *maker = node_at(file, node);
    const struct global *global = &pickle_globals[maker->global];
    const struct rebuild *rebuild = find_rebuild(global->role);
    uint32_t arguments = maker->content, count = node_at(file, arguments)->count;
    *unsupported = global->what;
    if (rebuild == NULL)
        return NULL;
    const struct node *source = argument(file, arguments, 0);
    if (count < rebuild->least || count > rebuild->most)
        return "it is rebuilt with a wrong number of arguments";
    if (source->kind != NODE_STORAGE)
        return "it has no storage";
    if (source->callee == 0)
        return "its storage is not in the file";
    struct torch_storage *storage = &file->storages[source->callee - 1];
    const struct global *type = find_type(file, global->role, arguments, storage);
    const struct node *offset = argument(file, arguments, 1);
    const struct node *metadata = node_at(file, NODE_AT_NONE);
    if (rebuild->metadata > 0)
        metadata = argument(file, arguments, rebuild->metadata);
    if (type == NULL)
        return "its dtype is unknown";
    if (offset->kind != NODE_INTEGER || offset->integer < 0)
        return "its offset is not a whole number from 0";
    if (type->what != NULL || (metadata->kind == NODE_DICT && metadata->count > 0)) {
        *unsupported = type->what != NULL ? type->what : "a lazy conjugate or negative";
        return NULL;
    }
    tensor->dtype = type->dtype;
    uint64_t reach, start = (uint64_t)offset->integer;
    const char *problem = read_layout(file, arguments, start, tensor, &reach);
    if (problem != NULL)
        return problem;
    if (reach > storage->bytes / type->bytes)
        return "it reaches beyond its storage";
    return place(file, tensor, start, storage, unsupported);
}
