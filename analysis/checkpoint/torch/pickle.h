/* The pickles inside torch files, read as data (formats.md B4, B5). Private to the room.
 *
 * A pickle is a program that names functions and has them called. Here nothing is ever called: a
 * function is a name, its result a node that holds the name and the arguments, and the few names
 * that rebuild tensors and dictionaries are known by a table (pickle_globals.h). Names that exist
 * to run code make the file refused. Nodes live in one array and refer to each other by index;
 * they may form cycles. There is no recursion, and every length is held against the bytes left. */
#ifndef R2M_ANALYSIS_CHECKPOINT_TORCH_PICKLE_H
#define R2M_ANALYSIS_CHECKPOINT_TORCH_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PICKLE_NODE_LIMIT = 3000000, /* some 150 000 tensors; also of cells and of the stack */
    PICKLE_MARK_LIMIT = 1000
};

enum node_kind {
    NODE_NONE,
    NODE_BOOL,    /* integer */
    NODE_INTEGER, /* integer */
    NODE_BIG,     /* an integer beyond 64 bits: its value is not kept */
    NODE_REAL,    /* real */
    NODE_TEXT,    /* offset, count: UTF-8 in the pickle's bytes, surrogates allowed */
    NODE_BYTES,   /* offset, count */
    NODE_TUPLE,   /* first, count: cells */
    NODE_LIST,
    NODE_SET,
    NODE_DICT,    /* cells with keys, in the order of insertion; a key may occur again */
    NODE_GLOBAL,  /* home, name: TEXT */
    NODE_STORAGE, /* content: the TUPLE of a persistent id; callee: the reader's own number */
    NODE_TENSOR,  /* callee: GLOBAL, content: TUPLE of arguments */
    NODE_OBJECT   /* callee: GLOBAL or another node, content: arguments, or state if it has any */
};

struct node {
    uint8_t kind;
    uint8_t global; /* of GLOBAL, TENSOR and OBJECT: row of the known one, 0 for an unknown one */
    bool module;    /* DICT with a DICT _modules: the state of a torch module */
    uint32_t count;
    union {
        int64_t integer;
        double real;
        uint64_t offset;
        struct {
            uint32_t first, last; /* cells */
        };
        struct {
            uint32_t home, name; /* nodes: the module's name and its own */
        };
        struct {
            uint32_t callee, content; /* nodes */
        };
    };
};

/* An element of a container. */
struct cell {
    uint32_t key; /* of a DICT */
    uint32_t value;
    uint32_t next; /* cell, 0 at the end */
};

/* The nodes every pickle has. */
enum { NODE_AT_NONE, NODE_AT_FALSE, NODE_AT_TRUE, NODE_AT_EMPTY_TUPLE, NODE_FIXED };

struct pickle {
    const unsigned char *bytes; /* borrowed */
    size_t size;
    size_t at; /* next byte; after pickle_read the first one behind the pickle */
    bool old;  /* the format before torch 1.6: ids of modules may stand for their classes */
    struct node *nodes;
    size_t node_count, node_capacity;
    struct cell *cells; /* the first one is unused */
    size_t cell_count, cell_capacity;
    uint32_t *stack;
    size_t stack_count, stack_capacity;
    uint32_t *memo; /* node + 1, 0 for none */
    size_t memo_count;
    size_t memoized; /* by MEMOIZE: the index of the next one */
    size_t *marks;   /* heights of the stack */
    size_t mark_count;
    size_t operations;
    struct cell *states; /* key: a DICT, value: what BUILD gave it, such as {'_metadata': ...} */
    size_t state_count, state_capacity;
    uint32_t root;
    char *problem; /* what is wrong, with opcode and byte; NULL when nothing is */
};

/* Reads one pickle from the beginning of bytes. On failure problem says why. Release it in any
 * case. */
bool pickle_read(struct pickle *pickle, const unsigned char *bytes, size_t size, bool old);
void pickle_free(struct pickle *pickle);

/* Sets problem. Returns false. */
bool pickle_fail(struct pickle *pickle, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A new node of that kind, everything else zero; 0 (NODE_AT_NONE) with a problem at the limit. */
uint32_t pickle_add(struct pickle *pickle, enum node_kind kind);

/* Appends to a container; false with a problem at the limit. */
bool pickle_append(struct pickle *pickle, uint32_t container, uint32_t key, uint32_t value);

/* Appends the elements of one container to another. */
bool pickle_append_all(struct pickle *pickle, uint32_t container, uint32_t other);

/* The function `function` applied to the TUPLE arguments, as a node; 0 with a problem. */
uint32_t pickle_apply(struct pickle *pickle, uint32_t function, uint32_t arguments);

/* Element index of a TUPLE or LIST (a few steps of a list), NODE_AT_NONE beyond its end. */
uint32_t pickle_item(const struct pickle *pickle, uint32_t container, size_t index);

/* The value of the last cell with that text as key, or NODE_AT_NONE, also where dict is no DICT. */
uint32_t pickle_value(const struct pickle *pickle, uint32_t dict, const char *key);

/* Removes the values of keys that occur again later in their DICT, as Python would have (their
 * cells become None: None). Returns their number, and the key of one of them. */
size_t pickle_drop_overwritten(struct pickle *pickle, uint32_t *key);

/* What was last given to a DICT as its state, or NODE_AT_NONE. */
uint32_t pickle_state(const struct pickle *pickle, uint32_t dict);

/* The DICT with the state of a torch module (its _modules, _parameters, _buffers), or 0. */
uint32_t pickle_module_state(const struct pickle *pickle, uint32_t node);

bool pickle_is_container(const struct pickle *pickle, uint32_t node); /* TUPLE, LIST, DICT */
bool pickle_is_text(const struct pickle *pickle, uint32_t node, const char *text);
const char *pickle_text(const struct pickle *pickle, uint32_t node); /* of TEXT; count bytes */

/* "argparse.Namespace": the name of a GLOBAL, or of that which made an OBJECT or TENSOR, fit to be
 * shown; free() it. */
char *pickle_global_name(const struct pickle *pickle, uint32_t node);

#endif
