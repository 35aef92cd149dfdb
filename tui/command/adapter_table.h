/* What an adapter changes: every weight of the model, with rank and scale of its update. */
#ifndef R2M_TUI_COMMAND_ADAPTER_TABLE_H
#define R2M_TUI_COMMAND_ADAPTER_TABLE_H

#include "analysis/checkpoint/checkpoint.h"
#include "merge/config/document.h"
#include "tui/command/text_table.h"

/* A row for every weight; whole tensors that take the place of the base's have neither rank nor
 * scale. */
void adapter_table_print(const struct checkpoint *checkpoint, struct text_style style,
                         FILE *stream);

/* A list "shape". */
void tensor_shape_write(struct document *json, const struct tensor *tensor);

/* The same as a list "weights". */
void adapter_write(struct document *json, const struct checkpoint *checkpoint);

#endif
