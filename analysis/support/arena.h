/* Many small pieces of memory that live and die together: names and shapes of a checkpoint with
 * a million tensors. Pieces never move. */
#ifndef R2M_ANALYSIS_SUPPORT_ARENA_H
#define R2M_ANALYSIS_SUPPORT_ARENA_H

#include <stddef.h>

struct arena_block;

/* Zero-initialised is empty. */
struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used, size;          /* bytes of the newest one */
};

/* bytes bytes, not cleared, aligned for 64-bit numbers. Never fails, as in memory.h. */
void *arena_take(struct arena *arena, size_t bytes);

void arena_free(struct arena *arena);

#endif
