/* Writing YAML by libyaml, which quotes what would read back as something else.
 *
 *     struct yaml_writer yaml;
 *     yaml_writer_begin(&yaml);                                  the top mapping is open
 *     yaml_writer_text(&yaml, "merge_method", "linear");
 *     yaml_writer_open(&yaml, "models", YAML_LIST, false); ... yaml_writer_close(&yaml, YAML_LIST);
 *     char *text = yaml_writer_end(&yaml);                       free() it
 */
#ifndef R2M_MERGE_EXCHANGE_YAML_WRITER_H
#define R2M_MERGE_EXCHANGE_YAML_WRITER_H

#include "merge/exchange/yaml_tree.h"

#include <yaml.h>

struct yaml_writer {
    yaml_emitter_t emitter;
    char *text;
    size_t length;
    bool good;
};

void yaml_writer_begin(struct yaml_writer *yaml);

/* NULL where the texts are not UTF-8. */
char *yaml_writer_end(struct yaml_writer *yaml);

/* key is NULL in a list; flow: in one row. */
void yaml_writer_open(struct yaml_writer *yaml, const char *key, enum yaml_kind kind, bool flow);
void yaml_writer_close(struct yaml_writer *yaml, enum yaml_kind kind);

void yaml_writer_text(struct yaml_writer *yaml, const char *key, const char *text);
void yaml_writer_number(struct yaml_writer *yaml, const char *key, double value);
void yaml_writer_truth(struct yaml_writer *yaml, const char *key, bool value);

#endif
