// Text as plots need it: XML escaping, estimated widths, shortening and wrapping of UTF-8.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace thalweg {

/// Code points of UTF-8 text; an invalid byte becomes U+FFFD.
std::u32string decode_utf8(std::string_view text);

/// UTF-8 of the code points.
std::string encode_utf8(std::u32string_view code_points);

/// Text safe in XML content and in a double-quoted attribute; characters that XML 1.0 forbids become U+FFFD.
std::string escape_xml(std::string_view text);

/// Width in units of the font size's unit, for the widest of the usual sans-serif fonts (DejaVu Sans):
/// an upper estimate, so that labels placed by it do not overlap in any viewer.
double text_width(std::string_view text, double font_size);

/// The text, or its head and tail around an ellipsis where it is wider than `width`.
/// The middle is dropped because cell type names tend to differ at their ends.
std::string shorten(std::string_view text, double font_size, double width);

/// Lines of at most `width`, broken at spaces; a longer word stands alone, shortened.
std::vector<std::string> wrap_text(std::string_view text, double font_size, double width);

}  // namespace thalweg
