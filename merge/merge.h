/* The merge itself: theta = theta_0 + core_scale * tau_core + eta * tau_res, streamed tensor by
 * tensor (method.md section 5). Memory is bounded by the tensors in flight, one per worker. */
#ifndef R2M_MERGE_MERGE_H
#define R2M_MERGE_MERGE_H

#include "analysis/checkpoint/writer.h"
#include "analysis/needs.h"
#include "merge/preview.h"

struct merge_result {
    size_t tensors;
    size_t kept;          /* of them: there from an interrupted merge */
    uint64_t bytes;       /* of the file, or of all shards */
    double core_norm;     /* this and the next two are NaN with a method that has no such number */
    double residual_norm; /* nbar */
    double eta;
    double seconds;
    char sha256[SHA256_TEXT];
};

/* Where the merge goes. */
struct merge_output {
    const char *path;
    bool overwrite;
    bool lasting; /* what is written outlives an interruption, under writer_lasting(path) */
    bool resume;  /* goes on with what is there */
    const _Atomic bool *cancel; /* stops a merge without progress; may be NULL */
};

/* Before the analysis starts: shares the layers of the plan's table out to the ranks (ranks.h,
 * layer_owners.h), so that each one finds the spectra of what it writes. Of a folder with at least
 * as many shards as ranks, a shard is written by one rank. table: the plan's. */
bool merge_share_out(const struct plan *plan, const char *path, struct tensor_table *table,
                     struct error *error);

/* What a merge needs, before it runs. */
struct merge_estimate {
    size_t tensors;
    uint64_t output_bytes;
    uint64_t free_bytes;   /* on the disk of the output; 0 when unknown */
    unsigned threads;      /* as many as fit the memory */
    uint64_t vector_bytes; /* room for singular vectors, for merge_wish */
    bool late;             /* and for workers that find them while they write */
    uint64_t memory_bytes; /* peak of our own buffers, those vectors too, beside mapped files */
    unsigned passes;       /* over the weights */
    uint64_t read_bytes;   /* weights read, all passes */
    double operations;     /* floating point operations of the spectra and truncations */
};

/* From shapes alone: needs neither Gram matrices nor spectra. Memory and operations are upper
 * estimates (a rank that only the spectrum tells counts as half of the full one), the size of the
 * output is close. Fails as merge_check_output does, and when one thread is too much for the
 * memory. */
bool merge_estimate(const struct plan *plan, const struct work_limits *limits, const char *path,
                    struct merge_estimate *estimate, struct error *error);

/* About how long it takes on this machine, whose speed is measured for some milliseconds. */
double merge_expected_seconds(const struct merge_estimate *estimate);

/* Whether path may be written by this plan: a file of a known ending or a folder (always a folder
 * with output.shard_bytes), and no input by any path; an ERROR_USAGE says what is wrong. Whether
 * the file exists is not looked at. */
bool merge_check_output(const struct plan *plan, const char *path, struct error *error);

/* A digest of config and inputs, of which the merge follows. Takes milliseconds. */
void merge_digest(const struct plan *plan, char sha256[SHA256_TEXT]);

/* Whether path leads to a file of the base or of a specialist, or to a folder that holds one. */
bool merge_is_input(const struct plan *plan, const char *path);

/* Sentences about the tensors of an output of that name, for people: whose names it has, what is
 * left out, which are tied. */
struct string_list merge_notes(const struct plan *plan, const char *path);

/* Whether the plan needs the spectra pass (some cell's truncated norm does not follow from Grams).
 */
bool merge_needs_spectra(const struct plan *plan);

/* For analysis_wish: the singular vectors that the plan's truncations need, so that merge_write
 * finds them. bytes: room for them. late in the wish is false; true where the estimate says so lets
 * an interrupted merge go on at once: what was written needs no vectors again. The plan is borrowed
 * and must not change until the analysis has ended. */
struct vector_wish merge_wish(const struct plan *plan, uint64_t bytes);

/* Writes the merged checkpoint. The analysis must be far enough: DONE, or the core when
 * !merge_needs_spectra. progress (may be NULL) counts bytes of output. The output may not be one of
 * the inputs, by any path. Safe to call from a thread of its own while the owner only reads plan
 * and analysis: it takes what it needs first, from copies the caller gives it. */
bool merge_write(const struct plan *plan, const struct analysis *analysis, struct pool *pool,
                 const char *path, bool overwrite, struct progress *progress,
                 struct merge_result *result, struct error *error);

/* The same with a choice of what becomes of an interrupted one; together with all ranks, each of
 * which writes its tensors (with several, output->lasting must be true). To go on, inputs and
 * settings must be those that it had; the bytes are those of a merge that was never interrupted. */
bool merge_write_to(const struct plan *plan, const struct analysis *analysis, struct pool *pool,
                    const struct merge_output *output, struct progress *progress,
                    struct merge_result *result, struct error *error);

/* One merged tensor in float64 (layer's elements; vectors, matrices and heads), for tests and
 * comparisons: the same arithmetic as merge_write before rounding. */
bool merge_layer(const struct plan *plan, const struct analysis *analysis,
                 const struct preview *preview, size_t layer, double *target, struct error *error);

#endif
