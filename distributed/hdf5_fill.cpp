#include "distributed/hdf5_fill.hpp"

#include <algorithm>
#include <filesystem>

#include "distributed/durable_file.hpp"
#include "distributed/mpi_communicator.hpp"

namespace thalweg::hdf5 {

namespace {

PropertyList file_access(MPI_Comm comm) {
  PropertyList access(H5Pcreate(H5P_FILE_ACCESS));
  // Small pieces would wait until a dataset is closed, which tells nobody that the disk is full.
  H5Pset_sieve_buf_size(access.get(), 0);
  if (comm == MPI_COMM_NULL) return access;
  H5Pset_fapl_mpio(access.get(), comm, MPI_INFO_NULL);
  H5Pset_all_coll_metadata_ops(access.get(), true);
  H5Pset_coll_metadata_write(access.get(), true);
  return access;
}

/// Collective calls in which each rank writes its own rows, one piece of the file. Where a rank writes those of others
/// too, Open MPI 4.1 drops its failure, and that rank does not reach the barrier of the next MPI_File_sync (seen).
PropertyList transfer_mode(MPI_Comm comm) {
  PropertyList transfer(H5Pcreate(H5P_DATASET_XFER));
  if (comm == MPI_COMM_NULL) return transfer;
  H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE);
  H5Pset_dxpl_mpio_collective_opt(transfer.get(), H5FD_MPIO_INDIVIDUAL_IO);
  return transfer;
}

/// Selects rows [first_row, first_row + num_rows) of `space`, or nothing.
void select_rows(hid_t space, std::int64_t first_row, const std::vector<std::int64_t>& piece_shape) {
  if (piece_shape[0] == 0) {
    H5Sselect_none(space);
    return;
  }
  std::vector<hsize_t> start(piece_shape.size(), 0);
  start[0] = static_cast<hsize_t>(first_row);
  const std::vector<hsize_t> count(piece_shape.begin(), piece_shape.end());
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
}

}  // namespace

FilledFile::FilledFile(const Communicator& comm, std::string path)
    : comm_(comm), path_(std::move(path)), transfer_(transfer_mode(mpi_handle(comm))) {
  comm_.on_all([&] {
    const PropertyList access = file_access(mpi_handle(comm_));
    file_ = File(check_write(H5Fopen(path_.c_str(), H5F_ACC_RDWR, access.get()), "cannot open for writing", path_));
  });
}

void FilledFile::write_rows(const Hdf5Node& node, const RowExtent& extent, const Hdf5WriteOptions& options) {
  const Hdf5Rows& rows = std::get<Hdf5Rows>(node.content);
  const std::int64_t row_bytes = rows.row_bytes();
  if (extent.num_rows == 0 || row_bytes == 0) return;
  Dataset dataset;
  comm_.on_all([&] {
    dataset =
        Dataset(check_write(H5Dopen2(file_.get(), node.path.c_str(), H5P_DEFAULT), "cannot open", path_, node.path));
  });
  const std::int64_t most_bytes = rows.source ? std::min(options.max_bytes_per_call, Hdf5Rows::source_piece) : options.max_bytes_per_call;
  const std::int64_t rows_per_call = std::max<std::int64_t>(1, most_bytes / row_bytes);
  std::vector<std::byte> buffer;
  // Every rank makes as many calls as the one with most rows; the others then write nothing.
  for (std::int64_t begin = 0; begin < extent.most_local_rows; begin += rows_per_call) {
    const std::int64_t from = std::min(begin, rows.local_rows), to = std::min(begin + rows_per_call, rows.local_rows);
    std::span<const std::byte> piece;
    comm_.on_all([&] { piece = rows.rows(from, to, buffer); });
    if (options.compression != Compression::none) reserve_compressed(rows, extent, rows_per_call);
    comm_.on_all([&] { write_piece(dataset.get(), node.path, rows, extent.first_row + from, piece); });
    ++num_writes_;
  }
}

// Compressed chunks get their place in the file while they are written. If the disk fills up on the way,
// HDF5 returns on some ranks and waits on others for ever (seen), so the room for the case that nothing
// can be compressed is taken before each call. Contiguous arrays have had theirs since their creation.
void FilledFile::reserve_compressed(const Hdf5Rows& rows, const RowExtent& extent, std::int64_t rows_per_call) {
  comm_.on_root([&] {
    constexpr std::int64_t index_bytes = 65536;
    const std::int64_t most_rows = std::min(extent.num_rows, rows_per_call * comm_.size());
    std::int64_t bytes = most_rows * rows.row_bytes();
    // A chunk between two pieces is written twice, and its second form may need another place.
    if (rows_per_call < extent.most_local_rows) bytes *= 2;
    // MPI-IO drivers do not tell the end of the file; what is written so far has reached the disk.
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path_, error);
    reserve_space(path_, bytes + bytes / 128 + index_bytes, error ? 0 : static_cast<std::int64_t>(size));
  });
}

void FilledFile::write_piece(hid_t dataset, const std::string& node, const Hdf5Rows& rows, std::int64_t first_row,
                             std::span<const std::byte> piece) {
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(piece.size()) / rows.row_bytes()};
  shape.insert(shape.end(), rows.row_shape.begin(), rows.row_shape.end());
  const Space memory = simple_space(shape);
  const Space space(H5Dget_space(dataset));
  if (shape[0] == 0) H5Sselect_none(memory.get());
  select_rows(space.get(), first_row, shape);
  const std::byte nothing{};
  const void* data = piece.empty() ? &nothing : piece.data();
  check_write(H5Dwrite(dataset, numeric_type(rows.local.type).get(), memory.get(), space.get(), transfer_.get(), data),
              "cannot write", path_, node);
  if (mpi_handle(comm_) == MPI_COMM_NULL) return;
  std::uint32_t local = 0, global = 0;
  H5Pget_mpio_no_collective_cause(transfer_.get(), &local, &global);
  no_collective_cause_ |= local | global;
}

bool FilledFile::flush() { return !comm_.any(H5Fflush(file_.get(), H5F_SCOPE_GLOBAL) < 0); }

bool FilledFile::close() { return !comm_.any(file_.reset() < 0); }

}  // namespace thalweg::hdf5
