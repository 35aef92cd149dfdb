/* TSV-M (Gargiulo et al. 2024, arXiv 2412.00081): keep floor(n / N) singular triples of every task
 * vector, make the stacked left and right singular vectors orthonormal, put them together again. */
#include "merge/methods/piece.h"
#include "merge/methods/singular.h"

#include <stdlib.h>
#include <string.h>

/* The triples of all specialists side by side. */
struct stack {
    size_t rows, cols, each, count; /* count = N each */
    double *u;                      /* rows x count */
    double *sigma;                  /* [count] */
    double *vt;                     /* count x cols */
};

static bool stack_make(const struct method_input *input, struct stack *stack) {
    size_t n = layer_max_rank(input->layer);
    stack->rows = input->layer->rows;
    stack->cols = input->layer->cols;
    stack->each = n / input->specialist_count;
    stack->count = stack->each * input->specialist_count;
    stack->u = malloc(stack->rows * stack->count * sizeof *stack->u + 1);
    stack->sigma = malloc(stack->count * sizeof *stack->sigma + 1);
    stack->vt = malloc(stack->count * stack->cols * sizeof *stack->vt + 1);
    return stack->u != NULL && stack->sigma != NULL && stack->vt != NULL;
}

static void stack_free(struct stack *stack) {
    free(stack->u);
    free(stack->sigma);
    free(stack->vt);
}

/* Puts the largest triples of a specialist in their place. */
static void stack_add(struct stack *stack, size_t specialist, double weight,
                      const struct singular *parts) {
    size_t at = specialist * stack->each;
    for (size_t row = 0; row < stack->rows; row++)
        memcpy(stack->u + row * stack->count + at, parts->u + row * parts->n,
               stack->each * sizeof *stack->u);
    for (size_t j = 0; j < stack->each; j++)
        stack->sigma[at + j] = weight * parts->sigma[j];
    memcpy(stack->vt + at * stack->cols, parts->vt, stack->each * stack->cols * sizeof *stack->vt);
}

/* delta serves as room for one task vector after the other. */
static bool stack_fill(const struct method_input *input, struct stack *stack, double *delta,
                       struct error *error) {
    for (size_t i = 0; i < input->specialist_count; i++) {
        struct singular parts;
        piece_read_all(input, i, delta);
        if (!singular_make(delta, stack->rows, stack->cols, &parts, error))
            return false;
        stack_add(stack, i, input->settings->tsv_m.alpha * input->weights[i], &parts);
        singular_free(&parts);
    }
    return true;
}

/* The stack, and beside it the decomposition of a task vector or of one of its sides. */
struct method_cost tsv_m_price(const struct layer *layer, size_t specialist_count) {
    size_t rows = layer->rows, cols = layer->cols;
    size_t count = layer_max_rank(layer) / specialist_count * specialist_count;
    struct method_cost cost = {singular_memory(rows, cols), 1,
                               (double)specialist_count * singular_operations(rows, cols)};
    const uint64_t sides[] = {singular_memory(rows, count), singular_memory(count, cols)};
    for (size_t s = 0; s < 2; s++)
        cost.memory = sides[s] > cost.memory ? sides[s] : cost.memory;
    cost.memory += ((uint64_t)rows + cols + 1) * count * sizeof(double);
    cost.operations += singular_operations(rows, count) + singular_operations(count, cols);
    return cost;
}

bool tsv_m_combine(const struct method_input *input, double *delta, struct error *error) {
    struct stack stack = {0};
    bool good = stack_make(input, &stack) || piece_no_memory(error);
    if (good && stack.count == 0) { /* more specialists than singular values: averaged */
        piece_average(input, delta);
        goto done;
    }
    good = good && stack_fill(input, &stack, delta, error) &&
           singular_orthonormal(stack.u, stack.rows, stack.count, error) &&
           singular_orthonormal(stack.vt, stack.count, stack.cols, error);
    if (good)
        singular_product(stack.u, stack.count, stack.sigma, stack.vt, stack.rows, stack.cols,
                         stack.count, delta);
done:
    stack_free(&stack);
    return good;
}
