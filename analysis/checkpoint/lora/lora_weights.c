#include "analysis/checkpoint/lora/adapter_config.h"
#include "analysis/checkpoint/lora/lora.h"
#include "analysis/checkpoint/lora/lora_members.h"
#include "analysis/checkpoint/lora/update.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ATTENTION_OUTPUT ".base_layer.out_proj"

struct taking {
    struct checkpoint *checkpoint;
    struct adapter_config *config;
    struct members members;
    struct error *error;
};

static bool refuse(const struct taking *taking, const struct tensor *tensor, const char *reason) {
    return tensor_fail(taking->checkpoint, tensor, taking->error, "%s", reason);
}

/* Places in the names that PEFT's own wrappers make. */
static const char *const wrappers[] = {".base_layer", ".modules_to_save.default",
                                       ".modules_to_save"};

/* Copies a name without the wrappers' parts; returns its length. */
static size_t unwrap(const char *name, size_t length, char *target) {
    size_t written = 0;
    for (size_t at = 0; at < length;) {
        size_t skipped = 0;
        for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0] && skipped == 0; i++) {
            size_t own = strlen(wrappers[i]);
            if (text_begins(name + at, length - at, wrappers[i]) &&
                (at + own == length || name[at + own] == '.'))
                skipped = own;
        }
        if (skipped == 0)
            target[written++] = name[at++];
        at += skipped;
    }
    return written;
}

/* Names the weight that the member is about: its module's name and ending. */
static void name_weight(const struct taking *taking, const struct member *member,
                        const char *ending, struct tensor *weight) {
    size_t tail = strlen(ending);
    char *name = arena_take(&taking->checkpoint->arena, member->length + tail + 1);
    size_t length = unwrap(member->module, member->length, name);
    memcpy(name + length, ending, tail + 1);
    weight->name = name;
    weight->name_length = length + tail;
}

static struct tensor *add_weight(const struct taking *taking) {
    struct checkpoint *checkpoint = taking->checkpoint;
    return &checkpoint->weights[checkpoint->weight_count++];
}

/* Its matrix as the weight has it: the sizes of outputs and inputs, the kernel's behind them. */
static bool take_shape(const struct taking *taking, const struct update *update,
                       struct tensor *weight) {
    const struct tensor *a = update->a, *b = update->b;
    size_t rank = a != NULL ? a->rank : 1;
    uint64_t *shape = arena_take(&taking->checkpoint->arena, rank * sizeof *shape);
    if (a != NULL)
        memcpy(shape, a->shape, rank * sizeof *shape);
    shape[0] = b->shape[0];
    if (update->transposed) {
        shape[0] = a->shape[1];
        shape[1] = b->shape[0];
    }
    weight->shape = shape;
    weight->rank = rank;
    const char *problem = tensor_measure(weight);
    return problem == NULL || refuse(taking, update->b, problem);
}

static bool make_update(const struct taking *taking, const struct member *member,
                        const char *ending, struct update update) {
    struct tensor *weight = add_weight(taking);
    *weight = (struct tensor){.dtype = update.b->dtype};
    name_weight(taking, member, ending, weight);
    if (!take_shape(taking, &update, weight))
        return false;
    update.rows = weight->rank > 0 ? (size_t)weight->shape[0] : 1;
    weight->bytes = update.b->bytes + (update.a != NULL ? update.a->bytes : 0);
    update.cols = update.rows > 0 ? (size_t)weight->elements / update.rows : 0;
    if (update.rows > INT_MAX || update.cols > INT_MAX)
        return refuse(taking, update.b, "makes an update of more than 2^31 rows or columns");
    struct update *kept = arena_take(&taking->checkpoint->arena, sizeof *kept);
    *kept = update;
    weight->update = kept;
    return true;
}

/* A is [rank, inputs...], B is [outputs, rank] and ones. */
static bool check_factors(const struct taking *taking, const struct tensor *a,
                          const struct tensor *b, double rank) {
    bool flat = a->rank >= 2 && b->rank >= 2;
    for (size_t d = 2; flat && d < b->rank; d++)
        flat = b->shape[d] == 1;
    if (!flat)
        return refuse(taking, b, "and its lora_A are not the two sides of a matrix product");
    if (a->shape[0] != b->shape[1])
        return tensor_fail(taking->checkpoint, b, taking->error,
                           "takes %llu components, and its lora_A gives %llu",
                           (unsigned long long)b->shape[1], (unsigned long long)a->shape[0]);
    if ((double)a->shape[0] != rank)
        return tensor_fail(taking->checkpoint, a, taking->error,
                           "has %llu components, and the config says %g",
                           (unsigned long long)a->shape[0], rank);
    if (dtype_class(a->dtype) != DTYPE_CLASS_FLOAT || dtype_class(b->dtype) != DTYPE_CLASS_FLOAT)
        return refuse(taking, b, "or its lora_A is not floating");
    return true;
}

/* Of torch's stacked attention: PEFT names the factors of in_proj_weight after the module, and
 * wraps its out_proj too. */
static bool is_attention(const struct taking *taking, const struct member *member) {
    return lora_members_have(&taking->members, member, ATTENTION_OUTPUT);
}

/* Scale of the member's module. The output of an attention goes by the attention's name, and PEFT
 * adds its update twice, while training too (seen in 0.21): the trained model has both. */
static bool find_scale(const struct taking *taking, const struct member *member, double *rank,
                       double *scale) {
    bool output = text_ends(member->module, member->length, ATTENTION_OUTPUT);
    size_t length = member->length - (output ? sizeof ATTENTION_OUTPUT - 1 : 0);
    if (!adapter_config_module(taking->config, member->module, length, rank, scale))
        return checkpoint_fail(taking->checkpoint, taking->error,
                               "its patterns take too long to match");
    *scale *= output ? 2 : 1;
    return true;
}

/* The update that count members, all of one module, make. */
static bool take_update(const struct taking *taking, const struct member *members, size_t count) {
    const struct member *parts[PART_WHOLE] = {NULL};
    double rank, scale;
    for (size_t i = 0; i < count; i++) {
        if (parts[members[i].part] != NULL)
            return refuse(taking, members[i].tensor, "is there for two adapters");
        parts[members[i].part] = &members[i];
    }
    if (parts[PART_A] == NULL || parts[PART_B] == NULL)
        return refuse(taking, members[0].tensor,
                      parts[PART_A] == NULL ? "has no lora_A" : "has no lora_B");
    const struct tensor *a = parts[PART_A]->tensor, *b = parts[PART_B]->tensor;
    if (!find_scale(taking, members, &rank, &scale) || !check_factors(taking, a, b, rank))
        return false;
    bool transposed = members[0].embedding || (taking->config->transposed && a->rank == 2);
    struct update update = {
        .a = a, .b = b, .scale = scale, .transposed = transposed, .rank = (size_t)a->shape[0]};
    const char *ending = is_attention(taking, members) ? ".in_proj_weight" : ".weight";
    if (!make_update(taking, members, ending, update))
        return false;
    if (parts[PART_B_BIAS] == NULL)
        return true;
    const struct tensor *bias = parts[PART_B_BIAS]->tensor;
    if (bias->rank != 1 || dtype_class(bias->dtype) != DTYPE_CLASS_FLOAT)
        return refuse(taking, bias, "is not a floating vector");
    return make_update(taking, members, ".bias",
                       (struct update){.b = bias, .scale = scale, .rank = 1});
}

/* A tensor that takes the place of the base's; a copy of one that has an update is the base's own.
 */
static void take_whole(const struct taking *taking, const struct member *member) {
    static const char copy[] = ".base_layer.weight";
    if (text_ends(member->module, member->length, copy)) {
        struct member module = *member;
        module.length -= sizeof copy - 1;
        if (lora_members_have(&taking->members, &module, "")) {
            checkpoint_skip(taking->checkpoint, "copies of the base's weights", 1);
            return;
        }
    }
    struct tensor *weight = add_weight(taking);
    *weight = *member->tensor;
    name_weight(taking, member, "", weight);
}

bool lora_take_weights(struct checkpoint *checkpoint, struct adapter_config *config,
                       struct error *error) {
    struct taking taking = {.checkpoint = checkpoint, .config = config, .error = error};
    bool good = lora_members_read(checkpoint, &taking.members, error);
    const struct member *members = taking.members.items;
    size_t count = taking.members.count;
    checkpoint->is_adapter = true;
    checkpoint->weights = memory_array(count, sizeof *checkpoint->weights);
    for (size_t first = 0, end; good && first < count; first = end) {
        end = first + 1;
        if (members[first].part == PART_WHOLE) {
            take_whole(&taking, &members[first]);
            continue;
        }
        while (end < count && members[end].part != PART_WHOLE &&
               lora_members_meet(&members[end], &members[first]))
            end++;
        good = take_update(&taking, &members[first], end - first);
    }
    free(taking.members.items);
    if (good && checkpoint->weight_count == 0)
        good = checkpoint_fail(checkpoint, error, "the adapter changes no weight");
    return good;
}
