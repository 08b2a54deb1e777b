#include "io/off_file.hpp"

#include <cstdlib>
#include <string_view>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

/// The lines of a text that say something, and the numbers on them.
class Lines {
 public:
  Lines(const std::string& text, const std::string& path) : text_(text), path_(path) {}

  /// Goes to the next line that is neither empty nor a comment.
  void advance() {
    while (begin_ < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', begin_), text_.size());
      line_ = text_.substr(begin_, end - begin_);
      begin_ = end + 1;
      ++number_;
      line_.resize(std::min(line_.find('#'), line_.size()));
      if (line_.find_first_not_of(" \t\r") == std::string::npos) continue;
      at_ = line_.c_str();
      return;
    }
    fail("the file ends early");
  }

  std::string word() {
    at_ += std::string_view(at_).find_first_not_of(" \t");
    const std::size_t length = std::min(std::string_view(at_).find_first_of(" \t\r"), std::string_view(at_).size());
    const std::string found(at_, length);
    at_ += length;
    return found;
  }

  double number() {
    char* end = nullptr;
    const double value = std::strtod(at_, &end);
    if (end == at_) fail("a number is missing");
    at_ = end;
    return value;
  }

  std::int64_t count() {
    const double value = number();
    if (!(value >= 0.0 && value < 2147483648.0) || value != static_cast<double>(static_cast<std::int64_t>(value)))
      fail("a count or vertex is no whole number from 0 to 2147483647");
    return static_cast<std::int64_t>(value);
  }

  bool is_at_end() const { return std::string_view(at_).find_first_not_of(" \t\r") == std::string_view::npos; }

  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(path_ + ":" + std::to_string(number_) + ": " + what +
                    "; a line has the three coordinates of a vertex, or 3 and the three vertices of a triangle");
  }

 private:
  const std::string& text_;
  const std::string& path_;
  std::size_t begin_ = 0;
  std::int64_t number_ = 0;
  std::string line_;
  const char* at_ = "";
};

}  // namespace

TriangleMesh parse_off(const std::string& text, const std::string& path) {
  Lines lines(text, path);
  lines.advance();
  const std::string mark = lines.word();
  if (mark != "OFF" && mark != "COFF")
    throw DataError(path + " begins with '" + mark.substr(0, 20) + "'; files that begin with OFF or COFF are read");
  if (lines.is_at_end()) lines.advance();
  const std::int64_t num_vertices = lines.count(), num_faces = lines.count();
  TriangleMesh mesh;
  for (std::int64_t i = 0; i < num_vertices; ++i) {
    lines.advance();
    const double x = lines.number(), y = lines.number(), z = lines.number();
    mesh.vertices.push_back({x, y, z});
  }
  for (std::int64_t k = 0; k < num_faces; ++k) {
    lines.advance();
    if (const std::int64_t corners = lines.count(); corners != 3)
      lines.fail("a face has " + std::to_string(corners) + " corners");
    const auto a = static_cast<std::int32_t>(lines.count()), b = static_cast<std::int32_t>(lines.count()),
               c = static_cast<std::int32_t>(lines.count());
    mesh.triangles.push_back({a, b, c});
  }
  return mesh;
}

}  // namespace thalweg
