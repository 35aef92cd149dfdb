#include "tui/screen/complete.h"

#include "tui/screen/app.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct completion complete_begin(const char *word) {
    return (struct completion){.word = word};
}

void complete_offer(struct completion *completion, const char *name) {
    char *common = completion->common;
    if (strncmp(name, completion->word, strlen(completion->word)) != 0)
        return;
    if (completion->count++ == 0)
        snprintf(common, PROMPT_ROOM, "%s", name);
    size_t same = 0;
    while (common[same] != '\0' && common[same] == name[same])
        same++;
    common[same] = '\0';
    size_t used = strlen(completion->list);
    snprintf(completion->list + used, PROMPT_ROOM - used, "%s%s", used > 0 ? "  " : "", name);
}

void complete_end(struct completion *completion, struct app *app, char *word, size_t room) {
    bool grows = completion->count > 0 && strlen(completion->common) > strlen(word);
    if (completion->count == 0)
        app_say(app, STATUS_INFO, "nothing begins with \"%s\"", word);
    else if (completion->count > 1 && !grows)
        app_say(app, STATUS_INFO, "%s", completion->list);
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
