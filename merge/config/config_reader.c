#include "merge/config/config_reader.h"

#include "merge/text.h"

#include <stdlib.h>
#include <string.h>

void reader_problem(struct reader *reader, const char *shown, const char *reason) {
    error_add(reader->problems, ERROR_USAGE, "%s: %s: %s", reader->name, shown, reason);
}

/* Takes over what another room found wrong; its message begins with the field. */
void reader_adopt(struct reader *reader, struct error *found) {
    error_add(reader->problems, ERROR_USAGE, "%s: %s", reader->name, found->message);
    error_free(found);
}

/* The part of path behind "object.", where that is one name; else NULL. */
static const char *member_name(const char *path, const char *object) {
    size_t length = strlen(object);
    const char *rest = path;
    if (length > 0) {
        if (strncmp(path, object, length) != 0 || path[length] != '.')
            return NULL;
        rest = path + length + 1;
    }
    return strpbrk(rest, ".[") == NULL ? rest : NULL;
}

/* Names that the object may hold; room for all rows and fields. Returns how many. */
static size_t allowed_names(const struct reader *reader, const char *object, const char **names) {
    size_t fields_count, count = 0;
    const struct settings_field *fields = settings_fields(&fields_count);
    for (size_t i = 0; i < reader->row_count + fields_count; i++) {
        const char *path =
            i < reader->row_count ? reader->rows[i].pattern : fields[i - reader->row_count].path;
        const char *name = member_name(path, object);
        if (name != NULL)
            names[count++] = name;
    }
    return count;
}

static void unknown_member(struct reader *reader, const char *object, struct member member) {
    size_t fields_count;
    settings_fields(&fields_count);
    const char **names = memory_array(reader->row_count + fields_count, sizeof *names);
    size_t count = allowed_names(reader, object, names);
    const char *nearest = nearest_name(member.item->string, names, count);
    char *list = names_join(names, count);
    char *reason = memory_format("unknown field%s%s%s; allowed is one of %s",
                                 nearest != NULL ? ", did you mean " : "",
                                 nearest != NULL ? nearest : "", nearest != NULL ? "?" : "", list);
    char *quoted = error_quote(member.shown, strlen(member.shown));
    reader_problem(reader, quoted, reason);
    free(names);
    free(list);
    free(reason);
    free(quoted);
}

static void read_setting(struct reader *reader, const struct settings_field *field,
                         const cJSON *item) {
    struct settings *settings = &reader->config->settings;
    struct error found = {0};
    bool good;
    if (field->type == FIELD_CHOICE && cJSON_IsString(item)) {
        good = settings_field_set_text(settings, field, item->valuestring, &found);
    } else if (field->type == FIELD_BOOL && cJSON_IsBool(item)) {
        good = settings_field_set_number(settings, field, cJSON_IsTrue(item), &found);
    } else if ((field->type == FIELD_NUMBER || field->type == FIELD_INTEGER) &&
               cJSON_IsNumber(item)) {
        good = settings_field_set_number(settings, field, item->valuedouble, &found);
    } else {
        char allowed[FIELD_TEXT];
        settings_field_allowed(field, allowed, sizeof allowed);
        good =
            error_set(&found, ERROR_USAGE, "%s: wrong type; allowed is %s", field->path, allowed);
    }
    if (!good)
        reader_adopt(reader, &found);
}

static const struct row *row_find(const struct reader *reader, const char *pattern) {
    for (size_t i = 0; i < reader->row_count; i++)
        if (strcmp(reader->rows[i].pattern, pattern) == 0)
            return &reader->rows[i];
    return NULL;
}

static void read_one(struct reader *reader, const cJSON *object, const char *object_pattern,
                     struct member member) {
    const struct settings_field *field = settings_field_find(member.pattern);
    const struct row *row = row_find(reader, member.pattern);
    bool is_path = strpbrk(member.item->string, ".[") != NULL; /* fields have plain names */
    if (is_path || (field == NULL && row == NULL))
        unknown_member(reader, object_pattern, member);
    else if (cJSON_GetObjectItemCaseSensitive(object, member.item->string) != member.item)
        reader_problem(reader, member.shown, "given more than once");
    else if (field != NULL)
        read_setting(reader, field, member.item);
    else
        row->read(reader, member);
}

static void demand_members(struct reader *reader, struct member object) {
    for (size_t i = 0; i < reader->row_count; i++) {
        const char *name = member_name(reader->rows[i].pattern, object.pattern);
        if (!reader->rows[i].required || name == NULL ||
            cJSON_GetObjectItemCaseSensitive(object.item, name) != NULL)
            continue;
        char *shown = memory_format("%s%s%s", object.shown, *object.shown != '\0' ? "." : "", name);
        reader_problem(reader, shown, "missing");
        free(shown);
    }
}

/* All members of an object: at the top (pattern ""), a named one or an element of a list. */
void reader_object(struct reader *reader, struct member object) {
    const char *dot = *object.pattern != '\0' ? "." : "";
    if (!cJSON_IsObject(object.item)) {
        reader_problem(reader, *object.shown != '\0' ? object.shown : "the file",
                       "wrong type; allowed is an object");
        return;
    }
    for (const cJSON *item = object.item->child; item != NULL; item = item->next) {
        char *pattern = memory_format("%s%s%s", object.pattern, dot, item->string);
        char *shown = memory_format("%s%s%s", object.shown, dot, item->string);
        read_one(reader, object.item, object.pattern, (struct member){item, pattern, shown});
        free(pattern);
        free(shown);
    }
    demand_members(reader, object);
}

/* A list of objects; begin makes room for the next one. */
void reader_list(struct reader *reader, struct member list, void (*begin)(struct config *)) {
    size_t index = 0;
    const cJSON *item;
    if (!cJSON_IsArray(list.item)) {
        reader_problem(reader, list.shown, "wrong type; allowed is a list of objects");
        return;
    }
    char *pattern = memory_format("%s[]", list.pattern);
    cJSON_ArrayForEach(item, list.item) {
        char *shown = memory_format("%s[%zu]", list.shown, index++);
        begin(reader->config);
        reader_object(reader, (struct member){item, pattern, shown});
        free(shown);
    }
    free(pattern);
}

/* A new string, or NULL with a problem noted. */
char *reader_string(struct reader *reader, struct member member) {
    if (cJSON_IsString(member.item) && *member.item->valuestring != '\0')
        return memory_string(member.item->valuestring);
    reader_problem(reader, member.shown, "allowed is a text that is not empty");
    return NULL;
}
