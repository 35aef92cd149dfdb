#include "merge/methods/piece.h"

static void read_task_vector(const struct method_input *input, size_t specialist, uint64_t first,
                             size_t count, double *values) {
    double coefficients[SPECIALIST_LIMIT] = {0};
    coefficients[specialist] = 1;
    task_vector_combine(input->layer, input->specialist_count, coefficients, first, count, values);
}

size_t piece_read(const struct method_input *input, size_t specialist, uint64_t first,
                  double *values) {
    uint64_t left = input->layer->elements - first;
    size_t count = left < PIECE ? (size_t)left : PIECE;
    read_task_vector(input, specialist, first, count, values);
    return count;
}

void piece_read_all(const struct method_input *input, size_t specialist, double *values) {
    read_task_vector(input, specialist, 0, (size_t)input->layer->elements, values);
}

void piece_average(const struct method_input *input, double *values) {
    double shares[SPECIALIST_LIMIT];
    for (size_t i = 0; i < input->specialist_count; i++)
        shares[i] = input->weights[i] / (double)input->specialist_count;
    task_vector_combine(input->layer, input->specialist_count, shares, 0,
                        (size_t)input->layer->elements, values);
}

bool piece_no_memory(struct error *error) {
    return error_set(error, ERROR_INPUT, "not enough memory to merge it");
}
