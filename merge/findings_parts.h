/* What the findings share; private to findings*.c. */
#ifndef R2M_MERGE_FINDINGS_PARTS_H
#define R2M_MERGE_FINDINGS_PARTS_H

#include "merge/findings.h"

/* What is looked at. */
struct findings_source {
    const struct plan *plan;
    const struct analysis *analysis;
    const struct preview *preview;
    const struct tensor_table *table;
};

/* Adds what it finds to the list. */
typedef void find(const struct findings_source *of, struct finding_list *list);

/* Takes the three texts. */
void findings_add(struct finding_list *list, const struct remedy *remedy, char *what, char *text,
                  char *advice);

/* Of single layers (findings_layers.c). The preview is complete. */
find find_uneven_layers, find_cut_signal, find_kept_noise, find_dropped_layers, find_unchanged;

#endif
