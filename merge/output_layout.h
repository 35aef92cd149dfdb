/* The tensors of the merged checkpoint as they will stand in the file. They have names, order and
 * layout of one of the inputs: of the base, or of the model that the specialists load into. Each is
 * put together from layers: mostly one, three for a stacked projection. */
#ifndef R2M_MERGE_OUTPUT_LAYOUT_H
#define R2M_MERGE_OUTPUT_LAYOUT_H

#include "analysis/checkpoint/writer.h"
#include "merge/config/settings.h"

/* A layer in an output tensor: all of it, or its next rows; its transpose where asked. */
struct output_part {
    size_t layer;
    bool transposed;
};

struct output_layout {
    size_t file;               /* whose layout it is: 0 for the base, i + 1 for specialist i */
    struct tensor_spec *specs; /* [count]; names and shapes borrow from the table */
    size_t count;
    struct output_part *parts; /* those of all tensors, one after another */
    size_t *first_part;        /* [count + 1] */
    struct string_list notes;  /* sentences for the user: tied tensors, what is left out */
};

/* path: of the output, whose ending decides where output.names is auto. An error when a stacked
 * tensor lacks a part; free the layout in every case. */
bool output_layout_make(const struct tensor_table *table, const struct settings *settings,
                        const char *path, struct output_layout *layout, struct error *error);

/* Size of a tensor in bytes. */
uint64_t output_layout_bytes(const struct output_layout *layout, size_t index);

void output_layout_free(struct output_layout *layout);

#endif
