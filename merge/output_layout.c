#include "merge/output_layout.h"

#include <stdlib.h>
#include <string.h>

/* A layer and the tensor of the file that it is part of. */
struct placed {
    struct origin origin;
    struct output_part part;
};

/* What is at hand while a layout is made. */
struct making {
    const struct tensor_table *table;
    const struct settings *settings;
    struct output_layout *layout;
    struct placed *placed; /* in the order of the file */
    size_t placed_count;
    struct error *error;
};

/* The layer's tensor as it is lined up. */
static const struct tensor *tensor_of(const struct layer *layer, size_t file) {
    return file == 0 ? layer->base : layer->specialists[file - 1];
}

/* The specialist of most tensors: its model takes what the others have, too. Adapters load into the
 * base's model: where there are no others, the base. */
static size_t fullest_specialist(const struct tensor_table *table) {
    size_t best = 0;
    for (size_t file = 1; file <= table->specialist_count; file++)
        if (!checkpoint_is_adapter(tensor_table_file(table, file)) &&
            (best == 0 || checkpoint_count(tensor_table_file(table, file)) >
                              checkpoint_count(tensor_table_file(table, best))))
            best = file;
    return best;
}

static size_t choose_file(const struct tensor_table *table, const struct settings *settings,
                          const char *path) {
    bool base = settings->output_names == NAMES_BASE ||
                (settings->output_names == NAMES_AUTO && !writer_is_torch(path));
    return base ? 0 : fullest_specialist(table);
}

/* By place in the file: its tensors stand in one array, in its order. */
static int compare_placed(const void *one, const void *other) {
    const struct placed *a = one, *b = other;
    if (a->origin.whole != b->origin.whole)
        return a->origin.whole < b->origin.whole ? -1 : 1;
    return (a->origin.first_row > b->origin.first_row) -
           (a->origin.first_row < b->origin.first_row);
}

static void place_layers(struct making *making) {
    const struct tensor_table *table = making->table;
    making->placed = memory_array(table->layer_count, sizeof *making->placed);
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct origin *origin = &table->layers[l].origins[making->layout->file];
        if (origin->whole != NULL)
            making->placed[making->placed_count++] =
                (struct placed){*origin, {table->layers[l].twin, origin->transposed}};
    }
    qsort(making->placed, making->placed_count, sizeof *making->placed, compare_placed);
}

/* Heads and shared tensors follow the setting, copies keep theirs. */
static enum dtype output_dtype(const struct settings *settings, const struct layer *layer) {
    static const enum dtype dtypes[] = {
        [OUTPUT_F32] = DTYPE_F32, [OUTPUT_F16] = DTYPE_F16, [OUTPUT_BF16] = DTYPE_BF16};
    bool computed = layer_is_shared(layer) || layer->role == ROLE_HEAD;
    if (settings->output_dtype == OUTPUT_BASE || !computed)
        return layer->like->dtype;
    return dtypes[settings->output_dtype];
}

/* A tensor put together from the next parts. */
static void add_tensor(struct making *making, struct tensor_spec spec, const struct placed *placed,
                       size_t count) {
    struct output_layout *layout = making->layout;
    size_t *end = &layout->first_part[layout->count + 1];
    *end = layout->first_part[layout->count];
    for (size_t p = 0; p < count; p++)
        layout->parts[(*end)++] = placed[p].part;
    spec.dtype = output_dtype(making->settings, &making->table->layers[placed->part.layer]);
    layout->specs[layout->count++] = spec;
}

/* All rows of the tensor are there. */
static bool check_rows(const struct making *making, const struct placed *placed, size_t count) {
    const struct tensor *whole = placed->origin.whole;
    uint64_t rows = 0;
    for (size_t p = 0; p < count; p++)
        rows += making->table->layers[placed[p].part.layer].like->shape[0];
    if (placed->part.transposed || rows == whole->shape[0])
        return true;
    char *name = error_quote(whole->name, whole->name_length);
    error_set(making->error, ERROR_INPUT, "%s: tensor %s: not all of its parts can be merged",
              checkpoint_path(tensor_table_file(making->table, making->layout->file)), name);
    free(name);
    return false;
}

/* The tensor of the file that these layers are parts of. */
static bool add_placed(struct making *making, const struct placed *placed, size_t count) {
    const struct tensor *whole = placed->origin.whole;
    const struct layer *layer = &making->table->layers[placed->part.layer];
    struct tensor_spec spec = {.name = whole->name, .name_length = whole->name_length};
    bool assembled = tensor_of(layer, making->layout->file) != whole;
    const struct tensor *like = assembled ? whole : layer->like;
    spec.rank = like->rank;
    spec.shape = like->shape;
    if (assembled && !check_rows(making, placed, count))
        return false;
    add_tensor(making, spec, placed, count);
    return true;
}

/* What the base lacks, under the names by which the specialists were lined up. */
static void add_new(struct making *making) {
    for (size_t l = 0; l < making->table->layer_count; l++) {
        const struct layer *layer = &making->table->layers[l];
        if (layer->base != NULL || layer->foreign)
            continue;
        struct tensor_spec spec = {.name = layer->output_name,
                                   .name_length = layer->output_length,
                                   .rank = layer->like->rank,
                                   .shape = layer->like->shape};
        add_tensor(making, spec, &(struct placed){.part.layer = layer->twin}, 1);
    }
}

/* Whether every specialist that has both layers ties them. */
static bool tied_everywhere(const struct tensor_table *table, size_t one, size_t other) {
    for (size_t file = 1; file <= table->specialist_count; file++) {
        const struct tensor *a = table->layers[one].origins[file].whole;
        const struct tensor *b = table->layers[other].origins[file].whole;
        if (a != NULL && b != NULL && !tensor_same_elements(a, b))
            return false;
    }
    return true;
}

/* A tensor that is tied to an earlier one, as both are in one part, is merged like that one. */
static void note_tie(struct making *making, size_t first, size_t index) {
    struct output_layout *layout = making->layout;
    struct output_part *one = &layout->parts[layout->first_part[first]];
    struct output_part *other = &layout->parts[layout->first_part[index]];
    bool tied = tied_everywhere(making->table, one->layer, other->layer);
    char *a = error_quote(layout->specs[first].name, layout->specs[first].name_length);
    char *b = error_quote(layout->specs[index].name, layout->specs[index].name_length);
    char *note = memory_format(tied ? "%s is tied to %s: written as a copy of it"
                                    : "%s is tied to %s, but not in every specialist: merged apart",
                               b, a);
    if (tied)
        *other = *one;
    string_list_add(&layout->notes, note);
    free(note);
    free(b);
    free(a);
}

/* index of every tensor of the file in the layout + 1; 0: it has no place there. free() it. */
static size_t *places_of(const struct making *making) {
    const struct checkpoint *file = tensor_table_file(making->table, making->layout->file);
    size_t *places = memory_array(checkpoint_count(file), sizeof *places), count = 0;
    for (size_t p = 0; p < making->placed_count; p++) {
        const struct tensor *whole = making->placed[p].origin.whole;
        if (p == 0 || whole != making->placed[p - 1].origin.whole)
            count++;
        places[whole - checkpoint_tensor(file, 0)] = count;
    }
    return places;
}

static void find_ties(struct making *making) {
    const struct checkpoint *file = tensor_table_file(making->table, making->layout->file);
    const struct output_layout *layout = making->layout;
    size_t *places = places_of(making);
    for (size_t i = 0; i < checkpoint_count(file); i++) {
        size_t tied = checkpoint_tied(file, i);
        if (tied == i || places[i] == 0 || places[tied] == 0)
            continue;
        size_t index = places[i] - 1;
        if (layout->first_part[index + 1] - layout->first_part[index] == 1)
            note_tie(making, places[tied] - 1, index);
    }
    free(places);
}

/* Whose layout it is, and what that leaves out. */
static void note_layout(struct making *making) {
    const struct tensor_table *table = making->table;
    struct output_layout *layout = making->layout;
    struct string_list left_out = {0};
    if (layout->file == 0)
        return;
    const char *name = table->specialists[layout->file - 1].name;
    for (size_t l = 0; l < table->layer_count; l++)
        if (table->layers[l].origins[layout->file].whole == NULL)
            string_list_add(&left_out, table->layers[l].name);
    char *names = names_text(&left_out);
    char *note = left_out.count == 0
                     ? memory_format("names and layout are those of %s", name)
                     : memory_format("names and layout are those of %s; %zu tensor%s it lacks %s "
                                     "left out: %s",
                                     name, left_out.count, left_out.count > 1 ? "s" : "",
                                     left_out.count > 1 ? "are" : "is", names);
    string_list_add(&layout->notes, note);
    free(note);
    free(names);
    string_list_free(&left_out);
}

bool output_layout_make(const struct tensor_table *table, const struct settings *settings,
                        const char *path, struct output_layout *layout, struct error *error) {
    struct making making = {table, settings, layout, NULL, 0, error};
    size_t layers = table->layer_count;
    bool good = true;
    *layout = (struct output_layout){.file = choose_file(table, settings, path),
                                     .specs = memory_array(layers, sizeof *layout->specs),
                                     .parts = memory_array(layers, sizeof *layout->parts),
                                     .first_part = memory_array(layers + 1, sizeof(size_t))};
    place_layers(&making);
    for (size_t first = 0, end; good && first < making.placed_count; first = end) {
        for (end = first + 1; end < making.placed_count &&
                              making.placed[end].origin.whole == making.placed[first].origin.whole;)
            end++;
        good = add_placed(&making, making.placed + first, end - first);
    }
    if (good) {
        note_layout(&making);
        find_ties(&making);
    }
    if (good && layout->file == 0)
        add_new(&making);
    free(making.placed);
    return good;
}

uint64_t output_layout_bytes(const struct output_layout *layout, size_t index) {
    const struct tensor_spec *spec = &layout->specs[index];
    uint64_t elements = 1;
    for (size_t d = 0; d < spec->rank; d++)
        elements *= spec->shape[d];
    return elements * dtype_bits(spec->dtype) / 8;
}

void output_layout_free(struct output_layout *layout) {
    free(layout->specs);
    free(layout->parts);
    free(layout->first_part);
    string_list_free(&layout->notes);
    *layout = (struct output_layout){0};
}
