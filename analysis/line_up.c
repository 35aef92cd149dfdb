#include "analysis/clip_names.h"
#include "analysis/prefix_vote.h"

#include <stdlib.h>
#include <string.h>

/* By name, then by file. */
static int compare_aliases(const void *one, const void *other) {
    const struct alias *a = one, *b = other;
    int order = names_compare(a->name, a->length, b->name, b->length);
    if (order != 0)
        return order;
    return (a->file > b->file) - (a->file < b->file);
}

/* The tensors of a file under names stripped and renamed by the keys; by_hand: one was. */
static struct names file_names(const struct tensor_table *table, size_t file,
                               const struct table_keys *keys, bool *by_hand) {
    const struct checkpoint *checkpoint = tensor_table_file(table, file);
    struct names names = {.count = checkpoint_weight_count(checkpoint)};
    names.items = memory_array(names.count, sizeof *names.items);
    *by_hand = false;
    for (size_t i = 0; i < names.count; i++) {
        struct alias *alias = &names.items[i];
        alias->file = file;
        alias->tensor = alias->origin.whole = checkpoint_weight(checkpoint, i);
        *by_hand = table_keys_apply(keys, alias) || *by_hand;
    }
    return names;
}

/* Gives one specialist's tensors the base's names, by a vote unless the keys did it. */
static void find_prefix(struct tensor_table *table, struct names *all, size_t file, bool by_hand,
                        struct error *error) {
    struct prefix_pair pair;
    struct match *match = &table->specialists[file - 1].match;
    if (by_hand)
        return;
    if (!prefix_vote(&all[0], &all[file], table_path(table, file), &pair, error)) {
        if (error->hint == NULL)
            hint_at_names(table, file - 1, error);
        return;
    }
    prefix_apply(&all[0], &all[file], &pair);
    match->from = error_quote(pair.from, pair.from_length);
    match->to = error_quote(pair.to, pair.to_length);
    prefix_pair_free(&pair);
}

static int compare_names(const void *one, const void *other) {
    const struct alias *a = one, *b = other;
    return names_compare(a->name, a->length, b->name, b->length);
}

/* Copies of the aliases that the base (sorted) has nothing for, and their places. */
static struct names without_partner(const struct names *base, const struct names *own,
                                    size_t *places) {
    struct names left = {memory_array(own->count, sizeof *left.items), 0};
    for (size_t i = 0; i < own->count; i++)
        if (bsearch(&own->items[i], base->items, base->count, sizeof *base->items, compare_names) ==
            NULL) {
            places[left.count] = i;
            left.items[left.count++] = own->items[i];
        }
    return left;
}

/* What the base lacks, heads above all, gets the names that the first specialist has for it:
 * "classifier." is another's "head.". Where no vote tells, the names stay. */
static void align_heads(struct tensor_table *table, struct names *all, size_t file) {
    size_t *places = memory_array(all[1].count + all[file].count, sizeof *places);
    struct names first = without_partner(&all[0], &all[1], places);
    struct names own = without_partner(&all[0], &all[file], places);
    struct match *match = &table->specialists[file - 1].match;
    struct prefix_pair pair = {0};
    struct error ignored = {0};
    if (first.count > 0 && own.count > 0 &&
        prefix_vote(&first, &own, table_path(table, file), &pair, &ignored) && pair.same > 0 &&
        !prefix_is_identity(&pair)) {
        prefix_apply(&first, &own, &pair);
        match->head_from = error_quote(pair.from, pair.from_length);
        match->head_to = error_quote(pair.to, pair.to_length);
        for (size_t i = 0; i < own.count; i++)
            all[file].items[places[i]] = own.items[i];
    }
    prefix_pair_free(&pair);
    error_free(&ignored);
    free(first.items);
    free(own.items);
    free(places);
}

/* Every tensor of every file, sorted: the tensors of one layer are neighbours. */
static struct names sorted_names(struct tensor_table *table, const struct table_keys *keys,
                                 struct error *error) {
    size_t files = table->specialist_count + 1;
    struct names *all = memory_array(files, sizeof *all), joined = {0};
    bool *by_hand = memory_array(files, sizeof *by_hand);
    for (size_t file = 0; file < files; file++)
        all[file] = file_names(table, file, keys, &by_hand[file]);
    clip_names_align(table, all);
    for (size_t file = 0; file < files; file++) {
        joined.count += all[file].count;
        if (file > 0)
            find_prefix(table, all, file, by_hand[file], error);
    }
    qsort(all[0].items, all[0].count, sizeof *all[0].items, compare_names);
    for (size_t file = 2; file < files; file++)
        if (!by_hand[file] && !by_hand[1] && error->kind == ERROR_NONE)
            align_heads(table, all, file);
    free(by_hand);
    joined.items = memory_array(joined.count, sizeof *joined.items);
    struct alias *end = joined.items;
    for (size_t file = 0; file < files; file++) {
        memcpy(end, all[file].items, all[file].count * sizeof *end);
        end += all[file].count;
        free(all[file].items);
    }
    free(all);
    qsort(joined.items, joined.count, sizeof *joined.items, compare_aliases);
    return joined;
}

static bool same_name(const struct alias *one, const struct alias *other) {
    return one->length == other->length && memcmp(one->name, other->name, one->length) == 0;
}

/* The layer made of aliases of one name, without its role. */
static void layer_collect(const struct tensor_table *table, struct layer *layer,
                          const struct alias *aliases, size_t count, struct error *error) {
    *layer = (struct layer){.like = aliases[0].tensor, .foreign = aliases[0].foreign};
    bool in_base = aliases[0].file == 0;
    bool whole = in_base && layer->like == aliases[0].origin.whole;
    const char *name = whole ? layer->like->name : aliases[0].name;
    layer->output_length = whole ? layer->like->name_length : aliases[0].length;
    layer->output_name = memory_text(name, layer->output_length);
    layer->name = error_quote(name, layer->output_length);
    layer->specialists = memory_array(table->specialist_count, sizeof(void *));
    layer->origins = memory_array(table->specialist_count + 1, sizeof *layer->origins);
    for (size_t i = 0; i < count; i++) {
        const struct alias *alias = &aliases[i];
        const struct tensor **place =
            alias->file == 0 ? &layer->base : &layer->specialists[alias->file - 1];
        if (*place != NULL) {
            char *other = error_quote(alias->tensor->name, alias->tensor->name_length);
            error_add(error, ERROR_INPUT, "%s: tensor %s: gets another tensor's name when lined up",
                      table_path(table, alias->file), other);
            free(other);
        }
        *place = alias->tensor;
        layer->origins[alias->file] = alias->origin;
    }
}

void layer_release(struct layer *layer) {
    free(layer->name);
    free(layer->output_name);
    free(layer->specialists);
    free(layer->origins);
}

static int compare_layers(const void *one, const void *other) {
    return natural_compare(((const struct layer *)one)->name, ((const struct layer *)other)->name);
}

/* "12 tensors in no file: a, b, c and 9 more" as a warning. */
static void warn_of_names(struct tensor_table *table, const struct string_list *names,
                          const char *text) {
    if (names->count == 0)
        return;
    char *list = names_text(names);
    char *warning =
        memory_format("%zu tensor%s %s: %s", names->count, names->count > 1 ? "s" : "", text, list);
    string_list_add(&table->warnings, warning);
    free(warning);
    free(list);
}

/* Makes the layers from names of all files, sorted. */
static void make_layers(struct tensor_table *table, const struct table_keys *keys,
                        const struct names *names, struct error *error) {
    struct left_out left_out = {0};
    table->layers = memory_array(names->count, sizeof *table->layers);
    for (size_t first = 0, end; first < names->count; first = end) {
        const struct alias *aliases = names->items;
        for (end = first + 1; end < names->count && same_name(&aliases[first], &aliases[end]);)
            end++;
        struct layer *layer = &table->layers[table->layer_count];
        layer_collect(table, layer, aliases + first, end - first, error);
        match_add(table, layer);
        layer_complete(table, layer);
        if (layer_take_role(table, keys, aliases[first].name, layer, &left_out, error))
            table->layer_count++;
        else
            layer_release(layer);
    }
    qsort(table->layers, table->layer_count, sizeof *table->layers, compare_layers);
    tie_layers(table);
    warn_of_names(table, &left_out.base_only, "in no specialist, they stay as in the base");
    warn_of_names(table, &left_out.some_specialists,
                  "in some specialists only, left out of the merge");
    string_list_free(&left_out.base_only);
    string_list_free(&left_out.some_specialists);
}

void line_up(struct tensor_table *table, const struct table_keys *keys, struct error *error) {
    struct names names = sorted_names(table, keys, error);
    if (error->kind == ERROR_NONE) {
        make_layers(table, keys, &names, error);
        match_warn(table);
    }
    for (size_t i = 0; i < names.count; i++)
        free(names.items[i].name);
    free(names.items);
}
