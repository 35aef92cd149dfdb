/* Regular expressions for names of modules, with a number each: PEFT's rank_pattern and
 * alpha_pattern. Matched as PEFT does, by Perl's rules (PCRE2 stands in for Python's re), in
 * bounded time. Private to the folder. */
#ifndef R2M_ANALYSIS_CHECKPOINT_MODULE_PATTERN_H
#define R2M_ANALYSIS_CHECKPOINT_MODULE_PATTERN_H

#include "analysis/checkpoint/header_json.h"
#include "analysis/checkpoint/lora/adapter_config.h"

/* Returns NULL, or what is wrong with the pattern. */
const char *module_patterns_add(struct module_patterns *patterns, const struct json_text *pattern,
                                double value);

/* *value: that of the first pattern that matches the end of the name from a dot on, or all of it;
 * unchanged where none does. trials counts; false: too many. */
bool module_patterns_find(const struct module_patterns *patterns, const char *name, size_t length,
                          uint64_t *trials, double *value);

void module_patterns_free(struct module_patterns *patterns);

#endif
