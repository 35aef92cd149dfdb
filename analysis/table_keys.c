#include "analysis/table_parts.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

void table_keys_defaults(struct table_keys *keys) {
    *keys = (struct table_keys){0};
    string_list_add(&keys->head, "head.*");
    string_list_add(&keys->head, "classifier.*");
}

void table_keys_copy(struct table_keys *target, const struct table_keys *source) {
    string_list_copy(&target->state_dict, &source->state_dict);
    string_list_copy(&target->strip_prefix, &source->strip_prefix);
    string_list_copy(&target->rename, &source->rename);
    string_list_copy(&target->exclude, &source->exclude);
    string_list_copy(&target->head, &source->head);
}

void table_keys_free(struct table_keys *keys) {
    string_list_free(&keys->state_dict);
    string_list_free(&keys->strip_prefix);
    string_list_free(&keys->rename);
    string_list_free(&keys->exclude);
    string_list_free(&keys->head);
}

bool table_keys_check(const struct table_keys *keys, struct error *error) {
    for (size_t i = 0; i < keys->rename.count; i++) {
        const char *rule = keys->rename.items[i], *equals = strchr(rule, '=');
        if (equals != NULL && equals != rule)
            continue;
        char *quoted = error_quote(rule, strlen(rule));
        error_add(error, ERROR_USAGE, "keys.rename: \"%s\" is not of the form FROM=TO", quoted);
        free(quoted);
    }
    return error->kind == ERROR_NONE;
}

static bool starts_with(const char *name, size_t length, const char *prefix, size_t prefix_length) {
    return length >= prefix_length && memcmp(name, prefix, prefix_length) == 0;
}

/* Length of the first prefix that fits and leaves something of the name. */
static size_t prefix_to_strip(const struct string_list *prefixes, const char *name, size_t length) {
    for (size_t i = 0; i < prefixes->count; i++) {
        size_t prefix_length = strlen(prefixes->items[i]);
        if (prefix_length < length && starts_with(name, length, prefixes->items[i], prefix_length))
            return prefix_length;
    }
    return 0;
}

bool table_keys_apply(const struct table_keys *keys, struct alias *alias) {
    const struct tensor *tensor = alias->tensor;
    size_t strip = prefix_to_strip(&keys->strip_prefix, tensor->name, tensor->name_length);
    const char *rest = tensor->name + strip;
    size_t length = tensor->name_length - strip;
    const char *to = "";
    bool renamed = false;
    for (size_t i = 0; i < keys->rename.count; i++) {
        const char *from = keys->rename.items[i], *equals = strchr(from, '=');
        size_t from_length = (size_t)(equals - from);
        if (!starts_with(rest, length, from, from_length))
            continue;
        to = equals + 1;
        renamed = true;
        rest += from_length;
        length -= from_length;
        break;
    }
    size_t to_length = strlen(to);
    alias->length = to_length + length;
    alias->name = memory_array(alias->length + 1, 1);
    memcpy(alias->name, to, to_length);
    memcpy(alias->name + to_length, rest, length);
    return renamed || strip > 0;
}

bool globs_match(const struct string_list *globs, const char *name) {
    for (size_t i = 0; i < globs->count; i++)
        if (fnmatch(globs->items[i], name, 0) == 0)
            return true;
    return false;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Orders two runs of digits by value and moves past them. */
static int compare_numbers(const char **one, const char **other) {
    while (**one == '0')
        ++*one;
    while (**other == '0')
        ++*other;
    int first_difference = 0;
    for (; is_digit(**one) && is_digit(**other); ++*one, ++*other)
        if (first_difference == 0)
            first_difference = (**one > **other) - (**one < **other);
    if (is_digit(**one) != is_digit(**other))
        return is_digit(**one) ? 1 : -1; /* the longer number is larger */
    return first_difference;
}

int natural_compare(const char *one, const char *other) {
    const char *a = one, *b = other;
    while (*a != '\0' && *b != '\0') {
        if (is_digit(*a) && is_digit(*b)) {
            int order = compare_numbers(&a, &b);
            if (order != 0)
                return order;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    if (*a != *b)
        return *a == '\0' ? -1 : 1;
    return strcmp(one, other); /* differ in leading zeros only */
}
