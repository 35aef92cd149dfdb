/* A config in the formats of other programs: the YAML of the method's authors, mergekit's YAML. One
 * row a format; what a format cannot hold is said, a line each. */
#ifndef R2M_MERGE_EXCHANGE_EXCHANGE_H
#define R2M_MERGE_EXCHANGE_EXCHANGE_H

#include "merge/config/config.h"

/* "r2m", "authors", "mergekit"; NULL-ended. The first is our own. */
const char *const *exchange_format_names(void);

/* Writes the config in that format, atomically, paths relative to the new file's folder. table: the
 * files of the config. lost gets what the format cannot hold. ERROR_USAGE: the format does not know
 * the method. */
bool exchange_write(const struct config *config, const struct tensor_table *table,
                    const char *format, const char *path, bool overwrite, struct string_list *lost,
                    struct error *error);

/* ---- for the formats ---- */

/* Adds a line to lost for every setting that the method looks at, that is not at its default and
 * not in held (NULL-ended paths), and for lists of keys that are not at theirs. */
void exchange_lost_settings(const struct config *config, const char *const *held,
                            const char *format, struct string_list *lost);

/* The same for unequal weights, and for rank overrides (with the method that looks at them). */
void exchange_lost_weights(const struct config *config, const char *format,
                           struct string_list *lost);
void exchange_lost_overrides(const struct config *config, const char *format,
                             struct string_list *lost);

/* printf into a new line of lost. */
void exchange_lose(struct string_list *lost, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
