/* YAML from anywhere: a config or a problem with its place; what is accepted comes back from its
 * own text with the same settings. */
#include "merge/exchange/authors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

static void check_round_trip(struct config *config) {
    struct config again = {0};
    struct error error = {0};
    struct string_list lost = {0};
    if (config->base == NULL)
        config->base = memory_string("base");
    if (!config_check(config, &error)) {
        error_free(&error);
        return;
    }
    char *text = authors_text(config, "folder", &lost, &error), *twice = NULL;
    require(text != NULL && authors_parse(text, "text", "folder", &again, &error));
    require(memcmp(&config->settings, &again.settings, sizeof again.settings) == 0);
    require(config->specialist_count == again.specialist_count);
    twice = authors_text(&again, "folder", &lost, &error);
    require(twice != NULL);
    config_free(&again);
    string_list_free(&lost);
    free(text);
    free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = memory_text((const char *)data, size);
    struct config config;
    struct error error = {0};
    if (authors_parse(text, "fuzz.yaml", "folder", &config, &error))
        check_round_trip(&config);
    else
        require(error.kind == ERROR_USAGE && error.message != NULL);
    config_free(&config);
    error_free(&error);
    free(text);
    return 0;
}
