#include "io/ply_file.hpp"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

static_assert(std::endian::native == std::endian::little, "binary values are copied as they are");

enum class Type { int8, uint8, int16, uint16, int32, uint32, float32, float64 };

std::optional<Type> type_of(const std::string& word) {
  static const std::pair<const char*, Type> names[] = {
      {"char", Type::int8},     {"int8", Type::int8},       {"uchar", Type::uint8},    {"uint8", Type::uint8},
      {"short", Type::int16},   {"int16", Type::int16},     {"ushort", Type::uint16},  {"uint16", Type::uint16},
      {"int", Type::int32},     {"int32", Type::int32},     {"uint", Type::uint32},    {"uint32", Type::uint32},
      {"float", Type::float32}, {"float32", Type::float32}, {"double", Type::float64}, {"float64", Type::float64}};
  for (const auto& [name, type] : names)
    if (word == name) return type;
  return {};
}

struct Property {
  std::string name;
  Type type = Type::float32;
  std::optional<Type> count_type;  // of a list
};

struct Element {
  std::string name;
  std::int64_t count = 0;
  std::vector<Property> properties;
};

struct Header {
  bool is_binary = false;
  std::vector<Element> elements;
  std::size_t end = 0;  // place of the first value

  std::int64_t count_of(const std::string& name) const {
    for (const Element& element : elements)
      if (element.name == name) return element.count;
    return 0;
  }
};

Property property_of(std::istringstream& words, const DataError& damaged) {
  Property property;
  std::string word;
  words >> word;
  if (word == "list") {
    words >> word;
    property.count_type = type_of(word);
    if (!property.count_type) throw damaged;
    words >> word;
  }
  const std::optional<Type> type = type_of(word);
  if (!type || !(words >> property.name)) throw damaged;
  property.type = *type;
  return property;
}

Header header_of(const std::string& bytes, const std::string& path) {
  const DataError damaged(
      path + " has no header that is understood; \"ascii\" and \"binary_little_endian\" of version 1.0 are read");
  Header header;
  std::size_t begin = 0;
  for (std::int64_t number = 0;; ++number) {
    const std::size_t end = bytes.find('\n', begin);
    if (end == std::string::npos) throw damaged;
    std::istringstream words(bytes.substr(begin, end - begin));
    begin = end + 1;
    std::string word;
    words >> word;
    if (number == 0 && word != "ply") throw damaged;
    if (word == "format") {
      words >> word;
      if (word != "ascii" && word != "binary_little_endian") throw damaged;
      header.is_binary = word != "ascii";
    } else if (word == "element") {
      Element element;
      if (!(words >> element.name >> element.count) || element.count < 0) throw damaged;
      header.elements.push_back(std::move(element));
    } else if (word == "property") {
      if (header.elements.empty()) throw damaged;
      header.elements.back().properties.push_back(property_of(words, damaged));
    } else if (word == "end_header") {
      header.end = begin;
      return header;
    }
  }
}

/// The values behind the header, one after another.
class Values {
 public:
  Values(const std::string& bytes, const Header& header, const std::string& path)
      : bytes_(bytes), at_(header.end), is_binary_(header.is_binary), path_(path) {}

  void begin(const std::string& element, std::int64_t number) {
    element_ = &element;
    number_ = number;
  }

  double next(Type type) {
    if (!is_binary_) return next_text();
    switch (type) {
      case Type::int8:
        return next_binary<std::int8_t>();
      case Type::uint8:
        return next_binary<std::uint8_t>();
      case Type::int16:
        return next_binary<std::int16_t>();
      case Type::uint16:
        return next_binary<std::uint16_t>();
      case Type::int32:
        return next_binary<std::int32_t>();
      case Type::uint32:
        return next_binary<std::uint32_t>();
      case Type::float32:
        return next_binary<float>();
      case Type::float64:
        return next_binary<double>();
    }
    return 0.0;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(path_ + ", " + *element_ + " " + std::to_string(number_) + ": " + what);
  }

 private:
  template <class T>
  double next_binary() {
    T value{};
    if (at_ + sizeof(T) > bytes_.size()) fail("the file ends early; write it again");
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return static_cast<double>(value);
  }

  double next_text() {
    const char* begin = bytes_.c_str() + at_;
    char* end = nullptr;
    const double value = std::strtod(begin, &end);
    if (end == begin) fail("a number is missing; write the file again");
    at_ += static_cast<std::size_t>(end - begin);
    return value;
  }

  const std::string& bytes_;
  std::size_t at_;
  bool is_binary_;
  const std::string& path_;
  const std::string* element_ = nullptr;
  std::int64_t number_ = 0;
};

void read_vertex(Values& values, const Element& element, TriangleMesh& mesh) {
  std::array<double, 3> position{};
  for (const Property& property : element.properties) {
    if (property.count_type) values.fail("vertices with lists are not read");
    const double value = values.next(property.type);
    for (std::size_t axis = 0; axis < 3; ++axis)
      if (property.name == std::string(1, "xyz"[axis])) position[axis] = value;
  }
  mesh.vertices.push_back(position);
}

std::vector<double> next_list(Values& values, const Property& property) {
  if (!property.count_type) return {values.next(property.type)};
  const double count = values.next(*property.count_type);
  if (!(count >= 0.0 && count < 65536.0)) values.fail("a list has " + std::to_string(count) + " entries");
  std::vector<double> list(static_cast<std::size_t>(count));
  for (double& entry : list) entry = values.next(property.type);
  return list;
}

void read_face(Values& values, const Element& element, TriangleMesh& mesh) {
  for (const Property& property : element.properties) {
    const std::vector<double> list = next_list(values, property);
    if (property.name != "vertex_indices" && property.name != "vertex_index") continue;
    if (list.size() != 3)
      values.fail("it has " + std::to_string(list.size()) + " corners; triangles are read; triangulate the surface");
    for (const double vertex : list)
      if (!(vertex >= 0.0 && vertex < 2147483648.0)) values.fail("vertices are numbers from 0");
    mesh.triangles.push_back(
        {static_cast<std::int32_t>(list[0]), static_cast<std::int32_t>(list[1]), static_cast<std::int32_t>(list[2])});
  }
}

}  // namespace

TriangleMesh parse_ply(const std::string& bytes, const std::string& path) {
  const Header header = header_of(bytes, path);
  Values values(bytes, header, path);
  TriangleMesh mesh;
  for (const Element& element : header.elements)
    for (std::int64_t k = 0; k < element.count; ++k) {
      values.begin(element.name, k);
      if (element.name == "vertex") read_vertex(values, element, mesh);
      else if (element.name == "face") read_face(values, element, mesh);
      else
        for (const Property& property : element.properties) next_list(values, property);
    }
  return mesh;
}

std::pair<std::int64_t, std::int64_t> ply_size(const std::string& bytes, const std::string& path) {
  const Header header = header_of(bytes, path);
  return {header.count_of("vertex"), header.count_of("face")};
}

}  // namespace thalweg
