#include "distributed/unreadable_file.hpp"

#include <cerrno>
#include <cstring>

#include "distributed/durable_file.hpp"
#include "distributed/error.hpp"

namespace thalweg {

void throw_unreadable(const std::string& path, int error) {
  const bool is_job_at_fault = error == ENOENT || error == ENOTDIR || error == EISDIR || error == EACCES || error == EPERM ||
                               error == ELOOP || error == ENAMETOOLONG;
  if (is_job_at_fault) throw DataError("cannot read " + path + ": " + std::strerror(error) + "; give the path of a readable file");
  errno = error;
  throw_errno("read", path);
}

}  // namespace thalweg
