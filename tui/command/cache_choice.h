/* Which cache of analyses a command uses: --cache DIR or none, else $R2M_CACHE with the same
 * values, else r2m's folder below $XDG_CACHE_HOME. */
#ifndef R2M_TUI_COMMAND_CACHE_CHOICE_H
#define R2M_TUI_COMMAND_CACHE_CHOICE_H

#include "analysis/cache/cache.h"
#include "tui/command/options.h"

/* Its folder; NULL: none. free() it. */
char *cache_choice_folder(const struct options *options);

/* Opens it. NULL where there is to be none, or where it cannot be used: then notes say why. */
struct cache *cache_choose(const struct options *options, struct string_list *notes);

/* The same for the screen, which always remembers what it has computed, in memory if need be. */
struct cache *cache_choose_for_screen(const struct options *options, struct string_list *notes);

#endif
