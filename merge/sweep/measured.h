/* Plans that were measured one by one, kept between sessions: what the History view lists. The
 * file holds a JSON object a line:
 *
 *     {"r2m": 1, "files": DIGEST, "when": SECONDS, "config": TEXT, "metrics": {"auc": 0.91, ...},
 *      "seconds": 3.2, "error": null, "output": "what the command printed last"}
 *
 * Several processes may change it at once. Lines of others, and what is no line of this form, stay
 * as they are until they are the oldest of too many. */
#ifndef R2M_MERGE_SWEEP_MEASURED_H
#define R2M_MERGE_SWEEP_MEASURED_H

#include "merge/config/config.h"
#include "merge/sweep/records.h"

#include <stdint.h>

enum { MEASURED_LIMIT = 500 }; /* lines of the file; the oldest go */

struct measured_plan {
    struct sweep_record record; /* its settings: all that the method looks at, from the config */
    char *config;               /* JSON with full paths */
    int64_t when;               /* seconds since 1970 */
    char *line;                 /* as it stands in the file */
};

struct measured_plans {
    char *path;              /* of the file; NULL: nothing outlives the process */
    char files[SHA256_TEXT]; /* of the base and specialists that the plans are about */
    struct measured_plan *items;
    size_t count; /* the oldest first */
};

/* Reads those plans about the files of that config; none where there is no file. path may be NULL.
 * Returns the number of lines that are no plan. */
size_t measured_read(const char *path, const struct config *config, struct measured_plans *plans);
void measured_free(struct measured_plans *plans);

/* Adds what was measured of a config, now: all of result but its settings, copied. The list has it
 * even where the file cannot be written: then false with the reason. */
bool measured_add(struct measured_plans *plans, const struct config *config,
                  const struct sweep_record *result, struct error *error);

/* Forgets one, in the file too. */
bool measured_remove(struct measured_plans *plans, size_t index, struct error *error);

#endif
