/* Output of a command that measures: metrics that are finite numbers under different names, or an
 * error; never both. */
#include "merge/evaluation/metrics.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct metrics metrics = {0};
    struct error error = {0};
    bool good = metrics_parse((const char *)data, size, &metrics, &error);
    require(good == (error.kind == ERROR_NONE));
    require(!good || metrics.count > 0);
    for (size_t i = 0; i < metrics.count; i++) {
        require(isfinite(metrics.items[i].value));
        require(metrics_find(&metrics, metrics.items[i].name) == &metrics.items[i]);
    }
    metrics_free(&metrics);
    error_free(&error);
    return 0;
}
