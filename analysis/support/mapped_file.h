/* Which file a place in memory is mapped from: for the message when it turns out to be shorter by
 * now, which is found out by the address alone. */
#ifndef R2M_ANALYSIS_SUPPORT_MAPPED_FILE_H
#define R2M_ANALYSIS_SUPPORT_MAPPED_FILE_H

/* Its whole path, as the system shows it; NULL when nothing is mapped there. free() it. */
char *mapped_file(const void *address);

#endif
