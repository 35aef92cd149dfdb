/* The tensors of one base and its specialists, lined up by name and given roles
 * (method.md section 1). Opening reads headers only.
 *
 * A layer is one line of this table: the same tensor in the base and in every specialist. The
 * task vector of specialist i in layer l is tau_i,l = specialist - base. */
#ifndef R2M_ANALYSIS_TENSOR_TABLE_H
#define R2M_ANALYSIS_TENSOR_TABLE_H

#include "analysis/checkpoint/checkpoint.h"
#include "analysis/support/arena.h"

enum { SPECIALIST_LIMIT = 64 };

enum role {
    ROLE_MATRIX,  /* shared, floating, at least 2 x 2 as rows x cols, not excluded */
    ROLE_VECTOR,  /* every other shared floating tensor */
    ROLE_HEAD,    /* matches a head pattern, or floating and only in the specialists (in all) */
    ROLE_BUFFER,  /* not floating */
    ROLE_CARRIED, /* floating, in the base only: copied unchanged, named in a warning */
    ROLE_TIED,    /* the very elements of another layer, its twin: counted and merged there */
    ROLE_COUNT
};

/* "matrix", "vector", "head", "buffer", "carried", "tied". */
const char *role_name(enum role role);

/* How names are lined up and roles given (config field "keys"). Zero-initialised plus
 * table_keys_defaults() is the default. */
struct table_keys {
    struct string_list state_dict;   /* of torch files that hold several: the first that is there */
    struct string_list strip_prefix; /* removed from the start of names, first that fits */
    struct string_list rename;       /* "FROM=TO": a leading FROM becomes TO, after stripping */
    struct string_list exclude;      /* globs: such matrices count as vectors */
    struct string_list head;         /* globs of head tensors */
};

/* Head patterns head.* and classifier.*; the rest empty. */
void table_keys_defaults(struct table_keys *keys);
void table_keys_copy(struct table_keys *target, const struct table_keys *source);
void table_keys_free(struct table_keys *keys);

/* What a layer is of a tensor as it stands in a file: all of it, some of its rows (of a stacked
 * projection), or its transpose. */
struct origin {
    const struct tensor *whole; /* NULL where the file lacks it */
    uint64_t first_row;
    bool transposed;
};

struct layer {
    char *name; /* as in the base, else as lined up; quoted by error_quote
                   where the file's name holds control characters */
    enum role role;
    const struct tensor *base;         /* NULL where the base lacks it */
    const struct tensor **specialists; /* [N]; NULL where that specialist lacks it; base where it
                                          is an adapter that leaves the tensor as it is */
    const struct tensor *like; /* base, or the first specialist that has it: gives shape and dtype
                                  of the merged tensor; a head may differ from the base's */
    struct origin *origins;    /* [1 + N], of the base and of every specialist */
    char *output_name;         /* of the merged tensor beside the base's: the base's own spelling,
                                  else the lined-up name; may hold NUL bytes */
    size_t output_length;
    bool foreign; /* the base's naming has no place for it, as for position ids in open_clip's */
    size_t rows, cols; /* matrix view: shape[0] x product of the rest; vectors:
                          1 x elements */
    uint64_t elements;
    size_t twin;  /* the layer whose elements these are; itself but for ROLE_TIED */
    size_t owner; /* the rank that works on it (layer_owners.h); 0 until work is shared out */
};

/* How one specialist's tensors met the base's. Names are as in struct layer. */
struct match {
    struct string_list matched;         /* in both, of one shape */
    struct string_list base_only;       /* in the base, not in this specialist */
    struct string_list specialist_only; /* in this specialist, not in the base */
    struct string_list other_shape;     /* in both, of different shapes */
    const char *mapping;                /* "open_clip's names of CLIP as Hugging Face's", or NULL */
    char *from, *to; /* the prefix that takes the place of one of the base, quoted for the screen;
                        both "": names as they are; both NULL: lined up by the keys */
    char *head_from, *head_to; /* the same for what the base lacks and the first specialist has;
                                  NULL: as it is */
};

struct table_specialist {
    char *name; /* unique */
    char *path;
    struct checkpoint *checkpoint;
    struct match match;
};

struct tensor_table {
    struct checkpoint *base;
    struct table_specialist *specialists;
    size_t specialist_count; /* N */
    struct layer *layers;    /* natural order of names: layers.2 before layers.10 */
    size_t layer_count;
    size_t matrix_count;         /* layers with ROLE_MATRIX */
    struct string_list warnings; /* sentences for the user */
    struct arena views;          /* tensors that are parts of a file's */
};

/* name and path of a specialist to open; name NULL: the file's stem, made unique. */
struct specialist_path {
    const char *name;
    const char *path;
};

/* Opens all files and lines them up. A specialist in which keys.strip_prefix and keys.rename change
 * no name is lined up by a vote (prefix_vote.h). Errors, all problems listed: a file that does not
 * open, no or several ways to line up, shapes that differ, no tensor in common, a buffer that the
 * base lacks and on which the specialists disagree, no or too many specialists, a shared tensor of
 * a type that has no arithmetic. */
bool tensor_table_open(const char *base_path, const struct specialist_path *specialists,
                       size_t specialist_count, const struct table_keys *keys,
                       struct tensor_table **table, struct error *error);

/* Closes the files; NULL is accepted. */
void tensor_table_close(struct tensor_table *table);

/* The open base (file 0) or specialist file - 1. */
const struct checkpoint *tensor_table_file(const struct tensor_table *table, size_t file);

/* Whether nobody has written to one of its files since they were opened (checkpoint.h). */
bool tensor_table_unchanged(const struct tensor_table *table, struct error *error);

/* True for a layer with a task vector, that is, matrix or vector. */
bool layer_is_shared(const struct layer *layer);

/* min(rows, cols) for a matrix, the largest rank of a residual; 0 for other roles. */
size_t layer_max_rank(const struct layer *layer);

/* How names were brought together, in a few words: "backbone." as "vision_model."; free() it. */
char *match_way(const struct match *match);

/* The match report of one specialist for the eye, some lines; free() it. */
char *match_text(const struct tensor_table *table, size_t specialist);

/* "a, b, c and 9 more"; free() it. */
char *names_text(const struct string_list *names);

/* Index of the layer of that name, or layer_count. */
size_t tensor_table_find(const struct tensor_table *table, const char *name);

/* Orders names as people do: digits compare as numbers. <0, 0, >0 like strcmp. */
int natural_compare(const char *one, const char *other);

#endif
