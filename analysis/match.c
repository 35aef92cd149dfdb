#include "analysis/table_parts.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_SHOWN = 5 };

void match_add(struct tensor_table *table, const struct layer *layer) {
    for (size_t i = 0; i < table->specialist_count; i++) {
        struct match *match = &table->specialists[i].match;
        const struct tensor *tensor = layer->specialists[i];
        bool adapter = checkpoint_is_adapter(table->specialists[i].checkpoint);
        if (tensor == NULL && layer->base != NULL && !adapter)
            string_list_add(&match->base_only, layer->name);
        else if (tensor != NULL && layer->base == NULL)
            string_list_add(&match->specialist_only, layer->name);
        else if (tensor != NULL && tensor_same_shape(tensor, layer->base))
            string_list_add(&match->matched, layer->name);
        else if (tensor != NULL)
            string_list_add(&match->other_shape, layer->name);
    }
}

void match_release(struct match *match) {
    string_list_free(&match->matched);
    string_list_free(&match->base_only);
    string_list_free(&match->specialist_only);
    string_list_free(&match->other_shape);
    free(match->from);
    free(match->to);
    free(match->head_from);
    free(match->head_to);
}

/* Appends and frees what is added. */
static void append(char **text, char *added) {
    char *longer = memory_format("%s%s", *text, added);
    free(*text);
    free(added);
    *text = longer;
}

char *names_text(const struct string_list *names) {
    char *text = memory_string("");
    for (size_t i = 0; i < names->count && i < NAMES_SHOWN; i++)
        append(&text, memory_format("%s%s", i > 0 ? ", " : "", names->items[i]));
    if (names->count > NAMES_SHOWN)
        append(&text, memory_format(" and %zu more", names->count - NAMES_SHOWN));
    return text;
}

void match_warn(struct tensor_table *table) {
    for (size_t i = 0; i < table->specialist_count; i++) {
        const struct match *match = &table->specialists[i].match;
        size_t both = match->matched.count + match->other_shape.count;
        size_t base = both + match->base_only.count, own = both + match->specialist_only.count;
        if (2 * match->matched.count >= (base < own ? base : own))
            continue;
        char *warning = memory_format("only %zu of the %zu tensors of %s line up with the base's",
                                      match->matched.count, own, table->specialists[i].name);
        string_list_add(&table->warnings, warning);
        free(warning);
    }
}

/* What a prefix of the specialist became: "backbone." as "vision_model."; free() it. */
static char *pair_text(const char *from, const char *to) {
    if (*from == '\0' && *to == '\0')
        return memory_string("as they are");
    if (*to == '\0')
        return memory_format("without \"%s\"", from);
    if (*from == '\0')
        return memory_format("with \"%s\" before", to);
    return memory_format("\"%s\" as \"%s\"", from, to);
}

char *match_way(const struct match *match) {
    char *text = match->from == NULL ? memory_string("by strip_prefix and rename")
                                     : pair_text(match->from, match->to);
    if (match->head_from != NULL) {
        append(&text, memory_string(", "));
        append(&text, pair_text(match->head_from, match->head_to));
    }
    if (match->mapping != NULL)
        append(&text, memory_format(", %s", match->mapping));
    return text;
}

static void append_names(char **text, const char *what, const struct string_list *names) {
    if (names->count == 0)
        return;
    char *list = names_text(names);
    append(text, memory_format("  %zu %s: %s\n", names->count, what, list));
    free(list);
}

char *match_text(const struct tensor_table *table, size_t specialist) {
    const struct table_specialist *one = &table->specialists[specialist];
    const struct match *match = &one->match;
    const char *path = checkpoint_state_dict(one->checkpoint);
    char *way = match_way(match), *place = error_quote(path, strlen(path));
    char *text = memory_format(
        "%s: %zu of %zu tensors%s%s match the base; names %s\n", one->name, match->matched.count,
        match->matched.count + match->other_shape.count + match->specialist_only.count,
        *place != '\0' ? " of the state dict " : "", place, way);
    free(place);
    append_names(&text, "of another shape", &match->other_shape);
    append_names(&text, "only in the specialist", &match->specialist_only);
    append_names(&text, "only in the base", &match->base_only);
    free(way);
    return text;
}
