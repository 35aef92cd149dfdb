#include "merge/layers_csv.h"

#include "merge/csv.h"

#include <math.h>
#include <stdio.h>

static const char titles[] = "layer,role,rows,cols,dominance,specialist,norm,real,fake,cross,rank,"
                             "max_rank,kept,residual_norm,contribution,share_before,share,"
                             "stable_rank,effective_rank\n";

/* A comma and the number; the comma alone for what is not known. */
static void write_number(FILE *csv, bool is_known, double value) {
    fputc(',', csv);
    csv_number(csv, is_known ? value : NAN);
}

static void write_cell(FILE *csv, const struct analysis *analysis, const struct preview *preview,
                       size_t l, size_t i) {
    const struct preview_cell *cell = preview_cell_at(preview, l, i);
    const double *gram = analysis_gram(analysis, l);
    const struct energy_split split = energy_split_layer(analysis->core, gram, i);
    const struct spectra *spectra = analysis->spectra;
    const struct spectrum *spectrum = spectra != NULL ? spectra_get(spectra, l, i) : NULL;
    bool complete = preview->complete, is_known = spectrum != NULL;
    write_number(csv, true, sqrt(gram[i * preview->specialist_count + i]));
    write_number(csv, true, split.real);
    write_number(csv, true, split.fake);
    write_number(csv, true, split.cross);
    write_number(csv, cell->ready, (double)cell->rank);
    write_number(csv, true, (double)cell->max_rank);
    write_number(csv, cell->ready, cell->kept);
    write_number(csv, cell->ready, cell->residual_norm);
    write_number(csv, complete, cell->contribution);
    write_number(csv, complete, cell->share_before);
    write_number(csv, complete, cell->share_after);
    write_number(csv, is_known, is_known ? spectrum_stable_rank(spectrum) : NAN);
    write_number(csv, is_known, is_known ? spectrum_effective_rank(spectrum) : NAN);
}

char *layers_csv(const struct analysis *analysis, const struct preview *preview) {
    const struct tensor_table *table = analysis->table;
    char *text = NULL;
    size_t size = 0;
    FILE *csv = memory_stream(&text, &size);
    fputs(titles, csv);
    for (size_t l = 0; l < table->layer_count; l++)
        for (size_t i = 0; i < preview->specialist_count && layer_is_shared(&table->layers[l]);
             i++) {
            csv_text(csv, table->layers[l].name);
            fprintf(csv, ",%s", role_name(table->layers[l].role));
            write_number(csv, true, (double)table->layers[l].rows);
            write_number(csv, true, (double)table->layers[l].cols);
            write_number(csv, preview->complete, preview->dominance[l]);
            fputc(',', csv);
            csv_text(csv, table->specialists[i].name);
            write_cell(csv, analysis, preview, l, i);
            fputc('\n', csv);
        }
    memory_stream_end(csv);
    return text;
}
