#include "analysis/prefix_vote.h"

#include <stdlib.h>
#include <string.h>

enum {
    DEPTH_LIMIT = 12,     /* parts that a prefix may have */
    TWIN_LIMIT = 8,       /* a part with more owners in the base tells nothing */
    CANDIDATE_LIMIT = 16, /* pairs with most votes that are counted out */
    SHOWN = 3             /* in an error */
};

/* A name of the base without its first parts. */
struct suffix {
    const char *text;
    size_t length;
    const struct alias *owner;
};

struct suffixes {
    struct suffix *items; /* sorted */
    size_t count;
};

struct vote {
    const char *from, *to; /* starts of names */
    size_t from_length, to_length;
    size_t count; /* equal votes, once they are summed up */
};

static int compare_suffixes(const void *one, const void *other) {
    const struct suffix *a = one, *b = other;
    return names_compare(a->text, a->length, b->text, b->length);
}

static struct suffixes suffixes_of(const struct names *base) {
    struct suffixes all = {memory_array(base->count * DEPTH_LIMIT, sizeof *all.items), 0};
    for (size_t i = 0; i < base->count; i++) {
        const struct alias *alias = &base->items[i];
        size_t at = 0;
        for (size_t part = 0; part < DEPTH_LIMIT && at < alias->length; part++) {
            all.items[all.count++] = (struct suffix){alias->name + at, alias->length - at, alias};
            at = name_next_part(alias, at);
        }
    }
    qsort(all.items, all.count, sizeof *all.items, compare_suffixes);
    return all;
}

/* Index of the first suffix that is not before the text. */
static size_t suffixes_find(const struct suffixes *all, const char *text, size_t length) {
    size_t low = 0, high = all->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct suffix *suffix = &all->items[middle];
        if (names_compare(suffix->text, suffix->length, text, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Votes of one name, as many as the longest part it shares with the base has owners there. */
static size_t votes_of_name(const struct suffixes *all, const struct alias *alias,
                            struct vote *votes) {
    size_t at = 0;
    for (size_t part = 0; part < DEPTH_LIMIT && at < alias->length; part++) {
        const char *text = alias->name + at;
        size_t length = alias->length - at, first = suffixes_find(all, text, length), count = 0;
        for (size_t i = first; i < all->count && count <= TWIN_LIMIT; i++, count++) {
            const struct suffix *suffix = &all->items[i];
            if (names_compare(suffix->text, suffix->length, text, length) != 0)
                break;
            if (count < TWIN_LIMIT)
                votes[count] = (struct vote){alias->name, suffix->owner->name, at,
                                             suffix->owner->length - length, 1};
        }
        if (count > 0)
            return count <= TWIN_LIMIT ? count : 0;
        at = name_next_part(alias, at);
    }
    return 0;
}

static int compare_pairs(const void *one, const void *other) {
    const struct vote *a = one, *b = other;
    int order = names_compare(a->from, a->from_length, b->from, b->from_length);
    return order != 0 ? order : names_compare(a->to, a->to_length, b->to, b->to_length);
}

/* Most votes first; of equal ones the same order in every run. */
static int compare_counts(const void *one, const void *other) {
    const struct vote *a = one, *b = other;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return compare_pairs(one, other);
}

/* Equal votes become one with their count; returns how many are left, most votes first. */
static size_t sum_votes(struct vote *votes, size_t count) {
    size_t sums = 0;
    qsort(votes, count, sizeof *votes, compare_pairs);
    for (size_t i = 0; i < count; i++)
        if (sums > 0 && compare_pairs(&votes[sums - 1], &votes[i]) == 0)
            votes[sums - 1].count++;
        else
            votes[sums++] = votes[i];
    qsort(votes, sums, sizeof *votes, compare_counts);
    return sums;
}

/* The better one first; names as they are before others as good. */
static int compare_candidates(const void *one, const void *other) {
    const struct prefix_pair *a = one, *b = other;
    if (a->same != b->same)
        return a->same > b->same ? -1 : 1;
    if (a->named != b->named)
        return a->named > b->named ? -1 : 1;
    if (prefix_is_identity(a) != prefix_is_identity(b))
        return prefix_is_identity(a) ? -1 : 1;
    int order = names_compare(a->from, a->from_length, b->from, b->from_length);
    return order != 0 ? order : names_compare(a->to, a->to_length, b->to, b->to_length);
}

struct candidates {
    struct prefix_pair items[CANDIDATE_LIMIT + 1];
    size_t count;
};

static void add_candidate(struct candidates *all, const struct vote *vote) {
    all->items[all->count++] = (struct prefix_pair){
        .from = memory_text(vote->from, vote->from_length),
        .to = memory_text(vote->to, vote->to_length),
        .from_length = vote->from_length,
        .to_length = vote->to_length,
    };
}

/* Names as they are and what the vote put forward, counted out, the best first. */
static void find_candidates(const struct names *base, const struct names *specialist,
                            struct candidates *all) {
    struct suffixes suffixes = suffixes_of(base);
    struct vote *votes = memory_array(specialist->count * TWIN_LIMIT, sizeof *votes);
    size_t count = 0;
    for (size_t i = 0; i < specialist->count; i++)
        count += votes_of_name(&suffixes, &specialist->items[i], votes + count);
    count = sum_votes(votes, count);
    add_candidate(all, &(struct vote){.from = "", .to = ""});
    for (size_t i = 0; i < count && i < CANDIDATE_LIMIT; i++)
        if (votes[i].from_length > 0 || votes[i].to_length > 0)
            add_candidate(all, &votes[i]);
    prefix_count(base, specialist, all->items, all->count);
    qsort(all->items, all->count, sizeof *all->items, compare_candidates);
    free(suffixes.items);
    free(votes);
}

/* A pair of prefixes has to line up half of the smaller file; names as they are, anything. */
static bool is_enough(const struct prefix_pair *pair, size_t smaller) {
    return 2 * pair->named >= smaller || (prefix_is_identity(pair) && pair->named > 0);
}

/* A candidate that gives more names a partner than the best one by shape, or NULL. */
static const struct prefix_pair *better_by_name(const struct candidates *all, size_t smaller) {
    const struct prefix_pair *better = NULL;
    for (size_t i = 1; i < all->count; i++) {
        const struct prefix_pair *pair = &all->items[i];
        if (pair->named > (better != NULL ? better : &all->items[0])->named &&
            is_enough(pair, smaller))
            better = pair;
    }
    return better;
}

/* "backbone." for the base's "vision_model." (391 match). */
static char *candidate_text(const struct prefix_pair *pair) {
    char *from = error_quote(pair->from, pair->from_length);
    char *to = error_quote(pair->to, pair->to_length);
    char *names = prefix_is_identity(pair)
                      ? memory_string("names as they are")
                      : memory_format("\"%s\" for the base's \"%s\"", from, to);
    size_t differ = pair->named - pair->same;
    char *text = differ == 0 ? memory_format("%s (%zu match)", names, pair->same)
                             : memory_format("%s (%zu match, %zu more by name with another shape)",
                                             names, pair->same, differ);
    free(from);
    free(to);
    free(names);
    return text;
}

static void complain(const struct candidates *all, const char *path, const char *what,
                     struct error *error) {
    char *list = memory_string("");
    size_t shown = 0;
    for (size_t i = 0; i < all->count && shown < SHOWN; i++) {
        if (all->items[i].named == 0)
            continue;
        char *text = candidate_text(&all->items[i]);
        char *longer = memory_format("%s%s%s", list, shown++ > 0 ? "; " : "", text);
        free(text);
        free(list);
        list = longer;
    }
    error_add(error, ERROR_INPUT, "%s: %s%s%s", path, what, shown > 0 ? ": " : "", list);
    free(list);
}

/* How to choose the candidate by hand. */
static void hint_at(const struct prefix_pair *pair, struct error *error) {
    char *from = error_quote(pair->from, pair->from_length);
    char *to = error_quote(pair->to, pair->to_length);
    if (pair->from_length == 0)
        error_hint(error, "--strip-prefix %s would choose the first", to);
    else
        error_hint(error, "--rename %s=%s would choose the first", from, to);
    free(from);
    free(to);
}

/* Whether the best candidate can be trusted. */
static bool check(const struct candidates *all, size_t smaller, const char *path,
                  struct error *error) {
    const struct prefix_pair *best = &all->items[0], *next = &all->items[1];
    const struct prefix_pair *by_name = better_by_name(all, smaller);
    if (best->same == 0 && !prefix_is_identity(best)) {
        complain(all, path, "no tensor in common with the base, whatever prefix is taken off",
                 error);
        return false;
    }
    if (!is_enough(best, smaller)) {
        complain(all, path, "its names do not line up with the base's", error);
        return false;
    }
    if (by_name != NULL) {
        struct candidates two = {{*by_name, *best}, 2};
        complain(&two, path, "its names line up where its shapes do not (is it the right base?)",
                 error);
        return false;
    }
    if (all->count > 1 && !prefix_is_identity(best) && next->same == best->same &&
        next->named == best->named) {
        complain(all, path, "its names line up with the base's in several ways", error);
        hint_at(best, error);
        return false;
    }
    return true;
}

bool prefix_vote(const struct names *base, const struct names *specialist, const char *path,
                 struct prefix_pair *winner, struct error *error) {
    struct candidates all = {.count = 0};
    size_t smaller = base->count < specialist->count ? base->count : specialist->count;
    find_candidates(base, specialist, &all);
    bool good = check(&all, smaller, path, error);
    for (size_t i = good ? 1 : 0; i < all.count; i++)
        prefix_pair_free(&all.items[i]);
    *winner = good ? all.items[0] : (struct prefix_pair){0};
    return good;
}
