/* A config from files or from another, every default written out, ours or another program's. */
#include "merge/exchange/exchange.h"
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
    struct string_list lost = {0};
    const char *format = options->format != NULL ? options->format : exchange_format_names()[0];
    if (!session_open(&session, options, &error) ||
        !exchange_write(&session.config, session.table, format, options->output, options->force,
                        &lost, &error)) {
        code = complain(&error);
    } else if (!options->quiet) {
        session_warn(&session);
        complain_warnings(&lost);
        print_summary(options->output, session.table);
    }
    string_list_free(&lost);
    session_close(&session);
    return code;
}
