#include "io/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

[[noreturn]] void throw_io_error(const std::string& action, const std::string& path, const std::string& reason) {
  throw IoError("cannot " + action + " " + path + ": " + reason);
}

}  // namespace

void write_text_file(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".tmp";
  std::error_code error;
  {
    std::ofstream file(temporary, std::ios::binary);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    file.close();
    if (file.fail()) {
      const std::string reason = std::strerror(errno);
      std::filesystem::remove(temporary, error);
      throw_io_error("write", path, reason);
    }
  }
  std::filesystem::rename(temporary, path, error);
  if (error) throw_io_error("write", path, error.message());
}

std::string read_text_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw_io_error("read", path, std::strerror(errno));
  return {std::istreambuf_iterator<char>(file), {}};
}

void make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw_io_error("make the folder", path, error.message());
}

}  // namespace thalweg
