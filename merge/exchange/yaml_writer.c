#include "merge/exchange/yaml_writer.h"

#include "analysis/support/memory.h"
#include "merge/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int take(void *context, unsigned char *bytes, size_t count) {
    struct yaml_writer *yaml = context;
    yaml->text = memory_resize(yaml->text, yaml->length + count + 1, 1);
    memcpy(yaml->text + yaml->length, bytes, count);
    yaml->length += count;
    yaml->text[yaml->length] = '\0';
    return 1;
}

/* made: whether the event could be. The emitter takes it over. */
static void emit(struct yaml_writer *yaml, int made, yaml_event_t *event) {
    yaml->good = yaml->good && made && yaml_emitter_emit(&yaml->emitter, event);
}

static void scalar(struct yaml_writer *yaml, const char *text, yaml_scalar_style_t style) {
    yaml_event_t event;
    int made =
        yaml->good && yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
                                                   (int)strlen(text), 1, 1, style);
    emit(yaml, made, &event);
}

/* Whether a plain text would read back as a number or a truth value. */
static bool means_more(const char *text) {
    struct yaml_value value = {.kind = YAML_TEXT, .text = (char *)text, .plain = true};
    double number;
    bool truth;
    return yaml_tree_number(&value, &number) || yaml_tree_truth(&value, &truth) || *text == '\0' ||
           strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0;
}

void yaml_writer_begin(struct yaml_writer *yaml) {
    yaml_event_t event;
    *yaml = (struct yaml_writer){.good = true};
    if (!yaml_emitter_initialize(&yaml->emitter))
        memory_exhausted(sizeof yaml->emitter);
    yaml_emitter_set_output(&yaml->emitter, take, yaml);
    yaml_emitter_set_unicode(&yaml->emitter, 1);
    yaml_emitter_set_width(&yaml->emitter, -1);
    emit(yaml, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event);
    emit(yaml, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1), &event);
    yaml_writer_open(yaml, NULL, YAML_MAP, false);
}

char *yaml_writer_end(struct yaml_writer *yaml) {
    yaml_event_t event;
    yaml_writer_close(yaml, YAML_MAP);
    emit(yaml, yaml_document_end_event_initialize(&event, 1), &event);
    emit(yaml, yaml_stream_end_event_initialize(&event), &event);
    yaml_emitter_delete(&yaml->emitter);
    if (yaml->good)
        return yaml->text;
    free(yaml->text);
    return NULL;
}

void yaml_writer_open(struct yaml_writer *yaml, const char *key, enum yaml_kind kind, bool flow) {
    yaml_event_t event;
    int made;
    if (key != NULL)
        scalar(yaml, key, YAML_PLAIN_SCALAR_STYLE);
    if (kind == YAML_LIST)
        made = yaml_sequence_start_event_initialize(
            &event, NULL, NULL, 1, flow ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE);
    else
        made = yaml_mapping_start_event_initialize(
            &event, NULL, NULL, 1, flow ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE);
    emit(yaml, made, &event);
}

void yaml_writer_close(struct yaml_writer *yaml, enum yaml_kind kind) {
    yaml_event_t event;
    emit(yaml,
         kind == YAML_LIST ? yaml_sequence_end_event_initialize(&event)
                           : yaml_mapping_end_event_initialize(&event),
         &event);
}

void yaml_writer_text(struct yaml_writer *yaml, const char *key, const char *text) {
    if (key != NULL)
        scalar(yaml, key, YAML_PLAIN_SCALAR_STYLE);
    scalar(yaml, text,
           means_more(text) ? YAML_SINGLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE);
}

void yaml_writer_number(struct yaml_writer *yaml, const char *key, double value) {
    char text[NUMBER_TEXT];
    if (key != NULL)
        scalar(yaml, key, YAML_PLAIN_SCALAR_STYLE);
    scalar(yaml, number_text(value, text), YAML_PLAIN_SCALAR_STYLE);
}

void yaml_writer_truth(struct yaml_writer *yaml, const char *key, bool value) {
    scalar(yaml, key, YAML_PLAIN_SCALAR_STYLE);
    scalar(yaml, value ? "true" : "false", YAML_PLAIN_SCALAR_STYLE);
}
