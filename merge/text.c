#include "merge/text.h"

#include "analysis/support/utf8.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_COMPARED = 256 }; /* characters of a name that nearest_name looks at */

char *number_text(double value, char buffer[static NUMBER_TEXT]) {
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(plain);
    char text[NUMBER_TEXT];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    uselocale(before);
    freelocale(plain);
    return memcpy(buffer, text, sizeof text);
}

bool number_parse(const char *text, double *value) {
    if (*text == '\0' || strspn(text, "0123456789+-.eE") != strlen(text))
        return false;
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    char *end;
    *value = strtod_l(text, &end, plain);
    freelocale(plain);
    return *end == '\0' && isfinite(*value);
}

static size_t smaller(size_t one, size_t other) {
    return one < other ? one : other;
}

/* Levenshtein distance of the first NAME_COMPARED characters. */
static size_t edit_distance(const char *one, const char *other) {
    size_t rows = strnlen(one, NAME_COMPARED), columns = strnlen(other, NAME_COMPARED);
    size_t row[NAME_COMPARED + 1];
    for (size_t c = 0; c <= columns; c++)
        row[c] = c;
    for (size_t r = 1; r <= rows; r++) {
        size_t diagonal = row[0];
        row[0] = r;
        for (size_t c = 1; c <= columns; c++) {
            size_t replaced = diagonal + (one[r - 1] != other[c - 1]);
            diagonal = row[c];
            row[c] = smaller(replaced, smaller(row[c], row[c - 1]) + 1);
        }
    }
    return row[columns];
}

const char *nearest_name(const char *text, const char *const *names, size_t count) {
    const char *nearest = NULL;
    size_t least = strnlen(text, NAME_COMPARED) / 2 + 2;
    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(text, names[i]);
        if (distance < least) {
            least = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

char *names_join(const char *const *names, size_t count) {
    size_t length = 1;
    for (size_t i = 0; i < count; i++)
        length += strlen(names[i]) + 2;
    char *joined = memory_array(length, 1), *end = joined;
    for (size_t i = 0; i < count; i++)
        end += sprintf(end, "%s%s", i > 0 ? ", " : "", names[i]);
    return joined;
}

bool name_is_unfit(const char *name) {
    size_t length = strlen(name);
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return true;
    return length == 0 || utf8_check(name, length) < length;
}

static const char glob_characters[] = "*?[\\";

const char *path_file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

char *glob_of_name(const char *name) {
    char *glob = memory_array(2 * strlen(name) + 1, 1), *out = glob;
    for (const char *c = name; *c != '\0'; c++) {
        if (strchr(glob_characters, *c) != NULL)
            *out++ = '\\';
        *out++ = *c;
    }
    return glob;
}

char *name_of_glob(const char *glob) {
    char *name = memory_array(strlen(glob) + 1, 1), *out = name;
    for (const char *c = glob; *c != '\0'; c++) {
        bool escaped = *c == '\\' && c[1] != '\0';
        if (!escaped && strchr(glob_characters, *c) != NULL) {
            free(name);
            return NULL;
        }
        c += escaped;
        *out++ = *c;
    }
    return name;
}
