#include "analysis/real_core.h"

#include "analysis/gram.h"

#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CORE_VANISHED 0.05 /* of the mean's norm */
#define PART_DOMINANT 0.6  /* with three specialists or more */

static bool same_mean(const struct real_settings *one, const struct real_settings *other) {
    bool same = true;
    for (size_t i = 0; i < SPECIALIST_LIMIT; i++)
        same = same && one->mean[i] == other->mean[i];
    return same;
}

bool real_settings_equal(const struct real_settings *one, const struct real_settings *other) {
    return one->rank == other->rank && one->center == other->center &&
           one->normalize == other->normalize && one->block_norm == other->block_norm &&
           one->blend == other->blend && one->against == other->against &&
           one->tensors == other->tensors && one->gamma_twice == other->gamma_twice &&
           same_mean(one, other);
}

bool real_settings_check(const struct real_settings *settings, const struct tensor_table *table,
                         struct error *error) {
    size_t n = table->specialist_count;
    if (settings->center && n < 2)
        return error_set(error, ERROR_USAGE,
                         "real.center: a single specialist has no centre to be measured from; "
                         "give two or more, or set real.center to false");
    size_t limit = settings->center ? n - 1 : n;
    if (settings->rank < 1 || settings->rank > limit)
        return error_set(error, ERROR_USAGE, "real.rank: %u is not in 1 to %zu, with %zu %s%s",
                         settings->rank, limit, n, n == 1 ? "specialist" : "specialists",
                         settings->center ? " and real.center" : "");
    return true;
}

static bool is_member(const struct layer *layer, enum real_tensors tensors) {
    if (tensors == REAL_TENSORS_MATRICES)
        return layer->role == ROLE_MATRIX;
    return layer_is_shared(layer) && strstr(layer->name, "ln") == NULL &&
           strstr(layer->name, "bias") == NULL;
}

/* norms and scale: ||tau_i|| over matrices, and d_i = mean norm / ||tau_i|| (section 2). */
static void measure_specialists(const struct tensor_table *table, const double *gram,
                                struct real_core *core) {
    size_t n = core->n;
    double mean = 0;
    for (size_t i = 0; i < n; i++) {
        double square = 0;
        for (size_t l = 0; l < table->layer_count; l++)
            if (table->layers[l].role == ROLE_MATRIX)
                square += gram[l * n * n + i * n + i];
        core->norms[i] = sqrt(square);
        mean += core->norms[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        core->scale[i] = core->settings.normalize && core->norms[i] > 0 ? mean / core->norms[i] : 1;
}

/* gamma_l from ||A_l||_F^2 = trace G_l and the tensor's size. */
static double block_factor(enum block_norm rule, double trace, double elements) {
    if (rule == BLOCK_NORM_NONE)
        return 1;
    if (trace <= 0)
        return 0;
    return rule == BLOCK_NORM_FRO ? 1 / sqrt(trace) : sqrt(elements / trace);
}

/* member, gamma, and total[N x N] = sum over members of gamma_l D G_l D. */
static void weigh_layers(const struct tensor_table *table, const double *gram,
                         struct real_core *core, double *total) {
    size_t n = core->n;
    const double *d = core->scale;
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct layer *layer = &table->layers[l];
        const double *g = gram + l * n * n;
        double trace = 0;
        for (size_t i = 0; i < n; i++)
            trace += d[i] * d[i] * g[i * n + i];
        core->member[l] = is_member(layer, core->settings.tensors);
        core->gamma[l] = block_factor(core->settings.block_norm, trace, (double)layer->elements);
        for (size_t i = 0; core->member[l] && i < n; i++)
            for (size_t j = 0; j < n; j++)
                total[i * n + j] += core->gamma[l] * d[i] * d[j] * g[i * n + j];
    }
}

/* H G H with H = I - 11^T / N: subtracts the means of rows and columns. */
static void center_both_sides(double *g, size_t n) {
    for (int side = 0; side < 2; side++) {
        size_t along = side == 0 ? 1 : n, across = side == 0 ? n : 1;
        for (size_t i = 0; i < n; i++) {
            double mean = 0;
            for (size_t j = 0; j < n; j++)
                mean += g[i * across + j * along] / (double)n;
            for (size_t j = 0; j < n; j++)
                g[i * across + j * along] -= mean;
        }
    }
}

/* Eigenvectors of a[N x N] in its columns, eigenvalues ascending in values[N]. */
static bool eigenvectors(double *a, size_t n, double *values, struct error *error) {
    int info = LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'U', (int)n, a, (int)n, values);
    if (info != 0)
        return error_set(error, ERROR_INPUT,
                         "eigenvalues of the Gram matrix: LAPACK dsyev failed (%d)", info);
    return true;
}

/* Number of eigenvalues that are more than rounding: above N eps lambda_max. Centred ones carry the
 * rounding of what the centring took away, so they are held against trace G instead. */
static size_t numerical_rank(const struct real_core *core, const double *total) {
    size_t n = core->n, rank = 0;
    double trace = 0;
    for (size_t i = 0; i < n; i++)
        trace += total[i * n + i];
    double size = core->settings.center ? trace : fmax(core->eigenvalues[0], 0);
    while (rank < n && core->eigenvalues[rank] > (double)n * DBL_EPSILON * size)
        rank++;
    return rank;
}

static void clamp_rank(struct real_core *core, const double *total) {
    size_t rank = numerical_rank(core, total);
    if (core->settings.rank <= rank)
        return;
    char *warning = rank > 0
                        ? memory_format("real.rank %u is more than the %zu independent "
                                        "direction%s of the task vectors: %zu used",
                                        core->settings.rank, rank, rank == 1 ? "" : "s", rank)
                        : memory_format("the task vectors have no direction to share: the Real "
                                        "core is zero");
    string_list_add(&core->warnings, warning);
    free(warning);
    core->settings.rank = (unsigned)rank;
}

/* projection: C = U_k U_k^T, or centred C = H U_k diag(1 / lambda_k) U_k^T H G. vectors holds
 * eigenvectors by ascending eigenvalue; total is G. */
static void make_projection(struct real_core *core, const double *vectors, const double *total) {
    size_t n = core->n;
    bool center = core->settings.center;
    double *square = memory_array(n * n, sizeof *square);
    for (size_t k = 0; k < core->settings.rank; k++) {
        const double *u = vectors + n - 1 - k; /* a column */
        double factor = center ? 1 / core->eigenvalues[k] : 1;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                square[i * n + j] += factor * u[i * n] * u[j * n];
    }
    if (center)
        center_both_sides(square, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t k = 0; center && k < n; k++)
                sum += square[i * n + k] * total[k * n + j];
            core->projection[i * n + j] = center ? sum : square[i * n + j];
        }
    free(square);
}

static void make_mean(struct real_core *core) {
    const double *given = core->settings.mean;
    double sum = 0;
    for (size_t i = 0; i < core->n; i++)
        sum += given[i];
    for (size_t i = 0; i < core->n; i++)
        core->mean[i] = sum > 0 ? given[i] : 1 / (double)core->n;
}

/* w = C mean, blended with the mean. */
static void make_weights(struct real_core *core) {
    size_t n = core->n;
    double beta = core->settings.blend;
    for (size_t j = 0; j < n; j++) {
        double row = 0;
        for (size_t i = 0; i < n; i++)
            row += core->projection[j * n + i] * core->mean[i];
        core->weights[j] = (1 - beta) * core->mean[j] + beta * row;
    }
}

/* p_i = |w_i| ||tau_i|| / sum_j |w_j| ||tau_j||. */
static void make_parts(struct real_core *core) {
    double sum = 0;
    for (size_t i = 0; i < core->n; i++) {
        core->parts[i] = fabs(core->weights[i]) * core->scale[i] * core->norms[i];
        sum += core->parts[i];
    }
    for (size_t i = 0; i < core->n && sum > 0; i++)
        core->parts[i] /= sum;
}

/* Squares and product of core and mean, over some layers. */
struct comparison {
    double core, mean, product;
};

static void compare_layer(const struct real_core *core, const double *gram, size_t layer,
                          struct comparison *comparison) {
    size_t n = core->n;
    double own[SPECIALIST_LIMIT], mean[SPECIALIST_LIMIT];
    real_core_coefficients(core, layer, own);
    for (size_t j = 0; j < n; j++)
        mean[j] = core->scale[j] * core->mean[j];
    const double *g = gram + layer * n * n;
    comparison->core += gram_form(g, n, own, own);
    comparison->mean += gram_form(g, n, mean, mean);
    comparison->product += gram_form(g, n, own, mean);
}

static double root(double square) {
    return square > 0 ? sqrt(square) : 0;
}

static void compare_with_mean(const struct tensor_table *table, const double *gram,
                              struct real_core *core) {
    struct comparison all = {0}, members = {0};
    for (size_t l = 0; l < table->layer_count; l++) {
        if (!layer_is_shared(&table->layers[l]))
            continue;
        compare_layer(core, gram, l, &all);
        if (core->member[l])
            compare_layer(core, gram, l, &members);
    }
    double both = root(members.core) * root(members.mean);
    core->core_norm = root(all.core);
    core->mean_norm = root(all.mean);
    core->cos_core_mean = both > 0 ? fmax(-1, fmin(1, members.product / both)) : 0;
    core->core_mean_ratio = members.mean > 0 ? root(members.core) / root(members.mean) : 0;
}

bool real_core_vanishes(const struct real_core *core) {
    return core->core_mean_ratio < CORE_VANISHED && core->mean_norm > 0 && core->settings.rank > 0;
}

size_t real_core_owner(const struct real_core *core) {
    size_t i = 0;
    while (i < core->n && (core->n < 3 || core->parts[i] <= PART_DOMINANT))
        i++;
    return i;
}

static void warn(const struct tensor_table *table, struct real_core *core) {
    size_t owner = real_core_owner(core);
    if (real_core_vanishes(core)) {
        char *warning = memory_format("the Real core almost vanishes: its norm is %.2g of the mean "
                                      "task vector's%s",
                                      core->core_mean_ratio,
                                      core->settings.center ? "; try real.center false" : "");
        string_list_add(&core->warnings, warning);
        free(warning);
    }
    if (owner < core->n) {
        char *warning = memory_format(
            "%s makes %.0f %% of the Real core: what counts as shared is mostly its own%s",
            table->specialists[owner].name, 100 * core->parts[owner],
            core->settings.normalize ? "" : "; try real.normalize true");
        string_list_add(&core->warnings, warning);
        free(warning);
    }
}

static struct real_core *core_create(const struct tensor_table *table,
                                     const struct real_settings *settings) {
    struct real_core *core = memory_array(1, sizeof *core);
    size_t n = table->specialist_count;
    core->settings = *settings;
    core->n = n;
    core->eigenvalues = memory_array(n, sizeof(double));
    core->scale = memory_array(n, sizeof(double));
    core->mean = memory_array(n, sizeof(double));
    core->projection = memory_array(n * n, sizeof(double));
    core->weights = memory_array(n, sizeof(double));
    core->parts = memory_array(n, sizeof(double));
    core->norms = memory_array(n, sizeof(double));
    core->gamma = memory_array(table->layer_count, sizeof(double));
    core->member = memory_array(table->layer_count, sizeof(bool));
    return core;
}

bool real_core_compute(const struct tensor_table *table, const double *gram,
                       const struct real_settings *settings, struct real_core **result,
                       struct error *error) {
    if (!real_settings_check(settings, table, error))
        return false;
    struct real_core *core = core_create(table, settings);
    size_t n = core->n;
    double *total = memory_array(n * n, sizeof *total); /* G */
    double *vectors = memory_array(n * n, sizeof *vectors);
    double *ascending = memory_array(n, sizeof *ascending);
    measure_specialists(table, gram, core);
    weigh_layers(table, gram, core, total);
    memcpy(vectors, total, n * n * sizeof *vectors);
    if (settings->center)
        center_both_sides(vectors, n);
    bool good = eigenvectors(vectors, n, ascending, error);
    if (good) {
        for (size_t k = 0; k < n; k++)
            core->eigenvalues[k] = ascending[n - 1 - k];
        clamp_rank(core, total);
        make_projection(core, vectors, total);
        make_mean(core);
        make_weights(core);
        make_parts(core);
        compare_with_mean(table, gram, core);
        warn(table, core);
        *result = core;
    } else {
        real_core_free(core);
    }
    free(total);
    free(vectors);
    free(ascending);
    return good;
}

void real_core_free(struct real_core *core) {
    if (core == NULL)
        return;
    free(core->eigenvalues);
    free(core->scale);
    free(core->mean);
    free(core->projection);
    free(core->weights);
    free(core->parts);
    free(core->norms);
    free(core->gamma);
    free(core->member);
    string_list_free(&core->warnings);
    free(core);
}

void real_core_coefficients(const struct real_core *core, size_t layer, double *coefficients) {
    double gamma = core->settings.gamma_twice ? core->gamma[layer] : 1;
    for (size_t j = 0; j < core->n; j++)
        coefficients[j] =
            core->scale[j] * (core->member[layer] ? gamma * core->weights[j] : core->mean[j]);
}

void residual_coefficients(const struct real_core *core, size_t layer, size_t specialist,
                           double *coefficients) {
    size_t n = core->n;
    memset(coefficients, 0, n * sizeof *coefficients);
    if (core->settings.against == AGAINST_CORE)
        real_core_coefficients(core, layer, coefficients);
    for (size_t j = 0; j < n && core->settings.against == AGAINST_PROJECTION; j++)
        coefficients[j] = core->scale[j] * core->projection[j * n + specialist];
    for (size_t j = 0; j < n; j++)
        coefficients[j] = (j == specialist ? core->scale[j] : 0) - coefficients[j];
}

void projection_coefficients(const struct real_core *core, size_t specialist,
                             double *coefficients) {
    size_t n = core->n;
    for (size_t j = 0; j < n; j++)
        coefficients[j] =
            core->scale[j] * core->projection[j * n + specialist] / core->scale[specialist];
}
