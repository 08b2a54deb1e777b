#include "io/plots/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace thalweg {

namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool allowed_in_xml(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return true;
  return c >= 0x20 && c != 0xFFFE && c != 0xFFFF && c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
}

/// Bytes of the sequence that starts with `lead`; 0 where none does.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

/// Decodes one character at `position` and moves behind it.
char32_t next_code_point(std::string_view text, std::size_t& position) {
  constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const auto lead = static_cast<unsigned char>(text[position]);
  const std::size_t length = sequence_length(lead);
  if (length == 0 || position + length > text.size()) return ++position, kReplacement;
  char32_t value = length == 1 ? lead : lead & (0xFFu >> (length + 1));
  for (std::size_t k = 1; k < length; ++k) {
    const auto byte = static_cast<unsigned char>(text[position + k]);
    if ((byte & 0xC0) != 0x80) return ++position, kReplacement;
    value = (value << 6) | (byte & 0x3F);
  }
  if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    return ++position, kReplacement;
  }
  position += length;
  return value;
}

/// Advance width in thousandths of the font size.
int advance_width(char32_t c) {
  // DejaVu Sans, U+0020 .. U+007E.
  static constexpr std::array<std::int16_t, 95> ascii{
      318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361,  318, 337, 636, 636, 636,
      636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632,
      575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635,  611, 732, 684, 989, 685,
      611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352,  635, 634, 278, 278, 579,
      278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592,  525, 636, 337, 636, 838};
  if (c >= 0x20 && c <= 0x7E) return ascii[c - 0x20];
  if (c < 0x20 || (c >= 0x300 && c <= 0x36F) || (c >= 0x200B && c <= 0x200D)) return 0;
  if (c < 0x590) return 720;
  return (c >= 0x1100 && c <= 0x11FF) || c >= 0x2E80 ? 1050 : 850;
}

double code_points_width(std::u32string_view text, double font_size) {
  std::int64_t sum = 0;
  for (const char32_t c : text) sum += advance_width(c);
  return static_cast<double>(sum) * font_size / 1000.0;
}

}  // namespace

std::u32string decode_utf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) out.push_back(next_code_point(text, position));
  return out;
}

std::string encode_utf8(std::u32string_view code_points) {
  std::string out;
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  for (const char32_t c : code_points) {
    if (c < 0x80) {
      put(c);
    } else if (c < 0x800) {
      put(0xC0 | (c >> 6)), put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      put(0xE0 | (c >> 12)), put(0x80 | ((c >> 6) & 0x3F)), put(0x80 | (c & 0x3F));
    } else {
      put(0xF0 | (c >> 18)), put(0x80 | ((c >> 12) & 0x3F)), put(0x80 | ((c >> 6) & 0x3F)), put(0x80 | (c & 0x3F));
    }
  }
  return out;
}

std::string escape_xml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char32_t c : decode_utf8(text)) {
    if (!allowed_in_xml(c)) c = kReplacement;
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      case '\r':
        out += "&#13;";
        break;
      case '\t':
        out += "&#9;";
        break;
      default:
        out += encode_utf8({&c, 1});
    }
  }
  return out;
}

double text_width(std::string_view text, double font_size) { return code_points_width(decode_utf8(text), font_size); }

std::string shorten(std::string_view text, double font_size, double width) {
  const std::u32string all = decode_utf8(text);
  if (all.empty() || code_points_width(all, font_size) <= width) return std::string(text);
  for (std::size_t kept = all.size() - 1; kept > 1; --kept) {
    const std::size_t head = (kept + 1) / 2;
    const std::u32string candidate = all.substr(0, head) + U'\u2026' + all.substr(all.size() - (kept - head));
    if (code_points_width(candidate, font_size) <= width) return encode_utf8(candidate);
  }
  return encode_utf8(all.substr(0, 1)) + (all.size() > 1 ? "\u2026" : "");
}

std::vector<std::string> wrap_text(std::string_view text, double font_size, double width) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", begin), text.size());
    const std::string word = shorten(text.substr(begin, end - begin), font_size, width);
    begin = end + 1;
    if (word.empty()) continue;
    if (!lines.empty() && text_width(lines.back() + ' ' + word, font_size) <= width) {
      lines.back() += ' ' + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

}  // namespace thalweg
