/* The ranks of MPI_COMM_WORLD. A process that no launcher has started never calls MPI. Waiting is
 * done in small sleeps, so that it costs no processor. */
#include "analysis/support/memory.h"
#include "analysis/support/ranks.h"

#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WARNING_TAG = 1 };

const char *ranks_feature(void) {
    return "+mpi";
}

/* By what launchers leave in the environment: Open MPI's, and those that speak PMIx or PMI. */
static bool is_launched(void) {
    static const char *const marks[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (getenv(marks[i]) != NULL)
            return true;
    return false;
}

static bool is_running(void) {
    int begun, ended;
    MPI_Initialized(&begun);
    MPI_Finalized(&ended);
    return begun && !ended;
}

bool ranks_begin(struct error *error) {
    int level = MPI_THREAD_SERIALIZED;
    if (is_launched())
        MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level);
    return level >= MPI_THREAD_SERIALIZED ||
           error_set(error, ERROR_INPUT, "this MPI library cannot be used with threads");
}

/* Returns when MPI_Wait would not have to wait. */
static void sleep_until_done(MPI_Request request) {
    const struct timespec moment = {.tv_nsec = 200000};
    int done = 0;
    MPI_Request_get_status(request, &done, MPI_STATUS_IGNORE);
    while (!done) {
        nanosleep(&moment, NULL);
        MPI_Request_get_status(request, &done, MPI_STATUS_IGNORE);
    }
}

void ranks_end(void) {
    MPI_Request request;
    if (!is_running())
        return;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    sleep_until_done(request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Finalize();
}

size_t ranks_count(void) {
    int count = 1;
    if (is_running())
        MPI_Comm_size(MPI_COMM_WORLD, &count);
    return (size_t)count;
}

size_t ranks_own(void) {
    int own = 0;
    if (is_running())
        MPI_Comm_rank(MPI_COMM_WORLD, &own);
    return (size_t)own;
}

size_t ranks_beside(void) {
    MPI_Comm machine;
    int count = 1;
    if (!is_running())
        return 1;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_size(machine, &count);
    MPI_Comm_free(&machine);
    return (size_t)count;
}

bool ranks_warned(void) {
    int there = 0;
    if (is_running())
        MPI_Iprobe(MPI_ANY_SOURCE, WARNING_TAG, MPI_COMM_WORLD, &there, MPI_STATUS_IGNORE);
    return there;
}

/* To every other rank. Empty messages do not wait for their receivers. */
static void warn(void) {
    for (size_t rank = 0; rank < ranks_count(); rank++)
        if (rank != ranks_own())
            MPI_Send(NULL, 0, MPI_BYTE, (int)rank, WARNING_TAG, MPI_COMM_WORLD);
}

/* What a rank has to say, of a fixed size: as much of its message and hint as fits. */
struct report {
    int kind; /* enum error_kind; -1 for a good rank */
    char message[4000], hint[400];
};

/* Of a text that is too long, the whole lines that fit. target is all zero. */
static void copy_text(char *target, size_t size, const char *text) {
    size_t length = text != NULL ? strnlen(text, size) : 0;
    memcpy(target, text != NULL ? text : "", length < size ? length : size - 1);
    char *last = strrchr(target, '\n');
    if (length == size && last != NULL)
        *last = '\0';
}

static struct report make_report(bool good, const struct error *error) {
    struct report report = {.kind = good ? -1 : (int)error->kind};
    if (!good) {
        copy_text(report.message, sizeof report.message, error->message);
        copy_text(report.hint, sizeof report.hint, error->hint);
    }
    return report;
}

static bool is_said(const struct report *reports, size_t rank) {
    for (size_t earlier = 0; earlier < rank; earlier++)
        if (reports[earlier].kind == reports[rank].kind &&
            strcmp(reports[earlier].message, reports[rank].message) == 0)
            return true;
    return false;
}

/* The reports of the ranks that failed, or of those that were interrupted. */
static void tell(const struct report *reports, size_t count, bool interrupted,
                 struct error *error) {
    for (size_t rank = 0; rank < count; rank++) {
        const struct report *report = &reports[rank];
        if (report->kind < 0 || (report->kind == ERROR_CANCELLED) != interrupted ||
            is_said(reports, rank) || (interrupted && error->kind != ERROR_NONE))
            continue;
        error_add(error, (enum error_kind)report->kind, "%s", report->message);
        if (report->hint[0] != '\0')
            error_hint(error, "%s", report->hint);
    }
}

bool ranks_agree(bool good, struct error *error) {
    size_t count = ranks_count(), failed = 0;
    if (count == 1)
        return good;
    struct report own = make_report(good, error);
    struct report *reports = memory_array(count, sizeof *reports);
    MPI_Request request;
    if (!good)
        warn();
    MPI_Iallgather(&own, sizeof own, MPI_BYTE, reports, sizeof own, MPI_BYTE, MPI_COMM_WORLD,
                   &request);
    sleep_until_done(request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    for (size_t rank = 0; rank < count; rank++) {
        failed += reports[rank].kind >= 0;
        if (reports[rank].kind >= 0 && rank != ranks_own())
            MPI_Recv(NULL, 0, MPI_BYTE, (int)rank, WARNING_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    if (failed > 0) {
        error_free(error);
        tell(reports, count, false, error);
        if (error->kind == ERROR_NONE)
            tell(reports, count, true, error);
    }
    free(reports);
    return failed == 0;
}

/* Piece by piece, as MPI counts in int. */
static void broadcast(double *values, size_t count, size_t root) {
    enum { PIECE = 1 << 27 };
    MPI_Request request;
    for (size_t done = 0; done < count; done += PIECE) {
        size_t rest = count - done;
        MPI_Ibcast(values + done, (int)(rest < PIECE ? rest : PIECE), MPI_DOUBLE, (int)root,
                   MPI_COMM_WORLD, &request);
        sleep_until_done(request);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    }
}

/* Copies the items of one rank between their places and one stretch. Returns its length. */
static size_t pack(double *values, const size_t *first, size_t count, const size_t *owners,
                   size_t rank, double *packed, bool unpack) {
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = first[i + 1] - first[i];
        if (owners[i] != rank)
            continue;
        double *item = values + first[i];
        memcpy(unpack ? item : packed + length, unpack ? packed + length : item,
               size * sizeof *item);
        length += size;
    }
    return length;
}

void ranks_gather(double *values, const size_t *first, size_t count, const size_t *owners) {
    size_t ranks = ranks_count(), own = ranks_own();
    if (ranks == 1)
        return;
    double *packed = memory_array(first[count] - first[0] + 1, sizeof *packed);
    for (size_t rank = 0; rank < ranks; rank++) {
        size_t length = 0;
        for (size_t i = 0; i < count; i++)
            length += owners[i] == rank ? first[i + 1] - first[i] : 0;
        if (rank == own)
            pack(values, first, count, owners, rank, packed, false);
        broadcast(packed, length, rank);
        if (rank != own)
            pack(values, first, count, owners, rank, packed, true);
    }
    free(packed);
}
