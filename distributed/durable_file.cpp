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
    case EROFS:
      return "no permission to write there; choose another folder";
    case ENOENT:
      return "a folder of that path does not exist; create it or choose another one";
    case ENOTDIR:
      return "a part of that path is not a folder; choose another one";
    case EISDIR:
      return "a folder of that name is in the way; remove it or choose another name";
    case ENOSPC:
    case EDQUOT:
      return "the disk or the quota is used up; free space or choose another folder";
    case EFBIG:
      return "the file-size limit is reached; raise it (ulimit -f)";
    default:
      return "check the path and the disk";
  }
}

bool exceeds_limit(std::int64_t size) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         limit.rlim_cur < static_cast<rlim_t>(size);
}

double free_bytes(const struct statvfs& disk) {
  return static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
}

/// 0, or the errno that says why there is no room.
int allocate(int descriptor, std::int64_t bytes, std::int64_t offset) {
  if (exceeds_limit(offset + bytes)) return EFBIG;
  if (::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, offset, bytes) == 0) return 0;
  if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) return errno;
  // The file system cannot reserve (NFS 3, older Lustre): compare with the free space. posix_fallocate
  // would write every block.
  struct statvfs disk {};
  return ::fstatvfs(descriptor, &disk) == 0 && free_bytes(disk) < static_cast<double>(bytes) ? ENOSPC : 0;
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
  struct statvfs disk {};
  const std::string folder = folder_of(path);
  const std::string needed = gib_text(static_cast<double>(needed_bytes)) + " needed in " + folder;
  return ::statvfs(folder.c_str(), &disk) == 0 ? needed + ", " + gib_text(free_bytes(disk)) + " free" : needed;
}

void reserve_space(const std::string& path, std::int64_t bytes, std::int64_t offset) {
  const Descriptor file(path, O_WRONLY | O_CREAT);
  if (file.get() < 0) throw_errno("create", path);
  if (bytes <= 0) return;
  const std::string space = space_text(path, bytes);
  const int error = allocate(file.get(), bytes, offset);
  if (error == ENOSPC || error == EDQUOT || error == EFBIG)
    throw IoError("cannot write " + path + ": " + std::strerror(error) + "; " + space + "; " + advice(error));
  errno = error;
  if (error != 0) throw_errno("reserve space for", path);
}

std::int64_t release_reserve(const std::string& path) {
  const Descriptor file(path, O_WRONLY);
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || ::ftruncate(file.get(), status.st_size) != 0)
    throw_errno("complete", path);
  return status.st_size;
}

void publish_file(const std::string& temporary, const std::string& path) {
  synchronise(temporary, O_RDONLY);
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw_errno("rename the finished file to", path);
  synchronise(folder_of(path), O_RDONLY | O_DIRECTORY);
}

void discard_file(const std::string& path) noexcept { ::unlink(path.c_str()); }

}  // namespace thalweg
