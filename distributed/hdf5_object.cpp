#include "distributed/hdf5_object.hpp"

#include <algorithm>
#include <cstring>

namespace thalweg {

namespace {

class Packer {
 public:
  std::string bytes;

  template <class T>
  void number(T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  void text(const std::string& value) {
    number(static_cast<std::int64_t>(value.size()));
    bytes += value;
  }
  void texts(const std::vector<std::string>& values) {
    number(static_cast<std::int64_t>(values.size()));
    for (const std::string& value : values) text(value);
  }
  template <class T>
  void numbers(const std::vector<T>& values) {
    number(static_cast<std::int64_t>(values.size()));
    for (const T value : values) number(value);
  }
};

class Unpacker {
 public:
  explicit Unpacker(const std::string& bytes) : bytes_(bytes) {}

  template <class T>
  T number() {
    T value;
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }
  std::string text() {
    const auto length = static_cast<std::size_t>(number<std::int64_t>());
    position_ += length;
    return bytes_.substr(position_ - length, length);
  }
  std::vector<std::string> texts() {
    std::vector<std::string> values(static_cast<std::size_t>(number<std::int64_t>()));
    for (std::string& value : values) value = text();
    return values;
  }
  template <class T>
  std::vector<T> numbers() {
    std::vector<T> values(static_cast<std::size_t>(number<std::int64_t>()));
    for (T& value : values) value = number<T>();
    return values;
  }

 private:
  const std::string& bytes_;
  std::size_t position_ = 0;
};

}  // namespace

bool Hdf5Object::has_child(const std::string& name) const {
  return std::find(children.begin(), children.end(), name) != children.end();
}

std::string Hdf5Object::text_attribute(const std::string& name) const {
  const auto found = attributes.find(name);
  return found == attributes.end() || found->second.texts.empty() ? std::string() : found->second.texts.front();
}

double Hdf5Object::number_attribute(const std::string& name, double otherwise) const {
  const auto found = attributes.find(name);
  return found == attributes.end() || found->second.numbers.empty() ? otherwise : found->second.numbers.front();
}

std::int64_t Hdf5Object::num_elements() const {
  if (is_null) return 0;
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

std::string Hdf5Object::to_bytes() const {
  Packer pack;
  pack.number(kind);
  pack.number(values);
  pack.text(type);
  pack.numbers(shape);
  pack.number(is_null);
  pack.numbers(chunk);
  pack.texts(filters);
  pack.number(stored_bytes);
  pack.texts(children);
  pack.number(static_cast<std::int64_t>(attributes.size()));
  for (const auto& [name, attribute] : attributes) {
    pack.text(name);
    pack.texts(attribute.texts);
    pack.numbers(attribute.numbers);
    pack.numbers(attribute.unsigned_integers);
  }
  return pack.bytes;
}

Hdf5Object Hdf5Object::from_bytes(const std::string& bytes) {
  Unpacker unpack(bytes);
  Hdf5Object object;
  object.kind = unpack.number<Kind>();
  object.values = unpack.number<Values>();
  object.type = unpack.text();
  object.shape = unpack.numbers<std::int64_t>();
  object.is_null = unpack.number<bool>();
  object.chunk = unpack.numbers<std::int64_t>();
  object.filters = unpack.texts();
  object.stored_bytes = unpack.number<std::int64_t>();
  object.children = unpack.texts();
  const auto num_attributes = unpack.number<std::int64_t>();
  for (std::int64_t i = 0; i < num_attributes; ++i) {
    const std::string name = unpack.text();
    Hdf5Attribute& attribute = object.attributes[name];
    attribute.texts = unpack.texts();
    attribute.numbers = unpack.numbers<double>();
    attribute.unsigned_integers = unpack.numbers<std::uint64_t>();
  }
  return object;
}

}  // namespace thalweg
