#include "tui/screen/rank_edit.h"

#include <stdlib.h>
#include <string.h>

/* The layers that a key reaches; free() layers. */
struct reach {
    size_t *layers;
    size_t count;
    int specialist; /* or PLAN_ALL */
};

static bool in_rows(const struct rank_selection *selection, size_t layer) {
    for (size_t i = 0; i < selection->layer_count; i++)
        if (selection->layers[i] == layer)
            return true;
    return false;
}

static bool in_scope(const struct app *app, const struct rank_selection *selection, size_t layer) {
    const struct layer *layers = app->table->layers;
    switch (selection->scope) {
    case SCOPE_ROW:
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
    struct reach reach = {.specialist = selection->every ? PLAN_ALL : (int)app->specialist};
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
    char who[TEXT_ROOM];
    bool every = selection->every && app->table->specialist_count > 1;
    text_shorten(every ? "all" : specialist_name(app), 16, who);
    free(reach.layers);
    if (selection->scope == SCOPE_MARKED)
        snprintf(buffer, TEXT_ROOM, "%.80s in %zu marked", who, reach.count);
    else if (selection->scope == SCOPE_KIND)
        snprintf(buffer, TEXT_ROOM, "%.80s in %zu of this kind", who, reach.count);
    else if (selection->scope == SCOPE_ALL)
        snprintf(buffer, TEXT_ROOM, "%.80s in every layer", who);
    else if (selection->layer_count != 1)
        snprintf(buffer, TEXT_ROOM, "%.80s in %zu layer%s", who, reach.count,
                 reach.count == 1 ? "" : "s");
    else
        snprintf(buffer, TEXT_ROOM, "%.80s in this layer", who);
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

/* "fs WHAT, blocks.3.attn" or "all WHAT, 12 layers": what a step of history did. */
static char *describe(const struct app *app, const struct reach *reach, const char *what) {
    char where[TEXT_ROOM];
    bool every = reach->specialist == PLAN_ALL && app->table->specialist_count > 1;
    if (reach->count == 1)
        layer_label(app->table->layers[reach->layers[0]].name, where);
    else
        snprintf(where, sizeof where, "%zu layers", reach->count);
    return memory_format("%s %s, %s", every ? "all" : specialist_name(app), what, where);
}

/* For one cell the ranks, for more the step. */
static char *describe_step(const struct app *app, const struct reach *reach, int step,
                           const size_t *ranks) {
    char what[64];
    size_t from = 0, n = app->table->specialist_count;
    if (reach->count > 1 || (reach->specialist == PLAN_ALL && n > 1)) {
        snprintf(what, sizeof what, "%+d", step);
    } else {
        rank_known(app, reach->layers[0], app->specialist, &from);
        snprintf(what, sizeof what, "%zu %s %zu", from, theme_glyphs()->arrow,
                 ranks[app->specialist]);
    }
    return describe(app, reach, what);
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
    char what[FIELD_TEXT + 16] = "rank ";
    if (!rank_rule_parse(text, &rule, &error)) {
        status_fail(&app->status, app->now, &error);
        return DIRTY_SCREEN | PROMPT_STAYS;
    }
    struct reach reach = reach_of(app, selection);
    if (reach.count == 0) {
        free(reach.layers);
        return say_empty(app, selection);
    }
    rank_rule_format(rule, what + strlen(what), FIELD_TEXT);
    char *description = describe(app, &reach, what);
    plan_set_rank(app->plan, (struct plan_scope){reach.layers, reach.count, reach.specialist}, rule,
                  description);
    app_say(app, STATUS_INFO, "%s", description);
    free(description);
    free(reach.layers);
    return DIRTY_PLAN;
}

unsigned rank_reset(struct app *app, const struct rank_selection *selection) {
    struct reach reach = reach_of(app, selection);
    char what[FIELD_TEXT + 24], form[FIELD_TEXT];
    if (reach.count == 0) {
        free(reach.layers);
        return say_empty(app, selection);
    }
    snprintf(what, sizeof what, "rank %s (default)",
             rank_rule_format(app->plan->config.rank, form, sizeof form));
    char *description = describe(app, &reach, what);
    plan_reset(app->plan, (struct plan_scope){reach.layers, reach.count, reach.specialist},
               description);
    app_say(app, STATUS_INFO, "%s", description);
    free(description);
    free(reach.layers);
    return DIRTY_PLAN;
}

/* ---- copying ---- */

void rank_clip_free(struct rank_clip *clip) {
    free(clip->layers);
    free(clip->rules);
    *clip = (struct rank_clip){0};
}

unsigned rank_copy(struct app *app, const struct rank_selection *selection,
                   struct rank_clip *clip) {
    size_t n = app->table->specialist_count;
    struct reach reach = reach_of(app, selection);
    char where[TEXT_ROOM], form[FIELD_TEXT];
    if (reach.count == 0) {
        free(reach.layers);
        return say_empty(app, selection);
    }
    struct rank_rule *rules = memory_array(reach.count * n, sizeof *rules);
    for (size_t i = 0; i < reach.count * n; i++)
        rules[i] = plan_rule(app->plan, reach.layers[i / n], i % n);
    rank_clip_free(clip);
    *clip = (struct rank_clip){.layers = reach.layers,
                               .count = reach.count,
                               .rules = rules,
                               .every = selection->every,
                               .specialist = app->specialist};
    rank_rule_format(rules[app->specialist], form, sizeof form);
    bool one = clip->count == 1 && !clip->every;
    app_say(app, STATUS_INFO, "copied %s%s%s; P pastes it where the keys reach",
            one ? form : "ranks", one ? " of " : ", ", rank_scope_text(app, selection, where));
    return DIRTY_SCREEN;
}

/* The copied layer whose rules go to a layer; clip->count: none. */
static size_t source_of(const struct app *app, const struct rank_clip *clip, size_t layer) {
    const struct layer *layers = app->table->layers;
    if (clip->count == 1)
        return 0;
    for (size_t i = 0; i < clip->count; i++)
        if (clip->layers[i] == layer)
            return i;
    for (size_t i = 0; i < clip->count; i++)
        if (layer_same_kind(layers[clip->layers[i]].name, layers[layer].name))
            return i;
    return clip->count;
}

/* Keeps the layers that get something, and fills in what: rules[reach->count x N]. */
static void match_sources(const struct app *app, const struct rank_clip *clip, struct reach *reach,
                          struct rank_rule *rules) {
    size_t n = app->table->specialist_count, kept = 0;
    for (size_t i = 0; i < reach->count; i++) {
        size_t source = source_of(app, clip, reach->layers[i]);
        if (source == clip->count)
            continue;
        for (size_t s = 0; s < n; s++)
            rules[kept * n + s] = clip->rules[source * n + (clip->every ? s : clip->specialist)];
        reach->layers[kept++] = reach->layers[i];
    }
    reach->count = kept;
}

unsigned rank_paste(struct app *app, const struct rank_selection *selection,
                    const struct rank_clip *clip) {
    size_t n = app->table->specialist_count;
    if (clip->count == 0) {
        app_say(app, STATUS_WARNING, "nothing is copied yet; c copies");
        return DIRTY_SCREEN;
    }
    struct reach reach = reach_of(app, selection);
    struct rank_rule *rules = memory_array(reach.count * n, sizeof *rules);
    size_t reached = reach.count;
    unsigned result = DIRTY_SCREEN;
    match_sources(app, clip, &reach, rules);
    if (reached == 0) {
        say_empty(app, selection);
    } else if (reach.count == 0) {
        app_say(app, STATUS_WARNING, "no layer here is of a kind that was copied");
    } else {
        char *description = describe(app, &reach, "ranks pasted");
        plan_set_rules(app->plan, (struct plan_scope){reach.layers, reach.count, reach.specialist},
                       rules, description);
        app_say(app, STATUS_INFO, "%s", description);
        free(description);
        result = DIRTY_PLAN;
    }
    free(rules);
    free(reach.layers);
    return result;
}

const char *rank_disabled(const struct app *app) {
    if (app->table->matrix_count == 0)
        return "no tensor here is a matrix: nothing has a rank";
    bool ranked = app->plan->config.settings.method == METHOD_R2M;
    return ranked ? NULL : "ranks by layer are R2M's; view 4 has the fields of this method";
}
