#include "analysis/support/limits.h"

#include "analysis/support/memory.h"

#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 4096 };

/* A limit of the group whose files stand in folder, UINT64_MAX for none. */
typedef uint64_t group_value(const char *folder);

/* The first line of FOLDER/NAME in line, false when there is none. */
static bool read_line(const char *folder, const char *name, char line[LINE_BYTES]) {
    char *path = memory_format("%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    bool good = file != NULL && fgets(line, LINE_BYTES, file) != NULL;
    if (file != NULL)
        fclose(file);
    free(path);
    return good;
}

/* A number, or UINT64_MAX for "max", "-1" and what is not there. */
static uint64_t read_number(const char *folder, const char *name) {
    char line[LINE_BYTES];
    uint64_t number;
    if (!read_line(folder, name, line) || sscanf(line, "%" SCNu64, &number) != 1 || line[0] == '-')
        return UINT64_MAX;
    return number;
}

static uint64_t quotient_up(uint64_t quota, uint64_t period) {
    return quota == UINT64_MAX || period == UINT64_MAX || period == 0
               ? UINT64_MAX
               : (quota + period - 1) / period;
}

/* cpu.max: "QUOTA PERIOD" in microseconds, or "max PERIOD". */
static uint64_t processors_v2(const char *folder) {
    char line[LINE_BYTES];
    uint64_t quota, period;
    if (!read_line(folder, "cpu.max", line) ||
        sscanf(line, "%" SCNu64 " %" SCNu64, &quota, &period) != 2)
        return UINT64_MAX;
    return quotient_up(quota, period);
}

static uint64_t processors_v1(const char *folder) {
    return quotient_up(read_number(folder, "cpu.cfs_quota_us"),
                       read_number(folder, "cpu.cfs_period_us"));
}

/* Of the group's memory, the pages of files: they count as used, but make room for what is wanted,
 * as in the kernel's MemAvailable. active, inactive: their names in memory.stat. */
static uint64_t file_pages(const char *folder, const char *active, const char *inactive) {
    char line[LINE_BYTES], name[32], *path = memory_format("%s/memory.stat", folder);
    uint64_t bytes, sum = 0;
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%31s %" SCNu64, name, &bytes) == 2 &&
            (strcmp(name, active) == 0 || strcmp(name, inactive) == 0))
            sum += bytes;
    if (file != NULL)
        fclose(file);
    free(path);
    return sum;
}

static uint64_t left(uint64_t limit, uint64_t used, uint64_t files) {
    if (limit == UINT64_MAX || used == UINT64_MAX)
        return limit;
    used -= files < used ? files : used;
    return limit > used ? limit - used : 0;
}

static uint64_t memory_v2(const char *folder) {
    return left(read_number(folder, "memory.max"), read_number(folder, "memory.current"),
                file_pages(folder, "active_file", "inactive_file"));
}

/* Here total_ means with the groups below, as memory.usage_in_bytes counts. */
static uint64_t memory_v1(const char *folder) {
    return left(read_number(folder, "memory.limit_in_bytes"),
                read_number(folder, "memory.usage_in_bytes"),
                file_pages(folder, "total_active_file", "total_inactive_file"));
}

/* The least value among the group path below mount and those above it. */
static uint64_t least_upwards(const char *root, const char *mount, const char *path,
                              group_value *value) {
    uint64_t least = UINT64_MAX;
    char *folder = memory_format("%s%s%s", root, mount, path);
    size_t top = strlen(root) + strlen(mount);
    for (;;) {
        uint64_t here = value(folder);
        least = here < least ? here : least;
        if (strlen(folder) <= top)
            break;
        *strrchr(folder, '/') = '\0';
    }
    free(folder);
    return least;
}

/* Whether a line "ID:CONTROLLERS:PATH" of /proc/self/cgroup is of that controller. */
static bool has_controller(const char *list, size_t length, const char *controller) {
    size_t wanted = strlen(controller);
    for (const char *end = list + length; list < end;) {
        size_t one = strcspn(list, ",:");
        if (one == wanted && memcmp(list, controller, one) == 0)
            return true;
        list += one + 1;
    }
    return false;
}

/* The least over all groups of the process. Version 2 has one line without controllers. */
static uint64_t least_of_groups(const char *root, const char *controller, group_value *old_value,
                                group_value *new_value) {
    char line[LINE_BYTES], *path = memory_format("%s/proc/self/cgroup", root);
    char *mount = memory_format("/sys/fs/cgroup/%s", controller);
    uint64_t least = UINT64_MAX;
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *list = strchr(line, ':'), *group = list != NULL ? strchr(list + 1, ':') : NULL;
        uint64_t here = UINT64_MAX;
        if (group == NULL)
            continue;
        group[strcspn(group, "\n")] = '\0';
        if (group == list + 1)
            here = least_upwards(root, "/sys/fs/cgroup", group + 1, new_value);
        else if (has_controller(list + 1, (size_t)(group - list - 1), controller))
            here = least_upwards(root, mount, group + 1, old_value);
        least = here < least ? here : least;
    }
    if (file != NULL)
        fclose(file);
    free(path);
    free(mount);
    return least;
}

static unsigned bound_processors(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (unsigned)count : 1;
}

unsigned limits_processors(const char *root) {
    unsigned bound = bound_processors();
    uint64_t quota = least_of_groups(root, "cpu", processors_v1, processors_v2);
    if (quota == 0)
        return 1;
    return quota < bound ? (unsigned)quota : bound;
}

static uint64_t kernel_memory(const char *root) {
    char line[LINE_BYTES], *path = memory_format("%s/proc/meminfo", root);
    uint64_t kib = UINT64_MAX;
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    free(path);
    return kib < UINT64_MAX / 1024 ? kib * 1024 : UINT64_MAX;
}

uint64_t limits_memory(const char *root) {
    uint64_t kernel = kernel_memory(root);
    uint64_t groups = least_of_groups(root, "memory", memory_v1, memory_v2);
    return groups < kernel ? groups : kernel;
}
