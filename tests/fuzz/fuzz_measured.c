/* The file of measured plans: every line is a plan about these files, or left alone; what is added
 * and removed reads back. */
#include "merge/sweep/measured.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

static void fill_config(struct config *config) {
    struct error error = {0};
    config_init(config);
    require(config_set_files(config, "base", (const char *const[]){"a", "b"}, 2, &error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[] = "/tmp/r2m-fuzz-XXXXXX", lock[sizeof path + 5];
    struct measured_plans plans, again;
    struct config config;
    struct error error = {0};
    int file = mkstemp(path);
    require(file >= 0 && write(file, data, size) == (ssize_t)size && close(file) == 0);
    fill_config(&config);
    measured_read(path, &config, &plans);
    const struct sweep_record result = {.seconds = 1, .output = (char *)"output"};
    require(measured_add(&plans, &config, &result, &error));
    measured_read(path, &config, &again);
    require(again.count > 0 && again.count <= plans.count);
    require(measured_remove(&again, again.count - 1, &error));
    measured_free(&again);
    measured_free(&plans);
    config_free(&config);
    unlink(path);
    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(lock);
    return 0;
}
