// A minimal PNG encoder for images of at most 256 colours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace thalweg {

/// A palette entry with opacity.
struct Rgba {
  std::uint8_t red = 0, green = 0, blue = 0, alpha = 255;
};

/// width x height palette indices, row by row from the top.
struct IndexedImage {
  std::int32_t width = 0, height = 0;
  std::vector<std::uint8_t> pixels;
  std::vector<Rgba> palette;  ///< 1 to 256 entries; every pixel indexes one
};

/// Bytes of a PNG file (8-bit palette image, run-length deflate: at most 9/8 bytes a pixel).
std::string encode_png(const IndexedImage& image);

/// CRC-32 of PNG and zlib.
std::uint32_t crc32(std::string_view bytes);

/// Adler-32 of zlib.
std::uint32_t adler32(std::string_view bytes);

/// zlib stream of the bytes: fixed Huffman codes, matches of distance 1 only (runs of one byte).
std::string zlib_compress(std::string_view bytes);

/// Base64 with padding.
std::string base64(std::string_view bytes);

}  // namespace thalweg
