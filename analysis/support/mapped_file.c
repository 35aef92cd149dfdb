#include "analysis/support/mapped_file.h"

#include "analysis/support/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line is "FROM-TO MODE OFFSET DEVICE INODE    PATH". */
char *mapped_file(const void *address) {
    FILE *maps = fopen("/proc/self/maps", "re");
    char *line = NULL, *path = NULL;
    size_t room = 0;
    while (maps != NULL && path == NULL && getline(&line, &room, maps) > 0) {
        uintptr_t from, to;
        int at = 0;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %*s %n", &from, &to, &at) == 2 &&
            (uintptr_t)address >= from && (uintptr_t)address < to && line[at] == '/')
            path = memory_text(line + at, strcspn(line + at, "\n"));
    }
    if (maps != NULL)
        fclose(maps);
    free(line);
    return path;
}
