/* Which layers the table lists: words that must fit, or must not. */
#include "tui/screen/complete.h"
#include "tui/screen/layers.h"

#include <string.h>

static const char role_word[] = "role:", kind_word[] = "kind:";

static bool starts(const char *text, const char *prefix) {
    return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

static bool word_fits(const struct layer *layer, const char *word) {
    char kind[TEXT_ROOM];
    layer_kind(layer->name, kind);
    if (starts(word, role_word))
        return starts(role_name(layer->role), word + strlen(role_word));
    if (starts(word, kind_word))
        return strcasecmp(kind, word + strlen(kind_word)) == 0;
    return strcasestr(layer->name, word) != NULL;
}

bool layer_fits(const struct layer *layer, const char *filter) {
    char words[TEXT_ROOM], *rest = words;
    bool fits = true;
    snprintf(words, sizeof words, "%s", filter);
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        bool negated = word[0] == '!';
        word += negated;
        fits &= word[0] == '\0' || word_fits(layer, word) != negated;
    }
    return fits;
}

bool layer_is_listed(const struct layer *layer, bool vectors, const char *filter) {
    bool asked = filter != NULL && strcasestr(filter, role_word) != NULL;
    bool listed = layer->role == ROLE_MATRIX || (layer->role == ROLE_VECTOR && (vectors || asked));
    return listed && (filter == NULL || layer_fits(layer, filter));
}

static void offer(struct completion *completion, const char *prefix, const char *value) {
    char whole[2 * TEXT_ROOM];
    snprintf(whole, sizeof whole, "%s%s", prefix, value);
    complete_offer(completion, whole);
}

void layers_filter_complete(struct app *app, char text[PROMPT_ROOM]) {
    char *space = strrchr(text, ' '), *word = space != NULL ? space + 1 : text;
    const struct layers_view *view = app->states[VIEW_LAYERS];
    char kind[TEXT_ROOM];
    bool vectors = view->vectors || strcasestr(text, role_word) != NULL;
    word += word[0] == '!';
    struct completion completion = complete_begin(word);
    offer(&completion, role_word, role_name(ROLE_MATRIX));
    offer(&completion, role_word, role_name(ROLE_VECTOR));
    for (size_t l = 0; l < app->table->layer_count; l++) {
        layer_kind(app->table->layers[l].name, kind);
        if (layer_is_listed(&app->table->layers[l], vectors, NULL))
            offer(&completion, kind_word, kind);
    }
    complete_end(&completion, app, word, PROMPT_ROOM - (size_t)(word - text));
}
