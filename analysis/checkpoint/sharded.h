/* Checkpoints in several files, as Hugging Face folders hold them (formats.md A5): an index that
 * tells for every tensor which file, a shard, holds it.
 *
 *     {"metadata": {"total_size": 12}, "weight_map": {"a": "model-00001-of-00002.safetensors",
 * ...}}
 *
 * Every shard is a checkpoint of its own and stays mapped, without a file descriptor. Errors: what
 * is not strict JSON, a tensor listed twice, a shard that is missing, broken, another index or not
 * a plain file name beside the index, a tensor that its shard lacks. Warnings: a total_size that is
 * wrong, tensors that the shards hold and the index does not list. */
#ifndef R2M_ANALYSIS_CHECKPOINT_SHARDED_H
#define R2M_ANALYSIS_CHECKPOINT_SHARDED_H

#include "analysis/checkpoint/format.h"

extern const struct format sharded_format;

/* The names of whole models in one file, of indexes and of an adapter's config, as weights lie in a
 * folder; the first that is there is meant. Then NULL. */
extern const char *const model_file_names[];

/* The file to open for path: path itself or, of a folder, the file of weights in it; of a folder
 * without one, path. free() it. */
char *model_file(const char *path);

#endif
