#include "merge/sweep/vary.h"

#include <stdlib.h>
#include <string.h>

/* Number of combinations, at most limit. */
static uint64_t combinations(const struct vary_list *list, uint64_t limit) {
    uint64_t count = 1;
    for (size_t k = 0; k < list->count; k++) {
        uint64_t values = list->items[k].values.count;
        if (count > limit / values)
            return limit;
        count *= values;
    }
    return count;
}

/* The choices of one combination, the last key running fastest. */
static void unfold(const struct vary_list *list, uint64_t index, size_t *choices) {
    for (size_t k = list->count; k-- > 0;) {
        uint64_t values = list->items[k].values.count;
        choices[k] = (size_t)(index % values);
        index /= values;
    }
}

static void make_room(struct sweep_points *points, size_t count, size_t keys) {
    *points = (struct sweep_points){
        .count = count, .keys = keys, .choices = memory_array(count * keys, sizeof(size_t))};
}

bool sweep_points_grid(const struct vary_list *list, struct sweep_points *points,
                       struct error *error) {
    uint64_t count = combinations(list, SWEEP_POINT_LIMIT + 1);
    if (count > SWEEP_POINT_LIMIT) {
        error_set(error, ERROR_USAGE, "--vary: the grid has more than %d points",
                  SWEEP_POINT_LIMIT);
        error_hint(error, "--random N takes N of them");
        return false;
    }
    make_room(points, (size_t)count, list->count);
    for (size_t i = 0; i < count; i++)
        unfold(list, i, points->choices + i * list->count);
    return true;
}

/* Steele, Lea and Flood's SplitMix64: a well-mixed sequence from any seed. */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Evenly from 0 to below limit. */
static uint64_t draw(uint64_t *state, uint64_t limit) {
    uint64_t excess = (UINT64_MAX % limit + 1) % limit, value;
    do
        value = next_random(state);
    while (value > UINT64_MAX - excess);
    return value % limit;
}

static bool is_drawn(const uint64_t *drawn, size_t count, uint64_t value) {
    for (size_t i = 0; i < count; i++)
        if (drawn[i] == value)
            return true;
    return false;
}

/* Floyd's sampling: count different ones of all, each set equally likely; then shuffled. */
void sweep_points_random(const struct vary_list *list, size_t count, uint64_t seed,
                         struct sweep_points *points) {
    uint64_t all = combinations(list, UINT64_MAX / 2), state = seed;
    if (count > all)
        count = (size_t)all;
    uint64_t *drawn = memory_array(count, sizeof *drawn);
    for (size_t i = 0; i < count; i++) {
        uint64_t last = all - count + i, value = draw(&state, last + 1);
        drawn[i] = is_drawn(drawn, i, value) ? last : value;
    }
    for (size_t i = count; i-- > 1;) {
        size_t other = (size_t)draw(&state, i + 1);
        uint64_t swapped = drawn[i];
        drawn[i] = drawn[other];
        drawn[other] = swapped;
    }
    make_room(points, count, list->count);
    for (size_t i = 0; i < count; i++)
        unfold(list, drawn[i], points->choices + i * list->count);
    free(drawn);
}

void sweep_points_free(struct sweep_points *points) {
    free(points->choices);
    *points = (struct sweep_points){0};
}
