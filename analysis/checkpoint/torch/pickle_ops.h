/* The operations of a pickle: what the opcodes do, and what these functions are made of. Each takes
 * the argument of its row in the table of pickle.c: a width in bytes, a kind of node, a number of
 * values. They return false with a problem. Private to the pickle sources. */
#ifndef R2M_ANALYSIS_CHECKPOINT_TORCH_PICKLE_OPS_H
#define R2M_ANALYSIS_CHECKPOINT_TORCH_PICKLE_OPS_H

#include "analysis/checkpoint/torch/pickle.h"

/* The next length bytes, or NULL. */
const unsigned char *pickle_take(struct pickle *pickle, uint64_t length);

/* A little-endian number of width bytes. */
bool pickle_take_number(struct pickle *pickle, unsigned width, uint64_t *number);

/* Onto the stack, and from it. Push fails, too, when there is a problem already. */
bool pickle_push(struct pickle *pickle, uint32_t node);
bool pickle_pop(struct pickle *pickle, uint32_t *node);

/* Values: pickle_constants.c. */
bool op_unsigned(struct pickle *pickle, unsigned argument);
bool op_signed(struct pickle *pickle, unsigned argument);
bool op_long(struct pickle *pickle, unsigned argument);
bool op_float(struct pickle *pickle, unsigned argument);
bool op_text(struct pickle *pickle, unsigned argument);
bool op_bytes(struct pickle *pickle, unsigned argument);
bool op_string(struct pickle *pickle, unsigned argument);
bool op_global(struct pickle *pickle, unsigned argument);
bool op_stack_global(struct pickle *pickle, unsigned argument);
bool op_fixed(struct pickle *pickle, unsigned argument);

/* The stack, containers, calls: pickle_stack.c. */
bool op_new(struct pickle *pickle, unsigned argument);
bool op_mark(struct pickle *pickle, unsigned argument);
bool op_pop(struct pickle *pickle, unsigned argument);
bool op_collect(struct pickle *pickle, unsigned argument);
bool op_tuple(struct pickle *pickle, unsigned argument);
bool op_append(struct pickle *pickle, unsigned argument);
bool op_extend(struct pickle *pickle, unsigned argument);
bool op_setitem(struct pickle *pickle, unsigned argument);
bool op_setitems(struct pickle *pickle, unsigned argument);
bool op_get(struct pickle *pickle, unsigned argument);
bool op_put(struct pickle *pickle, unsigned argument);
bool op_memoize(struct pickle *pickle, unsigned argument);
bool op_reduce(struct pickle *pickle, unsigned argument);
bool op_newobj(struct pickle *pickle, unsigned argument);
bool op_build(struct pickle *pickle, unsigned argument);
bool op_persistent(struct pickle *pickle, unsigned argument);
bool op_stop(struct pickle *pickle, unsigned argument);

#endif
