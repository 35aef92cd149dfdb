#include "analysis/prefix_vote.h"

#include "analysis/checkpoint/name_index.h"

#include <stdlib.h>
#include <string.h>

/* A part of a name. */
struct module {
    const char *text;
    size_t length;
};

struct modules {
    struct module *items; /* sorted */
    size_t count;
};

int names_compare(const char *one, size_t length, const char *other, size_t other_length) {
    int order = memcmp(one, other, length < other_length ? length : other_length);
    return order != 0 ? order : (length > other_length) - (length < other_length);
}

size_t name_next_part(const struct alias *alias, size_t at) {
    const char *dot = memchr(alias->name + at, '.', alias->length - at);
    return dot != NULL ? (size_t)(dot - alias->name) + 1 : alias->length;
}

bool prefix_is_identity(const struct prefix_pair *pair) {
    return pair->from_length == 0 && pair->to_length == 0;
}

/* The base's names as name_index wants them. */
struct base_index {
    struct tensor *tensors;
    struct name_index index;
};

static struct base_index index_of(const struct names *base) {
    struct base_index of = {.tensors = memory_array(base->count, sizeof *of.tensors)};
    for (size_t i = 0; i < base->count; i++) {
        of.tensors[i] = *base->items[i].tensor;
        of.tensors[i].name = base->items[i].name;
        of.tensors[i].name_length = base->items[i].length;
    }
    name_index_build(&of.index, of.tensors, base->count);
    return of;
}

static void base_index_free(struct base_index *of) {
    name_index_free(&of->index);
    free(of->tensors);
}

static bool starts_with(const struct alias *alias, const struct prefix_pair *pair) {
    return alias->length > pair->from_length &&
           memcmp(alias->name, pair->from, pair->from_length) == 0;
}

/* The name with the pair's other prefix; free() it. */
static char *exchanged(const struct alias *alias, const struct prefix_pair *pair, size_t *length) {
    size_t rest = alias->length - pair->from_length;
    *length = pair->to_length + rest;
    char *name = memory_array(*length + 1, 1);
    memcpy(name, pair->to, pair->to_length);
    memcpy(name + pair->to_length, alias->name + pair->from_length, rest);
    return name;
}

/* The tensor of the base that the pair leads to, or NULL. */
static const struct tensor *partner(const struct base_index *base, const struct alias *alias,
                                    const struct prefix_pair *pair) {
    size_t length;
    if (!starts_with(alias, pair))
        return NULL;
    char *name = exchanged(alias, pair, &length);
    const struct tensor *tensor = name_index_find(&base->index, name, length);
    free(name);
    return tensor;
}

static void count_partners(const struct base_index *base, const struct names *specialist,
                           struct prefix_pair *pair) {
    for (size_t i = 0; i < specialist->count; i++) {
        const struct tensor *tensor = partner(base, &specialist->items[i], pair);
        pair->named += tensor != NULL;
        pair->same += tensor != NULL && tensor_same_shape(tensor, specialist->items[i].tensor);
    }
}

void prefix_count(const struct names *base, const struct names *specialist,
                  struct prefix_pair *pairs, size_t count) {
    struct base_index index = index_of(base);
    for (size_t i = 0; i < count; i++)
        count_partners(&index, specialist, &pairs[i]);
    base_index_free(&index);
}

/* Length of what all names start with, whole parts only; something of every name is left. */
static size_t common_start(const struct names *names) {
    size_t length = names->count > 0 ? names->items[0].length : 0;
    for (size_t i = 0; i < names->count; i++) {
        size_t same = 0;
        while (same < length && same + 1 < names->items[i].length &&
               names->items[i].name[same] == names->items[0].name[same])
            same++;
        length = same;
    }
    while (length > 0 && names->items[0].name[length - 1] != '.')
        length--;
    return length;
}

static int compare_modules(const void *one, const void *other) {
    const struct module *a = one, *b = other;
    return names_compare(a->text, a->length, b->text, b->length);
}

static struct module module_after(const struct alias *alias, size_t at) {
    return (struct module){alias->name + at, name_next_part(alias, at) - at};
}

/* Modules right after `from` with a partner in the base, sorted. */
static struct modules lined_up_modules(const struct base_index *base,
                                       const struct names *specialist,
                                       const struct prefix_pair *pair) {
    struct modules modules = {memory_array(specialist->count, sizeof *modules.items), 0};
    for (size_t i = 0; i < specialist->count; i++)
        if (partner(base, &specialist->items[i], pair) != NULL)
            modules.items[modules.count++] = module_after(&specialist->items[i], pair->from_length);
    qsort(modules.items, modules.count, sizeof *modules.items, compare_modules);
    return modules;
}

static void take_name(struct alias *alias, char *name, size_t length) {
    free(alias->name);
    alias->name = name;
    alias->length = length;
}

void prefix_apply(const struct names *base, struct names *specialist,
                  const struct prefix_pair *pair) {
    if (prefix_is_identity(pair))
        return;
    struct base_index index = index_of(base);
    struct modules modules = lined_up_modules(&index, specialist, pair);
    char **names = memory_array(specialist->count, sizeof *names);
    size_t *lengths = memory_array(specialist->count, sizeof *lengths);
    struct prefix_pair wrapper = {.to = pair->to, .from_length = common_start(specialist)};
    for (size_t i = 0; i < specialist->count; i++) {
        const struct alias *alias = &specialist->items[i];
        struct module module = {0};
        if (starts_with(alias, pair))
            module = module_after(alias, pair->from_length);
        bool follows = module.text != NULL && bsearch(&module, modules.items, modules.count,
                                                      sizeof module, compare_modules) != NULL;
        names[i] = exchanged(alias, follows ? pair : &wrapper, &lengths[i]);
    }
    for (size_t i = 0; i < specialist->count; i++)
        take_name(&specialist->items[i], names[i], lengths[i]);
    free(names);
    free(lengths);
    free(modules.items);
    base_index_free(&index);
}

void prefix_pair_free(struct prefix_pair *pair) {
    free(pair->from);
    free(pair->to);
    *pair = (struct prefix_pair){0};
}
