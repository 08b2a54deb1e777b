#include "distributed/hdf5_open.hpp"

#include <mpi.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "distributed/error.hpp"
#include "distributed/mpi_communicator.hpp"
#include "distributed/unreadable_file.hpp"

namespace thalweg::hdf5 {

namespace {

/// Newest superblock that the library in use can read.
constexpr int newest_superblock = 3;

[[noreturn]] void refuse_folder(const std::string& path) {
  for (const char* name : {".zgroup", ".zattrs", "zarr.json"})
    if (std::filesystem::exists(std::filesystem::path(path) / name))
      throw DataError(path + " is a Zarr folder; an .h5ad file is needed; convert it: anndata.read_zarr(\"" + path +
                      "\").write_h5ad(\"" + path + ".h5ad\")");
  throw DataError(path + " is a folder; an .h5ad file is needed");
}

/// Version byte behind the signature, which stands at 0, 512, 1024, ..; -1 when there is none.
int superblock_version(std::ifstream& file, std::int64_t bytes) {
  constexpr std::array<char, 8> signature{'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  for (std::int64_t offset = 0; offset + 9 <= bytes; offset = offset == 0 ? 512 : 2 * offset) {
    std::array<char, 9> head{};
    file.clear();
    file.seekg(offset);
    if (!file.read(head.data(), head.size())) return -1;
    if (std::memcmp(head.data(), signature.data(), signature.size()) == 0) return static_cast<unsigned char>(head[8]);
  }
  return -1;
}

}  // namespace

FileStatus examine_file(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) throw DataError("file " + path + " not found; check the path");
    throw_unreadable(path, errno);
  }
  if (S_ISDIR(status.st_mode)) refuse_folder(path);
  if (status.st_size == 0) throw DataError("file " + path + " is empty; an .h5ad file is needed");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw_unreadable(path, errno);
  const int version = superblock_version(file, status.st_size);
  if (version < 0) throw DataError(path + " is not an HDF5 file; an .h5ad file is needed");
  if (version > newest_superblock)
    throw DataError(path + " has HDF5 superblock version " + std::to_string(version) + "; up to " +
                    std::to_string(newest_superblock) + " can be read; save it with libver=('earliest', 'v110')");
  const auto seconds = static_cast<std::int64_t>(status.st_mtim.tv_sec);
  return {status.st_size, seconds * 1'000'000'000 + status.st_mtim.tv_nsec};
}

File open_serial(const std::string& path) {
  return File(check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "cannot open", path));
}

File open_parallel(const Communicator& comm, const std::string& path,
                   const std::map<std::string, std::string>& hints) {
  // A transport without an MPI handle: every process reads on its own, which is correct, only not pooled.
  const MPI_Comm handle = mpi_handle(comm);
  if (handle == MPI_COMM_NULL) return open_serial(path);
  MPI_Info info = MPI_INFO_NULL;
  if (!hints.empty() && MPI_Info_create(&info) != MPI_SUCCESS) throw CommunicationError("MPI_Info_create failed");
  for (const auto& [name, value] : hints) MPI_Info_set(info, name.c_str(), value.c_str());
  const PropertyList access(H5Pcreate(H5P_FILE_ACCESS));
  const bool prepared = H5Pset_fapl_mpio(access.get(), handle, info) >= 0 &&
                        H5Pset_all_coll_metadata_ops(access.get(), true) >= 0;
  if (info != MPI_INFO_NULL) MPI_Info_free(&info);
  if (!prepared) throw_io_error("cannot prepare MPI-IO for", path, {});
  return File(check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), "cannot open", path));
}

PropertyList transfer_list(const Communicator& comm, bool collective) {
  PropertyList transfer(check(H5Pcreate(H5P_DATASET_XFER), "cannot prepare", "a transfer"));
  if (comm.size() > 1 && mpi_handle(comm) != MPI_COMM_NULL)
    H5Pset_dxpl_mpio(transfer.get(), collective ? H5FD_MPIO_COLLECTIVE : H5FD_MPIO_INDEPENDENT);
  return transfer;
}

}  // namespace thalweg::hdf5
