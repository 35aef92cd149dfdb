/* The table widget: movement, scrolling, searching, drawing; and the surface below it. */
#include "tui/screen/list.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct column columns[] = {{"name", 8, 0, 12, false, 0, 0},
                                        {"n", 4, 1, 0, true, 1, 0}};

static void fill(void *context, size_t row, int column, int width, struct list_cell *cell) {
    (void)context;
    (void)width;
    if (column == 0)
        snprintf(cell->text, sizeof cell->text, "row %zu", row);
    else
        snprintf(cell->text, sizeof cell->text, "%zu", row * row);
}

static void fill_bars(void *context, size_t row, int column, int width, struct list_cell *cell) {
    fill(context, row, column, width, cell);
    if (column == 1)
        cell->bar = 0.5;
}

/* Draws into a surface of 20 x 6 (a header and five rows) and returns it as text. */
static char *drawn_by(struct list *list, list_fill *fill_cell) {
    char *text = NULL;
    size_t size = 0;
    struct surface *surface = surface_create(20, 6, false);
    list_draw(list, surface, (struct rect){0, 0, 6, 20}, columns, 2, true, fill_cell, NULL);
    FILE *stream = open_memstream(&text, &size);
    surface_dump(surface, stream);
    fclose(stream);
    surface_free(surface);
    return text;
}

static char *drawn(struct list *list) {
    return drawn_by(list, fill);
}

static void assert_drawn(struct list *list, const char *expected) {
    char *text = drawn(list);
    assert_string_equal(text, expected);
    free(text);
}

static void rows_and_header_are_drawn(void **state) {
    struct list list = {0};
    (void)state;
    list_resize(&list, 3);
    assert_drawn(&list, "name            n\n"
                        "row 0           0\n"
                        "row 1           1\n"
                        "row 2           4\n"
                        "\n\n"
                        "--- styles\n"
                        "ffff            f\n"
                        "####################\n"
                        "... .           .\n"
                        "... .           .\n"
                        "\n\n");
}

static void movement_stays_inside(void **state) {
    struct list list = {0};
    (void)state;
    list_resize(&list, 100);
    free(drawn(&list));
    assert_true(list_move(&list, ACTION_UP));
    assert_int_equal(list.cursor, 0);
    list_move(&list, ACTION_PAGE_DOWN);
    assert_int_equal(list.cursor, 4);
    list_move(&list, ACTION_HALF_DOWN);
    assert_int_equal(list.cursor, 6);
    list_move(&list, ACTION_LAST);
    assert_int_equal(list.cursor, 99);
    list_move(&list, ACTION_DOWN);
    assert_int_equal(list.cursor, 99);
    list_move(&list, ACTION_PAGE_UP);
    assert_int_equal(list.cursor, 95);
    list_move(&list, ACTION_FIRST);
    assert_int_equal(list.cursor, 0);
    assert_false(list_move(&list, ACTION_UNDO));
}

static void the_cursor_is_always_seen(void **state) {
    struct list list = {0};
    (void)state;
    list_resize(&list, 100);
    free(drawn(&list));
    list_select(&list, 50);
    free(drawn(&list));
    assert_int_equal(list.top, 46);
    list_select(&list, 48);
    free(drawn(&list));
    assert_int_equal(list.top, 46);
    list_select(&list, 10);
    free(drawn(&list));
    assert_int_equal(list.top, 10);
    list_resize(&list, 4);
    free(drawn(&list));
    assert_int_equal(list.cursor, 3);
    assert_int_equal(list.top, 0);
    list_resize(&list, 0);
    free(drawn(&list));
    assert_int_equal(list.cursor, 0);
}

static bool is_multiple(void *context, size_t row) {
    return row % *(size_t *)context == 0;
}

static void searching_goes_around(void **state) {
    struct list list = {0};
    size_t seven = 7, hundred = 100;
    (void)state;
    list_resize(&list, 20);
    assert_int_equal(list_find(&list, 0, 1, is_multiple, &seven), 7);
    assert_int_equal(list_find(&list, 14, 1, is_multiple, &seven), 0);
    assert_int_equal(list_find(&list, 0, -1, is_multiple, &seven), 14);
    list_resize(&list, 1);
    assert_int_equal(list_find(&list, 0, 1, is_multiple, &seven), 0);
    list_resize(&list, 0);
    assert_int_equal(list_find(&list, 0, 1, is_multiple, &hundred), 0);
}

static void clicks_find_their_row(void **state) {
    struct list list = {.top = 10, .rect = {2, 5, 5, 20}};
    (void)state;
    list_resize(&list, 12);
    assert_int_equal(list_row_at(&list, 2, 5), 12); /* the header */
    assert_int_equal(list_row_at(&list, 3, 5), 10);
    assert_int_equal(list_row_at(&list, 5, 5), 12); /* below the last row */
    assert_int_equal(list_row_at(&list, 3, 4), 12); /* beside it */
}

static void text_is_cut_at_whole_characters(void **state) {
    struct surface *surface = surface_create(4, 1, false);
    (void)state;
    assert_int_equal(surface_text(surface, 0, 0, 4, 0, "σσσσσ"), 4);
    assert_string_equal(surface->cells[3].glyph, "σ");
    surface_clear(surface);
    assert_int_equal(surface_text(surface, 0, 0, 3, 0, "中中"), 2); /* two columns each */
    assert_string_equal(surface->cells[0].glyph, "中");
    assert_string_equal(surface->cells[1].glyph, "");
    assert_string_equal(surface->cells[2].glyph, " ");
    surface_clear(surface);
    surface_text(surface, 0, 0, 4, 0, "a\033[\xff");
    assert_string_equal(surface->cells[1].glyph, "?");
    assert_string_equal(surface->cells[3].glyph, "?");
    assert_int_equal(surface_text(surface, 0, 2, 9, 0, "abcd"), 4); /* outside: nothing written */
    surface_free(surface);
}

/* In reverse a bar's filled part would look empty. */
static void a_bar_is_not_reversed_where_its_row_is_selected(void **state) {
    struct list list = {0};
    (void)state;
    list_resize(&list, 2);
    char *text = drawn_by(&list, fill_bars);
    assert_string_equal(text, "name            n\n"
                              "row 0        ##\n"
                              "row 1        ##\n"
                              "\n\n\n"
                              "--- styles\n"
                              "ffff            f\n"
                              "#############..\n"
                              "... .        ..\n"
                              "\n\n\n");
    free(text);
}

static void bars_fill_in_eighths(void **state) {
    struct surface *surface = surface_create(4, 1, false);
    (void)state;
    theme_choose_glyphs(GLYPHS_BRAILLE);
    surface_bar(surface, 0, 0, 4, 0, 0.625);
    assert_string_equal(surface->cells[1].glyph, "█");
    assert_string_equal(surface->cells[2].glyph, "▌");
    assert_string_equal(surface->cells[3].glyph, " ");
    surface_clear(surface);
    surface_bar(surface, 0, 0, 4, 0, 1e-9); /* something is not nothing */
    assert_string_equal(surface->cells[0].glyph, "▏");
    theme_choose_glyphs(GLYPHS_ASCII);
    surface_clear(surface);
    surface_bar(surface, 0, 0, 4, 0, 0.5);
    assert_string_equal(surface->cells[1].glyph, "#");
    assert_string_equal(surface->cells[2].glyph, " ");
    surface_free(surface);
}

static void names_keep_their_last_part(void **state) {
    char text[TEXT_ROOM];
    (void)state;
    theme_choose_glyphs(GLYPHS_BRAILLE);
    assert_string_equal(text_shorten_name("self_attn.q_proj", 16, text), "self_attn.q_proj");
    assert_string_equal(text_shorten_name("self_attn.q_proj", 12, text), "self_…q_proj");
    assert_string_equal(text_shorten_name("self_attn.out_projection", 8, text), "out…tion");
    assert_string_equal(text_shorten_name("self_attn.key_projection", 8, text), "key…tion");
    assert_string_equal(text_shorten_name("position_embedding", 8, text), "pos…ding");
    assert_string_equal(text_shorten_end("said in words", 13, text), "said in words");
    assert_string_equal(text_shorten_end("said in words", 12, text), "said in…");
}

static int set_locale(void **state) {
    (void)state;
    return setlocale(LC_CTYPE, "C.UTF-8") != NULL ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_header_are_drawn),
        cmocka_unit_test(movement_stays_inside),
        cmocka_unit_test(the_cursor_is_always_seen),
        cmocka_unit_test(searching_goes_around),
        cmocka_unit_test(clicks_find_their_row),
        cmocka_unit_test(text_is_cut_at_whole_characters),
        cmocka_unit_test(a_bar_is_not_reversed_where_its_row_is_selected),
        cmocka_unit_test(bars_fill_in_eighths),
        cmocka_unit_test(names_keep_their_last_part),
    };
    return cmocka_run_group_tests_name("list", tests, set_locale, NULL);
}
