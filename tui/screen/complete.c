#include "tui/screen/complete.h"

#include "tui/screen/app.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MORE_WIDTH = 6 }; /* "  +123", names that are left out */

static const char gap[] = "  ";

struct completion complete_begin(const char *word) {
    return (struct completion){.word = word};
}

static bool is_listed(const struct completion *completion, const char *name) {
    size_t length = strlen(name);
    for (const char *at = completion->list; (at = strstr(at, name)) != NULL; at += length) {
        bool begins = at == completion->list || at[-1] == gap[0];
        if (begins && (at[length] == '\0' || at[length] == gap[0]))
            return true;
    }
    return false;
}

void complete_offer(struct completion *completion, const char *name) {
    char *common = completion->common;
    if (strncmp(name, completion->word, strlen(completion->word)) != 0 ||
        is_listed(completion, name))
        return;
    if (completion->count++ == 0)
        snprintf(common, PROMPT_ROOM, "%s", name);
    size_t same = 0;
    while (common[same] != '\0' && common[same] == name[same])
        same++;
    common[same] = '\0';
    size_t used = strlen(completion->list), length = strlen(name) + strlen(gap);
    if (used + length < PROMPT_ROOM)
        snprintf(completion->list + used, PROMPT_ROOM - used, "%s%s", used > 0 ? gap : "", name);
}

/* Whole names, as many as the row holds, and how many more there are. */
static void say_names(struct app *app, const struct completion *completion) {
    char shown[PROMPT_ROOM];
    const char *list = completion->list;
    size_t kept = 0;
    int length = 0;
    for (const char *end = list; end != NULL; kept++) {
        end = strstr(end + (kept > 0 ? strlen(gap) : 0), gap);
        int longer = end != NULL ? (int)(end - list) : (int)strlen(list);
        int more = kept + 1 < completion->count ? MORE_WIDTH : 0;
        snprintf(shown, sizeof shown, "%.*s", longer, list);
        if (kept > 0 && text_width(shown) + more > app->body.width - 2)
            break;
        length = longer;
    }
    snprintf(shown, sizeof shown, "  +%zu", completion->count - kept);
    app_say(app, STATUS_INFO, "%.*s%s", length, list, kept < completion->count ? shown : "");
}

void complete_end(struct completion *completion, struct app *app, char *word, size_t room) {
    bool grows = completion->count > 0 && strlen(completion->common) > strlen(word);
    if (completion->count == 0)
        app_say(app, STATUS_INFO, "nothing begins with \"%s\"", word);
    else if (completion->count > 1 && !grows)
        say_names(app, completion);
    if (grows)
        snprintf(word, room, "%s", completion->common);
}

static void offer_entry(struct completion *completion, const char *folder, const char *name) {
    struct stat status;
    char *path = memory_format("%s%s", folder, name);
    bool below = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    char *shown = memory_format("%s%s", name, below ? "/" : "");
    complete_offer(completion, shown);
    free(shown);
    free(path);
}

/* Hidden files only for a word that begins with a dot. */
void complete_path_word(struct app *app, char *word, size_t room) {
    char *slash = strrchr(word, '/'), *name = slash != NULL ? slash + 1 : word;
    char *folder = memory_text(word, (size_t)(name - word));
    DIR *entries = opendir(*folder != '\0' ? folder : ".");
    struct completion completion = complete_begin(name);
    for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
        if ((entry->d_name[0] == '.') == (*name == '.'))
            offer_entry(&completion, folder, entry->d_name);
    if (entries != NULL)
        closedir(entries);
    complete_end(&completion, app, name, room - (size_t)(name - word));
    free(folder);
}

void complete_path(struct app *app, char text[PROMPT_ROOM]) {
    complete_path_word(app, text, PROMPT_ROOM);
}
