"""Writes the example plots and reads them back with Python's own parsers: check_plot_files.py PLOT_EXAMPLES."""
import base64
import csv
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
import zlib


def check_png(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    position, chunks = 8, {}
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        body = data[position + 4 : position + 8 + length]
        (crc,) = struct.unpack(">I", data[position + 8 + length : position + 12 + length])
        assert zlib.crc32(body) == crc
        chunks[body[:4]] = body[4:]
        position += 12 + length
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    pixels = zlib.decompress(chunks[b"IDAT"])
    assert len(pixels) == height * (width + 1)
    assert max(pixels) < len(chunks[b"PLTE"]) // 3 <= 256


def check_svg(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 2_000_000, path
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg") and "viewBox" in root.attrib, path
    assert not any("id" in element.attrib for element in root.iter()), path
    for encoded in re.findall(r'base64,([^"]*)"', text):
        check_png(base64.b64decode(encoded, validate=True))


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        plots = sorted(pathlib.Path(folder).glob("*.svg"))
        assert len(plots) > 20
        for path in plots:
            check_svg(path)
            with open(path.with_suffix(".tsv"), encoding="utf-8", newline="") as table:
                rows = list(csv.reader(table, delimiter="\t"))
            assert len({len(row) for row in rows}) == 1, path
        for path in pathlib.Path(folder).glob("*.graphml"):
            ElementTree.parse(path)


main()
