#include "tui/command/completion.h"

#include "merge/config/settings.h"
#include "merge/rank_rule.h"
#include "tui/command/command.h"
#include "tui/command/complain.h"

#include <string.h>

/* The values an option may have, separated by blanks; what --set takes stands with its '='. */
static void print_values(const struct option *option) {
    size_t count;
    const struct settings_field *fields = settings_fields(&count);
    bool is_set = option->kind == OPTION_LIST && option->key == NULL;
    for (size_t i = 0; is_set && i < count; i++)
        printf("%s%s=", i > 0 ? " " : "", fields[i].path);
    for (enum rank_kind kind = 0; is_set && kind < RANK_KIND_COUNT; kind++)
        printf(" residual.rank.%s=%s", rank_kind_name(kind),
               rank_kind_has_value(kind) ? "" : "true");
    const char *const *choices = option->choices != NULL ? option->choices() : NULL;
    for (size_t i = 0; choices != NULL && choices[i] != NULL; i++)
        printf("%s%s", i > 0 ? " " : "", choices[i]);
}

/* Whether the value is the name of a file or folder. */
static bool is_path(const struct option *option) {
    static const char *const paths[] = {"FILE", "OUT", "DIR", "CONFIG"};
    for (size_t i = 0; option->argument != NULL && i < sizeof paths / sizeof *paths; i++)
        if (strcmp(option->argument, paths[i]) == 0)
            return true;
    return false;
}

static bool has_values(const struct option *option) {
    return option->choices != NULL || (option->kind == OPTION_LIST && option->key == NULL);
}

/* In single quotes, which all three shells read alike but for a quote itself. */
static void print_quoted(const char *text, const char *quote) {
    for (; *text != '\0'; text++)
        if (*text == '\'')
            fputs(quote, stdout);
        else
            putchar(*text);
}

static void print_names(enum command_id command) {
    size_t count;
    const struct option *options = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (!option_is_listed(&options[i], command))
            continue;
        printf(" --%s", options[i].name);
        if (options[i].letter != 0)
            printf(" -%c", options[i].letter);
    }
}

static void print_commands(void) {
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("%s%s", i > 0 ? " " : "", commands[i].name);
}

static void print_bash(void) {
    size_t count;
    const struct option *options = option_table(&count);
    fputs("_r2m() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command=${COMP_WORDS[1]} options values\n"
          "    case $before in\n",
          stdout);
    for (size_t i = 0; i < count; i++) {
        if (options[i].help == NULL || !has_values(&options[i]))
            continue;
        printf("    --%s) values='", options[i].name);
        print_values(&options[i]);
        puts("' ;;");
    }
    puts("    esac\n    case $command in");
    for (size_t i = COMMAND_INSPECT; i < COMMAND_COUNT; i++) {
        printf("    %s) options='", commands[i].name);
        print_names((enum command_id)i);
        puts("' ;;");
    }
    fputs("    *) options='", stdout);
    print_names(COMMAND_TUI);
    print_names(COMMAND_NONE);
    fputs("' ;;\n    esac\n"
          "    [[ $word == -* ]] || options=\n"
          "    [[ $COMP_CWORD == 1 ]] && options+=' ",
          stdout);
    print_commands();
    puts("'\n"
         "    [[ $values == *= ]] && compopt -o nospace\n"
         "    COMPREPLY=($(compgen -W \"${values:-$options}\" -- \"$word\"))\n"
         "}\n"
         "complete -o default -F _r2m r2m");
}

static void print_zsh_option(const struct option *option) {
    if (option->letter != 0)
        printf(" '(-%c --%s)'{-%c%s,--%s%s}'[", option->letter, option->name, option->letter,
               option->argument != NULL ? "+" : "", option->name,
               option->argument != NULL ? "=" : "");
    else
        printf(" '%s--%s%s[", option->kind == OPTION_LIST ? "*" : "", option->name,
               option->argument != NULL ? "=" : "");
    print_quoted(option->help, "'\\''");
    putchar(']');
    if (option->argument != NULL && has_values(option)) {
        printf(":%s:(", option->argument);
        print_values(option);
        putchar(')');
    } else if (option->argument != NULL) {
        printf(":%s:%s", option->argument, is_path(option) ? "_files" : " ");
    }
    putchar('\'');
}

/* Of one command, or of either of two. */
static void print_zsh_options(enum command_id command, enum command_id other) {
    size_t count;
    const struct option *options = option_table(&count);
    for (size_t i = 0; i < count; i++)
        if (option_is_listed(&options[i], command) || option_is_listed(&options[i], other))
            print_zsh_option(&options[i]);
}

static void print_zsh(void) {
    puts("#compdef r2m\n\nlocal -a commands\ncommands=(");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("    '%s:%s'\n", commands[i].name, commands[i].summary);
    puts(")\n(( CURRENT == 2 )) && [[ $words[2] != -* ]] && _describe command commands\n"
         "case $words[2] in");
    for (size_t i = COMMAND_INSPECT; i < COMMAND_COUNT; i++) {
        printf("%s) _arguments -S", commands[i].name);
        print_zsh_options((enum command_id)i, (enum command_id)i);
        puts(" '*:file:_files' ;;");
    }
    fputs("*) _arguments -S", stdout);
    print_zsh_options(COMMAND_TUI, COMMAND_NONE);
    puts(" '*:file:_files' ;;\nesac");
}

static void print_fish_options(enum command_id command, const char *condition) {
    size_t count;
    const struct option *options = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (!option_is_listed(&options[i], command))
            continue;
        printf("complete -c r2m -n '%s' -l %s", condition, options[i].name);
        if (options[i].letter != 0)
            printf(" -s %c", options[i].letter);
        if (has_values(&options[i])) {
            fputs(" -x -a '", stdout);
            print_values(&options[i]);
            putchar('\'');
        } else if (options[i].argument != NULL) {
            fputs(is_path(&options[i]) ? " -r" : " -x", stdout);
        }
        fputs(" -d '", stdout);
        print_quoted(options[i].help, "\\'");
        puts("'");
    }
}

static void print_fish(void) {
    char condition[128] = "not __fish_seen_subcommand_from";
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("complete -c r2m -n __fish_use_subcommand -a %s -d '%s'\n", commands[i].name,
               commands[i].summary);
    for (size_t i = COMMAND_INSPECT; i < COMMAND_COUNT; i++) {
        size_t used = strlen(condition);
        char own[64];
        snprintf(own, sizeof own, "__fish_seen_subcommand_from %s", commands[i].name);
        print_fish_options((enum command_id)i, own);
        snprintf(condition + used, sizeof condition - used, " %s", commands[i].name);
    }
    print_fish_options(COMMAND_TUI, condition);
    print_fish_options(COMMAND_NONE, "__fish_use_subcommand");
}

int completion_print(const char *shell) {
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shells[i].name, shell) == 0)
            shells[i].print();
    return EXIT_DONE;
}
