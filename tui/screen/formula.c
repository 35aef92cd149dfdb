/* The merge as a formula with the numbers of the plan as it stands. */
#include "merge/methods/method.h"
#include "tui/screen/app.h"

/* eta with the rule in force, and in numbers. */
static void draw_eta(const struct app *app, struct surface *surface, struct rect *rect,
                     unsigned style) {
    const struct preview *preview = app->preview;
    const char *times = theme_glyphs()->times;
    double alpha = app->plan->config.settings.alpha;
    char text[TEXT_ROOM];
    if (app->plan->config.settings.eta == ETA_ABSOLUTE) {
        snprintf(text, sizeof text, "eta = alpha = %.4g", preview->eta);
    } else if (app->plan->config.settings.eta == ETA_SCRIPT) {
        surface_paragraph(surface, rect, ELEMENT_TEXT, "eta = alpha |core|");
        snprintf(text, sizeof text, "    = %.3g %s %.4g = %.4g", alpha, times, preview->core_norm,
                 preview->eta);
    } else if (preview->nbar > 0) {
        surface_paragraph(surface, rect, ELEMENT_TEXT, "eta = alpha |core| / nbar");
        snprintf(text, sizeof text, "    = %.3g %s %.4g / %.4g = %.4g", alpha, times,
                 preview->core_norm, preview->nbar, preview->eta);
    } else {
        snprintf(text, sizeof text, "eta = 0: there are no residuals");
    }
    surface_paragraph(surface, rect, style, text);
}

/* Part, scale, norm and share of each specialist. */
static void draw_parts(const struct app *app, struct surface *surface, struct rect *rect) {
    char text[TEXT_ROOM], name[TEXT_ROOM], scale[32];
    bool layerwise = app->plan->config.settings.norm_match == NORM_MATCH_LAYER;
    if (app->plan->config.settings.method == METHOD_R2M)
        surface_paragraph(surface, rect, ELEMENT_TEXT, "residuals = sum of a s T(R)");
    surface_paragraph(surface, rect, ELEMENT_HEADER, "             a      s  |T(R)|  share");
    for (size_t i = 0; i < app->preview->specialist_count && rect->height > 0; i++) {
        size_t left = app->preview->specialist_count - i;
        if (rect->height == 1 && left > 1) {
            snprintf(text, sizeof text, "and %zu more: view 2", left);
            surface_paragraph(surface, rect, ELEMENT_QUIET, text);
            return;
        }
        const struct preview_specialist *one = &app->preview->specialists[i];
        snprintf(scale, sizeof scale, layerwise ? "layer" : "%.3f", one->scale);
        snprintf(text, sizeof text, "%-8s %.3f %6s %7.4g %5.1f%%",
                 text_shorten(app->table->specialists[i].name, 8, name), app->plan->shares[i],
                 scale, one->residual_norm, 100 * one->share_after);
        surface_text(surface, rect->row++, rect->col, rect->width, specialist_style(i), text);
        rect->height--;
    }
}

/* Another method: its formula, and what each specialist brings where that is known before it
 * runs. */
static void draw_method(const struct app *app, struct surface *surface, struct rect *rect) {
    const struct method_row *row = method_row(app->plan->config.settings.method);
    char text[TEXT_ROOM];
    snprintf(text, sizeof text, "%s: merged = base + %s", row->title, row->formula);
    surface_paragraph(surface, rect, ELEMENT_TEXT, text);
    surface_paragraph(surface, rect, ELEMENT_QUIET,
                      row->combine == NULL
                          ? "Below: a, the share of the weights; |T(R)|, what of a specialist is "
                            "added; its share of the change."
                          : "It has no numbers before it runs. Below, and in the other views, "
                            "stand the task vectors themselves.");
    if (app->preview->complete)
        draw_parts(app, surface, rect);
}

void formula_draw(const struct app *app, struct surface *surface, struct rect rest) {
    struct rect *rect = &rest;
    const struct preview *preview = app->preview;
    unsigned style =
        app_is_fresh(app) && app->before->eta != preview->eta ? ELEMENT_CHANGED : ELEMENT_TEXT;
    char text[TEXT_ROOM];
    if (rect->height < 2)
        return; /* a title alone says nothing */
    surface_paragraph(surface, rect, ELEMENT_HEADER, "Formula, in numbers");
    if (app->plan->config.settings.method != METHOD_R2M) {
        draw_method(app, surface, rect);
        return;
    }
    surface_paragraph(surface, rect, ELEMENT_TEXT, "merged = base + c core + eta residuals");
    if (!preview->complete) {
        surface_paragraph(surface, rect, ELEMENT_QUIET,
                          "Numbers follow when the spectra are there.");
        return;
    }
    snprintf(text, sizeof text, "c = core_scale = %.3g, |core| = %.4g",
             app->plan->config.settings.core_scale, preview->core_norm);
    surface_paragraph(surface, rect, ELEMENT_TEXT, text);
    draw_eta(app, surface, rect, style);
    snprintf(text, sizeof text, "|eta residuals| at most %.4g", preview->residual_term);
    surface_paragraph(surface, rect, style, text);
    draw_parts(app, surface, rect);
}
