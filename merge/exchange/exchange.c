#include "merge/exchange/exchange.h"

#include "analysis/support/atomic_file.h"
#include "analysis/support/memory.h"
#include "merge/config/config_parts.h"
#include "merge/exchange/authors.h"
#include "merge/exchange/mergekit.h"
#include "merge/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef char *make_text(const struct config *config, const struct tensor_table *table,
                        const char *folder, struct string_list *lost, struct error *error);

static char *authors_format(const struct config *config, const struct tensor_table *table,
                            const char *folder, struct string_list *lost, struct error *error) {
    (void)table;
    return authors_text(config, folder, lost, error);
}

static const struct {
    const char *name;
    make_text *make; /* NULL: config_write */
} formats[] = {{"r2m", NULL}, {"authors", authors_format}, {"mergekit", mergekit_text}};

enum { FORMATS = sizeof formats / sizeof *formats };

const char *const *exchange_format_names(void) {
    static const char *const names[] = {"r2m", "authors", "mergekit", NULL};
    _Static_assert(sizeof names / sizeof *names == FORMATS + 1, "a name for each format");
    return names;
}

bool exchange_write(const struct config *config, const struct tensor_table *table,
                    const char *format, const char *path, bool overwrite, struct string_list *lost,
                    struct error *error) {
    size_t row = 0;
    while (row < FORMATS && strcmp(formats[row].name, format) != 0)
        row++;
    if (row == FORMATS || formats[row].make == NULL)
        return config_write(config, path, overwrite, error);
    char *folder = path_folder(path);
    char *text = formats[row].make(config, table, folder, lost, error);
    bool good = text != NULL && atomic_file_write(path, text, strlen(text), overwrite, error);
    free(folder);
    free(text);
    return good;
}

void exchange_lose(struct string_list *lost, const char *format, ...) {
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        memory_exhausted(BUFSIZ);
    va_end(arguments);
    string_list_add(lost, text);
    free(text);
}

static bool is_held(const char *path, const char *const *held) {
    while (*held != NULL && strcmp(*held, path) != 0)
        held++;
    return *held != NULL;
}

static bool lists_equal(const struct string_list *one, const struct string_list *other) {
    bool equal = one->count == other->count;
    for (size_t i = 0; equal && i < one->count; i++)
        equal = strcmp(one->items[i], other->items[i]) == 0;
    return equal;
}

static void lost_keys(const struct config *config, const struct config *defaults,
                      const char *format, struct string_list *lost) {
    const struct table_keys *keys = &config->keys, *normal = &defaults->keys;
    const struct {
        const char *name;
        const struct string_list *is, *was;
    } lists[] = {{"state_dict", &keys->state_dict, &normal->state_dict},
                 {"strip_prefix", &keys->strip_prefix, &normal->strip_prefix},
                 {"rename", &keys->rename, &normal->rename},
                 {"exclude", &keys->exclude, &normal->exclude},
                 {"head", &keys->head, &normal->head}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (!lists_equal(lists[i].is, lists[i].was))
            exchange_lose(lost, "%s has no keys.%s", format, lists[i].name);
}

void exchange_lost_settings(const struct config *config, const char *const *held,
                            const char *format, struct string_list *lost) {
    struct config defaults;
    size_t count;
    const struct settings_field *fields = settings_fields(&count);
    config_init(&defaults);
    for (size_t i = 0; i < count; i++) {
        char value[FIELD_TEXT];
        if (!settings_field_applies(&config->settings, &fields[i]) ||
            settings_field_value(&config->settings, &fields[i]) ==
                settings_field_value(&defaults.settings, &fields[i]) ||
            is_held(fields[i].path, held))
            continue;
        settings_field_text(&config->settings, &fields[i], value, sizeof value);
        exchange_lose(lost, "%s has no %s (here %s)", format, fields[i].path, value);
    }
    lost_keys(config, &defaults, format, lost);
    config_free(&defaults);
}

void exchange_lost_weights(const struct config *config, const char *format,
                           struct string_list *lost) {
    for (size_t i = 0; i < config->specialist_count; i++) {
        const struct config_specialist *one = &config->specialists[i];
        char number[NUMBER_TEXT];
        if (one->weight != config->specialists[0].weight) {
            exchange_lose(lost, "%s has no weights: %s counts like the others, not %s", format,
                          one->name, number_text(one->weight, number));
        }
    }
}

void exchange_lost_overrides(const struct config *config, const char *format,
                             struct string_list *lost) {
    size_t count = config->override_count;
    if (count > 0 && config->settings.method == METHOD_R2M)
        exchange_lose(lost, "%s has one rank rule for all: %zu override%s left out", format, count,
                      count == 1 ? " is" : "s are");
}
