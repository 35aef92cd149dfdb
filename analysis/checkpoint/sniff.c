#include "analysis/checkpoint/format.h"

#include <string.h>

#define MAGIC(text) (text), sizeof(text) - 1

/* Files that are met instead of checkpoints, by the bytes they begin with. */
static const struct {
    const char *magic;
    size_t length;
    size_t offset;
    const char *what;
    const char *hint;
} foreign[] = {
    {MAGIC("version https://git-lfs"), 0, "a Git LFS pointer, not the file itself",
     "fetch the file with `git lfs pull`"},
    {MAGIC("ustar"), 257, "a tar archive", "unpack it and give a file in it"},
    {MAGIC("\x1f\x8b"), 0, "gzip compressed", "unpack it with gunzip"},
    {MAGIC("GGUF"), 0, "a GGUF file, which is not supported", NULL},
    {MAGIC("\x89HDF"), 0, "an HDF5 file, which is not supported", NULL},
    {MAGIC("\x80\x00"), 0, "a bare pickle, which is not supported", NULL},
    {MAGIC("\x80\x01"), 0, "a bare pickle, which is not supported", NULL},
    {MAGIC("\x80\x02"), 0, "a bare pickle, which is not supported", NULL},
    {MAGIC("\x80\x03"), 0, "a bare pickle, which is not supported", NULL},
    {MAGIC("\x80\x04"), 0, "a bare pickle, which is not supported", NULL},
    {MAGIC("\x80\x05"), 0, "a bare pickle, which is not supported", NULL},
    {MAGIC("\0\0\0\0\0\0\0\0"), 0,
     "it begins with zeros and holds no header (a download that never "
     "finished?)",
     NULL},
    {MAGIC("<"), 0, "a web page or XML, not a checkpoint",
     "the download may have led to a log-in page"},
};

static bool begins_with(const struct mapping *file, size_t offset, const char *magic,
                        size_t length) {
    return file->size >= offset + length && memcmp(file->bytes + offset, magic, length) == 0;
}

bool sniff_foreign(const struct checkpoint *checkpoint, struct error *error) {
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (!begins_with(&checkpoint->file, foreign[i].offset, foreign[i].magic, foreign[i].length))
            continue;
        checkpoint_fail(checkpoint, error, "%s", foreign[i].what);
        if (foreign[i].hint != NULL)
            error_hint(error, "%s", foreign[i].hint);
        return true;
    }
    return false;
}
