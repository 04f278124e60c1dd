"""The safetensors format, read and written by its specification, not by the library.

8 bytes: length n of the header, little endian; n bytes: JSON, padded with spaces; the data.
"""

import json
import struct

import numpy as np

DTYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}


def parse(content):
    """(header, data) of a file's bytes."""
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def build(header, data):
    """The bytes of a file; `header` may be any JSON value, or bytes as they stand."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def arrays_of(content):
    """The arrays of a file's bytes, by name."""
    header, data = parse(content)
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            flat = np.frombuffer(data[begin:end], DTYPES[entry["dtype"]])
            arrays[name] = flat.reshape(entry["shape"])
    return arrays


def pack(arrays, metadata, dtype="F32"):
    """The bytes of a file of `arrays`, all of one `dtype`."""
    header, data = {"__metadata__": metadata}, b""
    for name, array in arrays.items():
        raw = np.asarray(array, DTYPES[dtype]).tobytes()
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": offsets}
        data += raw
    return build(header, data)
