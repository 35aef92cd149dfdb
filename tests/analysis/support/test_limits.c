/* Limits of control groups, from files as the kernel shows them. */
#include "analysis/support/limits.h"
#include "analysis/support/memory.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct file {
    const char *path, *text;
};

/* Writes the files below root, with their folders. */
static void write_files(const char *root, const struct file *files) {
    for (; files->path != NULL; files++) {
        char *path = memory_format("%s/%s", root, files->path);
        for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
            *slash = '\0';
            mkdir(path, 0777);
            *slash = '/';
        }
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(files->text, file);
        fclose(file);
        free(path);
    }
}

struct seen {
    unsigned processors;
    uint64_t memory;
};

static struct seen look(const struct file *files) {
    struct scratch scratch = scratch_make();
    write_files(scratch.folder, files);
    struct seen seen = {limits_processors(scratch.folder), limits_memory(scratch.folder)};
    scratch_remove(&scratch);
    return seen;
}

#define MEMINFO                                                                                    \
    { "proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    8000 kB\nCached: 1 kB\n" }

static void without_groups_the_kernel_decides(void **state) {
    (void)state;
    struct seen none = look((const struct file[]){{0}});
    struct seen kernel = look((const struct file[]){MEMINFO, {0}});
    assert_true(none.processors >= 1);
    assert_true(none.memory == UINT64_MAX);
    assert_int_equal(kernel.processors, none.processors);
    assert_true(kernel.memory == 8000 * 1024);
}

static void the_second_version(void **state) {
    (void)state;
    struct seen half = look((const struct file[]){MEMINFO,
                                                  {"proc/self/cgroup", "0::/a/b\n"},
                                                  {"sys/fs/cgroup/a/b/cpu.max", "50000 100000\n"},
                                                  {"sys/fs/cgroup/a/b/memory.max", "3000000\n"},
                                                  {"sys/fs/cgroup/a/b/memory.current", "1000000\n"},
                                                  {0}});
    assert_int_equal(half.processors, 1);
    assert_true(half.memory == 2000000);
}

static void a_group_above_may_be_narrower(void **state) {
    (void)state;
    struct seen seen = look((const struct file[]){MEMINFO,
                                                  {"proc/self/cgroup", "0::/a/b\n"},
                                                  {"sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
                                                  {"sys/fs/cgroup/a/b/memory.max", "max\n"},
                                                  {"sys/fs/cgroup/a/cpu.max", "100000 100000\n"},
                                                  {"sys/fs/cgroup/a/memory.max", "500000\n"},
                                                  {0}});
    assert_int_equal(seen.processors, 1);
    assert_true(seen.memory == 500000);
}

static void the_first_version(void **state) {
    (void)state;
    struct seen seen = look(
        (const struct file[]){MEMINFO,
                              {"proc/self/cgroup", "5:cpu,cpuacct:/job\n4:memory:/job\n0::/\n"},
                              {"sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "90000\n"},
                              {"sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n"},
                              {"sys/fs/cgroup/memory/job/memory.limit_in_bytes", "700000\n"},
                              {"sys/fs/cgroup/memory/job/memory.usage_in_bytes", "900000\n"},
                              {0}});
    assert_int_equal(seen.processors, 1);
    assert_true(seen.memory == 0);
}

/* A group that has read large files is full of their pages; they make room. */
static void pages_of_files_make_room(void **state) {
    (void)state;
    struct seen second = look((const struct file[]){
        MEMINFO,
        {"proc/self/cgroup", "0::/a\n"},
        {"sys/fs/cgroup/a/memory.max", "3000000\n"},
        {"sys/fs/cgroup/a/memory.current", "3000000\n"},
        {"sys/fs/cgroup/a/memory.stat", "anon 400000\nactive_file 600000\ninactive_file 2000000\n"
                                        "workingset_refault_file 7\n"},
        {0}});
    struct seen first = look((const struct file[]){
        MEMINFO,
        {"proc/self/cgroup", "4:memory:/job\n"},
        {"sys/fs/cgroup/memory/job/memory.limit_in_bytes", "700000\n"},
        {"sys/fs/cgroup/memory/job/memory.usage_in_bytes", "700000\n"},
        {"sys/fs/cgroup/memory/job/memory.stat",
         "inactive_file 1\nactive_file 2\ntotal_inactive_file 300000\ntotal_active_file 200000\n"},
        {0}});
    assert_true(second.memory == 2600000);
    assert_true(first.memory == 500000);
}

static void no_limit_is_none(void **state) {
    (void)state;
    struct seen bare = look((const struct file[]){MEMINFO, {0}});
    struct seen seen = look((const struct file[]){
        MEMINFO,
        {"proc/self/cgroup", "1:cpu:/\n2:memory:/\nnonsense\n0::/\n"},
        {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
        {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"},
        {"sys/fs/cgroup/cpu.max", "max 100000\n"},
        {"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
        {0}});
    assert_int_equal(seen.processors, bare.processors);
    assert_true(seen.memory == bare.memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_groups_the_kernel_decides), cmocka_unit_test(the_second_version),
        cmocka_unit_test(a_group_above_may_be_narrower),     cmocka_unit_test(the_first_version),
        cmocka_unit_test(pages_of_files_make_room),          cmocka_unit_test(no_limit_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
