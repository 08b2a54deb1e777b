#include "distributed/spill_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "distributed/durable_file.hpp"
#include "distributed/error.hpp"

namespace thalweg {

SpillFile::SpillFile(const std::string& folder) : folder_(folder) {
  std::string name = folder + "/spill.XXXXXX.tmp";
  descriptor_ = ::mkostemps(name.data(), 4, O_CLOEXEC);
  if (descriptor_ < 0) throw_errno("create a temporary file in", folder);
  ::unlink(name.c_str());
}

SpillFile::~SpillFile() { ::close(descriptor_); }

void SpillFile::append_bytes(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), size_);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw_errno("write a temporary file in", folder_);
    size_ += written;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void SpillFile::read_bytes(std::int64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t read = ::pread(descriptor_, bytes.data(), bytes.size(), offset);
    if (read < 0 && errno == EINTR) continue;
    if (read == 0) throw IoError("a temporary file in " + folder_ + " ends before what was written to it; check the disk");
    if (read < 0) throw_errno("read a temporary file in", folder_);
    offset += read;
    bytes = bytes.subspan(static_cast<std::size_t>(read));
  }
}

}  // namespace thalweg
