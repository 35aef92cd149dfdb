#include "analysis/clip_names.h"

#include "analysis/tensor_view.h"

#include <stdlib.h>
#include <string.h>

enum kind { KIND_OPENAI, KIND_HUGGING_FACE, KIND_COUNT, KIND_OTHER = KIND_COUNT };

enum { STACK_PARTS = 3 };

static const char *const mappings[KIND_COUNT] = {
    [KIND_OPENAI] = "Hugging Face's names of CLIP as open_clip's",
    [KIND_HUGGING_FACE] = "open_clip's names of CLIP as Hugging Face's",
};

#define POSITION_IDS "embeddings.position_ids" /* of Hugging Face only */

/* A name by kind. What ends in a dot is the start of a name. */
struct row {
    const char *names[KIND_COUNT];
};

static const struct row vision_rows[] = {
    {{"class_embedding", "embeddings.class_embedding"}},
    {{"conv1.weight", "embeddings.patch_embedding.weight"}},
    {{"positional_embedding", "embeddings.position_embedding.weight"}},
    {{"ln_pre.", "pre_layrnorm."}},
    {{"ln_post.", "post_layernorm."}},
    {{POSITION_IDS, POSITION_IDS}},
};

static const struct row text_rows[] = {
    {{"token_embedding.", "embeddings.token_embedding."}},
    {{"positional_embedding", "embeddings.position_embedding.weight"}},
    {{"ln_final.", "final_layer_norm."}},
    {{POSITION_IDS, POSITION_IDS}},
};

/* Before and after the number of a block of either tower. */
static const struct row blocks = {{"transformer.resblocks.", "encoder.layers."}};

static const struct row block_rows[] = {
    {{"attn.in_proj_weight.q", "self_attn.q_proj.weight"}},
    {{"attn.in_proj_weight.k", "self_attn.k_proj.weight"}},
    {{"attn.in_proj_weight.v", "self_attn.v_proj.weight"}},
    {{"attn.in_proj_bias.q", "self_attn.q_proj.bias"}},
    {{"attn.in_proj_bias.k", "self_attn.k_proj.bias"}},
    {{"attn.in_proj_bias.v", "self_attn.v_proj.bias"}},
    {{"attn.out_proj.", "self_attn.out_proj."}},
    {{"ln_1.", "layer_norm1."}},
    {{"ln_2.", "layer_norm2."}},
    {{"mlp.c_fc.", "mlp.fc1."}},
    {{"mlp.c_proj.", "mlp.fc2."}},
};

/* Beside the towers; transposed. The last two for towers that stand alone or have a prefix. */
static const struct row projection_rows[] = {
    {{"visual.proj", "visual_projection.weight"}},
    {{"text_projection", "text_projection.weight"}},
    {{"proj", "visual_projection.weight"}},
    {{"text.text_projection", "text_projection.weight"}},
};

enum tower { VISION, TEXT, TOWERS };

/* What the names of a tower start with, and one name that only this tower has. */
static const struct {
    struct row start, sign;
    const struct row *rows;
    size_t row_count;
} towers[TOWERS] = {
    [VISION] = {{{"visual.", "vision_model."}},
                {{"ln_pre.weight", "pre_layrnorm.weight"}},
                vision_rows,
                sizeof vision_rows / sizeof *vision_rows},
    [TEXT] = {{{"", "text_model."}},
              {{"ln_final.weight", "final_layer_norm.weight"}},
              text_rows,
              sizeof text_rows / sizeof *text_rows},
};

/* A piece of text. */
struct part {
    const char *text;
    size_t length;
};

/* What a file was found to be. */
struct layout {
    enum kind kind;
    struct part outer;          /* before everything: "model." */
    struct part starts[TOWERS]; /* outer included */
    bool has[TOWERS];
};

static struct part part_of(const char *text) {
    return (struct part){text, strlen(text)};
}

static bool starts_with(struct part whole, struct part start) {
    return whole.length >= start.length && memcmp(whole.text, start.text, start.length) == 0;
}

static bool ends_with(struct part whole, struct part end) {
    return whole.length >= end.length &&
           memcmp(whole.text + whole.length - end.length, end.text, end.length) == 0;
}

static struct part after(struct part whole, size_t length) {
    return (struct part){whole.text + length, whole.length - length};
}

/* What stands before the sign in the first name that ends in it as a whole part. */
static bool find_sign(const struct names *names, struct part sign, struct part *start) {
    for (size_t i = 0; i < names->count; i++) {
        struct part name = {names->items[i].name, names->items[i].length};
        if (!ends_with(name, sign))
            continue;
        *start = (struct part){name.text, name.length - sign.length};
        if (start->length == 0 || start->text[start->length - 1] == '.')
            return true;
    }
    return false;
}

/* The file as one of that kind; the texts borrow from the names. */
static struct layout layout_as(const struct names *names, enum kind kind) {
    struct layout layout = {.kind = kind};
    for (enum tower t = 0; t < TOWERS; t++)
        layout.has[t] = find_sign(names, part_of(towers[t].sign.names[kind]), &layout.starts[t]);
    enum tower known = layout.has[VISION] ? VISION : TEXT;
    struct part start = part_of(towers[known].start.names[kind]);
    if (!layout.has[known])
        return (struct layout){.kind = KIND_OTHER};
    layout.outer = layout.starts[known];
    if (ends_with(layout.outer, start))
        layout.outer.length -= start.length;
    return layout;
}

static struct layout layout_of(const struct names *names) {
    struct layout one = layout_as(names, KIND_OPENAI);
    struct layout other = layout_as(names, KIND_HUGGING_FACE);
    if (one.kind != KIND_OTHER && other.kind != KIND_OTHER) /* nobody knows */
        return (struct layout){.kind = KIND_OTHER};
    return one.kind != KIND_OTHER ? one : other;
}

/* The name in the other kind, and what of the old name follows it. */
struct renamed {
    const char *tower;  /* "vision_model." or "" */
    struct part number; /* "encoder.layers." and "3." */
    const char *blocks, *name;
    struct part rest;
};

static const struct row *find_row(const struct row *rows, size_t count, enum kind from,
                                  struct part name, struct part *rest) {
    for (size_t i = 0; i < count; i++) {
        struct part own = part_of(rows[i].names[from]);
        if (!starts_with(name, own))
            continue;
        *rest = after(name, own.length);
        if (rest->length == 0 || own.text[own.length - 1] == '.')
            return &rows[i];
    }
    return NULL;
}

/* Digits and the dot after them at the start, or nothing. */
static struct part block_number(struct part name) {
    size_t length = 0;
    while (length < name.length && name.text[length] >= '0' && name.text[length] <= '9')
        length++;
    bool good = length > 0 && length < name.length && name.text[length] == '.';
    return (struct part){name.text, good ? length + 1 : 0};
}

/* inner: the name without the start of its tower. */
static bool rename_in_tower(enum tower tower, enum kind from, struct part inner,
                            struct renamed *to) {
    enum kind other = from == KIND_OPENAI ? KIND_HUGGING_FACE : KIND_OPENAI;
    struct part block = part_of(blocks.names[from]);
    const struct row *row;
    *to = (struct renamed){.tower = towers[tower].start.names[other], .blocks = ""};
    if (starts_with(inner, block)) {
        to->blocks = blocks.names[other];
        to->number = block_number(after(inner, block.length));
        row = find_row(block_rows, sizeof block_rows / sizeof *block_rows, from,
                       after(inner, block.length + to->number.length), &to->rest);
    } else {
        row = find_row(towers[tower].rows, towers[tower].row_count, from, inner, &to->rest);
    }
    to->name = row != NULL ? row->names[other] : NULL;
    return row != NULL;
}

static bool rename_projection(const struct layout *layout, struct part name, struct renamed *to) {
    enum kind other = layout->kind == KIND_OPENAI ? KIND_HUGGING_FACE : KIND_OPENAI;
    *to = (struct renamed){.tower = "", .blocks = ""};
    const struct row *row =
        starts_with(name, layout->outer)
            ? find_row(projection_rows, sizeof projection_rows / sizeof *projection_rows,
                       layout->kind, after(name, layout->outer.length), &to->rest)
            : NULL;
    to->name = row != NULL ? row->names[other] : NULL;
    return row != NULL;
}

static void take_name(struct alias *alias, struct part outer, const struct renamed *to) {
    const struct part parts[] = {outer,      part_of(to->tower), part_of(to->blocks),
                                 to->number, part_of(to->name),  to->rest};
    enum { PARTS = sizeof parts / sizeof *parts };
    size_t length = 0;
    for (size_t p = 0; p < PARTS; p++)
        length += parts[p].length;
    char *name = memory_array(length + 1, 1), *end = name;
    for (size_t p = 0; p < PARTS; p++) {
        if (parts[p].length > 0)
            memcpy(end, parts[p].text, parts[p].length);
        end += parts[p].length;
    }
    free(alias->name);
    alias->name = name;
    alias->length = length;
}

static void translate(struct arena *views, const struct layout *layout, struct alias *alias) {
    struct part name = {alias->name, alias->length};
    struct renamed to;
    if (rename_projection(layout, name, &to) && alias->tensor->rank == 2) {
        alias->tensor = tensor_view_transposed(views, alias->tensor);
        alias->origin.transposed = true;
        take_name(alias, layout->outer, &to);
        return;
    }
    for (enum tower t = 0; t < TOWERS; t++) {
        struct part start = layout->starts[t];
        if (!layout->has[t] || !starts_with(name, start) ||
            !rename_in_tower(t, layout->kind, after(name, start.length), &to))
            continue;
        take_name(alias, layout->outer, &to);
        return;
    }
}

/* The names' own copy of a layout's texts: the names change under it. */
static struct part part_copy(struct arena *arena, struct part part) {
    char *text = arena_take(arena, part.length + 1);
    if (part.length > 0)
        memcpy(text, part.text, part.length);
    return (struct part){text, part.length};
}

/* The names of a file in the other kind. */
static void translate_all(struct arena *views, struct layout layout, struct names *names) {
    layout.outer = part_copy(views, layout.outer);
    for (enum tower t = 0; t < TOWERS; t++)
        layout.starts[t] = part_copy(views, layout.starts[t]);
    for (size_t i = 0; i < names->count; i++) {
        struct alias *alias = &names->items[i];
        struct part name = {alias->name, alias->length};
        alias->foreign = layout.kind == KIND_HUGGING_FACE && ends_with(name, part_of(POSITION_IDS));
        translate(views, &layout, alias);
    }
}

/* Whether the tensor is q, k and v in one. */
static bool is_stack(const struct alias *alias) {
    struct part name = {alias->name, alias->length};
    const struct tensor *tensor = alias->tensor;
    return (ends_with(name, part_of(".attn.in_proj_weight")) ||
            ends_with(name, part_of(".attn.in_proj_bias"))) &&
           tensor->rank > 0 && tensor->shape[0] > 0 && tensor->shape[0] % STACK_PARTS == 0 &&
           dtype_bits(tensor->dtype) >= 8;
}

static struct alias stack_part(struct arena *views, const struct alias *alias, size_t part) {
    uint64_t rows = alias->tensor->shape[0] / STACK_PARTS;
    struct alias own = *alias;
    own.length = alias->length + 2;
    own.name = memory_array(own.length + 1, 1);
    memcpy(own.name, alias->name, alias->length);
    own.name[alias->length] = '.';
    own.name[alias->length + 1] = "qkv"[part];
    own.origin.first_row = part * rows;
    own.tensor = tensor_view_rows(views, alias->tensor, part * rows, rows);
    return own;
}

/* Stacks become their parts. */
static void split_stacks(struct arena *views, struct names *names) {
    struct names split = {memory_array(names->count * STACK_PARTS, sizeof *split.items), 0};
    for (size_t i = 0; i < names->count; i++) {
        const struct alias *alias = &names->items[i];
        if (!is_stack(alias)) {
            split.items[split.count++] = *alias;
            continue;
        }
        for (size_t part = 0; part < STACK_PARTS; part++)
            split.items[split.count++] = stack_part(views, alias, part);
        free(alias->name);
    }
    free(names->items);
    *names = split;
}

void clip_names_align(struct tensor_table *table, struct names *all) {
    enum kind kind = layout_of(&all[0]).kind;
    for (size_t file = 0; kind != KIND_OTHER && file <= table->specialist_count; file++) {
        struct layout layout = layout_of(&all[file]);
        if (layout.kind != KIND_HUGGING_FACE) {
            split_stacks(&table->views, &all[file]);
            layout = layout_of(&all[file]); /* of the new names */
        }
        if (layout.kind == KIND_OTHER || layout.kind == kind)
            continue;
        translate_all(&table->views, layout, &all[file]);
        table->specialists[file - 1].match.mapping = mappings[kind];
    }
}
