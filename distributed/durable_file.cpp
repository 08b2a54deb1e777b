#include "distributed/durable_file.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : value_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

std::string gib_text(double bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g GiB", bytes / 0x1p30);
  return text.data();
}

const char* advice(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS: return "no permission to write there; choose another folder";
    case ENOENT: return "a folder of that path does not exist; create it or choose another one";
    case ENOTDIR: return "a part of that path is not a folder; choose another one";
    case EISDIR: return "a folder of that name is in the way; remove it or choose another name";
    case ENOSPC:
    case EDQUOT: return "the disk or the quota is used up; free space or choose another folder";
    case EFBIG: return "the file-size limit is reached; raise it (ulimit -f)";
    default: return "check the path and the disk";
  }
}

/// 0, or the errno that says why there is no room.
int allocate(int descriptor, std::int64_t bytes) {
  if (::fallocate(descriptor, 0, 0, bytes) == 0) return 0;
  if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) return errno;
  // The file system cannot reserve (NFS 3, older Lustre). Compare with the free space and the limit;
  // posix_fallocate would write every block.
  struct statvfs disk{};
  rlimit limit{};
  if (::fstatvfs(descriptor, &disk) == 0 &&
      static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize) < static_cast<double>(bytes))
    return ENOSPC;
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      limit.rlim_cur < static_cast<rlim_t>(bytes))
    return EFBIG;
  return 0;
}

void synchronise(const std::string& path, int flags) {
  const Descriptor file(path, flags);
  // Some file systems cannot synchronise a folder (EINVAL); the rename is then as durable as it gets.
  if (file.get() < 0 || (::fsync(file.get()) != 0 && errno != EINVAL && errno != EROFS))
    throw_errno("synchronise", path);
}

}  // namespace

std::string temporary_name(const std::string& path) { return path + ".tmp"; }

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

void throw_errno(const std::string& action, const std::string& path) {
  const int error = errno;
  throw IoError("cannot " + action + " " + path + ": " + std::strerror(error) + "; " + advice(error));
}

std::string space_text(const std::string& path, std::int64_t needed_bytes) {
  struct statvfs disk{};
  const std::string folder = folder_of(path);
  std::string text = gib_text(static_cast<double>(needed_bytes)) + " needed in " + folder;
  if (::statvfs(folder.c_str(), &disk) == 0)
    text += ", " + gib_text(static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize)) + " free";
  return text;
}

void reserve_space(const std::string& path, std::int64_t bytes) {
  const Descriptor file(path, O_WRONLY | O_CREAT);
  if (file.get() < 0) throw_errno("create", path);
  const int error = bytes > 0 ? allocate(file.get(), bytes) : 0;
  if (error == ENOSPC || error == EDQUOT || error == EFBIG)
    throw IoError("cannot write " + path + ": " + std::strerror(error) + "; " + space_text(path, bytes) + "; " +
                  advice(error));
  errno = error;
  if (error != 0) throw_errno("reserve space for", path);
}

void publish_file(const std::string& temporary, const std::string& path) {
  synchronise(temporary, O_RDONLY);
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw_errno("rename the finished file to", path);
  synchronise(folder_of(path), O_RDONLY | O_DIRECTORY);
}

void discard_file(const std::string& path) noexcept { ::unlink(path.c_str()); }

}  // namespace thalweg
