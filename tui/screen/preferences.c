#include "tui/screen/preferences.h"

#include "tui/screen/keys.h"
#include "tui/screen/places.h"
#include "tui/terminal/theme.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool mouse_wanted = true;

bool preferences_mouse(void) {
    return mouse_wanted;
}

struct reason {
    char *text;
    size_t size;
};

static bool refuse(struct reason reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(struct reason reason, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(reason.text, reason.size, format, list);
    va_end(list);
    return false;
}

static bool line_theme(const char *value, struct reason reason) {
    return theme_choose(value) || refuse(reason, "%s is no theme; %s", value, theme_names());
}

static bool line_graph(const char *value, struct reason reason) {
    static const char *const names[] = {"braille", "block", "ascii"};
    for (unsigned set = 0; set < 3; set++)
        if (strcmp(value, names[set]) == 0) {
            bool fits = !theme_glyphs()->ascii || set == GLYPHS_ASCII;
            if (fits)
                theme_choose_glyphs((enum glyph_set)set);
            return fits || refuse(reason, "the locale shows ASCII only");
        }
    return refuse(reason, "%s is no graph; braille, block, ascii", value);
}

static bool line_mouse(const char *value, struct reason reason) {
    bool on = strcmp(value, "on") == 0;
    if (!on && strcmp(value, "off") != 0)
        return refuse(reason, "mouse is on or off");
    mouse_wanted = on;
    return true;
}

/* "31 bold": the colour, then attributes. */
static bool line_color(const char *value, struct reason reason) {
    char element[32] = "", color[16] = "", *end;
    int used = 0;
    unsigned flags = 0;
    if (sscanf(value, "%31s %15s %n", element, color, &used) < 2)
        return refuse(reason, "color takes an element and a colour");
    bool none = strcmp(color, "default") == 0;
    long index = strtol(color, &end, 10);
    if (!none && (*end != '\0' || index < 0 || index > 255))
        return refuse(reason, "%s is no colour; 0 to 255, or default", color);
    char *words = memory_string(value + used), *rest = words;
    bool good = true;
    for (char *word; (word = strsep(&rest, " ")) != NULL && good;) {
        unsigned flag = theme_flag(word);
        good = *word == '\0' || flag != 0 || refuse(reason, "%s is not bold, dim, reverse", word);
        flags |= flag;
    }
    good = good && (theme_set(element, none ? -1 : (int)index, flags) ||
                    refuse(reason, "%s is no element of the screen", element));
    free(words);
    return good;
}

static bool line_bind(const char *value, struct reason reason) {
    size_t length = strcspn(value, " ");
    char *name = memory_text(value, length);
    const char *keys = value + length + strspn(value + length, " ");
    bool good = binding_set_keys(name, keys, reason.text, reason.size);
    free(name);
    return good;
}

static const struct {
    const char *word;
    bool (*follow)(const char *value, struct reason reason);
} lines[] = {{"theme", line_theme},
             {"graph", line_graph},
             {"mouse", line_mouse},
             {"color", line_color},
             {"bind", line_bind}};

bool preferences_line(const char *line, char *text, size_t size) {
    struct reason reason = {text, size};
    size_t length = strcspn(line, " ");
    const char *value = line + length + strspn(line + length, " ");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strlen(lines[i].word) == length && strncmp(lines[i].word, line, length) == 0)
            return *value != '\0' ? lines[i].follow(value, reason)
                                  : refuse(reason, "%s takes a value", lines[i].word);
    return refuse(reason, "%.*s is not theme, graph, mouse, color, bind", (int)length, line);
}

/* Without spaces around, tabs, or what follows a # that begins a word. */
static char *plain_line(char *line) {
    line[strcspn(line, "\n")] = '\0';
    for (char *at = line; *at != '\0'; at++) {
        if (*at == '\t')
            *at = ' ';
        if (*at == '#' && (at == line || (at[-1] == ' ' && (at[1] == ' ' || at[1] == '\0'))))
            *at-- = '\0';
    }
    line += strspn(line, " ");
    for (size_t end = strlen(line); end > 0 && line[end - 1] == ' ';)
        line[--end] = '\0';
    return line;
}

/* What stands in the file so far: problems, and the line where each action got its keys. */
struct reading {
    const char *path;
    size_t number;
    struct string_list bound, where;
    struct string_list *problems;
};

static void report(struct reading *reading, const char *where, const char *reason) {
    char *problem = memory_format("%s: %s", where, reason);
    string_list_add(reading->problems, problem);
    free(problem);
}

static void read_line(struct reading *reading, const char *line) {
    char reason[200], action[40] = "";
    char *where = memory_format("%s:%zu", reading->path, reading->number);
    if (*line != '\0' && !preferences_line(line, reason, sizeof reason))
        report(reading, where, reason);
    if (sscanf(line, "bind %39s", action) == 1) {
        string_list_add(&reading->bound, action);
        string_list_add(&reading->where, where);
    }
    free(where);
}

/* Only the whole file shows which keys clash: two actions may exchange theirs. */
static void settle(struct reading *reading) {
    char clash[200];
    for (const char *action; (action = bindings_settle(clash, sizeof clash)) != NULL;) {
        const char *where = reading->path;
        for (size_t i = 0; i < reading->bound.count; i++)
            if (strcmp(reading->bound.items[i], action) == 0)
                where = reading->where.items[i];
        report(reading, where, clash);
    }
}

void preferences_read(const char *path, struct string_list *problems) {
    struct reading reading = {.path = path, .problems = problems};
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    if (file == NULL)
        return;
    while (getline(&line, &size, file) > 0) {
        reading.number++;
        read_line(&reading, plain_line(line));
    }
    settle(&reading);
    string_list_free(&reading.bound);
    string_list_free(&reading.where);
    free(line);
    fclose(file);
}

void preferences_load(struct string_list *problems) {
    char *folder = place_config();
    char *path = folder != NULL ? memory_format("%s/screen.conf", folder) : NULL;
    if (path != NULL)
        preferences_read(path, problems);
    free(path);
    free(folder);
}
