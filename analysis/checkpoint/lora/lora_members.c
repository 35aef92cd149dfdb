#include "analysis/checkpoint/lora/lora_members.h"

#include <stdlib.h>
#include <string.h>

bool text_begins(const char *text, size_t length, const char *with) {
    return length >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

bool text_ends(const char *text, size_t length, const char *with) {
    size_t tail = strlen(with);
    return length >= tail && memcmp(text + length - tail, with, tail) == 0;
}

/* Kinds of factors by the part of the name that says so; the longer of two that fit first. */
static const struct {
    const char *name;
    enum part part;
    bool embedding;
} factors[] = {{"lora_embedding_A", PART_A, true},
               {"lora_embedding_B", PART_B, true},
               {"lora_A", PART_A, false},
               {"lora_B", PART_B, false}};

enum { FACTORS = sizeof factors / sizeof factors[0] };

/* The first part of the name (after a dot, or at its start) that begins with lora_, or length. */
static size_t find_factor(const char *name, size_t length) {
    for (size_t at = 0; at < length; at++)
        if ((at == 0 || name[at - 1] == '.') && text_begins(name + at, length - at, "lora_"))
            return at;
    return length;
}

/* text: from lora_ on. */
static bool read_factor(const struct checkpoint *checkpoint, struct member *member,
                        const char *text, size_t length, struct error *error) {
    for (size_t i = 0; i < FACTORS; i++) {
        size_t own = strlen(factors[i].name);
        if (!text_begins(text, length, factors[i].name) || (own < length && text[own] != '.'))
            continue;
        member->part = factors[i].part;
        member->embedding = factors[i].embedding;
        if (member->part == PART_B && text_ends(text, length, ".bias"))
            member->part = PART_B_BIAS;
        else if (!member->embedding && !text_ends(text, length, ".weight"))
            break;
        return true;
    }
    bool dora = text_begins(text, length, "lora_magnitude_vector");
    return tensor_fail(checkpoint, member->tensor, error, "%s",
                       dora ? "belongs to DoRA, which adds no low-rank term to the weight"
                            : "is no factor of a LoRA update as PEFT names them");
}

static bool read_member(const struct checkpoint *checkpoint, struct member *member,
                        struct error *error) {
    static const char prefix[] = "base_model.model.";
    const char *name = member->tensor->name;
    size_t length = member->tensor->name_length;
    if (text_begins(name, length, prefix)) {
        name += sizeof prefix - 1;
        length -= sizeof prefix - 1;
    }
    size_t at = find_factor(name, length);
    member->module = name;
    member->part = PART_WHOLE;
    member->length = length;
    if (at == length)
        return true;
    if (at == 0)
        return tensor_fail(checkpoint, member->tensor, error,
                           "is no factor of a LoRA update as PEFT names them");
    member->length = at - 1;
    return read_factor(checkpoint, member, name + at, length - at, error);
}

static int compare_modules(const char *one, size_t length, const char *other, size_t other_length) {
    int order = memcmp(one, other, length < other_length ? length : other_length);
    return order != 0 ? order : (length > other_length) - (length < other_length);
}

static int compare_members(const void *one, const void *other) {
    const struct member *a = one, *b = other;
    int order = compare_modules(a->module, a->length, b->module, b->length);
    return order != 0 ? order : (a->part > b->part) - (a->part < b->part);
}

bool lora_members_read(const struct checkpoint *checkpoint, struct members *members,
                       struct error *error) {
    members->count = checkpoint->count;
    members->items = memory_array(members->count, sizeof *members->items);
    for (size_t i = 0; i < members->count; i++) {
        struct member *member = &members->items[i];
        member->tensor = &checkpoint->tensors[i];
        if (dtype_class(member->tensor->dtype) == DTYPE_CLASS_OPAQUE)
            return tensor_fail(checkpoint, member->tensor, error, "type %s cannot be merged",
                               dtype_name(member->tensor->dtype));
        if (!read_member(checkpoint, member, error))
            return false;
    }
    qsort(members->items, members->count, sizeof *members->items, compare_members);
    return true;
}

bool lora_members_meet(const struct member *one, const struct member *other) {
    return compare_modules(one->module, one->length, other->module, other->length) == 0;
}

bool lora_members_have(const struct members *members, const struct member *member,
                       const char *ending) {
    char *wanted = memory_array(member->length + strlen(ending) + 1, 1);
    struct member like = {.module = wanted, .length = member->length + strlen(ending)};
    memcpy(wanted, member->module, member->length);
    memcpy(wanted + member->length, ending, strlen(ending) + 1);
    size_t low = 0, high = members->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_members(&members->items[middle], &like) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < members->count && lora_members_meet(&members->items[low], &like);
    free(wanted);
    return found;
}
