/* Configs from anywhere: what is accepted must read back from its own text, byte for byte. Input
 * without a brace is taken as a --set assignment. */
#include "merge/config/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

static void check_round_trip(const struct config *config) {
    struct config again;
    struct error error = {0};
    char *text = config_text(config, NULL);
    require(config_parse(text, "text", NULL, &again, &error));
    char *twice = config_text(&again, NULL);
    require(strcmp(text, twice) == 0);
    config_free(&again);
    free(text);
    free(twice);
}

static void try_document(const char *text) {
    struct config config;
    struct error error = {0};
    if (config_parse(text, "fuzz.json", "folder", &config, &error))
        check_round_trip(&config);
    else
        require(error.kind == ERROR_USAGE && error.message != NULL);
    config_free(&config);
    error_free(&error);
}

static void try_assignment(const char *text) {
    static const char *const specialists[] = {"fs=a.pth", "b.pth"};
    struct config config;
    struct error error = {0};
    config_init(&config);
    require(config_set_files(&config, "base", specialists, 2, &error));
    if (config_set(&config, text, &error) && config_check(&config, &error))
        check_round_trip(&config);
    config_free(&config);
    error_free(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = memory_text((const char *)data, size);
    if (strchr(text, '{') != NULL)
        try_document(text);
    else
        try_assignment(text);
    free(text);
    return 0;
}
