#include "tui/command/options.h"

#include "merge/config/config.h"
#include "merge/exchange/exchange.h"
#include "merge/sweep/vary.h"
#include "merge/text.h"
#include "render/figures/figures.h"
#include "tui/command/command.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define THREAD_LIMIT 1024
#define HELP_COLUMN 26

static const char *const *colors(void) {
    static const char *const names[] = {"auto", "always", "never", NULL};
    return names;
}

static const char *const *shells(void) {
    static const char *const names[] = {"bash", "zsh", "fish", NULL};
    return names;
}

enum { FIGURES_OFFERED = 63 };

static const char *const *figure_names(void) {
    static const char *names[FIGURES_OFFERED + 1];
    size_t count;
    const struct figure *all = figures(&count);
    for (size_t i = 0; i < count && i < FIGURES_OFFERED; i++)
        names[i] = all[i].name;
    return names;
}

enum {
    TUI = 1 << COMMAND_TUI,
    INSPECT = 1 << COMMAND_INSPECT,
    ANALYZE = 1 << COMMAND_ANALYZE,
    MERGE = 1 << COMMAND_MERGE,
    PLOT = 1 << COMMAND_PLOT,
    REPORT = 1 << COMMAND_REPORT,
    SWEEP = 1 << COMMAND_SWEEP,
    INIT = 1 << COMMAND_INIT,
    CACHE = 1 << COMMAND_CACHE,
    BARE = 1 << COMMAND_NONE,
    SOURCES = TUI | ANALYZE | MERGE | PLOT | REPORT | SWEEP | INIT,
    ANALYSES = SOURCES & ~INIT,
    EVERY = SOURCES | INSPECT | CACHE | BARE
};

/* Rows of the table; further members may follow. */
#define FLAG(name_, member, commands_, help_, ...)                                                 \
    {                                                                                              \
        .name = name_, .kind = OPTION_FLAG, .offset = offsetof(struct options, member),            \
        .commands = commands_, .help = help_, __VA_ARGS__                                          \
    }
#define TEXT(name_, argument_, member, commands_, help_, ...)                                      \
    {                                                                                              \
        .name = name_, .argument = argument_, .kind = OPTION_TEXT,                                 \
        .offset = offsetof(struct options, member), .commands = commands_, .help = help_,          \
        __VA_ARGS__                                                                                \
    }
#define SETTING(name_, argument_, key_, help_)                                                     \
    {                                                                                              \
        .name = (name_), .argument = (argument_), .kind = OPTION_LIST, .key = (key_),              \
        .offset = offsetof(struct options, set), .commands = SOURCES | INSPECT, .help = (help_)    \
    }
#define COUNT(name_, argument_, member, limit_, help_, ...)                                        \
    {                                                                                              \
        .name = name_, .argument = argument_, .kind = OPTION_COUNT,                                \
        .offset = offsetof(struct options, member), .limit = limit_, .help = help_, __VA_ARGS__    \
    }

#define SIZE(name_, argument_, member, help_)                                                      \
    {                                                                                              \
        .name = (name_), .argument = (argument_), .kind = OPTION_SIZE,                             \
        .offset = offsetof(struct options, member), .commands = PLOT, .help = (help_)              \
    }

static const struct option table[] = {
    TEXT("base", "FILE", base, SOURCES | INSPECT,
         "the base checkpoint; the operands are its specialists"),
    TEXT("output", "FILE", output, ANALYZE, "write to FILE instead of standard output",
         .letter = 'o'),
    TEXT("output", "OUT", output, MERGE,
         "the merged checkpoint: OUT.safetensors, OUT.pth, OUT/ (required)", .letter = 'o'),
    TEXT("output", "DIR", output, PLOT, "folder for the figures, made if missing (required)",
         .letter = 'o'),
    TEXT("output", "DIR", output, REPORT, "folder for the report, made if missing (required)",
         .letter = 'o'),
    TEXT("output", "DIR", output, SWEEP, "folder for the results, made if missing (required)",
         .letter = 'o'),
    TEXT("output", "CONFIG", output, INIT, "the config to write (required)", .letter = 'o'),
    FLAG("json", json, INSPECT | ANALYZE | MERGE | SWEEP | CACHE, "print the result as JSON"),
    FLAG("hash", hash, INSPECT, "add the sha256 of every tensor's bytes"),
    FLAG("spectra", spectra, ANALYZE, "add all singular values to the JSON"),
    FLAG("adapters", adapters, MERGE,
         "instead, write each truncated residual as a PEFT adapter: OUT/NAME"),
    FLAG("dry-run", dry_run, MERGE, "only say what the merge needs: disk, memory, passes, time"),
    FLAG("dry-run", dry_run, ANALYZE, "only say what the analysis needs: memory, passes, time"),
    FLAG("resume", resume, MERGE, "go on with what an interrupted merge to OUT has written"),
    {.name = "vary",
     .argument = "KEY=VALUES",
     .kind = OPTION_LIST,
     .offset = offsetof(struct options, vary),
     .commands = SWEEP,
     .help = "try these values: V1,V2,... or LO:HI:STEP (repeatable)"},
    COUNT("random", "N", random, SWEEP_POINT_LIMIT / 10, "only N points of the grid, drawn evenly",
          .commands = SWEEP),
    COUNT("seed", "N", seed, UINT_MAX, "seed of that draw (default: 1)", .commands = SWEEP),
    COUNT("greedy", "BUDGET", greedy, SWEEP_POINT_LIMIT,
          "search the ranks by kind of layer, then by layer, in so many evaluations",
          .commands = SWEEP),
    TEXT("factors", "F1,F2,...", factors, SWEEP,
         "what a greedy search multiplies ranks by (default: 0.5,2)"),
    {.name = "metric",
     .argument = "NAME",
     .kind = OPTION_LIST,
     .offset = offsetof(struct options, set),
     .key = "eval.metric",
     .commands = SWEEP,
     .help = "what is best: the highest NAME, or with -NAME the lowest"},
    COUNT("jobs", "N", jobs, THREAD_LIMIT, "evaluations at a time (default: 1)", .commands = SWEEP,
          .letter = 'j'),
    TEXT("temp", "DIR", temp, SWEEP, "folder for merged files (default: that of the results)"),
    FLAG("retry", retry, SWEEP, "try points again whose record is an error"),
    TEXT("format", "FORMAT", format, PLOT | SWEEP,
         "format of the figures: png (default), svg or pdf", .choices = image_format_names),
    TEXT("format", "FORMAT", format, INIT,
         "format of the config: r2m (default), authors or mergekit",
         .choices = exchange_format_names),
    SIZE("width", "INCHES", width, "width of a figure (default: 6.4)"),
    SIZE("height", "INCHES", height, "height of a figure (default: 4)"),
    SIZE("dpi", "N", dpi, "dots an inch of a PNG (default: 300)"),
    TEXT("figure", "NAME,...", figure, PLOT, "only these figures; * and ? stand for letters",
         .choices = figure_names, .checked_later = true),
    TEXT("layer", "GLOB", layer, PLOT, "spectra only of matrices whose name matches"),
    TEXT("script", "FILE", script, TUI, "read keys from FILE instead of a terminal"),
    FLAG("keys", keys, TUI, "list the keys of the screen and exit"),
    TEXT("preset", "NAME", preset, SOURCES, "hyperparameters: r2m, paper or script",
         .choices = config_preset_names),
    SETTING("set", "KEY=VALUE", NULL, "set a config field by its dotted path (repeatable)"),
    TEXT("state-dict", "PATH", state_dict, SOURCES | INSPECT,
         "which state dict of a torch file to take, \"\" for all of them"),
    SETTING("strip-prefix", "P", "keys.strip_prefix",
            "remove P from the start of tensor names (repeatable)"),
    SETTING("rename", "FROM=TO", "keys.rename",
            "a leading FROM of tensor names becomes TO (repeatable)"),
    {.name = "eval",
     .argument = "'CMD {}'",
     .kind = OPTION_LIST,
     .offset = offsetof(struct options, set),
     .key = "eval.command",
     .commands = MERGE | SWEEP | INIT | TUI,
     .help = "measure the merged checkpoint, {}, by a command that prints metrics"},
    {.name = "eval-timeout",
     .argument = "SECONDS",
     .kind = OPTION_LIST,
     .offset = offsetof(struct options, set),
     .key = "eval.timeout",
     .commands = MERGE | SWEEP | INIT | TUI,
     .help = "end it after so many seconds (default: 3600)"},
    FLAG("force", force, SOURCES, "replace outputs that exist", .common = true),
    FLAG("force", force, CACHE, "clear a file that is damaged or of another version"),
    COUNT("threads", "N", threads, THREAD_LIMIT, "worker threads (default: one per processor)",
          .commands = EVERY & ~(INIT | CACHE | BARE), .common = true),
    {.name = "memory",
     .argument = "SIZE",
     .kind = OPTION_BYTES,
     .offset = offsetof(struct options, memory),
     .commands = SOURCES & ~INIT,
     .common = true,
     .help = "stay within SIZE, such as 512M or 2G, beside mapped files"},
    FLAG("quiet", quiet, EVERY & ~(TUI | BARE), "no progress, no warnings, no summary",
         .letter = 'q', .common = true),
    TEXT("color", "WHEN", color, TUI | INSPECT | ANALYZE | SWEEP | CACHE,
         "use colours: auto, always or never (default: auto)", .choices = colors, .common = true),
    FLAG("ascii", ascii, TUI | INSPECT | ANALYZE | SWEEP | CACHE,
         "no character beyond ASCII in what is shown", .common = true),
    TEXT("cache", "DIR|none", cache, ANALYSES | CACHE,
         "folder that keeps what analyses found (default: $R2M_CACHE, ~/.cache/r2m)",
         .common = true),
    {.name = "cache-size",
     .argument = "SIZE",
     .kind = OPTION_BYTES,
     .offset = offsetof(struct options, cache_size),
     .commands = ANALYSES,
     .common = true,
     .help = "what the cache may take, such as 512M or 2G (default: 1G)"},
    FLAG("cache-verify", cache_verify, ANALYSES, "know files by all their bytes, not by a sample",
         .common = true),
    TEXT("completion", "SHELL", completion, BARE, "print the completion for bash, zsh or fish",
         .choices = shells),
    FLAG("version", version, BARE, "print the version and those of the libraries"),
    FLAG("help", help, EVERY, "print this help", .letter = 'h', .common = true),
};

enum { TABLE_COUNT = sizeof table / sizeof *table };

const struct option *option_table(size_t *count) {
    *count = TABLE_COUNT;
    return table;
}

bool option_is_listed(const struct option *option, enum command_id command) {
    return option->help != NULL && (option->commands & 1u << command) != 0;
}

static bool is_taken_by(const struct option *option, enum command_id command) {
    return option->common || (option->commands & 1u << command) != 0;
}

/* One option as written: "--set=alpha=1", "-oOUT". */
struct word {
    const char *name; /* behind the dashes */
    size_t length;
    const char *value; /* attached to it, or NULL */
    bool is_short;
};

static struct word word_split(const char *text) {
    struct word word = {.is_short = text[1] != '-'};
    word.name = text + (word.is_short ? 1 : 2);
    word.length = word.is_short ? 1 : strcspn(word.name, "=");
    const char *rest = word.name + word.length;
    if (*rest != '\0')
        word.value = rest + !word.is_short;
    return word;
}

static bool is_named(const struct option *option, const struct word *word) {
    if (word->is_short)
        return option->letter == *word->name;
    return strlen(option->name) == word->length &&
           memcmp(option->name, word->name, word->length) == 0;
}

/* The option of that name that the command takes or, with any, that some command takes. */
static const struct option *find(const struct word *word, enum command_id command, bool any) {
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (is_named(&table[i], word) && (any || is_taken_by(&table[i], command)))
            return &table[i];
    return NULL;
}

static bool is_option(const char *text) {
    return text[0] == '-' && text[1] != '\0';
}

int options_first_operand(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (!is_option(argv[i]))
            return i;
        struct word word = word_split(argv[i]);
        const struct option *option = find(&word, COMMAND_NONE, true);
        i += option != NULL && option->argument != NULL && word.value == NULL;
    }
    return 0;
}

/* An option as people write it: "--set", "-o". */
static char *shown(const struct word *word) {
    char *quoted = error_quote(word->name, word->length);
    char *text = memory_format("%s%s", word->is_short ? "-" : "--", quoted);
    free(quoted);
    return text;
}

/* The listed option of the command that is nearest to what was written, or NULL. (Who starts the
 * screen without a word may have meant --version.) */
static const char *nearest_option(const struct word *word, enum command_id command) {
    const char *names[TABLE_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (option_is_listed(&table[i], command) ||
            (command == COMMAND_TUI && option_is_listed(&table[i], COMMAND_NONE)))
            names[count++] = table[i].name;
    char *written = memory_text(word->name, word->length);
    const char *nearest = word->is_short ? NULL : nearest_name(written, names, count);
    free(written);
    return nearest;
}

static bool fail_unknown(const struct word *word, enum command_id command, struct error *error) {
    const struct option *other = find(word, command, true);
    const char *nearest = nearest_option(word, command);
    char *name = shown(word);
    size_t owner = 0;
    while (other != NULL && owner < COMMAND_COUNT && !is_taken_by(other, (enum command_id)owner))
        owner++;
    if (other != NULL)
        error_set(error, ERROR_USAGE, "%s is an option of r2m %s", name,
                  owner < COMMAND_COUNT ? commands[owner].name : "without a command");
    else if (nearest != NULL)
        error_set(error, ERROR_USAGE, "%s: unknown option; did you mean --%s?", name, nearest);
    else
        error_set(error, ERROR_USAGE, "%s: unknown option", name);
    free(name);
    return false;
}

static bool check_choice(const struct option *option, const char *value, struct error *error) {
    const char *const *choices = option->choices != NULL ? option->choices() : NULL;
    size_t count = 0;
    if (choices == NULL || option->checked_later)
        return true;
    for (; choices[count] != NULL; count++)
        if (strcmp(choices[count], value) == 0)
            return true;
    char *list = names_join(choices, count), *quoted = error_quote(value, strlen(value));
    error_set(error, ERROR_USAGE, "--%s %s: allowed is one of %s", option->name, quoted, list);
    free(list);
    free(quoted);
    return false;
}

static bool store_count(unsigned *target, const struct option *option, const char *value,
                        struct error *error) {
    char *end;
    unsigned long number = strtoul(value, &end, 10);
    if (isdigit((unsigned char)*value) && *end == '\0' && number >= 1 && number <= option->limit) {
        *target = (unsigned)number;
        return true;
    }
    char *quoted = error_quote(value, strlen(value));
    error_set(error, ERROR_USAGE, "--%s %s: allowed is a whole number from 1 to %u", option->name,
              quoted, option->limit);
    free(quoted);
    return false;
}

/* A number with or without K, M, G, T (powers of 1024), a B or iB behind. */
static bool store_bytes(uint64_t *target, const struct option *option, const char *value,
                        struct error *error) {
    static const char units[] = "KMGT";
    char *end;
    double number = strtod(value, &end);
    const char *unit = *end != '\0' ? strchr(units, toupper((unsigned char)*end)) : NULL;
    if (unit != NULL)
        number *= exp2(10.0 * (double)(unit - units + 1));
    end += unit != NULL;
    if (isdigit((unsigned char)*value) && number >= 1 && number < 0x1p63 &&
        (*end == '\0' || strcmp(end, "B") == 0 || (unit != NULL && strcmp(end, "iB") == 0))) {
        *target = (uint64_t)number;
        return true;
    }
    char *quoted = error_quote(value, strlen(value));
    error_set(error, ERROR_USAGE, "--%s %s: allowed is a size such as 512M or 2G", option->name,
              quoted);
    free(quoted);
    return false;
}

static bool store_size(double *target, const struct option *option, const char *value,
                       struct error *error) {
    double number;
    if (number_parse(value, &number) && number > 0) {
        *target = number;
        return true;
    }
    char *quoted = error_quote(value, strlen(value));
    error_set(error, ERROR_USAGE, "--%s %s: allowed is a number above 0", option->name, quoted);
    free(quoted);
    return false;
}

static void store_item(struct string_list *list, const struct option *option, const char *value) {
    char *text = option->key != NULL ? memory_format("%s=%s", option->key, value) : NULL;
    string_list_add(list, text != NULL ? text : value);
    free(text);
}

static bool store(struct options *options, const struct option *option, const char *value,
                  struct error *error) {
    void *member = (char *)options + option->offset;
    if (!check_choice(option, value, error))
        return false;
    if (option->kind == OPTION_FLAG)
        *(bool *)member = true;
    else if (option->kind == OPTION_TEXT)
        *(const char **)member = value;
    else if (option->kind == OPTION_BYTES)
        return store_bytes(member, option, value, error);
    else if (option->kind == OPTION_SIZE)
        return store_size(member, option, value, error);
    else if (option->kind == OPTION_COUNT)
        return store_count(member, option, value, error);
    else
        store_item(member, option, value);
    return true;
}

/* next: the word behind, or NULL; *used tells that it was the value. */
static bool take_option(struct options *options, const char *text, const char *next, bool *used,
                        struct error *error) {
    struct word word = word_split(text);
    const struct option *option = find(&word, options->command, false);
    *used = false;
    if (option == NULL)
        return fail_unknown(&word, options->command, error);
    if (option->argument == NULL && word.value != NULL)
        return error_set(error, ERROR_USAGE, "%s%s takes no value", word.is_short ? "-" : "--",
                         word.is_short ? (char[]){option->letter, '\0'} : option->name);
    if (option->argument != NULL && word.value == NULL && next == NULL)
        return error_set(error, ERROR_USAGE, "%s needs a value: %s %s", text, text,
                         option->argument);
    *used = option->argument != NULL && word.value == NULL;
    const char *value = *used ? next : word.value;
    return store(options, option, value != NULL ? value : "", error);
}

bool options_parse(int argc, char **argv, int skip, enum command_id command,
                   struct options *options, struct error *error) {
    bool ended = false, good = true, used;
    *options = (struct options){.command = command};
    options->operands = memory_array((size_t)argc + 1, sizeof *options->operands);
    for (int i = 1; i < argc && good; i++) {
        if (i == skip)
            continue;
        if (!ended && strcmp(argv[i], "--") == 0) {
            ended = true;
        } else if (!ended && is_option(argv[i])) {
            good = take_option(options, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used, error);
            i += used;
        } else {
            options->operands[options->operand_count++] = argv[i];
        }
    }
    return good;
}

void options_free(struct options *options) {
    string_list_free(&options->set);
    string_list_free(&options->vary);
    free(options->operands);
}

/* "-o, --output OUT" */
static void print_option(const struct option *option, FILE *stream) {
    char letter[] = {'-', option->letter, ',', ' ', '\0'};
    int width = fprintf(stream, "  %s--%s%s%s", option->letter != 0 ? letter : "    ", option->name,
                        option->argument != NULL ? " " : "",
                        option->argument != NULL ? option->argument : "");
    fprintf(stream, "%*s%s\n", width < HELP_COLUMN ? HELP_COLUMN - width : 2, "", option->help);
}

void options_print(enum command_id command, FILE *stream) {
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (option_is_listed(&table[i], command))
            print_option(&table[i], stream);
}
