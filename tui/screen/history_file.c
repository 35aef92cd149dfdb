#include "tui/screen/history_file.h"

#include "analysis/support/memory.h"
#include "tui/screen/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *history_path(const char *ending) {
    char *folder = place_state();
    char *path = folder != NULL ? memory_format("%s/history%s", folder, ending) : NULL;
    free(folder);
    return path;
}

void history_read(struct prompt *prompt) {
    char *path = history_path(""), *line = NULL;
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    size_t size = 0;
    while (file != NULL && getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        prompt_remember(prompt, line);
    }
    if (file != NULL)
        fclose(file);
    free(line);
    free(path);
}

/* As a whole: another session's lines that came meanwhile give way. */
void history_write(const struct prompt *prompt) {
    char *path = history_path(""), *fresh = history_path(".new");
    FILE *file = fresh != NULL ? fopen(fresh, "w") : NULL;
    for (size_t i = 0; file != NULL && i < prompt->history_count; i++)
        fprintf(file, "%s\n", prompt->history[i]);
    bool good = file != NULL && fclose(file) == 0 && rename(fresh, path) == 0;
    if (!good && fresh != NULL)
        unlink(fresh);
    free(path);
    free(fresh);
}
