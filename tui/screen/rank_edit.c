#include "tui/screen/rank_edit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The layers that a key reaches; free() layers. */
struct reach {
    size_t *layers;
    size_t count;
    int specialist; /* or PLAN_ALL */
};

bool layer_same_kind(const char *one, const char *other) {
    while (*one != '\0' && *other != '\0') {
        if (isdigit((unsigned char)*one) && isdigit((unsigned char)*other)) {
            while (isdigit((unsigned char)*one))
                one++;
            while (isdigit((unsigned char)*other))
                other++;
        } else if (*one++ != *other++) {
            return false;
        }
    }
    return *one == *other;
}

static bool in_rows(const struct rank_selection *selection, size_t layer) {
    for (size_t i = 0; i < selection->layer_count; i++)
        if (selection->layers[i] == layer)
            return true;
    return false;
}

static bool in_scope(const struct app *app, const struct rank_selection *selection, size_t layer) {
    const struct layer *layers = app->table->layers;
    switch (selection->scope) {
    case SCOPE_CELL:
    case SCOPE_LAYER:
        return in_rows(selection, layer);
    case SCOPE_MARKED:
        return selection->marked[layer];
    case SCOPE_KIND:
        for (size_t i = 0; i < selection->layer_count; i++)
            if (layer_same_kind(layers[selection->layers[i]].name, layers[layer].name))
                return true;
        return false;
    default:
        return true;
    }
}

static struct reach reach_of(const struct app *app, const struct rank_selection *selection) {
    bool one = selection->scope == SCOPE_CELL || selection->scope == SCOPE_SPECIALIST;
    struct reach reach = {.specialist = one ? (int)app->specialist : PLAN_ALL};
    reach.layers = memory_array(app->table->layer_count, sizeof *reach.layers);
    for (size_t l = 0; l < app->table->layer_count; l++)
        if (app->table->layers[l].role == ROLE_MATRIX && in_scope(app, selection, l))
            reach.layers[reach.count++] = l;
    return reach;
}

static const char *specialist_name(const struct app *app) {
    return app->table->specialists[app->specialist].name;
}

const char *rank_scope_text(const struct app *app, const struct rank_selection *selection,
                            char buffer[TEXT_ROOM]) {
    struct reach reach = reach_of(app, selection);
    const char *plural = reach.count == 1 ? "" : "s";
    const char *name = specialist_name(app);
    bool one = selection->layer_count == 1;
    switch (selection->scope) {
    case SCOPE_CELL:
        if (one)
            snprintf(buffer, TEXT_ROOM, "%s here", name);
        else
            snprintf(buffer, TEXT_ROOM, "%s in %zu layer%s", name, reach.count, plural);
        break;
    case SCOPE_LAYER:
        if (one)
            snprintf(buffer, TEXT_ROOM, "this layer");
        else
            snprintf(buffer, TEXT_ROOM, "this module, %zu layer%s", reach.count, plural);
        break;
    case SCOPE_MARKED:
        snprintf(buffer, TEXT_ROOM, "%zu marked", reach.count);
        break;
    case SCOPE_KIND:
        snprintf(buffer, TEXT_ROOM, "%zu of this kind", reach.count);
        break;
    case SCOPE_SPECIALIST:
        snprintf(buffer, TEXT_ROOM, "%s everywhere", name);
        break;
    default:
        snprintf(buffer, TEXT_ROOM, "all %zu layers", reach.count);
    }
    free(reach.layers);
    return buffer;
}

bool rank_known(const struct app *app, size_t layer, size_t specialist, size_t *rank) {
    struct rank_rule rule = plan_rule(app->plan, layer, specialist);
    const struct spectrum *spectrum = app->analysis->spectra != NULL
                                          ? spectra_get(app->analysis->spectra, layer, specialist)
                                          : NULL;
    if (spectrum == NULL && !rank_rule_is_shape_only(rule))
        return false;
    *rank = rank_rule_resolve(rule, layer_max_rank(&app->table->layers[layer]), spectrum);
    return true;
}

static unsigned say_empty(struct app *app, const struct rank_selection *selection) {
    if (selection->scope == SCOPE_MARKED)
        app_say(app, STATUS_WARNING, "no layer is marked; Space marks");
    else
        app_say(app, STATUS_WARNING, "a vector has no rank: it is kept whole");
    return DIRTY_SCREEN;
}

static size_t stepped(size_t rank, int step, size_t limit) {
    long long moved = (long long)rank + step;
    return moved < 0 ? 0 : (size_t)moved > limit ? limit : (size_t)moved;
}

/* New ranks of the reach, [count x N]; false when one of the present ones is not known yet. */
static bool step_ranks(const struct app *app, const struct reach *reach, int step, size_t *ranks,
                       bool *moves) {
    size_t n = app->table->specialist_count;
    *moves = false;
    for (size_t i = 0; i < reach->count * n; i++) {
        size_t layer = reach->layers[i / n], rank = 0;
        if (reach->specialist != PLAN_ALL && (size_t)reach->specialist != i % n)
            continue;
        if (!rank_known(app, layer, i % n, &rank))
            return false;
        ranks[i] = stepped(rank, step, layer_max_rank(&app->table->layers[layer]));
        *moves |= ranks[i] != rank;
    }
    return true;
}

/* "fs rank 9 -> 10, blocks.3.attn" for one cell, "rank +1, 12 layers" for more. */
static char *describe_step(const struct app *app, const struct reach *reach, int step,
                           const size_t *ranks) {
    size_t from = 0, n = app->table->specialist_count;
    bool one = reach->count == 1 && (reach->specialist != PLAN_ALL || n == 1);
    if (!one)
        return memory_format("rank %+d, %s%s%zu layer%s", step,
                             reach->specialist != PLAN_ALL ? specialist_name(app) : "",
                             reach->specialist != PLAN_ALL ? ", " : "", reach->count,
                             reach->count == 1 ? "" : "s");
    rank_known(app, reach->layers[0], app->specialist, &from);
    return memory_format("%s rank %zu %s %zu, %s", specialist_name(app), from,
                         theme_glyphs()->arrow, ranks[app->specialist],
                         app->table->layers[reach->layers[0]].name);
}

unsigned rank_step(struct app *app, const struct rank_selection *selection, int step) {
    struct reach reach = reach_of(app, selection);
    struct plan_scope scope = {reach.layers, reach.count, reach.specialist};
    size_t *ranks = memory_array(reach.count * app->table->specialist_count, sizeof *ranks);
    unsigned result = DIRTY_SCREEN;
    bool moves = false;
    if (reach.count == 0) {
        say_empty(app, selection);
    } else if (!step_ranks(app, &reach, step, ranks, &moves)) {
        app_say(app, STATUS_WARNING, "the rank follows from a spectrum that is still computed");
    } else if (!moves) {
        app_say(app, STATUS_INFO, step > 0 ? "the rank is full already" : "the rank is 0 already");
    } else {
        char *description = describe_step(app, &reach, step, ranks);
        plan_set_ranks(app->plan, scope, ranks, description);
        app_say(app, STATUS_INFO, "%s", description);
        free(description);
        result |= DIRTY_PLAN;
    }
    free(ranks);
    free(reach.layers);
    return result;
}

unsigned rank_set(struct app *app, const struct rank_selection *selection, const char *text) {
    struct rank_rule rule;
    struct error error = {0};
    char where[TEXT_ROOM], form[FIELD_TEXT];
    if (!rank_rule_parse(text, &rule, &error)) {
        status_fail(&app->status, app->now, &error);
        return DIRTY_SCREEN | PROMPT_STAYS;
    }
    struct reach reach = reach_of(app, selection);
    if (reach.count == 0) {
        free(reach.layers);
        return say_empty(app, selection);
    }
    char *description = memory_format("rank %s, %s", rank_rule_format(rule, form, sizeof form),
                                      rank_scope_text(app, selection, where));
    plan_set_rank(app->plan, (struct plan_scope){reach.layers, reach.count, reach.specialist}, rule,
                  description);
    app_say(app, STATUS_INFO, "%s", description);
    free(description);
    free(reach.layers);
    return DIRTY_PLAN;
}

unsigned rank_reset(struct app *app, const struct rank_selection *selection) {
    struct reach reach = reach_of(app, selection);
    char where[TEXT_ROOM], form[FIELD_TEXT];
    if (reach.count == 0) {
        free(reach.layers);
        return say_empty(app, selection);
    }
    char *description = memory_format("rank %s (default), %s",
                                      rank_rule_format(app->plan->config.rank, form, sizeof form),
                                      rank_scope_text(app, selection, where));
    plan_reset(app->plan, (struct plan_scope){reach.layers, reach.count, reach.specialist},
               description);
    app_say(app, STATUS_INFO, "%s", description);
    free(description);
    free(reach.layers);
    return DIRTY_PLAN;
}

const char *rank_disabled(const struct app *app) {
    return app->table->matrix_count == 0 ? "no tensor here is a matrix: nothing has a rank" : NULL;
}
