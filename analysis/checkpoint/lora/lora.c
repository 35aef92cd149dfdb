#include "analysis/checkpoint/lora/lora.h"

#include "analysis/checkpoint/lora/adapter_config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const adapter_file_names[] = {"adapter_model.safetensors", "adapter_model.bin", NULL};

static bool is_file(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

/* The name of a file beside another one; free() it. */
static char *beside(const char *path, const char *name) {
    const char *slash = strrchr(path, '/');
    int folder = slash != NULL ? (int)(slash + 1 - path) : 0;
    return memory_format("%.*s%s", folder, path, name);
}

/* The weights beside a config, or NULL; free() it. */
static char *find_weights(const char *config) {
    for (const char *const *name = adapter_file_names; *name != NULL; name++) {
        char *path = beside(config, *name);
        if (is_file(path))
            return path;
        free(path);
    }
    return NULL;
}

static bool is_weights(const char *path) {
    const char *slash = strrchr(path, '/'), *file = slash != NULL ? slash + 1 : path;
    const char *const *name = adapter_file_names;
    while (*name != NULL && strcmp(*name, file) != 0)
        name++;
    return *name != NULL;
}

char *lora_config_of(const char *path) {
    struct stat status;
    bool folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    if (!folder && !is_weights(path))
        return NULL;
    char *config = folder ? memory_format("%s%s" ADAPTER_CONFIG, path,
                                          path[strlen(path) - 1] == '/' ? "" : "/")
                          : beside(path, ADAPTER_CONFIG);
    char *weights = find_weights(config);
    bool complete = weights != NULL && is_file(config);
    free(weights);
    if (complete)
        return config;
    free(config);
    return NULL;
}

/* Opens the weights beside the config; the checkpoint owns them. */
static struct checkpoint *open_weights(struct checkpoint *checkpoint, struct error *error) {
    struct checkpoint *weights = NULL;
    char *path = find_weights(checkpoint->path);
    if (path == NULL) {
        checkpoint_fail(checkpoint, error, "no %s and no %s beside it", adapter_file_names[0],
                        adapter_file_names[1]);
        return NULL;
    }
    if (checkpoint_open_shard(path, &weights, error)) {
        checkpoint->shards = memory_array(1, sizeof(struct checkpoint *));
        checkpoint->shards[checkpoint->shard_count++] = weights;
    }
    free(path);
    return weights;
}

/* Its tensors and all that is known of them. */
static void take_tensors(struct checkpoint *checkpoint, const struct checkpoint *weights) {
    size_t count = weights->count;
    checkpoint->tensors = memory_array(count, sizeof *checkpoint->tensors);
    checkpoint->count = count;
    if (count > 0)
        memcpy(checkpoint->tensors, weights->tensors, count * sizeof *checkpoint->tensors);
    name_index_build(&checkpoint->index, checkpoint->tensors, count);
    if (weights->tied != NULL) {
        checkpoint->tied = memory_array(count, sizeof *checkpoint->tied);
        memcpy(checkpoint->tied, weights->tied, count * sizeof *checkpoint->tied);
    }
    checkpoint_take_remarks(checkpoint, weights);
}

static bool open_lora(struct checkpoint *checkpoint, struct error *error) {
    struct adapter_config config = {0};
    bool good = false;
    if (checkpoint->is_shard) {
        checkpoint_fail(checkpoint, error, "is the config of an adapter, and no shard");
        goto done;
    }
    if (!adapter_config_read(checkpoint, &config, error))
        goto done;
    const struct checkpoint *weights = open_weights(checkpoint, error);
    if (weights == NULL)
        goto done;
    take_tensors(checkpoint, weights);
    good = lora_take_weights(checkpoint, &config, error);
done:
    adapter_config_free(&config);
    return good;
}

static const char *const endings[] = {ADAPTER_CONFIG, NULL};

const struct format lora_format = {"lora", endings, adapter_config_recognise, open_lora};
