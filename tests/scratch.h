/* A folder for a test's files, below $TMPDIR or /tmp.
 *
 *     struct scratch scratch = scratch_make();
 *     char *path = scratch_write(&scratch, "a.safetensors", bytes, length);
 *     scratch_remove(&scratch);                with everything in it, names included */
#ifndef R2M_TESTS_SCRATCH_H
#define R2M_TESTS_SCRATCH_H

#include "analysis/support/memory.h"

struct scratch {
    char folder[256];
    struct string_list paths; /* owns what scratch_path returned */
};

struct scratch scratch_make(void);

/* Path of a name in the folder; the scratch owns it. */
char *scratch_path(struct scratch *scratch, const char *name);

/* The same, after writing a file. */
char *scratch_write(struct scratch *scratch, const char *name, const void *bytes, size_t length);

/* Number of entries in the folder. */
size_t scratch_count(const struct scratch *scratch);

void scratch_remove(struct scratch *scratch);

/* The whole file, with a NUL after its last byte; free() it. NULL when it cannot be read. */
unsigned char *scratch_read(const char *path, size_t *length);

#endif
