#include "tui/screen/places.h"

#include "analysis/support/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *place(const char *variable, const char *below_home) {
    const char *given = getenv(variable), *home = getenv("HOME");
    if (given != NULL && *given == '/')
        return memory_format("%s/r2m", given);
    return home != NULL ? memory_format("%s/%s/r2m", home, below_home) : NULL;
}

static void make_folder(char *folder) {
    for (char *at = folder + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        mkdir(folder, 0700);
        *at = '/';
    }
    mkdir(folder, 0700);
}

char *place_config(void) {
    return place("XDG_CONFIG_HOME", ".config");
}

char *place_cache(void) {
    return place("XDG_CACHE_HOME", ".cache");
}

char *place_state(void) {
    char *folder = place("XDG_STATE_HOME", ".local/state");
    if (folder != NULL)
        make_folder(folder);
    return folder;
}
