#include "tui/command/match_table.h"

#include "merge/match_report.h"
#include "tui/command/command.h"
#include "tui/command/complain.h"
#include "tui/command/session.h"

#include <stdlib.h>
#include <string.h>

void match_table_print(const struct tensor_table *table, struct text_style style, FILE *stream) {
    static const struct text_column columns[] = {
        {"specialist", true, 0}, {"matched", false, 0},     {"only in base", false, 3},
        {"only here", false, 2}, {"other shape", false, 1}, {"names", true, 0}};
    struct text_table *text = text_table_create(style, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < table->specialist_count; i++) {
        const struct table_specialist *one = &table->specialists[i];
        char *way = match_way(&one->match);
        text_table_add(text, one->name);
        text_table_count(text, (double)one->match.matched.count);
        text_table_count(text, (double)one->match.base_only.count);
        text_table_count(text, (double)one->match.specialist_only.count);
        text_table_count(text, (double)one->match.other_shape.count);
        text_table_add(text, way);
        free(way);
    }
    text_table_print(text, stream);
}

/* The report of every specialist, line by line. */
static void print_reports(const struct tensor_table *table, const struct options *options) {
    text_style_choose(options);
    for (size_t i = 0; i < table->specialist_count; i++) {
        char *text = match_text(table, i), *rest = text, shown[TEXT_ROOM];
        for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';)
            puts(text_shown(line, shown));
        free(text);
    }
    if (!options->quiet)
        complain_warnings(&table->warnings);
}

int match_inspect(const struct options *options) {
    struct session session = {0};
    struct error error = {0};
    bool good = session_read(&session, options, &error) &&
                config_open_table(&session.config, &session.table, &error);
    if (good && options->json) {
        char *text = match_report_json(session.table);
        fputs(text, stdout);
        free(text);
    } else if (good) {
        print_reports(session.table, options);
    }
    session_close(&session);
    return good ? EXIT_DONE : complain(&error);
}
