#include "merge/findings_parts.h"

#include <stdlib.h>
#include <string.h>

static const struct remedy uncentre = {"real.center=false",
                                       "the core is no longer what differs from the mean"};
static const struct remedy equal_parts = {"real.normalize=true",
                                          "all task vectors count alike in the core"};
static const struct remedy equal_norms = {"norm_match=global", "all residuals get the same norm"};

void findings_add(struct finding_list *list, const struct remedy *remedy, char *what, char *text,
                  char *advice) {
    list->items = memory_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = (struct finding){what, text, advice, remedy};
}

static void find_vanished_core(const struct findings_source *of, struct finding_list *list) {
    const struct real_core *core = of->analysis->core;
    bool centred = core->settings.center;
    if (core->n < 2 || !real_core_vanishes(core))
        return;
    findings_add(
        list, centred ? &uncentre : NULL, memory_string("The Real core has collapsed"),
        memory_format("Its norm is %.2g of the mean task vector's: almost nothing counts as "
                      "shared, and the merge is the base with residuals.",
                      core->core_mean_ratio),
        memory_string(centred ? "With real.center the core is what differs from the mean, which "
                                "specialists of equal size nearly cancel. Take the uncentred core."
                              : "The task vectors point different ways. See whether all were "
                                "fine-tuned from this base, or raise real.rank."));
}

static void find_owned_core(const struct findings_source *of, struct finding_list *list) {
    const struct real_core *core = of->analysis->core;
    bool scaled = core->settings.normalize;
    size_t owner = real_core_owner(core);
    if (owner == core->n)
        return;
    findings_add(list, scaled ? NULL : &equal_parts,
                 memory_format("The Real core is mostly %s", of->table->specialists[owner].name),
                 memory_format("%.0f %% of it. What counts as shared is hardly shared.",
                               100 * core->parts[owner]),
                 memory_string(scaled ? "Raise real.rank, or lower its weight in the residuals."
                                      : "Scale the task vectors to one norm before the core is "
                                        "formed, or raise real.rank."));
}

static void find_clamped_rank(const struct findings_source *of, struct finding_list *list) {
    unsigned asked = of->analysis->settings.rank, used = of->analysis->core->settings.rank;
    if (used >= asked)
        return;
    findings_add(list, NULL, memory_string("The Real subspace is smaller than asked for"),
                 memory_format("real.rank is %u, the task vectors have %u independent "
                               "direction%s: %u used.",
                               asked, used, used == 1 ? "" : "s", used),
                 memory_string(used == 0 ? "Every specialist equals the base: see whether the "
                                           "right files are given."
                                         : "Lower real.rank, or see whether two specialists are "
                                           "the same file."));
}

static void find_dominating(const struct findings_source *of, struct finding_list *list) {
    bool matched = of->plan->effective.norm_match != NORM_MATCH_NONE;
    for (size_t i = 0; i < of->table->specialist_count; i++) {
        const struct preview_specialist *one = &of->preview->specialists[i];
        if (!preview_dominates(of->preview, i))
            continue;
        findings_add(list, matched ? NULL : &equal_norms,
                     memory_format("%s dominates the residuals", of->table->specialists[i].name),
                     memory_format("%.0f %% of the residual energy is its own before norm "
                                   "matching, %.0f %% after.",
                                   100 * one->share_before, 100 * one->share_after),
                     memory_string(matched ? "Norm matching holds it down: keep it on, or lower "
                                             "its rank."
                                           : "Match the norms, or lower its rank."));
    }
}

static void find_vanished_residuals(const struct findings_source *of, struct finding_list *list) {
    for (size_t i = 0; i < of->table->specialist_count; i++)
        if (of->preview->specialists[i].vanished)
            findings_add(
                list, NULL, memory_format("%s has no residual", of->table->specialists[i].name),
                memory_string("What the rank keeps of it is no more than rounding: it adds "
                              "nothing to the residual term."),
                memory_string("Raise its rank, or leave it out if the core says all of "
                              "it."));
}

/* The gravest first: whether the method must have a core and match norms, whether all spectra must
 * be there, whether its remedy is one that nobody would not want. */
static const struct {
    find *find;
    bool of_r2m, of_spectra, mends;
} searches[] = {
    {find_vanished_core, true, false, true},  {find_owned_core, true, false, true},
    {find_clamped_rank, true, false, false},  {find_dominating, true, true, true},
    {find_uneven_layers, true, true, true},   {find_vanished_residuals, true, true, false},
    {find_cut_signal, true, true, false},     {find_kept_noise, true, true, false},
    {find_dropped_layers, true, true, false}, {find_unchanged, false, false, false},
};

/* Everything, or only what a key may mend. */
static struct finding_list search(const struct findings_source *of, bool only_mended) {
    bool is_r2m = of->plan->config.settings.method == METHOD_R2M;
    struct finding_list list = {0};
    for (size_t s = 0; of->analysis->core != NULL && s < sizeof searches / sizeof *searches; s++)
        if ((is_r2m || !searches[s].of_r2m) && (of->preview->complete || !searches[s].of_spectra) &&
            (searches[s].mends || !only_mended))
            searches[s].find(of, &list);
    return list;
}

struct finding_list findings_make(const struct plan *plan, const struct analysis *analysis,
                                  const struct preview *preview) {
    const struct findings_source of = {plan, analysis, preview, plan->table};
    return search(&of, false);
}

void findings_free(struct finding_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].what);
        free(list->items[i].text);
        free(list->items[i].advice);
    }
    free(list->items);
    *list = (struct finding_list){0};
}

const struct remedy *findings_remedy(const struct plan *plan, const struct analysis *analysis,
                                     const struct preview *preview) {
    const struct findings_source of = {plan, analysis, preview, plan->table};
    struct finding_list list = search(&of, true);
    const struct remedy *remedy = NULL;
    for (size_t i = 0; i < list.count && remedy == NULL; i++)
        remedy = list.items[i].remedy;
    findings_free(&list);
    return remedy;
}
