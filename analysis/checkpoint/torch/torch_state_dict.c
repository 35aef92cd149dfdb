/* Which of the dictionaries in a torch file is the state dict (formats.md B6). */
#include "analysis/checkpoint/torch/torch_file.h"

#include <stdlib.h>
#include <string.h>

/* Keys under which training programs keep the weights. */
static const char *const usual[] = {"state_dict",     "model",   "model_state_dict", "model_state",
                                    "state_dict_ema", "ema",     "params_ema",       "net",
                                    "network",        "params",  "weights",          "module",
                                    "teacher",        "student", "generator"};

/* Keys (their beginnings) below which tensors are no weights. */
static const char *const foreign[] = {"optim",     "callbacks", "loops",     "lr_sched",
                                      "scheduler", "exp_avg",   "rng_state", "cuda_rng_state"};

/* A container with tensors, and how much it looks like a state dict. */
struct candidate {
    uint32_t node;
    char *path;
    size_t path_length;
    size_t tensors; /* right in it; 0 for a module */
    int likelihood; /* 1: holds tensors; 2: mostly tensors, or a module; 3: at a usual place */
};

enum { CANDIDATE_LIMIT = 1000 }; /* that is too many anyway */

struct candidates {
    struct candidate *list;
    size_t count, capacity;
};

static bool is_usual(const struct pickle *pickle, uint32_t key) {
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (pickle_is_text(pickle, key, usual[i]))
            return true;
    return false;
}

static bool is_foreign(const struct pickle *pickle, uint32_t key) {
    const struct node *node = &pickle->nodes[key];
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        size_t length = strlen(foreign[i]);
        if (node->kind == NODE_TEXT && node->count >= length &&
            memcmp(pickle_text(pickle, key), foreign[i], length) == 0)
            return true;
    }
    return false;
}

/* Tensors and other values right in a container. wraps: one under a usual key is a container
 * itself, so this one is a wrapper. */
static size_t count_tensors(const struct pickle *pickle, uint32_t container, size_t *others,
                            bool *wraps) {
    size_t tensors = 0;
    *others = 0;
    *wraps = false;
    uint32_t cell = pickle->nodes[container].first;
    for (; cell != 0; cell = pickle->cells[cell].next) {
        uint32_t key = pickle->cells[cell].key, value = pickle->cells[cell].value;
        bool tensor = pickle->nodes[value].kind == NODE_TENSOR;
        if (tensor && !is_foreign(pickle, key))
            tensors++;
        else if (!tensor)
            ++*others;
        *wraps |= !tensor && is_usual(pickle, key) &&
                  (pickle_is_container(pickle, value) || pickle_module_state(pickle, value) != 0);
    }
    return tensors;
}

static void add(struct candidates *candidates, const struct walk *walk, size_t tensors,
                int likelihood) {
    if (candidates->count == CANDIDATE_LIMIT || walk->path_length > TENSOR_NAME_LIMIT)
        return;
    if (candidates->count == candidates->capacity) {
        candidates->capacity = 2 * candidates->capacity + 8;
        candidates->list =
            memory_resize(candidates->list, candidates->capacity, sizeof *candidates->list);
    }
    candidates->list[candidates->count++] =
        (struct candidate){walk->node, memory_text(walk->path, walk->path_length),
                           walk->path_length, tensors, likelihood};
}

/* Looks at one container, and says whether to look into it. */
static bool consider(struct walk *walk, struct candidates *candidates) {
    const struct pickle *pickle = walk->pickle;
    bool at_root = walk->depth == 0, wraps = false;
    bool module = pickle_module_state(pickle, walk->node) != 0;
    size_t tensors = 0, others = 0;
    if (!at_root && is_foreign(pickle, walk->key))
        return false;
    if (pickle_is_container(pickle, walk->node))
        tensors = count_tensors(pickle, walk->node, &others, &wraps);
    walk->steps += tensors + others;
    bool whole = module || (tensors > others && !wraps);
    if (whole)
        add(candidates, walk, tensors, at_root || is_usual(pickle, walk->first_key) ? 3 : 2);
    else if (tensors > 0)
        add(candidates, walk, tensors, 1);
    return !whole;
}

static bool find_candidates(const struct torch_file *file, struct candidates *candidates) {
    struct walk walk;
    for (walk_begin(&walk, &file->pickle, file->pickle.root); walk_next(&walk);) {
        if (!walk_is_new(&walk))
            continue;
        if (consider(&walk, candidates))
            walk_enter(&walk);
        else
            walk_pass(&walk);
    }
    return torch_walk_end(file, &walk);
}

/* "state_dict (9 tensors), state_dict_ema (9 tensors), and 2 more" */
static char *list_candidates(const struct candidates *candidates, int likelihood) {
    enum { SHOWN = 8, PATH_SHOWN = 60 };
    char *text = memory_string("");
    size_t shown = 0, all = 0;
    for (size_t i = 0; i < candidates->count; i++) {
        const struct candidate *candidate = &candidates->list[i];
        if (candidate->likelihood != likelihood || all++ >= SHOWN)
            continue;
        bool whole = candidate->path_length <= PATH_SHOWN;
        char *path = error_quote(candidate->path, whole ? candidate->path_length : PATH_SHOWN);
        char *longer = candidate->tensors > 0
                           ? memory_format("%s%s%s%s (%zu tensors)", text, shown > 0 ? ", " : "",
                                           path, whole ? "" : "...", candidate->tensors)
                           : memory_format("%s%s%s%s (a module)", text, shown > 0 ? ", " : "", path,
                                           whole ? "" : "...");
        free(path);
        free(text);
        text = longer;
        shown++;
    }
    if (all > shown) {
        char *longer = memory_format("%s and %zu more", text, all - shown);
        free(text);
        text = longer;
    }
    return text;
}

/* The only one of the highest likelihood there is. */
static const struct candidate *choose(const struct torch_file *file,
                                      const struct candidates *candidates) {
    const struct candidate *best = NULL;
    size_t equals = 0;
    for (size_t i = 0; i < candidates->count; i++) {
        const struct candidate *candidate = &candidates->list[i];
        if (best != NULL && candidate->likelihood < best->likelihood)
            continue;
        equals = best != NULL && candidate->likelihood == best->likelihood ? equals + 1 : 1;
        best = candidate;
    }
    if (equals > 1) {
        char *list = list_candidates(candidates, best->likelihood);
        checkpoint_fail(file->checkpoint, file->error, "holds %zu state dicts: %s", equals, list);
        error_hint(file->error, "choose one with --state-dict PATH (\"\" for all)");
        free(list);
        return NULL;
    }
    if (best == NULL)
        checkpoint_fail(file->checkpoint, file->error, "holds no tensors");
    return best;
}

/* The container at the path that checkpoint->wanted names, or 0. */
static bool find_path(const struct torch_file *file, uint32_t *node) {
    const char *wanted = file->checkpoint->wanted;
    size_t length = strlen(wanted);
    bool found = false;
    struct walk walk;
    for (walk_begin(&walk, &file->pickle, file->pickle.root); !found && walk_next(&walk);) {
        bool whole = walk.path_length == length;
        bool beginning = walk.depth == 0 || whole ||
                         (walk.path_length < length && wanted[walk.path_length] == '.');
        if (walk.path_length > length || !beginning ||
            memcmp(walk.path, wanted, walk.path_length) != 0)
            continue;
        found = whole && (pickle_is_container(walk.pickle, walk.node) || walk.depth == 0 ||
                          pickle_module_state(walk.pickle, walk.node) != 0);
        *node = walk.node;
        if (!found)
            walk_enter(&walk);
    }
    walk_end(&walk);
    return found;
}

static bool find_wanted(const struct torch_file *file, uint32_t *node) {
    if (find_path(file, node))
        return true;
    char *path = error_quote(file->checkpoint->wanted, strlen(file->checkpoint->wanted));
    checkpoint_fail(file->checkpoint, file->error, "holds no state dict %s", path);
    free(path);
    return false;
}

bool torch_state_dict_find(struct torch_file *file, uint32_t *node) {
    struct checkpoint *checkpoint = file->checkpoint;
    struct candidates candidates = {0};
    const char *path = checkpoint->wanted;
    bool found = true;
    *node = file->pickle.root;
    if (path != NULL) {
        found = find_wanted(file, node);
    } else if (file->pickle.nodes[*node].kind == NODE_TENSOR) {
        path = ""; /* the file is one tensor */
    } else {
        bool complete = find_candidates(file, &candidates);
        const struct candidate *chosen = complete ? choose(file, &candidates) : NULL;
        found = chosen != NULL;
        if (found) {
            *node = chosen->node;
            path = chosen->path;
        }
    }
    if (found) {
        size_t size = strlen(path) + 1;
        checkpoint->state_dict = memcpy(arena_take(&checkpoint->arena, size), path, size);
    }
    for (size_t i = 0; i < candidates.count; i++)
        free(candidates.list[i].path);
    free(candidates.list);
    return found;
}
