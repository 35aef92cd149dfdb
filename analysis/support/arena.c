#include "analysis/support/arena.h"

#include "analysis/support/memory.h"

#include <stdint.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 1 << 16, ALIGNMENT = sizeof(uint64_t) };

struct arena_block {
    struct arena_block *older;
    uint64_t bytes[];
};

static void add_block(struct arena *arena, size_t bytes) {
    struct arena_block *block = memory_resize(NULL, 1, sizeof *block + bytes);
    block->older = arena->blocks;
    arena->blocks = block;
    arena->used = 0;
    arena->size = bytes;
}

void *arena_take(struct arena *arena, size_t bytes) {
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (arena->blocks == NULL || rounded > arena->size - arena->used)
        add_block(arena, rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES);
    void *piece = (char *)arena->blocks->bytes + arena->used;
    arena->used += rounded;
    return piece;
}

void arena_free(struct arena *arena) {
    while (arena->blocks != NULL) {
        struct arena_block *older = arena->blocks->older;
        free(arena->blocks);
        arena->blocks = older;
    }
    *arena = (struct arena){0};
}
