/* The numbers of the layers' table, over one layer or over all layers of a module. */
#include "tui/screen/layers.h"

#include <math.h>

/* A sum over the row's layers that is not known while one of its parts is not. */
struct sum {
    double part, whole;
    bool pending, any;
};

static size_t layer_of(const struct measuring *of, size_t i) {
    return of->rows->shown[of->row->first + i];
}

static bool is_matrix(const struct measuring *of, size_t i) {
    return of->app->table->layers[layer_of(of, i)].role == ROLE_MATRIX;
}

static const struct preview_cell *cell_at(const struct measuring *of, size_t i) {
    return preview_cell_at(of->preview, layer_of(of, i), of->app->specialist);
}

static const struct spectrum *spectrum_at(const struct measuring *of, size_t i) {
    const struct spectra *spectra = of->app->analysis->spectra;
    return spectra != NULL ? spectra_get(spectra, layer_of(of, i), of->app->specialist) : NULL;
}

static double ratio(const struct sum *sum, double factor) {
    return sum->pending     ? MEASURE_PENDING
           : !sum->any      ? NAN
           : sum->whole > 0 ? factor * sum->part / sum->whole
                            : 0;
}

double measure_real(const struct measuring *of) {
    struct sum sum = {0};
    for (size_t i = 0; i < of->row->count; i++) {
        struct energy_split split = {0};
        sum.pending |= !layer_energy(of->app, layer_of(of, i), of->app->specialist, &split);
        sum.part += split.real;
        sum.whole += split.real + split.fake + split.cross;
        sum.any = true;
    }
    return ratio(&sum, 100);
}

double measure_kept(const struct measuring *of) {
    struct sum sum = {0};
    for (size_t i = 0; i < of->row->count; i++) {
        const struct spectrum *spectrum = spectrum_at(of, i);
        const struct preview_cell *cell = cell_at(of, i);
        if (!is_matrix(of, i))
            continue;
        sum.any = true;
        sum.pending |= spectrum == NULL || !cell->ready;
        double total = spectrum != NULL ? spectrum_total(spectrum) : 0;
        sum.part += total * cell->kept;
        sum.whole += total;
    }
    bool nothing = sum.any && !sum.pending && sum.whole <= 0; /* to keep: all of it is kept */
    return nothing ? 100 : ratio(&sum, 100);
}

double measure_stable(const struct measuring *of) {
    const struct spectrum *spectrum = spectrum_at(of, 0);
    if (of->row->is_module || !is_matrix(of, 0))
        return NAN;
    return spectrum != NULL ? spectrum_stable_rank(spectrum) : MEASURE_PENDING;
}

double measure_task_norm(const struct measuring *of) {
    size_t n = of->app->table->specialist_count, s = of->app->specialist;
    double square = 0;
    if (of->app->analysis->gram == NULL)
        return MEASURE_PENDING;
    for (size_t i = 0; i < of->row->count; i++)
        square += analysis_gram(of->app->analysis, layer_of(of, i))[s * n + s];
    return sqrt(square);
}

double measure_residual_norm(const struct measuring *of) {
    double square = 0;
    for (size_t i = 0; i < of->row->count; i++) {
        const struct preview_cell *cell = cell_at(of, i);
        if (!cell->ready)
            return MEASURE_PENDING;
        square += cell->residual_norm * cell->residual_norm;
    }
    return sqrt(square);
}

double measure_share(const struct measuring *of) {
    struct sum sum = {.pending = !of->preview->complete, .any = true};
    for (size_t i = 0; i < of->row->count; i++)
        for (size_t s = 0; s < of->preview->specialist_count; s++) {
            double one = preview_cell_at(of->preview, layer_of(of, i), s)->contribution;
            sum.whole += one;
            sum.part += s == of->app->specialist ? one : 0;
        }
    return ratio(&sum, 100);
}

double measure_size(const struct measuring *of) {
    double elements = 0;
    for (size_t i = 0; i < of->row->count; i++)
        elements += (double)of->app->table->layers[layer_of(of, i)].elements;
    return elements;
}

/* The greatest dominance in the row's layers, and whose it is. */
double measure_dominance_of(const struct measuring *of, size_t *specialist) {
    double most = 0, share = 0;
    if (!of->preview->complete)
        return MEASURE_PENDING;
    for (size_t i = 0; i < of->row->count; i++) {
        size_t layer = layer_of(of, i);
        if (of->preview->dominance[layer] <= most)
            continue;
        most = of->preview->dominance[layer];
        share = 0;
        for (size_t s = 0; s < of->preview->specialist_count; s++) {
            double mine = preview_cell_at(of->preview, layer, s)->share_after;
            *specialist = mine > share ? s : *specialist;
            share = mine > share ? mine : share;
        }
    }
    return most;
}

double measure_dominance(const struct measuring *of) {
    size_t specialist = 0;
    return measure_dominance_of(of, &specialist);
}

bool measure_ranks(const struct measuring *of, size_t first, size_t end, size_t *low,
                   size_t *high) {
    bool any = false;
    for (size_t i = 0; i < of->row->count; i++)
        for (size_t s = first; s < end && is_matrix(of, i); s++) {
            const struct preview_cell *cell = preview_cell_at(of->preview, layer_of(of, i), s);
            size_t rank = cell->rank;
            bool known = of->preview == of->app->preview
                             ? rank_known(of->app, layer_of(of, i), s, &rank)
                             : cell->ready;
            if (!known)
                return false;
            *low = any && *low < rank ? *low : rank;
            *high = any && *high > rank ? *high : rank;
            any = true;
        }
    return any;
}
