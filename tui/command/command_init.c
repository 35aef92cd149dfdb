/* A config from files, every default written out. */
#include "tui/command/command.h"
#include "tui/command/complain.h"
#include "tui/command/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_summary(const char *path, const struct tensor_table *table) {
    char *quoted = error_quote(path, strlen(path));
    printf("%s: base and %zu specialist%s, %zu tensors, %zu of them matrices\n", quoted,
           table->specialist_count, table->specialist_count == 1 ? "" : "s", table->layer_count,
           table->matrix_count);
    free(quoted);
}

int command_init(const struct options *options) {
    struct session session = {0};
    struct error error = {0};
    int code = EXIT_DONE;
    if (!session_open(&session, options, &error) ||
        !config_write(&session.config, options->output, options->force, &error)) {
        code = complain(&error);
    } else if (!options->quiet) {
        session_warn(&session);
        print_summary(options->output, session.table);
    }
    session_close(&session);
    return code;
}
