#include "tui/command/analysis_tables.h"

#include "merge/layer_order.h"
#include "tui/command/match_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DOMINATED_SHOWN = 5 };

/* Where the tables go, and what they tell of. */
struct source {
    const struct session *session;
    const struct tensor_table *table;
    const struct real_core *core;
    const struct preview *preview;
    struct text_style style;
    FILE *stream;
    size_t n; /* N */
};

static const char *name_of(const struct source *of, size_t specialist) {
    return of->table->specialists[specialist].name;
}

static void add_pair(struct text_table *table, const char *name, double value) {
    text_table_add(table, name);
    text_table_number(table, value);
}

static void print_match(const struct source *of) {
    match_table_print(of->table, of->style, of->stream);
}

static void print_core(const struct source *of) {
    static const struct text_column columns[] = {{"real core", true, 0}, {"value", false, 0}};
    const struct real_core *core = of->core;
    struct text_table *table = text_table_create(of->style, columns, 2);
    text_table_add(table, "rank");
    text_table_count(table, core->settings.rank);
    add_pair(table, "norm", core->core_norm);
    add_pair(table, "norm of the mean task vector", core->mean_norm);
    add_pair(table, "core over mean, on its layers", core->core_mean_ratio);
    add_pair(table, "cosine of core and mean", core->cos_core_mean);
    add_pair(table, "mean residual norm", of->preview->nbar);
    add_pair(table, "eta", of->preview->eta);
    text_table_print(table, of->stream);
}

static void print_specialists(const struct source *of) {
    static const struct text_column columns[] = {{"specialist", true, 0},    {"norm", false, 0},
                                                 {"in core", false, 0},      {"real", false, 0},
                                                 {"residual", false, 0},     {"scale", false, 0},
                                                 {"share before", false, 0}, {"after", false, 0}};
    struct text_table *table =
        text_table_create(of->style, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < of->n; i++) {
        const struct preview_specialist *one = &of->preview->specialists[i];
        text_table_add(table, name_of(of, i));
        text_table_number(table, one->task_norm);
        text_table_percent(table, of->core->parts[i]);
        text_table_percent(table,
                           energy_real_share(of->table, of->core, of->session->analysis->gram, i));
        text_table_number(table, one->residual_norm);
        text_table_number(table, one->scale);
        text_table_percent(table, one->share_before);
        text_table_percent(table, one->share_after);
    }
    text_table_print(table, of->stream);
}

static void print_cosines(const struct source *of) {
    size_t n = of->n;
    struct text_column *columns = memory_array(n + 1, sizeof *columns);
    double *sum = memory_array(n * n, sizeof *sum), *cosines = memory_array(n * n, sizeof *sum);
    energy_gram_sum(of->table, of->session->analysis->gram, false, sum);
    energy_cosines(sum, n, NULL, cosines);
    columns[0] = (struct text_column){"cosine", true, 0};
    for (size_t i = 0; i < n; i++)
        columns[i + 1] = (struct text_column){name_of(of, i), false, (int)i};
    struct text_table *table = text_table_create(of->style, columns, n + 1);
    for (size_t i = 0; i < n; i++) {
        text_table_add(table, name_of(of, i));
        for (size_t j = 0; j < n; j++)
            text_table_number(table, cosines[i * n + j]);
    }
    text_table_print(table, of->stream);
    free(cosines);
    free(sum);
    free(columns);
}

static void print_dominated(const struct source *of) {
    static const struct text_column columns[] = {
        {"most dominated", true, 0}, {"dominance", false, 0}, {"by", true, 0}, {"share", false, 0}};
    size_t found[DOMINATED_SHOWN];
    size_t count = layers_most_dominated(of->table, of->preview, found, DOMINATED_SHOWN);
    struct text_table *table = text_table_create(of->style, columns, 4);
    for (size_t k = 0; k < count; k++) {
        size_t specialist = layer_leader(of->preview, found[k]);
        text_table_add(table, of->table->layers[found[k]].name);
        text_table_number(table, of->preview->dominance[found[k]]);
        text_table_add(table, name_of(of, specialist));
        text_table_percent(table, preview_cell_at(of->preview, found[k], specialist)->share_after);
    }
    text_table_print(table, of->stream);
}

/* Fixed columns of the table of layers; two for each specialist follow. */
enum { LAYER_COLUMNS = 5, SPECIALIST_COLUMNS = 2 };
static const struct text_column layer_columns[LAYER_COLUMNS] = {
    {"layer", true, 0},  {"role", true, 300},      {"shape", true, 200},
    {"real", false, 90}, {"dominance", false, 95},
};

/* Real share of the layer's energy, over all specialists; NaN where nothing changed. */
static double layer_real_share(const struct source *of, size_t layer) {
    const double *gram = analysis_gram(of->session->analysis, layer);
    double real = 0, all = 0;
    for (size_t i = 0; i < of->n; i++) {
        struct energy_split split = energy_split_layer(of->core, gram, i);
        real += split.real;
        all += split.real + split.fake + split.cross;
    }
    return all > 0 ? real / all : NAN;
}

static void add_layer(const struct source *of, struct text_table *table, size_t l) {
    const struct layer *layer = &of->table->layers[l];
    char shape[TENSOR_RANK_LIMIT * 24];
    bool shared = layer_is_shared(layer), matrix = layer->role == ROLE_MATRIX;
    text_table_add(table, layer->name);
    text_table_add(table, role_name(layer->role));
    text_table_add(table, tensor_shape_text(layer->like, shape, sizeof shape));
    text_table_percent(table, shared ? layer_real_share(of, l) : NAN);
    text_table_number(table, shared ? of->preview->dominance[l] : NAN);
    for (size_t i = 0; i < of->n; i++) {
        const struct preview_cell *cell = preview_cell_at(of->preview, l, i);
        text_table_count(table, matrix ? (double)cell->rank : NAN);
        text_table_percent(table, shared ? cell->share_after : NAN);
    }
}

/* Columns NAME (its rank) and "share" (plain: NAME.rank, NAME.share); free(*columns) and their
 * titles from LAYER_COLUMNS on. */
static size_t make_columns(const struct source *of, struct text_column **columns,
                           struct string_list *titles) {
    size_t count = LAYER_COLUMNS + SPECIALIST_COLUMNS * of->n;
    *columns = memory_array(count, sizeof **columns);
    memcpy(*columns, layer_columns, sizeof layer_columns);
    for (size_t i = 0; i < of->n; i++) {
        bool aligned = of->style.aligned;
        char *rank = memory_format("%s%s", name_of(of, i), aligned ? "" : ".rank");
        char *share = aligned ? memory_string("share") : memory_format("%s.share", name_of(of, i));
        string_list_add(titles, rank);
        string_list_add(titles, share);
        free(rank);
        free(share);
    }
    for (size_t c = LAYER_COLUMNS; c < count; c++) {
        bool is_rank = (c - LAYER_COLUMNS) % SPECIALIST_COLUMNS == 0;
        int specialist = (int)((c - LAYER_COLUMNS) / SPECIALIST_COLUMNS);
        (*columns)[c] = (struct text_column){titles->items[c - LAYER_COLUMNS], false,
                                             is_rank ? 1 + specialist : 100};
    }
    return count;
}

/* For people only the matrices, whose ranks are chosen; for programs every tensor. */
static void print_layers(const struct source *of) {
    struct text_column *columns;
    struct string_list titles = {0};
    size_t count = make_columns(of, &columns, &titles), all = of->table->layer_count;
    struct text_table *table = text_table_create(of->style, columns, count);
    for (size_t l = 0; l < all; l++)
        if (!of->style.aligned || of->table->layers[l].role == ROLE_MATRIX)
            add_layer(of, table, l);
    text_table_print(table, of->stream);
    if (of->style.aligned && all > of->table->matrix_count)
        fprintf(of->stream, "and %zu tensors that are no matrices (listed in a pipe)\n",
                all - of->table->matrix_count);
    string_list_free(&titles);
    free(columns);
}

void analysis_tables_print(const struct session *session, struct text_style style, FILE *stream) {
    static void (*const parts[])(const struct source *) = {
        print_match, print_core, print_specialists, print_cosines, print_dominated, print_layers};
    struct source of = {.session = session,
                        .table = session->table,
                        .core = session->analysis->core,
                        .preview = session->preview,
                        .style = style,
                        .stream = stream,
                        .n = session->table->specialist_count};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        fputs(i > 0 ? "\n" : "", stream);
        parts[i](&of);
    }
}
