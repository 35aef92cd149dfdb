/* The matrix layers in order of depth, which many figures have along their axis. */
#ifndef R2M_RENDER_FIGURES_MATRIX_LAYERS_H
#define R2M_RENDER_FIGURES_MATRIX_LAYERS_H

#include "render/short_names.h"

#define MATRIX_LAYERS_LABEL "matrix layers, in order of depth"

/* Their indexes in the table, *count of them; free() the result. */
size_t *matrix_layers(const struct tensor_table *table, size_t *count);

#endif
