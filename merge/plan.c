#include "merge/plan.h"

#include "merge/methods/method.h"
#include "merge/plan_history.h"

#include "merge/config/config_parts.h"
#include "merge/text.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Layers [first, end) are those that a glob can match: one for a plain name, else all. */
static void glob_range(const struct plan *plan, const char *glob, size_t *first, size_t *end) {
    char *name = name_of_glob(glob);
    *first = name != NULL ? tensor_table_find(plan->table, name) : 0;
    *end =
        name != NULL && *first < plan->table->layer_count ? *first + 1 : plan->table->layer_count;
    free(name);
}

static bool glob_matches(const struct plan *plan, const char *glob, size_t layer) {
    return fnmatch(glob, plan->table->layers[layer].name, 0) == 0;
}

static size_t specialists(const struct plan *plan) {
    return plan->table->specialist_count;
}

static bool is_matrix(const struct plan *plan, size_t layer) {
    return plan->table->layers[layer].role == ROLE_MATRIX;
}

/* Index of a specialist's name, PLAN_ALL for NULL. */
static int specialist_index(const struct plan *plan, const char *name) {
    size_t index = 0;
    if (name == NULL)
        return PLAN_ALL;
    while (strcmp(plan->config.specialists[index].name, name) != 0)
        index++;
    return (int)index;
}

/* One rule for the cells of a layer. */
static void fill(struct plan *plan, size_t layer, int specialist, struct rank_rule rule) {
    for (size_t i = 0; i < specialists(plan); i++)
        if (specialist == PLAN_ALL || (size_t)specialist == i)
            plan->rules[layer * specialists(plan) + i] = rule;
}

/* Applies one override; false when it meets no matrix. */
static bool apply_override(struct plan *plan, const struct rank_override *override) {
    int specialist = specialist_index(plan, override->specialist);
    bool met = false;
    size_t first, end;
    glob_range(plan, override->layer, &first, &end);
    for (size_t l = first; l < end; l++)
        if (is_matrix(plan, l) && glob_matches(plan, override->layer, l)) {
            fill(plan, l, specialist, override->rule);
            met = true;
        }
    return met;
}

static bool met_nothing(const struct plan *plan, size_t index, struct error *error) {
    size_t count = plan->table->layer_count, matrices = 0;
    const char *glob = plan->config.overrides[index].layer;
    const char **names = memory_array(count, sizeof *names);
    for (size_t l = 0; l < count; l++)
        if (is_matrix(plan, l))
            names[matrices++] = plan->table->layers[l].name;
    const char *nearest = nearest_name(glob, names, matrices);
    char *quoted = error_quote(glob, strlen(glob));
    error_add(error, ERROR_USAGE, "residual.overrides[%zu].layer: \"%s\" matches no matrix%s%s",
              index, quoted, nearest != NULL ? "; the nearest name is " : "",
              nearest != NULL ? nearest : "");
    free(quoted);
    free(names);
    return false;
}

/* All rules and shares from the config. */
static bool resolve(struct plan *plan, struct error *error) {
    bool good = true;
    struct rank_rule rank = plan->config.rank;
    plan->effective = plan->config.settings;
    config_shares(&plan->config, plan->shares);
    bool ranked = method_effective(&plan->effective, plan->shares, specialists(plan), &rank);
    for (size_t l = 0; l < plan->table->layer_count; l++)
        fill(plan, l, PLAN_ALL, rank);
    for (size_t i = 0; i < plan->config.override_count && ranked; i++)
        if (!apply_override(plan, &plan->config.overrides[i]) && error != NULL)
            good = met_nothing(plan, i, error);
    return good;
}

bool plan_create(const struct config *config, const struct tensor_table *table,
                 struct plan **result, struct error *error) {
    struct error problems = {0};
    *result = NULL;
    if (!config_check(config, error))
        return false;
    if (config->specialist_count != table->specialist_count)
        return error_set(error, ERROR_USAGE, "the config names %zu specialist%s, %zu %s open",
                         config->specialist_count, config->specialist_count == 1 ? "" : "s",
                         table->specialist_count, table->specialist_count == 1 ? "is" : "are");
    struct plan *plan = memory_array(1, sizeof *plan);
    config_copy(&plan->config, config);
    plan->table = table;
    plan->rules = memory_array(table->layer_count * table->specialist_count, sizeof *plan->rules);
    plan->shares = memory_array(table->specialist_count, sizeof *plan->shares);
    plan->history = history_create();
    if (!resolve(plan, &problems)) {
        plan_free(plan);
        return error_move(error, &problems);
    }
    *result = plan;
    return true;
}

bool plan_create_single(const struct config *config, const struct tensor_table *table,
                        struct plan **plan, struct error *error) {
    struct config single;
    config_copy(&single, config);
    single.settings.shard_bytes = 0;
    bool good = plan_create(&single, table, plan, error);
    config_free(&single);
    return good;
}

void plan_free(struct plan *plan) {
    if (plan == NULL)
        return;
    config_free(&plan->config);
    history_free(plan->history);
    free(plan->rules);
    free(plan->shares);
    free(plan);
}

struct rank_rule plan_rule(const struct plan *plan, size_t layer, size_t specialist) {
    return plan->rules[layer * specialists(plan) + specialist];
}

/* Keeps the present config as a step of history; edits follow. */
static void begin_step(struct plan *plan, const char *description) {
    struct config before;
    config_copy(&before, &plan->config);
    history_record(plan->history, &before, description != NULL ? description : "edit");
    plan->modified = true;
}

/* Drops the overrides that stand for exactly cells of the scope. */
static void drop_exact(struct plan *plan, struct plan_scope scope) {
    struct config *config = &plan->config;
    bool *in_scope = memory_array(plan->table->layer_count + 1, sizeof *in_scope);
    size_t kept = 0;
    for (size_t i = 0; i < scope.layer_count; i++)
        in_scope[scope.layers[i]] = true;
    for (size_t i = 0; i < config->override_count; i++) {
        struct rank_override *override = &config->overrides[i];
        int specialist = specialist_index(plan, override->specialist);
        char *name = name_of_glob(override->layer);
        size_t none = plan->table->layer_count;
        size_t layer = name != NULL ? tensor_table_find(plan->table, name) : none;
        free(name);
        if (in_scope[layer] && (scope.specialist == PLAN_ALL || scope.specialist == specialist)) {
            free(override->layer);
            free(override->specialist);
        } else {
            config->overrides[kept++] = *override;
        }
    }
    config->override_count = kept;
    free(in_scope);
}

/* A new override for cells of one layer, and its rules. */
static void override_cells(struct plan *plan, size_t layer, int specialist, struct rank_rule rule) {
    char *glob = glob_of_name(plan->table->layers[layer].name);
    const char *name = specialist == PLAN_ALL ? NULL : plan->config.specialists[specialist].name;
    config_add_override(&plan->config, glob, name, rule);
    fill(plan, layer, specialist, rule);
    free(glob);
}

/* Whether the scope holds every cell of every matrix. */
static bool covers_all(const struct plan *plan, struct plan_scope scope) {
    size_t covered = 0;
    bool *seen = memory_array(plan->table->layer_count, sizeof *seen);
    for (size_t i = 0; i < scope.layer_count; i++) {
        covered += is_matrix(plan, scope.layers[i]) && !seen[scope.layers[i]];
        seen[scope.layers[i]] = true;
    }
    free(seen);
    return covered == plan->table->matrix_count &&
           (scope.specialist == PLAN_ALL || specialists(plan) == 1);
}

void plan_set_rank(struct plan *plan, struct plan_scope scope, struct rank_rule rule,
                   const char *description) {
    begin_step(plan, description);
    if (covers_all(plan, scope)) {
        plan->config.rank = rule;
        config_drop_overrides(&plan->config);
        resolve(plan, NULL);
        return;
    }
    drop_exact(plan, scope);
    for (size_t i = 0; i < scope.layer_count; i++)
        if (is_matrix(plan, scope.layers[i]))
            override_cells(plan, scope.layers[i], scope.specialist, rule);
}

/* rules: those of one layer. One override where all specialists get the same. */
static void override_rules(struct plan *plan, size_t layer, int specialist,
                           const struct rank_rule *rules) {
    size_t n = specialists(plan);
    bool same = specialist == PLAN_ALL;
    for (size_t i = 1; i < n; i++)
        same = same && rank_rule_equal(rules[i], rules[0]);
    if (same)
        override_cells(plan, layer, PLAN_ALL, rules[0]);
    for (size_t i = 0; i < n && !same; i++)
        if (specialist == PLAN_ALL || (size_t)specialist == i)
            override_cells(plan, layer, (int)i, rules[i]);
}

void plan_set_rules(struct plan *plan, struct plan_scope scope, const struct rank_rule *rules,
                    const char *description) {
    begin_step(plan, description);
    drop_exact(plan, scope);
    for (size_t i = 0; i < scope.layer_count; i++)
        if (is_matrix(plan, scope.layers[i]))
            override_rules(plan, scope.layers[i], scope.specialist, rules + i * specialists(plan));
}

void plan_set_ranks(struct plan *plan, struct plan_scope scope, const size_t *ranks,
                    const char *description) {
    size_t cells = scope.layer_count * specialists(plan);
    struct rank_rule *rules = memory_array(cells, sizeof *rules);
    for (size_t i = 0; i < cells; i++)
        rules[i] = (struct rank_rule){RANK_RANK, (double)ranks[i]};
    plan_set_rules(plan, scope, rules, description);
    free(rules);
}

/* The default rule by an override of its own, where a glob would hide it. */
static void restore_default(struct plan *plan, size_t layer, int specialist) {
    struct rank_rule rule = plan->config.rank;
    bool hidden = false;
    for (size_t i = 0; i < specialists(plan); i++)
        if (specialist == PLAN_ALL || (size_t)specialist == i)
            hidden |= !rank_rule_equal(plan_rule(plan, layer, i), rule);
    if (hidden)
        override_cells(plan, layer, specialist, rule);
}

void plan_reset(struct plan *plan, struct plan_scope scope, const char *description) {
    begin_step(plan, description);
    if (covers_all(plan, scope))
        config_drop_overrides(&plan->config);
    else
        drop_exact(plan, scope);
    resolve(plan, NULL);
    for (size_t i = 0; i < scope.layer_count; i++)
        if (is_matrix(plan, scope.layers[i]))
            restore_default(plan, scope.layers[i], scope.specialist);
}

static bool same_text(const char *one, const char *other) {
    return one != NULL && other != NULL && strcmp(one, other) == 0;
}

bool plan_fits_table(const struct plan *plan) {
    const struct config *config = &plan->config;
    bool fits = config->specialist_count == plan->table->specialist_count;
    for (size_t i = 0; fits && i < config->specialist_count; i++)
        fits = same_text(config->specialists[i].path, plan->table->specialists[i].path) &&
               same_text(config->specialists[i].name, plan->table->specialists[i].name);
    return fits;
}

void plan_rebind(struct plan *plan, const struct tensor_table *table) {
    plan->table = table;
    free(plan->rules);
    free(plan->shares);
    plan->rules = memory_array(table->layer_count * table->specialist_count, sizeof *plan->rules);
    plan->shares = memory_array(table->specialist_count, sizeof *plan->shares);
    resolve(plan, NULL);
}

/* Makes next, a changed copy, the config. */
static void adopt(struct plan *plan, struct config *next, const char *description) {
    history_record(plan->history, &plan->config, description);
    plan->config = *next;
    plan->modified = true;
    if (plan_fits_table(plan))
        resolve(plan, NULL);
}

bool plan_adopt(struct plan *plan, struct config *next, const char *description,
                struct error *error) {
    bool good = config_check(next, error);
    if (good)
        adopt(plan, next, description);
    else
        config_free(next);
    return good;
}

bool plan_take(struct plan *plan, const struct config *source, const char *description,
               struct error *error) {
    struct config next;
    config_copy(&next, &plan->config);
    next.settings = source->settings;
    next.rank = source->rank;
    config_drop_overrides(&next);
    for (size_t i = 0; i < source->override_count; i++)
        config_add_override(&next, source->overrides[i].layer, source->overrides[i].specialist,
                            source->overrides[i].rule);
    for (size_t i = 0; i < next.specialist_count; i++)
        for (size_t j = 0; j < source->specialist_count; j++)
            if (same_text(next.specialists[i].name, source->specialists[j].name))
                next.specialists[i].weight = source->specialists[j].weight;
    return plan_adopt(plan, &next, description, error);
}

bool plan_set_field(struct plan *plan, const struct settings_field *field, const char *text,
                    struct error *error) {
    struct settings settings = plan->config.settings;
    char before[FIELD_TEXT], after[FIELD_TEXT];
    settings_field_text(&settings, field, before, sizeof before);
    if (!settings_field_set_text(&settings, field, text, error))
        return false;
    settings_field_text(&settings, field, after, sizeof after);
    char *description = memory_format("%s %s -> %s", field->path, before, after);
    begin_step(plan, description);
    plan->config.settings = settings;
    resolve(plan, NULL);
    free(description);
    return true;
}

/* Tries a change on a copy of the config. */
static bool try_change(struct plan *plan,
                       bool (*change)(struct config *, const char *, struct error *),
                       const char *text, const char *description, struct error *error) {
    struct config next;
    config_copy(&next, &plan->config);
    if (change(&next, text, error))
        return plan_adopt(plan, &next, description, error);
    config_free(&next);
    return false;
}

bool plan_set_weight(struct plan *plan, size_t specialist, double weight, struct error *error) {
    struct config next;
    char text[NUMBER_TEXT];
    struct config_specialist *one = &plan->config.specialists[specialist];
    char *description = memory_format("weight of %s -> %s", one->name, number_text(weight, text));
    error_free(error);
    config_copy(&next, &plan->config);
    next.specialists[specialist].weight = weight;
    bool good = config_weight_check(one->name, weight, error);
    if (good)
        good = plan_adopt(plan, &next, description, error);
    else
        config_free(&next);
    free(description);
    return good;
}

char *plan_weight_note(const struct plan *plan, size_t specialist) {
    const struct config_specialist *one = &plan->config.specialists[specialist];
    const char *formed = method_row(plan->config.settings.method)->unweighted;
    if (one->weight != 0 || formed == NULL)
        return NULL;
    return memory_format("%s has weight 0 but still counts in %s", one->name, formed);
}

bool plan_set(struct plan *plan, const char *assignment, struct error *error) {
    if (strncmp(assignment, "keys.", 5) == 0)
        return error_set(error, ERROR_USAGE,
                         "keys: the files are open; give it when the program starts");
    return try_change(plan, config_set, assignment, assignment, error);
}

bool plan_preset(struct plan *plan, const char *name, struct error *error) {
    char *description = memory_format("preset %s", name);
    bool good = try_change(plan, config_preset, name, description, error);
    free(description);
    return good;
}

static bool same_file(const char *one, const char *other) {
    struct stat a, b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* config becomes what the file says, if that is about the same files. */
static bool read_same(struct config *config, const char *path, struct error *error) {
    struct config next = {0};
    if (!config_read(path, &next, error))
        return false;
    bool same =
        next.specialist_count == config->specialist_count && same_file(next.base, config->base);
    for (size_t i = 0; same && i < next.specialist_count; i++)
        same = same_file(next.specialists[i].path, config->specialists[i].path);
    struct config older = same ? *config : next;
    if (same)
        *config = next;
    config_free(&older);
    return same || error_set(error, ERROR_USAGE, "%s: it is about other files", path);
}

bool plan_load(struct plan *plan, const char *path, const char *description, struct error *error) {
    return try_change(plan, read_same, path, description, error);
}

static const char *step_taken(struct plan *plan, const char *description) {
    if (description != NULL && plan_fits_table(plan))
        resolve(plan, NULL);
    plan->modified = !history_is_saved(plan->history);
    return description;
}

const char *plan_undo(struct plan *plan) {
    return step_taken(plan, history_undo(plan->history, &plan->config));
}

const char *plan_redo(struct plan *plan) {
    return step_taken(plan, history_redo(plan->history, &plan->config));
}

size_t plan_step_count(const struct plan *plan) {
    return history_count(plan->history);
}

size_t plan_position(const struct plan *plan) {
    return history_position(plan->history);
}

const char *plan_step_text(const struct plan *plan, size_t step) {
    return history_text(plan->history, step);
}

size_t plan_ticket(struct plan *plan) {
    return history_ticket(plan->history);
}

void plan_note(struct plan *plan, size_t ticket, const char *text) {
    history_note(plan->history, ticket, text);
}

const char *plan_note_at(const struct plan *plan, size_t position) {
    return history_note_at(plan->history, position);
}

void plan_jump(struct plan *plan, size_t position) {
    while (plan_position(plan) > position && plan_undo(plan) != NULL)
        ;
    while (plan_position(plan) < position && plan_redo(plan) != NULL)
        ;
}

void plan_mark_saved(struct plan *plan) {
    history_mark_saved(plan->history);
    plan->modified = false;
}
