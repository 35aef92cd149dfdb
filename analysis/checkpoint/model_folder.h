/* A folder of several files that appears complete or not at all: made under a temporary name beside
 * its place, renamed at the end. Private to the room. As with atomic_file.h, it may have a lasting
 * name, so that it can be gone on with after an interruption.
 *
 * A folder that is there already and not empty is replaced only if overwrite is true and it holds a
 * model.safetensors or its index; its weights go, all its other files move into the new one. */
#ifndef R2M_ANALYSIS_CHECKPOINT_MODEL_FOLDER_H
#define R2M_ANALYSIS_CHECKPOINT_MODEL_FOLDER_H

#include "analysis/support/error.h"

#include <stdbool.h>

#define MODEL_FILE "model.safetensors"
#define MODEL_INDEX "model.safetensors.index.json"
#define MODEL_SHARD "model-%05zu-of-%05zu.safetensors"

struct model_folder {
    char *path;      /* without slashes at its end; where it is a link, the folder it leads to */
    char *temporary; /* PATH.XXXXXX.r2m-part or PATH.r2m-part; NULL when there is none any more */
    bool overwrite;
};

/* Whether path could be such a folder now; ERROR_INPUT says why not. */
bool model_folder_check(const char *path, bool overwrite, struct error *error);

/* Makes the temporary folder. On failure nothing is left and folder is released. */
bool model_folder_begin(struct model_folder *folder, const char *path, bool overwrite,
                        struct error *error);

/* The same under the lasting name. Of a folder that is there, files of weights that were finished
 * get their lasting names back (atomic_file.h), and all others go. */
bool model_folder_continue(struct model_folder *folder, const char *path, bool overwrite,
                           struct error *error);

/* The same for one that another process has begun in this way: nothing is made or changed. */
bool model_folder_join(struct model_folder *folder, const char *path, bool overwrite,
                       struct error *error);

/* Path of a file in the temporary folder; free() it. */
char *model_folder_file(const struct model_folder *folder, const char *name);

/* Copies what belongs to a model beside its weights (config.json, the preprocessor, the tokenizer:
 * small files of such kinds) from source, if that is a model folder, that is, holds config.json. */
bool model_folder_copy(const struct model_folder *folder, const char *source, struct error *error);

/* Gives the folder its name. Releases it in every case; on failure nothing is left. */
bool model_folder_commit(struct model_folder *folder, struct error *error);

/* Removes the temporary folder with its files and releases; a zeroed struct is accepted. */
void model_folder_cancel(struct model_folder *folder);

/* Releases without removing anything; a zeroed struct is accepted. */
void model_folder_leave(struct model_folder *folder);

/* Removes a folder of ours, which has files only; none there is fine. */
void model_folder_remove(const char *path);

#endif
