/* Completion of commands, options and their values, made from the tables. */
#ifndef R2M_TUI_COMMAND_COMPLETION_H
#define R2M_TUI_COMMAND_COMPLETION_H

/* shell: bash, zsh or fish. Returns the exit code. */
int completion_print(const char *shell);

#endif
