"""llama.cpp's libraries, of npm's @node-llama-cpp/linux-x64 or a release, without its headers; versions from January 2026 on."""
import ctypes
import os
import pathlib
from ctypes import POINTER, c_bool, c_char_p, c_float, c_int32, c_int8, c_uint32, c_void_p


def find_library(directory, pattern):
    """The first file of that name, or with a version behind it."""
    found = sorted(pathlib.Path(directory).glob(pattern))
    if not found:
        raise FileNotFoundError(f"no {pattern} in {directory}")
    return str(found[0])


class Parameters(ctypes.Structure):
    """Of models and contexts, passed by value: room for any version's."""
    _fields_ = [("bytes", ctypes.c_ubyte * 512)]

    def set(self, offset, value):
        c_uint32.from_buffer(self, offset).value = value


class Batch(ctypes.Structure):
    _fields_ = [("count", c_int32), ("tokens", POINTER(c_int32)), ("embeddings", POINTER(c_float)), ("positions", POINTER(c_int32)),
                ("sequence_counts", POINTER(c_int32)), ("sequences", POINTER(POINTER(c_int32))), ("wanted", POINTER(c_int8))]


LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, c_char_p, c_void_p)
FUNCTIONS = {
    "llama_log_set": (None, LOG, c_void_p),
    "llama_model_default_params": (Parameters,),
    "llama_context_default_params": (Parameters,),
    "llama_model_load_from_file": (c_void_p, c_char_p, Parameters),
    "llama_model_get_vocab": (c_void_p, c_void_p),
    "llama_vocab_n_tokens": (c_int32, c_void_p),
    "llama_vocab_is_eog": (c_bool, c_void_p, c_int32),
    "llama_tokenize": (c_int32, c_void_p, c_char_p, c_int32, POINTER(c_int32), c_int32, c_bool, c_bool),
    "llama_token_to_piece": (c_int32, c_void_p, c_int32, c_char_p, c_int32, c_int32, c_bool),
    "llama_init_from_model": (c_void_p, c_void_p, Parameters),
    "llama_free": (None, c_void_p),
    "llama_set_n_threads": (None, c_void_p, c_int32, c_int32),
    "llama_attach_threadpool": (None, c_void_p, c_void_p, c_void_p),
    "llama_get_memory": (c_void_p, c_void_p),
    "llama_memory_clear": (None, c_void_p, c_bool),
    "llama_memory_seq_cp": (None, c_void_p, c_int32, c_int32, c_int32, c_int32),
    "llama_memory_seq_rm": (c_bool, c_void_p, c_int32, c_int32, c_int32),
    "llama_decode": (c_int32, c_void_p, Batch),
    "llama_synchronize": (None, c_void_p),
    "llama_get_logits_ith": (POINTER(c_float), c_void_p, c_int32),
    "ggml_backend_load_all_from_path": (None, c_char_p),
    "ggml_backend_reg_by_name": (c_void_p, c_char_p),
    "ggml_backend_reg_get_proc_address": (c_void_p, c_void_p, c_char_p),
    "ggml_threadpool_params_init": (None, POINTER(Parameters), ctypes.c_int),
}


class Llama:
    """The libraries of a directory, with their CPU back end and GGML_BACKEND_PATH; a line of the log goes to `log`."""

    def __init__(self, directory, log=lambda line: None):
        for name in ("libggml-base.so*", "libggml.*", "libllama.*"):
            ctypes.CDLL(find_library(directory, name), os.RTLD_NOW | os.RTLD_GLOBAL)
        loaded = ctypes.CDLL(None)
        for name, (result, *arguments) in FUNCTIONS.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name.removeprefix("llama_"), function)
        self.kept = LOG(lambda level, text, context: log(text.decode(errors="replace")))  # as long as the library has it
        self.log_set(self.kept, None)
        self.ggml_backend_load_all_from_path(str(directory).encode())

    def threadpool(self, threads):
        """Threads that stay, as llama-server has them; else each graph starts its own."""
        new = self.ggml_backend_reg_get_proc_address(self.ggml_backend_reg_by_name(b"CPU"), b"ggml_threadpool_new")
        parameters = (Parameters * 2)()
        self.ggml_threadpool_params_init(parameters, threads)
        return ctypes.CFUNCTYPE(c_void_p, c_void_p)(new)(ctypes.addressof(parameters))


class Model:
    def __init__(self, llama, path):
        self.llama = llama
        self.pointer = llama.model_load_from_file(str(path).encode(), llama.model_default_params())
        if not self.pointer:
            raise RuntimeError(f"llama.cpp did not take {path}")
        self.vocabulary = llama.model_get_vocab(self.pointer)
        self.words = llama.vocab_n_tokens(self.vocabulary)

    def tokens(self, text):
        text = text.encode()
        room = (c_int32 * (len(text) + 8))()
        count = self.llama.tokenize(self.vocabulary, text, len(text), room, len(room), True, False)
        return room[:count]

    def piece(self, token):
        room = ctypes.create_string_buffer(256)
        length = self.llama.token_to_piece(self.vocabulary, token, room, len(room), 0, False)
        return room.raw[:max(length, 0)]

    def ends(self, token):
        return self.llama.vocab_is_eog(self.vocabulary, token)


class Context:
    """Of up to `length` tokens in each of some sequences."""

    def __init__(self, model, length, threads=1, sequences=1):
        self.llama, self.model = model.llama, model
        parameters = self.llama.context_default_params()
        parameters.set(0, length * sequences)  # n_ctx
        parameters.set(12, sequences)  # n_seq_max
        self.pointer = self.llama.init_from_model(model.pointer, parameters)
        if not self.pointer:
            raise RuntimeError("llama.cpp made no context")
        self.memory = self.llama.get_memory(self.pointer)
        self.use_threads(threads)

    def use_threads(self, threads, pool=None):
        self.llama.set_n_threads(self.pointer, threads, threads)
        self.llama.attach_threadpool(self.pointer, pool, pool)

    def decode(self, tokens, position=0, sequences=1, wanted="last"):
        """Takes the same number of tokens, one after another, for each sequence; logits of the last ones, or of all."""
        count = len(tokens)
        each = count // sequences
        numbers = lambda values: (c_int32 * count)(*values)
        positions = numbers(position + i % each for i in range(count))
        ids = numbers(i // each for i in range(count))
        lists = (POINTER(c_int32) * count)(*(ctypes.cast(ctypes.byref(ids, 4 * i), POINTER(c_int32)) for i in range(count)))
        flags = (c_int8 * count)(*(wanted == "all" or i % each == each - 1 for i in range(count)))
        if self.llama.decode(self.pointer, Batch(count, numbers(tokens), None, positions, numbers([1] * count), lists, flags)):
            raise RuntimeError("llama_decode failed")
        self.llama.synchronize(self.pointer)

    def logits(self, i=-1):
        """Of the i-th token of the batch, the last one by default."""
        return self.llama.get_logits_ith(self.pointer, i)[:self.model.words]

    def clear(self):
        self.llama.memory_clear(self.memory, True)

    def forget(self, position):
        """All tokens from a position on."""
        self.llama.memory_seq_rm(self.memory, -1, position, -1)

    def copy(self, sequence):
        """The first sequence to another one."""
        self.llama.memory_seq_cp(self.memory, 0, sequence, -1, -1)

    def free(self):
        self.llama.free(self.pointer)
