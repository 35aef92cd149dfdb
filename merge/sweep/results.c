#include "merge/sweep/results.h"

#include "merge/csv.h"
#include "merge/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool holds(const struct string_list *list, const char *text) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

/* What stands behind KEY= in the settings, or NULL. */
static const char *setting(const struct string_list *settings, const char *key) {
    size_t length = strlen(key);
    for (size_t i = 0; i < settings->count; i++)
        if (strncmp(settings->items[i], key, length) == 0 && settings->items[i][length] == '=')
            return settings->items[i] + length + 1;
    return NULL;
}

size_t sweep_axis_place(const struct sweep_axis *axis, const struct sweep_record *record) {
    const char *text = setting(&record->settings, axis->key);
    size_t place = 0;
    while (place < axis->values.count &&
           (text == NULL || strcmp(axis->values.items[place], text) != 0))
        place++;
    return place;
}

static struct sweep_axis *axis_named(struct sweep_results *results, const char *key) {
    for (size_t a = 0; a < results->axis_count; a++)
        if (strcmp(results->axes[a].key, key) == 0)
            return &results->axes[a];
    results->axes = memory_resize(results->axes, results->axis_count + 1, sizeof *results->axes);
    struct sweep_axis *axis = &results->axes[results->axis_count++];
    *axis = (struct sweep_axis){.key = memory_string(key), .is_numeric = true};
    return axis;
}

static void learn(struct sweep_results *results, const struct sweep_record *record) {
    for (size_t i = 0; i < record->settings.count; i++) {
        const char *text = record->settings.items[i], *equals = strchr(text, '=');
        char *key = memory_text(text, (size_t)(equals - text));
        struct sweep_axis *axis = axis_named(results, key);
        double number;
        if (!holds(&axis->values, equals + 1))
            string_list_add(&axis->values, equals + 1);
        axis->is_numeric = axis->is_numeric && number_parse(equals + 1, &number);
        results->is_search = results->is_search || strcmp(key, "ranks") == 0;
        free(key);
    }
    for (size_t m = 0; m < record->metrics.count; m++)
        if (!holds(&results->metrics, record->metrics.items[m].name))
            string_list_add(&results->metrics, record->metrics.items[m].name);
}

/* Numbers grow; words stay where they are, behind the numbers. */
static bool is_before(const char *one, const char *other) {
    double a, b;
    bool first = number_parse(one, &a), second = number_parse(other, &b);
    return first && (!second || a < b);
}

/* By insertion: stable, and there are few. */
static void sort_values(struct string_list *values) {
    for (size_t i = 1; i < values->count; i++)
        for (size_t j = i; j > 0 && is_before(values->items[j], values->items[j - 1]); j--) {
            char *swapped = values->items[j];
            values->items[j] = values->items[j - 1];
            values->items[j - 1] = swapped;
        }
}

struct placed {
    const struct sweep_record *record;
    size_t places[SWEEP_KEY_LIMIT];
};

static int by_place(const void *one, const void *other) {
    const struct placed *a = one, *b = other;
    for (size_t k = 0; k < SWEEP_KEY_LIMIT; k++)
        if (a->places[k] != b->places[k])
            return a->places[k] < b->places[k] ? -1 : 1;
    return a->record < b->record ? -1 : a->record > b->record;
}

static void sort_rows(struct sweep_results *results) {
    struct placed *all = memory_array(results->row_count, sizeof *all);
    for (size_t r = 0; r < results->row_count; r++) {
        all[r].record = results->rows[r];
        for (size_t a = 0; a < results->axis_count && a < SWEEP_KEY_LIMIT; a++)
            all[r].places[a] = sweep_axis_place(&results->axes[a], results->rows[r]);
    }
    qsort(all, results->row_count, sizeof *all, by_place);
    for (size_t r = 0; r < results->row_count; r++)
        results->rows[r] = all[r].record;
    free(all);
}

struct sweep_results sweep_results_make(const struct sweep_records *records) {
    struct sweep_results results = {
        .rows = memory_array(records->count, sizeof(const struct sweep_record *))};
    for (size_t r = 0; r < records->count; r++) {
        const struct sweep_record *record = &records->items[r];
        if (sweep_records_superseded(records, r))
            continue; /* tried again later */
        results.rows[results.row_count++] = record;
        learn(&results, record);
    }
    for (size_t a = 0; a < results.axis_count; a++)
        sort_values(&results.axes[a].values);
    if (!results.is_search)
        sort_rows(&results);
    return results;
}

void sweep_results_free(struct sweep_results *results) {
    for (size_t a = 0; a < results->axis_count; a++) {
        free(results->axes[a].key);
        string_list_free(&results->axes[a].values);
    }
    free(results->axes);
    free(results->rows);
    string_list_free(&results->metrics);
    *results = (struct sweep_results){0};
}

static void write_titles(const struct sweep_results *results, FILE *csv) {
    for (size_t a = 0; a < results->axis_count; a++) {
        csv_text(csv, results->axes[a].key);
        fputc(',', csv);
    }
    for (size_t m = 0; m < results->metrics.count; m++) {
        csv_text(csv, results->metrics.items[m]);
        fputc(',', csv);
    }
    fputs("seconds,error\n", csv);
}

static void write_row(const struct sweep_results *results, const struct sweep_record *record,
                      FILE *csv) {
    for (size_t a = 0; a < results->axis_count; a++) {
        const char *text = setting(&record->settings, results->axes[a].key);
        csv_text(csv, text != NULL ? text : "");
        fputc(',', csv);
    }
    for (size_t m = 0; m < results->metrics.count; m++) {
        csv_number(csv, sweep_record_value(record, results->metrics.items[m]));
        fputc(',', csv);
    }
    csv_number(csv, record->seconds);
    fputc(',', csv);
    csv_text(csv, record->error != NULL ? record->error : "");
    fputc('\n', csv);
}

char *sweep_results_csv(const struct sweep_results *results) {
    char *text = NULL;
    size_t size = 0;
    FILE *csv = memory_stream(&text, &size);
    write_titles(results, csv);
    for (size_t r = 0; r < results->row_count; r++)
        write_row(results, results->rows[r], csv);
    memory_stream_end(csv);
    return text;
}

char *sweep_settings_text(const struct string_list *settings) {
    char *text = memory_string("");
    for (size_t i = 0; i < settings->count; i++) {
        char *longer = memory_format("%s%s%s", text, i > 0 ? " " : "", settings->items[i]);
        free(text);
        text = longer;
    }
    return text;
}
