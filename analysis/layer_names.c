#include "analysis/layer_names.h"

#include "analysis/support/memory.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_number(const char *part, size_t length) {
    size_t digits = 0;
    while (digits < length && isdigit((unsigned char)part[digits]))
        digits++;
    return digits > 0 && digits == length;
}

/* Up to the first part that is a number; without one, all but the last two parts. */
size_t layer_module_length(const char *name) {
    size_t ends[3] = {0, 0, 0}; /* of the last parts, newest first */
    for (size_t start = 0;;) {
        size_t length = strcspn(name + start, ".");
        if (name[start + length] == '\0')
            return ends[1];
        if (start > 0 && is_number(name + start, length))
            return start + length;
        ends[2] = ends[1];
        ends[1] = ends[0];
        ends[0] = start + length;
        start += length + 1;
    }
}

char *layer_module_label(const char *name, size_t length) {
    size_t start = length, parts = 1;
    while (start > 0) {
        if (name[start - 1] == '.' && !is_number(name + start, length - start))
            break;
        parts += name[start - 1] == '.';
        if (parts > 2)
            break;
        start--;
    }
    return memory_text(name + start, length - start);
}

void layer_drop_ending(char *label) {
    static const char *const endings[] = {".weight", "_weight"};
    size_t length = strlen(label);
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(endings[i]);
        if (length > size && strcmp(label + length - size, endings[i]) == 0)
            label[length - size] = '\0';
    }
}

void layer_kind(const char *name, char kind[LAYER_NAME_ROOM]) {
    size_t skip = layer_module_length(name);
    snprintf(kind, LAYER_NAME_ROOM, "%s", name + skip + (name[skip] == '.'));
    layer_drop_ending(kind);
}

void layer_label(const char *name, char label[LAYER_NAME_ROOM]) {
    char kind[LAYER_NAME_ROOM];
    char *module = layer_module_label(name, layer_module_length(name));
    layer_kind(name, kind);
    if (module[0] != '\0' && strcmp(kind, "weight") == 0)
        snprintf(label, LAYER_NAME_ROOM, "%.1000s", module);
    else
        snprintf(label, LAYER_NAME_ROOM, "%.200s%s%.800s", module, module[0] != '\0' ? "." : "",
                 kind);
    free(module);
}

bool layer_same_kind(const char *one, const char *other) {
    for (;;) {
        size_t length = strcspn(one, "."), other_length = strcspn(other, ".");
        bool numbers = is_number(one, length) && is_number(other, other_length);
        bool same = length == other_length && memcmp(one, other, length) == 0;
        if ((!same && !numbers) || one[length] != other[other_length])
            return false;
        if (one[length] == '\0')
            return true;
        one += length + 1;
        other += other_length + 1;
    }
}
