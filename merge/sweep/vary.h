/* The settings that a sweep varies, and the points that follow from them.
 *
 * A spec is KEY=VALUE,VALUE,... or KEY=LO:HI:STEP (both may be mixed), KEY as config_set knows it:
 * any setting, residual.rank (rules as a person types them), residual.rank.RULE,
 * specialists.NAME.weight. Values are kept as texts that config_set takes. */
#ifndef R2M_MERGE_SWEEP_VARY_H
#define R2M_MERGE_SWEEP_VARY_H

#include "merge/config/config.h"

enum { SWEEP_POINT_LIMIT = 100000, SWEEP_KEY_LIMIT = 16 };

struct vary {
    char *key;
    struct string_list values; /* in their order; none twice */
};

struct vary_list {
    struct vary *items;
    size_t count;
};

/* Reads the spec and tries every value on a copy of config. ERROR_USAGE names the spec: an unknown
 * field (with the nearest name), an empty or endless range, a value of a wrong type or out of
 * range, a field that cannot be swept or is varied already. */
bool vary_add(struct vary_list *list, const char *spec, const struct config *config,
              struct error *error);
void vary_free(struct vary_list *list);

/* One value for every varied key, by index. */
struct sweep_points {
    size_t count, keys;
    size_t *choices; /* [count x keys] */
};

/* All combinations; the last key runs fastest. ERROR_USAGE beyond SWEEP_POINT_LIMIT. */
bool sweep_points_grid(const struct vary_list *list, struct sweep_points *points,
                       struct error *error);

/* So many different combinations, drawn evenly from all of them (all, where there are no more), in
 * the order of the draw. The same seed gives the same points on every machine. */
void sweep_points_random(const struct vary_list *list, size_t count, uint64_t seed,
                         struct sweep_points *points);
void sweep_points_free(struct sweep_points *points);

/* Sets the point's values in config. */
bool sweep_point_apply(const struct vary_list *list, const size_t *choices, struct config *config,
                       struct error *error);

#endif
