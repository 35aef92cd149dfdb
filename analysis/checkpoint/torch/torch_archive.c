/* Torch checkpoints since 1.6: a zip archive with one folder of records (formats.md B2).
 *
 *     NAME/data.pkl     the pickle
 *     NAME/byteorder    "little" or "big"; without it little
 *     NAME/data/KEY     the bytes of a storage
 *     NAME/version      "3" */
#include "analysis/checkpoint/torch/torch_file.h"
#include "analysis/checkpoint/torch/zip_directory.h"

#include <stdlib.h>
#include <string.h>

enum { RECORD_LENGTH = 80, VERSION_LIMIT = 10 }; /* of names below the folder; known versions */

struct archive {
    struct zip_directory directory;
    char *name; /* the folder with its slash, and room for a record */
    size_t folder_length;
};

static bool recognise(const struct mapping *file) {
    return file->size >= 4 && memcmp(file->bytes, "PK\3\4", 4) == 0;
}

/* The record of that name in the folder, or NULL. */
static const struct zip_entry *find_record(const struct archive *archive, const char *record,
                                           size_t length) {
    memcpy(archive->name + archive->folder_length, record, length);
    return zip_directory_find(&archive->directory, archive->name, archive->folder_length + length);
}

static const struct zip_entry *find_text(const struct archive *archive, const char *record) {
    return find_record(archive, record, strlen(record));
}

static bool find_storage(const struct torch_file *file, const char *key, size_t length,
                         size_t *storage) {
    const struct archive *archive = file->format;
    char record[RECORD_LENGTH] = "data/";
    memcpy(record + 5, key, length);
    const struct zip_entry *entry = find_record(archive, record, 5 + length);
    if (entry != NULL)
        *storage = (size_t)(entry - archive->directory.entries);
    return entry != NULL;
}

static const unsigned char *read_storage(struct torch_file *file, size_t storage,
                                         const char **problem) {
    struct archive *archive = file->format;
    const struct zip_entry *entry = &archive->directory.entries[storage];
    if (entry->size != file->storages[storage].bytes) {
        *problem = "its storage has another size than the pickle says";
        return NULL;
    }
    return zip_entry_bytes(&archive->directory, file->checkpoint, entry, file->error);
}

/* Every entry lies in the folder of the first one. */
static bool find_folder(const struct torch_file *file, struct archive *archive) {
    const struct zip_entry *entries = archive->directory.entries;
    const char *slash = memchr(entries[0].name, '/', entries[0].name_length);
    if (slash == NULL)
        return checkpoint_fail(file->checkpoint, file->error,
                               "a zip archive, but not a torch checkpoint: no folder in it");
    archive->folder_length = (size_t)(slash - entries[0].name) + 1;
    archive->name = memory_array(archive->folder_length + RECORD_LENGTH, 1);
    memcpy(archive->name, entries[0].name, archive->folder_length);
    for (size_t i = 1; i < archive->directory.count; i++)
        if (entries[i].name_length < archive->folder_length ||
            memcmp(entries[i].name, archive->name, archive->folder_length) != 0)
            return zip_entry_fail(file->checkpoint, &entries[i], file->error,
                                  "not in the one folder of a torch checkpoint");
    return true;
}

static bool check_records(const struct torch_file *file, const struct archive *archive) {
    if (find_text(archive, "constants.pkl") != NULL) {
        checkpoint_fail(file->checkpoint, file->error, "a TorchScript program, not a checkpoint");
        error_hint(file->error, "save its state_dict() with torch.save");
        return false;
    }
    return find_text(archive, "data.pkl") != NULL ||
           checkpoint_fail(file->checkpoint, file->error,
                           "a zip archive, but not a torch checkpoint: no data.pkl in it");
}

/* A whole number from 1 to VERSION_LIMIT, perhaps with a new line. */
static bool is_version(const unsigned char *text, uint64_t size) {
    unsigned version = 0;
    if (size > 0 && text[size - 1] == '\n')
        size--;
    if (size == 0 || size > 2)
        return false;
    for (uint64_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        version = 10 * version + (text[i] - '0');
    }
    return version >= 1 && version <= VERSION_LIMIT;
}

static bool check_version(struct torch_file *file, struct archive *archive) {
    const struct zip_entry *entry = find_text(archive, "version");
    if (entry == NULL)
        entry = find_text(archive, ".data/version");
    if (entry == NULL)
        return checkpoint_fail(file->checkpoint, file->error,
                               "a zip archive, but not a torch checkpoint: no version in it");
    const unsigned char *text =
        zip_entry_bytes(&archive->directory, file->checkpoint, entry, file->error);
    if (text == NULL)
        return false;
    return is_version(text, entry->size) || zip_entry_fail(file->checkpoint, entry, file->error,
                                                           "not a known version of torch's format");
}

static bool read_byte_order(struct torch_file *file, struct archive *archive) {
    const struct zip_entry *entry = find_text(archive, "byteorder");
    if (entry == NULL)
        return true;
    const unsigned char *text =
        zip_entry_bytes(&archive->directory, file->checkpoint, entry, file->error);
    if (text == NULL)
        return false;
    file->swapped = entry->size == 3 && memcmp(text, "big", 3) == 0;
    return file->swapped || (entry->size == 6 && memcmp(text, "little", 6) == 0) ||
           zip_entry_fail(file->checkpoint, entry, file->error, "neither little nor big");
}

static bool read_pickle(struct torch_file *file, struct archive *archive) {
    const struct zip_entry *entry = find_text(archive, "data.pkl");
    const unsigned char *bytes =
        zip_entry_bytes(&archive->directory, file->checkpoint, entry, file->error);
    if (bytes == NULL)
        return false;
    if (!pickle_read(&file->pickle, bytes, entry->size, false))
        return torch_pickle_fail(file);
    return file->pickle.at == entry->size ||
           checkpoint_fail(file->checkpoint, file->error,
                           "data.pkl: something after its end (byte %zu)", file->pickle.at);
}

/* Storages that the pickle does not mention. */
static void warn_unused(const struct torch_file *file, const struct archive *archive) {
    size_t unused = 0;
    for (size_t i = 0; i < archive->directory.count; i++) {
        const struct zip_entry *entry = &archive->directory.entries[i];
        size_t length = entry->name_length - archive->folder_length;
        unused += file->storages[i].class == NULL && length > 5 &&
                  memcmp(entry->name + archive->folder_length, "data/", 5) == 0;
    }
    if (unused > 0)
        checkpoint_warn(file->checkpoint, "storages that belong to no tensor: %zu", unused);
}

static bool load(struct torch_file *file, struct archive *archive) {
    if (!zip_directory_read(&archive->directory, file->checkpoint, file->error) ||
        !find_folder(file, archive) || !check_records(file, archive) ||
        !check_version(file, archive) || !read_byte_order(file, archive) ||
        !read_pickle(file, archive))
        return false;
    file->storage_count = archive->directory.count;
    file->storages = memory_array(file->storage_count, sizeof *file->storages);
    if (!torch_storages_mark(file) || !torch_file_load(file))
        return false;
    zip_directory_warn(&archive->directory, file->checkpoint);
    warn_unused(file, archive);
    return true;
}

static bool open_archive(struct checkpoint *checkpoint, struct error *error) {
    struct archive archive = {0};
    struct torch_file file = {.checkpoint = checkpoint,
                              .error = error,
                              .where = "data.pkl",
                              .format = &archive,
                              .find = find_storage,
                              .read = read_storage};
    bool good = recognise(&checkpoint->file)
                    ? load(&file, &archive)
                    : checkpoint_fail(checkpoint, error, "not a torch checkpoint");
    torch_file_free(&file);
    zip_directory_free(&archive.directory);
    free(archive.name);
    return good;
}

const struct format torch_archive_format = {"torch", torch_endings, recognise, open_archive};
