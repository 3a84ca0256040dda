"""Writes GGUF files: tensors in any type that llama.cpp's own libggml-base quantizes to."""
import array
import ctypes
import struct
from ctypes import c_char_p, c_int, c_int64, c_size_t, c_void_p

import llama

TYPES = 43  # of ggml; some versions do not say that there is no further one
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9


class Traits(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("block", c_int64), ("interleave", c_int64), ("bytes", c_size_t),
                ("quantized", ctypes.c_bool), ("to_float", ctypes.CFUNCTYPE(None, c_void_p, c_void_p, c_int64))]


class Ggml:
    """Types by name, and their blocks."""

    def __init__(self, directory):
        self.library = ctypes.CDLL(llama.find_library(directory, "libggml-base.so*"))
        self.library.ggml_type_name.restype = c_char_p
        self.library.ggml_get_type_traits.restype = ctypes.POINTER(Traits)
        self.library.ggml_quantize_chunk.restype = c_size_t
        self.library.ggml_quantize_chunk.argtypes = [c_int, c_void_p, c_void_p, c_int64, c_int64, c_int64, c_void_p]

    def number(self, kind):
        """Of a type; None in a ggml that does not have it."""
        return next((number for number in range(TYPES) if (self.library.ggml_type_name(number) or b"").lower() == kind.encode()), None)

    def traits(self, kind):
        return self.library.ggml_get_type_traits(self.number(kind)).contents

    def bytes_of(self, kind, count):
        traits = self.traits(kind)
        return count // traits.block * traits.bytes

    def quantize(self, kind, values, k):
        """Rows of k values, an array of floats, as blocks."""
        blocks = ctypes.create_string_buffer(self.bytes_of(kind, len(values)))
        importance = array.array("f", [1.0]) * k
        self.library.ggml_quantize_chunk(self.number(kind), values.buffer_info()[0], blocks, 0, len(values) // k, k, importance.buffer_info()[0])
        return blocks.raw

    def dequantize(self, kind, blocks, count):
        values = array.array("f", bytes(4 * count))
        self.traits(kind).to_float(blocks, values.buffer_info()[0], count)
        return values


def string(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(value)) + value


def typed(value):
    """A value's type, and its bytes."""
    if isinstance(value, (str, bytes)):
        return STRING, string(value)
    if isinstance(value, list):
        items = [typed(item) for item in value]
        number = INT32 if items[0][0] == UINT32 else items[0][0]  # types of tokens are signed
        return ARRAY, struct.pack("<IQ", number, len(items)) + b"".join(item for _, item in items)
    if isinstance(value, bool):
        return BOOL, struct.pack("<B", value)
    if isinstance(value, float):
        return FLOAT32, struct.pack("<f", value)
    return UINT32, struct.pack("<I", value)


def write(path, metadata, tensors):
    """metadata: {key: value}; tensors: [(name, shape with the contiguous size first, number of the type, bytes, chunks of them)]."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    for key, value in metadata.items():
        number, data = typed(value)
        head += string(key) + struct.pack("<I", number) + data
    offset = 0
    for name, shape, number, size, _ in tensors:
        head += string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, number, offset)
        offset += (size + 31) // 32 * 32
    with open(path, "wb") as out:
        out.write(head + bytes(-len(head) % 32))
        for _, _, _, size, chunks in tensors:
            out.writelines(chunks)
            out.write(bytes(-size % 32))


def llama_sizes(architecture, layers, hidden, ffn, heads, key_heads, head, vocabulary, context=4096, theta=1e4, epsilon=1e-5):
    """Metadata of the architectures that have the sizes of llama."""
    sizes = {"vocab_size": vocabulary, "context_length": context, "block_count": layers, "embedding_length": hidden,
             "feed_forward_length": ffn, "attention.head_count": heads, "attention.head_count_kv": key_heads, "attention.key_length": head,
             "attention.value_length": head, "attention.layer_norm_rms_epsilon": epsilon, "rope.freq_base": theta}
    return {"general.architecture": architecture, **{f"{architecture}.{key}": value for key, value in sizes.items()}}


def byte_tokens():
    """A tokenizer whose 256 tokens are bytes; those of 0 to 2 are what it calls unknown, begin and end."""
    names = [f"<0x{byte:02X}>" for byte in range(256)]
    names[ord(" ")] = "\u2581"  # how the tokenizer writes a space
    normal, single_byte = 1, 6
    tokenizer = {"model": "llama", "tokens": names, "scores": [0.0] * 256,
                 "token_type": [normal if byte == ord(" ") else single_byte for byte in range(256)],
                 "unknown_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
                 "add_bos_token": False, "add_eos_token": False, "add_space_prefix": False}
    return {f"tokenizer.ggml.{key}": value for key, value in tokenizer.items()}
