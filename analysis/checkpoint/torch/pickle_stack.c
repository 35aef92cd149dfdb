/* Operations on the stack, the memo and containers, and calls. */
#include "analysis/checkpoint/torch/pickle_ops.h"
#include "analysis/support/memory.h"

#include <string.h>

enum { MEMO_SPARE = 65536, MEMO_LIMIT = 4 * PICKLE_NODE_LIMIT };

bool pickle_push(struct pickle *pickle, uint32_t node) {
    if (pickle->problem != NULL)
        return false;
    if (pickle->stack_count == pickle->stack_capacity) {
        if (pickle->stack_count >= PICKLE_NODE_LIMIT)
            return pickle_fail(pickle, "more than %d values on the stack", PICKLE_NODE_LIMIT);
        pickle->stack_capacity = 2 * pickle->stack_capacity + 256;
        pickle->stack = memory_resize(pickle->stack, pickle->stack_capacity, sizeof *pickle->stack);
    }
    pickle->stack[pickle->stack_count++] = node;
    return true;
}

/* Height of the stack below which nothing may be taken. */
static size_t floor_of(const struct pickle *pickle) {
    return pickle->mark_count > 0 ? pickle->marks[pickle->mark_count - 1] : 0;
}

/* True when count values can be taken. */
static bool has_values(struct pickle *pickle, size_t count) {
    return pickle->stack_count - floor_of(pickle) >= count ||
           pickle_fail(pickle, "takes from an empty stack");
}

bool pickle_pop(struct pickle *pickle, uint32_t *node) {
    if (!has_values(pickle, 1))
        return false;
    *node = pickle->stack[--pickle->stack_count];
    return true;
}

/* The newest value, which stays. */
static bool peek(struct pickle *pickle, uint32_t *node) {
    if (!has_values(pickle, 1))
        return false;
    *node = pickle->stack[pickle->stack_count - 1];
    return true;
}

/* Takes the newest mark: the values from *first on belong to it. */
static bool pop_mark(struct pickle *pickle, size_t *first) {
    if (pickle->mark_count == 0)
        return pickle_fail(pickle, "needs a mark, and there is none");
    *first = pickle->marks[--pickle->mark_count];
    return true;
}

bool op_new(struct pickle *pickle, unsigned kind) {
    return pickle_push(pickle, pickle_add(pickle, kind));
}

bool op_mark(struct pickle *pickle, unsigned argument) {
    (void)argument;
    if (pickle->mark_count == PICKLE_MARK_LIMIT)
        return pickle_fail(pickle, "nested more than %d deep", PICKLE_MARK_LIMIT);
    pickle->marks[pickle->mark_count++] = pickle->stack_count;
    return true;
}

bool op_pop(struct pickle *pickle, unsigned argument) {
    (void)argument;
    uint32_t node;
    return pickle_pop(pickle, &node);
}

/* The values from first on, as elements of the container. */
static bool collect(struct pickle *pickle, uint32_t container, size_t first) {
    for (size_t i = first; i < pickle->stack_count && pickle->problem == NULL; i++)
        pickle_append(pickle, container, NODE_AT_NONE, pickle->stack[i]);
    pickle->stack_count = first;
    return pickle->problem == NULL;
}

/* TUPLE, FROZENSET. */
bool op_collect(struct pickle *pickle, unsigned kind) {
    size_t first = 0;
    if (!pop_mark(pickle, &first))
        return false;
    uint32_t container = pickle_add(pickle, kind);
    return pickle->problem == NULL && collect(pickle, container, first) &&
           pickle_push(pickle, container);
}

bool op_tuple(struct pickle *pickle, unsigned count) {
    if (!has_values(pickle, count))
        return false;
    uint32_t tuple = pickle_add(pickle, NODE_TUPLE);
    return pickle->problem == NULL && collect(pickle, tuple, pickle->stack_count - count) &&
           pickle_push(pickle, tuple);
}

/* An object takes elements of its own kind and drops them. */
static bool fill(struct pickle *pickle, uint32_t container, enum node_kind kind, size_t first) {
    if (pickle->nodes[container].kind == kind)
        return collect(pickle, container, first);
    pickle->stack_count = first;
    return pickle->nodes[container].kind == NODE_OBJECT ||
           pickle_fail(pickle, "adds elements to something that takes none");
}

bool op_append(struct pickle *pickle, unsigned kind) {
    return has_values(pickle, 2) &&
           fill(pickle, pickle->stack[pickle->stack_count - 2], kind, pickle->stack_count - 1);
}

/* APPENDS, ADDITEMS. */
bool op_extend(struct pickle *pickle, unsigned kind) {
    size_t first = 0;
    if (!pop_mark(pickle, &first))
        return false;
    if (first <= floor_of(pickle))
        return pickle_fail(pickle, "takes from an empty stack");
    return fill(pickle, pickle->stack[first - 1], kind, first);
}

/* Keys and values in turn, from first on. */
static bool set_items(struct pickle *pickle, size_t first) {
    if (first <= floor_of(pickle))
        return pickle_fail(pickle, "takes from an empty stack");
    uint32_t dict = pickle->stack[first - 1];
    enum node_kind kind = pickle->nodes[dict].kind;
    if (kind != NODE_DICT && kind != NODE_OBJECT)
        return pickle_fail(pickle, "sets items of something that is no dictionary");
    if ((pickle->stack_count - first) % 2 != 0)
        return pickle_fail(pickle, "a key without a value");
    for (size_t i = first; i < pickle->stack_count && kind == NODE_DICT; i += 2) {
        uint32_t key = pickle->stack[i], value = pickle->stack[i + 1];
        if (!pickle_append(pickle, dict, key, value))
            return false;
        if (pickle_is_text(pickle, key, "_modules") && pickle->nodes[value].kind == NODE_DICT)
            pickle->nodes[dict].module = true;
    }
    pickle->stack_count = first;
    return true;
}

bool op_setitem(struct pickle *pickle, unsigned argument) {
    (void)argument;
    return has_values(pickle, 3) && set_items(pickle, pickle->stack_count - 2);
}

bool op_setitems(struct pickle *pickle, unsigned argument) {
    (void)argument;
    size_t first = 0;
    return pop_mark(pickle, &first) && set_items(pickle, first);
}

bool op_get(struct pickle *pickle, unsigned width) {
    uint64_t index;
    if (!pickle_take_number(pickle, width, &index))
        return false;
    if (index >= pickle->memo_count || pickle->memo[index] == 0)
        return pickle_fail(pickle, "gets memo %llu, which is not set", (unsigned long long)index);
    return pickle_push(pickle, pickle->memo[index] - 1);
}

static bool remember(struct pickle *pickle, uint64_t index) {
    uint32_t node;
    if (!peek(pickle, &node))
        return false;
    if (index > 2 * pickle->operations + MEMO_SPARE || index >= MEMO_LIMIT)
        return pickle_fail(pickle, "sets memo %llu, far too large", (unsigned long long)index);
    if (index >= pickle->memo_count) {
        size_t count = (size_t)index + index / 2 + 256;
        count = count < MEMO_LIMIT ? count : MEMO_LIMIT;
        pickle->memo = memory_resize(pickle->memo, count, sizeof *pickle->memo);
        memset(pickle->memo + pickle->memo_count, 0,
               (count - pickle->memo_count) * sizeof *pickle->memo);
        pickle->memo_count = count;
    }
    pickle->memo[index] = node + 1;
    return true;
}

bool op_put(struct pickle *pickle, unsigned width) {
    uint64_t index;
    return pickle_take_number(pickle, width, &index) && remember(pickle, index);
}

bool op_memoize(struct pickle *pickle, unsigned argument) {
    (void)argument;
    return remember(pickle, pickle->memoized++);
}

bool op_reduce(struct pickle *pickle, unsigned argument) {
    (void)argument;
    uint32_t function, arguments;
    return pickle_pop(pickle, &arguments) && pickle_pop(pickle, &function) &&
           pickle_push(pickle, pickle_apply(pickle, function, arguments));
}

/* NEWOBJ; with one more value, the keywords, NEWOBJ_EX. */
bool op_newobj(struct pickle *pickle, unsigned keywords) {
    uint32_t ignored;
    return (keywords == 0 || pickle_pop(pickle, &ignored)) && op_reduce(pickle, 0);
}

/* Beside the dictionary, which is not changed. */
static bool keep_state(struct pickle *pickle, uint32_t dict, uint32_t state) {
    if (pickle->state_count == PICKLE_NODE_LIMIT)
        return pickle_fail(pickle, "gives too many states");
    if (pickle->state_count == pickle->state_capacity) {
        pickle->state_capacity = 2 * pickle->state_capacity + 4;
        pickle->states =
            memory_resize(pickle->states, pickle->state_capacity, sizeof *pickle->states);
    }
    pickle->states[pickle->state_count++] = (struct cell){.key = dict, .value = state};
    return true;
}

/* An object keeps its state, a dictionary too (_metadata); that of tensors does not matter here. */
bool op_build(struct pickle *pickle, unsigned argument) {
    (void)argument;
    uint32_t state, object;
    if (!pickle_pop(pickle, &state) || !peek(pickle, &object))
        return false;
    enum node_kind kind = pickle->nodes[object].kind;
    if (kind == NODE_OBJECT)
        pickle->nodes[object].content = state;
    if (kind == NODE_DICT)
        return keep_state(pickle, object, state);
    return kind == NODE_OBJECT || kind == NODE_TENSOR ||
           pickle_fail(pickle, "gives a state to something that has none");
}

uint32_t pickle_state(const struct pickle *pickle, uint32_t dict) {
    for (size_t i = pickle->state_count; i-- > 0;)
        if (pickle->states[i].key == dict)
            return pickle->states[i].value;
    return NODE_AT_NONE;
}

/* ('storage', ...), or in old files ('module', class, file, source), which is that class. */
bool op_persistent(struct pickle *pickle, unsigned argument) {
    (void)argument;
    uint32_t id;
    if (!pickle_pop(pickle, &id))
        return false;
    if (pickle->nodes[id].kind != NODE_TUPLE)
        return pickle_fail(pickle, "a persistent id that is no tuple");
    uint32_t class = pickle_item(pickle, id, 1);
    if (pickle->old && pickle_is_text(pickle, pickle_item(pickle, id, 0), "module") &&
        pickle->nodes[class].kind == NODE_GLOBAL)
        return pickle_push(pickle, class);
    uint32_t storage = pickle_add(pickle, NODE_STORAGE);
    if (pickle->problem == NULL)
        pickle->nodes[storage].content = id;
    return pickle_push(pickle, storage);
}

bool op_stop(struct pickle *pickle, unsigned argument) {
    (void)argument;
    if (pickle->mark_count > 0 || pickle->stack_count != 1)
        return pickle_fail(pickle, "leaves %zu values instead of one", pickle->stack_count);
    pickle->root = pickle->stack[--pickle->stack_count];
    return true;
}
