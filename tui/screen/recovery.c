#include "tui/screen/recovery.h"

#include "tui/screen/places.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAUSE 1.0 /* seconds from an edit to its copy on the disk */

/* One screen a process; a signal handler has no other way to it. */
static struct {
    char *folder, *path;
    _Atomic(char *) text; /* of the plan as it is; NULL: nothing unsaved */
    double due;           /* when it is written; negative: it is */
    bool written;
} copy = {.due = -1};

/* FNV-1a over the real paths of the inputs: which files a session is about. */
static unsigned long long inputs_hash(const struct config *config) {
    unsigned long long hash = 14695981039346656037u;
    for (size_t i = 0; i <= config->specialist_count; i++) {
        const char *path = i == 0 ? config->base : config->specialists[i - 1].path;
        char *real = realpath(path, NULL);
        for (const char *at = real != NULL ? real : path; *at != '\0'; at++)
            hash = (hash ^ (unsigned char)*at) * 1099511628211u;
        hash *= 1099511628211u;
        free(real);
    }
    return hash;
}

static unsigned take_up(struct app *app) {
    struct error error = {0};
    char *path = memory_format("%s/unsaved.json", copy.folder);
    bool good = plan_load(app->plan, path, "changes of the session before", &error);
    free(path);
    return app_edited(app, good, &error);
}

/* The process of "session-HASH-PID.json" is gone. */
static bool is_orphan(const char *name, const char *start) {
    size_t length = strlen(start);
    if (strncmp(name, start, length) != 0)
        return false;
    pid_t owner = (pid_t)strtol(name + length, NULL, 10);
    return owner > 0 && owner != getpid() && kill(owner, 0) != 0 && errno == ESRCH;
}

/* What was left behind moves to unsaved.json, whatever the answer is. */
static void ask(struct app *app, const char *name) {
    char *from = memory_format("%s/%s", copy.folder, name);
    char *to = memory_format("%s/unsaved.json", copy.folder);
    if (rename(from, to) == 0) {
        app_say(app, STATUS_WARNING, "what the last session left unsaved is in %s", to);
        question_open(&app->question, take_up,
                      "The last session of these files ended with unsaved changes. Take them up? "
                      "y/N");
    }
    free(from);
    free(to);
}

void recovery_start(struct app *app) {
    copy.folder = place_state();
    DIR *folder = copy.folder != NULL ? opendir(copy.folder) : NULL;
    if (folder == NULL)
        return;
    char *start = memory_format("session-%016llx-", inputs_hash(&app->plan->config));
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (is_orphan(entry->d_name, start))
            ask(app, entry->d_name);
    closedir(folder);
    copy.path = memory_format("%s/%s%ld.json", copy.folder, start, (long)getpid());
    free(start);
}

static void set_text(char *text) {
    free(atomic_exchange(&copy.text, text));
}

void recovery_note(struct app *app) {
    if (copy.path == NULL)
        return;
    set_text(app->plan->modified ? config_text(&app->plan->config, copy.folder) : NULL);
    copy.due = app->now + PAUSE;
}

/* Async-signal-safe. */
static bool write_copy(const char *text) {
    int file = open(copy.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t length = strlen(text);
    bool good = file >= 0 && write(file, text, length) == (ssize_t)length;
    if (file >= 0)
        close(file);
    return good;
}

void recovery_advance(struct app *app) {
    bool saved = copy.text != NULL && !app->plan->modified;
    if (copy.path == NULL || (!saved && (copy.due < 0 || app->now < copy.due)))
        return;
    copy.due = -1;
    if (saved)
        set_text(NULL);
    if (copy.text != NULL)
        copy.written = write_copy(copy.text);
    else if (copy.written)
        copy.written = unlink(copy.path) != 0;
}

double recovery_deadline(const struct app *app) {
    if (copy.due < 0)
        return -1;
    return copy.due > app->now ? copy.due - app->now : 0;
}

const char *recovery_end(struct app *app, bool keep) {
    static char kept[PATH_MAX];
    bool stays = keep && copy.text != NULL && app->plan->modified && write_copy(copy.text);
    snprintf(kept, sizeof kept, "%s", stays ? copy.path : "");
    if (!stays && copy.path != NULL)
        unlink(copy.path);
    set_text(NULL);
    free(copy.folder);
    free(copy.path);
    copy.folder = copy.path = NULL;
    copy.due = -1;
    return stays ? kept : NULL;
}

void recovery_emergency(void) {
    const char *text = copy.text;
    if (copy.path != NULL && text != NULL)
        write_copy(text);
}
