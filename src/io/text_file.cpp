#include "io/text_file.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "distributed/durable_file.hpp"
#include "distributed/error.hpp"
#include "distributed/unreadable_file.hpp"

namespace thalweg {

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using OpenFile = std::unique_ptr<std::FILE, CloseFile>;

/// Throws IoError when something could not be written, also what a full disk reveals only on closing.
void write_whole(const std::string& path, std::string_view text) {
  OpenFile file(std::fopen(path.c_str(), "wb"));
  if (!file) throw_errno("create", path);
  if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size()) throw_errno("write", path);
  if (std::fclose(file.release()) != 0) throw_errno("write", path);
}

}  // namespace

void write_text_file(const std::string& path, std::string_view text) {
  const std::string temporary = temporary_name(path);
  try {
    write_whole(temporary, text);
    publish_file(temporary, path);
  } catch (const IoError&) {
    discard_file(temporary);
    throw;
  }
}

std::string read_text_file(const std::string& path) {
  const OpenFile file(std::fopen(path.c_str(), "rb"));
  if (!file) throw_unreadable(path, errno);
  std::string text;
  char block[65536];
  for (std::size_t count = 1; count > 0; text.append(block, count))
    count = std::fread(block, 1, sizeof block, file.get());
  if (std::ferror(file.get()) != 0) throw_unreadable(path, errno);
  return text;
}

std::string as_file_name(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string name;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= 0x20 && character != '/' && character != '%') name += character;
    else name += {'%', digits[byte / 16], digits[byte % 16]};
  }
  return name;
}

void make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && !std::filesystem::is_directory(path)) error = std::make_error_code(std::errc::not_a_directory);
  if (!error) return;
  errno = error.value();
  throw_errno("make the folder", path);
}

}  // namespace thalweg
