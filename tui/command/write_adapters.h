/* `r2m merge --adapters`: the truncated residuals as PEFT adapters. */
#ifndef R2M_TUI_COMMAND_WRITE_ADAPTERS_H
#define R2M_TUI_COMMAND_WRITE_ADAPTERS_H

#include "tui/command/session.h"

/* Opens the session, analyses, writes a folder for each specialist below options->output and says
 * what stands in them. */
bool write_adapters(struct session *session, const struct options *options, struct error *error);

#endif
