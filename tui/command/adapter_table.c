#include "tui/command/adapter_table.h"

#include "analysis/checkpoint/lora/update.h"

#include <math.h>
#include <stdlib.h>

static void add_row(struct text_table *table, const struct tensor *weight) {
    const struct update *update = weight->update;
    char *name = error_quote(weight->name, weight->name_length);
    char shape[TENSOR_RANK_LIMIT * 24];
    text_table_add(table, name);
    text_table_add(table, tensor_shape_text(weight, shape, sizeof shape));
    text_table_count(table, update != NULL ? (double)update->rank : NAN);
    text_table_number(table, update != NULL ? update->scale : NAN);
    free(name);
}

void adapter_table_print(const struct checkpoint *checkpoint, struct text_style style,
                         FILE *stream) {
    static const struct text_column columns[] = {
        {"changed weight", true, 0}, {"shape", true, 0}, {"rank", false, 0}, {"scale", false, 0}};
    struct text_table *table = text_table_create(style, columns, 4);
    for (size_t i = 0; i < checkpoint_weight_count(checkpoint); i++)
        add_row(table, checkpoint_weight(checkpoint, i));
    text_table_print(table, stream);
}

void tensor_shape_write(struct document *json, const struct tensor *tensor) {
    document_open(json, "shape", '[', DOCUMENT_ROW);
    for (size_t d = 0; d < tensor->rank; d++)
        document_number(json, NULL, (double)tensor->shape[d]);
    document_close(json);
}

void adapter_write(struct document *json, const struct checkpoint *checkpoint) {
    document_open(json, "weights", '[', DOCUMENT_LINES);
    for (size_t i = 0; i < checkpoint_weight_count(checkpoint); i++) {
        const struct tensor *weight = checkpoint_weight(checkpoint, i);
        document_open(json, NULL, '{', DOCUMENT_ROW);
        document_text(json, "name", weight->name, weight->name_length);
        tensor_shape_write(json, weight);
        if (weight->update != NULL) {
            document_number(json, "rank", (double)weight->update->rank);
            document_number(json, "scale", weight->update->scale);
        }
        document_close(json);
    }
    document_close(json);
}
