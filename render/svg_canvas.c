#include "render/svg_canvas.h"

#include "analysis/support/memory.h"
#include "render/font.h"

#include <stdio.h>
#include <stdlib.h>

struct svg_canvas {
    struct canvas canvas; /* first: a canvas is one */
    FILE *stream;
    char *bytes;
    size_t size;
    struct font *fonts[2]; /* regular, bold: for widths */
    unsigned clips;
};

static struct svg_canvas *own(struct canvas *canvas) {
    return (struct svg_canvas *)canvas;
}

/* Text as XML; what XML cannot hold becomes a question mark. */
static void put_escaped(FILE *stream, const char *text) {
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '&')
            fputs("&amp;", stream);
        else if (c == '<')
            fputs("&lt;", stream);
        else if (c == '>')
            fputs("&gt;", stream);
        else if (c == '"')
            fputs("&quot;", stream);
        else
            fputc(c < ' ' && c != '\n' && c != '\t' ? '?' : c, stream);
    }
}

static void put_colour(FILE *stream, const char *attribute, struct rgb colour) {
    fprintf(stream, " %s=\"#%02x%02x%02x\"", attribute, colour.red, colour.green, colour.blue);
}

static void polyline(struct canvas *canvas, const struct point *points, size_t count, double width,
                     const double *dash, struct rgb colour) {
    FILE *stream = own(canvas)->stream;
    fputs("<polyline fill=\"none\" stroke-linejoin=\"round\"", stream);
    put_colour(stream, "stroke", colour);
    fprintf(stream, " stroke-width=\"%.3g\"", width);
    for (size_t i = 0; dash != NULL && dash[i] > 0; i++)
        fprintf(stream, "%s%.3g", i == 0 ? " stroke-dasharray=\"" : " ", dash[i]);
    fputs(dash != NULL && dash[0] > 0 ? "\" points=\"" : " points=\"", stream);
    for (size_t i = 0; i < count; i++)
        fprintf(stream, "%s%.2f,%.2f", i == 0 ? "" : " ", points[i].x, points[i].y);
    fputs("\"/>\n", stream);
}

static void rectangle(struct canvas *canvas, double x, double y, double width, double height,
                      struct rgb colour, double opacity) {
    FILE *stream = own(canvas)->stream;
    fprintf(stream, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"", x, y, width,
            height);
    put_colour(stream, "fill", colour);
    if (opacity < 1)
        fprintf(stream, " fill-opacity=\"%.3g\"", opacity);
    fputs("/>\n", stream);
}

static double text_width(struct canvas *canvas, struct text_style style, const char *text) {
    return font_width(own(canvas)->fonts[style.bold], style.size, text);
}

static void text(struct canvas *canvas, double x, double y, struct text_style style,
                 const char *string) {
    static const char *const anchors[] = {
        [TEXT_LEFT] = "start", [TEXT_CENTRE] = "middle", [TEXT_RIGHT] = "end"};
    FILE *stream = own(canvas)->stream;
    if (style.upright)
        fprintf(stream, "<text transform=\"translate(%.2f %.2f) rotate(-90)\"", x, y);
    else
        fprintf(stream, "<text x=\"%.2f\" y=\"%.2f\"", x, y);
    fprintf(stream, " font-size=\"%.3g\" text-anchor=\"%s\"%s", style.size, anchors[style.align],
            style.bold ? " font-weight=\"bold\"" : "");
    put_colour(stream, "fill", style.colour);
    fputs(">", stream);
    put_escaped(stream, string);
    fputs("</text>\n", stream);
}

static void clip(struct canvas *canvas, double x, double y, double width, double height) {
    struct svg_canvas *svg = own(canvas);
    unsigned id = ++svg->clips;
    fprintf(svg->stream,
            "<clipPath id=\"c%u\"><rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>"
            "</clipPath>\n<g clip-path=\"url(#c%u)\">\n",
            id, x, y, width, height, id);
}

static void unclip(struct canvas *canvas) {
    fputs("</g>\n", own(canvas)->stream);
}

/* There are no pixels to meet. */
static double snap(struct canvas *canvas, double coordinate) {
    (void)canvas;
    return coordinate;
}

static const struct canvas_ops ops = {polyline, rectangle, text, text_width, clip, unclip, snap};

static void svg_canvas_free(struct svg_canvas *svg) {
    if (svg->stream != NULL)
        fclose(svg->stream);
    font_free(svg->fonts[0]);
    font_free(svg->fonts[1]);
    free(svg);
}

static void begin(struct svg_canvas *svg, const char *const *pairs) {
    double width = svg->canvas.width, height = svg->canvas.height;
    fprintf(svg->stream,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.2fpt\" height=\"%.2fpt\" "
            "viewBox=\"0 0 %.2f %.2f\" font-family=\"DejaVu Sans, sans-serif\">\n",
            width, height, width, height);
    fputs("<metadata>", svg->stream);
    for (; pairs != NULL && pairs[0] != NULL; pairs += 2) {
        put_escaped(svg->stream, pairs[0]);
        fputs(": ", svg->stream);
        put_escaped(svg->stream, pairs[1]);
        fputs("\n", svg->stream);
    }
    fputs("</metadata>\n", svg->stream);
}

struct canvas *svg_canvas_create(double width, double height, const char *const *pairs) {
    struct svg_canvas *svg = memory_array(1, sizeof *svg);
    svg->canvas = (struct canvas){&ops, width, height};
    svg->stream = open_memstream(&svg->bytes, &svg->size);
    for (int bold = 0; bold < 2; bold++)
        svg->fonts[bold] = font_create(bold);
    if (svg->stream == NULL || svg->fonts[0] == NULL || svg->fonts[1] == NULL) {
        svg_canvas_free(svg);
        return NULL;
    }
    begin(svg, pairs);
    return &svg->canvas;
}

char *svg_canvas_end(struct canvas *canvas, size_t *size) {
    struct svg_canvas *svg = own(canvas);
    fputs("</svg>\n", svg->stream);
    bool good = ferror(svg->stream) == 0 && fclose(svg->stream) == 0;
    char *bytes = svg->bytes;
    *size = svg->size;
    svg->stream = NULL;
    svg_canvas_free(svg);
    if (good)
        return bytes;
    free(bytes);
    return NULL;
}
