/* The command line's options: one table, from which come parsing, --help and completion.
 *
 *     options_parse(argc, argv, COMMAND_MERGE, &options, &error)
 *
 * Options may stand anywhere, `--` ends them, `--name=value` and `--name value` are the same. */
#ifndef R2M_TUI_COMMAND_OPTIONS_H
#define R2M_TUI_COMMAND_OPTIONS_H

#include "analysis/support/error.h"
#include "analysis/support/memory.h"

#include <stdint.h>
#include <stdio.h>

enum command_id {
    COMMAND_TUI,
    COMMAND_INSPECT,
    COMMAND_ANALYZE,
    COMMAND_MERGE,
    COMMAND_PLOT,
    COMMAND_REPORT,
    COMMAND_SWEEP,
    COMMAND_INIT,
    COMMAND_CACHE,
    COMMAND_COUNT,
    COMMAND_NONE = COMMAND_COUNT /* r2m --help and the like */
};

/* What was given; texts are borrowed from argv. */
struct options {
    enum command_id command;
    const char **operands;
    size_t operand_count;
    struct string_list set;  /* KEY=VALUE of --set, --strip-prefix and --rename, in their order */
    struct string_list vary; /* of --vary */
    const char *base, *preset, *output, *format, *figure, *layer, *script, *color, *completion;
    const char *state_dict;
    const char *temp, *factors;
    const char *cache;                   /* a folder, or "none" */
    uint64_t cache_size;                 /* bytes; 0: not given */
    unsigned threads;                    /* 0: one per processor */
    uint64_t memory;                     /* bytes; 0: not given */
    double width, height, dpi;           /* of figures, in inches and dots an inch; 0: not given */
    unsigned jobs, random, seed, greedy; /* of a sweep; 0: not given */
    bool adapters, json, hash, spectra, dry_run, resume, retry, force, quiet, ascii, keys, help,
        cache_verify, version;
};

/* How the option's value is kept in struct options. */
enum option_kind {
    OPTION_FLAG,  /* bool; no argument */
    OPTION_TEXT,  /* const char * */
    OPTION_COUNT, /* unsigned, from 1 to limit */
    OPTION_BYTES, /* uint64_t, such as 512M or 2G */
    OPTION_SIZE,  /* double, above 0 */
    OPTION_LIST   /* appended to a string_list, behind `key` and '=' where key is not NULL */
};

struct option {
    const char *name; /* without the dashes */
    char letter;      /* its short form, or 0 */
    const char *argument;
    unsigned commands; /* bit 1 << enum command_id for each command that it means something to */
    bool common;       /* the other commands accept it too, for scripts that set it everywhere */
    enum option_kind kind;
    size_t offset;  /* in struct options */
    unsigned limit; /* of a count */
    const char *key;
    const char *const *(*choices)(void); /* NULL-ended; NULL: any text */
    bool checked_later;                  /* the choices are offered only; more may be said */
    const char *help;                    /* NULL: not listed */
};

const struct option *option_table(size_t *count);

/* Whether --help and completion of that command list it. */
bool option_is_listed(const struct option *option, enum command_id command);

/* The command's name is the first word that is neither an option nor an option's value, or there
 * is none: its index in argv, or 0. Words behind `--` do not count. */
int options_first_operand(int argc, char **argv);

/* skip: index in argv of the command's name, or 0. ERROR_USAGE with one line. */
bool options_parse(int argc, char **argv, int skip, enum command_id command,
                   struct options *options, struct error *error);
void options_free(struct options *options);

/* The lines of --help. */
void options_print(enum command_id command, FILE *stream);

#endif
