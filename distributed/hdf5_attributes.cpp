// Attributes of a created file.
#include <type_traits>

#include "distributed/hdf5_create.hpp"

namespace thalweg::hdf5 {

namespace {

/// Type, extents and address of an attribute's value in memory.
struct RawValue {
  Type type;
  std::vector<std::int64_t> shape;
  const void* data = nullptr;
  std::vector<const char*> texts;
  std::int8_t truth = 0;
};

template <class T>
void describe(const T& value, RawValue& raw) {
  raw.type = numeric_type(stored_type<T>());
  raw.data = &value;
}
void describe(const bool& value, RawValue& raw) {
  raw.type = numeric_type(StoredType::boolean);
  raw.truth = value ? 1 : 0;
  raw.data = &raw.truth;
}
void describe(const std::string& value, RawValue& raw) {
  raw.type = text_type();
  raw.texts = {value.c_str()};
  raw.data = raw.texts.data();
}
template <class T>
void describe(const std::vector<T>& values, RawValue& raw) {
  raw.shape = {static_cast<std::int64_t>(values.size())};
  if constexpr (std::is_same_v<T, std::string>) {
    raw.type = text_type();
    for (const std::string& text : values) raw.texts.push_back(text.c_str());
    raw.data = raw.texts.data();
  } else {
    raw.type = numeric_type(stored_type<T>());
    raw.data = values.data();
  }
}

}  // namespace

void CreatedFile::write_attribute(hid_t object, const std::string& node, const Hdf5Node::Attribute& attribute) {
  RawValue raw;
  std::visit([&](const auto& value) { describe(value, raw); }, attribute.value);
  const std::string name = node + "@" + attribute.name;
  const Attribute handle(check_write(H5Acreate2(object, attribute.name.c_str(), raw.type.get(),
                                                simple_space(raw.shape).get(), H5P_DEFAULT, H5P_DEFAULT),
                                     "cannot create attribute", path_, name));
  if (raw.shape.empty() || raw.shape[0] > 0)
    check_write(H5Awrite(handle.get(), raw.type.get(), raw.data), "cannot write attribute", path_, name);
}

}  // namespace thalweg::hdf5
