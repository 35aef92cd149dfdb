/* What a report consists of, so that the next one in the same folder can clear away what it does
 * not write again: a file with a line for each, as sha256sum prints and checks them.
 *
 *     SHA256  figures/NAME.svg */
#ifndef R2M_RENDER_REPORT_FILE_LIST_H
#define R2M_RENDER_REPORT_FILE_LIST_H

#include "analysis/support/memory.h"

#define FILE_LIST_NAME "files.sha256"

/* Adds a line to the list (from malloc, or NULL). */
void file_list_add(char **list, const char *name, const void *bytes, size_t size);

/* The list that stands in that folder, "" where there is none; free() it. */
char *file_list_read(const char *folder);

/* Removes from folder/below what the list names and kept does not, if it still has the bytes that
 * the list tells: whatever was changed since is somebody's work. */
void file_list_clear(const char *list, const char *folder, const char *below,
                     const struct string_list *kept);

#endif
