/* Folders of the XDG base directories that belong to r2m. free() what they return; NULL without a
 * home. */
#ifndef R2M_TUI_SCREEN_PLACES_H
#define R2M_TUI_SCREEN_PLACES_H

/* $XDG_CONFIG_HOME/r2m or ~/.config/r2m; it need not exist. */
char *place_config(void);

/* $XDG_CACHE_HOME/r2m or ~/.cache/r2m; it need not exist. */
char *place_cache(void);

/* $XDG_STATE_HOME/r2m or ~/.local/state/r2m, made if missing. */
char *place_state(void);

#endif
