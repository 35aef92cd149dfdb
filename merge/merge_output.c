#include "merge/merge_output.h"

#include "analysis/support/ranks.h"
#include "merge/config/config_parts.h"
#include "merge/text.h"
#include "merge/version.h"

#include <stdlib.h>
#include <string.h>

enum { METADATA_COUNT = 3 };

/* The config as the output carries it: files by name only. So the same inputs give the same bytes
 * wherever they lie, and a published file tells nothing about the machine. */
static char *config_of_output(const struct plan *plan) {
    struct config config;
    config_copy(&config, &plan->config);
    config_forget_eval(&config); /* which is no part of what is merged */
    char **paths[SPECIALIST_LIMIT + 1] = {&config.base};
    for (size_t i = 0; i < config.specialist_count; i++)
        paths[i + 1] = &config.specialists[i].path;
    for (size_t i = 0; i <= config.specialist_count; i++) {
        const char *name = path_file_name(*paths[i]);
        char *quoted = error_quote(name, strlen(name));
        free(*paths[i]);
        *paths[i] = quoted;
    }
    char *text = config_text(&config, NULL);
    config_free(&config);
    return text;
}

bool merge_is_input(const struct plan *plan, const char *path) {
    const struct tensor_table *table = plan->table;
    bool same = checkpoint_is_made_of(table->base, path);
    for (size_t i = 0; i < table->specialist_count; i++)
        same = same || checkpoint_is_made_of(table->specialists[i].checkpoint, path);
    return same;
}

bool merge_check_output(const struct plan *plan, const char *path, struct error *error) {
    if (!writer_is_named(path))
        return error_set(error, ERROR_USAGE,
                         "%s: the name must end in .safetensors, .pth, .pt or .bin, or in / for a "
                         "model folder",
                         path);
    if (plan->config.settings.shard_bytes != 0 && !writer_is_folder(path))
        return error_set(error, ERROR_USAGE,
                         "%s: with output.shard_bytes the output is a folder; its name must end "
                         "in /",
                         path);
    if (merge_is_input(plan, path))
        return error_set(error, ERROR_USAGE, "%s: is one of the inputs%s; choose another name",
                         path, writer_is_folder(path) ? ", or holds one" : "");
    return true;
}

struct string_list merge_notes(const struct plan *plan, const char *path) {
    struct output_layout layout = {0};
    struct error error = {0};
    struct string_list notes = {0};
    if (output_layout_make(plan->table, &plan->config.settings, path, &layout, &error))
        string_list_copy(&notes, &layout.notes);
    output_layout_free(&layout);
    error_free(&error);
    return notes;
}

void merge_digest(const struct plan *plan, char sha256[SHA256_TEXT]) {
    char *config = config_of_output(plan);
    struct digest *digest = digest_begin();
    digest_add(digest, config, strlen(config));
    for (size_t file = 0; file <= plan->table->specialist_count; file++) {
        char content[SHA256_TEXT];
        checkpoint_fingerprint(tensor_table_file(plan->table, file), content);
        digest_add(digest, content, sizeof content);
    }
    digest_end(digest, sha256);
    free(config);
}

/* A digest of all that the tensors are made of: program, config, inputs. Gram matrices tell of
 * every element of a task vector, where merge_digest has a sample. */
static void make_key(const struct plan *plan, const struct analysis *analysis,
                     char key[SHA256_TEXT]) {
    size_t n = plan->table->specialist_count;
    struct digest *digest = digest_begin();
    merge_digest(plan, key);
    digest_add(digest, key, SHA256_TEXT);
    digest_add(digest, R2M_VERSION, sizeof R2M_VERSION);
    digest_add(digest, analysis->gram, plan->table->layer_count * n * n * sizeof *analysis->gram);
    digest_end(digest, key);
}

/* What this rank does for it. */
static bool begin(const struct plan *plan, const struct analysis *analysis,
                  const struct merge_output *output, const struct output_layout *layout,
                  struct writer **writer, struct error *error) {
    char *text = config_of_output(plan), key[SHA256_TEXT];
    char *beside_base = path_folder(checkpoint_path(plan->table->base));
    const struct metadata_entry metadata[METADATA_COUNT] = {
        {"format", "pt"}, {"r2m.config", text}, {"r2m.version", R2M_VERSION}};
    struct writer_content content = {.specs = layout->specs,
                                     .count = layout->count,
                                     .metadata = metadata,
                                     .metadata_count = METADATA_COUNT,
                                     .resume = output->resume,
                                     .member = ranks_own()};
    if (output->lasting) {
        make_key(plan, analysis, key);
        content.key = key;
    }
    content.modules =
        checkpoint_modules(tensor_table_file(plan->table, layout->file), &content.module_count);
    bool good = writer_is_folder(output->path)
                    ? writer_begin_folder(output->path, &content, plan->config.settings.shard_bytes,
                                          beside_base, output->overwrite, writer, error)
                    : writer_begin(output->path, &content, output->overwrite, writer, error);
    free(beside_base);
    free(text);
    return good;
}

size_t merge_output_owner(const struct tensor_table *table, const struct output_layout *layout,
                          size_t index) {
    return table->layers[layout->parts[layout->first_part[index]].layer].owner;
}

bool merge_output_begin(const struct plan *plan, const struct analysis *analysis,
                        const struct merge_output *output, const struct output_layout *layout,
                        struct writer **writer, struct error *error) {
    bool first = ranks_own() == 0, good = true;
    *writer = NULL;
    if (first)
        good = begin(plan, analysis, output, layout, writer, error);
    if (!ranks_agree(good, error))
        return false;
    if (!first)
        good = begin(plan, analysis, output, layout, writer, error);
    return ranks_agree(good, error);
}

/* Every tensor's checksum from the rank that wrote it; free() it. */
static double *gather_checksums(const struct tensor_table *table,
                                const struct output_layout *layout, const struct writer *writer) {
    size_t count = layout->count, own = ranks_own();
    double *checksums = memory_array(count, sizeof *checksums); /* 32 bits each: exact */
    size_t *owners = memory_array(count, sizeof *owners);
    size_t *first = memory_array(count + 1, sizeof *first);
    for (size_t t = 0; t < count; t++) {
        owners[t] = merge_output_owner(table, layout, t);
        first[t + 1] = t + 1;
        if (owners[t] == own)
            checksums[t] = writer_checksum(writer, t);
    }
    ranks_gather(checksums, first, count, owners);
    free(first);
    free(owners);
    return checksums;
}

/* The first rank looks at what the others wrote. */
static bool take_others(const struct tensor_table *table, const struct output_layout *layout,
                        struct writer *writer, struct error *error) {
    double *checksums = gather_checksums(table, layout, writer);
    bool good = true;
    for (size_t t = 0; t < layout->count && good && ranks_own() == 0; t++)
        good = merge_output_owner(table, layout, t) == 0 ||
               writer_take(writer, t, (uint32_t)checksums[t], error);
    free(checksums);
    return good;
}

bool merge_output_end(const struct tensor_table *table, const struct output_layout *layout,
                      struct writer *writer, bool good, char sha256[SHA256_TEXT],
                      struct error *error) {
    bool several = ranks_count() > 1, first = ranks_own() == 0;
    good = ranks_agree(good && (!several || writer_sync(writer, error)), error) &&
           (!several || ranks_agree(take_others(table, layout, writer, error), error));
    if (good && first) {
        good = writer_commit(writer, sha256, error);
        writer = NULL;
        return ranks_agree(good, error);
    }
    good = good && ranks_agree(true, error);
    (error->kind == ERROR_CANCELLED ? writer_leave : writer_cancel)(writer);
    return good;
}
