#include "render/font.h"

#include "analysis/support/memory.h"
#include "analysis/support/utf8.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include <cairo-ft.h>
#include <stdlib.h>
#include <string.h>

enum { MISSING = 0x25A1 }; /* white square */

extern const unsigned char font_sans_begin[], font_sans_end[], font_bold_begin[], font_bold_end[];

struct face {
    FT_Library library;
    FT_Face face;
};

struct font {
    FT_Face face; /* owned by the cairo face */
    cairo_font_face_t *cairo_face;
};

/* cairo keeps faces in a cache; the FreeType objects end with its last reference. */
static void face_free(void *argument) {
    struct face *face = argument;
    if (face->face != NULL)
        FT_Done_Face(face->face);
    if (face->library != NULL)
        FT_Done_FreeType(face->library);
    free(face);
}

struct font *font_create(bool bold) {
    static const cairo_user_data_key_t key;
    const unsigned char *begin = bold ? font_bold_begin : font_sans_begin;
    const unsigned char *end = bold ? font_bold_end : font_sans_end;
    struct face *face = memory_array(1, sizeof *face);
    if (FT_Init_FreeType(&face->library) != 0 ||
        FT_New_Memory_Face(face->library, begin, (FT_Long)(end - begin), 0, &face->face) != 0) {
        face_free(face);
        return NULL;
    }
    struct font *font = memory_array(1, sizeof *font);
    font->face = face->face;
    font->cairo_face = cairo_ft_font_face_create_for_ft_face(face->face, FT_LOAD_NO_HINTING);
    if (cairo_font_face_set_user_data(font->cairo_face, &key, face, face_free) != 0) {
        font_free(font);
        face_free(face);
        return NULL;
    }
    return font;
}

void font_free(struct font *font) {
    if (font == NULL)
        return;
    cairo_font_face_destroy(font->cairo_face);
    free(font);
}

/* Reads one character of valid UTF-8 (what is not reads as the missing character). */
static unsigned next_character(const char **text) {
    const unsigned char *byte = (const unsigned char *)*text;
    unsigned lead = *byte++, code = lead;
    int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (more > 0)
        code = lead & (0x3Fu >> more);
    for (; more > 0 && (*byte & 0xC0) == 0x80; more--)
        code = code << 6 | (*byte++ & 0x3Fu);
    *text = (const char *)byte;
    return more > 0 || (lead >= 0x80 && lead < 0xC0) ? MISSING : code;
}

static FT_UInt glyph_of(const struct font *font, unsigned character) {
    FT_UInt glyph = FT_Get_Char_Index(font->face, character);
    return glyph != 0 ? glyph : FT_Get_Char_Index(font->face, MISSING);
}

/* Pen positions of text at size 1; glyphs (may be NULL) gets one per character. Returns the width.
 */
static double layout(const struct font *font, const char *text, cairo_glyph_t *glyphs, int *count) {
    double unit = 1.0 / font->face->units_per_EM, pen = 0;
    FT_UInt before = 0;
    for (*count = 0; *text != '\0'; ++*count) {
        FT_UInt glyph = glyph_of(font, next_character(&text));
        FT_Vector kern = {0, 0};
        if (before != 0)
            FT_Get_Kerning(font->face, before, glyph, FT_KERNING_UNSCALED, &kern);
        pen += (double)kern.x * unit;
        if (glyphs != NULL)
            glyphs[*count] = (cairo_glyph_t){glyph, pen, 0};
        /* the metrics, not the advance: cairo leaves its rotation on the shared face */
        if (FT_Load_Glyph(font->face, glyph, FT_LOAD_NO_SCALE) == 0)
            pen += (double)font->face->glyph->metrics.horiAdvance * unit;
        before = glyph;
    }
    return pen;
}

double font_width(const struct font *font, double size, const char *text) {
    int count;
    return layout(font, text, NULL, &count) * size;
}

void font_show(const struct font *font, cairo_t *cairo, double x, double y, double size,
               const char *text) {
    int count;
    layout(font, text, NULL, &count);
    cairo_glyph_t *glyphs = memory_array((size_t)count, sizeof *glyphs);
    cairo_text_cluster_t *clusters = memory_array((size_t)count, sizeof *clusters);
    layout(font, text, glyphs, &count);
    const char *at = text;
    for (int i = 0; i < count; i++) {
        glyphs[i].x = x + glyphs[i].x * size;
        glyphs[i].y = y;
        const char *from = at;
        next_character(&at);
        clusters[i] = (cairo_text_cluster_t){(int)(at - from), 1};
    }
    cairo_set_font_face(cairo, font->cairo_face);
    cairo_set_font_size(cairo, size);
    size_t length = strlen(text);
    if (utf8_check(text, length) == length) /* the text itself, so that a PDF can be searched */
        cairo_show_text_glyphs(cairo, text, (int)length, glyphs, count, clusters, count, 0);
    else
        cairo_show_glyphs(cairo, glyphs, count);
    free(clusters);
    free(glyphs);
}
