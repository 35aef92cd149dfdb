#include "tui/command/command.h"

#include "analysis/support/ranks.h"
#include "merge/config/config.h"
#include "merge/text.h"
#include "merge/version.h"
#include "render/figures/figures.h"
#include "tui/command/complain.h"
#include "tui/command/completion.h"
#include "tui/command/interrupt.h"
#include "tui/terminal/picture.h"
#include "tui/terminal/term.h"

#include <cairo.h>
#include <cblas.h>
#include <cjson/cJSON.h>
#include <lapacke.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE_TEXT                                                                                \
    "SOURCE is a CONFIG file, or --base FILE and the specialists, each a PATH or NAME=PATH.\n"     \
    "A CONFIG may be the YAML of the method's authors; --base beside it is its base.\n"            \
    "The config is read first, then --preset applied, then --set, --strip-prefix and --rename.\n"

const struct command commands[COMMAND_COUNT] = {
    [COMMAND_TUI] = {"tui", "[CONFIG | --base FILE SPECIALIST...]",
                     "browse, tune, export on the screen (the default command)",
                     "Without a source, r2m.json in the current folder is opened.\n" SOURCE_TEXT,
                     command_tui, NULL, false},
    [COMMAND_INSPECT] =
        {"inspect", "FILE... | --base FILE SPECIALIST...",
         "list the tensors of checkpoints, or how names line up",
         "Name, dtype, shape and bytes of every tensor; no weight is read unless\n"
         "--hash asks for it; then the checksums in torch files are compared, too.\n"
         "With --base, how the names of each specialist meet those of the base: the\n"
         "prefixes found, what matches and what does not.\n",
         command_inspect, NULL, false},
    [COMMAND_ANALYZE] =
        {"analyze", "SOURCE", "energies, ranks and dominance, layer by layer",
         "A table on a terminal, the same with tabs and all digits elsewhere.\n" SOURCE_TEXT,
         command_analyze, NULL, true},
    [COMMAND_MERGE] =
        {"merge", "SOURCE -o OUT", "write the merged checkpoint",
         "OUT appears complete or not at all. With --adapters OUT is a folder of adapters,\none "
         "for each specialist, to be added to the merge with --set alpha=0.\n" SOURCE_TEXT,
         command_merge, "-o OUT is missing", true},
    [COMMAND_PLOT] =
        {"plot", "SOURCE -o DIR", "draw figures: spectra, energies, ranks, maps, an overview",
         "All figures, or those that --figure chooses, each a file of the folder. Pages\n"
         "of several charts are larger than --width and --height, as they need.\n" SOURCE_TEXT,
         command_plot, "-o DIR is missing", false},
    [COMMAND_REPORT] = {"report", "SOURCE -o DIR",
                        "write a report: a page, its figures and numbers",
                        "DIR gets report.html and report.md with figures, tables, warnings and\n"
                        "what to do about them, analysis.json, layers.csv and config.json. It\n"
                        "appears complete or not at all.\n" SOURCE_TEXT,
                        command_report, "-o DIR is missing", false},
    [COMMAND_SWEEP] =
        {"sweep", "SOURCE --vary KEY=VALUES -o DIR", "try values of settings, find the best plan",
         "Every combination of the values is merged to a temporary file, given to\n"
         "--eval, and recorded in DIR/sweep.jsonl; the same command goes on where it\n"
         "was stopped. DIR gets sweep.csv, a chart and best.json, the best plan.\n"
         "Without --eval nothing is merged: the metrics are what spectra tell.\n"
         "--greedy BUDGET, in place of --vary, searches the ranks by kinds of layers,\n"
         "then layer by layer.\n" SOURCE_TEXT,
         command_sweep, "-o DIR is missing", false},
    [COMMAND_INIT] =
        {"init", "SOURCE -o CONFIG [--format FORMAT]",
         "write a config, every default written out, or another program's",
         "The files are opened to see whether they line up; paths in the config are\n"
         "relative to it. --format authors and mergekit write YAML for the scripts of the\n"
         "method's authors and for mergekit, and say what such a file cannot hold.\n" SOURCE_TEXT,
         command_init, "-o CONFIG is missing", false},
    [COMMAND_CACHE] = {"cache", "[list | clear]", "list or clear what analyses have left",
                       "Inner products and singular values are kept under a digest of the files\n"
                       "that they come from, so that opening them again takes no time, and one\n"
                       "more specialist only its own. The list is of analyses, the latest first.\n",
                       command_cache, NULL, false},
};

/* What --set takes. */
static void print_fields(void) {
    size_t count;
    const struct settings_field *fields = settings_fields(&count);
    char allowed[FIELD_TEXT];
    puts("\nFields of a config that hold one value, for --set:");
    for (size_t i = 0; i < count; i++)
        printf("  %s: %s\n      %s\n", fields[i].path,
               settings_field_allowed(&fields[i], allowed, sizeof allowed), fields[i].text);
    puts("\nresidual.rank.RULE, one of these rank rules:");
    for (enum rank_kind kind = 0; kind < RANK_KIND_COUNT; kind++)
        printf("  %s: %s\n", rank_kind_name(kind), rank_kind_text(kind));
    puts("And specialists.NAME.weight, keys.exclude, keys.head; see r2m-config(5).");
}

static void print_figures(void) {
    static const char *const subjects[] = {[FIGURE_WHOLE] = "",
                                           [FIGURE_SPECIALIST] = "-SPECIALIST",
                                           [FIGURE_KIND] = "-KIND",
                                           [FIGURE_LAYER] = "-LAYER"};
    size_t count;
    const struct figure *all = figures(&count);
    puts("\nFigures:");
    for (size_t i = 0; i < count; i++)
        printf("  %s%s\n      %s\n", all[i].name, subjects[all[i].scope], all[i].help);
}

static int print_help(enum command_id id) {
    const struct command *command = &commands[id];
    printf("Usage: r2m %s %s [OPTION...]\n%c%s.\n\n%s\nOptions:\n", command->name,
           command->synopsis, command->summary[0] - 'a' + 'A', command->summary + 1, command->text);
    options_print(id, stdout);
    if (id == COMMAND_INIT)
        print_fields();
    if (id == COMMAND_PLOT)
        print_figures();
    return EXIT_DONE;
}

static int print_overview(void) {
    puts("Usage: r2m [COMMAND] [OPERAND...] [OPTION...]\n"
         "Merge fine-tuned specialists of one base model without training.\n\nCommands:");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  r2m %s %s\n      %s\n", commands[i].name, commands[i].synopsis,
               commands[i].summary);
    puts("\n" SOURCE_TEXT "\nOptions:");
    options_print(COMMAND_NONE, stdout);
    puts("\n'r2m COMMAND --help' lists the options of a command; 'man r2m' has everything.\n"
         "Exit status: 0 done, 1 a file or the arithmetic failed, 2 wrong usage or config,\n"
         "130 interrupted.");
    return EXIT_DONE;
}

/* "OpenBLAS 0.3.21 NO_LAPACKE ..." -> "0.3.21" */
static void print_openblas(void) {
    const char *text = openblas_get_config(), *space = strchr(text, ' ');
    const char *version = space != NULL ? space + 1 : text;
    printf("openblas %.*s", (int)strcspn(version, " "), version);
}

static int print_version(void) {
    lapack_int major, minor, patch;
    LAPACKE_ilaver(&major, &minor, &patch);
    puts("r2m " R2M_VERSION);
    print_openblas();
    printf(", lapacke %d.%d.%d, cairo %s, libpng %s, cjson %s, libsixel %s, %s, %s\n", (int)major,
           (int)minor, (int)patch, cairo_version_string(), png_get_libpng_ver(NULL),
           cJSON_Version(), picture_library(), term_library(), ranks_feature());
    puts("MIT licence");
    return EXIT_DONE;
}

static int run_bare(const struct options *options) {
    if (options->completion != NULL)
        return completion_print(options->completion);
    return options->version ? print_version() : print_overview();
}

/* What the operands lack, or NULL. */
static const char *wrong_source(const struct options *options) {
    bool based = options->base != NULL, has_default = options->command == COMMAND_TUI;
    size_t count = options->operand_count;
    if (based && count == 0)
        return "no specialist is given";
    if (!based && options->command == COMMAND_INIT && count == 0)
        return "--base FILE is missing";
    if (!based && count > 1)
        return "several files are given, but no --base";
    if (!based && count == 0 && has_default && access(COMMAND_DEFAULT_CONFIG, F_OK) != 0)
        return "no config is given, no --base, and there is no " COMMAND_DEFAULT_CONFIG " here";
    if (!based && count == 0 && !has_default)
        return "no config is given, and no --base";
    return NULL;
}

/* What is wrong with the operands of cache, or NULL. */
static const char *wrong_action(const struct options *options) {
    bool known = options->operand_count == 0 || strcmp(options->operands[0], "list") == 0 ||
                 strcmp(options->operands[0], "clear") == 0;
    if (options->operand_count > 1)
        return "one word is allowed: list or clear";
    return known ? NULL : "allowed is list (the default) or clear";
}

static const char *wrong_use(const struct options *options) {
    enum command_id id = options->command;
    if (id == COMMAND_CACHE)
        return wrong_action(options);
    if (id == COMMAND_TUI && options->keys)
        return NULL;
    if (id == COMMAND_INSPECT && options->operand_count == 0)
        return options->base != NULL ? "no specialist is given" : "no file is given";
    if (id == COMMAND_INSPECT)
        return options->base == NULL && options->set.count > 0
                   ? "--set, --strip-prefix and --rename need --base"
                   : NULL;
    const char *wrong = wrong_source(options);
    if (wrong == NULL && options->output == NULL)
        return commands[id].missing;
    return wrong;
}

static int run(const struct options *options) {
    const char *name = options->command != COMMAND_NONE ? commands[options->command].name : NULL;
    if (options->command == COMMAND_NONE)
        return run_bare(options);
    if (options->help)
        return print_help(options->command);
    const char *wrong = wrong_use(options);
    if (wrong != NULL)
        return complain_usage(name, "%s", wrong);
    if (ranks_count() > 1 && !commands[options->command].is_shared)
        return complain_usage(name, "runs alone; only analyze and merge share work under mpirun");
    if (options->command != COMMAND_TUI)
        interrupt_watch();
    return commands[options->command].run(options);
}

static enum command_id command_named(const char *name) {
    size_t id = 0;
    while (id < COMMAND_COUNT && strcmp(commands[id].name, name) != 0)
        id++;
    return (enum command_id)id;
}

/* A lone word that is neither a command nor a file is a mistyped command. */
static bool is_mistyped(const char *word) {
    return strpbrk(word, "./=") == NULL && access(word, F_OK) != 0;
}

static int complain_mistyped(const char *word) {
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *nearest = nearest_name(word, names, COMMAND_COUNT);
    char *quoted = error_quote(word, strlen(word));
    int code = complain_usage(NULL, "%s is neither a command nor a file%s%s%s", quoted,
                              nearest != NULL ? "; did you mean r2m " : "",
                              nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    free(quoted);
    return code;
}

/* Options that stand for a command when nothing but options is given. */
static bool asks_bare(int argc, char **argv) {
    static const char *const bare[] = {"-h", "--help", "--version", "--completion"};
    for (int i = 1; i < argc; i++)
        for (size_t b = 0; b < sizeof bare / sizeof *bare; b++)
            if (strncmp(argv[i], bare[b], strlen(bare[b])) == 0)
                return true;
    return false;
}

int command_main(int argc, char **argv) {
    int first = options_first_operand(argc, argv);
    enum command_id id = first > 0 ? command_named(argv[first]) : COMMAND_NONE;
    struct options options;
    struct error error = {0};
    bool named = id != COMMAND_NONE;
    if (!named && (first > 0 || !asks_bare(argc, argv)))
        id = COMMAND_TUI;
    bool good = options_parse(argc, argv, named ? first : 0, id, &options, &error);
    int code;
    if (!named && id == COMMAND_TUI && options.base == NULL && first > 0 &&
        is_mistyped(argv[first]))
        code = complain_mistyped(argv[first]);
    else if (!good)
        code = complain_usage(id == COMMAND_NONE ? NULL : commands[id].name, "%s", error.message);
    else
        code = run(&options);
    error_free(&error);
    options_free(&options);
    return interrupt_code() != 0 ? interrupt_code() : code;
}
