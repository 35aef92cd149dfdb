#include "analysis/checkpoint/torch/pickle_walk.h"

#include "analysis/support/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ON_THE_WAY = 1, IN_VAIN = 2 };

/* Parts of a module's state that hold its tensors, in the order of state_dict(). */
static const char *const parts[] = {"_parameters", "_buffers", "_modules"};

enum { BUFFERS = 1, PARTS = sizeof parts / sizeof parts[0] };

struct walk_frame {
    uint32_t container;
    uint32_t state;  /* of a module, 0 for plain containers */
    uint32_t cell;   /* the next one */
    uint32_t hidden; /* SET of buffers that are no part of the state dict, or 0 */
    uint64_t index;  /* of the next element of a list */
    size_t part;     /* of a module: the next one */
    size_t path_length;
    bool found;
};

void walk_begin(struct walk *walk, const struct pickle *pickle, uint32_t root) {
    *walk = (struct walk){.pickle = pickle, .node = root, .path_capacity = 256};
    walk->path = memory_array(walk->path_capacity, 1);
    walk->marks = memory_array(pickle->node_count, 1);
}

void walk_end(struct walk *walk) {
    free(walk->path);
    free(walk->marks);
    free(walk->frames);
    *walk = (struct walk){0};
}

static struct walk_frame *top(const struct walk *walk) {
    return &walk->frames[walk->depth - 1];
}

/* Counts work; false when it is too much. */
static bool spend(struct walk *walk, size_t steps) {
    walk->steps += steps;
    walk->exhausted |= walk->steps > WALK_STEP_LIMIT;
    return !walk->exhausted;
}

static void leave(struct walk *walk) {
    const struct walk_frame *frame = top(walk);
    walk->marks[frame->container] = frame->found ? 0 : IN_VAIN;
    walk->depth--;
    if (walk->depth > 0)
        top(walk)->found |= frame->found;
}

void walk_found(struct walk *walk) {
    if (walk->depth > 0)
        top(walk)->found = true;
}

bool walk_is_new(const struct walk *walk) {
    return walk->marks[walk->node] == 0 && (pickle_is_container(walk->pickle, walk->node) ||
                                            pickle_module_state(walk->pickle, walk->node) != 0);
}

void walk_pass(struct walk *walk) {
    walk->marks[walk->node] = IN_VAIN;
}

bool walk_enter(struct walk *walk) {
    const struct pickle *pickle = walk->pickle;
    if (!walk_is_new(walk))
        return false;
    uint32_t state = pickle_module_state(pickle, walk->node);
    if (walk->depth == WALK_DEPTH_LIMIT) {
        walk->exhausted = true;
        return false;
    }
    if (walk->depth == walk->frame_capacity) {
        walk->frame_capacity = 2 * walk->frame_capacity + 16;
        walk->frames = memory_resize(walk->frames, walk->frame_capacity, sizeof *walk->frames);
    }
    walk->frames[walk->depth++] =
        (struct walk_frame){.container = walk->node,
                            .state = state,
                            .cell = state == 0 ? pickle->nodes[walk->node].first : 0,
                            .path_length = walk->path_length};
    walk->marks[walk->node] = ON_THE_WAY;
    return true;
}

/* The next part of a module that is there; false after the last one. */
static bool next_part(struct walk *walk, struct walk_frame *frame) {
    const struct pickle *pickle = walk->pickle;
    if (frame->state == 0 || frame->part == PARTS ||
        !spend(walk, pickle->nodes[frame->state].count))
        return false;
    uint32_t part = pickle_value(pickle, frame->state, parts[frame->part]);
    frame->cell = pickle->nodes[part].kind == NODE_DICT ? pickle->nodes[part].first : 0;
    if (frame->part == BUFFERS) {
        uint32_t hidden = pickle_value(pickle, frame->state, "_non_persistent_buffers_set");
        frame->hidden = pickle->nodes[hidden].kind == NODE_SET ? hidden : 0;
    }
    frame->part++;
    return true;
}

static bool is_hidden(struct walk *walk, const struct walk_frame *frame, uint32_t key) {
    const struct pickle *pickle = walk->pickle;
    const struct node *name = &pickle->nodes[key];
    if (frame->part != BUFFERS + 1 || frame->hidden == 0 || name->kind != NODE_TEXT)
        return false;
    uint32_t cell = pickle->nodes[frame->hidden].first;
    for (; cell != 0 && spend(walk, 1); cell = pickle->cells[cell].next) {
        uint32_t item = pickle->cells[cell].value;
        const struct node *other = &pickle->nodes[item];
        if (other->kind == NODE_TEXT && other->count == name->count &&
            memcmp(pickle_text(pickle, item), pickle_text(pickle, key), name->count) == 0)
            return true;
    }
    return false;
}

static void append(struct walk *walk, const char *text, size_t length) {
    if (walk->path_capacity - walk->path_length <= length) {
        walk->path_capacity = 2 * walk->path_capacity + length;
        walk->path = memory_resize(walk->path, walk->path_capacity, 1);
    }
    walk->steps += length / 64; /* long names take time too */
    memcpy(walk->path + walk->path_length, text, length);
    walk->path_length += length;
    walk->path[walk->path_length] = '\0';
}

/* As Python writes it: the fewest digits that give the number back. */
static void append_real(struct walk *walk, double real) {
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, real);
        if (strtod(text, NULL) == real)
            break;
    }
    append(walk, text, strlen(text));
}

static void append_number(struct walk *walk, int64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    append(walk, text, strlen(text));
}

/* False when the key makes no name. */
static bool append_key(struct walk *walk, uint32_t key) {
    const struct node *node = &walk->pickle->nodes[key];
    switch (node->kind) {
    case NODE_TEXT:
        append(walk, pickle_text(walk->pickle, key), node->count);
        return true;
    case NODE_INTEGER:
        append_number(walk, node->integer);
        return true;
    case NODE_REAL:
        append_real(walk, node->real);
        return true;
    case NODE_NONE:
        append(walk, "None", 4);
        return true;
    case NODE_BOOL:
        append(walk, node->integer ? "True" : "False", node->integer ? 4 : 5);
        return true;
    default:
        walk->unnamed++;
        return false;
    }
}

/* Makes the frame's next cell the current value; false when it has no name. */
static bool take_cell(struct walk *walk, struct walk_frame *frame) {
    const struct cell *cell = &walk->pickle->cells[frame->cell];
    bool keyed = walk->pickle->nodes[frame->container].kind == NODE_DICT || frame->state != 0;
    frame->cell = cell->next;
    walk->node = cell->value;
    walk->key = keyed ? cell->key : NODE_AT_NONE;
    if (walk->depth == 1)
        walk->first_key = walk->key;
    walk->path_length = frame->path_length;
    walk->path[walk->path_length] = '\0';
    if (keyed && is_hidden(walk, frame, cell->key))
        return false;
    if (walk->depth > 1)
        append(walk, ".", 1);
    if (keyed)
        return append_key(walk, cell->key);
    append_number(walk, (int64_t)frame->index++);
    return true;
}

bool walk_next(struct walk *walk) {
    if (!walk->begun) {
        walk->begun = true;
        return true;
    }
    while (walk->depth > 0 && spend(walk, 1)) {
        struct walk_frame *frame = top(walk);
        if (frame->cell == 0 && !next_part(walk, frame))
            leave(walk);
        else if (frame->cell != 0 && take_cell(walk, frame))
            return !walk->exhausted;
    }
    return false;
}
