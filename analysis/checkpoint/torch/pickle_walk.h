/* A walk through the containers of a pickle, parents first, each value with its path: the keys and
 * indices on the way to it, joined by dots.
 *
 *     for (walk_begin(&walk, pickle, root); walk_next(&walk);)
 *         if (wanted) walk_enter(&walk);
 *     walk_end(&walk);
 *
 * A torch module counts as a container: of its parameters, its buffers and its modules, which gives
 * the names of its state_dict(). Cycles are not followed, and what was entered without a find is
 * not entered again, so that containers shared many times cost nothing. Private to the room. */
#ifndef R2M_ANALYSIS_CHECKPOINT_TORCH_PICKLE_WALK_H
#define R2M_ANALYSIS_CHECKPOINT_TORCH_PICKLE_WALK_H

#include "analysis/checkpoint/torch/pickle.h"

enum { WALK_DEPTH_LIMIT = 1000, WALK_STEP_LIMIT = 5000000 };

struct walk_frame;

struct walk {
    const struct pickle *pickle;
    uint32_t node;      /* the current value */
    uint32_t key;       /* its key in a DICT, otherwise NODE_AT_NONE */
    uint32_t first_key; /* that of the ancestor (or itself) right below the root */
    char *path;         /* its path, path_length bytes and a NUL */
    size_t path_length;
    size_t unnamed; /* values met under keys that make no name */
    bool exhausted; /* too many steps, or too deep: the walk ended early */
    struct walk_frame *frames;
    size_t depth; /* containers entered */
    size_t frame_capacity, path_capacity, steps;
    unsigned char *marks; /* of every node: on the way, or entered in vain */
    bool begun;
};

void walk_begin(struct walk *walk, const struct pickle *pickle, uint32_t root);
bool walk_next(struct walk *walk);
void walk_end(struct walk *walk);

/* Goes into the current value next, if it is a container or module that is worth it. */
bool walk_enter(struct walk *walk);

/* True when the current value is a container or module that was not entered or passed by yet. */
bool walk_is_new(const struct walk *walk);

/* Passes the current container by, for good. */
void walk_pass(struct walk *walk);

/* The current value is a find: the containers around it will be entered again. */
void walk_found(struct walk *walk);

#endif
