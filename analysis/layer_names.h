/* What the names of layers say: their modules, their kinds. */
#ifndef R2M_ANALYSIS_LAYER_NAMES_H
#define R2M_ANALYSIS_LAYER_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum { LAYER_NAME_ROOM = 1024 }; /* bytes of a kind or label; longer ones are cut */

/* Bytes of a name that are its module ("blocks.3" of "blocks.3.attn.qkv.weight"); 0: none. */
size_t layer_module_length(const char *name);

/* The module of that many bytes in short: "layers.3" of "vision.encoder.layers.3", else its last
 * part. free() it. */
char *layer_module_label(const char *name, size_t length);

/* What the layer is in its module: "mlp.fc1" of "blocks.3.mlp.fc1.weight". */
void layer_kind(const char *name, char kind[LAYER_NAME_ROOM]);

/* Cuts off ".weight" or "_weight", the ending of every matrix. */
void layer_drop_ending(char *label);

/* "blocks.3.attn.qkv" of "visual.blocks.3.attn.qkv.weight": its module in short, and its kind. */
void layer_label(const char *name, char label[LAYER_NAME_ROOM]);

/* Whether two names differ only in parts that are numbers: blocks.3.fc1 and blocks.4.fc1, but not
 * blocks.3.fc2. */
bool layer_same_kind(const char *one, const char *other);

#endif
