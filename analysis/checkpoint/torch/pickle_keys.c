/* Keys that occur twice in a dictionary. */
#include "analysis/checkpoint/torch/pickle.h"
#include "analysis/support/memory.h"

#include <stdlib.h>
#include <string.h>

/* A cell with what its key says: text (of a TEXT), else the integer. */
struct keyed {
    const char *text; /* NULL for an INTEGER */
    uint64_t number;  /* the length, or the integer */
    uint32_t cell;
};

/* By key, then by cell: cells are numbered in the order of insertion. */
static int compare(const void *one, const void *other) {
    const struct keyed *a = one, *b = other;
    int order = (a->text != NULL) - (b->text != NULL);
    if (order == 0)
        order = (a->number > b->number) - (a->number < b->number);
    if (order == 0 && a->text != NULL && a->number > 0)
        order = memcmp(a->text, b->text, a->number);
    return order;
}

static int compare_cells(const void *one, const void *other) {
    const struct keyed *a = one, *b = other;
    int order = compare(one, other);
    return order != 0 ? order : (a->cell > b->cell) - (a->cell < b->cell);
}

/* The text and integer keys of a DICT into keys; their number. */
static size_t list_keys(const struct pickle *pickle, uint32_t dict, struct keyed *keys) {
    size_t count = 0;
    uint32_t cell = pickle->nodes[dict].first;
    for (; cell != 0; cell = pickle->cells[cell].next) {
        const struct node *key = &pickle->nodes[pickle->cells[cell].key];
        if (key->kind == NODE_TEXT)
            keys[count++] =
                (struct keyed){pickle_text(pickle, pickle->cells[cell].key), key->count, cell};
        else if (key->kind == NODE_INTEGER)
            keys[count++] = (struct keyed){NULL, (uint64_t)key->integer, cell};
    }
    return count;
}

size_t pickle_drop_overwritten(struct pickle *pickle, uint32_t *key) {
    struct keyed *keys = memory_array(pickle->cell_count, sizeof *keys);
    size_t dropped = 0;
    for (uint32_t dict = 0; dict < pickle->node_count; dict++) {
        if (pickle->nodes[dict].kind != NODE_DICT || pickle->nodes[dict].count < 2)
            continue;
        size_t count = list_keys(pickle, dict, keys);
        qsort(keys, count, sizeof *keys, compare_cells);
        for (size_t i = 1; i < count; i++) {
            struct cell *cell = &pickle->cells[keys[i - 1].cell];
            if (compare(&keys[i - 1], &keys[i]) != 0)
                continue;
            *key = cell->key;
            cell->key = cell->value = NODE_AT_NONE;
            dropped++;
        }
    }
    free(keys);
    return dropped;
}
