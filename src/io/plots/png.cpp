#include "io/plots/png.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>

namespace thalweg {

namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t c = n;
    for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
    table[n] = c;
  }
  return table;
}

/// Bits of a deflate stream, least significant first. Source: RFC 1951.
class DeflateWriter {
 public:
  explicit DeflateWriter(std::string& out) : out_(out) {}

  void bits(std::uint32_t value, int count) {
    pending_ |= static_cast<std::uint64_t>(value) << filled_;
    for (filled_ += count; filled_ >= 8; filled_ -= 8, pending_ >>= 8) out_ += static_cast<char>(pending_ & 0xFF);
  }

  /// Huffman codes go most significant bit first.
  void code(std::uint32_t value, int count) {
    std::uint32_t reversed = 0;
    for (int k = 0; k < count; ++k) reversed |= ((value >> k) & 1u) << (count - 1 - k);
    bits(reversed, count);
  }

  /// A symbol of the fixed literal/length alphabet.
  void symbol(std::uint32_t s) {
    if (s < 144) {
      code(0x30 + s, 8);
    } else if (s < 256) {
      code(0x190 + s - 144, 9);
    } else if (s < 280) {
      code(s - 256, 7);
    } else {
      code(0xC0 + s - 280, 8);
    }
  }

  /// The last `length` (3 to 258) bytes repeat the byte before them.
  void run(std::uint32_t length) {
    static constexpr std::array<std::uint16_t, 29> base{3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                                        31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static constexpr std::array<std::uint8_t, 29> extra{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                        2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    const auto at = static_cast<std::size_t>(std::upper_bound(base.begin(), base.end(), length) - base.begin()) - 1;
    symbol(257 + static_cast<std::uint32_t>(at));
    bits(length - base[at], extra[at]);
    code(0, 5);  // distance 1
  }

  void flush() {
    if (filled_ > 0) bits(0, 8 - filled_);
  }

 private:
  std::string& out_;
  std::uint64_t pending_ = 0;
  int filled_ = 0;
};

void append_big_endian(std::uint32_t value, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xFF);
}

void append_chunk(std::string_view type, std::string_view data, std::string& out) {
  append_big_endian(static_cast<std::uint32_t>(data.size()), out);
  std::string body(type);
  body += data;
  out += body;
  append_big_endian(crc32(body), out);
}

/// Image rows, each after its filter byte 0.
std::string filtered_rows(const IndexedImage& image) {
  std::string rows;
  const auto width = static_cast<std::size_t>(image.width);
  for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y) {
    rows += '\0';
    rows.append(reinterpret_cast<const char*>(image.pixels.data()) + y * width, width);
  }
  return rows;
}

}  // namespace

std::uint32_t crc32(std::string_view bytes) {
  static constexpr auto table = make_crc_table();
  std::uint32_t c = 0xFFFFFFFFu;
  for (const char byte : bytes) c = table[(c ^ static_cast<unsigned char>(byte)) & 0xFF] ^ (c >> 8);
  return ~c;
}

std::uint32_t adler32(std::string_view bytes) {
  std::uint32_t a = 1, b = 0;
  for (const char byte : bytes) {
    a = (a + static_cast<unsigned char>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  return (b << 16) | a;
}

std::string zlib_compress(std::string_view bytes) {
  std::string out = "\x78\x01";
  DeflateWriter writer(out);
  writer.bits(0b011, 3);  // one final block, fixed codes
  for (std::size_t i = 0; i < bytes.size();) {
    writer.symbol(static_cast<unsigned char>(bytes[i]));
    std::size_t run = 0;
    while (run < 258 && i + 1 + run < bytes.size() && bytes[i + 1 + run] == bytes[i]) ++run;
    if (run >= 3) writer.run(static_cast<std::uint32_t>(run));
    i += 1 + (run >= 3 ? run : 0);
  }
  writer.symbol(256);
  writer.flush();
  append_big_endian(adler32(bytes), out);
  return out;
}

std::string encode_png(const IndexedImage& image) {
  assert(image.width > 0 && image.height > 0 && !image.palette.empty() && image.palette.size() <= 256);
  assert(image.pixels.size() == static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height));
  std::string header, colors, alphas;
  append_big_endian(static_cast<std::uint32_t>(image.width), header);
  append_big_endian(static_cast<std::uint32_t>(image.height), header);
  header += std::string("\x08\x03\x00\x00\x00", 5);  // 8 bits, palette, deflate, no filter type, not interlaced
  for (const Rgba& entry : image.palette) {
    for (const std::uint8_t channel : {entry.red, entry.green, entry.blue}) colors += static_cast<char>(channel);
    alphas += static_cast<char>(entry.alpha);
  }
  std::string out = "\x89PNG\r\n\x1a\n";
  append_chunk("IHDR", header, out);
  append_chunk("PLTE", colors, out);
  append_chunk("tRNS", alphas, out);
  append_chunk("IDAT", zlib_compress(filtered_rows(image)), out);
  append_chunk("IEND", {}, out);
  return out;
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      word = (word << 8) | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? digits[(word >> (18 - 6 * k)) & 63] : '=';
  }
  return out;
}

}  // namespace thalweg
