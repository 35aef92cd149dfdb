/* Numbers, names and globs as text: shortest decimals that read back exactly, strict parsing, the
 * nearest known name to a mistyped one. Independent of the locale. */
#ifndef R2M_MERGE_TEXT_H
#define R2M_MERGE_TEXT_H

#include "analysis/support/memory.h"

#include <stdbool.h>
#include <stddef.h>

enum { NUMBER_TEXT = 32 }; /* room for any double */

/* The shortest of %.15g, %.16g, %.17g that gives value again. Returns buffer. */
char *number_text(double value, char buffer[static NUMBER_TEXT]);

/* A finite decimal number and nothing else: no spaces, no hexadecimal, no "inf" or "nan". */
bool number_parse(const char *text, double *value);

/* The name with the fewest insertions, deletions and replacements; NULL when even that one has
 * little in common with text. */
const char *nearest_name(const char *text, const char *const *names, size_t count);

/* "a, b, c" as a new string; free() it. */
char *names_join(const char *const *names, size_t count);

/* True for an empty string, one with control characters or invalid UTF-8: no name a person would
 * give. */
bool name_is_unfit(const char *name);

/* What stands behind the last slash of a path, or all of it where nothing does. */
const char *path_file_name(const char *path);

/* The glob that matches this name and no other; free() it. */
char *glob_of_name(const char *name);

/* The one name that a glob matches, or NULL when it may match several; free() it. */
char *name_of_glob(const char *glob);

#endif
