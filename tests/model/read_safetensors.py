# SPDX-License-Identifier: MIT
"""An independent reader: the format's page, json and struct, nothing of the library. Prints what it finds."""
import hashlib
import json
import struct
import sys

data = open(sys.argv[1], "rb").read()
(length,) = struct.unpack("<Q", data[:8])
header = json.loads(data[8 : 8 + length])
body = data[8 + length :]
metadata = header.pop("__metadata__")
digits = metadata["csm.sha256"].encode()
blank = data.replace(digits, b"0" * 64, 1)
assert data.count(digits) == 1 and hashlib.sha256(blank).hexdigest().encode() == digits, "checksum"
code = {"U8": "B", "I32": "i", "I64": "q", "F32": "f", "F64": "d"}
end = 0
for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
    begin, stop = entry["data_offsets"]
    assert begin == end and (8 + length + begin) % struct.calcsize(code[entry["dtype"]]) == 0, name
    end = stop
    count = 1
    for size in entry["shape"]:
        count *= size
    values = struct.unpack(f"<{count}{code[entry['dtype']]}", body[begin:stop])
    print(name, entry["dtype"], entry["shape"], float(sum(values)))
assert end == len(body)
print(metadata["csm.note"])
