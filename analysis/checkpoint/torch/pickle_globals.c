#include "analysis/checkpoint/torch/pickle_globals.h"

#include <string.h>

#define TYPE(role, name, bytes, dtype)                                                             \
    { "torch", name, role, bytes, dtype, NULL }
#define OTHER_TYPE(role, name, bytes, what)                                                        \
    { "torch", name, role, bytes, DTYPE_U8, what }
#define STORAGE(name, bytes, dtype) TYPE(ROLE_STORAGE, name "Storage", bytes, dtype)
#define OTHER_STORAGE(name, bytes, what) OTHER_TYPE(ROLE_STORAGE, name "Storage", bytes, what)
#define ELEMENT(name, bytes, dtype) TYPE(ROLE_DTYPE, name, bytes, dtype)
#define OTHER_ELEMENT(name, bytes, what) OTHER_TYPE(ROLE_DTYPE, name, bytes, what)
#define REBUILD(name, role, what)                                                                  \
    { "torch._utils", name, role, 0, DTYPE_U8, what }
#define PLAIN(module, name, role)                                                                  \
    { module, name, role, 0, DTYPE_U8, NULL }

const struct global pickle_globals[] = {
    PLAIN("", "", ROLE_OBJECT),
    REBUILD("_rebuild_tensor", ROLE_TENSOR_V1, NULL),
    REBUILD("_rebuild_tensor_v2", ROLE_TENSOR_V2, NULL),
    REBUILD("_rebuild_tensor_v3", ROLE_TENSOR_V3, NULL),
    REBUILD("_rebuild_parameter", ROLE_PARAMETER, NULL),
    REBUILD("_rebuild_parameter_with_state", ROLE_PARAMETER, NULL),
    REBUILD("_rebuild_qtensor", ROLE_TENSOR_OTHER, "quantized"),
    REBUILD("_rebuild_sparse_tensor", ROLE_TENSOR_OTHER, "sparse"),
    REBUILD("_rebuild_sparse_csr_tensor", ROLE_TENSOR_OTHER, "sparse"),
    REBUILD("_rebuild_meta_tensor_no_storage", ROLE_TENSOR_OTHER, "meta, without data"),
    REBUILD("_rebuild_wrapper_subclass", ROLE_TENSOR_OTHER, "a wrapper class"),
    REBUILD("_rebuild_nested_tensor", ROLE_TENSOR_OTHER, "nested"),
    PLAIN("torch._tensor", "_rebuild_from_type_v2", ROLE_WRAPPED),
    PLAIN("collections", "OrderedDict", ROLE_DICT),
    PLAIN("collections", "defaultdict", ROLE_DICT),
    PLAIN("builtins", "dict", ROLE_DICT),
    PLAIN("builtins", "set", ROLE_SET),
    PLAIN("builtins", "frozenset", ROLE_SET),
    PLAIN("builtins", "bytearray", ROLE_VALUE),
    PLAIN("builtins", "complex", ROLE_VALUE),
    PLAIN("_codecs", "encode", ROLE_VALUE),
    PLAIN("torch", "Size", ROLE_VALUE),
    PLAIN("torch", "device", ROLE_VALUE),
    STORAGE("Double", 8, DTYPE_F64),
    STORAGE("Float", 4, DTYPE_F32),
    STORAGE("Half", 2, DTYPE_F16),
    STORAGE("BFloat16", 2, DTYPE_BF16),
    STORAGE("Long", 8, DTYPE_I64),
    STORAGE("Int", 4, DTYPE_I32),
    STORAGE("Short", 2, DTYPE_I16),
    STORAGE("Char", 1, DTYPE_I8),
    STORAGE("Byte", 1, DTYPE_U8),
    STORAGE("Bool", 1, DTYPE_BOOL),
    STORAGE("ComplexFloat", 8, DTYPE_C64),
    OTHER_STORAGE("ComplexDouble", 16, "complex128"),
    OTHER_STORAGE("QInt8", 1, "quantized"),
    OTHER_STORAGE("QUInt8", 1, "quantized"),
    OTHER_STORAGE("QInt32", 4, "quantized"),
    OTHER_STORAGE("QUInt4x2", 1, "quantized"),
    OTHER_STORAGE("QUInt2x4", 1, "quantized"),
    {"torch.storage", "UntypedStorage", ROLE_STORAGE, 1, DTYPE_U8, NULL},
    {"torch.storage", "_UntypedStorage", ROLE_STORAGE, 1, DTYPE_U8, NULL},
    ELEMENT("float64", 8, DTYPE_F64),
    ELEMENT("float32", 4, DTYPE_F32),
    ELEMENT("float16", 2, DTYPE_F16),
    ELEMENT("bfloat16", 2, DTYPE_BF16),
    ELEMENT("int64", 8, DTYPE_I64),
    ELEMENT("int32", 4, DTYPE_I32),
    ELEMENT("int16", 2, DTYPE_I16),
    ELEMENT("int8", 1, DTYPE_I8),
    ELEMENT("uint64", 8, DTYPE_U64),
    ELEMENT("uint32", 4, DTYPE_U32),
    ELEMENT("uint16", 2, DTYPE_U16),
    ELEMENT("uint8", 1, DTYPE_U8),
    ELEMENT("bool", 1, DTYPE_BOOL),
    ELEMENT("complex64", 8, DTYPE_C64),
    ELEMENT("float8_e4m3fn", 1, DTYPE_F8_E4M3),
    ELEMENT("float8_e5m2", 1, DTYPE_F8_E5M2),
    ELEMENT("float8_e4m3fnuz", 1, DTYPE_F8_E4M3FNUZ),
    ELEMENT("float8_e5m2fnuz", 1, DTYPE_F8_E5M2FNUZ),
    ELEMENT("float8_e8m0fnu", 1, DTYPE_F8_E8M0),
    OTHER_ELEMENT("float4_e2m1fn_x2", 1, "float4_e2m1fn_x2"),
    OTHER_ELEMENT("complex128", 16, "complex128"),
    OTHER_ELEMENT("complex32", 4, "complex32"),
    OTHER_ELEMENT("qint8", 1, "quantized"),
    OTHER_ELEMENT("quint8", 1, "quantized"),
    OTHER_ELEMENT("qint32", 4, "quantized"),
    OTHER_ELEMENT("quint4x2", 1, "quantized"),
    OTHER_ELEMENT("quint2x4", 1, "quantized"),
};

enum { GLOBALS = sizeof pickle_globals / sizeof pickle_globals[0] };

_Static_assert(GLOBALS <= 256, "a row fits a byte");

/* Modules, with all below them, and names (NULL: any) that run code, files or processes. */
static const struct {
    const char *module, *name;
} payloads[] = {
    {"os", NULL},
    {"posix", NULL},
    {"nt", NULL},
    {"subprocess", NULL},
    {"sys", NULL},
    {"pty", NULL},
    {"socket", NULL},
    {"shutil", NULL},
    {"ctypes", NULL},
    {"importlib", NULL},
    {"runpy", NULL},
    {"webbrowser", NULL},
    {"code", NULL},
    {"pdb", NULL},
    {"bdb", NULL},
    {"timeit", NULL},
    {"cProfile", NULL},
    {"pip", NULL},
    {"torch.hub", NULL},
    {"torch.utils.cpp_extension", NULL},
    {"builtins", "eval"},
    {"builtins", "exec"},
    {"builtins", "execfile"},
    {"builtins", "compile"},
    {"builtins", "open"},
    {"builtins", "file"},
    {"builtins", "__import__"},
    {"builtins", "apply"},
    {"builtins", "input"},
    {"pickle", "loads"},
    {"_pickle", "loads"},
    {"marshal", "loads"},
    {"dill", "loads"},
    {"types", "FunctionType"},
    {"types", "CodeType"},
};

static bool equals(const char *text, size_t length, const char *name) {
    return strlen(name) == length && memcmp(text, name, length) == 0;
}

/* Two names of one module: those of Python 2 and of the storages of a GPU. */
static void use_one_name(const char **module, size_t *length) {
    static const char *const names[][2] = {{"__builtin__", "builtins"}, {"torch.cuda", "torch"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!equals(*module, *length, names[i][0]))
            continue;
        *module = names[i][1];
        *length = strlen(*module);
    }
}

uint8_t pickle_global_find(const char *module, size_t module_length, const char *name,
                           size_t name_length) {
    use_one_name(&module, &module_length);
    for (size_t i = 1; i < GLOBALS; i++)
        if (equals(name, name_length, pickle_globals[i].name) &&
            equals(module, module_length, pickle_globals[i].module))
            return (uint8_t)i;
    return 0;
}

bool pickle_global_is_payload(const char *module, size_t module_length, const char *name,
                              size_t name_length) {
    use_one_name(&module, &module_length);
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        size_t length = strlen(payloads[i].module);
        if (module_length < length || memcmp(module, payloads[i].module, length) != 0)
            continue;
        bool below = module_length == length || module[length] == '.';
        if (below && (payloads[i].name == NULL || equals(name, name_length, payloads[i].name)))
            return true;
    }
    return false;
}
