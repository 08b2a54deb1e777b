#include "distributed/hdf5_writer.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <numeric>
#include <optional>

#include "distributed/checksum.hpp"
#include "distributed/durable_file.hpp"
#include "distributed/fault.hpp"
#include "distributed/hdf5_create.hpp"
#include "distributed/hdf5_fill.hpp"
#include "distributed/hdf5_text_rows.hpp"
#include "distributed/runtime.hpp"

namespace thalweg {

namespace {

using hdf5::CreatedFile;
using hdf5::FilledFile;
using hdf5::RowExtent;

bool unclosed_file = false;

constexpr std::int64_t overhead_bytes = std::int64_t{1} << 20;
/// Compressed data may be reserved at less than their full size: a disk with a quarter of it may do.
constexpr std::int64_t gzip_share = 4;

std::int64_t local_rows_of(const Hdf5Node& node) {
  if (const auto* rows = std::get_if<Hdf5Rows>(&node.content)) return rows->local_rows;
  if (const auto* texts = std::get_if<Hdf5TextRows>(&node.content))
    return static_cast<std::int64_t>(texts->local->size());
  return 0;
}

std::uint64_t checksum_of_local(const Hdf5Rows& rows, std::int64_t first_row) {
  if (!rows.source) return checksum_of_rows(rows.local.bytes, rows.row_bytes(), rows.local_rows, first_row);
  const std::int64_t rows_per_piece = std::max<std::int64_t>(1, Hdf5Rows::source_piece / rows.row_bytes());
  std::uint64_t sum = 0;
  std::vector<std::byte> buffer;
  for (std::int64_t begin = 0; begin < rows.local_rows; begin += rows_per_piece) {
    const std::int64_t end = std::min(begin + rows_per_piece, rows.local_rows);
    sum += checksum_of_rows(rows.rows(begin, end, buffer), rows.row_bytes(), end - begin, first_row + begin);
  }
  return sum;
}

std::uint64_t local_checksum(const Hdf5Node& node, std::int64_t first_row) {
  if (const auto* rows = std::get_if<Hdf5Rows>(&node.content)) return checksum_of_local(*rows, first_row);
  if (const auto* texts = std::get_if<Hdf5TextRows>(&node.content)) return checksum_of_texts(*texts->local, first_row);
  return 0;
}

/// Paths, kinds, types and row shapes as one text: what must agree between ranks.
std::string structure_text(const Hdf5Layout& layout) {
  std::string text;
  for (const Hdf5Node& node : layout.nodes()) {
    text += node.path + '\n' + std::to_string(node.content.index());
    if (const auto* rows = std::get_if<Hdf5Rows>(&node.content)) {
      text += ' ' + std::to_string(static_cast<int>(rows->local.type));
      for (const std::int64_t extent : rows->row_shape) text += ' ' + std::to_string(extent);
    }
    text += '\n';
  }
  return text;
}

void require_equal_structure(const Communicator& comm, const std::string& path, const Hdf5Layout& layout) {
  const std::uint64_t hash = std::hash<std::string>{}(structure_text(layout));
  if (comm.all_reduce(hash, Reduction::min) != comm.all_reduce(hash, Reduction::max))
    throw IoError("the ranks describe different contents of " + path + "; this is a defect; report it");
}

std::vector<RowExtent> row_extents(const Communicator& comm, const Hdf5Layout& layout) {
  const std::size_t num_nodes = layout.nodes().size();
  std::vector<std::int64_t> local;
  for (const Hdf5Node& node : layout.nodes()) local.push_back(local_rows_of(node));
  const auto all = comm.all_gather(std::span<const std::int64_t>(local));
  std::vector<RowExtent> extents(num_nodes);
  std::vector<std::uint64_t> checksums;
  for (std::size_t k = 0; k < num_nodes; ++k) {
    for (int q = 0; q < comm.size(); ++q) {
      const std::int64_t rows = all[static_cast<std::size_t>(q) * num_nodes + k];
      if (q < comm.rank()) extents[k].first_row += rows;
      extents[k].num_rows += rows;
      extents[k].most_local_rows = std::max(extents[k].most_local_rows, rows);
    }
  }
  comm.on_all([&] {
    for (std::size_t k = 0; k < num_nodes; ++k) checksums.push_back(local_checksum(layout.nodes()[k], extents[k].first_row));
  });
  comm.all_reduce(std::span<std::uint64_t>(checksums), Reduction::sum);
  for (std::size_t k = 0; k < num_nodes; ++k) extents[k].checksum = checksums[k];
  return extents;
}

/// Space that texts take: a reference, and in the heap a header and the characters in units of 8 bytes.
std::int64_t heap_bytes(std::span<const std::string> texts) {
  return std::accumulate(texts.begin(), texts.end(), std::int64_t{0}, [](std::int64_t sum, const std::string& text) {
    return sum + 32 + static_cast<std::int64_t>((text.size() + 7) / 8 * 8);
  });
}

/// Bytes of the file if nothing is compressed, an upper bound for all practical purposes.
std::int64_t predicted_bytes(const Communicator& comm, const Hdf5Layout& layout) {
  std::int64_t bytes = 0;
  for (const Hdf5Node& node : layout.nodes()) {
    if (const auto* rows = std::get_if<Hdf5Rows>(&node.content)) bytes += rows->local_rows * rows->row_bytes();
    if (const auto* texts = std::get_if<Hdf5TextRows>(&node.content)) bytes += heap_bytes(*texts->local);
    if (!comm.is_root()) continue;
    if (const auto* texts = std::get_if<Hdf5Texts>(&node.content)) bytes += heap_bytes(texts->values);
    if (const auto* array = std::get_if<Hdf5Array>(&node.content))
      bytes += static_cast<std::int64_t>(array->values.bytes.size());
  }
  return comm.all_reduce(bytes, Reduction::sum) + overhead_bytes;
}

/// One file on its way: the ranks that write it, where, and what it takes.
struct Target {
  const Communicator& comm;
  const std::string& path;
  std::string temporary;
  std::int64_t bytes;
  bool must_close;

  /// Runs `write` and then `close`; on failure the temporary is removed and all ranks throw, or leave
  /// if the file could not be closed.
  template <class Write, class Close>
  void run_phase(Write&& write, Close&& close) const {
    std::optional<Error> failure;
    bool closed = true;
    try {
      closed = write();
    } catch (const Error& error) {
      failure = error;
    }
    closed = close() && closed;
    if (!failure && closed) return;
    fail(failure ? *failure : IoError("cannot complete " + temporary), closed);
  }

  [[noreturn]] void fail(const Error& failure, bool closed) const {
    std::string what = failure.what();
    std::replace(what.begin(), what.end(), '\n', ' ');  // HDF5 describes a failed write on two lines
    if (failure.kind() == Error::Kind::io && what.find(" needed in ") == std::string::npos)
      what += "; " + space_text(path, bytes) + "; check the disk and its quota";
    comm.broadcast(what);
    if (comm.is_root()) discard_file(temporary);
    unclosed_file |= !closed;
    if (!closed && must_close) {
      if (comm.is_root()) std::fputs(("error: " + what + "\n").c_str(), stderr);
      Runtime::abandon(1);
    }
    comm.on_root([&] { rethrow(failure.kind(), what); });
    std::abort();
  }

  [[noreturn]] static void rethrow(Error::Kind kind, const std::string& what) {
    switch (kind) {
      case Error::Kind::data:
        throw DataError(what);
      case Error::Kind::memory:
        throw MemoryError(what);
      case Error::Kind::communication:
        throw CommunicationError(what);
      default:
        throw IoError(what);
    }
  }
};

void check_room(const Target& target, Compression compression) {
  target.comm.on_root([&] {
    discard_file(target.temporary);
    try {
      reserve_space(target.temporary, compression == Compression::gzip ? target.bytes / gzip_share : target.bytes);
    } catch (const Error&) {
      discard_file(target.temporary);
      throw;
    }
  });
}

void write_user_block(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "r+b");
  const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file == nullptr || std::fclose(file) != 0 || !written) throw_errno("write the user block of", path);
}

void create_file(const Target& target, const Hdf5Layout& layout, const std::vector<RowExtent>& extents,
                 const Hdf5WriteOptions& options) {
  const Communicator& comm = target.comm;
  std::optional<CreatedFile> file;
  target.run_phase(
      [&] {
        comm.on_root([&] {
          file.emplace(target.temporary, layout, extents, options.compression);
          fault_point(options.fault_scope + ".layout", comm.rank());
        });
        for (std::size_t k = 0; k < extents.size(); ++k)
          if (std::holds_alternative<Hdf5TextRows>(layout.nodes()[k].content))
            hdf5::write_text_rows(comm, file ? &*file : nullptr, k, layout.nodes()[k]);
        return true;
      },
      [&] { return !comm.any(file && !file->close()); });
}

/// What follows the closing of the created file: its user block, and its place on the disk for good.
void settle_file(const Target& target, const Hdf5Layout& layout) {
  target.run_phase(
      [&] {
        target.comm.on_root([&] {
          if (!layout.user_block.empty()) write_user_block(target.temporary, layout.user_block);
          reserve_space(target.temporary, release_reserve(target.temporary));
        });
        return true;
      },
      [] { return true; });
}

Hdf5WriteReport fill_file(const Target& target, const Hdf5Layout& layout, const std::vector<RowExtent>& extents,
                          const Hdf5WriteOptions& options) {
  Hdf5WriteReport report;
  std::optional<FilledFile> file;
  target.run_phase(
      [&] {
        file.emplace(target.comm, target.temporary);
        target.comm.on_all([&] { fault_point(options.fault_scope + ".fill", target.comm.rank()); });
        for (std::size_t k = 0; k < extents.size(); ++k)
          if (std::holds_alternative<Hdf5Rows>(layout.nodes()[k].content))
            file->write_rows(layout.nodes()[k], extents[k], options);
        report.num_writes = file->num_writes();
        report.no_collective_cause = file->no_collective_cause();
        if (!file->flush()) throw IoError("cannot write all of " + target.temporary);
        return true;
      },
      [&] { return !file || file->close(); });
  return report;
}

void publish(const Target& target, const Hdf5WriteOptions& options, Hdf5WriteReport& report) {
  target.run_phase(
      [&] {
        target.comm.on_root([&] {
          report.file_bytes = release_reserve(target.temporary);
          fault_point(options.fault_scope + ".publish", target.comm.rank());
          publish_file(target.temporary, target.path);
        });
        return true;
      },
      [] { return true; });
  target.comm.broadcast(std::span<std::int64_t>(&report.file_bytes, 1));
}

}  // namespace

bool has_unclosed_file() { return unclosed_file; }

Hdf5WriteReport write_hdf5(const Communicator& comm, const std::string& path, const Hdf5Layout& layout,
                           const Hdf5WriteOptions& options) {
  require_equal_structure(comm, path, layout);
  const std::vector<RowExtent> extents = row_extents(comm, layout);
  const Target target{comm, path, temporary_name(path), predicted_bytes(comm, layout), options.must_close};
  check_room(target, options.compression);
  create_file(target, layout, extents, options);
  settle_file(target, layout);
  Hdf5WriteReport report = fill_file(target, layout, extents, options);
  publish(target, options, report);
  return report;
}

}  // namespace thalweg
