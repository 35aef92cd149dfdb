/* A config as the assignments that lead to it. */
#include "analysis/support/digest.h"
#include "merge/config/config.h"
#include "merge/text.h"

#include <stdlib.h>
#include <string.h>

enum { DIGEST_SHOWN = 6 };

static void add(struct string_list *list, const char *key, const char *value) {
    char *text = memory_format("%s=%s", key, value);
    string_list_add(list, text);
    free(text);
}

static void add_rank(struct string_list *list, struct rank_rule rule) {
    char number[NUMBER_TEXT];
    char *key = memory_format("residual.rank.%s", rank_kind_name(rule.kind));
    add(list, key, rank_kind_has_value(rule.kind) ? number_text(rule.value, number) : "true");
    free(key);
}

static void add_weights(struct string_list *list, const struct config *config) {
    char number[NUMBER_TEXT];
    for (size_t i = 0; i < config->specialist_count; i++) {
        const struct config_specialist *one = &config->specialists[i];
        char *key = memory_format("specialists.%s.weight", one->name);
        add(list, key, number_text(one->weight, number));
        free(key);
    }
}

static void digest_text(struct digest *digest, const char *text) {
    digest_add(digest, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 1);
}

/* Two lists of overrides are told apart by the digest. */
static void add_overrides(struct string_list *list, const struct config *config) {
    char sha256[SHA256_TEXT], rule[FIELD_TEXT];
    struct digest *digest = digest_begin();
    for (size_t i = 0; i < config->override_count; i++) {
        digest_text(digest, config->overrides[i].layer);
        digest_text(digest, config->overrides[i].specialist);
        digest_text(digest, rank_rule_format(config->overrides[i].rule, rule, sizeof rule));
    }
    digest_end(digest, sha256);
    sha256[DIGEST_SHOWN] = '\0';
    char *text = config->override_count > 0
                     ? memory_format("%zu (%s)", config->override_count, sha256)
                     : memory_string("0");
    add(list, "overrides", text);
    free(text);
}

void config_assignments(const struct config *config, struct string_list *list) {
    char value[FIELD_TEXT];
    size_t count;
    const struct settings_field *fields = settings_fields(&count);
    for (size_t i = 0; i < count; i++)
        if (settings_field_applies(&config->settings, &fields[i]))
            add(list, fields[i].path,
                settings_field_text(&config->settings, &fields[i], value, sizeof value));
    add_weights(list, config);
    if (config->settings.method != METHOD_R2M)
        return;
    add_rank(list, config->rank);
    add_overrides(list, config);
}
