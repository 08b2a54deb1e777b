#include "io/npz_file.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <regex>
#include <string_view>

#include "distributed/error.hpp"
#include "io/text_file.hpp"

namespace thalweg {

namespace {

static_assert(std::endian::native == std::endian::little, "values of .npy files are copied as they are");

constexpr std::string_view end_mark = "PK\x05\x06", member_mark = "PK\x01\x02", local_mark = "PK\x03\x04";
constexpr std::string_view array_mark = "\x93NUMPY";
constexpr std::uint32_t in_zip64 = 0xFFFFFFFF, whole = 0xFFFFFFFF;
constexpr std::uint32_t most_packed = 1032;   // bytes that deflate can pack into one
constexpr std::uint32_t header_bytes = 4096;  // of an .npy file: enough for its shape and type

/// A little-endian number at a place of the archive; 0 beyond its end.
template <class T>
T number_at(std::string_view bytes, std::size_t place) {
  T value{};
  if (place + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + place, sizeof(T));
  return value;
}

/// What the header of an .npy file says.
struct ArrayHeader {
  std::string type;  // "<f4"
  bool is_fortran = false;
  std::vector<std::int64_t> shape;
  std::size_t begin = 0;  // of the values

  std::int64_t count() const {
    std::int64_t product = 1;
    for (const std::int64_t size : shape) product *= size;
    return product;
  }
};

ArrayHeader header_of(std::string_view bytes, const std::string& where) {
  const DataError damaged(where + " is no array that numpy.save writes; save it again");
  if (!bytes.starts_with(array_mark) || bytes.size() < 12) throw damaged;
  const bool is_first_version = bytes[6] == 1;
  const std::size_t length = is_first_version ? number_at<std::uint16_t>(bytes, 8) : number_at<std::uint32_t>(bytes, 8);
  ArrayHeader header;
  header.begin = (is_first_version ? 10 : 12) + length;
  if (header.begin > bytes.size()) throw damaged;
  const std::string text(bytes.substr(is_first_version ? 10 : 12, length));
  std::smatch found;
  if (!std::regex_search(text, found, std::regex("'descr': *'([^']+)'"))) throw damaged;
  header.type = found[1];
  header.is_fortran = std::regex_search(text, std::regex("'fortran_order': *True"));
  if (!std::regex_search(text, found, std::regex("'shape': *\\(([^)]*)\\)"))) throw damaged;
  const std::string sizes = found[1];
  const std::regex digits("[0-9]{1,18}");
  for (auto at = std::sregex_iterator(sizes.begin(), sizes.end(), digits); at != std::sregex_iterator(); ++at)
    header.shape.push_back(std::stoll(at->str()));
  return header;
}

template <class T>
std::vector<double> values_of(std::string_view bytes, std::int64_t count, const std::string& where) {
  const auto size = static_cast<std::size_t>(count);
  if (bytes.size() != size * sizeof(T))
    throw DataError(where + " holds " + std::to_string(bytes.size()) + " bytes, its header announces " +
                    std::to_string(size * sizeof(T)) + "; save it again");
  std::vector<double> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<double>(number_at<T>(bytes, i * sizeof(T)));
  return values;
}

std::vector<double> converted(const ArrayHeader& header, std::string_view bytes, const std::string& where) {
  const std::string_view type = header.type;
  const std::int64_t count = header.count();
  if (type == "<f4") return values_of<float>(bytes, count, where);
  if (type == "<f8") return values_of<double>(bytes, count, where);
  if (type == "|i1") return values_of<std::int8_t>(bytes, count, where);
  if (type == "|u1" || type == "|b1") return values_of<std::uint8_t>(bytes, count, where);
  if (type == "<i2") return values_of<std::int16_t>(bytes, count, where);
  if (type == "<u2") return values_of<std::uint16_t>(bytes, count, where);
  if (type == "<i4") return values_of<std::int32_t>(bytes, count, where);
  if (type == "<u4") return values_of<std::uint32_t>(bytes, count, where);
  if (type == "<i8") return values_of<std::int64_t>(bytes, count, where);
  if (type == "<u8") return values_of<std::uint64_t>(bytes, count, where);
  throw DataError(where + " has type '" + header.type +
                  "'; floats of 4 and 8 bytes and integers, little endian, are read");
}

/// From Fortran order, for two dimensions.
std::vector<double> transposed(const std::vector<double>& values, std::int64_t rows, std::int64_t columns) {
  std::vector<double> result(values.size());
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t k = 0; k < columns; ++k)
      result[static_cast<std::size_t>(i * columns + k)] = values[static_cast<std::size_t>(k * rows + i)];
  return result;
}

}  // namespace

NpzFile::NpzFile(const std::string& path) : path_(path), archive_(read_text_file(path)) {
  const DataError damaged(path + " is no .npz archive that numpy.savez writes, or is larger than 4 GiB");
  const std::size_t end = archive_.rfind(end_mark);
  if (end == std::string::npos) throw damaged;
  const auto count = number_at<std::uint16_t>(archive_, end + 10);
  std::size_t at = number_at<std::uint32_t>(archive_, end + 16);
  for (std::uint16_t k = 0; k < count; ++k) {
    if (at + 46 > archive_.size() || archive_.compare(at, 4, member_mark) != 0) throw damaged;
    const auto name_length = number_at<std::uint16_t>(archive_, at + 28);
    Member member{archive_.substr(at + 46, name_length),       number_at<std::uint16_t>(archive_, at + 10),
                  number_at<std::uint32_t>(archive_, at + 20), number_at<std::uint32_t>(archive_, at + 24),
                  number_at<std::uint32_t>(archive_, at + 16), number_at<std::uint32_t>(archive_, at + 42)};
    if (member.size == in_zip64 || member.place == in_zip64) throw damaged;
    if (member.name.ends_with(".npy")) {
      member.name.resize(member.name.size() - 4);
      members_.push_back(std::move(member));
    }
    at += 46 + name_length + number_at<std::uint16_t>(archive_, at + 30) + number_at<std::uint16_t>(archive_, at + 32);
  }
}

std::vector<std::string> NpzFile::names() const {
  std::vector<std::string> names;
  for (const Member& member : members_) names.push_back(member.name);
  return names;
}

const NpzFile::Member& NpzFile::member(const std::string& name, const std::string& setting) const {
  for (const Member& member : members_)
    if (member.name == name) return member;
  std::string known;
  for (const Member& member : members_) known += (known.empty() ? "" : ", ") + member.name;
  throw DataError("array '" + name + "' named by " + setting + " not found in " + path_ + "; available: " + known);
}

/// The first bytes of a member, at most `most`; checked against its checksum when it is read whole.
std::string NpzFile::bytes_of(const Member& member, std::uint32_t most) const {
  const DataError damaged("array '" + member.name + "' of " + path_ +
                          " is damaged or packed in an unknown way; save the file again");
  const std::size_t local = member.place;
  if (local + 30 > archive_.size() || archive_.compare(local, 4, local_mark) != 0) throw damaged;
  const std::size_t begin =
      local + 30 + number_at<std::uint16_t>(archive_, local + 26) + number_at<std::uint16_t>(archive_, local + 28);
  if (begin + member.packed_size > archive_.size()) throw damaged;
  const std::uint32_t size = std::min(member.size, most);
  if (member.method == 0) return archive_.substr(begin, size);
  if (member.method != 8 || member.size / most_packed > member.packed_size) throw damaged;
  std::string bytes(size, '\0');
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(archive_.data() + begin));
  stream.avail_in = member.packed_size;
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = size;
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw damaged;  // raw deflate, without zlib's header
  inflate(&stream, Z_SYNC_FLUSH);
  inflateEnd(&stream);
  if (stream.avail_out != 0) throw damaged;
  if (size == member.size && crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), size) != member.checksum)
    throw damaged;
  return bytes;
}

NpzArray NpzFile::read(const std::string& name, const std::string& setting) const {
  const std::string where = "array '" + name + "' of " + path_;
  const std::string bytes = bytes_of(member(name, setting), whole);
  const ArrayHeader header = header_of(bytes, where);
  NpzArray array{header.shape, converted(header, std::string_view(bytes).substr(header.begin), where),
                 header.type[1] != 'f'};
  if (!header.is_fortran || header.shape.size() < 2) return array;
  if (header.shape.size() > 2)
    throw DataError(where + " is in Fortran order with more than two axes; save it in C order");
  array.values = transposed(array.values, array.shape[0], array.shape[1]);
  return array;
}

std::vector<std::int64_t> NpzFile::shape(const std::string& name, const std::string& setting) const {
  return header_of(bytes_of(member(name, setting), header_bytes), "array '" + name + "' of " + path_).shape;
}

}  // namespace thalweg
