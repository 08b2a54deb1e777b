#include <gtest/gtest.h>

#include <string>

#include "io/plots/png.hpp"

namespace thalweg {
namespace {

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t k = 0; k < 4; ++k) value = (value << 8) | static_cast<unsigned char>(bytes[at + k]);
  return value;
}

/// CRC-32 bit by bit.
std::uint32_t plain_crc(const std::string& bytes) {
  std::uint32_t c = 0xFFFFFFFFu;
  for (const char byte : bytes) {
    c ^= static_cast<unsigned char>(byte);
    for (int k = 0; k < 8; ++k) c = (c >> 1) ^ ((c & 1) != 0 ? 0xEDB88320u : 0u);
  }
  return ~c;
}

/// Inflates a stream of one fixed-Huffman block by reading bit after bit.
std::string plain_inflate(const std::string& stream) {
  static constexpr int base[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
  static constexpr int extra[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                  2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
  std::size_t at = 16;
  const auto bit = [&] {
    const int value = (static_cast<unsigned char>(stream.at(at / 8)) >> (at % 8)) & 1;
    ++at;
    return value;
  };
  const auto number = [&](int count) {
    int value = 0;
    for (int k = 0; k < count; ++k) value |= bit() << k;
    return value;
  };
  EXPECT_EQ(number(3), 3);
  std::string out;
  for (;;) {
    int code = 0;
    for (int k = 0; k < 7; ++k) code = 2 * code + bit();
    int symbol = 256 + code;
    if (code > 23) {
      code = 2 * code + bit();
      if (code < 0xC0) {
        symbol = code - 0x30;
      } else if (code < 0xC8) {
        symbol = code - 0xC0 + 280;
      } else {
        symbol = 2 * code + bit() - 0x190 + 144;
      }
    }
    if (symbol == 256) return out;
    if (symbol < 256) {
      out += static_cast<char>(symbol);
      continue;
    }
    const int length = base[symbol - 257] + number(extra[symbol - 257]);
    EXPECT_EQ(number(5), 0);
    out.append(static_cast<std::size_t>(length), out.back());
  }
}

TEST(Png, CrcAndAdlerHaveKnownValues) {
  EXPECT_EQ(crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(adler32("Wikipedia"), 0x11E60398u);
}

TEST(Png, Base64HasKnownValues) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

TEST(Png, CompressedBytesInflateToTheSame) {
  std::string all;
  for (int k = 0; k < 256; ++k) all += static_cast<char>(k);
  for (const std::size_t run : {1, 2, 3, 4, 10, 11, 12, 130, 131, 257, 258, 259, 260, 261, 262, 515, 5000})
    all += std::string(run, 'a') + "bc";
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(100000, '\0'), all}) {
    const std::string stream = zlib_compress(bytes);
    EXPECT_EQ(plain_inflate(stream), bytes);
    EXPECT_EQ(big_endian(stream, stream.size() - 4), adler32(bytes));
    EXPECT_EQ((static_cast<unsigned char>(stream[0]) * 256 + static_cast<unsigned char>(stream[1])) % 31, 0);
  }
  EXPECT_LT(zlib_compress(std::string(100000, '\0')).size(), 1100u);
}

TEST(Png, HasHeaderChunksAndChecksums) {
  const IndexedImage image{3, 2, {0, 1, 2, 2, 1, 0}, {{0, 0, 0, 0}, {255, 0, 0, 128}, {0, 0, 255, 255}}};
  const std::string png = encode_png(image);
  ASSERT_EQ(png.substr(0, 8), std::string("\x89PNG\r\n\x1a\n"));
  std::string types, data;
  for (std::size_t at = 8; at < png.size();) {
    const std::size_t length = big_endian(png, at);
    const std::string body = png.substr(at + 4, length + 4);
    EXPECT_EQ(big_endian(png, at + 8 + length), plain_crc(body));
    types += body.substr(0, 4) + ' ';
    if (body.substr(0, 4) == "IDAT") data = body.substr(4);
    if (body.substr(0, 4) == "IHDR") {
      EXPECT_EQ(big_endian(body, 4), 3u);
      EXPECT_EQ(big_endian(body, 8), 2u);
      EXPECT_EQ(body.substr(12), std::string("\x08\x03\x00\x00\x00", 5));
    }
    at += length + 12;
  }
  EXPECT_EQ(types, "IHDR PLTE tRNS IDAT IEND ");
  EXPECT_EQ(plain_inflate(data), std::string("\0\0\1\2\0\2\1\0", 8));
}

}  // namespace
}  // namespace thalweg
