/* A sweep as a chart: the metric against what was varied.
 *
 * One or two settings of numbers: a curve against the one with more values, a curve for each value
 * of the other, a line at the best; beyond eight curves a map. Words: bars, told with their values.
 * Of further settings the best is taken. A search by layers: the metric of every trial and the best
 * so far. Points that failed are counted below the title; where no other one has the same place, a
 * cross is there and the line is broken. */
#ifndef R2M_RENDER_FIGURES_SWEEP_CHART_H
#define R2M_RENDER_FIGURES_SWEEP_CHART_H

#include "merge/sweep/results.h"
#include "render/chart.h"

/* goal: its metric is set. */
struct chart *figure_sweep(const struct sweep_results *results, const struct sweep_goal *goal);

#endif
