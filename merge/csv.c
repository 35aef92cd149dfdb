#include "merge/csv.h"

#include "merge/text.h"

#include <math.h>
#include <string.h>

void csv_text(FILE *csv, const char *text) {
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, csv);
        return;
    }
    fputc('"', csv);
    for (; *text != '\0'; text++)
        fputs(*text == '"' ? "\"\"" : (const char[]){*text, '\0'}, csv);
    fputc('"', csv);
}

void csv_number(FILE *csv, double value) {
    char text[NUMBER_TEXT];
    if (isfinite(value))
        fputs(number_text(value, text), csv);
}
