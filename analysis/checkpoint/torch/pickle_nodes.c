/* The nodes of a pickle: making them and looking into them. */
#include "analysis/checkpoint/torch/pickle.h"
#include "analysis/checkpoint/torch/pickle_globals.h"
#include "analysis/support/error.h"
#include "analysis/support/memory.h"

#include <stdlib.h>
#include <string.h>

/* Room for one more of `size` bytes each; doubled, but not beyond the limit. */
static bool make_room(struct pickle *pickle, void **array, size_t count, size_t *capacity,
                      size_t size) {
    if (count < *capacity)
        return true;
    if (count >= PICKLE_NODE_LIMIT)
        return pickle_fail(pickle, "more than %d values", PICKLE_NODE_LIMIT);
    *capacity = *capacity > 0 ? 2 * *capacity : 256;
    if (*capacity > PICKLE_NODE_LIMIT)
        *capacity = PICKLE_NODE_LIMIT;
    *array = memory_resize(*array, *capacity, size);
    return true;
}

uint32_t pickle_add(struct pickle *pickle, enum node_kind kind) {
    void *nodes = pickle->nodes;
    if (!make_room(pickle, &nodes, pickle->node_count, &pickle->node_capacity,
                   sizeof *pickle->nodes))
        return NODE_AT_NONE;
    pickle->nodes = nodes;
    pickle->nodes[pickle->node_count] = (struct node){.kind = (uint8_t)kind};
    return (uint32_t)pickle->node_count++;
}

bool pickle_append(struct pickle *pickle, uint32_t container, uint32_t key, uint32_t value) {
    void *cells = pickle->cells;
    if (!make_room(pickle, &cells, pickle->cell_count, &pickle->cell_capacity,
                   sizeof *pickle->cells))
        return false;
    pickle->cells = cells;
    uint32_t added = (uint32_t)pickle->cell_count++;
    struct node *node = &pickle->nodes[container];
    pickle->cells[added] = (struct cell){key, value, 0};
    if (node->count++ == 0)
        node->first = added;
    else
        pickle->cells[node->last].next = added;
    node->last = added;
    return true;
}

bool pickle_append_all(struct pickle *pickle, uint32_t container, uint32_t other) {
    uint32_t cell = pickle->nodes[other].first;
    for (; cell != 0; cell = pickle->cells[cell].next)
        if (!pickle_append(pickle, container, pickle->cells[cell].key, pickle->cells[cell].value))
            return false;
    return true;
}

uint32_t pickle_item(const struct pickle *pickle, uint32_t container, size_t index) {
    uint32_t cell = pickle->nodes[container].first;
    while (cell != 0 && index-- > 0)
        cell = pickle->cells[cell].next;
    return cell != 0 ? pickle->cells[cell].value : NODE_AT_NONE;
}

uint32_t pickle_value(const struct pickle *pickle, uint32_t dict, const char *key) {
    uint32_t found = NODE_AT_NONE;
    bool is_dict = pickle->nodes[dict].kind == NODE_DICT;
    uint32_t cell = is_dict ? pickle->nodes[dict].first : 0;
    for (; cell != 0; cell = pickle->cells[cell].next)
        if (pickle_is_text(pickle, pickle->cells[cell].key, key))
            found = pickle->cells[cell].value;
    return found;
}

bool pickle_is_container(const struct pickle *pickle, uint32_t node) {
    enum node_kind kind = pickle->nodes[node].kind;
    return kind == NODE_TUPLE || kind == NODE_LIST || kind == NODE_DICT;
}

uint32_t pickle_module_state(const struct pickle *pickle, uint32_t node) {
    const struct node *object = &pickle->nodes[node];
    if (object->kind != NODE_OBJECT)
        return 0;
    uint32_t state = object->content;
    if (pickle->nodes[state].kind == NODE_TUPLE) /* (__dict__, slots) */
        state = pickle_item(pickle, state, 0);
    return pickle->nodes[state].kind == NODE_DICT && pickle->nodes[state].module ? state : 0;
}

const char *pickle_text(const struct pickle *pickle, uint32_t node) {
    return (const char *)pickle->bytes + pickle->nodes[node].offset;
}

bool pickle_is_text(const struct pickle *pickle, uint32_t node, const char *text) {
    const struct node *own = &pickle->nodes[node];
    return own->kind == NODE_TEXT && own->count == strlen(text) &&
           memcmp(pickle_text(pickle, node), text, own->count) == 0;
}

static char *quote(const struct pickle *pickle, uint32_t text) {
    size_t length = pickle->nodes[text].count;
    return error_quote(pickle_text(pickle, text), length < 80 ? length : 80);
}

char *pickle_global_name(const struct pickle *pickle, uint32_t node) {
    if (pickle->nodes[node].kind != NODE_GLOBAL)
        node = pickle->nodes[node].callee;
    if (pickle->nodes[node].kind != NODE_GLOBAL)
        return memory_string("an unnamed class");
    char *module = quote(pickle, pickle->nodes[node].home);
    char *name = quote(pickle, pickle->nodes[node].name);
    char *both = memory_format("%s.%s", module, name);
    free(module);
    free(name);
    return both;
}

/* OrderedDict([[key, value], ...]), as old pickles have it. */
static uint32_t make_dict(struct pickle *pickle, uint32_t arguments) {
    uint32_t dict = pickle_add(pickle, NODE_DICT);
    uint32_t pairs = pickle_item(pickle, arguments, 0);
    if (pickle->nodes[pairs].kind != NODE_LIST)
        return dict;
    uint32_t cell = pickle->nodes[pairs].first;
    for (; cell != 0 && pickle->problem == NULL; cell = pickle->cells[cell].next) {
        uint32_t pair = pickle->cells[cell].value;
        if (!pickle_is_container(pickle, pair) || pickle->nodes[pair].count != 2)
            pickle_fail(pickle, "a dictionary of something else than pairs");
        else
            pickle_append(pickle, dict, pickle_item(pickle, pair, 0), pickle_item(pickle, pair, 1));
    }
    return dict;
}

static uint32_t make_set(struct pickle *pickle, uint32_t arguments) {
    uint32_t set = pickle_add(pickle, NODE_SET);
    uint32_t items = pickle_item(pickle, arguments, 0);
    if (pickle_is_container(pickle, items))
        pickle_append_all(pickle, set, items);
    return set;
}

static uint32_t make_result(struct pickle *pickle, enum node_kind kind, uint32_t function,
                            uint32_t arguments) {
    uint32_t result = pickle_add(pickle, kind);
    const struct node *maker = &pickle->nodes[function];
    if (pickle->problem != NULL)
        return NODE_AT_NONE;
    pickle->nodes[result].global = maker->global;
    pickle->nodes[result].callee = maker->kind == NODE_OBJECT ? maker->callee : function;
    pickle->nodes[result].content = arguments;
    return result;
}

/* The tensor in a parameter. */
static uint32_t unwrap(struct pickle *pickle, uint32_t arguments) {
    uint32_t tensor = pickle_item(pickle, arguments, 0);
    enum node_kind kind = pickle->nodes[tensor].kind;
    if (kind != NODE_TENSOR && kind != NODE_OBJECT)
        pickle_fail(pickle, "a parameter without a tensor");
    return tensor;
}

uint32_t pickle_apply(struct pickle *pickle, uint32_t function, uint32_t arguments) {
    enum { WRAPPINGS = 8 };
    for (int depth = 0; depth < WRAPPINGS; depth++) {
        const struct node *maker = &pickle->nodes[function];
        if (maker->kind != NODE_GLOBAL && maker->kind != NODE_OBJECT)
            return pickle_fail(pickle, "calls something that is no function");
        if (pickle->nodes[arguments].kind != NODE_TUPLE)
            return pickle_fail(pickle, "calls with arguments that are no tuple");
        if (maker->kind == NODE_OBJECT)
            return make_result(pickle, NODE_OBJECT, function, arguments);
        switch (pickle_globals[maker->global].role) {
        case ROLE_DICT:
            return make_dict(pickle, arguments);
        case ROLE_SET:
            return make_set(pickle, arguments);
        case ROLE_PARAMETER:
            return unwrap(pickle, arguments);
        case ROLE_TENSOR_V1:
        case ROLE_TENSOR_V2:
        case ROLE_TENSOR_V3:
        case ROLE_TENSOR_OTHER:
            return make_result(pickle, NODE_TENSOR, function, arguments);
        case ROLE_WRAPPED:
            function = pickle_item(pickle, arguments, 0);
            arguments = pickle_item(pickle, arguments, 2);
            break;
        default:
            return make_result(pickle, NODE_OBJECT, function, arguments);
        }
    }
    return pickle_fail(pickle, "tensors wrapped too deeply");
}
