/* The program's version, as written into every output. */
#ifndef R2M_MERGE_VERSION_H
#define R2M_MERGE_VERSION_H

#define R2M_VERSION "0.1.0"

#endif
